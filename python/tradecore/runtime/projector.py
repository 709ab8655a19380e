"""Brings a read model up to a journal's end and keeps it there; never touches the engine."""

import asyncio
from collections.abc import Callable

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.record import JournalPosition
from tradecore.ports.read_model import ReadModel
from tradecore.runtime.journal_tail import CHUNK_BYTES_MAX, JournalTail

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
        self._tail: JournalTail | None = None
        # Whether tables of another journal belong to somebody else.
        self.has_begun = has_begun
        # How many frames of the journal are in the tables, as far as this projector knows.
        self.records = 0
        # Why the equity over time is not in them, or not to its end; empty when it is.
        self.equity_problem = ""

    async def catch_up(self) -> int:
        """Project everything that is in the journal now; return the number of frames seen so far.

        Raises
        ------
        StorageError
            When journal or database say no; a later call goes on where the tables are. Also when another
            journal is projected into the same tables.
        """
        # Not kept while it is used: a call that is cut short may lose what it had read.
        tail, self._tail = self._tail, None
        if tail is None:
            tail = await self._tail_at_tables()
        while (part := await asyncio.to_thread(tail.next_part)) is not None:
            was_taken = await self._read_model.apply(part.records, part.before, part.after, part.points)
            # Another projector may have been first with this very part: then they are where the tail is.
            if not was_taken and await self._read_model.position() != part.after:
                # A rebuild, say, has filled or emptied them in the meantime.
                tail = await self._tail_at_tables()
            self.records = tail.records
        self._tail = tail
        self.records = tail.records
        self.equity_problem = tail.equity_problem
        self._on_progress()
        return tail.records

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

    async def _tail_at_tables(self) -> JournalTail:
        """Return what reads on where the tables end; they are emptied when there is no such place."""
        position = await self._read_model.position()
        tail = await asyncio.to_thread(JournalTail.at, self._journal, position)
        has_begun, self.has_begun = self.has_begun, True
        if tail is not None:
            # Also of what an earlier end has left in them.
            self.records = tail.records
            return tail
        if has_begun:
            raise StorageError(
                self._journal.where,
                "the read model has become that of another journal: another engine projects into it, or a "
                "file was put in its place; give each engine a database.path of its own, then "
                "`tradecore db rebuild`",
            )
        await self._read_model.clear()
        return JournalTail(self._journal)


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
