"""The demo on the local venue: it compares both sides, ends by itself or on Ctrl-C, and leaves nothing."""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from support.command_line import CommandLine
from tradecore_api.exit_codes import ExitCode

if sys.platform != "linux":
    pytest.skip("children are found in /proc", allow_module_level=True)

from support.terminal import Terminal


@pytest.fixture
def shell(tmp_path):
    """Return a folder of commands, whose temporary files go to a folder of their own with a short name."""
    made = CommandLine(tmp_path)
    with tempfile.TemporaryDirectory(prefix="t") as temporary:
        made.temporary = Path(temporary)
        made.environment["TMPDIR"] = temporary
        yield made


def children(pid):
    """Return the numbers of the processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    """Tell whether a process runs, or has ended without anybody having asked how."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(is_so, seconds=20):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def both(pid):
    """Return venue and engine of a demo once the engine trades."""
    found = until(lambda: children(pid) if len(children(pid)) == 2 else None)
    names = {}
    for child in found:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        names["venue" if b"serve" in words else "engine"] = child
    return names


def nothing_is_left(shell, processes):
    """Tell whether neither a process nor a file of a demo is there any more."""
    return not any(map(is_alive, processes)) and not list(shell.temporary.iterdir())


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_after_chaos_the_books_and_the_venue_are_the_same(shell):
    """With faults at the venue and an engine that is killed: orders, fills, positions and cash."""
    demo = shell.start("demo", "--chaos", "--seconds", "12", "--seed", "5", "--journal", "j", "--json")
    output, talk = demo.communicate(timeout=120)
    assert demo.returncode == ExitCode.OK, output + talk
    said = json.loads(output)

    assert said["is_same"] is True
    assert said["kills"] >= 1
    assert sum(said["faults"].values()) >= 1
    compared = said["comparison"]
    assert compared["orders_there"] == compared["orders_booked"] > 10
    assert compared["fills_there"] == compared["fills_booked"] > 2
    assert compared["cash_there"] == compared["cash_booked"] != "100000"
    assert list(shell.temporary.iterdir()) == []
    shell.run("journal", "verify", "j")


@pytest.mark.slow
def test_ctrl_c_on_a_terminal_ends_both_and_leaves_nothing_behind(shell):
    """The screen is as before, orders are ended and compared, and no process is left."""
    command = [sys.executable, "-m", "tradecore_api", "demo", "--live", "--seconds", "600", "--json"]
    plain = {name: value for name, value in shell.environment.items() if name not in ("NO_COLOR", "TERM")}
    terminal = Terminal(command, plain, shell.folder, columns=110)
    try:
        terminal.read_until(lambda raw: "books and venue agree" in raw and "Quoter" in raw)
        processes = both(terminal.process.pid).values()
        os.write(terminal.master, b"\x03")

        assert terminal.end() == ExitCode.OK
        assert [line for line in terminal.screen() if line.strip()] == []
        assert terminal.is_cursor_shown()
        said = json.loads(terminal.process.stdout.read())
        assert (said["is_interrupted"], said["is_same"]) == (True, True)
        assert nothing_is_left(shell, processes)
    finally:
        terminal.close()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.6, 1.2, 2.0])
def test_ctrl_c_while_they_start_leaves_nothing_behind(shell, seconds):
    """Whatever has begun by then is ended, and there may be nothing to compare."""
    demo = shell.start("demo", "--chaos", "--seconds", "600", "--json")
    until(lambda: children(demo.pid))
    time.sleep(seconds)
    processes = children(demo.pid)
    demo.send_signal(signal.SIGINT)
    output, talk = demo.communicate(timeout=20)

    assert demo.returncode == ExitCode.OK, talk
    assert json.loads(output)["is_interrupted"] is True
    assert nothing_is_left(shell, processes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["venue", "engine"])
def test_one_that_dies_ends_the_other_and_is_named(shell, name):
    """The demo says which one died, ends with 69, and nothing is left."""
    demo = shell.start("demo", "--live", "--seconds", "600")
    processes = both(demo.pid)
    time.sleep(1)
    os.kill(processes[name], signal.SIGKILL)
    _, talk = demo.communicate(timeout=20)

    assert demo.returncode == ExitCode.UNAVAILABLE
    assert f"tradecore: the {name} ended by itself with exit code -9" in talk
    assert "Traceback" not in talk
    assert nothing_is_left(shell, processes.values())


@pytest.mark.slow
def test_venue_and_engine_end_with_a_demo_that_is_killed(shell):
    """Nobody holds their tether any more."""
    demo = shell.start("demo", "--live", "--seconds", "600")
    processes = both(demo.pid).values()
    demo.kill()
    demo.communicate()

    until(lambda: not any(map(is_alive, processes)))


def test_a_live_demo_cannot_run_faster_than_time(shell):
    """A venue outside has a clock of its own."""
    shell.refused("demo", "--live", "--virtual", code=ExitCode.CONFIG, says=["--virtual", "real time"])
    shell.refused("demo", "--chaos", "--virtual", code=ExitCode.CONFIG, says=["--virtual", "real time"])


def test_a_journal_whose_name_no_file_of_settings_can_hold_is_refused(shell):
    """Before anything is started."""
    shell.refused("demo", "--live", "--journal", "j\udcff", code=ExitCode.CONFIG, says=["--journal", "UTF-8"])
