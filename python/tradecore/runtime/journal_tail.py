"""Reads on in a journal: the records that tables have, and the equity over time."""

import msgspec

from tradecore.domain.equity_point import EquityPoint
from tradecore.domain.errors import TradecoreError
from tradecore.domain.journal import JournalFolder, JournalReader
from tradecore.domain.journal_folder import hash_of_first, position_of
from tradecore.domain.record import JournalPosition, JournalRecord
from tradecore.domain.unreadable import UNREADABLE
from tradecore.engine.equity_points import EquityPoints
from tradecore.runtime import frames
from tradecore.runtime.recovery import recorded_config
from tradecore.runtime.session_config import SessionConfig

# What is read of it takes twenty times as much memory, in small pieces, until it is in the tables: what an
# engine keeps for hours must not come to lie among more of them than there have to be.
CHUNK_BYTES_MAX = 1 << 17


class JournalPart(msgspec.Struct, frozen=True, kw_only=True):
    """What is between two positions of a journal, as `ReadModel.apply` takes it."""

    records: list[JournalRecord]
    before: JournalPosition
    after: JournalPosition
    points: list[EquityPoint]


class JournalTail:
    """Reads a journal from a place on; another process or task may be writing it.

    The equity over time needs what was before: from a place in the middle the account is followed from the
    journal's beginning first, natively and without the tables.

    Parameters
    ----------
    journal : JournalFolder
        The journal.
    reader : JournalReader or None
        Stands at the place; `None` for the beginning.
    first : str
        Hash of the first frame, as `JournalPosition` has it; empty at the beginning.
    """

    def __init__(self, journal: JournalFolder, reader: JournalReader | None = None, first: str = "") -> None:
        self._journal = journal
        self._reader = journal.reader() if reader is None else reader
        self._first = first
        self._equity: EquityPoints | None = None
        # Why there are no points (any more): the journal is projected all the same.
        self.equity_problem = ""
        if self.records:
            self._follow_from_start()

    @classmethod
    def at(cls, journal: JournalFolder, position: JournalPosition) -> "JournalTail | None":
        """Return what reads on from a position, `None` when the journal has no such position.

        Raises `StorageError` when the journal cannot be read.
        """
        reader = journal.reader_at(position)
        return None if reader is None else cls(journal, reader, position.first)

    @property
    def records(self) -> int:
        """How many frames are before the place."""
        return self._reader.records

    def next_part(self) -> JournalPart | None:
        """Read some blocks; `None` at the journal's end, for now.

        Raises `StorageError` when the journal cannot be read, or at its damage.
        """
        before = position_of(self._reader, self._first)
        records: list[JournalRecord] = []
        points: list[EquityPoint] = []
        # Frames that a retention dropped end what is read: a part spans them, or an archive would have
        # thousands of parts of a few records, each of which the tables take in a transaction of its own.
        room, begin = CHUNK_BYTES_MAX, before.next_seq
        while room > 0 and (data := self._reader.read_frames(room)):
            self._first = self._first or hash_of_first(data)
            records += frames.scan(data).records(begin)
            points += self._points(data, is_first=begin == 0)
            room, begin = room - len(data), self._reader.records
        if begin == before.next_seq:
            return None
        return JournalPart(
            records=records, before=before, after=position_of(self._reader, self._first), points=points
        )

    def _follow_from_start(self) -> None:
        """Follow the account up to the place; its points are in the tables."""
        reader, end = self._journal.reader(), self.records
        while (begin := reader.records) < end and not self.equity_problem:
            data = reader.read_frames(CHUNK_BYTES_MAX)
            if reader.records > end:
                data = frames.first_frames(data, end - begin)
            self._points(data, is_first=begin == 0)

    def _points(self, data: bytes, *, is_first: bool) -> list[EquityPoint]:
        try:
            if is_first:
                config = SessionConfig.decoded(recorded_config(self._journal))
                self._equity = EquityPoints(config.engine, config.names)
            return [] if self._equity is None else self._equity.take(data)
        except (*UNREADABLE, TradecoreError) as error:
            self._equity, self.equity_problem = None, str(error)
            return []
