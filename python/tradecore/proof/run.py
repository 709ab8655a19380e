"""One seed from beginning to end: the venue, one engine after the other, and the audit of what is left."""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from tradecore.domain.commands import CancelAll
from tradecore.domain.errors import StorageError, TradecoreError, VenueError
from tradecore.ports.clock import Clock
from tradecore.proof.audit import Audit, Evidence
from tradecore.proof.book_line import BookLine
from tradecore.proof.book_reader import BookWatch
from tradecore.proof.host import Arrived, Host, left_by
from tradecore.proof.jumps import Jumps, Wall
from tradecore.proof.market import Bystanders, Market
from tradecore.proof.place import Place, PlaceMaker, Setting
from tradecore.proof.plan import ACCOUNT, Plan
from tradecore.proof.request_watch import RequestWatch
from tradecore.proof.story import Mark, story
from tradecore.proof.trial import Finding, Scene
from tradecore.proof.trials import Trials, loop_of
from tradecore.proof.virtual_loop import StandstillError, VirtualClock
from tradecore.proof.world import BOOK_AGE_NS
from tradecore.runtime.session import Phase
from tradecore.runtime.system_clock import SystemClock

START_NS = 1_767_225_600_000_000_000
_SETTLED_POLL_SECONDS = 0.25
# After so many looks what the strategy has left open meanwhile is ended.
_EXITS_ENDED_EACH = 160
# How often the market moves once nothing is traded any more.
_QUIET_TICK_SECONDS = 0.2
# How long a journal may be beside what the venue has done for the engine, before others are to be quiet.
_RECORDS_FREE, _RECORDS_PER_DEED = 100, 30
# Longer than any time-out, retry or late answer of a plan lasts.
_SETTLE_SECONDS_MAX = 240.0
_RUN_SECONDS_MAX = 100_000.0
_MS_NS = 1_000_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed came to.

    Attributes
    ----------
    seed : int
        The seed.
    events : int
        Frames in the journal.
    split : dict of str to int
        How many of them are about what, as `event_kinds` has it.
    orders, fills : int
        Orders that the venue took, and trades.
    tried : dict of str to int
        How often each promise was put to the test, by its number.
    findings : tuple of Finding
        What was broken.
    faults : dict of str to int
        What went wrong on purpose.
    kills : int
        How often the engine was killed.
    virtual_seconds : float
        How long it took by the virtual clock.
    digest : str
        Hash of the journal's bytes and of the venue's log: the same seed has the same.
    """

    seed: int
    events: int = 0
    split: dict[str, int] = {}
    orders: int = 0
    fills: int = 0
    tried: dict[str, int] = {}
    findings: tuple[Finding, ...] = ()
    faults: dict[str, int] = {}
    kills: int = 0
    virtual_seconds: float = 0.0
    digest: str = ""


class SeedRun:
    """Runs one seed.

    Parameters
    ----------
    plan : Plan
        What it decides.
    make_place : PlaceMaker
        Makes the venue.
    folder : Path
        An empty folder, best in memory.

    Attributes
    ----------
    host : Host
        The last engine, for whoever tells its story.
    """

    def __init__(self, plan: Plan, make_place: PlaceMaker, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        # S311: chance for a simulation, not for a secret.
        order = Random(f"order/{plan.seed}") if plan.world.mixes_tasks else None  # noqa: S311
        self._loop = loop_of(plan, order)
        self._clock = VirtualClock(self._loop, START_NS)
        self._wall = Wall(self._clock)
        self.jumps = Jumps(plan.world.jumps, self._wall, partial(self._find, "P36"), self._mark)
        self._delays = Random(f"delays/{plan.seed}")  # noqa: S311
        draw = Random(f"market/{plan.seed}")  # noqa: S311
        starts = [market.start_ticks for market in plan.venue.markets[: plan.traded]]
        self._crowd = crowd = Bystanders(draw, starts, start_ns=START_NS, step_ns=plan.tick_ms * _MS_NS // 2)
        late_ns = int(2 * (plan.delay_ms_max + 1.0) * _MS_NS)
        limits = plan.world.limits
        self._requests = None if limits is None else RequestWatch(limits, late_ns, partial(self._find, "P23"))
        self._budget = None if limits is None else folder / "budget"
        setting = Setting(
            venue=plan.venue,
            script=plan.script,
            account=ACCOUNT,
            clock=self._clock,
            crowd=crowd,
            delay_seconds=self._delay_seconds,
            on_new_order=self._arrived,
            on_request=self._left,
        )
        self.place: Place = make_place(setting)
        faults = plan.world.feed_faults
        lines = [BookLine(Random(f"line/{plan.seed}/{number}"), faults) for number in range(plan.traded)]  # noqa: S311
        lines = lines if faults else []
        self._market = Market(
            self.place.exchange,
            traded=plan.traded,
            shown=plan.shown,
            quotes=plan.quotes,
            draw=Random(f"feed/{plan.seed}"),  # noqa: S311
            loss=plan.feed_loss,
            lines=lines,
        )
        self._watch = BookWatch(lines, BOOK_AGE_NS) if lines else None
        # Whether the engine ran when the market moved last.
        self._has_run = False
        self.host: Host | None = None
        self.arrived: list[Arrived] = []
        self._findings: list[Finding] = []
        self._kills = self._restarts = 0
        self._is_ending = False
        self.marks: list[Mark] = []
        scene = Scene(plan=plan, clock=self._clock, place=self.place, market=self._market, mark=self._mark)
        self._trials = Trials(scene, self._loop)
        self.place.faults.on_seen = lambda seen: self._mark(
            f"FAULT {seen.kind.value} at {seen.endpoint.value} {seen.count}"
        )

    def run(self) -> Outcome:
        """Run it to its end, and say what was found."""
        try:
            self._loop.run_until_complete(self._live())
        except (TradecoreError, StandstillError, TimeoutError) as error:
            self._find("P19", f"the run ended with {type(error).__name__}: {error}")
        finally:
            self._close()
        return self._outcome()

    async def _live(self) -> None:
        plan, folder = self._plan, self._folder / "0"
        folder.mkdir()
        ticking = asyncio.get_running_loop().create_task(self._tick())
        try:
            async with asyncio.timeout(_RUN_SECONDS_MAX):
                kills, number = deque((*plan.kills, None)), 0
                while True:
                    kill = kills[0]
                    clock = self._clock_of_engine(is_last=kill is None)
                    connection = await self.place.connect(plan.instruments, number, clock)
                    gear = self._trials.gear()
                    self.host = host = Host(
                        plan, folder, clock, self._market, connection, kill, gear, self._watch, self._budget
                    )
                    self._restarts += host.is_restart
                    self._mark(f"engine {number} starts with {host.journal.records} records")
                    self._trials.begin(host)
                    if kill is None and await self._trials.is_halted(host):
                        number += 1
                        folder = self._folder / str(number)
                        left_by(host, folder)
                        continue
                    how = await self._lived(host)
                    await self._trials.end(host)
                    if how is _End.CLEAN:
                        if kill is not None:
                            self._find("P19", "an engine ended before it was killed")
                        return
                    number += 1
                    folder = self._folder / str(number)
                    left_by(host, folder)
                    if how is _End.KILLED and kill is not None:
                        self._mark(f"KILL {kill.moment.value}, {host.journal.records} records")
                        self._kills += 1
                        kills.popleft()
                        await asyncio.sleep(kill.down_ms / 1e3)
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])

    async def _lived(self, host: Host) -> "_End":
        """Let an engine live until its end, and say which one it was."""
        is_killed = False
        try:
            async with asyncio.TaskGroup() as group:
                ending = group.create_task(self._end_in_time(host)) if host.is_last else None
                async with self._beside(host):
                    is_killed = await host.run()
                if ending is not None:
                    ending.cancel()
        except* (StorageError, VenueError):
            if not self._trials.has_stopped:
                raise
        if self._trials.has_stopped:
            host.connection.cut()
            return _End.STOPPED
        return _End.KILLED if is_killed else _End.CLEAN

    def _clock_of_engine(self, *, is_last: bool) -> Clock:
        """Return the clock of an engine that starts: that of a process, where somebody sets the machine's."""
        if not self._plan.world.jumps:
            return self._clock
        self.jumps.before_start(is_last=is_last)
        return SystemClock(self._wall.now_ns, lambda: self._loop.now_ns)

    @asynccontextmanager
    async def _beside(self, host: Host) -> AsyncIterator[None]:
        """Let happen what happens beside an engine while it runs."""
        works: list[Coroutine[None, None, None]] = []
        if self._plan.world.jumps:
            works += [
                self.jumps.watch(host, self._loop.time),
                self.place.keep_safe(host.session, self._wall.now_ns, lambda: self._loop.now_ns),
            ]
        tasks = [self._loop.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    self._find("P19", f"what runs beside the engine ended with {outcome!r}")

    def _mark(self, words: str) -> None:
        self.marks.append(Mark(self._clock.now_ns(), words))

    def story(self) -> Iterator[str]:
        """Yield what happened, line by line."""
        if self.host is not None:
            yield from story(self.host.folder, self.place.exchange.truth, self.marks)

    async def _tick(self) -> None:
        """Let others trade, and the feed say so."""
        while True:
            now_ns = self._clock.now_ns()
            self._crowd.is_slow = self._market.is_quiet = self._is_ending or self._has_few_orders
            self.place.exchange.advance(now_ns)
            self._look_at_books()
            self._market.tick(now_ns)
            self.place.tick()
            await asyncio.sleep(_QUIET_TICK_SECONDS if self._is_ending else self._plan.tick_ms / 1e3)

    def _look_at_books(self) -> None:
        """Compare the engine's books with the market's, where it has taken in all that was told."""
        host, watch = self.host, self._watch
        if host is None or watch is None:
            return
        is_at_work = not host.journal.is_dead and not self._trials.stands_still
        runs = is_at_work and host.session.phase is Phase.RUNNING
        if runs and self._has_run:
            watch.look()
        self._has_run = runs

    @property
    def _has_few_orders(self) -> bool:
        """Whether so little is about orders so far that others should be quiet."""
        records = 0 if self.host is None else self.host.journal.records
        return records > _RECORDS_FREE + _RECORDS_PER_DEED * len(self.place.exchange.truth)

    async def _end_in_time(self, host: Host) -> None:
        """End the run once there were enough events, when everything is settled."""
        # A length of a journal is no event that anybody could wait for.
        while host.journal.records < self._plan.events:  # noqa: ASYNC110
            await asyncio.sleep(self._plan.tick_ms / 1e3)
        self._mark("no faults any more, and no new risk")
        self.place.faults.cease()
        self._trials.cease()
        self._is_ending = True
        self.jumps.cease()
        for line in self._market.lines:
            line.cease()
        await host.end_orders(flattens=self._plan.flattens)
        left = int(_SETTLE_SECONDS_MAX / _SETTLED_POLL_SECONDS)
        # What was busted without a word is found by the next comparison, so there have to be some.
        needed = int((2 * self._plan.check_seconds + 3.0) / _SETTLED_POLL_SECONDS)
        settled, newest = 0, max((row["order_id"] for row in host.engine.kernel.open_orders()), default=0)
        while settled < needed:
            await asyncio.sleep(_SETTLED_POLL_SECONDS)
            if left % _EXITS_ENDED_EACH == 0 and _newer_orders(host, newest):
                # A pause lets exits through, and the strategy may have left one of them in the market.
                await host.session.command(CancelAll())
            is_settled = host.is_settled and not self.place.has_revisions_due
            settled = settled + 1 if is_settled else 0
            left -= 1
            if not left:
                self._find("P19", f"books and venue do not come together: {_standing(host)}")
                break
        host.session.stop()

    def _arrived(self, client_order_id: str) -> None:
        host = self.host
        self.arrived.append(Arrived(client_order_id, 0 if host is None else host.journal.durable_records))

    def _left(self, endpoint: str) -> None:
        if self._requests is not None:
            self._requests.note(endpoint, self._loop.now_ns)

    def _delay_seconds(self) -> float:
        return 0.00005 + self._delays.random() ** 4 * self._plan.delay_ms_max / 1e3

    def _find(self, promise: str, words: str) -> None:
        self._findings.append(Finding(promise=promise, words=words))

    def _close(self) -> None:
        loop = self._loop
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=60))
        loop.close()

    def _outcome(self) -> Outcome:
        faults = Counter(f"{each.kind.value} at {each.endpoint.value}" for each in self.place.faults.seen)
        if self.host is None:
            return Outcome(seed=self._plan.seed, findings=tuple(self._findings), faults=dict(faults))
        evidence = Evidence(
            plan=self._plan,
            host=self.host,
            exchange=self.place.exchange,
            arrived=self.arrived,
            restarts=self._restarts,
            faults_seen=self.place.faults.seen,
            trials=self._trials.all,
        )
        audit = Audit(evidence)
        if not self._findings:
            audit.run()
        audit.tried["P20"] += sum(line.spoiled for line in self._market.lines)
        for words in () if self._watch is None else self._watch.findings:
            self._find("P20", words)
        audit.tried["P23"] += 0 if self._requests is None else self._requests.counted
        audit.tried["P36"] += self.jumps.tried
        audit.tried["P40"] += self._loop.mixed
        digest = hashlib.sha256(self.host.journal.head.encode())
        digest.update(msgspec.json.encode(self.place.exchange.truth))
        return Outcome(
            seed=self._plan.seed,
            events=self.host.journal.records,
            split=dict(audit.split),
            orders=audit.orders,
            fills=audit.fills,
            tried=dict(audit.tried),
            findings=(*self._findings, *audit.findings),
            faults=dict(sorted(faults.items())),
            kills=self._kills,
            virtual_seconds=self._loop.time(),
            digest=digest.hexdigest(),
        )


class _End(Enum):
    """How an engine ended."""

    CLEAN = auto()
    KILLED = auto()
    STOPPED = auto()


def _newer_orders(host: Host, newest: int) -> bool:
    """Tell whether all orders that are open were made later than one."""
    orders = [row["order_id"] for row in host.engine.kernel.open_orders()]
    return bool(orders) and min(orders) > newest


def _standing(host: Host) -> str:
    status, books = host.link.status, len(host.engine.kernel.open_orders())
    return (
        f"{status.step}, {status.unknown} unknown, {status.open_orders} open here, "
        f"{status.foreign_orders} of others, {books} open in the books; {status.trouble}"
    )
