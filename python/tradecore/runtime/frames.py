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
_CLOCK = _CODES["clock"]
_FEED = _CODES["feed"]
# What a feed brings, and the time that the runtime tells: everything that is fed but commands. That a feed is
# lost is the one thing of these that people are told.
_MARKET_AND_CLOCK = frozenset(
    kind.code
    for kind in record_kinds()
    if kind.direction == "input" and kind.name not in {*NOT_OF_MARKET, "feed"}
)


class FrameScan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of frames holds.

    Attributes
    ----------
    engine : bytes
        The frames an engine made: everything but the marks of sessions.
    effects : bytes
        The frames that are no market data and no clock: orders, reports, commands, marks; and lost feeds.
    effect_offsets : tuple of int
        For each frame in `effects`, how many frames came before it.
    marks : tuple of bytes
        Beginnings and ends of sessions, each one frame.
    frames : int
        How many frames there are in all.
    market_events : int
        How many of them came from the feed.
    """

    engine: bytes
    effects: bytes
    effect_offsets: tuple[int, ...]
    marks: tuple[bytes, ...]
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
    marks: list[bytes] = []
    engine: list[bytes] = []
    run_start = 0
    size = len(data)
    while position < size:
        length, kind = _HEAD.unpack_from(data, position)
        end = position + _LENGTH_BYTES + length
        if kind in _MARKET_AND_CLOCK:
            market_events += kind != _CLOCK
        else:
            market_events += kind == _FEED
            frame = data[position:end]
            effects.append(frame)
            offsets.append(count)
            if kind in (SESSION, SESSION_END):
                marks.append(frame)
                engine.append(data[run_start:position])
                run_start = end
        position = end
        count += 1
    engine.append(data[run_start:])
    return FrameScan(
        engine=b"".join(engine) if marks else data,
        effects=b"".join(effects),
        effect_offsets=tuple(offsets),
        marks=tuple(marks),
        frames=count,
        market_events=market_events,
    )


def kind_of(frame: bytes) -> int:
    """Return the number of the kind of a frame."""
    return frame[_LENGTH_BYTES]
