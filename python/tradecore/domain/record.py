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
        An event by its own name (`bar`, `quote`, `trade`, `book`, `flow`, `feed`, `command`, `clock`), or
        `session`, `session_end`, `order`, `refused`, `cancel_request`, `replace_request`, `report`,
        `decision` or `state_hash`.
    fields : dict
        Its values: integers (money in atto units), floats of gates, booleans and text.
    """

    seq: int
    time_ns: int
    kind: str
    fields: dict[str, object]
