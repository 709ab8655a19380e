"""Nothing that talks can stop what trades: output that nobody takes is left out, counted, and told later."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from support.near_desk import NearDesk
from tradecore_api.exit_codes import ExitCode

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes and descriptors of Linux"),
]
F_SETPIPE_SZ = 1031
CHATTY = '''
import sys


class Chatty:
    """Prints much at every look at the book, to both streams, and trades on."""

    seen = 0

    def on_book(self, ctx, book):
        """Talk, and take a little."""
        self.seen += 1
        print("x" * 20_000)
        print("y" * 20_000, file=sys.stderr)
        if self.seen % 20 == 0:
            side = ctx.buy if self.seen % 40 else ctx.sell
            side(quantity=0.01)
'''


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk with a strategy that talks."""
    desk = NearDesk(tmp_path, monkeypatch)
    (tmp_path / "chatty.py").write_text(CHATTY)
    text = desk.config.read_text().replace("quantity = 0.01\nposition_max = 0.05\n", "")
    desk.config.write_text(
        text.replace("tradecore_api.demo_strategies:Quoter", f"{tmp_path / 'chatty.py'}:Chatty")
    )
    yield desk
    desk.close()


def start(desk, **options):
    """Start the engine with output that goes into pipes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tradecore_api", "run", str(desk.config), "--json"],
        env=desk.environment,
        **options,
    )
    desk.processes.append(process)
    desk.wait_until(lambda: desk.status()["state"] == "running" and desk.engine(), process)
    return process


def small_pipe():
    """Return the ends of a pipe that is full soon."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    return reader, writer


@pytest.mark.without(
    "log and output",
    works="the engine trades on, what does not fit is counted, and SIGTERM ends it in time",
)
def test_a_pipe_that_nobody_reads_holds_neither_the_engine_nor_its_end(desk):
    """It trades on, `status` has the count, SIGTERM ends it in time, and the journal is whole."""
    reader, writer = small_pipe()
    process = start(desk, stdout=writer, stderr=writer)
    os.close(writer)
    desk.wait_until(lambda: desk.engine()["output_lines_dropped"] > 10, process)
    orders = desk.engine()["orders"]
    desk.wait_until(lambda: desk.engine()["orders"] > orders + 2, process)

    assert "lines were left out" in desk.call("status", "one").stdout
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == ExitCode.OK
    assert time.monotonic() - began < 5
    os.close(reader)
    desk.call("journal", "verify", str(desk.directory / "state/one/engine.journal"), code=ExitCode.OK)


def test_what_was_left_out_is_told_when_the_pipe_flows_again(desk):
    """A line of the log says how many lines are missing."""
    reader, writer = small_pipe()
    process = start(desk, stdout=subprocess.DEVNULL, stderr=writer)
    os.close(writer)
    desk.wait_until(lambda: desk.engine()["output_lines_dropped"] > 10, process)
    said = b""
    with os.fdopen(reader, "rb") as pipe:
        while b"lines of output were left out because nobody took them" not in said[-4000:]:
            said = said[-4000:] + pipe.readline()
        process.send_signal(signal.SIGTERM)
        pipe.read()
    assert process.wait(10) == ExitCode.OK


@pytest.mark.without(
    "log and output",
    works="a reader that went away and a full disk behind the log hold nobody",
)
def test_a_reader_that_went_away_and_a_full_disk_hold_nobody(desk):
    """Every write fails: the engine trades on, and its end says what standard output said."""
    reader, writer = os.pipe()
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        process = start(desk, stdout=full, stderr=writer)
    os.close(writer)
    os.close(reader)
    desk.wait_until(lambda: desk.engine()["output_lines_dropped"] > 10, process)
    orders = desk.engine()["orders"]
    desk.wait_until(lambda: desk.engine()["orders"] > orders + 2, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == ExitCode.STORAGE
    assert desk.status()["last_words"]["is_clean"] is True


HOLDS = '''
import time


class Holds:
    """Holds the loop once."""

    def on_book(self, ctx, book):
        """Sleep for longer than the end may take."""
        time.sleep(60)
'''


def test_the_end_by_force_waits_for_no_output(desk):
    """The pipe is full and the loop is held: the process ends at its deadline and not later."""
    (desk.directory / "chatty.py").write_text(HOLDS.replace("class Holds", "class Chatty"))
    reader, writer = small_pipe()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tradecore_api",
            "run",
            str(desk.config),
            "--set",
            "daemon.stop_timeout_ms=2000",
        ],
        env=desk.environment,
        stdout=writer,
        stderr=writer,
    )
    desk.processes.append(process)
    os.set_blocking(writer, False)
    desk.wait_until(lambda: desk.status()["state"] in ("running", "hung"), process)
    desk.wait_until((desk.directory / "state/one/control.json").exists, process)
    time.sleep(0.5)
    try:
        while True:
            os.write(writer, b"x" * 512)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    os.close(writer)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == ExitCode.UNAVAILABLE
    assert time.monotonic() - began < 4
    os.close(reader)
    assert "ended by force" in desk.status()["last_words"]["reason"]


@pytest.mark.without(
    "descriptors",
    works="where standard descriptors are closed, neither lock nor journal gets one",
)
def test_no_lock_and_no_journal_gets_a_standard_descriptor(desk):
    """Where the caller closed them, the null device is there instead, and nothing is printed into a file."""
    closed = f'exec "{sys.executable}" -m tradecore_api run "{desk.config}" <&- >&- 2>&-'
    process = subprocess.Popen(["sh", "-c", closed], env=desk.environment)
    desk.processes.append(process)
    desk.wait_until(lambda: desk.status()["state"] == "running" and desk.engine(), process)
    files = desk.resident(process)
    assert [files[number] for number in (0, 1, 2)] == ["/dev/null"] * 3
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == ExitCode.OK
    state = desk.directory / "state" / "one"
    assert (state / "engine.lock").read_text().strip() == str(process.pid)
    desk.call("journal", "verify", str(state / "engine.journal"), code=ExitCode.OK)


def test_closed_descriptors_are_no_error_for_any_command(desk):
    """A command whose output nobody wants does its work."""
    kill = f'exec "{sys.executable}" -m tradecore_api kill one <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", kill], env=desk.environment, timeout=20)
    # No engine of this name ever ran; it is latched all the same.
    assert done.returncode == ExitCode.NOT_RUNNING
    assert json.loads((desk.directory / "state/one/kill.latch").read_text())["reason"] == "kill"
