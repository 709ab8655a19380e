"""The projector: the tables end where the journal ends, and are of that journal."""

import asyncio
from contextlib import suppress

import pytest

from support.sessions import ListFeed, open_session
from support.tables import rebuilt, rows_of
from tradecore.domain import StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.record import JournalPosition
from tradecore.runtime import Projector
from tradecore.runtime.journal_tail import JournalTail
from tradecore.runtime.projector import journal_state
from tradecore_sqlite import SqliteReadModel


class MemoryTables:
    """A `ReadModel` that keeps the numbers of records; `fails_at` makes one of its groups fail."""

    def __init__(self) -> None:
        self.seqs = []
        self.at = JournalPosition()
        self.cleared = 0
        self.fails_at = None

    async def position(self):
        """Say where it is."""
        return self.at

    async def apply(self, records, before, after, points=(), /):
        """Take records over that follow what is there."""
        await asyncio.sleep(0)
        if before != self.at:
            return False
        if self.fails_at == len(self.seqs):
            raise StorageError("memory", "is full")
        self.seqs += [record.seq for record in records]
        self.at = after
        return True

    async def clear(self):
        """Forget everything."""
        self.cleared += 1
        self.seqs, self.at = [], JournalPosition()

    async def aclose(self):
        """Nothing is open."""


class Full(MemoryTables):
    """Tables on a disk that has room for one more group at each start."""

    has_room = False

    async def position(self):
        """Say where it is, and find room."""
        self.has_room = True
        return await super().position()

    async def apply(self, records, before, after, points=(), /):
        """Take one group."""
        if not self.has_room:
            raise StorageError("memory", "is full")
        self.has_room = False
        return await super().apply(records, before, after, points)


async def written(path, slices=20):
    """Write the journal of a whole session; return the numbers of the records that belong into tables."""
    await open_session(path, feed=ListFeed(slices=slices)).run()
    return [seq for seq, _, kind, _ in JournalFolder(path).reader() if kind not in ("flow", "clock")]


async def test_every_record_is_projected_once_and_the_position_is_the_journals(tmp_path):
    """In order, none twice, and a second call finds nothing to do."""
    seqs = await written(tmp_path / "journal")
    tables = MemoryTables()
    projector = Projector(JournalFolder(tmp_path / "journal"), tables)
    frames = await projector.catch_up()

    assert tables.seqs == seqs
    assert await projector.catch_up() == frames == tables.at.next_seq
    assert len(tables.at.head) == 64
    assert (tables.seqs, tables.cleared) == (seqs, 0)


async def test_a_projector_counts_what_the_tables_took(tmp_path):
    """Nothing is in them before the first group that they took; progress is told once for each call."""
    await written(tmp_path / "journal")
    tables, lags = MemoryTables(), []
    tables.fails_at = 0
    projector = Projector(JournalFolder(tmp_path / "journal"), tables)
    assert projector.records == 0
    with pytest.raises(StorageError, match="is full"):
        await projector.catch_up()
    assert projector.records == 0
    tables.fails_at = None
    projector = Projector(JournalFolder(tmp_path / "journal"), tables, on_progress=lambda: lags.append(1))
    frames = await projector.catch_up()

    assert projector.records == frames > 0
    assert lags == [1]


async def test_the_end_is_projected_when_the_end_is_said_before_anything_was(tmp_path):
    """A run that is over before the projector had its first turn leaves whole tables."""
    seqs = await written(tmp_path / "journal")
    tables, ended = MemoryTables(), asyncio.Event()
    ended.set()
    await Projector(JournalFolder(tmp_path / "journal"), tables).run(ended)

    assert tables.seqs == seqs


async def test_a_projector_that_starts_again_goes_on_where_the_tables_are(tmp_path):
    """What an earlier end left behind is caught up: nothing is missing, nothing doubled."""
    path = tmp_path / "journal"
    first = open_session(path, feed=ListFeed(slices=10))
    first._market._feed.pause = stopping(first, 5)
    await first.run()
    tables = MemoryTables()
    await Projector(JournalFolder(path), tables).catch_up()
    assert tables.seqs
    seqs = await written(path)
    await Projector(JournalFolder(path), tables).catch_up()

    assert tables.seqs == seqs
    assert tables.cleared == 0


async def test_a_projector_that_ended_between_two_blocks_goes_on_there(tmp_path, monkeypatch):
    """A position is where the records end that were taken, not what was read ahead of them."""
    monkeypatch.setattr("tradecore.runtime.journal_tail.CHUNK_BYTES_MAX", 1)
    seqs = await written(tmp_path / "journal")
    tables, starts = Full(), 0
    while tables.seqs != seqs and not tables.cleared:
        starts += 1
        with suppress(StorageError):
            await Projector(JournalFolder(tmp_path / "journal"), tables).catch_up()

    assert starts > 2
    assert tables.cleared == 0


def stopping(session, at):
    """Return a pause that stops a session at a slice."""

    async def pause(number):
        await asyncio.sleep(0)
        if number == at:
            session.stop()

    return pause


@pytest.mark.parametrize("other", ["longer", "shorter", "empty", "older form"])
async def test_tables_of_another_journal_are_filled_anew(tmp_path, other):
    """A journal that was set aside, or that a power cut shortened, leaves no row behind."""
    seqs = await written(tmp_path / "journal")
    await written(tmp_path / "other", slices=30 if other == "longer" else 10)
    tables = MemoryTables()
    await Projector(JournalFolder(tmp_path / "other"), tables).catch_up()
    if other == "empty":
        tables.at = JournalPosition(tables.at.next_seq, "0" * 64)
    if other == "older form":
        tables.at = JournalPosition(tables.at.next_seq, "")
    await Projector(JournalFolder(tmp_path / "journal"), tables).catch_up()

    assert tables.seqs == seqs
    assert tables.cleared == 1


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_call_that_is_cut_short_loses_nothing(tmp_path, turns):
    """Wherever it is cancelled, the next one brings the tables to the end."""
    path = tmp_path / "journal"
    await written(path, slices=5)
    read_model = await SqliteReadModel.open(str(tmp_path / "read.sqlite"))
    projector = Projector(JournalFolder(path), read_model)
    cut = asyncio.create_task(projector.catch_up())
    for _ in range(turns):
        await asyncio.sleep(0)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    await projector.catch_up()
    await read_model.aclose()

    found = rows_of(tmp_path / "read.sqlite")
    assert found == await asyncio.to_thread(rebuilt, path, tmp_path / "new.sqlite")


async def begun(tmp_path, tables):
    """Return a journal that a projector follows, with the first part of a session in both."""
    path = tmp_path / "journal"
    first = open_session(path, feed=ListFeed(slices=10))
    first._market._feed.pause = stopping(first, 5)
    await first.run()
    projector = Projector(JournalFolder(path), tables)
    await projector.catch_up()
    return path, projector


@pytest.mark.parametrize("rebuilt_first", [True, False])
async def test_tables_that_are_emptied_meanwhile_are_filled_from_the_start(tmp_path, rebuilt_first):
    """A rebuild beside a running engine loses no row, whoever of the two comes first."""
    tables = MemoryTables()
    path, projector = await begun(tmp_path, tables)
    other = Projector(JournalFolder(path), tables)
    await tables.clear()
    seqs = await written(path)
    for one in (other, projector) if rebuilt_first else (projector, other):
        await one.catch_up()

    assert tables.seqs == seqs


async def test_who_finds_another_journal_in_his_tables_leaves_them_to_it(tmp_path):
    """Two engines with one database: the second one has it, the first one says so, and nothing is mixed."""
    tables = MemoryTables()
    path, projector = await begun(tmp_path, tables)
    others = await written(tmp_path / "other", slices=15)
    await Projector(JournalFolder(tmp_path / "other"), tables).catch_up()
    await written(path)
    with pytest.raises(StorageError, match=r"database\.path of its own"):
        await projector.catch_up()

    assert tables.seqs == others


async def test_a_group_that_fails_is_taken_again_by_the_next_call(tmp_path):
    """What a database refused once is not left out."""
    seqs = await written(tmp_path / "journal")
    tables = MemoryTables()
    tables.fails_at = 0
    projector = Projector(JournalFolder(tmp_path / "journal"), tables)
    with pytest.raises(StorageError, match="is full"):
        await projector.catch_up()
    tables.fails_at = None
    await projector.catch_up()

    assert tables.seqs == seqs


async def test_tables_are_told_how_far_behind_their_journal_they_are(tmp_path):
    """Of another journal they are not behind: they are no tables of this one."""
    await open_session(tmp_path / "journal").run()
    journal, tables = JournalFolder(tmp_path / "journal"), MemoryTables()
    before = journal_state(journal, tables.at)
    await Projector(journal, tables).catch_up()

    assert before == (True, tables.at.next_seq)
    assert journal_state(journal, tables.at) == (True, 0)
    assert journal_state(journal, JournalPosition(tables.at.next_seq, "0" * 64)) == (False, 0)


class Beaten(MemoryTables):
    """Tables that another projector of the same journal always fills first."""

    async def apply(self, *part):
        """Let the other one have it."""
        assert await super().apply(*part)
        return await super().apply(*part)


async def test_a_projector_that_is_second_each_time_reads_nothing_twice(tmp_path, monkeypatch):
    """Who finds the very part that it has read in the tables goes on there: a journal may be large."""
    path, tables = tmp_path / "journal", Beaten()
    monkeypatch.setattr("tradecore.runtime.journal_tail.CHUNK_BYTES_MAX", 1)
    seqs = await written(path)
    starts, at = [], JournalTail.at
    monkeypatch.setattr(JournalTail, "at", lambda *where: starts.append(where) or at(*where))
    await Projector(JournalFolder(path), tables).catch_up()

    assert tables.seqs == seqs
    assert len(starts) == 1
