"""Trades and equity of a backtest as columns for frames."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradecore.domain import Instrument, InstrumentKind

Columns = dict[str, NDArray[Any]]


def trade_columns(
    trades: NDArray[Any],
    instruments: Sequence[Instrument],
    strategies: Sequence[str],
    *,
    decimals: bool,
) -> Columns:
    """Return closed trades with symbols, words and datetimes in place of numbers.

    Parameters
    ----------
    trades : ndarray, structured
        As `BacktestResult.trades`.
    instruments, strategies : sequence
        What `instrument_id` and `strategy_id` count.
    decimals : bool
        Give prices, sizes and money as `Decimal` in place of float64.
    """
    entered, left = (trades[name].astype("datetime64[ns]") for name in ("entry_time_ns", "exit_time_ns"))
    numbers: Columns = {
        name: trades[name] for name in ("quantity", "entry_price", "exit_price", "pnl", "commission")
    }
    values = entry_values(trades, instruments)
    with np.errstate(divide="ignore", invalid="ignore"):
        return_pct = np.where(values != 0, 100 * trades["pnl"] / values, np.nan)
    if decimals:
        ticks, lots = ([getattr(i, name) for i in instruments] for name in ("tick_size", "lot_size"))
        steps = {"quantity": lots, "entry_price": ticks, "exit_price": ticks}
        owners = trades["instrument_id"].tolist()
        numbers = {
            name: _exact(column, [steps[name][owner] for owner in owners] if name in steps else None)
            for name, column in numbers.items()
        }
    symbols = np.array([instrument.symbol for instrument in instruments], dtype=object)
    names = np.array(list(strategies), dtype=object)
    return {
        "symbol": symbols[trades["instrument_id"]],
        "side": np.array(["short", "", "long"], dtype=object)[trades["side"] + 1],
        "quantity": numbers["quantity"],
        "entry_time": entered,
        "exit_time": left,
        "entry_price": numbers["entry_price"],
        "exit_price": numbers["exit_price"],
        "pnl": numbers["pnl"],
        "commission": numbers["commission"],
        "return_pct": return_pct,
        "duration": left - entered,
        "strategy": names[trades["strategy_id"]],
    }


def equity_columns(
    times_ns: NDArray[np.int64], equity: NDArray[np.float64], prices: NDArray[np.float64]
) -> Columns:
    """Return the equity over time, how far it is below its peak, and the price of the only instrument."""
    columns: Columns = {
        "time": times_ns.astype("datetime64[ns]"),
        "equity": equity,
        "drawdown_pct": drawdown_pct(equity),
    }
    return columns | ({"price": prices} if len(prices) else {})


def cash_flow_columns(
    flows: NDArray[Any], instruments: Sequence[Instrument], strategies: Sequence[str]
) -> Columns:
    """Return cash flows with symbols and datetimes in place of numbers."""
    symbols = np.array([instrument.symbol for instrument in instruments], dtype=object)
    names = np.array(list(strategies), dtype=object)
    return {
        "time": flows["time_ns"].astype("datetime64[ns]"),
        "kind": flows["kind"].astype(object),
        "symbol": symbols[flows["instrument_id"]],
        "amount": flows["amount"],
        "strategy": names[flows["strategy_id"]],
    }


def drawdown_pct(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each value is below the highest so far, in percent: 0 or less."""
    peak = np.maximum.accumulate(equity)
    with np.errstate(divide="ignore", invalid="ignore"):
        fallen: NDArray[np.float64] = np.where(peak > 0, 100 * (equity / peak - 1), np.nan)
    return fallen


def entry_values(trades: NDArray[Any], instruments: Sequence[Instrument]) -> NDArray[np.float64]:
    """Return what each trade was worth at its entry, in account currency."""
    size = np.array([float(instrument.multiplier) for instrument in instruments])
    is_inverse = np.array([i.kind is InstrumentKind.INVERSE for i in instruments])
    price, instrument = np.abs(trades["entry_price"]), trades["instrument_id"]
    with np.errstate(divide="ignore"):
        per_unit = np.where(is_inverse[instrument], 1 / price, price)
    values: NDArray[np.float64] = trades["quantity"] * size[instrument] * per_unit
    return values


def _exact(column: NDArray[np.float64], steps: Sequence[Decimal] | None) -> NDArray[Any]:
    """Return floats as the decimals that they are shown as, with as many places as their step has."""
    exact = [Decimal(repr(value)) for value in column.tolist()]
    if steps is not None:
        exact = [value.quantize(step) for value, step in zip(exact, steps, strict=True)]
    decimals = np.empty(len(column), dtype=object)
    decimals[:] = exact
    return decimals
