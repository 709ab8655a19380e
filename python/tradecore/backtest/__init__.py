"""Backtests: the engine of live trading, fed with history."""

from tradecore.backtest.run import TRADE, BacktestResult, result_of, run
from tradecore.backtest.statistics import ClosedTrades, Statistics, compute_statistics

__all__ = [
    "TRADE",
    "BacktestResult",
    "ClosedTrades",
    "Statistics",
    "compute_statistics",
    "result_of",
    "run",
]
