"""Runs one engine headless: one per account, with heartbeat, control socket and a bounded end."""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import msgspec

from tradecore.domain.commands import Kill, ReleaseKill, SafetyPause
from tradecore.domain.errors import FencedError, StorageError, TradecoreError, VenueError
from tradecore.domain.spec import Mode
from tradecore.engine import ActivityWatch
from tradecore.engine.blame import blamed_by_place
from tradecore.ports.control_channel import ControlReply, ControlRequest, Status, Stop
from tradecore.runtime import Session
from tradecore.runtime.forked_child import ForkWatch
from tradecore.runtime.live.fence import AccountHold
from tradecore.runtime.session import Phase
from tradecore_api import heartbeat, kill_latch, last_words, process_deadline, signals, start_lines, unblocked
from tradecore_api.bounded import Call, unheard
from tradecore_api.command_files import CommandFiles
from tradecore_api.command_signals import CommandSignals
from tradecore_api.command_words import WHOLE, answer_words, spoken_of
from tradecore_api.config.tables import Config
from tradecore_api.control.server import ControlServer
from tradecore_api.engine_status import beat_of, engine_status
from tradecore_api.engine_watch import EngineWatch
from tradecore_api.event_loop import loop_factory
from tradecore_api.exit_codes import ExitCode
from tradecore_api.forced_end import ForcedEnd
from tradecore_api.guard import Guard, cause_of
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.helpers_of_a_run import helper
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.live_papers import Papers
from tradecore_api.own_journal import journal_folder
from tradecore_api.projection import CANCEL_SECONDS_MAX, Projection
from tradecore_api.safety_stops import keep_safe
from tradecore_api.state_dir import StateDir
from tradecore_api.summary import RunSummary, summarize
from tradecore_api.take_over import seize
from tradecore_api.view import View
from tradecore_api.watchdog.notice import WatchdogNotice
from tradecore_api.wiring import arming, readers, sessions
from tradecore_api.wiring.live_links import close_venues, open_venues, papers_of
from tradecore_api.wiring.venue_claims import claimed

log = logging.getLogger("tradecore.daemon")

# How the journal names an end that `tradecore stop` asked for.
STOP_COMMAND = "stop_command"
# And one of a program that the engine runs inside of.
CANCELLED = "cancelled"

# How long a disk may take for a small file before it is taken for one that hangs.
DISK_SECONDS_MAX = 0.5
# What is left for the summary and the lock when the read model has taken all the time there is.
FORCE_MARGIN_SECONDS = CANCEL_SECONDS_MAX + 0.5


class Daemon:
    """One engine of one account, from lock to summary.

    Parameters
    ----------
    config : Config
        What to run.
    is_new_journal : bool
        Set an existing journal aside and start afresh.
    is_carry_over : bool
        Where an existing journal does not go on, begin a new one with its account.
    takes_over : bool
        Fence and end the engine that has the account, whatever it does.
    has_view : bool
        Show on the terminal what it does while it runs.
    owns_process : bool
        Take signals, and end the process where something holds its end. Inside of another program neither is
        the engine's to do.
    """

    def __init__(
        self,
        config: Config,
        *,
        is_new_journal: bool = False,
        is_carry_over: bool = False,
        takes_over: bool = False,
        has_view: bool = False,
        owns_process: bool = True,
    ) -> None:
        self._config = config
        self._owns_process = owns_process
        self._tables = config.tables
        self._is_new_journal = is_new_journal
        self._is_carry_over = is_carry_over
        self._takes_over = takes_over
        self._holds: dict[str, AccountHold] = {}
        self._state = StateDir(config.tables.account.name)
        self._journal = journal_folder(config.tables, self._state)
        self._session: Session | None = None
        self._news: ActivityWatch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked: str | None = None
        self._is_held = False
        self._forks = ForkWatch()
        self._forced = ForcedEnd(self._say_forced, self._forced_code)
        self._lock = InstanceLock(self._state.lock, self._state.account)
        self._process_start = heartbeat.process_start(os.getpid())
        self._beating: Call[None] | None = None
        self._guard: Guard | None = None
        self._alarms: dict[str, str] = {}
        self._notice = WatchdogNotice()
        self._command_files = CommandFiles(self._state)
        self._by_signal = CommandSignals(lambda command: self._begin(self.answer(command)), self._forks)
        self._given: set[asyncio.Task[None]] = set()
        self._left_out = unblocked.LeftOut()
        self._beat_failure = ""
        self._before: Heartbeat | None = None
        self._watch: EngineWatch | None = None
        self._projection: Projection | None = None
        self._papers: Papers | None = None
        self._armed = ""
        self._recent: readers.RecentLog | None = None
        self._has_view = has_view
        self._view: View | None = None

    def run(self) -> RunSummary:
        """Run until the data end or a signal comes; return what happened.

        Raises `AlreadyRunningError` when the account has a running engine, and what the session raises.
        """
        with self._claimed(), asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(self._main())

    async def serve(self) -> RunSummary:
        """Do as `run` does, inside of another program's event loop.

        A task that is cancelled first ends the engine cleanly; one that is cancelled twice breaks it off.
        """
        is_cancelled = False
        with self._claimed():
            main = asyncio.create_task(self._main(), name=f"engine of {self._state.account}")
            try:
                summary = await asyncio.shield(main)
            except asyncio.CancelledError:
                if main.done():
                    raise
                is_cancelled = True
                self._ask_end(CANCELLED)
                try:
                    summary = await main
                finally:
                    main.cancel()
        if is_cancelled:
            raise asyncio.CancelledError
        return summary

    def stop(self, reason: str) -> None:
        """Ask for a clean end; may be called from any thread, and twice."""
        self._ask_end(reason)

    def status(self) -> dict[str, object]:
        """Return what `tradecore status --json` says of a running engine; nothing before it runs."""
        return {} if self._session is None else self._status(self._session)

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        """Hold the account, here and at its venue; taken over from another engine where that is asked for."""
        if self._takes_over:
            # What could not start must not end the one that runs.
            self._found_arming()
            seize(self._config, self._state, self._journal.where)
        with self._held(), claimed(self._config, takes_over=self._takes_over) as self._holds:
            yield

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the account; say at the start and at the end how things stand."""
        self._state.create()
        self._lock.acquire()
        self._before = heartbeat.read(self._state.heartbeat)
        self._recent = recent = readers.recent_log(last_words.LOG_LINES_MAX)
        handlers = self._install_signals()
        try:
            self._beat("starting")
            yield
            self._beat_if_possible("ended")
        except BaseException as error:
            # What a child that was forked has to say is not the engine's end.
            self._forks.end_child()
            cause = self._cause_of(error)
            self._say_end(cause)
            if isinstance(cause, FencedError):
                # A watchdog must not take it for one that died: its orders are those of another engine now.
                self._beat_if_possible("ended") if self._is_clean else self._restore(self._before)
            if cause is not error:
                raise cause from error
            raise
        else:
            self._say_end(None)
        finally:
            self._leave_view()
            if not self._is_held:
                self._forced.disarm()
            if self._session is None:
                self._restore(self._before)
            recent.detach()
            if self._owns_process:
                signals.let_go()
            for number, handler in handlers.items():
                signals.install(number, handler)
            self._lock.release()

    def _found_arming(self) -> arming.Armed | None:
        """Return what a person let trade, which a live run needs; another one has no use for it."""
        armed = arming.armed(self._config, self._state) if self._tables.mode is Mode.LIVE else None
        self._armed = "" if armed is None else armed.words
        return armed

    async def _main(self) -> RunSummary:
        self._loop = asyncio.get_running_loop()
        armed = self._found_arming()
        venues = {} if armed is None else await open_venues(armed, self._journal, self._holds)
        try:
            opened = sessions.open_session(
                self._config,
                self._journal,
                is_new_journal=self._is_new_journal,
                is_carry_over=self._is_carry_over,
                notifiers=lambda engine: [readers.log_notifier(engine)],
                venues=venues,
                armed=armed,
            )
        except BaseException:
            await close_venues(venues)
            raise
        finally:
            # An import, a strategy's start or its replay may fork too.
            self._forks.end_child()
        self._session = session = opened.session
        self._news = session.engine.watch(has_refusals=False)
        last_words.forget(self._state)
        self._watch = EngineWatch(session.engine, self._day_before())
        start_lines.tell_start(self._config, session, self._journal.where, opened.carried, self._armed)
        if self._stop_asked:
            session.stop(self._stop_asked)
        self._guard = guard = Guard(self._lock, self._state, self._journal)
        if session.outside is not None:
            self._papers = papers_of(self._config, self._state, self._journal, session.outside.links)
        control = ControlServer(self._state.address, self._lock.listener)
        self._projection = projection = self._made_projection()
        if projection is not None:
            projection.start()
        await control.open(self.answer)
        beats = asyncio.create_task(self._keep_beating(), name="heartbeat")
        latch = asyncio.create_task(self._apply_latch(session), name="latch")
        safety = helper(keep_safe(session, self._tables.safety, self.answer), "safety", self.answer)
        files = helper(self._command_files.run(self.answer), "command files", self.answer)
        view = self._show_view(session, self._watch)
        # The latch comes before the first event of the feed.
        await asyncio.sleep(0)
        try:
            with guard:
                await session.run()
        finally:
            if session.is_end_journalled:
                process_deadline.end_with(ExitCode.OK)
            for task in filter(None, (latch, safety, files, view)):
                task.cancel()
            self._leave_view()
            if projection is not None:
                await projection.finish(self._seconds_for_tables())
                if projection.is_stuck:
                    # Its thread would hold the exit of the interpreter too.
                    self._is_held = True
                    self._end_within_bound()
            await control.aclose()
            beats.cancel()
        said = summarize(session.engine, self._journal)
        return msgspec.structs.replace(said, is_interrupted=self._stop_asked is not None)

    async def answer(self, request: ControlRequest) -> ControlReply:
        """Do what an operator asks for; the control socket leads here."""
        self._forks.end_child()
        session = self._session
        if session is None:
            return ControlReply(accepted=False, message="the engine is starting")
        if isinstance(request, Status):
            return ControlReply(accepted=True, seq=session.status().seq, status=self._status(session))
        if isinstance(request, Stop):
            self._ask_end(STOP_COMMAND)
            return ControlReply(accepted=True, seq=session.status().seq, message="the engine is ending")
        request = spoken_of(session.engine, self._tables.flatten.completed(request))
        idle = answer_words(session.engine, request)
        # In memory and in the journal first: a disk that is full or hangs must not keep it from that. One
        # that crashes before the latch is written starts killed all the same: its journal says so.
        try:
            seq = await session.command(request)
        except VenueError:
            # It is ending. Who kills then means what starts next: who did so by a signal gets no answer.
            if isinstance(request, Kill) and request.scope in WHOLE:
                await self._disk(lambda: kill_latch.engage(self._state, "kill"))
            raise
        said: dict[str, object] = {}
        # The kill switch that is a file is that of everything.
        message = idle
        if isinstance(request, Kill) and request.scope in WHOLE:
            failed = await self._disk(lambda: kill_latch.engage(self._state, "kill"))
            said = {"latch_failed": failed} if failed else {}
        elif isinstance(request, ReleaseKill) and request.scope in WHOLE:
            failed = await self._disk(lambda: kill_latch.clear(self._state), kill_latch.LATCH_SECONDS_MAX)
            if failed:
                message = f"released; but its next start is killed again, because the latch stays: {failed}"
        # Whoever looks from now on, with the socket or without it, sees what the command has done.
        with suppress(TradecoreError):
            await self._beat_async("running")
        return ControlReply(accepted=True, seq=seq, message=message, status=said)

    async def _disk(self, call: Callable[[], None], seconds_max: float = DISK_SECONDS_MAX) -> str:
        """Do something on the disk of the state directory, within bounds; return what went wrong."""
        try:
            await Call(call, str(self._state.path)).result_async(seconds_max)
        except (TradecoreError, OSError) as error:
            return str(error)
        return ""

    async def _apply_latch(self, session: Session) -> None:
        is_killed = session.engine.summary().is_killed
        if kill_latch.is_release_requested(self._state):
            if is_killed:
                await session.command(ReleaseKill())
            await self._disk(lambda: kill_latch.clear(self._state))
        elif kill_latch.is_engaged(self._state) and not is_killed:
            await session.command(Kill())
        # Signals of the start came later than the latch.
        self._by_signal.ready(asyncio.get_running_loop())

    async def _keep_beating(self) -> None:
        while True:
            self._forks.end_child()
            failure = ""
            try:
                await self._beat_async("running")
            except TradecoreError as error:
                failure = str(error)
            if failure and failure != self._beat_failure:
                log.warning("heartbeat_failed", extra={"reason": failure})
            self._beat_failure = failure
            if self._session is not None and self._session.phase is Phase.ENDED:
                # The log has told the end; the tables may follow for a while yet.
                await asyncio.sleep(self._tables.daemon.heartbeat_interval_ms / 1e3)
                continue
            await self._look_after_files()
            papers, session = self._papers, self._session
            if papers is not None and session is not None and session.phase is Phase.RUNNING:
                await papers.look()
            for name in signals.reinstall():
                said = f"the handler of {name} was replaced by a strategy or a library; it is put back"
                log.warning("signal_taken_back", extra={"words": said})
            self._tell_news()
            await asyncio.sleep(self._tables.daemon.heartbeat_interval_ms / 1e3)

    def _tell_news(self) -> None:
        """Log what keeps strategies from trading, once each; refusals are logged as records."""
        for note in [] if self._news is None else self._news.news():
            log.warning("strategy_note", extra={"words": note})
        if left_out := self._left_out.news():
            said = f"{left_out:,} lines of output were left out because nobody took them; the journal has all"
            log.warning("output_left_out", extra={"words": said, "told": {"lines": left_out}})

    async def _look_after_files(self) -> None:
        """Take notice of a lock, a directory or a journal that is gone: take no new risk while one is."""
        session, guard = self._session, self._guard
        if session is None or guard is None:
            return
        try:
            sight = await Call(guard.look, str(self._state.path)).result_async(DISK_SECONDS_MAX)
        except StorageError:
            # A disk that hangs: the heartbeat says so.
            return
        if session.outside is not None:
            self._notice.note(is_there=sight.has_watchdog)
        for words in sight.repairs:
            log.warning("lock_put_back", extra={"words": words})
        new = [what for what in sight.alarms if what not in self._alarms]
        for what in new:
            words = f"ALARM: {sight.alarms[what]}. Paused: no new risk is taken"
            log.error(cause_of(what), extra={"words": words})
        for what in self._alarms.keys() - sight.alarms.keys():
            log.warning("file_back", extra={"words": f"the {what} is in its place again; the pause stays"})
        if new and not session.engine.summary().is_paused:
            self._begin(session.command(SafetyPause(cause=cause_of(new[0]), seen=0, bound=0)))
        self._alarms = sight.alarms

    def _beat_if_possible(self, phase: str) -> None:
        """Write a heartbeat; one that cannot be written is said, and nothing else depends on it."""
        try:
            self._beat(phase)
        except TradecoreError as error:
            log.warning("heartbeat_failed", extra={"reason": str(error)})

    def _beat(self, phase: str) -> None:
        """Write a heartbeat and wait for it, within bounds."""
        if self._beating is not None:
            with suppress(TradecoreError):
                self._beating.result(DISK_SECONDS_MAX)
        self._begin_beat(phase).result(DISK_SECONDS_MAX)

    async def _beat_async(self, phase: str) -> None:
        """Write a heartbeat without holding the loop, where a disk may hang."""
        while self._beating is not None and not self._beating.is_done:
            await self._beating.result_async(DISK_SECONDS_MAX)
        await self._begin_beat(phase).result_async(DISK_SECONDS_MAX)

    def _begin_beat(self, phase: str) -> Call[None]:
        if self._beating is not None and not self._beating.is_done:
            raise StorageError(
                str(self._state.heartbeat), "the one before is not written yet: its disk may hang"
            )
        beat = self._made_beat(phase)
        self._beating = Call(lambda: beat.write(self._state.heartbeat), str(self._state.heartbeat))
        return self._beating

    def _made_beat(self, phase: str) -> Heartbeat:
        beat = Heartbeat(
            process_start=self._process_start,
            pid=os.getpid(),
            time_ns=time.time_ns(),
            phase=phase,
            account=self._state.account,
            mode=self._tables.mode.value,
            journal=self._journal.where,
        )
        if self._session is None:
            return beat
        return beat_of(beat, self._session, self._watch, self._tables.account.currency)

    def _restore(self, before: Heartbeat | None) -> None:
        """Leave the last word to the engine before: one that could not start has nothing to say."""
        with suppress(TradecoreError, OSError):
            if before is None:
                self._state.heartbeat.unlink(missing_ok=True)
            else:
                before.write(self._state.heartbeat)

    def _day_before(self) -> Heartbeat | None:
        """Return the last heartbeat where it is of the journal that goes on: its day goes on too."""
        before, session = self._before, self._session
        is_same = before is not None and before.journal == self._journal.where
        return before if is_same and session is not None and session.recovered.frames else None

    def _cause_of(self, error: BaseException) -> BaseException:
        """Return the error that names the strategy of a `KeyboardInterrupt`: Ctrl-C raises none in a run."""
        session = self._session
        if session is None or not isinstance(error, KeyboardInterrupt):
            return error
        engine = session.engine
        return blamed_by_place(error, engine.strategies, engine.now_ns) or error

    def _say_end(self, error: BaseException | None) -> None:
        """Leave on disk why the engine ended; one that never started leaves why the start failed."""
        if error is None:
            words = last_words.of_clean_end(self._stop_asked, os.getpid(), self._recent_lines())
        else:
            words = last_words.of_error(error, os.getpid(), self._recent_lines())
        has_begun = self._session is not None and (not isinstance(error, FencedError) or self._is_clean)
        path = self._state.last_words if has_begun else self._state.failed_start
        with suppress(TradecoreError):
            Call(lambda: words.write(path), str(path)).result(DISK_SECONDS_MAX)

    def _status(self, session: Session) -> dict[str, object]:
        if self._watch is None:
            return {}
        self._watch.look()
        mode = self._tables.mode.value
        status = engine_status(session, self._watch, mode=mode, journal_path=self._journal.where)
        projection, streams = self._projection, unblocked.current()
        return {
            **status,
            "read_model_lag_records": None if projection is None else projection.lag(session.status().seq),
            "read_model_problem": "" if projection is None else projection.problem,
            "output_lines_dropped": 0 if streams is None else streams.dropped,
            "alarms": list(self._alarms.values()),
            "start_report": self._report_words(),
            "armed": self._armed,
        }

    def _report_words(self) -> str:
        return "" if self._papers is None else self._papers.words

    def _show_view(self, session: Session, watch: EngineWatch) -> asyncio.Task[None] | None:
        """Take the terminal, if it is wanted; return what keeps the view up."""
        if not self._has_view:
            return None
        from tradecore_api.run_view import RunView

        if (streams := unblocked.current()) is not None:
            # What was logged before goes above the view, not into it.
            streams.settle(DISK_SECONDS_MAX)
        view = RunView(session, watch, mode=self._tables.mode.value)
        self._view = view
        view.enter()
        return asyncio.create_task(view.keep(), name="view")

    def _leave_view(self) -> bool:
        """Give the terminal back; one that takes nothing holds a thread, and so the exit of the process."""
        if self._view is None or self._view.leave():
            return True
        self._is_held = True
        self._end_within_bound()
        return False

    def _made_projection(self) -> Projection | None:
        """Return what keeps the read model up, or `None` when there is to be none."""
        database = self._tables.database
        if not database.enabled:
            return None
        return Projection(self._journal, database.path or str(self._state.database))

    def _seconds_for_tables(self) -> float:
        """Return how long the end may wait for the read model; one by force comes later than that."""
        seconds = self._tables.database.finish_timeout_ms / 1e3
        if self._forced.at is None:
            return seconds
        return max(0.0, min(seconds, self._forced.at - time.monotonic() - FORCE_MARGIN_SECONDS))

    def _install_signals(self) -> dict[int, Callable[[int, FrameType | None], object] | int | None]:
        """Install handlers that work with every event loop and on Windows; return the old ones."""
        if not self._owns_process or threading.current_thread() is not threading.main_thread():
            return {}
        numbers = [signal.SIGINT, signal.SIGTERM]
        # A terminal that is closed ends the run cleanly too, unless `nohup` asked to go on.
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        for number in numbers:
            before[number] = signals.install(number, self._on_signal)
        before |= self._by_signal.install()
        process_deadline.wait_for(numbers, self._seconds_max(), ExitCode.UNAVAILABLE)
        return before

    def _seconds_max(self) -> float:
        """Return how long the process lives after it was asked to end, whatever holds it."""
        seconds = self._tables.daemon.stop_timeout_ms / 1e3 + process_deadline.MARGIN_SECONDS
        return min(seconds, process_deadline.SECONDS_MAX)

    def _begin(self, command: Coroutine[object, object, object]) -> None:
        """Do what nobody waits for: a pause of our own, a command by signal."""
        task = asyncio.create_task(unheard(command), name="command that nobody waits for")
        self._given.add(task)
        task.add_done_callback(self._given.discard)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._forks.is_child:
            # A strategy forked: its child has nothing to end cleanly, and must not say that the engine ends.
            os._exit(128 + number)
        self._ask_end(signal.Signals(number).name)

    def _ask_end(self, reason: str) -> None:
        """End cleanly and within bound; asking twice is harmless."""
        self._end_within_bound()
        self._stop_asked = self._stop_asked or reason
        if self._loop is not None and self._session is not None:
            self._loop.call_soon_threadsafe(self._session.stop, reason)

    def _end_within_bound(self) -> None:
        """Let the process live no longer than `daemon.stop_timeout_ms` from the first call on."""
        if self._owns_process and self._forced.at is None:
            process_deadline.begin(self._seconds_max())
            self._forced.arm(self._tables.daemon.stop_timeout_ms / 1e3)

    @property
    def _is_clean(self) -> bool:
        """Whether the end is in the journal, so that only what comes after it can hold the process."""
        return self._session is not None and self._session.is_end_journalled

    def _forced_code(self) -> int:
        return int(ExitCode.OK if self._is_clean else ExitCode.UNAVAILABLE)

    def _say_forced(self, seconds: float) -> None:
        """Say that a feed, a strategy or a disk holds the process; the journal is safe at any moment."""
        words = last_words.of_forced_end(self._stop_asked or "", seconds, os.getpid(), self._recent_lines())
        if self._leave_view():
            print(f"tradecore: ended by force after {seconds:g} s; the journal is kept", file=sys.stderr)
        with suppress(TradecoreError):
            if self._is_clean:
                self._beat("ended")
            else:
                words.write(self._state.last_words)

    def _recent_lines(self) -> list[str]:
        return [] if self._recent is None else self._recent.lines()
