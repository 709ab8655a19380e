"""Processes that die, disks that are full and readers that look on while a journal is written."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import (
    JournalFolder,
    encode_session_end,
)

WRITER = """
import sys
from tradecore.domain.journal import JournalWriter, encode_session_end
writer = JournalWriter.open(sys.argv[1], 0)
print("open", writer.records, flush=True)
while True:
    for _ in range(1 + writer.records % 7):
        writer.append(encode_session_end(writer.records, "x" * (writer.records * 37 % 900)))
    is_durable = writer.records % 3 == 0
    writer.commit(is_durable)
    # Only a process dies here, so every commit counts, durable or not.
    print("done", writer.records, flush=True)
"""

FULL_DISK = """
import resource, sys
from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalWriter, encode_session_end
writer = JournalWriter.open(sys.argv[1], 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
acknowledged, errors = 0, []
for number in range(600):
    try:
        writer.append(encode_session_end(number, "x" * 300))
        writer.commit(True)
        assert not errors, "acknowledged after a failure"
        acknowledged = writer.durable_records
    except StorageError as error:
        errors.append(str(error))
print(acknowledged)
print(len(errors))
print(errors[0])
print(errors[-1])
"""


def frame(number: int) -> bytes:
    """Make the frame the child process makes for this number."""
    return encode_session_end(number, "x" * (number * 37 % 900))


def test_a_killed_writer_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Twelve kills at random moments: whatever was committed is there once, in order."""
    path, seed = tmp_path / "a.journal", random.Random(7)
    acknowledged = 0
    for _ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            opened = int(child.stdout.readline().split()[1])
            assert opened >= acknowledged
            time.sleep(seed.uniform(0.001, 0.05))
            child.send_signal(signal.SIGKILL)
            told = [line.split()[1] for line in child.stdout if line.endswith("\n")]
        acknowledged = max([opened, *map(int, told)])
        assert JournalFolder(path).verify().status in {"intact", "torn"}
        assert JournalFolder(path).verify().records >= acknowledged
    frames, reader = b"", JournalFolder(path).reader()
    while piece := reader.read_frames(1 << 22):
        frames += piece
    assert acknowledged > 50
    assert frames == b"".join(frame(number) for number in range(reader.records))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    """After the disk said no once nothing is acknowledged; what was acknowledged before is whole."""
    path = tmp_path / "a.journal"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True, timeout=30
    )
    acknowledged, errors, first, last = done.stdout.splitlines()
    assert int(acknowledged) > 100
    assert int(acknowledged) + int(errors) == 600
    assert str(path) in first
    assert "cannot write" in first
    assert "raise the file size limit" in first
    assert "writes nothing any more after its first failure" in last
    assert JournalFolder(path).verify().status in {"intact", "torn"}
    writer = JournalFolder(path).writer(0)
    assert writer.records >= int(acknowledged)
    writer.append(frame(writer.records))
    writer.close()
    assert JournalFolder(path).verify().status == "intact"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_an_unwritable_directory_is_one_clear_error(tmp_path: Path) -> None:
    """The error names the file and says that the directory must be writable."""
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="make file and directory writable"):
        JournalFolder(tmp_path / "a.journal").writer(0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_place_without_files_is_one_clear_error() -> None:
    """A file system that takes no files gives `StorageError` with the path, as root too."""
    with pytest.raises(StorageError, match=r"^/proc/a\.journal: cannot create the lock file"):
        JournalFolder("/proc/a.journal").writer(0)


def test_a_reader_sees_only_whole_groups_while_another_thread_writes(tmp_path: Path) -> None:
    """Everything read at any moment is a prefix of what was written, and in the end it is all of it."""
    path, groups = tmp_path / "a.journal", 400
    writer = JournalFolder(path).writer(0)
    reader, seen = JournalFolder(path).reader(), b""

    def write() -> None:
        for number in range(groups):
            writer.append(b"".join(frame(number * 8 + place) for place in range(8)))
            writer.commit(number % 50 == 0)

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive() or reader.records < writer.records:
        seen += reader.read_frames(1 << 16)
        assert reader.records % 8 == 0
        assert JournalFolder(path).verify().status in {"intact", "torn"}
    thread.join()
    assert seen == b"".join(frame(number) for number in range(groups * 8))
