"""A slow plain resampler: what every bar of every length is, and when it may be known."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tradecore.domain import SessionTable

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
FIXED = {"30m": 30 * MINUTE_NS, "1h": HOUR_NS, "4h": 4 * HOUR_NS}
BY_DATE: dict[str, Callable[[date], Hashable]] = {
    "1d": lambda day: day,
    "1w": lambda day: day.isocalendar()[:2],
    "1mo": lambda day: (day.year, day.month),
    "3mo": lambda day: (day.year, (day.month - 1) // 3),
}
LENGTHS = (*FIXED, *BY_DATE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEW_YORK = ZoneInfo("America/New_York")


class Session(NamedTuple):
    """A trading session and the day that it belongs to."""

    start_ns: int
    end_ns: int
    day: date


class Bar(NamedTuple):
    """A bar; times in UTC nanoseconds, prices in ticks."""

    open_time_ns: int
    end_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def ns_of(moment: datetime) -> int:
    """Return a moment as UTC nanoseconds."""
    return int((moment - _EPOCH) / timedelta(microseconds=1)) * 1_000


def round_the_clock(first: date, days: int, day_end_ns: int = 0) -> list[Session]:
    """Return the days of what trades all the time: each ends so long after midnight UTC."""
    midnights = [
        ns_of(datetime.combine(first + timedelta(days=n), time(), UTC)) for n in range(-60, days + 100)
    ]
    sessions = []
    for midnight in midnights:
        end_ns = midnight + (day_end_ns or DAY_NS)
        day = (_EPOCH + timedelta(microseconds=midnight // 1_000)).date()
        sessions.append(Session(end_ns - DAY_NS, end_ns, day))
    return sessions


def new_york(first: date, days: int, opens: time, closes: time, early: Sequence[int] = ()) -> list[Session]:
    """Return weekdays in New York: those named in `early` end at 13:00, and every 17th is a holiday."""
    sessions = []
    for place in range(-60, days + 100):
        day = first + timedelta(days=place)
        if day.weekday() >= 5 or place % 17 == 5:
            continue
        # A session that opens in the evening is the one of the day after.
        opened = day - timedelta(days=1) if opens >= closes else day
        end = time(13) if place in early and opens < time(13) else closes
        start_ns = ns_of(datetime.combine(opened, opens, _NEW_YORK))
        sessions.append(Session(start_ns, ns_of(datetime.combine(day, end, _NEW_YORK)), day))
    return sessions


def table_of(sessions: Sequence[Session]) -> SessionTable:
    """Return the sessions as an engine takes them."""
    return SessionTable.of([each.start_ns for each in sessions], [each.end_ns for each in sessions])


def period(length: str, at_ns: int, sessions: Sequence[Session], *, is_always_open: bool) -> tuple[int, int]:
    """Return start and end of the bar that a moment is in, looking at one session after the other."""
    if length in FIXED and is_always_open:
        start_ns = at_ns // FIXED[length] * FIXED[length]
        return start_ns, start_ns + FIXED[length]
    own = next(each for each in sessions if each.start_ns <= at_ns < each.end_ns)
    if length in FIXED:
        start_ns = own.start_ns
        while start_ns + FIXED[length] <= at_ns:
            start_ns += FIXED[length]
        return start_ns, min(start_ns + FIXED[length], own.end_ns)
    key = BY_DATE[length]
    together = [each for each in sessions if key(each.day) == key(own.day)]
    return together[0].start_ns, together[-1].end_ns


def resampled(
    length: str, parts: Sequence[Bar], sessions: Sequence[Session], *, is_always_open: bool
) -> list[Bar]:
    """Group parts by the bar that they begin in, the unfinished last one included."""
    groups: dict[tuple[int, int], list[Bar]] = {}
    span = (0, 0)
    for part in parts:
        if part.open_time_ns >= span[1]:
            span = period(length, part.open_time_ns, sessions, is_always_open=is_always_open)
        groups.setdefault(span, []).append(part)
    return [
        Bar(
            start_ns,
            end_ns,
            group[0].open,
            max(part.high for part in group),
            min(part.low for part in group),
            group[-1].close,
            sum(part.volume for part in group),
        )
        for (start_ns, end_ns), group in groups.items()
    ]
