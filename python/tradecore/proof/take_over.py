"""A simulated engine stands still, another one takes its account over, and the first one wakes."""

import asyncio
from random import Random

import msgspec

from tradecore.domain.errors import FencedError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.ports.venue import Venue
from tradecore.proof.gear import Gear
from tradecore.proof.host import Host
from tradecore.proof.place import Connection
from tradecore.proof.plan import ACCOUNT, Plan
from tradecore.proof.standing_still import StandingLoop, process_context
from tradecore.proof.trial import Scene, Trial
from tradecore.proof.watched_venue import Request, WatchedVenue
from tradecore.runtime.live.fence import AccountHold, Fence
from tradecore.runtime.live.fenced_venue import FencedVenue
from tradecore.runtime.session import Phase

# So long an engine takes to end at most that has lost its account.
_END_SECONDS_MAX = 10.0


class TakeOver(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine is taken over.

    Attributes
    ----------
    records : int
        From which length of the journal on it stands still.
    before_ms : int
        How long it does so until another one starts.
    wakes_ms : int
        After how long it wakes, once the other one has the account.
    """

    records: int
    before_ms: int
    wakes_ms: int


def take_overs_of(plan: Plan) -> tuple[TakeOver, ...]:
    """Return how engines of a seed are taken over: never in most of them."""
    # S311: chance for a simulation, not for a secret.
    draw = Random(f"take over/{plan.seed}")  # noqa: S311
    # An order in doubt at a venue that knows no names of clients waits for a person, for ever.
    if draw.random() >= 0.2 or plan.venue.duplicate_ids is DuplicateIds.NONE:
        return ()
    # Who looks at books looks at those of one engine.
    if plan.world.feed_faults:
        return ()
    most = max(plan.events * 3 // 4, 21)
    times = sorted(draw.randrange(20, most) for _ in range(draw.choice((1, 2, 4))))
    return tuple(
        TakeOver(
            records=records,
            before_ms=draw.choice((0, 20, 250, 1_200)),
            wakes_ms=draw.choice((0, 1, 50, 800)),
        )
        for records in times
    )


class TakeOverTrial(Trial):
    """P13: an engine whose account was taken over while it stood still sends nothing once it wakes.

    Parameters
    ----------
    scene : Scene
        Where it takes place.
    all_of_them : sequence of TakeOver
        How engines are taken over.
    loop : StandingLoop
        On which they run.
    """

    def __init__(self, scene: Scene, all_of_them: tuple[TakeOver, ...], loop: StandingLoop) -> None:
        super().__init__("P13", scene)
        self._loop = loop
        self._left = list(all_of_them)
        self._epoch = 0
        # Number of the engine that runs, of the one that stands still, and of those that woke.
        self._number = 0
        self._woken: set[int] = set()
        self._still: asyncio.Task[bool] | None = None
        self._how: TakeOver | None = None

    def equip(self, gear: Gear) -> Gear:
        """Give the next engine the account, and look at what it sends."""
        self._number += 1
        number, before, clock = self._number, gear.venue, self.scene.clock
        hold = AccountHold(
            epoch=lambda: self._epoch, raise_to=self._raise_to, takes_over=self._still is not None
        )

        def see(request: Request) -> None:
            if number in self._woken:
                self.find(f"an engine that was taken over sends {request}")

        def venue(connection: Connection, folder: JournalFolder) -> Venue:
            inner = WatchedVenue(before(connection, folder), see)
            fence = Fence(ACCOUNT, folder.first_hash, hold)
            return FencedVenue(inner, fence, clock, connection.signing)

        return msgspec.structs.replace(gear, venue=venue)

    def begin(self, host: Host) -> None:
        """Let the engine that stands still wake once this one has its account."""
        if self._still is not None and self._how is not None:
            self.spawn(self._wake(host, self._still, self._how, self._number - 1))
            self._still = self._how = None

    @property
    def stands_still(self) -> bool:
        """Whether the last engine stands still, and takes nothing in."""
        return self._still is not None

    async def is_halted(self, host: Host) -> bool:
        """Let an engine live until it stands still, to be taken over; `False` where no more of them is."""
        if not self._left:
            return False
        loop = self._loop
        how = self._left.pop(0)
        running = loop.create_task(host.run(), context=process_context(self._number))
        await self.until(lambda: host.journal.records >= how.records or running.done())
        if running.done():
            running.result()
        # One that still takes over has its own trial first.
        await self._woken_up()
        loop.stop_process(self._number)
        self.scene.mark(f"engine stands still with {host.journal.records} records")
        self._still, self._how = running, how
        await asyncio.sleep(how.before_ms / 1e3)
        return True

    async def _woken_up(self) -> None:
        """Wait until the engine before has woken and ended."""
        tasks, self._tasks = self._tasks, []
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            task.result()

    async def _wake(self, host: Host, first: asyncio.Task[bool], how: TakeOver, number: int) -> None:
        loop = self._loop
        try:
            while host.session.phase is Phase.STARTING:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)
            await asyncio.sleep(how.wakes_ms / 1e3)
        finally:
            self._woken.add(number)
            loop.let_go_on()
        self.tried += 1
        self.scene.mark("the engine before wakes")
        await asyncio.wait([first], timeout=_END_SECONDS_MAX)
        if not first.done():
            self.find("an engine that was taken over goes on")
            first.cancel()
        elif not isinstance(error := first.exception(), FencedError):
            self.find(f"an engine that was taken over ends with {error!r}")

    def _raise_to(self, number: int) -> None:
        self._epoch = max(self._epoch, number)
