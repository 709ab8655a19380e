"""Looks at the kinds of journal frames without reading what is in them."""

import struct

import msgspec

from tradecore.domain.journal import NOT_OF_MARKET, record_kinds
from tradecore.domain.record import JournalRecord, records_in

_HEAD = struct.Struct("<IB")
_LENGTH_BYTES = 4

_CODES = {kind.name: kind.code for kind in record_kinds()}
SESSION = _CODES["session"]
SESSION_END = _CODES["session_end"]
_MARKS = (SESSION, SESSION_END)
_CLOCK = _CODES["clock"]
_FEED = _CODES["feed"]
_ACCOUNT = _CODES["account"]
# What a feed brings, and the time that the runtime tells. That a feed is lost is the one thing of these that
# people are told.
_MARKET_AND_CLOCK = frozenset(
    kind.code
    for kind in record_kinds()
    if kind.direction == "input" and kind.name not in {*NOT_OF_MARKET, "feed"}
)

# What a venue outside has said, and what it was asked because of that.
_OF_VENUE = frozenset(
    _CODES[name]
    for name in ("venue_report", "outcome_lost", "reconciling", "reconciled", "adopted", "venue_revision")
)


class FrameScan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of frames holds.

    Attributes
    ----------
    engine : bytes
        The frames an engine made: everything but the notes of sessions.
    effects : bytes
        The frames that are no market data and no clock: orders, reports, commands, notes; and lost feeds.
    effect_offsets : tuple of int
        For each frame in `effects`, how many frames came before it.
    notes : tuple of bytes
        Beginnings and ends of sessions, each one frame.
    frames : int
        How many frames there are in all.
    market_events : int
        How many of them came from the feed.
    """

    engine: bytes
    effects: bytes
    effect_offsets: tuple[int, ...]
    notes: tuple[bytes, ...]
    frames: int
    market_events: int

    def records(self, first_seq: int) -> list[JournalRecord]:
        """Read the effects of a run of frames whose first frame has number `first_seq`."""
        return records_in(self.effects, (first_seq + offset for offset in self.effect_offsets))


def scan(data: bytes) -> FrameScan:
    """Sort whole frames by kind."""
    position, count, market_events = 0, 0, 0
    effects: list[bytes] = []
    offsets: list[int] = []
    notes: list[bytes] = []
    engine: list[bytes] = []
    run_start = 0
    # Effects that follow one another are taken as one piece; `None` outside of such a run.
    effects_start: int | None = None
    size = len(data)
    while position < size:
        length, kind = _HEAD.unpack_from(data, position)
        end = position + _LENGTH_BYTES + length
        if kind in _MARKET_AND_CLOCK:
            market_events += kind != _CLOCK
            if effects_start is not None:
                effects.append(data[effects_start:position])
                effects_start = None
        else:
            offsets.append(count)
            if effects_start is None:
                effects_start = position
            if kind == _FEED:
                market_events += 1
            elif kind in _MARKS:
                notes.append(data[position:end])
                engine.append(data[run_start:position])
                run_start = end
        position = end
        count += 1
    if effects_start is not None:
        effects.append(data[effects_start:])
    engine.append(data[run_start:])
    return FrameScan(
        engine=b"".join(engine) if notes else data,
        effects=b"".join(effects),
        effect_offsets=tuple(offsets),
        notes=tuple(notes),
        frames=count,
        market_events=market_events,
    )


def without_venue(data: bytes) -> bytes:
    """Return whole frames without those in which a venue outside answers to orders."""
    position, run_start = 0, 0
    kept: list[bytes] = []
    while position < len(data):
        length, kind = _HEAD.unpack_from(data, position)
        end = position + _LENGTH_BYTES + length
        if kind in _OF_VENUE:
            kept.append(data[run_start:position])
            run_start = end
        position = end
    return b"".join([*kept, data[run_start:]]) if kept else data


def first_frames(data: bytes, count: int) -> bytes:
    """Return so many whole frames from the beginning; all where there are fewer."""
    position = 0
    for _ in range(count):
        if position == len(data):
            break
        length, _ = _HEAD.unpack_from(data, position)
        position += _LENGTH_BYTES + length
    return data[:position]


def time_of_last(data: bytes) -> int:
    """Return the time of the last of some whole frames."""
    position, last = 0, 0
    while position < len(data):
        last = position
        position += _LENGTH_BYTES + int.from_bytes(data[position : position + _LENGTH_BYTES], "little")
    return int.from_bytes(data[last + 5 : last + 13], "little", signed=True)


def has_events_before_session(data: bytes) -> bool:
    """Tell whether whole frames begin with anything but notes up to the first session."""
    position = 0
    while position < len(data):
        length, kind = _HEAD.unpack_from(data, position)
        if kind == SESSION:
            return False
        if kind != SESSION_END:
            return True
        position += _LENGTH_BYTES + length
    return False


def begins_account(data: bytes) -> bool:
    """Tell whether the first frame is about the account."""
    return bool(data) and kind_of(data) == _ACCOUNT


def kind_of(frame: bytes) -> int:
    """Return the number of the kind of a frame."""
    return frame[_LENGTH_BYTES]
