"""The journal on disk: one writer, many readers, every byte checked."""

from tradecore._core import (
    JournalReader,
    JournalVerdict,
    JournalWriter,
    decode_frames,
    encode_session,
    encode_session_end,
    events_from_frames,
    journal_verify,
)

__all__ = [
    "JournalReader",
    "JournalVerdict",
    "JournalWriter",
    "decode_frames",
    "encode_session",
    "encode_session_end",
    "events_from_frames",
    "journal_verify",
]
