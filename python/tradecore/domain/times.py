"""Times and spans as people read them."""

from datetime import UTC, datetime
from functools import lru_cache

NANOSECONDS = 1_000_000_000
_UNITS = (
    ("d", 86_400 * NANOSECONDS),
    ("h", 3_600 * NANOSECONDS),
    ("min", 60 * NANOSECONDS),
    ("s", NANOSECONDS),
    ("ms", 1_000_000),
    ("µs", 1_000),
)
_DURATIONS = (("days", 86_400 * NANOSECONDS), *_UNITS[1:4])


def iso_time(time_ns: int, decimals: int | None = None) -> str:
    """Return UTC nanoseconds as ISO 8601 text.

    Parameters
    ----------
    time_ns : int
        UTC nanoseconds.
    decimals : int or None
        Decimals of the second, 0 to 9, the rest cut off; `None`: as many as it takes.
    """
    seconds, nanoseconds = divmod(time_ns, NANOSECONDS)
    text = _second(seconds)
    fraction = f"{nanoseconds:09d}"
    shown = (fraction.rstrip("0") if nanoseconds else "") if decimals is None else fraction[:decimals]
    return f"{text}.{shown}Z" if shown else f"{text}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """Return a second as text; records that are told together are of few seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def span_text(span_ns: int) -> str:
    """Return a span in the largest unit of which it has at least one: `5 s`, `1.5 min`, `250 ms`."""
    for name, unit_ns in _UNITS:
        if abs(span_ns) >= unit_ns:
            return f"{span_ns / unit_ns:.4g} {name}"
    return f"{span_ns} ns"


def plain_time(time_ns: int) -> str:
    """Return UTC nanoseconds as a table shows them: `2024-01-31` at midnight, else `2024-01-31 09:30:00`."""
    return iso_time(time_ns).removesuffix("Z").replace("T", " ").removesuffix(" 00:00:00")


def duration_text(span_ns: int) -> str:
    """Return how long something lasted, in days, hours, minutes or seconds: `3,116 days`, `0.002 s`."""
    name, unit_ns = next((unit for unit in _DURATIONS if span_ns >= unit[1]), _DURATIONS[-1])
    return f"{span_ns / unit_ns:,.6g} {name}"
