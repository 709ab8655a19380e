"""Backtests: the engine of live trading, fed with history."""

from tradecore.backtest.run import CASH_FLOW, TRADE, BacktestResult, Costs, result_of, run
from tradecore.backtest.run_frame import run_frame
from tradecore.backtest.statistics import ClosedTrades, Statistics, compute_statistics

__all__ = [
    "CASH_FLOW",
    "TRADE",
    "BacktestResult",
    "ClosedTrades",
    "Costs",
    "Statistics",
    "compute_statistics",
    "result_of",
    "run",
    "run_frame",
]
