"""Runs one case on backtesting.py and gives its trades and statistics in our terms.

The case is a moving-average cross that turns the whole position around, optionally with a stop-loss and a
take-profit set off from the close of the bar that gave the signal. Averages are exact: sums of whole ticks,
divided once.
"""

import csv
import gzip
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from support.shared import EXAMPLE_DATA, shared_data

TICK_SIZES = {"BTC-USD": "0.01", "BTC-1M": "0.01", "GOOG": "0.01", "EURUSD": "0.00001"}
SLICES = {"BTC-USD": "btc-daily.csv", "BTC-1M": "btc-1m.csv"}
TRADE = np.dtype(
    [
        ("entry_time_ns", "i8"),
        ("exit_time_ns", "i8"),
        ("side", "i8"),
        ("quantity", "f8"),
        ("entry_price", "f8"),
        ("exit_price", "f8"),
        ("pnl", "f8"),
        ("commission", "f8"),
    ]
)


class Case(NamedTuple):
    """One configuration that both engines run."""

    symbol: str
    fast: int
    slow: int
    cash: int = 1_000_000
    commission_bps: int = 0
    trade_on_close: bool = False
    leverage: int = 1
    stop_loss: float | None = None
    take_profit: float | None = None
    # All of the equity; the peer's default size, which calls itself .9999, is that too.
    fraction: float = 1.0

    def __str__(self) -> str:
        """Name the case by what differs from the plain one."""
        parts = [f"{self.symbol} {self.fast}/{self.slow}"]
        parts += [f"cash {self.cash}"] if self.cash != 1_000_000 else []
        parts += [f"{self.commission_bps} bp"] if self.commission_bps else []
        parts += ["on close"] if self.trade_on_close else []
        parts += [f"leverage {self.leverage}"] if self.leverage > 1 else []
        parts += [f"stop {self.stop_loss}"] if self.stop_loss else []
        parts += [f"take {self.take_profit}"] if self.take_profit else []
        parts += [f"fraction {self.fraction}"] if self.fraction != 1 else []
        return ", ".join(parts)


class Outcome(NamedTuple):
    """What one engine makes of a case; `statistics` by the names the engine gives them."""

    trades: np.ndarray
    statistics: object
    equity: np.ndarray


class TickBars(NamedTuple):
    """Bars in whole ticks, and their tick size."""

    times_ns: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    tick_size: str


def load(symbol: str) -> TickBars:
    """Read real bars as whole ticks; decimal text is taken exactly."""
    tick_size = TICK_SIZES[symbol]
    digits = _digits(symbol)
    rows = list(csv.reader(_text(symbol).splitlines()))[1:]
    times = np.array([_time_ns(row[0]) for row in rows])
    prices = [np.array([_ticks(row[column], digits) for row in rows]) for column in (1, 2, 3, 4)]
    return TickBars(times, *prices, np.array([int(Decimal(row[5])) for row in rows]), tick_size)


def _text(symbol: str) -> str:
    if symbol in SLICES:
        return (EXAMPLE_DATA / SLICES[symbol]).read_text(encoding="utf-8")
    packed: Path = shared_data(f"public/backtesting_py/{symbol}.csv.gz")
    return gzip.decompress(packed.read_bytes()).decode()


def _time_ns(text: str) -> int:
    """Read `2017-08-16`, or `1/31/2026 6:49` as the bars of one minute write it."""
    form = "%m/%d/%Y %H:%M" if "/" in text else None
    time = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - UTC
    return int(time.replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def _digits(symbol: str) -> int:
    return len(TICK_SIZES[symbol].split(".")[1])


def _ticks(text: str, digits: int) -> int:
    whole, _, part = text.partition(".")
    assert len(part) <= digits, f"{text} is not a whole number of ticks"
    return int(whole) * 10**digits + int(part.ljust(digits, "0"))


def run_peer(case: Case) -> Outcome:
    """Run a case on backtesting.py."""
    bars = load(case.symbol)
    scale = 10 ** _digits(case.symbol)
    frame = pd.DataFrame(
        {name.title(): getattr(bars, name) / scale for name in ("open", "high", "low", "close")},
        index=pd.DatetimeIndex(bars.times_ns.astype("datetime64[ns]")),
    )
    frame["Volume"] = bars.volume
    with warnings.catch_warnings():
        # It tells of prices above the cash and of exits in their entry's bar; the comparison shows both.
        warnings.simplefilter("ignore")
        done = Backtest(
            frame,
            _strategy(case, bars.close, scale),
            cash=case.cash,
            commission=case.commission_bps / 10_000,
            margin=1 / case.leverage,
            trade_on_close=case.trade_on_close,
            finalize_trades=True,
        ).run()
    return Outcome(_trades(done["_trades"]), done, done["_equity_curve"]["Equity"].to_numpy())


def average(ticks: np.ndarray, length: int, scale: int) -> np.ndarray:
    """Average exactly: whole ticks are summed, then divided once; NaN until warm."""
    total = np.cumsum(np.concatenate(([0], ticks)))
    out = np.full(len(ticks), np.nan)
    out[length - 1 :] = (total[length:] - total[:-length]) / (length * scale)
    return out


def exits(case: Case, side: int, close_ticks: int) -> tuple[int | None, int | None]:
    """Place stop-loss and take-profit by whole ticks, a share of the close away."""
    stop = None if case.stop_loss is None else round(close_ticks * (1 - side * case.stop_loss))
    take = None if case.take_profit is None else round(close_ticks * (1 + side * case.take_profit))
    return stop, take


def _strategy(case: Case, close_ticks: np.ndarray, scale: int) -> type[Strategy]:
    class Cross(Strategy):
        def init(self):
            self.fast = self.I(average, close_ticks, case.fast, scale)
            self.slow = self.I(average, close_ticks, case.slow, scale)

        def next(self):
            before, now = self.fast[-2] - self.slow[-2], self.fast[-1] - self.slow[-1]
            side = 1 if before < 0 < now else -1 if now < 0 < before else 0
            if not side:
                return
            stop, take = exits(case, side, int(close_ticks[len(self.data) - 1]))
            self.position.close()
            size = {} if case.fraction == 1 else {"size": case.fraction}
            (self.buy if side > 0 else self.sell)(**size, sl=stop and stop / scale, tp=take and take / scale)

    return Cross


def _trades(frame: pd.DataFrame) -> np.ndarray:
    out = np.zeros(len(frame), TRADE)
    for ours, theirs in (("entry_time_ns", "EntryTime"), ("exit_time_ns", "ExitTime")):
        out[ours] = frame[theirs].to_numpy().astype("datetime64[ns]").astype(np.int64)
    out["side"] = np.sign(frame["Size"])
    out["quantity"] = np.abs(frame["Size"])
    for ours, theirs in (("entry_price", "EntryPrice"), ("exit_price", "ExitPrice"), ("pnl", "PnL")):
        out[ours] = frame[theirs]
    out["commission"] = frame["Commission"]
    return np.sort(out, order=["entry_time_ns", "exit_time_ns"])
