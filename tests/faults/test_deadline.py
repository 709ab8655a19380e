"""SIGTERM ends an engine within five seconds, whatever holds it; its journal stays good.

All engines of a test start together, are asked to end together, and are waited for together.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from support.command_line import PAPER, CommandLine
from support.held import CALLBACK, REGEX, SECONDS_MAX, SLACK_SECONDS, Held, seconds_until_ended
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

# What is about the deadline and not about its length need not wait four seconds.
SOON = ("--set", "daemon.stop_timeout_ms=1000")
WRITES = """
import os

def write(descriptor):
    while True:
        os.write(descriptor, b"x" * 100_000)
"""
OWN_HANDLER = """
import signal
from contextlib import suppress

with suppress(ValueError):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""
HOLDS = {
    "a regular expression without end": ("", f"say(); {REGEX}"),
    "a callback that sleeps": ("", "say(); time.sleep(60)"),
    "a callback that catches everything": (
        """
def stubborn():
    say()
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
""",
        "stubborn()",
    ),
    "a thread of the strategy": ("", "threading.Thread(target=time.sleep, args=(60,)).start(); say()"),
    "a thread that holds the lock": (
        f"def hold():\n    time.sleep(0.2)\n    say()\n    {REGEX}",
        "threading.Thread(target=hold).start()",
    ),
    "an atexit that sleeps": ("atexit.register(time.sleep, 60)", "say()"),
    "an import without end": (f"say(); {REGEX}", "pass"),
    # Past the streams, and again whenever a signal interrupts it.
    "its own writes to a full standard error": (WRITES, "say(); write(2)"),
    "its own writes to a full standard output": (WRITES, "say(); write(1)"),
    "a full standard error": ("", 'say(); sys.stderr.write("x" * 1_000_000)'),
    "a full standard output": ("", 'say(); print("x" * 1_000_000)'),
    "a child that lives on": ("import subprocess", 'subprocess.Popen(["sleep", "20"]); say()'),
    "a handler of its own": (OWN_HANDLER, f"say(); {REGEX}"),
}
# These hold the end of the process, if anything, and not that of the session: it is in the journal by then.
CLEAN = {
    "a thread of the strategy",
    "an atexit that sleeps",
    "a child that lives on",
    "a full standard error",
    "a full standard output",
}


@pytest.mark.timeout(90)
@pytest.mark.without(
    "Python",
    works=(
        "SIGTERM ends the process within five seconds, whatever a callback, a thread or an `atexit` "
        "does, with a true exit code and a whole journal"
    ),
)
def test_sigterm_ends_in_time_whatever_holds(tmp_path):
    """Callbacks, threads, imports, pipes: in five seconds, with a true exit code and a good journal."""
    engines = {
        name: Held(tmp_path / str(number), CALLBACK.format(top=top, hold=hold))
        for number, (name, (top, hold)) in enumerate(HOLDS.items())
    }
    try:
        for engine in engines.values():
            engine.start()
        for engine in engines.values():
            engine.wait_until_held()
        time.sleep(0.5)
        lived = seconds_until_ended({name: engine.process for name, engine in engines.items()})
        codes = {name: engine.process.returncode for name, engine in engines.items()}
    finally:
        for engine in engines.values():
            engine.kill()

    assert {name: s for name, s in lived.items() if s > SECONDS_MAX + SLACK_SECONDS} == {}
    expected = {name: ExitCode.OK if name in CLEAN else ExitCode.UNAVAILABLE for name in HOLDS}
    assert codes == expected
    for name, engine in engines.items():
        if engine.journal.exists():
            assert JournalFolder(engine.journal).verify().status in {"intact", "torn"}, name


OPENS = """
import signal, sys
from tradecore import _core
from tradecore.domain.journal import JournalWriter

signal.signal(signal.SIGTERM, lambda *_: None)
_core.end_with(43)
_core.end_on_signals([signal.SIGTERM], 1.0)
print("armed", flush=True)
JournalWriter.open(sys.argv[1], 0)
"""


@pytest.mark.timeout(60)
def test_a_file_that_never_answers_holds_no_end(tmp_path):
    """A FIFO as journal: a run refuses its path, and where one is opened all the same the deadline holds."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER)
    for key in ("journal.path", "database.path"):
        shell.refused("run", "paper.toml", "--set", f"{key}={fifo}", code=ExitCode.CONFIG, says=[key])
    with subprocess.Popen([sys.executable, "-c", OPENS, str(fifo)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"armed\n"
        time.sleep(0.5)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(20) == 43
        finally:
            process.kill()
    assert 0.5 < time.monotonic() - start < SECONDS_MAX


@pytest.mark.timeout(60)
def test_a_start_that_replays_for_ever_ends_too(tmp_path):
    """A strategy that hangs in the replay of its own journal: the start is not yet a session."""
    once = CALLBACK.format(
        top="", hold='say() or Path("again").exists() and (Path("stuck").touch() or ' + REGEX + ")"
    )
    engine = Held(tmp_path / "one", once, SOON)
    engine.start()
    try:
        engine.wait_until_held()
        time.sleep(0.5)
        engine.process.send_signal(signal.SIGKILL)
        engine.process.wait()
        (engine.shell.folder / "again").touch()
        engine.sign = engine.shell.folder / "stuck"
        engine.kill()
        engine.start()
        engine.wait_until_held()
        lived = seconds_until_ended({"the start": engine.process})["the start"]
    finally:
        engine.kill()
    assert lived <= SECONDS_MAX + SLACK_SECONDS
    assert engine.process.returncode == ExitCode.UNAVAILABLE
    assert JournalFolder(engine.journal).verify().status in {"intact", "torn"}


# It waits until the demo is ready for the signal: before that Ctrl-C ends it as it ends any program.
HELD_THREAD = f"""
import re
import signal
import sys
import threading
import time

def hold():
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        time.sleep(0.01)
    time.sleep(0.2)
    open("held", "w").close()
    {REGEX}

if "demo" in sys.orig_argv:
    threading.Thread(target=hold, daemon=True).start()
"""
PAST = """
mode = "backtest"
[account]
name = "past"
cash = 10_000
[[instruments]]
symbol = "ABC"
tick_size = 0.01
[data]
path = "bars.csv"
[strategy]
class = "held.py:Held"
"""


def of_a_demo(folder):
    """Start a demo in whose process something holds the interpreter lock."""
    shell = CommandLine(folder)
    shell.write("sitecustomize.py", HELD_THREAD)
    return shell.start("demo", environment={"PYTHONPATH": str(folder)})


def of_a_backtest(folder, top=""):
    """Start a backtest whose strategy holds the interpreter lock."""
    shell = CommandLine(folder)
    shell.write("held.py", CALLBACK.format(top=f"{top}\nsay(); {REGEX}", hold="pass"))
    shell.write("backtest.toml", PAST)
    return shell.start("backtest", "backtest.toml")


def of_a_backtest_with_a_handler(folder):
    """Start one that would rather not end."""
    return of_a_backtest(folder, OWN_HANDLER.replace("SIGTERM", "SIGINT"))


@pytest.mark.timeout(60)
def test_ctrl_c_ends_commands_that_python_cannot_stop(tmp_path):
    """The other commands end by SIGTERM as every program does; Ctrl-C waits for Python, but not for ever."""
    processes = {}
    try:
        for start in (of_a_demo, of_a_backtest, of_a_backtest_with_a_handler):
            (tmp_path / start.__name__).mkdir()
            processes[start.__name__] = start(tmp_path / start.__name__)
        end = time.monotonic() + 20
        for name, process in processes.items():
            while not (tmp_path / name / "held").exists():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end, name
                time.sleep(0.05)
        time.sleep(0.3)
        lived = seconds_until_ended(processes, signal.SIGINT)
        codes = {name: process.returncode for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()
    assert {name: s for name, s in lived.items() if s > SECONDS_MAX + SLACK_SECONDS} == {}
    assert set(codes.values()) == {ExitCode.INTERRUPTED}


TERMINATES_CHILD = '''
import os
import signal
import time


class Held:
    """Forks a child and tells it to end."""

    seen: int = 0

    def on_trade(self, ctx, trade):
        """Fork once."""
        self.seen += 1
        if self.seen == 3:
            pid = os.fork()
            if pid == 0:
                while True:
                    time.sleep(0.01)
            time.sleep(0.2)
            os.kill(pid, signal.SIGTERM)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with open("child", "w") as file:
                file.write(str(code))
        if self.seen == 6:
            open("held", "w").close()
'''


@pytest.mark.timeout(60)
def test_a_signal_to_a_child_ends_the_child_alone(tmp_path):
    """The handlers are inherited by a fork, and so is the pipe that the deadline waits at."""
    engine = Held(tmp_path / "one", TERMINATES_CHILD, SOON)
    engine.start()
    try:
        engine.wait_until_held()
        # As a shell says that a signal ended a program: 128 and its number.
        assert engine.sign.with_name("child").read_text() == "143"
        time.sleep(2)
        assert engine.process.poll() is None
    finally:
        engine.kill()


def python(code):
    """Run a program and return its exit code, what it said, and how long it lived."""
    start = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=environment
    )
    return done.returncode, done.stdout, time.monotonic() - start


def test_the_earliest_deadline_holds_and_nothing_is_written():
    """Others change nothing, whichever was set first; what waits in a buffer stays there."""
    code, said, lived = python(
        "import sys, time\nfrom tradecore import _core\n_core.end_with(42)\n_core.end_within(60)\n"
        "_core.end_within(0.5)\n_core.end_within(60)\nsys.stdout.write('buffered')\ntime.sleep(60)"
    )
    assert (code, said) == (42, "")
    assert lived < 5


def test_a_process_that_ends_by_itself_keeps_its_code():
    """A deadline that has not come changes neither exit code nor words."""
    code, said, lived = python(
        "import sys\nfrom tradecore import _core\n_core.end_with(42)\n_core.end_within(60)\n"
        "print('done')\nsys.exit(3)"
    )
    assert (code, said) == (3, "done\n")
    assert lived < 5


@pytest.mark.parametrize("seconds", ["-1.0", "float('nan')", "float('inf')", "1e300", "86_401.0"])
def test_deadlines_that_make_no_sense_are_refused(seconds):
    """Nothing is armed then."""
    code, said, _ = python(
        "from tradecore import _core\nfrom tradecore.domain import InvalidValueError\n"
        f"for call in (lambda: _core.end_within({seconds}), lambda: _core.end_on_signals([15], {seconds}),\n"
        "    lambda: _core.end_on_signals([9], 1.0), lambda: _core.end_on_signals([], 1.0),\n"
        "    lambda: _core.end_on_signals([-1], 1.0), lambda: _core.end_on_signals([2**31 - 1], 1.0)):\n"
        "    try:\n        call()\n    except InvalidValueError as error:\n        print(error.field)\n"
    )
    assert code == 0
    assert said.split() == ["seconds", "seconds", "signals", "signals", "signals", "signals"]
