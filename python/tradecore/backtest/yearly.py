"""What the returns of a run come to in a year, by the time that passed."""

from typing import NamedTuple

import numpy as np

from tradecore.backtest.figures import DAY_NS, Absent, Figure, Floats, Integers

YEAR_DAYS = 365
SESSIONS_PER_YEAR = 252
GROWTH_YEAR_DAYS = 365.25

# Share of the weekdays from which on a market counts as open on all but holidays: a year of 252 sessions has
# 0.966 of them, a market that rests on each fifth weekday 0.8.
_SESSIONS_MIN = 0.85
# Returns that differ by less are equal but for the rounding of floats.
_EQUAL = 8 * np.finfo(np.float64).eps

NO_DAY = "less than a day lies between start and end"
RUIN = "equity was at or below 0, and returns from there cannot be compounded"


class Yearly(NamedTuple):
    """Return, deviation and downside deviation of a year, as shares of 1."""

    growth: Figure
    volatility: Figure
    downside: Figure


def yearly(times_ns: Integers, equity: Floats) -> Yearly:
    """Compound the returns from day to day (from row to row where rows are further apart) to a year.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (rows,)
        Rising times, UTC nanoseconds.
    equity : ndarray of float64, shape (rows,)
        Account value at each of them.
    """
    if times_ns[-1] - times_ns[0] < DAY_NS:
        return Yearly(*[Absent(NO_DAY)] * 3)
    if equity.min() <= 0:
        return Yearly(*[Absent(RUIN)] * 3)
    last = _last_of_day(times_ns)
    returns = equity[last[1:]] / equity[last[:-1]] - 1
    per_year = _returns_per_year(times_ns, last)
    growth = np.exp(np.log1p(returns).mean())
    downside = np.sqrt((np.minimum(returns, 0) ** 2).mean() * per_year)
    return Yearly(float(growth**per_year - 1), _volatility(returns, growth, per_year), float(downside))


def compound_growth_pct(ratio: float, duration_ns: int) -> Figure:
    """Give the growth per 365.25 days that makes `ratio` of 1 in this time, in percent."""
    if duration_ns < DAY_NS:
        return Absent(NO_DAY)
    if ratio < 0:
        return Absent(RUIN)
    years = duration_ns / DAY_NS / GROWTH_YEAR_DAYS
    return float(np.float64(ratio) ** (1 / years) - 1) * 100


def _last_of_day(times_ns: Integers) -> Integers:
    """Give the last row of every day in UTC that has one."""
    day = times_ns // DAY_NS
    return np.append(np.flatnonzero(day[1:] != day[:-1]), len(day) - 1)


def _returns_per_year(times_ns: Integers, last: Integers) -> float:
    """Tell how many returns, each from one of the rows `last` to the next, make a year.

    As many as lie in the time that passed, times 365 days over that time. A market of weekdays has 252
    sessions a year instead, which is what its annual figures are quoted by: its days are complete but for
    holidays. One that trades on weekends has 365.
    """
    count = len(last) - 1
    if 2 * np.count_nonzero(np.diff(times_ns) > DAY_NS) >= len(times_ns):
        return float(count * YEAR_DAYS * DAY_NS / (times_ns[last[-1]] - times_ns[last[0]]))
    first_day, last_day = int(times_ns[last[0]] // DAY_NS), int(times_ns[last[-1]] // DAY_NS)
    if not _has_weekends(times_ns):
        weekdays = np.busday_count(_date(first_day + 1), _date(last_day + 1))
        if count >= _SESSIONS_MIN * weekdays:
            return SESSIONS_PER_YEAR
    return count * YEAR_DAYS / (last_day - first_day)


def _date(day: int) -> np.datetime64:
    return np.datetime64(day, "D")


def _has_weekends(times_ns: Integers) -> bool:
    """Tell whether rows fall on weekends at more than 60 % of the rate of a market that never closes."""
    weekday = (times_ns // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return float((weekday >= 5).mean()) > 2 / 7 * 0.6


def _volatility(returns: Floats, growth: np.float64, per_year: float) -> Figure:
    """Give the deviation of the compounded return, sqrt((v + g^2)^n - g^2n), without cancellation."""
    if len(returns) < 2:
        return Absent("there is one return from day to day, and a deviation needs two")
    if np.ptp(returns) <= _EQUAL:
        return 0.0
    variance = returns.var(ddof=1)
    return float(growth**per_year * np.sqrt(np.expm1(per_year * np.log1p(variance / growth**2))))
