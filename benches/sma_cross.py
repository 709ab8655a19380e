"""How long, how fast and how equal is the SMA cross of backtesting.py's README here? Prints one table.

Usage: `python benches/sma_cross.py`. Both run on the GOOG bars that backtesting.py has with it.
"""

import ast
import contextlib
import functools
import importlib.util
import io
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from backtesting import Backtest
from backtesting.test import GOOG

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support import sma_cross_peer
from support.backtesting_py import NAMES, figures_of_peer
from support.shared import ROOT
from tradecore import BacktestResult, run_frame

EXAMPLE = ROOT / "examples" / "frame_sma_cross.py"
RUNS = 7
COMMISSION = 0.002


def main() -> int:
    """Measure and print; 1 when a figure or a trade differs."""
    example()
    ours, theirs = timed(run_ours), timed(run_peer)
    figures = differing(ours[1], theirs[1])
    print(f"{'':24}{'tradecore':>14}{'backtesting.py':>16}")
    print(f"{'lines':24}{lines(EXAMPLE):>14}{lines(Path(sma_cross_peer.__file__)):>16}")
    print(f"{'seconds, best of ' + str(RUNS):24}{ours[0]:>14.4f}{theirs[0]:>16.4f}")
    for ours_name, name in NAMES.items():
        print(f"{ours_name:24}{getattr(ours[1].stats, ours_name):>14.6g}{theirs[1][name]:>16.6g}")
    print(f"{'trades that differ':24}{unequal_trades(ours[1], theirs[1]):>14}")
    print(f"figures that differ: {', '.join(figures) or 'none'}")
    return 1 if figures or unequal_trades(ours[1], theirs[1]) else 0


def lines(path: Path) -> int:
    """Count the lines of a program that hold code: no empty ones, comments or docstrings."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    texts = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    ]
    left_out = {line for text in texts for line in range(text.lineno, text.end_lineno + 1)}
    kept = [line for number, line in enumerate(source.splitlines(), 1) if number not in left_out]
    return sum(1 for line in kept if line.strip() and not line.lstrip().startswith("#"))


def run_ours() -> BacktestResult:
    """Run the example's strategy."""
    return run_frame(GOOG, example().SmaCross, cash=10_000, commission=COMMISSION)


def run_peer() -> pd.Series:
    """Run the strategy of backtesting.py's README, as it is there."""
    with warnings.catch_warnings():
        # It tells of a position that is open at the end.
        warnings.simplefilter("ignore")
        test = Backtest(
            GOOG, sma_cross_peer.SmaCross, cash=10_000, commission=COMMISSION, exclusive_orders=True
        )
        return test.run()


@functools.cache
def example() -> ModuleType:
    """Import the example, which also runs it on data of its own."""
    spec = importlib.util.spec_from_file_location("frame_sma_cross", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    return module


def timed(run) -> tuple[float, object]:
    """Return the least seconds of several runs, and what the last one came to."""
    least = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        outcome = run()
        least = min(least, time.perf_counter() - start)
    return least, outcome


def differing(ours: BacktestResult, theirs: pd.Series) -> list[str]:
    """Name the figures that are not the same to eight digits."""
    return [
        name
        for name, value in figures_of_peer(theirs).items()
        if not np.isclose(getattr(ours.stats, name), value, rtol=1e-8)
    ]


def unequal_trades(ours: BacktestResult, theirs: pd.Series) -> int:
    """Count trades that have another time, size, price, profit or commission."""
    mine = ours.trades_frame()
    peer = theirs["_trades"].sort_values(["EntryTime", "ExitTime"], ignore_index=True)
    if len(mine) != len(peer):
        return abs(len(mine) - len(peer))
    sign = np.where(mine["side"] == "long", 1, -1)
    equal = np.ones(len(mine), dtype=bool)
    for name, other in (("entry_time", "EntryTime"), ("exit_time", "ExitTime")):
        equal &= (mine[name].dt.tz_localize(None) == peer[other]).to_numpy()
    pairs = {"entry_price": "EntryPrice", "exit_price": "ExitPrice", "pnl": "PnL", "commission": "Commission"}
    for name, other in pairs.items():
        equal &= np.isclose(mine[name], peer[other], rtol=1e-9)
    equal &= (mine["quantity"] * sign == peer["Size"]).to_numpy()
    return int((~equal).sum())


if __name__ == "__main__":
    sys.exit(main())
