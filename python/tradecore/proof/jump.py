"""When the clock of the engine's machine is set, and how far it is off then."""

from random import Random

import msgspec

_SECOND_NS = 1_000_000_000
_YEAR_NS = 365 * 86_400 * _SECOND_NS
# Sizes of jumps: a second, what a venue just takes, minutes, hours of daylight saving, days, years.
_SIZES = (
    _SECOND_NS, 4 * _SECOND_NS, 30 * _SECOND_NS, 600 * _SECOND_NS, 3_600 * _SECOND_NS, 86_400 * _SECOND_NS,
    _YEAR_NS, 10 * _YEAR_NS,
)  # fmt: skip


class Jump(msgspec.Struct, frozen=True, kw_only=True):
    """The wall clock is set.

    Attributes
    ----------
    records : int
        At which length of the journal.
    shift_ns : int
        How far it is off from then on.
    """

    records: int
    shift_ns: int


def jumps_of(draw: Random, events: int, *, share: float) -> tuple[Jump, ...]:
    """Return the jumps of a seed: none in most of them."""
    if draw.random() >= share:
        return ()
    times = sorted(draw.randrange(10, max(events, 11)) for _ in range(draw.choice((1, 3, 6))))
    return tuple(
        Jump(records=records, shift_ns=draw.choice((-1, 1)) * draw.choice(_SIZES) + draw.randrange(-999, 999))
        for records in times
    )
