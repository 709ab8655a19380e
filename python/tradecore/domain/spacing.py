"""How long bars last: till the next boundary of their calendar, as far as their opening times show it."""

from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tradecore.domain.zones import instants, on_the_wall

Column = npt.NDArray[np.int64]

_HOUR_NS = 3_600 * 1_000_000_000
_DAY_NS = 24 * _HOUR_NS
# Days that bars of a month and of a week lie apart at least, when they open on days of trading.
_MONTH_DAYS_MIN, _WEEK_DAYS_MIN = 25, 4


def close_times(time: Column, zone: ZoneInfo | None) -> Column:
    """Return when bars close that open at these UTC nanoseconds, rising; int64 of the same shape.

    Bars of a day or more last till the next day, week, month, quarter or year of the zone, those of less by
    the smallest step between two; none after the next has opened. One bar alone closes when it opens.
    """
    if len(time) < 2:
        return time.copy()
    smallest = int(np.diff(time).min())
    closes = time + smallest
    if smallest >= _DAY_NS - _HOUR_NS:
        wall = on_the_wall(time, zone)
        days, rest = _whole_days(np.diff(wall))
        if (np.abs(rest) <= _HOUR_NS).all():
            closes = _by_calendar(time, wall, days, zone)
    np.minimum(closes[:-1], time[1:], out=closes[:-1])
    return closes


def usual_length(time: Column, closes: Column) -> int:
    """Return the length in nanoseconds that most bars have, 0 without bars."""
    lengths, counts = np.unique(closes - time, return_counts=True)
    return int(lengths[int(np.argmax(counts))]) if len(lengths) else 0


def _whole_days(steps: Column) -> tuple[Column, Column]:
    days: Column = (steps + _DAY_NS // 2) // _DAY_NS
    return days, steps - days * _DAY_NS


def _by_calendar(time: Column, wall: Column, days: Column, zone: ZoneInfo | None) -> Column:
    date = wall // _DAY_NS
    month = _months(date)
    week = (date + 3) // 7
    if _are_months(date, month, days):
        number, step = month, int(np.gcd.reduce(np.diff(month)))
        boundary = _months_later(date, month, step) * _DAY_NS + wall % _DAY_NS
    elif _are_weeks(week, days):
        number, step = week, int(np.gcd.reduce(np.diff(week)))
        boundary = wall + 7 * step * _DAY_NS
    else:
        step = int(days.min())
        number, boundary = np.cumsum(np.concatenate(([0], days))), wall + step * _DAY_NS
    closes = instants(boundary, zone)
    # The next of the calendar is next, though it opens a day later for a holiday or an hour by the clock.
    is_next = np.diff(number) == step
    closes[:-1][is_next] = time[1:][is_next]
    return closes


def _months(date: Column) -> Column:
    months: Column = date.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months


def _first_days(month: Column) -> Column:
    days: Column = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return days


def _are_months(date: Column, month: Column, days: Column) -> bool:
    steps = np.diff(month)
    if (steps < 1).any() or days.min() < _MONTH_DAYS_MIN:
        return False
    of_month = date - _first_days(month)
    is_last = date == _first_days(month + 1) - 1
    if (of_month == of_month[0]).all() or is_last.all():
        return True
    # Days of trading: no length fits all, and on average it is that of a month.
    return bool(np.gcd.reduce(days) < _MONTH_DAYS_MIN and 29 <= np.median(days / steps) <= 32)


def _are_weeks(week: Column, days: Column) -> bool:
    is_one_each = bool((np.diff(week) >= 1).all()) and days.min() >= _WEEK_DAYS_MIN
    return is_one_each and bool(np.median(days) == 7) and int(np.gcd.reduce(days)) != 7


def _months_later(date: Column, month: Column, step: int) -> Column:
    """Return the same day of a later month, its last when it is shorter or the day was the last."""
    of_month = date - _first_days(month)
    is_last = date == _first_days(month + 1) - 1
    last = _first_days(month + step + 1) - 1
    same: Column = np.minimum(_first_days(month + step) + of_month, last)
    return np.where(is_last.all(), last, same)
