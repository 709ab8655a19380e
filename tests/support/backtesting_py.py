"""What backtesting.py calls the figures we compute, and how equal they have to be."""

import math

import msgspec
import pandas as pd

NAMES = {
    "exposure_pct": "Exposure Time [%]",
    "final_equity": "Equity Final [$]",
    "equity_peak": "Equity Peak [$]",
    "commissions": "Commissions [$]",
    "return_pct": "Return [%]",
    "buy_and_hold_return_pct": "Buy & Hold Return [%]",
    "return_ann_pct": "Return (Ann.) [%]",
    "volatility_ann_pct": "Volatility (Ann.) [%]",
    "cagr_pct": "CAGR [%]",
    "sharpe": "Sharpe Ratio",
    "sortino": "Sortino Ratio",
    "calmar": "Calmar Ratio",
    "alpha_pct": "Alpha [%]",
    "beta": "Beta",
    "max_drawdown_pct": "Max. Drawdown [%]",
    "avg_drawdown_pct": "Avg. Drawdown [%]",
    "trades": "# Trades",
    "win_rate_pct": "Win Rate [%]",
    "best_trade_pct": "Best Trade [%]",
    "worst_trade_pct": "Worst Trade [%]",
    "avg_trade_pct": "Avg. Trade [%]",
    "profit_factor": "Profit Factor",
    "expectancy_pct": "Expectancy [%]",
    "sqn": "SQN",
    "kelly": "Kelly Criterion",
}
TIMES = {"start_ns": "Start", "end_ns": "End"}
DURATIONS = {
    "duration_ns": "Duration",
    "max_drawdown_duration_ns": "Max. Drawdown Duration",
    "avg_drawdown_duration_ns": "Avg. Drawdown Duration",
    "max_trade_duration_ns": "Max. Trade Duration",
    "avg_trade_duration_ns": "Avg. Trade Duration",
}


# What is made of the number of returns in a year: the peer has 52, 12 or 1 of some spacings, else 252 or 365.
ANNUAL = frozenset({"return_ann_pct", "volatility_ann_pct", "sharpe", "sortino", "calmar"})


def assert_statistics_equal(ours, theirs: pd.Series, *, but=frozenset(), relative: float = 1e-8) -> None:
    """Compare every figure; `ours` is a `Statistics` or its dict, `theirs` what `Backtest.run` returns.

    `but` are figures that are not compared. What is NaN or infinite there is absent here, with a reason.
    """
    mine = ours if isinstance(ours, dict) else msgspec.structs.asdict(ours)
    assert set(mine) == {*NAMES, *TIMES, *DURATIONS, "reasons"}
    assert set(mine["reasons"]) == {name for name, value in mine.items() if value is None}
    different = {
        name: (mine[name], value)
        for name, value in figures_of_peer(theirs).items()
        if name not in but and not _equal(mine[name], value, relative)
    }
    assert not different, different


def figures_of_peer(theirs: pd.Series) -> dict:
    """Return the figures of the peer by our names."""
    figures = {name: theirs[peer] for name, peer in NAMES.items() if peer in theirs}
    for name, peer in (TIMES | DURATIONS).items():
        value = theirs[peer]
        # A drawdown of the last bar alone has no duration; the peer gives its depth in that place.
        figures[name] = value.as_unit("ns").value if isinstance(value, pd.Timedelta | pd.Timestamp) else None
    return figures


def _equal(mine, value, relative: float) -> bool:
    if value is None or value is pd.NaT:
        return mine is None
    if not math.isfinite(value):
        return mine is None
    return mine is not None and math.isclose(mine, value, rel_tol=relative, abs_tol=1e-11)
