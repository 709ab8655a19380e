"""One record of a journal, as readers outside the engine see it."""

import msgspec


class JournalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A journal frame in plain values.

    Attributes
    ----------
    seq : int
        Number of the frame in its journal, counted from 0.
    time_ns : int
        Time of the engine when it was written, UTC nanoseconds.
    kind : str
        What it is about, one of `tradecore.domain.journal.record_kinds()`; docs/journal.md lists them.
    fields : dict
        Its values: integers (money in atto units), floats of gates, booleans and text. What a record does
        not have is left out.
    """

    seq: int
    time_ns: int
    kind: str
    fields: dict[str, object]


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
