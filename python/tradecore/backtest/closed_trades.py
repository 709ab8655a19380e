"""Closed trades as columns, and the figures that are made of them alone."""

import math
from typing import NamedTuple

import msgspec
import numpy as np

from tradecore.backtest.figures import Absent, Figure, Floats, Integers, mean, ratio

NONE_CLOSED = "no trade was closed"
NO_VALUE = "a trade was entered at a price of 0, on which there is no return"


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
    entry_value : ndarray of float64 or None
        What each trade was worth at its entry, in account currency; `None`: size times price.
    entry_time_ns, exit_time_ns : ndarray of int64 or None
        When each trade was opened and closed, UTC nanoseconds; `None`: with its bars.
    """

    entry_bar: Integers
    exit_bar: Integers
    quantity: Floats
    entry_price: Floats
    exit_price: Floats
    pnl: Floats
    commission: Floats
    entry_value: Floats | None = None
    entry_time_ns: Integers | None = None
    exit_time_ns: Integers | None = None


class TradeFigures(NamedTuple):
    """What the trades come to, as shares of 1 where it is a share."""

    win_rate: Figure
    best: Figure
    worst: Figure
    average: Figure
    profit_factor: Figure
    expectancy: Figure
    sqn: Figure
    kelly: Figure


def trade_figures(trades: ClosedTrades) -> TradeFigures:
    """Compute the figures that need nothing but the trades."""
    pnl, count = trades.pnl, len(trades.pnl)
    if count == 0:
        return TradeFigures(*[Absent(NONE_CLOSED)] * 8)
    value = trades.entry_value
    value = np.abs(trades.quantity * trades.entry_price) if value is None else value
    win_rate = float((pnl > 0).mean())
    returns = Absent(NO_VALUE) if np.any(value == 0) else pnl / value
    best, worst, average, profit_factor, expectancy = _of_returns(returns)
    return TradeFigures(
        win_rate=win_rate,
        best=best,
        worst=worst,
        average=average,
        profit_factor=profit_factor,
        expectancy=expectancy,
        sqn=_system_quality(pnl),
        kelly=_kelly(pnl, win_rate),
    )


def _of_returns(returns: Floats | Absent) -> tuple[Figure, Figure, Figure, Figure, Figure]:
    """Give the best, the worst and the geometric mean, profit factor and arithmetic mean."""
    if isinstance(returns, Absent):
        return returns, returns, returns, returns, returns
    lost = -float(returns[returns < 0].sum())
    return (
        float(returns.max()),
        float(returns.min()),
        _geometric_mean(returns),
        ratio(float(returns[returns > 0].sum()), lost, "no trade lost"),
        float(returns.mean()),
    )


def _geometric_mean(returns: Floats) -> Figure:
    if np.any(returns <= -1):
        return Absent("a trade lost all that it was entered with, or more: returns cannot be compounded")
    return float(np.exp(np.log1p(returns).mean())) - 1


def _system_quality(pnl: Floats) -> Figure:
    if len(pnl) < 2:
        return Absent("one trade was closed, and a deviation needs two")
    # Profits that differ by the rounding of floats alone are equal.
    spread = 0.0 if np.ptp(pnl) <= 1e-12 * float(np.abs(pnl).max()) else float(pnl.std(ddof=1))
    return ratio(math.sqrt(len(pnl)) * float(pnl.mean()), spread, "all trades had the same profit")


def _kelly(pnl: Floats, win_rate: float) -> Figure:
    won = mean(pnl[pnl > 0], "no trade won")
    lost = mean(-pnl[pnl < 0], "no trade lost")
    odds = ratio(won, lost, "no trade lost")
    share = ratio(1 - win_rate, odds, "no trade won")
    return share if isinstance(share, Absent) else win_rate - share
