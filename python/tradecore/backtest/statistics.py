"""Statistics of a finished backtest, from its equity over time and its closed trades.

The definitions are those of backtesting.py 0.6, so that figures can be compared, but for the number of
returns that make a year; each is stated at its field. A figure that cannot be computed is absent, and the
reason is stated.
"""

from typing import NamedTuple

import msgspec
import numpy as np

from tradecore.backtest.closed_trades import NONE_CLOSED, ClosedTrades, trade_figures
from tradecore.backtest.figures import (
    DAY_NS,
    SECOND_NS,
    Absent,
    Figure,
    Floats,
    Integers,
    known,
    mean,
    ratio,
    times,
)
from tradecore.backtest.result_text import as_html, as_text, figure_rows
from tradecore.backtest.yearly import compound_growth_pct, yearly
from tradecore.domain.errors import InvalidValueError

__all__ = ["ClosedTrades", "Statistics", "compute_statistics"]

PERIOD_SAMPLE = 99
RESOLUTIONS_NS = (DAY_NS, 3_600 * SECOND_NS, 60 * SECOND_NS, SECOND_NS, 1_000_000, 1_000, 1)

NOT_SAMPLED = "the equity between start and end was not sampled: statistics.sample is off"
NOT_POSITIVE = "equity at the start is not above 0"
NO_FALL = "equity never fell below its peak"

# Figures of what lies between start and end.
OF_THE_WAY = (
    "equity_peak",
    "return_ann_pct",
    "volatility_ann_pct",
    "sharpe",
    "sortino",
    "calmar",
    "alpha_pct",
    "beta",
    "max_drawdown_pct",
    "avg_drawdown_pct",
    "max_drawdown_duration_ns",
    "avg_drawdown_duration_ns",
)


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest comes to. A figure that cannot be computed is `None`, and `reasons` says why.

    Percentages are times 100. Drawdowns are negative or zero. Returns are compounded. A row is a bar, or a
    sample of the equity where there are no bars.

    Parameters
    ----------
    start_ns, end_ns, duration_ns : int
        Times of the first and the last row, and what lies between.
    exposure_pct : float or None
        Share of bars in which a closed trade was open, its first and last bar included; of samples: share of
        the time.
    final_equity : float
        Last equity.
    equity_peak : float or None
        Highest equity.
    commissions : float
        Commissions of all closed trades.
    return_pct : float or None
        Change of equity.
    buy_and_hold_return_pct : float or None
        Change of the close since the first bar a strategy could trade in. Of several instruments: of equal
        money in each, bought at its first price and held; what has no price yet is cash.
    return_ann_pct, volatility_ann_pct : float or None
        Geometric mean of the returns from day to day (from row to row where rows are further apart),
        compounded to a year; and the standard deviation of that compounded return. A year has as many returns
        as lie in the time that passed, times 365 days over that time; in a market of weekdays 252, which is
        what it is quoted by. Source of the deviation: SSRN 3054517, as backtesting.py has it. They need a day
        between start and end, and equity above 0.
    cagr_pct : float or None
        Compound growth per 365.25 days of calendar time, of a day at least.
    sharpe, sortino, calmar : float or None
        Annual return over annual volatility (Sharpe 1994); over downside deviation (Sortino and Price 1994);
        over the largest drawdown (Young 1991). The risk-free rate is 0.
    alpha_pct, beta : float or None
        Jensen (1968): return beyond `beta` times buy-and-hold; slope of the log returns of equity on those of
        buy-and-hold.
    max_drawdown_pct, avg_drawdown_pct : float or None
        Deepest fall below the running peak; mean of the deepest points of each drawdown.
    max_drawdown_duration_ns, avg_drawdown_duration_ns : int or None
        From peak to peak, rounded up to the resolution of the rows.
    trades : int
        Number of closed trades.
    win_rate_pct, best_trade_pct, worst_trade_pct, avg_trade_pct : float or None
        Share of trades with profit; largest, smallest and geometric mean of the returns on the entry value.
    max_trade_duration_ns, avg_trade_duration_ns : int or None
        Rounded up to the resolution of the bars; between samples exact.
    profit_factor, expectancy_pct : float or None
        Sum of positive over sum of negative returns; arithmetic mean of the returns.
    sqn : float or None
        System quality number (Tharp 2008): root of the number of trades, times mean over deviation of `pnl`.
    kelly : float or None
        Kelly (1956) fraction from win rate and mean win over mean loss.
    reasons : dict of str to str
        For each figure that is `None`, by its name: why.
    """

    start_ns: int
    end_ns: int
    duration_ns: int
    exposure_pct: float | None
    final_equity: float
    equity_peak: float | None
    commissions: float
    return_pct: float | None
    buy_and_hold_return_pct: float | None
    return_ann_pct: float | None
    volatility_ann_pct: float | None
    cagr_pct: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    alpha_pct: float | None
    beta: float | None
    max_drawdown_pct: float | None
    avg_drawdown_pct: float | None
    max_drawdown_duration_ns: int | None
    avg_drawdown_duration_ns: int | None
    trades: int
    win_rate_pct: float | None
    best_trade_pct: float | None
    worst_trade_pct: float | None
    avg_trade_pct: float | None
    max_trade_duration_ns: int | None
    avg_trade_duration_ns: int | None
    profit_factor: float | None
    expectancy_pct: float | None
    sqn: float | None
    kelly: float | None
    reasons: dict[str, str]

    def __repr__(self) -> str:
        """Return the figures as lines of text."""
        return as_text("Statistics", figure_rows(self, self.reasons))

    def _repr_html_(self) -> str:
        return as_html("Statistics", figure_rows(self, self.reasons))


def compute_statistics(
    times_ns: Integers,
    equity: Floats,
    close: Floats,
    trades: ClosedTrades,
    *,
    first_bar: int = 0,
    is_way_known: bool = True,
) -> Statistics:
    """Compute every figure of a backtest.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (rows,)
        Rising time of each bar, or of each sample of the equity, UTC nanoseconds.
    equity : ndarray of float64, shape (rows,)
        Account value at each bar's close, or at each sample; without NaN.
    close : ndarray of float64, shape (rows,)
        Closing prices, or any multiple of what buy-and-hold is worth; NaN where no price is known.
    trades : ClosedTrades
        What was opened and closed.
    first_bar : int
        First bar a strategy could trade in; buy-and-hold starts there.
    is_way_known : bool
        Whether the rows say what happened between start and end; figures of it are absent otherwise.

    Returns
    -------
    Statistics
        All figures, with the reasons of those that are absent.

    Raises
    ------
    InvalidValueError
        When there is no row, the arrays differ in length or `first_bar` is outside of them.
    """
    _check(times_ns, equity, close, first_bar)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        figures = {
            "start_ns": int(times_ns[0]),
            "end_ns": int(times_ns[-1]),
            "duration_ns": int(times_ns[-1] - times_ns[0]),
            "final_equity": float(equity[-1]),
            "equity_peak": float(equity.max()),
            "commissions": float(trades.commission.sum()),
            "trades": len(trades.pnl),
            **_over_time(times_ns, equity),
            **_beside_market(equity, close, first_bar),
            **_of_trades(times_ns, trades),
        }
    if not is_way_known:
        figures |= dict.fromkeys(OF_THE_WAY, Absent(NOT_SAMPLED))
    figures = {name: known(figure) for name, figure in figures.items()}
    absent = {name: figure.reason for name, figure in figures.items() if isinstance(figure, Absent)}
    reasons = {name: absent[name] for name in Statistics.__struct_fields__ if name in absent}
    return msgspec.convert({**figures, **dict.fromkeys(absent), "reasons": reasons}, Statistics)


class _Drawdowns(NamedTuple):
    deepest: float
    depths: Floats
    durations_ns: Integers


def _check(times_ns: Integers, equity: Floats, close: Floats, first_bar: int) -> None:
    rows = len(times_ns)
    if rows == 0:
        raise InvalidValueError("times_ns", rows, "must hold at least one bar")
    for name, column in (("equity", equity), ("close", close)):
        if len(column) != rows:
            raise InvalidValueError(name, len(column), f"must have one value for each of the {rows} bars")
    if not 0 <= first_bar < rows:
        raise InvalidValueError("first_bar", first_bar, f"must be one of the {rows} bars")


def _resolution_ns(times_ns: Integers) -> int:
    """Give the largest unit of time that the usual distance of the last hundred rows is a whole number of."""
    steps = np.diff(times_ns[-PERIOD_SAMPLE - 1 :])
    period_ns = int(np.median(steps)) if len(steps) else 1
    return next(unit for unit in RESOLUTIONS_NS if period_ns % unit == 0)


def _over_time(times_ns: Integers, equity: Floats) -> dict[str, Figure | None]:
    """Compute what the equity alone says."""
    if equity[0] <= 0:
        names = ("return_pct", "cagr_pct", *(name for name in OF_THE_WAY if name != "equity_peak"))
        return dict.fromkeys(names, Absent(NOT_POSITIVE))
    year, falls = yearly(times_ns, equity), _drawdowns(times_ns, equity)
    resolution_ns = _resolution_ns(times_ns)
    no_span = "the only fall below the peak was in the last row" if falls.deepest else NO_FALL
    return {
        "return_pct": float((equity[-1] - equity[0]) / equity[0] * 100),
        "return_ann_pct": times(100, year.growth),
        "volatility_ann_pct": times(100, year.volatility),
        "cagr_pct": compound_growth_pct(float(equity[-1] / equity[0]), int(times_ns[-1] - times_ns[0])),
        "sharpe": ratio(year.growth, year.volatility, "all returns were the same: volatility is 0"),
        "sortino": ratio(year.growth, year.downside, "no return was negative"),
        "calmar": ratio(year.growth, falls.deepest, NO_FALL),
        # Without a fall the depth is 0, not minus 0.
        "max_drawdown_pct": 0.0 - falls.deepest * 100,
        "avg_drawdown_pct": times(-100, mean(falls.depths, NO_FALL)),
        "max_drawdown_duration_ns": _longest_ns(falls.durations_ns, resolution_ns, no_span),
        "avg_drawdown_duration_ns": _average_ns(falls.durations_ns, resolution_ns, no_span),
    }


def _beside_market(equity: Floats, close: Floats, first_bar: int) -> dict[str, Figure]:
    """Compare the equity with what was bought and held."""
    bought = close[first_bar]
    if not bought > 0:
        absent = Absent("no price above 0 is known where buying and holding would begin")
        return dict.fromkeys(("buy_and_hold_return_pct", "alpha_pct", "beta"), absent)
    held_pct = float((close[-1] - bought) / bought * 100)
    beta = _beta(equity, close)
    if isinstance(beta, Absent):
        return {"buy_and_hold_return_pct": held_pct, "alpha_pct": beta, "beta": beta}
    return_pct = float((equity[-1] - equity[0]) / equity[0] * 100)
    return {"buy_and_hold_return_pct": held_pct, "alpha_pct": return_pct - beta * held_pct, "beta": beta}


def _beta(equity: Floats, close: Floats) -> Figure:
    if len(equity) < 3:
        return Absent("there are fewer than two returns")
    if equity.min() <= 0 or not close.min() > 0:
        return Absent("equity or a price was at or below 0, which has no logarithm")
    covariance = np.cov(np.log(equity[1:] / equity[:-1]), np.log(close[1:] / close[:-1]))
    return ratio(
        float(covariance[0, 1]), float(covariance[1, 1]), "prices rose or fell by the same share always"
    )


def _drawdowns(times_ns: Integers, equity: Floats) -> _Drawdowns:
    """Find each stretch below the running peak: from the peak to the row that regains it, or the last."""
    depth = 1 - equity / np.maximum.accumulate(equity)
    ends = np.unique(np.append(np.flatnonzero(depth == 0), len(depth) - 1))
    under = np.flatnonzero(np.diff(ends) > 1)
    start, end = ends[under], ends[under + 1]
    if len(start) == 0:
        # Only the last row, if any, lies below the peak: a depth without a duration.
        return _Drawdowns(float(depth.max()), depth[depth != 0], np.empty(0, np.int64))
    bounds = np.column_stack((start, end + 1)).ravel()
    depths = np.maximum.reduceat(np.append(depth, 0.0), bounds)[::2]
    return _Drawdowns(float(depth.max()), depths, times_ns[end] - times_ns[start])


def _of_trades(times_ns: Integers, trades: ClosedTrades) -> dict[str, Figure | None]:
    """Compute what the trades say, and when they were open."""
    won = trade_figures(trades)
    if trades.entry_time_ns is None or trades.exit_time_ns is None:
        held_ns, resolution_ns = (
            times_ns[trades.exit_bar] - times_ns[trades.entry_bar],
            _resolution_ns(times_ns),
        )
        exposure_pct: Figure = _exposure_of_bars_pct(len(times_ns), trades)
    else:
        held_ns, resolution_ns = trades.exit_time_ns - trades.entry_time_ns, 1
        exposure_pct = _exposure_of_time_pct(times_ns, trades.entry_time_ns, trades.exit_time_ns)
    return {
        "exposure_pct": exposure_pct,
        "max_trade_duration_ns": _longest_ns(held_ns, resolution_ns, NONE_CLOSED),
        "avg_trade_duration_ns": _average_ns(held_ns, resolution_ns, NONE_CLOSED),
        "win_rate_pct": times(100, won.win_rate),
        "best_trade_pct": times(100, won.best),
        "worst_trade_pct": times(100, won.worst),
        "avg_trade_pct": times(100, won.average),
        "profit_factor": won.profit_factor,
        "expectancy_pct": times(100, won.expectancy),
        "sqn": won.sqn,
        "kelly": won.kelly,
    }


def _exposure_of_bars_pct(bars: int, trades: ClosedTrades) -> float:
    opened = np.bincount(trades.entry_bar, minlength=bars + 1)
    closed = np.bincount(trades.exit_bar + 1, minlength=bars + 1)
    return float((np.cumsum(opened - closed)[:bars] > 0).mean()) * 100


def _exposure_of_time_pct(times_ns: Integers, entry_ns: Integers, exit_ns: Integers) -> Figure:
    """Give the share of the time in which at least one trade was open."""
    order = np.argsort(entry_ns, kind="stable")
    entered, left = entry_ns[order], np.maximum.accumulate(exit_ns[order])
    # A trade adds what lies after the end of all that were entered before it.
    before = np.append(np.iinfo(np.int64).min, left[:-1]) if len(left) else left
    open_ns = int(np.maximum(left - np.maximum(entered, before), 0).sum())
    return ratio(100.0 * open_ns, float(times_ns[-1] - times_ns[0]), "no time passed")


def _longest_ns(durations_ns: Integers, resolution_ns: int, if_none: str) -> int | Absent:
    return _round_up(int(durations_ns.max()), resolution_ns) if len(durations_ns) else Absent(if_none)


def _average_ns(durations_ns: Integers, resolution_ns: int, if_none: str) -> int | Absent:
    return _round_up(int(durations_ns.mean()), resolution_ns) if len(durations_ns) else Absent(if_none)


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
