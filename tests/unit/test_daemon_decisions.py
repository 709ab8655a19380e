"""What one engine's process decides for itself: how long it waits, what it says, what it leaves behind."""

import asyncio
import os
import signal
import sys
import time
from types import SimpleNamespace

import msgspec
import pytest

from tradecore.domain.commands import Kill, Pause, Release, ReleaseKill, Resume, SafetyPause
from tradecore.domain.errors import InvalidValueError, StorageError
from tradecore.engine.scopes import ScopeNames
from tradecore.ports.control_channel import Status
from tradecore.runtime import forked_child
from tradecore_api import daemon as daemons
from tradecore_api import guard, heartbeat, process_deadline
from tradecore_api.command_words import answer_words, spoken_of
from tradecore_api.config import read
from tradecore_api.daemon import FORCE_MARGIN_SECONDS, Daemon
from tradecore_api.exit_codes import ExitCode
from tradecore_api.guard import Sight
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.live_papers import Papers, words_of
from tradecore_api.projection import CANCEL_SECONDS_MAX

NOW = 1_000.0


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return what makes a process of an engine that has not begun, with settings of its own."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))

    def of(*, owns_process=True, **sections):
        tree = {
            "mode": "paper",
            "account": {"name": "one", "cash": "100000"},
            "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
            "feed": {"kind": "simulated", "seconds": 600},
            "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
            "journal": {"path": str(tmp_path / "one.journal")},
            **sections,
        }
        daemon = Daemon(read.from_tree(tree, "test", environment={}), owns_process=owns_process)
        daemon._state.create()
        return daemon

    return of


def summary(**fields):
    """Return a session whose engine sums up so."""
    found = SimpleNamespace(**{"halts": {}, "stops": (), "is_paused": False, "is_killed": False} | fields)
    spec = SimpleNamespace(account_names=("desk",))
    return SimpleNamespace(engine=SimpleNamespace(summary=lambda: found, spec=spec))


@pytest.mark.parametrize(
    ("command", "found", "words"),
    [
        (
            Release(scope="account", person="me"),
            {},
            "nothing was halted in account, so nothing changed",
        ),
        (
            Release(scope="account", person="me"),
            {"halts": {"one": "x", "two": "y"}},
            "nothing was halted in account, so nothing changed; halted is one, two",
        ),
        (Release(scope="account", person="me"), {"halts": {"account": "x"}}, ""),
        (Resume(), {}, "it was not paused, so nothing changed"),
        (Resume(), {"is_paused": True}, ""),
        # The only account, and all of several, are everything.
        (Resume(scope="account"), {"is_paused": True}, ""),
        (Resume(scope="portfolio"), {}, "it was not paused, so nothing changed"),
        (ReleaseKill(scope="account"), {"is_killed": True}, ""),
        (Resume(scope="strategy:one"), {"stops": ("pause strategy:one",)}, ""),
        (
            Resume(scope="strategy:one"),
            {"is_paused": True, "stops": ("kill strategy:one",)},
            "strategy:one was not paused by itself, so nothing changed; stopped in parts: kill strategy:one",
        ),
        (
            Resume(),
            {"is_paused": True, "stops": ("pause strategy:one",)},
            "resumed: strategies may take new risk again; stopped in parts: pause strategy:one",
        ),
        (
            ReleaseKill(scope="strategy:one"),
            {"is_killed": True},
            "strategy:one was not killed by itself, so nothing changed",
        ),
        (ReleaseKill(), {}, "the kill switch was not engaged, so nothing changed"),
        (ReleaseKill(), {"is_killed": True}, ""),
        (Pause(), {}, ""),
        (Kill(), {"is_killed": True}, ""),
    ],
)
def test_a_command_that_ends_what_never_was_says_so(command, found, words):
    """And what else is halted, which may be what was meant."""
    assert answer_words(summary(**found).engine, command) == words


def test_the_only_account_by_its_name_is_everything():
    """So a kill of it has the latch that a start with a new journal finds; of several each is a part."""
    names = ScopeNames(strategies=("a",), instruments=("G",), accounts=("desk",))
    assert names.numbered("account:desk") == names.numbered("account") == ("account", 0)
    with pytest.raises(InvalidValueError):
        names.numbered("account:dsk")
    one = SimpleNamespace(spec=SimpleNamespace(account_names=("desk",)))
    assert spoken_of(one, Kill(scope="account:desk")) == Kill()
    assert spoken_of(one, ReleaseKill(scope="account:desk")) == ReleaseKill()
    release = Release(scope="account:desk", person="me")
    assert spoken_of(one, release) == Release(scope="account", person="me"), "as the halt is called"
    for other in (Kill(), Kill(scope="account:dsk"), Kill(scope="strategy:desk")):
        assert spoken_of(one, other) is other
    several = SimpleNamespace(spec=SimpleNamespace(account_names=("desk", "other")))
    part = Kill(scope="account:desk")
    assert spoken_of(several, part) is part


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (None, 3.0),
        (3.0 + FORCE_MARGIN_SECONDS + 1, 3.0),
        (1.0 + FORCE_MARGIN_SECONDS, 1.0),
        (FORCE_MARGIN_SECONDS, 0.0),
        (0.1, 0.0),
    ],
)
def test_the_end_waits_for_the_tables_as_long_as_both_limits_allow(made, monkeypatch, left, seconds):
    """What is left before the end by force includes a call that is cancelled, the summary and the lock."""
    daemon = made(database={"finish_timeout_ms": 3_000})
    monkeypatch.setattr(daemons.time, "monotonic", lambda: NOW)
    daemon._forced.at = None if left is None else NOW + left
    assert daemon._seconds_for_tables() == pytest.approx(seconds)
    assert FORCE_MARGIN_SECONDS > CANCEL_SECONDS_MAX


@pytest.mark.parametrize(
    ("stop_timeout_ms", "seconds"), [(4_000, 4.5), (250, 0.75), (10**12, process_deadline.SECONDS_MAX)]
)
def test_a_process_that_is_asked_to_end_lives_so_long_at_most(made, monkeypatch, stop_timeout_ms, seconds):
    """The words of an end by force come at the timeout itself, once; the deadline of the process after it."""
    begun, armed = [], []
    monkeypatch.setattr(process_deadline, "begin", begun.append)
    daemon = made(daemon={"stop_timeout_ms": stop_timeout_ms})
    monkeypatch.setattr(daemon._forced, "arm", armed.append)
    daemon.stop("first")
    assert (begun, armed) == ([seconds], [stop_timeout_ms / 1e3])
    daemon._forced.at = NOW
    daemon.stop("second")
    assert len(begun) == len(armed) == 1
    assert daemon._stop_asked == "first"


def test_an_engine_inside_of_another_program_ends_no_process(made, monkeypatch):
    """Neither by signals nor by force."""
    monkeypatch.setattr(process_deadline, "begin", pytest.fail)
    daemon = made(owns_process=False)
    before = signal.getsignal(signal.SIGTERM)
    assert daemon._install_signals() == {}
    daemon.stop("stopped")
    assert daemon._forced.at is None
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("is_ignored", "hangs_up"), [(False, True), (True, False)])
def test_a_terminal_that_is_closed_ends_it_unless_nohup_asked_to_go_on(
    made, monkeypatch, is_ignored, hangs_up
):
    """Ctrl-C and SIGTERM always do, and the process has its deadline from them on."""
    asked = []
    monkeypatch.setattr(process_deadline, "wait_for", lambda *given: asked.append(given))
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
        old = made()._install_signals()
        expected = [*numbers] if hangs_up else [*numbers[:2]]
        of_linux = [int(signal.SIGRTMIN), int(signal.SIGRTMIN) + 1] if sys.platform == "linux" else []
        assert [*old] == [*expected, signal.SIGUSR1, signal.SIGUSR2, *of_linux]
        assert asked == [(expected, 4.5, ExitCode.UNAVAILABLE)]
    finally:
        daemons.signals.let_go()
        for number, handler in before.items():
            signal.signal(number, handler)


async def test_before_it_runs_an_operator_is_told_that_it_starts(made):
    """Nothing is accepted, and there is no status."""
    daemon = made()
    reply = await daemon.answer(Status())
    assert (reply.accepted, reply.message) == (False, "the engine is starting")
    assert daemon.status() == {}


BEFORE = Heartbeat(pid=1, time_ns=2, phase="ended", account="one", mode="paper", journal="x")


def test_a_start_that_failed_leaves_the_last_word_to_the_engine_before(made):
    """Where there was none, nothing is left."""
    daemon = made()
    path = daemon._state.heartbeat
    daemon._beat("starting")
    assert heartbeat.read(path).phase == "starting"
    daemon._restore(BEFORE)
    assert heartbeat.read(path) == BEFORE
    daemon._restore(None)
    assert not path.exists()
    daemon._restore(None)


@pytest.mark.parametrize(
    ("is_same", "frames", "has_session", "goes_on"),
    [
        (True, 1, True, True),
        (False, 1, True, False),
        (True, 0, True, False),
        (True, 1, False, False),
    ],
)
def test_the_day_of_an_engine_before_goes_on_with_its_journal(made, is_same, frames, has_session, goes_on):
    """Only that: a journal that begins, or another one, has a day of its own."""
    daemon = made()
    assert daemon._day_before() is None
    journal = daemon._journal.where if is_same else "another.journal"
    daemon._before = before = msgspec.structs.replace(BEFORE, journal=journal)
    if has_session:
        daemon._session = SimpleNamespace(recovered=SimpleNamespace(frames=frames))
    assert daemon._day_before() is (before if goes_on else None)


def test_a_heartbeat_waits_for_the_one_before_and_never_overtakes_it(made, monkeypatch):
    """A disk that hangs holds neither, and is named."""
    daemon = made()
    monkeypatch.setattr(daemons, "DISK_SECONDS_MAX", 0.05)
    daemon._beat("starting")
    first = daemon._beating
    daemon._beat("running")
    assert daemon._beating is not first
    daemon._beating = SimpleNamespace(is_done=False, result=lambda seconds: None)
    with pytest.raises(StorageError, match="the one before is not written yet"):
        daemon._beat("ended")
    assert heartbeat.read(daemon._state.heartbeat).phase == "running"
    daemon._beat_if_possible("ended")


def test_the_first_heartbeat_names_the_process_and_its_journal(made):
    """Figures come once there is a session."""
    daemon = made()
    daemon._beat("starting")
    beat = heartbeat.read(daemon._state.heartbeat)
    assert (beat.pid, beat.account, beat.mode) == (os.getpid(), "one", "paper")
    assert beat.journal == daemon._journal.where
    assert beat.process_start == heartbeat.process_start(os.getpid())
    assert abs(time.time_ns() - beat.time_ns) < 60e9


async def test_what_a_disk_did_not_do_is_returned_in_words(made):
    """Nothing for what it did; one that hangs is not waited for."""
    daemon = made()
    assert await daemon._disk(lambda: None) == ""

    def refuse():
        raise OSError(28, "No space left on device")

    assert "No space left" in await daemon._disk(refuse)
    assert "did not answer within 0.05 s" in await daemon._disk(lambda: time.sleep(0.5), 0.05)


@pytest.mark.parametrize(("enabled", "path"), [(True, None), (True, "own.sqlite"), (False, None)])
def test_the_tables_are_where_they_are_asked_for_or_with_the_account(made, tmp_path, enabled, path):
    """There may be none."""
    own = {} if path is None else {"path": str(tmp_path / path)}
    daemon = made(database={"enabled": enabled, **own})
    projection = daemon._made_projection()
    if not enabled:
        assert projection is None
        return
    expected = daemon._state.database if path is None else tmp_path / path
    assert projection._database_path == str(expected)


@pytest.mark.parametrize("is_journalled", [True, False, None])
def test_an_end_by_force_is_clean_when_the_journal_has_the_end(made, is_journalled, capsys):
    """Then a heartbeat says that it ended; otherwise last words say what was waited for."""
    daemon = made()
    daemon._stop_asked = "SIGTERM"
    if is_journalled is not None:
        daemon._session = SimpleNamespace(is_end_journalled=is_journalled)
    assert daemon._forced_code() == (ExitCode.OK if is_journalled else ExitCode.UNAVAILABLE)
    daemon._made_beat = lambda phase: msgspec.structs.replace(BEFORE, phase=phase)
    daemon._say_forced(4.0)
    assert capsys.readouterr().err == "tradecore: ended by force after 4 s; the journal is kept\n"
    words = daemons.last_words.read(daemon._state.last_words)
    if is_journalled:
        assert (words, heartbeat.read(daemon._state.heartbeat).phase) == (None, "ended")
    else:
        assert words.reason.startswith("asked to end (SIGTERM), it did not within 4 s")
        assert heartbeat.read(daemon._state.heartbeat) is None


def test_why_a_start_failed_is_kept_apart_from_why_a_run_ended(made):
    """The words of the run before stay."""
    daemon = made()
    daemon._say_end(StorageError("j", "is full"))
    assert daemons.last_words.read(daemon._state.failed_start).reason == "j: is full"
    assert daemons.last_words.read(daemon._state.last_words) is None
    daemon._session = SimpleNamespace()
    daemon._say_end(None)
    assert daemons.last_words.read(daemon._state.last_words).is_clean


class Shown:
    """A view that gives the terminal back, or cannot."""

    def __init__(self, leaves):
        self.leaves = leaves

    def leave(self):
        """Tell whether it could."""
        return self.leaves


@pytest.mark.parametrize(("view", "leaves"), [(None, True), (Shown(True), True), (Shown(False), False)])
def test_a_terminal_that_takes_nothing_lets_the_process_end_in_time(made, monkeypatch, view, leaves):
    """It holds a thread, and so the exit of the interpreter; one that takes all holds nothing."""
    daemon = made()
    begun = []
    monkeypatch.setattr(daemon, "_end_within_bound", lambda: begun.append("bound"))
    daemon._view = view
    assert daemon._leave_view() is leaves
    assert daemon._is_held is not leaves
    assert len(begun) == (0 if leaves else 1)


def test_the_report_of_the_start_is_told_once_it_is_written(made):
    """Before that, and without a venue, there is none."""
    daemon = made()
    assert daemon._report_words() == ""
    one, two = SimpleNamespace(report=None), SimpleNamespace(report=None)
    daemon._papers = Papers({"desk": one})
    assert daemon._report_words() == ""
    facts = SimpleNamespace(open_orders=1, fills=(), doubts=(), adopted=())
    report = SimpleNamespace(facts=facts, foreign_orders=(), dropped=list)
    one.report = SimpleNamespace(report=report)
    assert daemon._report_words() == words_of(one.report) != ""
    daemon._papers = Papers({"desk": one, "other": two})
    assert daemon._report_words() == f"desk: {words_of(one.report)}", "of several each has a name"


@pytest.mark.parametrize(
    ("dropped", "flows", "told"), [(0, True, []), (1_234, False, []), (1_234, True, ["1,234"])]
)
def test_output_that_nobody_took_is_counted_once_it_flows_again(
    made, monkeypatch, caplog, dropped, flows, told
):
    """Each line once: told now, it is not told again."""
    streams = SimpleNamespace(dropped=dropped, flows=flows)
    monkeypatch.setattr(daemons.unblocked, "current", lambda: streams)
    daemon = made()
    daemon._tell_news()
    daemon._tell_news()
    assert [record.words.split()[0] for record in caplog.records] == told
    if told:
        streams.dropped += 2
        daemon._tell_news()
        assert [record.told["lines"] for record in caplog.records] == [1_234, 2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_forked_child_that_gets_a_signal_ends_as_a_shell_tells_it(made, monkeypatch, number):
    """With 128 and the number of the signal, and without a word of the engine's end."""

    def end(code):
        raise SystemExit(code)

    daemon = made()
    daemon._forks = SimpleNamespace(is_child=True)
    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(SystemExit) as raised:
        daemon._on_signal(number, None)
    assert raised.value.code == 128 + number
    assert daemon._stop_asked is None
    assert daemon._forced.at is None


def test_a_forked_child_that_comes_back_has_the_code_of_a_broken_promise():
    """The runtime has the number for itself, as it knows no command."""
    assert forked_child.EXIT_CODE == ExitCode.BROKEN_INVARIANT


async def test_a_heartbeat_that_cannot_be_written_is_told_once_and_again_after_one_that_could(
    made, monkeypatch, caplog
):
    """Another reason is another trouble."""
    daemon = made(daemon={"heartbeat_interval_ms": 1})
    reasons = ["full", "full", "gone", "", "gone", "gone"]
    done = asyncio.Event()

    async def beat(phase):
        assert phase == "running"
        if not reasons:
            done.set()
            await asyncio.sleep(60)
        # Each time a text of its own, as a disk gives it.
        if reason := "".join(reasons.pop(0)):
            raise StorageError("h", f"is {reason}")

    monkeypatch.setattr(daemon, "_beat_async", beat)
    beating = asyncio.create_task(daemon._keep_beating())
    await asyncio.wait_for(done.wait(), 20)
    beating.cancel()
    told = [record.reason for record in caplog.records if record.msg == "heartbeat_failed"]
    assert told == ["h: is full", "h: is gone", "h: is gone"]


@pytest.mark.parametrize("is_paused", [False, True])
async def test_a_file_that_is_gone_is_told_once_pauses_and_is_told_when_it_is_back(made, caplog, is_paused):
    """One that is paused already is not paused again; the pause stays when the file is back."""
    daemon = made()
    commands = []

    async def command(request):
        commands.append(request)

    daemon._session = SimpleNamespace(
        engine=summary(is_paused=is_paused).engine, command=command, outside=None
    )
    sights = iter(
        [
            Sight(alarms={"journal": "it was removed"}),
            Sight(alarms={"journal": "it was removed"}),
            Sight(repairs=("the lock is there again",)),
            Sight(),
        ]
    )
    daemon._guard = SimpleNamespace(look=lambda: next(sights))
    for alarms in (1, 1, 0, 0):
        await daemon._look_after_files()
        assert len(daemon._alarms) == alarms
    await asyncio.sleep(0)
    assert commands == ([] if is_paused else [SafetyPause(cause="file_gone", seen=0, bound=0)])
    assert [(record.msg, record.words) for record in caplog.records] == [
        ("file_gone", "ALARM: it was removed. Paused: no new risk is taken"),
        ("lock_put_back", "the lock is there again"),
        ("file_back", "the journal is in its place again; the pause stays"),
    ]


@pytest.mark.parametrize(
    ("alarm", "cause", "words"),
    [
        ("journal", "file_gone", "no longer where it was"),
        ("state directory", "file_gone", "no longer where it was"),
        (guard.DISK, "disk_full", "the disk of the journal is full"),
        (guard.DESCRIPTORS, "no_descriptors", "can open no more files"),
    ],
)
async def test_each_alarm_pauses_by_its_own_cause(made, caplog, alarm, cause, words):
    """Who is told of a file that is gone looks for one, and frees no room on the disk."""
    daemon, commands = made(), []

    async def command(request):
        commands.append(request)

    daemon._session = SimpleNamespace(engine=summary().engine, command=command, outside=None)
    daemon._guard = SimpleNamespace(look=lambda: Sight(alarms={alarm: "it is so"}))
    await daemon._look_after_files()
    await asyncio.sleep(0)
    assert commands == [SafetyPause(cause=cause, seen=0, bound=0)]
    assert words in commands[0].why()
    assert [record.msg for record in caplog.records] == [cause]
