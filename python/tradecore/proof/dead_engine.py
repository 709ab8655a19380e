"""A simulated engine is gone for longer: its orders are ended by the venue's timer, or by a watchdog."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

import msgspec

from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, OrderSeen, Question
from tradecore.domain.venue_requests import Answer, Cancel
from tradecore.ports.venue_cancels import VenueCancels
from tradecore.proof.gear import Gear
from tradecore.proof.host import Host
from tradecore.proof.plan import ACCOUNT, Plan
from tradecore.proof.trial import Scene, Trial
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.orphans import Orphans
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind

# An engine that has lived for so long has armed the timer.
_ARMED_SECONDS = 1.0
# So long a message is on its way at most, where nothing goes wrong.
_WAY_SECONDS_MAX = 0.35
# A watchdog ends orders within so long, where the venue answers it.
_WELL_SECONDS_MAX = 5.0
# And within so long where it often does not.
_ILL_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.05
_ENDPOINTS = frozenset({Endpoint.OPEN_ORDERS, Endpoint.CANCEL})
_LIES = frozenset({FaultKind.EMPTY_LIST, FaultKind.OLD_ANSWER, FaultKind.PARTIAL_PAGE})


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """How engines of a seed are gone for longer.

    Attributes
    ----------
    timer_ns : int
        The dead man's timer that they arm, where the venue has one.
    is_watched : sequence of bool
        For each kill, whether it is a trial.
    away_ms : int
        After how long an engine comes back that a watchdog is at work for; 0 for once that is done.
    """

    timer_ns: int
    is_watched: tuple[bool, ...]
    away_ms: int


def absence_of(plan: Plan) -> Absence | None:
    """Return how engines of a seed are gone for longer; `None` where they are not."""
    # S311: chance for a simulation, not for a secret.
    draw = Random(f"dead/{plan.seed}")  # noqa: S311
    if draw.random() >= 0.6 or not plan.kills:
        return None
    return Absence(
        timer_ns=draw.choice((1_500_000_000, 3_000_000_000)),
        away_ms=draw.choice((0, 0, 60, 400)),
        is_watched=tuple(draw.random() < 0.7 for _ in plan.kills),
    )


class _Hand:
    """What a watchdog has at the venue; it notes cancels of an engine that is back."""

    def __init__(self, venue: VenueCancels, on_cancel: Callable[[], None]) -> None:
        self._venue = venue
        self._on_cancel = on_cancel

    @property
    def capabilities(self) -> VenueCapabilities:
        return self._venue.capabilities

    async def cancel(self, request: Cancel) -> Answer:
        self._on_cancel()
        return await self._venue.cancel(request)

    async def query(self, question: Question) -> Findings:
        return await self._venue.query(question)

    async def aclose(self) -> None:
        await self._venue.aclose()


class DeadEngineTrial(Trial):
    """P25: what an engine that is gone has left open is ended, by the venue's timer or by a watchdog.

    Parameters
    ----------
    scene : Scene
        Where it takes place.
    how : Absence
        How engines are gone.
    """

    def __init__(self, scene: Scene, how: Absence) -> None:
        super().__init__("P25", scene)
        self._how = how
        self._kills = 0
        self._began = 0.0
        self._is_gone = False
        self._watchdogs = 0
        self._has_timer = scene.plan.venue.dead_man_ms_max > 0
        # S311: chance for a simulation, not for a secret.
        self._chance = Random(f"watchdog/{scene.plan.seed}")  # noqa: S311
        rules = [rule for rule in scene.plan.script.rules if rule.endpoint in _ENDPOINTS]
        self._seconds_max = _ILL_SECONDS_MAX if rules else _WELL_SECONDS_MAX
        # Whether the venue shows what is open there, if it shows anything.
        self._is_honest = not any(rule.kind in _LIES for rule in rules)

    def equip(self, gear: Gear) -> Gear:
        """Let the next engine arm the timer."""
        return msgspec.structs.replace(gear, dead_man_ns=self._how.timer_ns)

    def begin(self, host: Host) -> None:
        """An engine is back: a watchdog that is at work ends nothing any more."""
        self._began = asyncio.get_running_loop().time()
        self._is_gone = False

    async def follow(self, host: Host) -> None:
        """Look whether what an engine has left is ended."""
        if not host.journal.is_dead:
            return
        is_watched = self._how.is_watched[self._kills]
        self._kills += 1
        left = self._open_there()
        if not (is_watched and left):
            return
        if not self._has_timer:
            await self._watch(host, left)
        elif asyncio.get_running_loop().time() - self._began >= _ARMED_SECONDS:
            await self._wait(host, left)

    async def _wait(self, host: Host, left: Sequence[int]) -> None:
        """Wait for the timer of the venue, where the engine has said that it is armed."""
        if not host.link.status.dead_man.startswith("armed"):
            return
        self.tried += 1
        self.scene.mark(f"the dead man's timer has to end {len(left)} orders")
        await asyncio.sleep(self._how.timer_ns / 1e9 + _WAY_SECONDS_MAX)
        if still := set(left) & set(self._open_there()):
            seconds = self._how.timer_ns / 1e9
            self.find(f"{len(still)} orders are open when the timer of {seconds:g} s is over")

    async def _watch(self, host: Host, left: Sequence[int]) -> None:
        """Let a watchdog end the orders."""
        how = self._how
        self.tried += 1
        self._is_gone = True
        self.scene.mark(f"a watchdog has to end {len(left)} orders")
        head = ClientIds(0, host.folder.first_hash()).head

        def owns(order: OrderSeen) -> bool:
            return (order.client_order_id or "").startswith(head)

        orphans = Orphans(self._connect, _budget_of, owns, self.scene.clock, self._chance.random)
        self.spawn(self._end_all(orphans))
        if how.away_ms:
            await asyncio.sleep(how.away_ms / 1e3)
            return
        await self._within(self._seconds_max, lambda: not set(left) & set(self._open_there()), orphans)
        if self._is_honest:
            # What was on its way may arrive until the venue takes it no more.
            seconds_max = self._seconds_max + self.scene.plan.venue.validity_window_ns / 1e9
            await self._within(seconds_max, lambda: orphans.status.is_done, orphans)
            if still := self._open_there():
                self.find(f"a watchdog says that it is done, and {len(still)} orders are open")

    async def _within(self, seconds_max: float, is_so: Callable[[], bool], orphans: Orphans) -> None:
        """Wait until a watchdog has got so far, within bounds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds_max
        # What a venue has is no event that anybody could wait for.
        while not is_so():
            if loop.time() > end:
                words = orphans.status.trouble or "it tells of no trouble"
                self.find(f"a watchdog has not ended all orders after {seconds_max:g} s: {words}")
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _end_all(self, orphans: Orphans) -> None:
        try:
            await orphans.end_all(lambda: self._is_gone, _tell)
        finally:
            await orphans.aclose()

    async def _connect(self) -> VenueCancels:
        self._watchdogs += 1
        plan = self.scene.plan
        venue = await self.scene.place.connect_watchdog(plan.instruments, self._watchdogs)
        return _Hand(venue, self._note_cancel)

    def _note_cancel(self) -> None:
        if not self._is_gone:
            self.find("a watchdog ends orders of an engine that is back")

    def _open_there(self) -> list[int]:
        return list(self.scene.place.exchange.accounts[ACCOUNT].open_orders)


def _budget_of(capabilities: VenueCapabilities) -> RequestBudget:
    return RequestBudget(BudgetRules.of(capabilities))


def _tell() -> None:
    """Nobody is told."""
