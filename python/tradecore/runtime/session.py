"""One run of an engine: feed, journal, commands and notices, in the one order that is safe."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TypedDict

import msgspec

from tradecore.domain import EventBatch
from tradecore.domain.errors import BrokenInvariantError, InvalidValueError, TradecoreError, VenueError
from tradecore.domain.journal import encode_session, encode_session_end
from tradecore.engine import Engine
from tradecore.ports.clock import Clock
from tradecore.ports.control_channel import ControlRequest
from tradecore.ports.journal import Journal
from tradecore.ports.market_feed import MarketFeed
from tradecore.ports.notifier import Notifier
from tradecore.runtime import frames
from tradecore.runtime.divergence import raise_divergence
from tradecore.runtime.forked_child import ForkWatch
from tradecore.runtime.outbox import Outbox
from tradecore.runtime.recovery import END_OF_DATA, Recovered
from tradecore.runtime.session_config import SessionConfig

COMMANDS = (
    "pause",
    "resume",
    "flatten",
    "kill",
    "release_kill",
    "set_limit",
    "release",
    "allow",
    "forbid",
)
STOPPED = "stopped"
# Events in one group, or a little more: what a command may have to wait for.
GROUP_EVENTS_MAX = 4096


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a session treats time.

    Attributes
    ----------
    is_live : bool
        Times come from the clock and quiet markets get clock events; otherwise the feed is the only
        source of time, so that a run can be repeated byte for byte.
    commit_interval_seconds : float
        How long market data without orders may wait for their sync.
    clock_interval_seconds : float
        How long a live market may be quiet before the engine is told the time.
    feed_close_seconds_max : float
        How long a feed may take to end when the session stops.
    """

    is_live: bool = False
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


class _Command:
    """A command that waits for its place in the journal."""

    def __init__(self, request: ControlRequest, loop: asyncio.AbstractEventLoop) -> None:
        self.request = request
        self.done: asyncio.Future[int] = loop.create_future()


class Session:
    """Pumps a feed through an engine into a journal; tells others only what is committed.

    The order for every group: feed, run, append, commit, then notices and answers. A group that
    holds an order, a report or a command is durable before anybody hears of it.

    Parameters
    ----------
    engine : Engine
        A recording engine; fresh, or brought to the journal's end by `recover`.
    feed : MarketFeed
        Where events come from.
    journal : Journal
        Open for appending; the session closes it.
    clock : Clock
        Asked only when `settings.is_live`, and for the marks of a session without any event.
    config : SessionConfig
        Written into the journal at the start.
    version : str
        Version of the engine, written beside it.
    notifiers : sequence of Notifier
        Who is told; the session closes them.
    recovered : Recovered
        What `recover` found in the journal.
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
    ) -> None:
        self.engine = engine
        self.phase = Phase.STARTING
        self._feed = feed
        self._journal = journal
        self._clock = clock
        self._config = config
        self._version = version
        self._recovered = recovered or Recovered()
        self._settings = settings or SessionSettings()
        self._outboxes = [Outbox(notifier) for notifier in notifiers]
        self._notifiers = tuple(notifiers)
        self._commands: deque[_Command] = deque()
        self._batches: deque[EventBatch] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._pending = self._recovered.pending
        self._told_ns = 0
        self._is_feed_over = False
        self._feed_error: TradecoreError | None = None
        self._stop_reason: str | None = None
        self._synced_at = 0.0
        self._is_unsynced = False
        self._asked_at: dict[int, float] = {}
        self._cannot_snapshot: set[int] = set()
        self._requests: set[asyncio.Task[None]] = set()
        self._heard_at: float | None = None
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

    def feed_age_seconds(self) -> float | None:
        """Return how long ago the feed brought something; `None` before the first time."""
        return None if self._heard_at is None else asyncio.get_running_loop().time() - self._heard_at

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

    async def command(self, request: ControlRequest | str) -> int:
        """Hand an operator's command to the engine; return the journal's length once it is durable.

        Raises
        ------
        InvalidValueError
            When there is no such command or it cannot be carried out.
        VenueError
            When the session ends before the command is journalled.
        """
        if isinstance(request, str):
            request = ControlRequest(command=request)
        if request.command not in COMMANDS:
            raise InvalidValueError("command", request.command, f"must be one of {', '.join(COMMANDS)}")
        # Before it waits for its turn: there nobody could be told any more.
        self.engine.check_command(request.command, **_arguments(request))
        if self.phase in (Phase.STOPPING, Phase.ENDED):
            raise VenueError("the engine is ending; the command was not taken")
        command = _Command(request, asyncio.get_running_loop())
        self._commands.append(command)
        self._wake.set()
        return await command.done

    async def run(self) -> None:
        """Run until the data end, `stop` is called or something breaks; then close journal and feed.

        Raises
        ------
        DataError, VenueError
            When the feed failed; everything it delivered before is processed and journalled.
        StorageError
            When the journal failed; nothing was acknowledged that is not in it.
        """
        try:
            if self._recovered.is_complete:
                return
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._read_feed(), name="feed")]
                tasks += [group.create_task(outbox.run(), name="outbox") for outbox in self._outboxes]
                try:
                    await self._first_event()
                    self._begin()
                    self.phase = Phase.RUNNING
                    await self._pump(group)
                    self._end()
                finally:
                    self.phase = Phase.STOPPING
                    self._refuse_commands()
                    await self._close_feed()
                    for task in (*tasks, *self._requests):
                        task.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            await self._close()
        if self._feed_error is not None:
            raise self._feed_error

    async def _first_event(self) -> None:
        """Wait until the time is known that the session starts at: a feed of the past has its own."""
        while self._must_wait_for_time():
            self._wake.clear()
            await self._wake.wait()

    def _must_wait_for_time(self) -> bool:
        has_time = self._settings.is_live or self.engine.now_ns != 0 or bool(self._batches)
        return not (has_time or self._is_feed_over or self._stop_reason is not None)

    def _begin(self) -> None:
        """Write what a crash cut off and the mark of this session."""
        if self._recovered.missing:
            self._journal.append(self._recovered.missing)
        self._journal.append(encode_session(self._mark_ns(), self._version, self._config.encoded()))
        self._commit(is_durable=True)
        if self._settings.is_live:
            # A live feed does not bring a cut-off event again; time alone lets the engine go on.
            if self._pending:
                self._feed_clock(self._recovered.last_time_ns)
                self._work(is_forced=True)
            if self._pending:
                raise BrokenInvariantError("the journal's last frames cannot be made again; it is kept")
            self._feed_clock(self._clock.now_ns())

    def _end(self) -> None:
        """Write the mark of a clean end; the data's end and what it causes go with it."""
        reason = self._stop_reason or (END_OF_DATA if self._feed_error is None else "feed_failed")
        first_seq = self._journal.records
        output = b""
        if reason == END_OF_DATA:
            self._call(self.engine.finish)
            output = self._take()
            if self._pending:
                raise BrokenInvariantError("the feed ended before the journal did: is it the same feed?")
        output += encode_session_end(self._mark_ns(), reason)
        self._journal.append(output)
        self._commit(is_durable=True)
        self.is_end_journalled = True
        self._tell(first_seq, frames.scan(output))

    async def _pump(self, group: asyncio.TaskGroup) -> None:
        while True:
            # A task of a strategy may have forked between two callbacks.
            self._forks.end_child()
            self._wake.clear()
            has_worked = self._work()
            self._ask_snapshots(group)
            if self._stop_reason is not None:
                return
            if self._is_feed_over and not self._batches:
                return
            if has_worked:
                await asyncio.sleep(0)
            else:
                await self._wait()

    async def _wait(self) -> None:
        """Sleep until there is something to do, or until a sync or a clock event is due."""
        settings = self._settings
        seconds = settings.commit_interval_seconds if self._is_unsynced else settings.clock_interval_seconds
        try:
            async with asyncio.timeout(seconds if self._is_unsynced or settings.is_live else None):
                await self._wake.wait()
        except TimeoutError:
            if self._is_unsynced:
                self._commit(is_durable=True)
            else:
                self._feed_clock(self._clock.now_ns() - int(settings.clock_interval_seconds * 1e9))
                self._work(is_forced=True)

    def _work(self, *, is_forced: bool = False) -> bool:
        """Process everything that waits as one group; tell whether there was anything."""
        commands = list(self._commands)
        self._commands.clear()
        if not (commands or self._batches or is_forced or self._pending):
            return False
        for command in commands:
            # At the time of the last event: what the feed still holds must not be older.
            request = command.request
            self.engine.command(request.command, self.engine.now_ns, **_arguments(request))
        batches, events = len(self._batches), 0
        while self._batches and events < GROUP_EVENTS_MAX:
            batch = self._batches.popleft()
            events += len(batch)
            self._feed_batch(batch)
        self._room.set()
        try:
            self._call(self.engine.run)
            self._publish(self._take(), commands)
        finally:
            _refuse(commands, "the engine failed; the command is not journalled")
        return bool(commands or batches or is_forced)

    def _call(self, step: Callable[[], object]) -> None:
        """Let strategies do their part; a child that one of them forked does not come back from there."""
        try:
            step()
        finally:
            self._forks.end_child()

    def _take(self) -> bytes:
        """Take new frames from the engine, those left out that the journal already has."""
        output = self.engine.take_frames()
        if not self._pending:
            return output
        shared = min(len(self._pending), len(output))
        if output[:shared] != self._pending[:shared]:
            raise_divergence(self._pending, output, self.engine)
        self._pending = self._pending[shared:]
        return output[shared:]

    def _publish(self, output: bytes, commands: Sequence[_Command]) -> None:
        """Append and commit; only then tell notifiers and answer commands."""
        if output:
            scanned = frames.scan(output)
            first_seq = self._journal.records
            self._journal.append(output)
            now = asyncio.get_running_loop().time()
            is_due = now - self._synced_at >= self._settings.commit_interval_seconds
            self._commit(is_durable=bool(scanned.effect_offsets) or is_due)
            self._tell(first_seq, scanned)
        for command in commands:
            if not command.done.done():
                command.done.set_result(self._journal.records)

    def _commit(self, *, is_durable: bool) -> None:
        self._journal.commit(is_durable)
        self._is_unsynced = not is_durable
        if is_durable:
            self._synced_at = asyncio.get_running_loop().time()

    def _tell(self, first_seq: int, scanned: frames.FrameScan) -> None:
        for outbox in self._outboxes:
            outbox.put(first_seq, scanned)

    def _feed_clock(self, time_ns: int) -> None:
        batch = EventBatch()
        self._told_ns = max(time_ns, self._told_ns, self.engine.now_ns)
        batch.clock(self._told_ns)
        self.engine.feed(batch)

    def _feed_batch(self, batch: EventBatch) -> None:
        """Feed a batch; one older than what the engine was told already counts as a lost feed.

        That happens to a process that was stopped for longer than the clock lags behind.
        """
        first_ns = batch.first_time_ns
        if first_ns is not None and first_ns < self._told_ns:
            batch, lost_ns = EventBatch(), max(self._told_ns, self.engine.now_ns)
            for instrument_id in range(len(self._config.engine.instruments)):
                batch.feed_lost(lost_ns, instrument_id)
        self.engine.feed(batch)

    def _mark_ns(self) -> int:
        """Return the time for marks of sessions: the clock's when live, else that of the engine.

        Before its first event a feed of the past has the time of that event; one that has none at all leaves
        nothing but the clock.
        """
        if self._settings.is_live:
            return self._clock.now_ns()
        first_ns = self._batches[0].first_time_ns if self._batches else None
        return self.engine.now_ns or first_ns or self._clock.now_ns()

    async def _read_feed(self) -> None:
        """Move batches into the bounded queue; a failed feed ends the session after its last batch."""
        try:
            async for batch in self._feed.batches(skip_events=self._recovered.skip_events):
                while len(self._batches) >= self._settings.batches_queued_max:
                    self._room.clear()
                    await self._room.wait()
                self._batches.append(batch)
                self._heard_at = asyncio.get_running_loop().time()
                self._wake.set()
        except TradecoreError as error:
            self._feed_error = error
        self._is_feed_over = True
        self._wake.set()

    def _ask_snapshots(self, group: asyncio.TaskGroup) -> None:
        """Ask for each snapshot that is needed, again only after a while or after it had come."""
        now = asyncio.get_running_loop().time()
        needed = self.engine.snapshot_requests()
        for instrument_id in [known for known in self._asked_at if known not in needed]:
            del self._asked_at[instrument_id]
        for instrument_id in needed:
            asked_at = self._asked_at.get(instrument_id)
            is_due = asked_at is None or now - asked_at >= self._settings.snapshot_retry_seconds
            if is_due and instrument_id not in self._cannot_snapshot:
                self._asked_at[instrument_id] = now
                task = group.create_task(self._request_snapshot(instrument_id), name="snapshot")
                self._requests.add(task)
                task.add_done_callback(self._requests.discard)

    async def _request_snapshot(self, instrument_id: int) -> None:
        try:
            can_give = await self._feed.request_snapshot(instrument_id)
        except VenueError:
            return
        if not can_give:
            # The book comes back when the stream itself brings a snapshot; asking again is useless.
            self._cannot_snapshot.add(instrument_id)

    async def _close_feed(self) -> None:
        """Let the feed go; one that hangs is left behind after a while."""
        try:
            async with asyncio.timeout(self._settings.feed_close_seconds_max):
                await self._feed.aclose()
        except (TimeoutError, TradecoreError, OSError):
            return

    def _refuse_commands(self) -> None:
        _refuse(self._commands, "the engine is ending; the command was not taken")
        self._commands.clear()

    async def _close(self) -> None:
        try:
            self._journal.close()
        finally:
            self.phase = Phase.ENDED
            await self._close_notifiers()

    async def _close_notifiers(self) -> None:
        for outbox, notifier in zip(self._outboxes, self._notifiers, strict=True):
            try:
                async with asyncio.timeout(1.0):
                    await outbox.flush()
                    await notifier.aclose()
            except (TimeoutError, TradecoreError, OSError):
                continue


class _Arguments(TypedDict):
    """What a command says beside its name."""

    scope: str
    limit: str
    value: str | None
    instrument: str
    person: str


def _arguments(request: ControlRequest) -> _Arguments:
    return {
        "scope": request.scope,
        "limit": request.limit,
        "value": request.value,
        "instrument": request.instrument,
        "person": request.person,
    }


def _refuse(commands: Iterable[_Command], reason: str) -> None:
    """Answer the commands that have no answer yet."""
    for command in commands:
        if not command.done.done():
            command.done.set_exception(VenueError(reason))


def _first(group: BaseExceptionGroup) -> BaseException:
    """Return the error that ended a group: what is nested carries no more than that."""
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return group
