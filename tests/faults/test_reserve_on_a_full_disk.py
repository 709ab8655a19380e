"""A full disk leaves time: the journal goes on in room that was kept for it, and new risk waits."""

import json
import sys
import time

import pytest

from support.command_line import PAPER, CommandLine
from support.disks import small_disk
from tradecore.domain.journal import JournalFolder, Segments, encode_session_end

if sys.platform == "win32":
    pytest.skip("mounts of POSIX", allow_module_level=True)

PACED = {"TRADECORE_DATABASE__ENABLED": "false", "TRADECORE_FEED__VIRTUAL": "false"}
MEBIBYTE = 1 << 20


def fill(path):
    """Write to a file until the disk is full."""
    piece = 1 << 16
    with path.open("wb", buffering=0) as ballast:
        while piece:
            try:
                if not ballast.write(b"x" * piece):
                    return
            except OSError:
                piece //= 2


def waited(condition):
    """Wait until something is so, and return what it is."""
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
    return found


@pytest.fixture
def disk(tmp_path):
    """A file system of 4 MiB, or the test is skipped."""
    with small_disk(tmp_path / "disk", 4096) as place:
        yield place


@pytest.mark.without(
    "journal disk",
    works="on a full disk an engine takes no new risk and says so, is resumed once there is room, or killed",
)
@pytest.mark.timeout(180)
@pytest.mark.parametrize("is_killed", [False, True])
def test_an_engine_goes_on_in_its_reserve_and_needs_no_restart(tmp_path, disk, is_killed):
    """Its commands are in the journal, which is whole."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER.replace("seconds = 5", "seconds = 600"))
    journal = disk / "full.journal"
    settings = (f"journal.path={journal}", "journal.reserve_mb=1", "log.json=true")
    arguments = ["run", "paper.toml", *(part for each in settings for part in ("--set", each)), "--json"]
    with shell.start(*arguments, environment=PACED) as process:

        def status():
            with shell.start("status", "one", "--json") as asked:
                output = asked.communicate(timeout=30)[0]
            return json.loads(output)["engine"] if output else None

        try:
            waited(lambda: (disk / "full.journal.reserve").exists() and status())
            fill(disk / "ballast")
            alarm = waited(lambda: status()["alarms"])[0]
            assert "is full: the journal goes on in the room that was kept" in alarm
            assert not (disk / "full.journal.reserve").exists()
            assert waited(lambda: status()["is_paused"])
            assert "the disk of the journal is full" in status()["paused_by"]
            if is_killed:
                shell.run("kill", "one")
            else:
                (disk / "ballast").unlink()
                waited(lambda: not status()["alarms"])
                assert (disk / "full.journal.reserve").stat().st_size == MEBIBYTE
                assert status()["is_paused"]
                shell.run("resume", "one")
                assert not status()["is_paused"]
            shell.run("stop", "one")
            process.communicate(timeout=30)
        finally:
            process.kill()
    folder = JournalFolder(journal)
    assert folder.verify().status == "intact"
    said = [fields["command"] for _, _, kind, fields in folder.reader() if kind == "command"]
    assert said == (["safety_pause", "kill"] if is_killed else ["safety_pause", "resume"])
    assert sorted(path.name for path in disk.iterdir() if "reserve" in path.name) == []


def test_room_is_kept_when_there_is_room_and_spent_once(disk):
    """It is made anew only where the disk has more than it takes; it goes with the writer."""
    folder = JournalFolder(disk / "journal")
    frame = encode_session_end(1, "x" * 1_000)
    writer = folder.writer(0, Segments(reserve_bytes=MEBIBYTE))
    reserve = disk / "journal.reserve"
    assert reserve.stat().st_size == MEBIBYTE
    assert folder.keep_reserve()
    fill(disk / "ballast")
    for _ in range(300):
        writer.append(frame)
        writer.commit(True)
    assert not reserve.exists()
    assert not folder.keep_reserve()
    assert writer.durable_records == 300
    (disk / "ballast").unlink()
    assert folder.keep_reserve()
    assert reserve.exists()
    writer.close()
    assert not reserve.exists()
    assert folder.verify().records == 300


def test_what_a_killed_process_kept_is_room_for_the_next(disk):
    """A start takes it away before it needs any."""
    folder = JournalFolder(disk / "journal")
    folder.writer(0).close()
    (disk / "journal.reserve").write_bytes(b"x" * MEBIBYTE)
    fill(disk / "ballast")
    writer = folder.writer(0)
    writer.append(encode_session_end(1, "x"))
    writer.close()
    assert not (disk / "journal.reserve").exists()
