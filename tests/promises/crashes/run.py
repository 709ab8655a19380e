"""A run of the simulation whose engine is killed at points of its code, each time in a fork."""

import asyncio
import logging
import os
import resource
import select
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import msgspec

from promises.crashes.points import Points, name_of
from tradecore.domain import commands
from tradecore.domain.errors import InvalidValueError, StorageError, TradecoreError, VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.unreadable import UNREADABLE
from tradecore.proof.audit import Finding
from tradecore.proof.host import JOURNAL, Host
from tradecore.proof.mortal_journal import EngineKilled, Kill, Moment
from tradecore.proof.place import PlaceMaker
from tradecore.proof.plan import Plan
from tradecore.proof.run import Outcome, SeedRun
from tradecore.proof.world import PLAIN

SHARED_MEMORY = "/dev/shm"
# An engine that dies by nothing but what is done here; what it has synced is told from the rest.
_NEVER = Kill(records=1 << 62, moment=Moment.LATER, delay_ms=0, takes_unsynced=True, down_ms=0)
_LIMIT = {"scope": "strategy:wanderer", "limit": "open_orders_max", "person": "Ada"}
# What an operator does while an engine trades.
_COMMANDS = (
    (commands.CancelAll(),),
    (commands.Pause(), commands.Resume()),
    (commands.Pause(scope="strategy:wanderer"), commands.Resume(scope="strategy:wanderer")),
    (commands.Kill(scope="instrument:M0-USD"), commands.ReleaseKill(scope="instrument:M0-USD")),
    (commands.SetLimit(value="3", **_LIMIT), commands.SetLimit(value=None, **_LIMIT)),
)
_CPU_SECONDS_MAX = 30
_WALL_SECONDS_MAX = 300.0


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one kill, and of those after it in the same line.

    Attributes
    ----------
    point : int
        Which point of the run it was.
    places : tuple of str
        Where the engines died, in their order.
    tried : dict of str to int
        How often each promise was put to the test.
    findings : tuple of str
        What was broken, each with its promise.
    """

    point: int
    places: tuple[str, ...] = ()
    tried: dict[str, int] = {}
    findings: tuple[str, ...] = ()


class _Left(msgspec.Struct, kw_only=True):
    """What a dead engine had said was safe, and what its state was."""

    records: int = 0
    head: str = ""
    told: int = 0
    state: str = ""
    state_records: int = -1


class CrashRun(SeedRun):
    """Runs a seed whose engine lives, and forks at points of its code: there the child's engine dies.

    The child goes on to the end of the seed, with the next engine on what is left, and tells what the audit
    found.

    Parameters
    ----------
    plan : Plan
        What the seed decides; its own kills are left out.
    make_place : PlaceMaker
        Makes the venue.
    folder : Path
        An empty folder.
    due : sequence of int
        At which points it forks.
    depth : int
        How often at most the next engines of a child die, too, in their recovery.

    Attributes
    ----------
    points : Points
        What it has come to.
    deaths : list of Death
        What came of the kills.
    """

    # Of virtual time.
    seconds_max = 10_000.0

    def __init__(
        self, plan: Plan, make_place: PlaceMaker, folder: Path, due: Sequence[int] | None, depth: int
    ) -> None:
        # Its world is plain: nothing but a kill is to be seen in what comes of it.
        super().__init__(msgspec.structs.replace(plan, kills=(), world=PLAIN), make_place, folder)
        self.points = Points(keeps_places=due is None)
        self.deaths: list[Death] = []
        self.ends_at = 0.0
        self._due = due or ()
        self._depth = depth
        self._is_dying = False
        # Of a child: what it tells, and to whom.
        self._pipe: int | None = None
        self._point = 0
        self._places: list[str] = []
        self._more: list[int] = []
        self._left = _Left()
        self._extra: Counter[str] = Counter()
        # Whether the engine has journalled all that it was fed.
        self._is_at_rest = False
        self._path: Path | None = None

    @property
    def is_child(self) -> bool:
        """Whether this process is one in which the engine was killed."""
        return self._pipe is not None

    def tell(self, outcome: Outcome | BaseException) -> None:
        """Tell the parent what came of it; for children."""
        if isinstance(outcome, BaseException):
            found, tried = (f"P9: the run ended with {outcome!r}",), self._extra
        else:
            outcome = msgspec.structs.replace(outcome, findings=(*outcome.findings, *self._lost_commands()))
            found = tuple(f"{each.promise}: {each.words}" for each in outcome.findings)
            tried = Counter(outcome.tried) + self._extra
        death = Death(point=self._point, places=tuple(self._places), tried=tried, findings=found)
        with os.fdopen(self._pipe or 1, "wb") as pipe:
            pipe.write(msgspec.json.encode(death))

    def _lost_commands(self) -> Iterator[Finding]:
        """Yield what is wrong where fewer commands are in the journal than were acknowledged."""
        if self.host is None:
            return
        there = sum(kind == "command" for _, _, kind, _ in self.host.folder.reader())
        told = self._extra["P1 commands"]
        if there < told:
            yield Finding("P1", f"{told} commands were acknowledged, {there} are in the journal")

    async def _live(self) -> None:
        self._path = self._folder / "0"
        self._path.mkdir()
        ticking = asyncio.get_running_loop().create_task(self._tick())
        if self._due or self.points.keeps_places:
            self.points.watch(self._due, self._fork)
        try:
            async with asyncio.timeout(self.seconds_max):
                number = 0
                while await self._dies(number):
                    number += 1
        finally:
            self.points.leave()
            ticking.cancel()
            await asyncio.wait([ticking])

    async def _dies(self, number: int) -> bool:
        """Run one engine; return whether it was killed."""
        before, host, connection = self.host, None, None
        try:
            connection = await self.place.connect(self._plan.instruments, number, self._clock)
            host = Host(self._plan, self._path, self._clock, self._market, connection, _NEVER)
            self._check(host)
            self.host = host
            self._note(host)
            self._restarts += host.is_restart
            self._mark(f"engine {number} starts with {host.journal.records} records")
            operator = asyncio.get_running_loop().create_task(self._operate(host, number))
            try:
                await self._live_to_the_end(host)
            finally:
                operator.cancel()
                await asyncio.wait([operator])
        except EngineKilled:
            pass
        except (StorageError, BaseExceptionGroup) as error:
            if not self._is_dying and not self._is_broken(host, error):
                raise
        if not self._is_dying:
            return False
        if host is None and connection is not None:
            connection.cut()
        if host is not None and host._running is not None:
            await asyncio.wait([host._running])
        self.host = host or before
        await self._go_on(host)
        return True

    async def _live_to_the_end(self, host: Host) -> None:
        """Let an engine live until all is settled, or it dies."""
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(self._end_in_time(host))
            await host.run()
            ending.cancel()

    def _is_broken(self, host: Host | None, error: BaseException) -> bool:
        """Tell whether an engine has ended by what was done to it here; it is gone then."""
        return False

    async def _operate(self, host: Host, number: int) -> None:
        """Give commands now and then while an engine trades, and note what it has acknowledged."""
        # S311: chance for a simulation, not for a secret.
        draw = Random(f"operator/{self._plan.seed}/{number}")
        while True:
            for command in draw.choice(_COMMANDS):
                await asyncio.sleep(draw.choice((0.03, 0.1, 0.5)))
                if host.journal.records >= self._plan.events:
                    return
                with suppress(InvalidValueError, VenueError):
                    await host.session.command(command)

    def _note(self, host: Host) -> None:
        """Note what the journal says is safe."""
        journal, left = host.journal, self._left
        commit = journal.commit
        left.records, left.head = journal.records, journal.head

        def noted(durable: bool, /) -> None:
            commit(durable)
            if durable and not journal.is_dead:
                left.records, left.head = journal.records, journal.head

        journal.commit = noted
        self._is_at_rest = False
        into, groups = host.session._input, host.session._commit
        into.market, into.venue = self._fed(into.market), self._fed(into.venue)
        into.command, into.clock = self._fed(into.command), self._fed(into.clock)
        tell = host.session.command

        async def told(command: Any) -> int:
            left.told = await tell(command)
            self._extra["P1 commands"] += 1
            if left.told > left.records:
                self._find("P1", "a command was acknowledged before it was durable")
            return left.told

        host.session.command = told
        publish = groups.publish

        def published(output: bytes) -> None:
            publish(output)
            self._is_at_rest |= bool(output)

        groups.publish = published

    def _fed(self, feed: Callable[..., None]) -> Callable[..., None]:
        def noted(*values: object) -> None:
            self._is_at_rest = False
            feed(*values)

        return noted

    def _check(self, host: Host) -> None:
        """Hold what the next engine found against what the one before had said was safe."""
        left = self._left
        if not left.records:
            return
        self._extra["P1"] += 1
        reader = JournalFolder(self._path / JOURNAL).reader()
        try:
            reader.skip_to(left.records)
        except TradecoreError as error:
            self._find("P1", f"of {left.records} records that were committed some are gone: {error}")
            return
        if (reader.records, reader.head) != (left.records, left.head):
            self._find(
                "P1", f"of {left.records} records that were committed {reader.records} are there, or others"
            )
        if reader.records < left.told:
            self._find("P1", f"an acknowledged command is gone, with {left.told} records")
        recovered = host.session.recovered
        is_same = host.journal.records == left.state_records
        if is_same and not recovered.missing and not recovered.pending:
            self._extra["P8 state"] += 1
            if host.engine.state_hash() != left.state:
                self._find("P8", "the state after the restart is not that before the kill")

    def _fork(self, frame: FrameType, event: str) -> None:
        """Come to a point: let a child's engine die there, and wait for what becomes of it."""
        if self.is_child:
            self._kill(name_of(frame, event))
        if time.monotonic() > self.ends_at:
            return
        point = self.points.passed - 1
        reads, writes = os.pipe()
        child = os.fork()
        if child:
            os.close(writes)
            self.deaths.append(_heard(child, reads, point, name_of(frame, event)))
            return
        os.close(reads)
        self._become_child(writes, point)
        self._strike(name_of(frame, event))

    def _strike(self, place: str) -> None:
        """Do to the engine of a child what it was made for."""
        self._kill(place)

    def _become_child(self, pipe: int, point: int) -> None:
        """Be a process of its own: nothing here touches what the parent has."""
        self._pipe, self._point = pipe, point
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS_MAX, _CPU_SECONDS_MAX))
        logging.disable()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # The loop knows the process that it runs in.
        asyncio._set_running_loop(self._loop)
        self._loop.set_exception_handler(lambda loop, context: None)
        self._draw = draw = Random(f"crash/{self._plan.seed}/{point}")
        self._folder = Path(tempfile.mkdtemp(dir=self._folder))
        depth = draw.choice((0, self._depth, self._depth))
        self._more = [int(10 ** draw.uniform(0, 4.3)) for _ in range(depth)]

    def _kill(self, place: str) -> None:
        """End the engine here, as a kill does: what it has not done yet is never done."""
        self._places.append(place)
        self._mark(f"KILL in {place}")
        self._kills += 1
        self._is_dying = True
        self.points.leave()
        host = self.host
        if host is not None and not host.journal.is_dead:
            host.session._forks.pid = os.getpid()
            if self._is_at_rest:
                self._left.state, self._left.state_records = host.engine.state_hash(), host.journal.records
            host._die(0)
            if host._running is not None:
                host._running.cancel()
        raise EngineKilled

    async def _go_on(self, host: Host | None) -> None:
        """Lay what is left where the next engine looks for it, and let some time pass."""
        self._is_dying = False
        left = (self._path / JOURNAL).read_bytes() if (self._path / JOURNAL).exists() else b""
        draw, way = self._draw, self._draw.random()
        if host is not None and way < 0.4:
            # The power went, too, or the kill came in the middle of a write: a part may be there.
            synced = host.journal._durable_bytes
            left = left[: synced if way < 0.2 else draw.randint(synced, max(len(left), synced))]
        self._path = Path(tempfile.mkdtemp(dir=self._folder))
        (self._path / JOURNAL).write_bytes(left)
        await asyncio.sleep(draw.choice((1, 200, 3_000, 20_000)) / 1e3)
        records = 0 if self.host is None else self.host.journal.records
        events = max(records + draw.choice((0, 0, 100, 400)), 1)
        self._plan = msgspec.structs.replace(self._plan, events=events)
        if self._more:
            self.points.watch([self._more.pop()], self._fork)


def _heard(child: int, pipe: int, point: int, place: str) -> Death:
    """Return what a child tells; one that does not end is ended."""
    data, ends_at = b"", time.monotonic() + _WALL_SECONDS_MAX
    try:
        while select.select([pipe], [], [], max(ends_at - time.monotonic(), 0))[0]:
            piece = os.read(pipe, 1 << 16)
            if not piece:
                break
            data += piece
    finally:
        os.close(pipe)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    try:
        return msgspec.json.decode(data, type=Death)
    except UNREADABLE:
        words = f"P9: no word of what became of it, wait status {status}"
        return Death(point=point, places=(place,), findings=(words,))


def killed(
    plan: Plan,
    make_place: PlaceMaker,
    folder: Path,
    due: Sequence[int],
    *,
    depth: int,
    ends_at: float = float("inf"),
    on_story: Callable[[str], object] | None = None,
) -> CrashRun:
    """Run a seed and kill its engine at these points; return the run, in the process that began it alone.

    Parameters
    ----------
    plan, make_place, folder, due, depth
        As of `CrashRun`.
    ends_at : float
        No engine is killed after that, by the monotonic clock.
    on_story : callable, optional
        Is told what happened after each kill, line by line, in the child.
    """
    run = CrashRun(plan, make_place, folder, due, depth)
    run.ends_at = ends_at
    try:
        outcome: Outcome | BaseException = run.run()
    except BaseException as error:
        if not run.is_child:
            raise
        outcome = error
    if run.is_child:
        if on_story is not None:
            for line in run.story():
                on_story(line)
        run.tell(outcome)
        os._exit(0)
    return run
