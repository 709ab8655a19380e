"""Brings a read model up to a journal's end and keeps it there; never touches the engine."""

import asyncio
from collections.abc import Callable

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder, JournalReader
from tradecore.domain.journal_folder import hash_of_first, position_of
from tradecore.domain.record import JournalPosition, JournalRecord
from tradecore.ports.read_model import ReadModel
from tradecore.runtime import frames

CHUNK_BYTES_MAX = 1 << 20
POLL_SECONDS = 0.2


class Projector:
    """Tails a journal into a read model.

    Tables are of one journal: they have the hash of its first record and that of the chain up to where they
    are. Tables that are not of this journal (it was set aside, or a power cut took its end) are emptied
    and filled from its start, and so are tables of an older form. That happens before the first record only:
    who finds tables of another journal later has another engine beside him, and leaves them to it.

    Parameters
    ----------
    journal : JournalFolder
        Journal to read; another process or task may be writing it.
    read_model : ReadModel
        Tables to fill.
    has_begun : bool
        A projector of this journal has filled them before in this run.
    on_progress : callable
        Called when the tables are where the journal ends.
    """

    def __init__(
        self,
        journal: JournalFolder,
        read_model: ReadModel,
        *,
        has_begun: bool = False,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_progress = on_progress
        self._journal = journal
        self._read_model = read_model
        self._reader: JournalReader | None = None
        # Whether tables of another journal belong to somebody else.
        self.has_begun = has_begun
        self._first = ""
        # How many frames of the journal are in the tables, as far as this projector knows.
        self.records = 0

    async def catch_up(self) -> int:
        """Project everything that is in the journal now; return the number of frames seen so far.

        Raises
        ------
        StorageError
            When journal or database say no; a later call goes on where the tables are. Also when another
            journal is projected into the same tables.
        """
        # Not kept while it is used: a call that is cut short may lose what it had read.
        reader, self._reader = self._reader, None
        if reader is None:
            reader = await self._reader_at_tables()
        while (chunk := await asyncio.to_thread(self._chunk_after, reader)) is not None:
            if not await self._read_model.apply(*chunk):
                # A rebuild, say, has filled or emptied them in the meantime.
                reader = await self._reader_at_tables()
            self.records = reader.records
        self._reader = reader
        self.records = reader.records
        self._on_progress()
        return reader.records

    def _chunk_after(
        self, reader: JournalReader
    ) -> tuple[list[JournalRecord], JournalPosition, JournalPosition] | None:
        chunk = _next_chunk(reader, self._first)
        if chunk is not None:
            self._first = chunk[2].first
        return chunk

    async def run(self, ended: asyncio.Event) -> None:
        """Project until `ended` is set, and then to the journal's end once more.

        Raises `StorageError` as `catch_up` does; it may be called again.
        """
        while not ended.is_set():
            await self.catch_up()
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await ended.wait()
            except TimeoutError:
                continue
        await self.catch_up()

    async def _reader_at_tables(self) -> JournalReader:
        """Return a reader that stands where the tables end; they are emptied when there is no such place."""
        position = await self._read_model.position()
        reader = await asyncio.to_thread(self._journal.reader_at, position)
        self._first = position.first if reader is not None else ""
        has_begun, self.has_begun = self.has_begun, True
        if reader is not None:
            # Also of what an earlier end has left in them.
            self.records = reader.records
            return reader
        if has_begun:
            raise StorageError(
                self._journal.where,
                "the read model has become that of another journal: another engine projects into it, or a "
                "file was put in its place; give each engine a database.path of its own, then "
                "`tradecore db rebuild`",
            )
        await self._read_model.clear()
        return await asyncio.to_thread(self._journal.reader)


def journal_state(journal: JournalFolder, position: JournalPosition) -> tuple[bool, int]:
    """Tell whether tables at a position are of a journal, and how many frames it has that they have not.

    Raises `StorageError` or `DataError` when the journal cannot be read.
    """
    reader = journal.reader_at(position)
    if reader is None:
        return False, 0
    while reader.read_frames(CHUNK_BYTES_MAX):
        pass
    return True, reader.records - position.next_seq


def _next_chunk(
    reader: JournalReader, first: str
) -> tuple[list[JournalRecord], JournalPosition, JournalPosition] | None:
    """Read some blocks; return what in them is for the tables, and the positions before and after them."""
    before = position_of(reader, first)
    data = reader.read_frames(CHUNK_BYTES_MAX)
    if not data:
        return None
    first = first or hash_of_first(data)
    return frames.scan(data).records(before.next_seq), before, position_of(reader, first)
