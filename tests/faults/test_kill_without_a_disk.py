"""A kill needs no disk: the engine stops first, and what could not be written is said last."""

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
    pytest.mark.timeout(120),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts of Linux"),
]


class Disk:
    """A small file system for the state directory, with the journals on another one."""

    def __init__(self, place) -> None:
        self.place = place
        self._is_bound = False

    def fill(self):
        """Leave no room on it."""
        with (self.place / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError:
                pass

    def make_read_only(self):
        """Take no writing any more, as a disk with errors does; what is open already is left alone."""
        place = str(self.place)
        subprocess.run(["mount", "--bind", place, place], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        self._is_bound = True

    def mend(self):
        """Give it room and let it be written to."""
        if self._is_bound:
            subprocess.run(["umount", str(self.place)], check=True)
            self._is_bound = False
        (self.place / "ballast").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    """A file system of 256 kB where the state directory is, or the test is skipped."""
    place = tmp_path / "state"
    place.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True
        )
    except OSError as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    disk = Disk(place)
    yield disk
    disk.mend()
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def desk(tmp_path, monkeypatch, disk):
    """A desk whose state directory is the small disk, and whose journal is elsewhere."""
    desk = NearDesk(tmp_path, monkeypatch)
    yield desk
    desk.close()


def started(desk):
    """Start an engine whose journal and tables are on a disk that works."""
    process = desk.start(
        "--set", f"journal.path={desk.directory / 'journal'}", "--set", "database.enabled=false"
    )
    desk.wait_until(lambda: desk.engine().get("orders", 0) > 0)
    return process


def last_line(done):
    """Return the last line that a command said."""
    return (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("command", ["kill", "emergency-stop"])
@pytest.mark.without(
    "state directory",
    works=(
        "`kill` and `emergency-stop` stop the engine; code 8 says that the latch is missing, and "
        "the journal holds the kill for the next start"
    ),
)
def test_an_engine_is_killed_though_its_latch_cannot_be_written(desk, disk, command):
    """No order leaves any more; the code says that the latch is missing, the journal holds the kill."""
    process = started(desk)
    disk.make_read_only()
    killed = desk.call(command, "one", code=ExitCode.UNLATCHED)

    assert desk.engine()["is_killed"] is True
    assert "--new-journal" in last_line(killed)
    assert "tradecore kill one" in last_line(killed)
    orders = desk.engine()["orders"]
    time.sleep(0.5)
    assert desk.engine()["orders"] == orders
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == ExitCode.OK
    assert json.loads(output)["is_killed"] is True

    disk.mend()
    again = desk.start(
        "--set", f"journal.path={desk.directory / 'journal'}", "--set", "database.enabled=false"
    )
    desk.wait_until(lambda: desk.engine()["is_killed"])
    again.kill()


def test_a_full_disk_has_room_for_the_name_of_the_latch(desk, disk):
    """The words do not fit, and nobody needs them: the next start is killed."""
    process = started(desk)
    disk.fill()
    desk.call("kill", "one", code=ExitCode.OK)
    assert desk.engine()["is_killed"] is True
    assert (disk.place / "one" / "kill.latch").read_bytes() == b""
    process.kill()
    process.wait()
    (disk.place / "ballast").unlink()
    started_anew = ("--set", f"journal.path={desk.directory / 'new'}", "--set", "database.enabled=false")
    desk.start(*started_anew)
    desk.wait_until(lambda: desk.engine()["is_killed"])
    assert desk.engine()["orders"] == 0


@pytest.mark.without(
    "state directory",
    works=(
        "`emergency-stop` ends an engine that hangs; its last line says that nothing holds the "
        "kill, and what to do before the next start"
    ),
)
def test_an_engine_that_hangs_is_ended_though_its_latch_cannot_be_written(desk, disk):
    """Neither journal nor latch has the kill: the last line says so, and what to do before the next start."""
    process = started(desk)
    disk.make_read_only()
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    stopped = desk.call("emergency-stop", code=ExitCode.UNLATCHED)

    assert time.monotonic() - began < 6
    assert process.wait(5) == -signal.SIGKILL
    assert last_line(stopped).startswith("one: NOTHING ON DISK KEEPS ITS NEXT START FROM TRADING")
    assert "then `tradecore kill one`, then start" in last_line(stopped)
    disk.mend()
    desk.call("kill", "one", code=ExitCode.OK)
    assert desk.status()["is_kill_latched"] is True


def test_a_kill_of_an_account_without_an_engine_says_that_nothing_holds_it(desk, disk):
    """There is nothing to stop, and the next start would trade."""
    desk.call("kill", "one", code=ExitCode.NOT_RUNNING)
    desk.call("kill", "--release", "one", code=ExitCode.OK)
    disk.make_read_only()
    killed = desk.call("kill", "one", code=ExitCode.UNLATCHED)
    assert "NOTHING ON DISK" in last_line(killed)


@pytest.mark.without(
    "control socket",
    works=(
        "a kill that is not answered is on the disk for the next start, and the message names what "
        "ends the engine now"
    ),
)
def test_a_kill_that_an_engine_does_not_answer_is_latched_all_the_same(desk):
    """It may go on later: the next start is killed, and the message names what ends it now."""
    process = started(desk)
    process.send_signal(signal.SIGSTOP)
    killed = desk.call("kill", "one", code=ExitCode.HUNG)
    assert "NOT STOPPED" in killed.stderr
    assert "emergency-stop" in last_line(killed)
    process.send_signal(signal.SIGCONT)
    desk.wait_until(lambda: desk.status()["is_kill_latched"])


HANGS = """
import builtins
import io
import os
import threading


def hanging(real):
    def call(path, *arguments, **options):
        if "/state/one" in str(path):
            threading.Event().wait(60)
        return real(path, *arguments, **options)

    return call


builtins.open = io.open = hanging(io.open)
for name in ("open", "stat", "lstat", "mkdir", "scandir", "listdir"):
    setattr(os, name, hanging(getattr(os, name)))
"""


@pytest.mark.without("state directory", works="a disk that does not answer holds no stop")
def test_a_disk_that_hangs_does_not_hold_the_stop(desk, tmp_path):
    """No call about the state directory comes back: the engine is killed, one that hangs is ended."""
    process = started(desk)
    (tmp_path / "hangs").mkdir()
    (tmp_path / "hangs" / "sitecustomize.py").write_text(HANGS)
    desk.environment["PYTHONPATH"] = os.fspath(tmp_path / "hangs")
    desk.call("emergency-stop", "one", code=ExitCode.OK)
    assert desk.engine()["is_killed"] is True
    process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    stopped = desk.call("emergency-stop", "one", code=ExitCode.UNLATCHED)
    assert time.monotonic() - began < 8
    assert process.wait(5) == -signal.SIGKILL
    assert "its disk may hang" in stopped.stderr
