"""The journal on disk: one writer, many readers, every byte checked."""

import msgspec

from tradecore._core import (
    BEHAVIOUR_VERSION,
    JournalFinding,
    JournalReader,
    JournalWriter,
    decode_frames,
    encode_session,
    encode_session_end,
    events_from_frames,
    journal_kinds,
)
from tradecore.domain.journal_folder import ArchivedSegments, JournalFolder, PackedSegments, Segments

__all__ = [
    "BEHAVIOUR_VERSION",
    "NOT_OF_MARKET",
    "ArchivedSegments",
    "JournalFinding",
    "JournalFolder",
    "JournalReader",
    "JournalWriter",
    "PackedSegments",
    "RecordKind",
    "Segments",
    "decode_frames",
    "encode_session",
    "encode_session_end",
    "events_from_frames",
    "record_kinds",
]


# Input that is neither of the market nor time: commands, what is about the account, and a venue's word.
NOT_OF_MARKET = frozenset(
    {"command", "account", "venue_report", "outcome_lost", "reconciling", "reconciled", "adopted"}
    | {"venue_revision"}
)


class RecordKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of journal record.

    Attributes
    ----------
    code : int
        Its number in the frame.
    name : str
        Its name, as `JournalRecord.kind` has it.
    direction : str
        `input` when it was fed to the engine, `output` when the engine made it, `mark` when the runtime
        set it.
    about : str
        What it says, in a sentence.
    fields : tuple of str
        Values that a record of the kind can have.
    """

    code: int
    name: str
    direction: str
    about: str
    fields: tuple[str, ...]


def record_kinds() -> tuple[RecordKind, ...]:
    """Return every kind of journal record, in the order of their numbers."""
    return tuple(
        RecordKind(code=code, name=name, direction=direction, about=about, fields=fields)
        for code, name, direction, about, fields in journal_kinds()
    )
