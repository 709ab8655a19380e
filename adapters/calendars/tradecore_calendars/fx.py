"""The week of foreign exchange: from Sunday 17:00 to Friday 17:00 in New York, each day ending at 17:00."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tradecore.domain import InvalidValueError

FX = "fx"
_NEW_YORK = "America/New_York"
_DAY_END = time(17)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SATURDAY = 5
_NS_PER_SECOND = 1_000_000_000
_NS_PER_DAY = 86_400 * _NS_PER_SECOND


def fx_sessions(from_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of every session around a range of time, UTC nanoseconds.

    The clocks of New York change at a weekend, so every session has 24 hours: it ends at 22:00 UTC in winter
    and at 21:00 UTC in summer. Holidays are not left out, for the market has none that all keep.

    Raises
    ------
    InvalidValueError
        When the machine has no data of time zones.
    """
    try:
        new_york = ZoneInfo(_NEW_YORK)
    except ZoneInfoNotFoundError:
        rule = f"needs the time zone {_NEW_YORK}, which this machine does not know: pip install tzdata"
        raise InvalidValueError("calendar", FX, rule) from None

    def end_of(day: date) -> int:
        elapsed = datetime.combine(day, _DAY_END, new_york) - _EPOCH
        return (elapsed // timedelta(seconds=1)) * _NS_PER_SECOND

    day = _EPOCH.date() + timedelta(days=from_ns // _NS_PER_DAY - 2)
    while (start_ns := end_of(day)) < to_ns:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            yield start_ns, end_of(day)
