"""SIGTERM ends an engine within five seconds, whatever holds it; its journal stays good.

All engines of a test start together, are asked to end together, and are waited for together.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from support.command_line import PAPER, CommandLine
from tradecore.domain.journal import journal_verify
from tradecore_api.exit_codes import ExitCode

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

SECONDS_MAX = 5.0
# What the machine may take for the end of a process that was told to end.
SLACK_SECONDS = 0.4
CALLBACK = '''
import atexit
import re
import sys
import threading
import time
from pathlib import Path


def say():
    """Let the test know that it is held now."""
    Path("held").touch()


{top}


class Held:
    """Does at its tenth trade what holds the process."""

    seen: int = 0

    def on_trade(self, ctx, trade):
        """Buy, and then hold."""
        self.seen += 1
        if self.seen < 5:
            ctx.buy(quantity=0.001)
        if self.seen == 10:
            {hold}
'''
# The interpreter lock is held by C code that asks for nothing.
REGEX = 're.match("(a*)*b", "a" * 60)'
WRITES = """
import os

def write(descriptor):
    while True:
        os.write(descriptor, b"x" * 100_000)
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
}
# These hold the end of the process, if anything, and not that of the session: it is in the journal by then.
CLEAN = {
    "a thread of the strategy",
    "an atexit that sleeps",
    "a child that lives on",
    "a full standard error",
    "a full standard output",
}


class Held:
    """An engine of an account of its own that something holds."""

    def __init__(self, folder, strategy, options=()):
        folder.mkdir()
        self.shell = CommandLine(folder)
        self.shell.write("held.py", strategy)
        config = PAPER[: PAPER.index("[strategy]")] + '[strategy]\nclass = "held.py:Held"\n'
        paced = config.replace("virtual = true", "virtual = false")
        self.shell.write("paper.toml", paced.replace("seconds = 5", "seconds = 90"))
        self.journal = folder / "state" / "one" / "engine.journal"
        self.sign = folder / "held"
        self.options = options
        self.process = None

    def start(self):
        """Start it; nobody reads what it says."""
        self.process = self.shell.start("run", "paper.toml", *self.options, start_new_session=True)

    def wait_until_held(self):
        """Wait until it says that it is held."""
        end = time.monotonic() + 30
        while not self.sign.exists():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, self.shell.folder
            time.sleep(0.05)

    def kill(self):
        """Leave nothing behind."""
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def seconds_until_ended(engines):
    """Send SIGTERM to all and return how long each lived on; one that does not end counts as endless."""
    start = time.monotonic()
    for engine in engines.values():
        engine.process.send_signal(signal.SIGTERM)
    lived = {}
    while len(lived) < len(engines) and time.monotonic() - start < 15:
        for name, engine in engines.items():
            if name not in lived and engine.process.poll() is not None:
                lived[name] = time.monotonic() - start
        time.sleep(0.02)
    return {name: lived.get(name, float("inf")) for name in engines}


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
        lived = seconds_until_ended(engines)
        codes = {name: engine.process.returncode for name, engine in engines.items()}
    finally:
        for engine in engines.values():
            engine.kill()

    assert {name: s for name, s in lived.items() if s > SECONDS_MAX + SLACK_SECONDS} == {}
    expected = {name: ExitCode.OK if name in CLEAN else ExitCode.UNAVAILABLE for name in HOLDS}
    assert codes == expected
    for name, engine in engines.items():
        if engine.journal.exists():
            assert journal_verify(engine.journal).status in {"intact", "torn"}, name


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
    engine = Held(tmp_path / "one", once)
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
        lived = seconds_until_ended({"the start": engine})["the start"]
    finally:
        engine.kill()
    assert lived <= SECONDS_MAX + SLACK_SECONDS
    assert engine.process.returncode == ExitCode.UNAVAILABLE
    assert journal_verify(engine.journal).status in {"intact", "torn"}


@pytest.mark.timeout(60)
def test_ctrl_c_ends_a_backtest_that_python_cannot_stop(tmp_path):
    """The other commands end by SIGTERM as every program does; Ctrl-C waits for Python, but not for ever."""
    shell = CommandLine(tmp_path)
    shell.write("held.py", CALLBACK.format(top=f"say(); {REGEX}", hold="pass"))
    shell.write(
        "backtest.toml",
        'mode = "backtest"\n[account]\nname = "past"\ncash = 10_000\n[[instruments]]\nsymbol = "ABC"\n'
        'tick_size = 0.01\n[data]\npath = "bars.csv"\n[strategy]\nclass = "held.py:Held"\n',
    )
    with shell.start("backtest", "backtest.toml") as process:
        end = time.monotonic() + 20
        while not (tmp_path / "held").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.3)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        lived = time.monotonic() - start
    assert lived <= SECONDS_MAX + SLACK_SECONDS
    assert process.returncode == ExitCode.INTERRUPTED


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
    engine = Held(tmp_path / "one", TERMINATES_CHILD)
    engine.start()
    try:
        engine.wait_until_held()
        # As a shell says that a signal ended a program: 128 and its number.
        assert engine.sign.with_name("child").read_text() == "143"
        time.sleep(5.5)
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
