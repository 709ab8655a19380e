"""Sessions that leave snapshots beside a journal in segments, each going on where the last one ended."""

import asyncio
import random
from pathlib import Path

from promises.power.said import Said, Say
from promises.power.told import ToldJournal, newest
from support.sessions import CONFIG, ListFeed, fresh_engine, open_session
from tradecore.domain.journal import JournalFolder, Segments
from tradecore.domain.snapshot import Snapshot
from tradecore.domain.snapshot_files import SnapshotFiles
from tradecore.runtime import SessionSettings
from tradecore.runtime.recovery import recover, recover_from
from tradecore.runtime.snapshots import SnapshotKeeper, SnapshotSettings, unfit

WHAT = "sessions with snapshots beside a journal in segments"
SHARE = 0.2
NAME = "main.journal"
SEGMENTS = Segments(bytes_max=9_000)
_CREATED_NS = 1
# How many slices of the market there are before it ends.
_SLICES = 120


def write(directory: Path, say: Say, seed: str) -> None:
    """Run them, in a process that is recorded."""
    write_one = SnapshotFiles.write

    def told(files: SnapshotFiles, snapshot: Snapshot) -> Path:
        path = write_one(files, snapshot)
        say(ended="snapshot", records=snapshot.head.seq)
        return path

    SnapshotFiles.write = told
    draw = random.Random(int(seed))
    for slices in (draw.randint(30, 50), _SLICES):
        events = draw.randint(40, 120)
        asyncio.run(_session(directory / "in" / NAME, slices, events, say))


async def _session(path: Path, slices: int, events: int, say: Say) -> None:
    failed: list[str] = []
    folder = JournalFolder(path)
    keeper = SnapshotKeeper(folder, SnapshotSettings(events=events), failed.append)

    async def settle(number: int) -> None:
        # A thread writes them: it is waited for, so that a run is the same whenever it is recorded.
        if keeper._writing is not None:
            await asyncio.shield(keeper._writing)
        if number > slices:
            session.stop()

    session = open_session(
        path,
        feed=ListFeed(slices=_SLICES, pause=settle),
        journal=ToldJournal(folder.writer(_CREATED_NS, SEGMENTS), say),
        keeper=keeper,
        settings=SessionSettings(commit_interval_seconds=1e9),
    )
    await session.run()
    if failed:
        raise AssertionError(f"snapshots failed: {failed}")


class Judge:
    """Recovers an engine from the newest snapshot that is there, as the next start does, and from nothing."""

    def __init__(self, seed: int) -> None:
        self._states: dict[int, str] = {}

    def faults(self, image: Path, said: Said) -> list[str]:
        """Return what is wrong with an image."""
        folder = JournalFolder(image / "in" / NAME)
        writer = folder.writer(_CREATED_NS, SEGMENTS)
        writer.close()
        if writer.records < newest(said, "commit"):
            return [f"{writer.records} records are left of {newest(said, 'commit')} that were safe"]
        if folder.verify().status != "intact":
            return [f"the journal is {folder.verify().status} after its recovery"]
        snapshots = [folder.snapshots.read(path) for path in folder.snapshots.paths()]
        seqs = [each.head.seq for each in snapshots]
        found = []
        if max(seqs, default=0) < newest(said, "snapshot"):
            found += [f"the snapshots are at {seqs}, one was said to be at {newest(said, 'snapshot')}"]
        if max(seqs, default=0) > writer.records:
            found += [f"a snapshot at {max(seqs)} stands further than the journal, {writer.records}"]
        return found + [fault for each in snapshots for fault in self._goes_on(folder, each, writer.records)]

    def _goes_on(self, folder: JournalFolder, snapshot: Snapshot, records: int) -> list[str]:
        """Let an engine go on from a snapshot; it has to come to the same state as without one."""
        where = f"from the snapshot at {snapshot.head.seq}"
        engine = fresh_engine()
        if why := unfit(snapshot, engine, (), folder.first_hash()):
            return [f"no start {where}: {why}"]
        recover_from(folder, engine, CONFIG, snapshot)
        if records not in self._states:
            plain = fresh_engine()
            recover(folder, plain, CONFIG)
            self._states[records] = plain.state_hash()
        is_same = engine.state_hash() == self._states[records]
        return [] if is_same else [f"another state {where} than without it"]
