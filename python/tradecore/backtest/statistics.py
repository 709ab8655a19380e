"""Statistics of a finished backtest, from its equity per bar and its closed trades.

The definitions are those of backtesting.py 0.6, so that figures can be compared; each is stated at its field.
"""

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradecore.domain.errors import InvalidValueError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
YEAR_DAYS = 365.25
PERIOD_SAMPLE = 99
RESOLUTIONS_NS = (DAY_NS, 3_600 * SECOND_NS, 60 * SECOND_NS, SECOND_NS, 1_000_000, 1_000, 1)


class ClosedTrades(msgspec.Struct, frozen=True, kw_only=True):
    """Closed trades as columns of equal length, in any order.

    Parameters
    ----------
    entry_bar, exit_bar : ndarray of int64
        Index of the bar each trade was opened and closed in.
    quantity : ndarray of float64
        Signed size: positive for a long trade, negative for a short one.
    entry_price, exit_price : ndarray of float64
        Prices of the fills.
    pnl : ndarray of float64
        Profit of each trade in account currency, after both commissions.
    commission : ndarray of float64
        Commission of entry and exit together.
    """

    entry_bar: Integers
    exit_bar: Integers
    quantity: Floats
    entry_price: Floats
    exit_price: Floats
    pnl: Floats
    commission: Floats


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest comes to. An undefined figure is NaN (a duration: `None`); both are null in JSON.

    Percentages are times 100. Drawdowns are negative or zero. Returns are compounded.

    Parameters
    ----------
    start_ns, end_ns, duration_ns : int
        Times of the first and the last bar, and what lies between.
    exposure_pct : float
        Share of bars in which a closed trade was open, its first and last bar included.
    final_equity, equity_peak : float
        Last and highest equity.
    commissions : float
        Commissions of all closed trades.
    return_pct, buy_and_hold_return_pct : float
        Change of equity; change of the close since the first bar a strategy could trade in.
    return_ann_pct, volatility_ann_pct : float
        Geometric mean of the returns per day (week, month, year for such bars), compounded to a year; and the
        standard deviation of that compounded return.
    cagr_pct : float
        Compound growth per 365.25 days of calendar time.
    sharpe, sortino, calmar : float
        Annual return over annual volatility (Sharpe 1994); over downside deviation (Sortino and Price 1994);
        over the largest drawdown (Young 1991). The risk-free rate is 0.
    alpha_pct, beta : float
        Jensen (1968): return beyond `beta` times buy-and-hold; slope of the log returns of equity on those of
        the close.
    max_drawdown_pct, avg_drawdown_pct : float
        Deepest fall below the running peak; mean of the deepest points of each drawdown.
    max_drawdown_duration_ns, avg_drawdown_duration_ns : int or None
        From peak to peak, rounded up to the resolution of the bars.
    trades : int
        Number of closed trades.
    win_rate_pct, best_trade_pct, worst_trade_pct, avg_trade_pct : float
        Share of trades with profit; largest, smallest and geometric mean of the returns on the entry value.
    max_trade_duration_ns, avg_trade_duration_ns : int or None
        Rounded up to the resolution of the bars.
    profit_factor, expectancy_pct : float
        Sum of positive over sum of negative returns; arithmetic mean of the returns.
    sqn : float
        System quality number (Tharp 2008): root of the number of trades, times mean over deviation of `pnl`.
    kelly : float
        Kelly (1956) fraction from win rate and mean win over mean loss.
    """

    start_ns: int
    end_ns: int
    duration_ns: int
    exposure_pct: float
    final_equity: float
    equity_peak: float
    commissions: float
    return_pct: float
    buy_and_hold_return_pct: float
    return_ann_pct: float
    volatility_ann_pct: float
    cagr_pct: float
    sharpe: float
    sortino: float
    calmar: float
    alpha_pct: float
    beta: float
    max_drawdown_pct: float
    avg_drawdown_pct: float
    max_drawdown_duration_ns: int | None
    avg_drawdown_duration_ns: int | None
    trades: int
    win_rate_pct: float
    best_trade_pct: float
    worst_trade_pct: float
    avg_trade_pct: float
    max_trade_duration_ns: int | None
    avg_trade_duration_ns: int | None
    profit_factor: float
    expectancy_pct: float
    sqn: float
    kelly: float


def compute_statistics(
    times_ns: Integers, equity: Floats, close: Floats, trades: ClosedTrades, *, first_bar: int = 0
) -> Statistics:
    """Compute every figure of a backtest.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (bars,)
        Increasing time of each bar, UTC nanoseconds.
    equity : ndarray of float64, shape (bars,)
        Account value at each bar's close; positive at the start, without NaN.
    close : ndarray of float64, shape (bars,)
        Closing prices.
    trades : ClosedTrades
        What was opened and closed.
    first_bar : int
        First bar a strategy could trade in; buy-and-hold starts there.

    Returns
    -------
    Statistics
        All figures.

    Raises
    ------
    InvalidValueError
        When there is no bar, the arrays differ in length or `first_bar` is outside of them.
    """
    _check(times_ns, equity, close, first_bar)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        resolution_ns = _resolution_ns(_period_ns(times_ns))
        yearly = _yearly(times_ns, equity)
        falls = _drawdowns(times_ns, equity)
        won = _trade_figures(trades)
        duration_ns = int(times_ns[-1] - times_ns[0])
        return_pct = float((equity[-1] - equity[0]) / equity[0] * 100)
        held_pct = float((close[-1] - close[first_bar]) / close[first_bar] * 100)
        beta = _beta(equity, close)
        held_ns = times_ns[trades.exit_bar] - times_ns[trades.entry_bar]
        return Statistics(
            start_ns=int(times_ns[0]),
            end_ns=int(times_ns[-1]),
            duration_ns=duration_ns,
            exposure_pct=_exposure_pct(len(times_ns), trades),
            final_equity=float(equity[-1]),
            equity_peak=float(equity.max()),
            commissions=float(trades.commission.sum()),
            return_pct=return_pct,
            buy_and_hold_return_pct=held_pct,
            return_ann_pct=yearly.growth * 100,
            volatility_ann_pct=yearly.volatility * 100,
            cagr_pct=_cagr_pct(float(equity[-1] / equity[0]), duration_ns),
            sharpe=_ratio(yearly.growth, yearly.volatility),
            sortino=float(np.float64(yearly.growth) / yearly.downside),
            calmar=_ratio(yearly.growth, falls.deepest),
            alpha_pct=return_pct - beta * held_pct,
            beta=beta,
            max_drawdown_pct=-falls.deepest * 100,
            avg_drawdown_pct=-_mean(falls.depths) * 100,
            max_drawdown_duration_ns=_longest_ns(falls.durations_ns, resolution_ns),
            avg_drawdown_duration_ns=_average_ns(falls.durations_ns, resolution_ns),
            max_trade_duration_ns=_longest_ns(held_ns, resolution_ns),
            avg_trade_duration_ns=_average_ns(held_ns, resolution_ns),
            trades=won.trades,
            win_rate_pct=won.win_rate * 100,
            best_trade_pct=won.best * 100,
            worst_trade_pct=won.worst * 100,
            avg_trade_pct=won.average * 100,
            profit_factor=won.profit_factor,
            expectancy_pct=won.expectancy * 100,
            sqn=won.sqn,
            kelly=won.kelly,
        )


class _Yearly(NamedTuple):
    growth: float
    volatility: float
    downside: float


class _Drawdowns(NamedTuple):
    deepest: float
    depths: Floats
    durations_ns: Integers


class _TradeFigures(NamedTuple):
    trades: int
    win_rate: float
    best: float
    worst: float
    average: float
    profit_factor: float
    expectancy: float
    sqn: float
    kelly: float


def _check(times_ns: Integers, equity: Floats, close: Floats, first_bar: int) -> None:
    bars = len(times_ns)
    if bars == 0:
        raise InvalidValueError("times_ns", bars, "must hold at least one bar")
    for name, column in (("equity", equity), ("close", close)):
        if len(column) != bars:
            raise InvalidValueError(name, len(column), f"must have one value for each of the {bars} bars")
    if not 0 <= first_bar < bars:
        raise InvalidValueError("first_bar", first_bar, f"must be one of the {bars} bars")


def _period_ns(times_ns: Integers) -> int | None:
    """Give the usual distance of two bars: the median over the last hundred."""
    steps = np.diff(times_ns[-PERIOD_SAMPLE - 1 :])
    return int(np.median(steps)) if len(steps) else None


def _resolution_ns(period_ns: int | None) -> int:
    """Give the largest unit of time that the period is a whole number of."""
    return 1 if period_ns is None else next(unit for unit in RESOLUTIONS_NS if period_ns % unit == 0)


def _yearly(times_ns: Integers, equity: Floats) -> _Yearly:
    """Compound the returns per day, or per bar when bars are weeks, months or years, to a year."""
    period_ns = _period_ns(times_ns)
    period_days = 0 if period_ns is None else period_ns // DAY_NS
    per_year = {7: 52, 31: 12, 365: 1}.get(period_days) or (365 if _has_weekends(times_ns) else 252)
    last = equity[_last_of_group(_calendar_group(times_ns, period_days))]
    returns = last[1:] / last[:-1] - 1
    returns = returns[~np.isnan(returns)]
    growth = np.float64(1 + _geometric_mean(returns))
    variance = float(returns.var(ddof=1)) if len(returns) > 1 else math.nan
    volatility = np.sqrt((variance + growth**2) ** per_year - growth ** (2 * per_year))
    downside = math.sqrt(_mean(np.minimum(returns, 0) ** 2) * per_year)
    return _Yearly(float(growth**per_year - 1), float(volatility), downside)


def _has_weekends(times_ns: Integers) -> bool:
    """Tell whether bars fall on weekends at more than 60 % of the rate of a market that never closes."""
    weekday = (times_ns // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return float((weekday >= 5).mean()) > 2 / 7 * 0.6


def _calendar_group(times_ns: Integers, period_days: int) -> Integers:
    """Number the day, or the week from Monday, month or year for such bars, each bar belongs to."""
    days = times_ns // DAY_NS
    if period_days == 7:
        return (days + 3) // 7
    if period_days in {31, 365}:
        unit = "datetime64[M]" if period_days == 31 else "datetime64[Y]"
        return days.astype("datetime64[D]").astype(unit).astype(np.int64)
    return days


def _last_of_group(group: Integers) -> Integers:
    return np.append(np.flatnonzero(group[1:] != group[:-1]), len(group) - 1)


def _geometric_mean(returns: Floats) -> float:
    """Average compounding returns; 0 when one of them loses everything, NaN without any."""
    growth = returns + 1
    if np.any(growth <= 0):
        return 0.0
    return float(np.exp(np.log(growth).sum() / len(growth))) - 1 if len(growth) else math.nan


def _cagr_pct(growth: float, duration_ns: int) -> float:
    years = duration_ns / DAY_NS / YEAR_DAYS
    return float(np.float64(growth) ** (1 / years) - 1) * 100 if years else math.nan


def _drawdowns(times_ns: Integers, equity: Floats) -> _Drawdowns:
    """Find each stretch below the running peak: from the peak to the bar that regains it, or the last."""
    depth = 1 - equity / np.maximum.accumulate(equity)
    ends = np.unique(np.append(np.flatnonzero(depth == 0), len(depth) - 1))
    under = np.flatnonzero(np.diff(ends) > 1)
    start, end = ends[under], ends[under + 1]
    if len(start) == 0:
        # Only the last bar, if any, lies below the peak: a depth without a duration.
        return _Drawdowns(float(depth.max()), depth[depth != 0], np.empty(0, np.int64))
    bounds = np.column_stack((start, end + 1)).ravel()
    depths = np.maximum.reduceat(np.append(depth, 0.0), bounds)[::2]
    return _Drawdowns(float(depth.max()), depths, times_ns[end] - times_ns[start])


def _exposure_pct(bars: int, trades: ClosedTrades) -> float:
    opened = np.bincount(trades.entry_bar, minlength=bars + 1)
    closed = np.bincount(trades.exit_bar + 1, minlength=bars + 1)
    return float((np.cumsum(opened - closed)[:bars] > 0).mean()) * 100


def _beta(equity: Floats, close: Floats) -> float:
    ours, market = np.log(equity[1:] / equity[:-1]), np.log(close[1:] / close[:-1])
    if len(ours) < 2:
        return math.nan
    covariance = np.cov(ours, market)
    return float(covariance[0, 1] / covariance[1, 1])


def _trade_figures(trades: ClosedTrades) -> _TradeFigures:
    pnl, count = trades.pnl, len(trades.pnl)
    if count == 0:
        return _TradeFigures(0, *[math.nan] * 8)
    gross = np.sign(trades.quantity) * (trades.exit_price / trades.entry_price - 1)
    returns = gross - trades.commission / (np.abs(trades.quantity) * trades.entry_price)
    win_rate = float((pnl > 0).mean())
    mean_loss = -_mean(pnl[pnl < 0])
    return _TradeFigures(
        trades=count,
        win_rate=win_rate,
        best=float(returns.max()),
        worst=float(returns.min()),
        average=_geometric_mean(returns),
        profit_factor=_ratio(float(returns[returns > 0].sum()), -float(returns[returns < 0].sum())),
        expectancy=float(returns.mean()),
        sqn=_ratio(math.sqrt(count) * float(pnl.mean()), float(pnl.std(ddof=1)) if count > 1 else math.nan),
        kelly=win_rate - _ratio(1 - win_rate, _mean(pnl[pnl > 0]) / mean_loss),
    )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _longest_ns(durations_ns: Integers, resolution_ns: int) -> int | None:
    return _round_up(int(durations_ns.max()), resolution_ns) if len(durations_ns) else None


def _average_ns(durations_ns: Integers, resolution_ns: int) -> int | None:
    return _round_up(int(durations_ns.mean()), resolution_ns) if len(durations_ns) else None


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
