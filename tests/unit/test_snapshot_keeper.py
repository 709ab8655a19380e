"""Who makes snapshots while a session runs: whatever becomes of one, the session goes on and ends as ever."""

import asyncio
import threading
import time
from contextlib import nullcontext

import pytest

from support.sessions import CONFIG, FakeClock, ListFeed, fresh_engine, open_session
from tradecore.domain import snapshot_files
from tradecore.domain.errors import StorageError, StrategyError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.snapshot_files import SnapshotFiles
from tradecore.runtime.recovery import recover_from
from tradecore.runtime.snapshots import SnapshotKeeper, SnapshotSettings, unfit

EVENTS = SnapshotSettings(events=20)


def kept_session(path, settings=EVENTS, **options):
    """Return a session that makes snapshots, and what it is told of those that failed."""
    failed = []
    keeper = SnapshotKeeper(JournalFolder(path), settings, failed.append)
    return open_session(path, keeper=keeper, **options), failed


def state_of(path):
    """Return the state after a run without snapshots."""
    session = open_session(path)
    asyncio.run(session.run())
    return session.engine.state_hash()


def test_a_session_leaves_snapshots_from_which_an_engine_goes_on(tmp_path):
    """The newest stands at the end; each of them leads to the same state."""
    path = tmp_path / "journal"
    session, failed = kept_session(path)
    asyncio.run(session.run())
    folder = JournalFolder(path)
    newest, before = (folder.snapshots.read(each) for each in folder.snapshots.paths())
    assert newest.head.seq == folder.verify().records > before.head.seq
    for snapshot in (newest, before):
        engine = fresh_engine()
        assert unfit(snapshot, engine, (), folder.first_hash()) == ""
        recovered = recover_from(folder, engine, CONFIG, snapshot)
        assert recovered.is_complete
        assert engine.state_hash() == session.engine.state_hash() == state_of(tmp_path / "other")
    assert failed == []


@pytest.mark.without("disk", works="a session goes on without snapshots, and says so once")
def test_a_disk_without_room_keeps_the_session_from_nothing(tmp_path, monkeypatch):
    """The journal needs the room more: no snapshot is written where there is little left."""
    monkeypatch.setattr(snapshot_files, "_free_bytes", lambda directory: 1_000)
    session, failed = kept_session(tmp_path / "journal")
    asyncio.run(session.run())
    assert len(failed) == 1
    assert "too little room" in failed[0]
    assert JournalFolder(tmp_path / "journal").snapshots.paths() == []
    assert session.engine.state_hash() == state_of(tmp_path / "other")


def test_a_disk_that_says_no_leaves_the_snapshots_before_it(tmp_path, monkeypatch):
    """Nothing unfinished stays either."""
    path = tmp_path / "journal"
    session, _ = kept_session(path)
    asyncio.run(session.run())
    folder = JournalFolder(path)
    names = [each.name for each in folder.snapshots.paths()]
    snapshot = folder.snapshots.read(folder.snapshots.paths()[0])

    def refuse(path, data):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(snapshot_files, "_write_durably", refuse)
    with pytest.raises(StorageError, match="no space left"):
        folder.snapshots.write(snapshot)
    assert [each.name for each in folder.snapshots.paths()] == names
    assert not list(tmp_path.glob("*unfinished*"))


def test_a_disk_that_hangs_holds_neither_a_group_nor_the_end(tmp_path, monkeypatch):
    """The end waits for the last snapshot a second at most, and the thread does not hold the process."""
    release = threading.Event()
    monkeypatch.setattr(SnapshotFiles, "write", lambda self, snapshot: release.wait(20))
    session, failed = kept_session(tmp_path / "journal")
    begun = time.monotonic()
    asyncio.run(session.run())
    release.set()
    assert time.monotonic() - begun < 15
    assert failed == ["the disk took too long for the last one"]
    assert session.is_end_journalled


@pytest.mark.parametrize(
    ("kept", "loses", "is_fit"),
    [
        ({"wins": 3, "seen": {"b", "a"}}, False, True),
        ({"wins": 3, "seen": {"b", "a"}}, True, False),
        (float("nan"), False, True),
        (None, False, True),
        ([1, [2.5, {"a": b"x"}]], True, False),
    ],
)
def test_a_state_that_a_strategy_does_not_take_up_whole_is_not_gone_on_from(tmp_path, kept, loses, is_fit):
    """Without records after it nothing else would show that; what was a set may come in another order."""

    def keeps(engine, state):
        strategy = engine.strategies[0].strategy
        strategy.save_state = lambda ctx: state

        def load_state(ctx, state):
            whole = state
            if isinstance(state, dict):
                whole = {"seen": state["seen"][::-1], "wins": state["wins"]}
            strategy.save_state = lambda ctx: None if loses else whole

        strategy.load_state = load_state
        return engine

    path = tmp_path / "journal"
    session, failed = kept_session(path)
    keeps(session.engine, kept)
    asyncio.run(session.run())
    assert failed == []
    folder = JournalFolder(path)
    newest = folder.snapshots.read(folder.snapshots.paths()[0])
    with nullcontext() if is_fit else pytest.raises(StrategyError, match="a part of it is lost"):
        recover_from(folder, keeps(fresh_engine(), None), CONFIG, newest)


def test_a_state_that_cannot_be_kept_is_said_once(tmp_path):
    """What is wrong stays the same; the time of the engine, which does not, is no part of it."""
    session, failed = kept_session(tmp_path / "journal")

    def save_state(ctx):
        raise ValueError("not now")

    session.engine.strategies[0].strategy.save_state = save_state
    asyncio.run(session.run())
    assert len(failed) == 1, failed
    assert "save_state" in failed[0]
    assert "not now" in failed[0]


def test_a_snapshot_of_something_else_is_unfit(tmp_path):
    """It says why: another journal, other strategies, or other code that reads no such state."""
    path = tmp_path / "journal"
    session, _ = kept_session(path, SnapshotSettings(events=20, codes=("old",)), clock=FakeClock())
    asyncio.run(session.run())
    folder = JournalFolder(path)
    snapshot = folder.snapshots.read(folder.snapshots.paths()[0])
    first = folder.first_hash()
    assert "another journal" in unfit(snapshot, fresh_engine(), ("old",), "ab")
    assert "has changed" in unfit(snapshot, fresh_engine(), ("new",), first)
    assert unfit(snapshot, fresh_engine(), ("old",), first) == ""


@pytest.mark.parametrize(
    ("wrote", "reads", "is_fit"),
    [((), (1,), False), (1, 1, True), ((1,), (2, 1), True), ((2, 1), (1,), False), ((3,), (2, 1), False)],
)
def test_changed_code_gets_the_state_that_it_says_it_reads(tmp_path, wrote, reads, is_fit):
    """What it was of comes first of what wrote it; what it reads may be older."""
    path = tmp_path / "journal"
    session, _ = kept_session(path, SnapshotSettings(events=20, codes=("old",)), feed=ListFeed(slices=4))
    session.engine.strategies[0].strategy.state_versions = wrote
    asyncio.run(session.run())
    folder = JournalFolder(path)
    engine = fresh_engine()
    engine.strategies[0].strategy.state_versions = reads
    snapshot = folder.snapshots.read(folder.snapshots.paths()[0])
    assert (unfit(snapshot, engine, ("new",), folder.first_hash()) == "") is is_fit


def test_a_snapshot_that_has_no_memory_keeps_the_session_from_nothing(tmp_path, monkeypatch):
    """It is said, and the next one is made as ever."""
    write, tried = SnapshotFiles.write, []

    def refuse_once(self, snapshot):
        tried.append(snapshot.head.seq)
        if len(tried) == 1:
            raise MemoryError
        return write(self, snapshot)

    monkeypatch.setattr(SnapshotFiles, "write", refuse_once)
    session, failed = kept_session(tmp_path / "journal")
    asyncio.run(session.run())
    assert failed == ["there is too little memory for a snapshot"]
    assert len(tried) > 1
    assert JournalFolder(tmp_path / "journal").snapshots.paths()
