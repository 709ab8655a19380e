"""One run of an engine: feed, journal, commands and notices, in the one order that is safe."""

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec
from msgspec import UNSET

from tradecore.domain import Mode
from tradecore.domain.commands import Command
from tradecore.domain.errors import BrokenInvariantError, FencedError, InvalidValueError, VenueError
from tradecore.domain.journal import encode_session, encode_session_end
from tradecore.domain.money_requests import Money
from tradecore.engine import Engine
from tradecore.ports.clock import Clock
from tradecore.ports.journal import Journal
from tradecore.ports.market_feed import MarketFeed
from tradecore.ports.notifier import Notifier
from tradecore.runtime.command_queue import CommandQueue, answer, check, refuse
from tradecore.runtime.commit import Commit
from tradecore.runtime.engine_input import EngineInput
from tradecore.runtime.forked_child import ForkWatch
from tradecore.runtime.live.fence import FENCED, settled
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.live.venue_links import VenueLinks
from tradecore.runtime.market_source import MarketSource
from tradecore.runtime.notice_queue import NoticeQueue
from tradecore.runtime.recovery import END_OF_DATA, Recovered
from tradecore.runtime.session_config import SessionConfig
from tradecore.runtime.snapshot_requests import SnapshotRequests
from tradecore.runtime.snapshots import SnapshotKeeper
from tradecore.runtime.tally import Tally

STOPPED = "stopped"
NOTICE_SECONDS_MAX = 1.0


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a session treats time.

    Attributes
    ----------
    is_live : bool
        Times come from the clock and quiet markets get clock events; otherwise the feed is the only
        source of time, so that a run can be repeated byte for byte.
    has_past : bool
        The live feed begins with what was before it, so that no time is told before its first event.
    commit_interval_seconds : float
        How long market data without orders may wait for their sync.
    clock_interval_seconds : float
        How long a live market may be quiet before the engine is told the time.
    feed_close_seconds_max : float
        How long a feed may take to end when the session stops.
    """

    is_live: bool = False
    has_past: bool = False
    commit_interval_seconds: float = 0.05
    clock_interval_seconds: float = 1.0
    feed_close_seconds_max: float = 1.5
    batches_queued_max: int = 16
    snapshot_retry_seconds: float = 5.0


class Phase(StrEnum):
    """Where a session is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is committed at this moment."""

    phase: Phase
    seq: int
    head: str
    engine_time_ns: int


class Session:
    """Pumps a feed through an engine into a journal; tells others only what is committed.

    The order for every group: feed (`EngineInput`), run, append, commit, then notices (`Commit`) and answers
    to commands (`CommandQueue`). A group that holds an order, a report or a command is durable before anybody
    hears of it.

    Parameters
    ----------
    engine : Engine
        A recording engine; fresh, or brought to the journal's end by `recover`.
    feed : MarketFeed
        Where events come from.
    journal : Journal
        Open for appending; the session closes it.
    clock : Clock
        Asked only when `settings.is_live`, and for the notes of a session without any event.
    config : SessionConfig
        Written into the journal at the start.
    version : str
        Version of the engine, written beside it.
    notifiers : sequence of Notifier
        Who is told; the session closes them.
    recovered : Recovered
        What `recover` found in the journal.
    outside : VenueLink or VenueLinks, optional
        The line to the venue that an engine in live mode sends its orders to, or those of its accounts; the
        session closes them.
    keeper : SnapshotKeeper, optional
        Makes snapshots, from which a later start goes on.

    Raises
    ------
    InvalidValueError
        When an engine in live mode has no line to a venue, or another one has one.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        feed: MarketFeed,
        journal: Journal,
        clock: Clock,
        config: SessionConfig,
        version: str,
        notifiers: Sequence[Notifier] = (),
        recovered: Recovered | None = None,
        settings: SessionSettings | None = None,
        outside: VenueLink | VenueLinks | None = None,
        keeper: SnapshotKeeper | None = None,
    ) -> None:
        if (engine.spec.mode is Mode.LIVE) != (outside is not None):
            rule = "an engine in live mode needs a line to a venue, and no other one may have one"
            raise InvalidValueError("outside", outside, rule)
        self.engine = engine
        self.outside = outside
        self.phase = Phase.STARTING
        self._journal = journal
        self._clock = clock
        self._config = config
        self._version = version
        self._recovered = recovered or Recovered()
        self._settings = settings = settings or SessionSettings()
        self._notices = [NoticeQueue(notifier) for notifier in notifiers]
        self._wake = asyncio.Event()
        self._market = MarketSource(feed, settings.batches_queued_max, self._wake)
        self._snapshots = SnapshotRequests(feed, settings.snapshot_retry_seconds)
        self._commands = CommandQueue(engine)
        self._input = EngineInput(engine)
        self._keeper = keeper
        if keeper is not None:
            keeper.begin(self._recovered.from_seq)
        self._tally = Tally(self._recovered.progress(), names_last=settings.has_past)
        self._commit = Commit(
            engine,
            journal,
            self._notices,
            recorded=self._recovered.pending,
            interval_seconds=settings.commit_interval_seconds,
            dispatch=None if outside is None else outside.dispatch,
            tally=self._tally,
        )
        self._stop_reason: str | None = None
        self.is_end_journalled = False
        # Made where the engine is: a child that is forked since has no part in the run.
        self._forks = ForkWatch()

    @property
    def recovered(self) -> Recovered:
        """What was found in the journal when it was opened."""
        return self._recovered

    @property
    def is_live(self) -> bool:
        """Whether its feed is of now; one of the past or of a simulation has its own time."""
        return self._settings.is_live

    @property
    def awaits_past(self) -> bool:
        """Whether what was before its start is still being read: nothing is sent meanwhile."""
        has_begun = self._market.has_begun and not self.engine.kernel.is_warming_up
        return self._settings.has_past and not has_begun

    def feed_age_seconds(self) -> float | None:
        """Return how long ago the feed brought something; `None` before the first time."""
        return self._market.age_seconds()

    def status(self) -> SessionStatus:
        """Return what is committed now."""
        journal = self._journal
        return SessionStatus(
            phase=self.phase, seq=journal.records, head=journal.head, engine_time_ns=self.engine.now_ns
        )

    def stop(self, reason: str = STOPPED) -> None:
        """Ask the session to end cleanly; `run` returns soon after. Calling it twice is harmless."""
        self._stop_reason = self._stop_reason or reason
        self._wake.set()

    async def command(self, command: Command | Money) -> int:
        """Hand an operator's command, or word of money, to the engine; return the journal's length then.

        It is durable by that time.

        Raises
        ------
        InvalidValueError
            When it cannot be carried out.
        VenueError
            When the session ends before the command is journalled.
        """
        if self.phase in (Phase.STOPPING, Phase.ENDED):
            check(self.engine, command)
            raise VenueError("the engine is ending; the command was not taken")
        waiting = self._commands.put(command)
        self._wake.set()
        return await waiting.done

    async def run(self) -> None:
        """Run until the data end, `stop` is called or something breaks; then close journal and feed.

        Raises
        ------
        DataError, VenueError
            When the feed failed; everything it delivered before is processed and journalled.
        StorageError
            When the journal failed; nothing was acknowledged that is not in it.
        FencedError
            When another engine has an account of this one; where that was so at the start, nothing was
            written.
        """
        try:
            if self._recovered.is_complete:
                return
            async with asyncio.TaskGroup() as group:
                reading = self._market.read(self._recovered.skip_events)
                tasks = [group.create_task(reading, name="feed")]
                tasks += [group.create_task(queue.run(), name="notices") for queue in self._notices]
                try:
                    await self._first_event()
                    if self.outside is not None:
                        # Before anything is written: the journal of one that is refused stays as it is.
                        fences = {name: link.fence for name, link in self.outside.links.items()}
                        epochs = await settled(fences, self.engine, self._recovered)
                        self._config = msgspec.structs.replace(self._config, epochs=epochs or UNSET)
                    self._begin()
                    if self.outside is not None:
                        self.outside.start(self.engine, self._wake.set)
                        tasks.append(group.create_task(self.outside.run(), name="venue"))
                    self.phase = Phase.RUNNING
                    await self._pump(group)
                    self._end()
                    await self._keep_end()
                finally:
                    self.phase = Phase.STOPPING
                    self._commands.refuse()
                    if self.outside is not None:
                        seconds = self._settings.feed_close_seconds_max
                        is_clean = self.is_end_journalled and self._fenced() is None
                        await self.outside.close(seconds, is_clean=is_clean)
                    await self._market.close(self._settings.feed_close_seconds_max)
                    self._snapshots.cancel()
                    for task in tasks:
                        task.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            await self._close()
        if (fenced := self._fenced()) is not None:
            raise fenced
        if self._market.error is not None:
            raise self._market.error

    def _fenced(self) -> FencedError | None:
        """Return what says that another engine has an account of this one; `None` while none has."""
        lines = () if self.outside is None else self.outside.links.values()
        return next((line.fence.fenced for line in lines if line.fence.fenced is not None), None)

    async def _first_event(self) -> None:
        """Wait until the time is known that the session starts at: a feed of the past has its own."""
        while self._must_wait_for_time():
            self._wake.clear()
            await self._wake.wait()

    def _must_wait_for_time(self) -> bool:
        has_time = self._settings.is_live or self.engine.now_ns != 0 or self._market.has_batches
        return not (has_time or self._market.is_over or self._stop_reason is not None)

    def _begin(self) -> None:
        """Write what a crash cut off and the note of this session."""
        note = encode_session(self._note_ns(), self._version, self._config.encoded())
        self._commit.write(self._recovered.missing + note)
        if self._settings.is_live:
            # A live feed does not bring a cut-off event again; time alone lets the engine go on.
            if self._commit.awaits_recorded:
                self._input.clock(self._recovered.last_time_ns)
                self._work(is_forced=True)
            if self._commit.awaits_recorded:
                raise BrokenInvariantError("the journal's last frames cannot be made again; it is kept")
            if self._may_tell_time():
                self._input.clock(self._clock.now_ns())

    def _may_tell_time(self) -> bool:
        """Tell whether the engine may be told what time it is: not before it has heard what is past."""
        return self._market.has_begun or not self._settings.has_past

    def _end(self) -> None:
        """Write the note of a clean end; the data's end and what it causes go with it."""
        reason = self._stop_reason or (END_OF_DATA if self._market.error is None else "feed_failed")
        output = b""
        if reason == END_OF_DATA:
            self._call(self.engine.finish)
            self._tally.complete()
            output = self._commit.take()
            if self._commit.awaits_recorded:
                raise BrokenInvariantError("the feed ended before the journal did: is it the same feed?")
        self._commit.publish(output + encode_session_end(self._note_ns(), reason))
        self.is_end_journalled = True

    async def _pump(self, group: asyncio.TaskGroup) -> None:
        while True:
            # A task of a strategy may have forked between two callbacks.
            self._forks.end_child()
            self._wake.clear()
            if self._fenced() is not None:
                self._stop_reason = FENCED
                return
            has_worked = self._work()
            self._keep_now_and_then()
            self._snapshots.ask(self.engine.snapshot_requests(), group)
            if self._stop_reason is not None or self._market.is_empty:
                if self.outside is not None:
                    # Nobody comes back for what venues have told: all of it is booked.
                    self._work(is_last=True)
                return
            if has_worked:
                await asyncio.sleep(0)
            else:
                await self._wait()

    def _keep_now_and_then(self) -> None:
        """Make a snapshot when one is due, of a journal that is durable up to it."""
        if self._keeper is None or not self._keeper.is_due(self._journal.records):
            return
        if self._commit.awaits_recorded:
            return
        self._commit.sync()
        self._keeper.make(self.engine, self._journal, self._tally.progress())

    async def _keep_end(self) -> None:
        """Make the snapshot with which the next start begins."""
        if self._keeper is not None and not self._commit.awaits_recorded:
            await self._keeper.finish(self.engine, self._journal, self._tally.progress())

    async def _wait(self) -> None:
        """Sleep until there is something to do, or until a sync or a clock event is due."""
        settings, is_unsynced = self._settings, self._commit.is_unsynced
        seconds = settings.commit_interval_seconds if is_unsynced else settings.clock_interval_seconds
        try:
            async with asyncio.timeout(seconds if is_unsynced or settings.is_live else None):
                await self._wake.wait()
        except TimeoutError:
            if is_unsynced:
                self._commit.sync()
            elif self._may_tell_time():
                self._input.clock(self._clock.now_ns() - int(settings.clock_interval_seconds * 1e9))
                self._work(is_forced=True)

    def _work(self, *, is_forced: bool = False, is_last: bool = False) -> bool:
        """Process what waits as one group; tell whether there was anything.

        Of many words of a venue one group takes some; the last one takes all.
        """
        has_batches = self._market.has_batches
        words = [] if self.outside is None else self.outside.take()
        while is_last and self.outside is not None and (more := self.outside.take()):
            words += more
        if not (self._commands or words or has_batches or is_forced or self._commit.awaits_recorded):
            return False
        commands = self._commands.take()
        try:
            for waiting in commands:
                self._input.command(waiting.command)
            if words:
                self._input.venue(words)
            for batch in self._market.take():
                self._input.market(batch)
            self._call(self.engine.run)
            self._commit.publish(self._commit.take())
            answer(commands, self._journal.records)
        finally:
            refuse(commands, "the engine failed; the command is not journalled")
        return bool(commands or words or has_batches or is_forced)

    def _call(self, step: Callable[[], object]) -> None:
        """Let strategies do their part; a child that one of them forked does not come back from there."""
        try:
            step()
        finally:
            self._forks.end_child()

    def _note_ns(self) -> int:
        """Return the time for notes of sessions: the clock's when live, else that of the engine.

        Before its first event a feed of the past has the time of that event; one that has none at all leaves
        nothing but the clock.
        """
        if self._settings.is_live:
            return self._clock.now_ns()
        return self.engine.now_ns or self._market.first_time_ns or self._clock.now_ns()

    async def _close(self) -> None:
        try:
            self._journal.close()
        finally:
            self.phase = Phase.ENDED
            # Of a session that had nothing left to do.
            self._commands.refuse()
            for queue in self._notices:
                await queue.close(NOTICE_SECONDS_MAX)


def _first(group: BaseExceptionGroup) -> BaseException:
    """Return the error that ended a group: what is nested carries no more than that."""
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return group
