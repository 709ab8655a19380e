"""What a shell does to a command: closes its output, interrupts it, starts it twice."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from support.command_line import BACKTEST, PAPER, CommandLine, bars
from tradecore_api.exit_codes import ExitCode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")

SLOW = """
from pathlib import Path


class Slow:
    def on_start(self, ctx):
        Path(__file__).with_name("started").touch()

    def on_bar(self, ctx, bar):
        sum(range(200_000))
"""
CONTROLS = ["pause", "resume", "flatten", "kill", "emergency-stop", "status"]


@pytest.fixture
def shell(tmp_path):
    """A folder with good files."""
    shell = CommandLine(tmp_path)
    shell.write("past.toml", BACKTEST)
    shell.write("paper.toml", PAPER)
    shell.write("slow.py", SLOW)
    return shell


def wait_until(is_true):
    """Poll until something is so."""
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_reader_that_has_seen_enough_is_no_error(shell):
    """`| head -1` ends the command quietly with 0, whether the output is small or large."""
    journal = ("--set", "journal.path=journal", "--set", "log.level=error")
    shell.run("run", "paper.toml", *journal)
    for command in (["config", "schema"], ["journal", "export", "journal"]):
        with shell.start(*command) as process:
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
            assert process.wait(20) == ExitCode.OK


def test_an_output_that_cannot_be_written_is_one_error(shell):
    """A full device behind stdout is a storage error, not a lost result with code 0."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        arguments = [sys.executable, "-m", "tradecore_api", "config", "schema"]
        done = subprocess.run(
            arguments, env=shell.environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20
        )
    assert done.returncode == ExitCode.STORAGE
    assert done.stderr.splitlines() == [
        "tradecore: standard output: cannot be written: No space left on device"
    ]


def test_ctrl_c_ends_a_backtest_with_130_and_one_line(shell):
    """There is no result yet, so none is printed."""
    shell.write("bars.csv", bars(5000))

    def as_in_a_terminal():
        """Take Ctrl-C, which tests that a script runs in the background ignore."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with shell.start(
        *("backtest", "past.toml", "--set", f"strategy.class={shell.folder}/slow.py:Slow"),
        preexec_fn=as_in_a_terminal,
    ) as process:
        wait_until((shell.folder / "started").exists)
        process.send_signal(signal.SIGINT)
        output, talk = process.communicate(timeout=10)
    assert process.returncode == ExitCode.INTERRUPTED
    assert (output, talk) == ("", "tradecore: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["run", "demo"])
def test_ctrl_c_ends_a_session_cleanly_with_its_summary(shell, command, number):
    """The journal is intact to its last byte, and a run that is started again goes on."""
    journal = shell.folder / "journal"
    options = {
        "run": ("paper.toml", "--set", f"journal.path={journal}", "--set", "feed.seconds=5000"),
        "demo": ("--virtual", "--seconds", "5000", "--journal", journal),
    }[command]
    with shell.start(command, *options, "--json") as process:
        wait_until(lambda: journal.exists() and journal.stat().st_size > 50_000)
        process.send_signal(number)
        output, talk = process.communicate(timeout=10)
    assert process.returncode == ExitCode.OK, talk
    assert "Traceback" not in talk
    summary = json.loads(output)
    assert summary["is_interrupted"] is True
    assert summary["journal_verified"] is True
    verdict = json.loads(shell.run("journal", "verify", journal, "--json")[0])
    assert verdict["head"] == summary["journal_head"]


def test_of_runs_started_at_one_instant_exactly_one_wins(shell):
    """The others end with 75 and name the pid of the winner."""
    options = ("--set", "feed.virtual=false", "--set", "feed.seconds=2", "--set", "log.level=error", "--json")
    processes = [shell.start("run", "paper.toml", *options) for _ in range(4)]
    ends = [(*process.communicate(timeout=30), process.returncode) for process in processes]
    winners = [process.pid for process in processes if process.returncode == ExitCode.OK]
    assert len(winners) == 1
    for output, talk, code in ends:
        if code != ExitCode.OK:
            assert code == ExitCode.ALREADY_RUNNING
            assert output == ""
            assert f"already runs as pid {winners[0]}" in talk
            assert "stop it with `tradecore stop " in talk
    assert json.loads(next(output for output, _, code in ends if code == ExitCode.OK))["journal_verified"]


@pytest.mark.parametrize("command", CONTROLS)
def test_controls_of_an_account_that_is_unknown_say_so(shell, command):
    """No engine is an answer with a code; a name that was never seen is doubted aloud."""
    latches = command in {"kill", "emergency-stop"}
    output, talk = shell.run(command, "typo", code=ExitCode.NOT_RUNNING)
    assert ("the kill switch is latched" in talk) == latches
    assert ("NOTHING WAS STOPPED: CHECK THE NAME" in talk) == latches
    assert "no engine of it ever ran here, known are: none" in output + talk
    assert "no engine runs" in output + talk or "not running" in output
    shell.refused(command, "../typo", code=ExitCode.CONFIG, says=["'../typo'", "letters, digits"])
    shell.write("file", "")
    no_directory = {"TRADECORE_STATE_DIR": str(shell.folder / "file")}
    if command == "emergency-stop":
        # It has looked at every account when it says which one it could not look at.
        output, talk = shell.run(command, "one", code=ExitCode.STORAGE, environment=no_directory)
        assert talk.startswith("one: ")
    else:
        shell.refused(command, "one", code=ExitCode.STORAGE, says=[], environment=no_directory)


def test_wrong_arguments_end_with_2_and_the_usage(shell):
    """Unknown commands and values are named before anything is touched."""
    for arguments, says in (
        (["nope"], "invalid choice: 'nope'"),
        (["journal", "zap"], "invalid choice: 'zap'"),
        (["demo", "--seconds", "0"], "must be a number above 0"),
        (["demo", "--seconds", "nan"], "must be a number above 0"),
        (["demo", "--seconds", "1e300"], "at most 1e+09"),
        (["journal", "tail", "x", "-n", "-3"], "0 or more"),
    ):
        _, talk = shell.run(*arguments, code=ExitCode.USAGE)
        assert says in talk
        assert "usage: tradecore" in talk
    assert not os.path.exists(shell.folder / "state")  # noqa: PTH110 - nothing more is asked
