"""The kill switch of a simulated engine is used at some moment, and released later."""

import asyncio
from random import Random

import msgspec

from tradecore.domain.commands import Kill, ReleaseKill
from tradecore.domain.errors import VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.record_bodies import Body, Order, Sent
from tradecore.domain.record_bodies import Command as CommandRecord
from tradecore.domain.venue_requests import Replace, Submit
from tradecore.ports.venue import Venue
from tradecore.proof.gear import Gear
from tradecore.proof.host import Host
from tradecore.proof.order_lives import OrderLives
from tradecore.proof.place import Connection
from tradecore.proof.plan import ACCOUNT, Plan
from tradecore.proof.trial import Scene, Trial
from tradecore.proof.watched_venue import Request, WatchedVenue

# From the word to the engine until no new order can leave.
_KILL_SECONDS_MAX = 0.001
# So long the longest kill lasts: by then all that was open is ended, whatever goes wrong at the venue.
_LONG_MS = 8_000
_ON_ITS_WAY_TO_END = frozenset({"pending_cancel", "unknown"})


class UseOfKill(msgspec.Struct, frozen=True):
    """From which length of the journal on it is used, and how long it holds."""

    records: int
    lasts_ms: int


def uses_of_kill(plan: Plan) -> tuple[UseOfKill, ...]:
    """Return when the kill switch of a seed is used: never in most of them."""
    # S311: chance for a simulation, not for a secret.
    draw = Random(f"kill switch/{plan.seed}")  # noqa: S311
    if draw.random() >= 0.2:
        return ()
    times = sorted(draw.randrange(20, max(plan.events, 21)) for _ in range(draw.choice((1, 2, 4))))
    return tuple(UseOfKill(records, draw.choice((20, 300, 2_000, _LONG_MS))) for records in times)


class KillSwitchTrial(Trial):
    """P24: from the kill on no new order leaves, what is open is ended, and a restart changes nothing.

    Parameters
    ----------
    scene : Scene
        Where it takes place.
    uses : sequence of UseOfKill
        When it is used.
    """

    def __init__(self, scene: Scene, uses: tuple[UseOfKill, ...]) -> None:
        super().__init__("P24", scene)
        self._uses = list(uses)
        # Until when it holds; `None` while it does not.
        self._until: float | None = None
        # Orders that were open at the venue when it was used.
        self._open: frozenset[int] = frozenset()
        # What the journal says.
        self._is_killed = False

    def equip(self, gear: Gear) -> Gear:
        """Look at what the next engine sends."""
        before = gear.venue

        def venue(connection: Connection, folder: JournalFolder) -> Venue:
            return WatchedVenue(before(connection, folder), self._see)

        return msgspec.structs.replace(gear, venue=venue)

    def begin(self, host: Host) -> None:
        """Look whether a kill before holds still, and use the switch."""
        if self._until is not None:
            self.tried += 1
            if not host.engine.kernel.is_killed:
                self.find("a kill does not hold after a restart")
        self.spawn(self._use(host))

    def read(self, seq: int, body: Body, lives: OrderLives) -> None:
        """Look whether an order comes of a killed engine."""
        match body:
            case CommandRecord(command="kill", scope=None):
                self._is_killed = True
            case CommandRecord(command="release_kill" | "flatten"):
                # A flatten after a kill closes what is held, and nothing else: it is looked at no more.
                self._is_killed = False
            case Order() if self._is_killed:
                self.find(f"order {body.order_id} (#{seq}) comes after a kill")
            case Sent(request="new" | "replace") if self._is_killed:
                self.find(f"a request {body.request} of order {body.order_id} (#{seq}) comes after a kill")
            case _:
                pass

    def _see(self, request: Request) -> None:
        # In the end positions are closed, killed or not.
        if self._until is not None and not self.is_ending and isinstance(request, Submit | Replace):
            kind = type(request).__name__.lower()
            self.find(f"{kind} of {request.client_order_id} leaves after a kill")

    async def _use(self, host: Host) -> None:
        try:
            while self._until is not None or (self._uses and not self.is_ending):
                if self._until is None:
                    await self._kill(host, self._uses[0])
                if self._until is not None:
                    await self._release(host)
        except VenueError:
            # The engine ends: what was not answered is not promised.
            return

    async def _kill(self, host: Host, use: UseOfKill) -> None:
        loop, session = asyncio.get_running_loop(), host.session
        await self.until(lambda: host.journal.records >= use.records)
        if self.is_ending:
            return
        del self._uses[0]
        begun = loop.time()
        await session.command(Kill())
        self.tried += 1
        self.scene.mark(f"killed for {use.lasts_ms} ms")
        self._until = loop.time() + use.lasts_ms / 1e3
        if loop.time() - begun > _KILL_SECONDS_MAX:
            self.find(f"a kill takes {loop.time() - begun:.3f} s")
        for row in host.engine.kernel.open_orders():
            if row["state"] not in _ON_ITS_WAY_TO_END:
                self.find(f"order {row['order_id']} is {row['state']} after a kill")
        is_long = use.lasts_ms == _LONG_MS
        self._open = frozenset(self._open_there()) if is_long else frozenset()

    async def _release(self, host: Host) -> None:
        loop = asyncio.get_running_loop()
        await self.until(lambda: self._until is None or loop.time() >= self._until)
        if not self.is_ending and (left := self._open & set(self._open_there())):
            self.find(f"{len(left)} orders are open at the venue {_LONG_MS / 1e3:g} s after a kill")
        # From here on orders may leave; they do once the command is taken.
        self._until, self._open = None, frozenset()
        await host.session.command(ReleaseKill())

    def _open_there(self) -> list[int]:
        return list(self.scene.place.exchange.accounts[ACCOUNT].open_orders)
