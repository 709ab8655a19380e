"""What is read of a journal while an engine runs takes little memory at once, however much there is to read.

Small pieces are not given back to the system as long as one thing that stays lies among them: what is needed
for a moment is needed for good.
"""

import tracemalloc

import pytest

from support.remembered import BuysAndSells, answers, live_engine
from tradecore._core import DecodedFrames
from tradecore.domain import DataError, EventBatch
from tradecore.domain.journal import JournalFolder, decode_frames
from tradecore.domain.record import records_in
from tradecore.runtime.frames import scan
from tradecore.runtime.journal_tail import JournalTail

MIB = 1 << 20
ORDERS = 3_000


@pytest.fixture(scope="module")
def groups():
    """Return the frames of some thousand orders, each filled, in the groups in which they are committed."""
    strategy = BuysAndSells()
    engine, made, now_ns = live_engine(strategy), [], 1_000_000_000
    for number in range(ORDERS + 1):
        now_ns += 5_000_000
        batch = EventBatch()
        if number:
            batch.quote(now_ns, 0, 99, 50, 101, 50)
        else:
            batch.agreement(now_ns, 0, True)
        engine.feed(batch)
        engine.run()
        if number:
            batch = EventBatch()
            answers(batch, now_ns, strategy.last)
            engine.feed(batch)
            engine.run()
        made.append(engine.take_frames())
    return made


def memory_of(work):
    """Return what work leaves behind in bytes, and how much more it took meanwhile."""
    tracemalloc.start()
    try:
        result = work()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result
    return kept, peak - kept


def test_records_are_read_one_by_one(groups):
    """A list of their values as dictionaries would be in memory beside them: more than all records."""
    effects = scan(b"".join(groups)).effects
    count = len(decode_frames(effects))
    assert count >= 4 * ORDERS
    kept, more = memory_of(lambda: records_in(effects, range(count)))
    assert kept > MIB
    assert more < MIB // 8, f"{more / MIB:.1f} MiB beside {kept / MIB:.1f}"


def test_frames_read_one_by_one_say_what_the_list_of_them_says(groups):
    """To the last one; and what is no frame is said with its number, after those before it."""
    frames = b"".join(groups[:50])
    listed = decode_frames(frames)
    assert list(DecodedFrames(frames)) == listed
    assert list(DecodedFrames(b"")) == []
    reader = DecodedFrames(frames[:-1])
    assert [next(reader) for _ in listed[:-1]] == listed[:-1]
    for _ in range(2):
        with pytest.raises(DataError, match=f"journal frame {len(listed) - 1}"):
            next(reader)


def test_a_part_for_the_tables_is_small_however_far_they_are_behind(groups, tmp_path):
    """And all parts together are the journal."""
    folder = JournalFolder(tmp_path / "journal")
    writer = folder.writer(0)
    for frames in groups:
        writer.append(frames)
        writer.commit(False)
    writer.commit(True)
    records = writer.records
    writer.close()
    assert (tmp_path / "journal").stat().st_size > MIB

    tail, seqs = JournalTail(folder), []
    while True:
        parts = []
        tracemalloc.start()
        try:
            parts.append(tail.next_part())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        if parts[0] is None:
            break
        assert peak < 2 * MIB, f"{peak / MIB:.1f} MiB"
        seqs += [record.seq for record in parts[0].records]
    assert tail.records == records
    assert seqs == sorted(set(seqs))
    assert len(seqs) >= 4 * ORDERS
