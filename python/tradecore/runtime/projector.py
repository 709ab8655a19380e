"""Brings a read model up to a journal's end and keeps it there; never touches the engine."""

import asyncio

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalReader
from tradecore.domain.record import JournalPosition, JournalRecord
from tradecore.ports.read_model import ReadModel
from tradecore.runtime import frames
from tradecore.runtime.outbox import records_of

CHUNK_BYTES_MAX = 1 << 20
POLL_SECONDS = 0.2


class Projector:
    """Tails a journal file into a read model.

    Tables that are not of this journal (it was set aside, or a power cut took its end) are emptied
    and filled from its start, and so are tables of an older form. That happens before the first record only:
    who finds tables of another journal later has another engine beside him, and leaves them to it.

    Parameters
    ----------
    journal_path : str
        Journal to read; another process or task may be writing it.
    read_model : ReadModel
        Tables to fill.
    """

    def __init__(self, journal_path: str, read_model: ReadModel) -> None:
        self._journal_path = journal_path
        self._read_model = read_model
        self._reader: JournalReader | None = None
        self._has_begun = False
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
        while (chunk := await asyncio.to_thread(_next_chunk, reader)) is not None:
            if not await self._read_model.apply(*chunk):
                # A rebuild, say, has filled or emptied them in the meantime.
                reader = await self._reader_at_tables()
            self.records = reader.records
        self._reader = reader
        self.records = reader.records
        return reader.records

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
        reader = await asyncio.to_thread(_reader_at, self._journal_path, position)
        has_begun, self._has_begun = self._has_begun, True
        if reader is not None:
            return reader
        if has_begun:
            raise StorageError(
                self._journal_path,
                "another journal is being projected into the read model of this one: give each engine a "
                "database.path of its own, then `tradecore db rebuild`",
            )
        await self._read_model.clear()
        return await asyncio.to_thread(JournalReader, self._journal_path)


def _reader_at(path: str, position: JournalPosition) -> JournalReader | None:
    """Return a reader at a position, or `None` when the journal has no such position."""
    reader = JournalReader(path)
    if position.next_seq == 0:
        return reader
    reader.skip_to(position.next_seq)
    return reader if _position_of(reader) == position else None


def _next_chunk(reader: JournalReader) -> tuple[list[JournalRecord], JournalPosition, JournalPosition] | None:
    """Read some blocks; return what in them is for the tables, and the positions before and after them."""
    before = _position_of(reader)
    data = reader.read_frames(CHUNK_BYTES_MAX)
    if not data:
        return None
    return records_of(before.next_seq, frames.scan(data)), before, _position_of(reader)


def _position_of(reader: JournalReader) -> JournalPosition:
    """Return where a reader is; the start of every journal is the same place."""
    return JournalPosition(reader.records, reader.head) if reader.records else JournalPosition()
