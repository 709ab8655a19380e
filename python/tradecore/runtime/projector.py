"""Brings a read model up to a journal's end and keeps it there; never touches the engine."""

import asyncio

from tradecore.domain.journal import JournalReader
from tradecore.ports.read_model import ReadModel
from tradecore.runtime import frames
from tradecore.runtime.outbox import records_of

CHUNK_BYTES_MAX = 1 << 20
POLL_SECONDS = 0.2


class Projector:
    """Tails a journal file into a read model.

    Parameters
    ----------
    journal_path : str
        Journal to read; another process or task may be writing it.
    read_model : ReadModel
        Tables to fill.
    """

    def __init__(self, journal_path: str, read_model: ReadModel) -> None:
        self._journal_path = journal_path
        self._reader = JournalReader(journal_path)
        self._read_model = read_model
        self._seq = 0
        self._is_unsure = False

    async def catch_up(self) -> int:
        """Project everything that is in the journal now; return the number of frames seen so far."""
        if self._is_unsure:
            # The last call was cut short and may have lost what it had read.
            self._reader, self._seq = JournalReader(self._journal_path), 0
        self._is_unsure = True
        applied = await self._read_model.next_seq()
        while data := await asyncio.to_thread(self._reader.read_frames, CHUNK_BYTES_MAX):
            scanned = frames.scan(data)
            first_seq, self._seq = self._seq, self._seq + scanned.frames
            if self._seq > applied:
                await self._read_model.apply(records_of(first_seq, scanned), self._seq)
        self._is_unsure = False
        return self._seq

    async def run(self) -> None:
        """Project until cancelled."""
        while True:
            await self.catch_up()
            await asyncio.sleep(POLL_SECONDS)
