"""One record of a journal, as readers outside the engine see it."""

from collections.abc import Iterable

import msgspec

from tradecore._core import DecodedFrames
from tradecore.domain.record_bodies import KINDS, MAKERS, AnyBody


class JournalRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A journal frame, decoded.

    Attributes
    ----------
    seq : int
        Number of the frame in its journal, counted from 0.
    time_ns : int
        Time of the engine when it was written, UTC nanoseconds.
    body : AnyBody
        What it says: one struct for each kind of `tradecore.domain.journal.record_kinds()`.
    """

    seq: int
    time_ns: int
    body: AnyBody

    @property
    def kind(self) -> str:
        """Name of what it is about; docs/journal.md lists them."""
        return KINDS[type(self.body)]


def records_in(frames: bytes, numbers: Iterable[int]) -> list[JournalRecord]:
    """Read whole frames; `numbers` has the number of each in its journal.

    Raises `DataError` when the bytes are not whole frames.
    """
    return [
        JournalRecord(seq=seq, time_ns=time_ns, body=MAKERS[kind](**fields))
        for seq, (kind, time_ns, fields) in zip(numbers, DecodedFrames(frames), strict=True)
    ]


class JournalPosition(msgspec.Struct, frozen=True):
    """A place between two frames of one journal.

    Attributes
    ----------
    next_seq : int
        Number of the frame after it: how many frames are before it.
    head : str
        Hash of the chain of those frames, hexadecimal; empty before the first one. Another journal, and one
        that lost its end, has another.
    first : str
        SHA-256 of the first frame, hexadecimal: which journal it is, however long it has become.
    """

    next_seq: int = 0
    head: str = ""
    first: str = ""
