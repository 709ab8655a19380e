"""kill -9 while a journal is rotated, packed and loses market events: what was durable is there."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tradecore.domain.journal import JournalFolder, Segments

if sys.platform == "win32":
    pytest.skip("SIGKILL of POSIX", allow_module_level=True)

KILLS = int(os.environ.get("TRADECORE_SEGMENT_KILLS", "25"))
SEED = int(os.environ.get("TRADECORE_SEED", "0")) or random.randrange(1 << 32)
WRITE = """
import sys
from tradecore.domain import EventBatch
from tradecore.domain.journal import JournalFolder, Segments, encode_session_end
journal = JournalFolder(sys.argv[1]).writer(0, Segments(bytes_max=3000, packs=True))
print("open", flush=True)
while True:
    for _ in range(5):
        journal.append(encode_session_end(journal.records, "x" * (journal.records % 50)))
    journal.commit(journal.records % 15 == 0)
    if journal.durable_records == journal.records:
        print(journal.records, flush=True)
"""
KEEP = """
import sys
from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder
journal = JournalFolder(sys.argv[1])
while True:
    try:
        journal.pack()
        journal.drop_market_events(1 << 62)
    except StorageError:
        pass
"""


def started(program, path):
    """Start a program on the journal."""
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def names_of(directory, form):
    """Return the names of a journal's older segments that are plain, packed or an archive."""
    names = [path.name for path in directory.glob("journal.0*") if "unfinished" not in path.name]
    endings = {"packed": ".packed", "archive": ".archive"}
    if form in endings:
        return [name for name in names if name.endswith(endings[form])]
    return [name for name in names if not name.endswith(tuple(endings.values()))]


@pytest.mark.without("process", works="a journal in segments is whole after `kill -9` at any moment")
@pytest.mark.timeout(180)
def test_a_kill_at_any_moment_leaves_a_whole_journal(tmp_path):
    """Of the writer, of its thread that packs, and of a second process that packs and drops."""
    print(f"TRADECORE_SEED={SEED}")
    chance = random.Random(SEED)
    folder = JournalFolder(tmp_path / "journal")
    durable = 0
    for number in range(KILLS):
        with started(WRITE, folder.where) as writer:
            assert writer.stdout.readline() == "open\n"
            keeper = started(KEEP, folder.where) if number % 3 == 0 else None
            time.sleep(chance.uniform(0, 0.15))
            for process in filter(None, (writer, keeper)):
                process.send_signal(signal.SIGKILL)
            said = writer.stdout.read().splitlines()
            if keeper is not None:
                keeper.communicate()
        durable = max([durable, *(int(line) for line in said if line.isdigit())])
        finding = folder.verify()
        assert finding.status in ("intact", "torn"), finding.message
        assert finding.records >= durable
        times = [time_ns for _, time_ns, _, _ in folder.reader()]
        assert times == list(range(finding.records))
    folder.writer(0, Segments(bytes_max=3000)).close()
    folder.pack()
    assert folder.verify().segments > 10
    assert folder.verify().status == "intact"
    assert not names_of(tmp_path, "plain")
    # A retention that was cut short leaves its archive beside the whole segment, for the next one to end. How
    # old the last one is says the record after it, which the newest segment may not have yet.
    folder.drop_market_events(1 << 62)
    assert folder.verify().status == "intact"
    older = folder.verify().segments - 1
    packed, archives = names_of(tmp_path, "packed"), names_of(tmp_path, "archive")
    assert packed in ([], [f"journal.{older:06}.packed"])
    assert {f"journal.{number:06}.archive" for number in range(1, older)} <= set(archives)
    assert len({*packed, *archives}) in (older, older + 1)
