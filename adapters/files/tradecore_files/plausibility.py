"""What is possible but hardly right in a whole table: the reader asks instead of guessing.

Each rule raises one `DataError` that says what was seen and which setting answers the question.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, InstrumentSpec
from tradecore_files.lean import says_security
from tradecore_files.options import FileFormat, ReadOptions, TimeFormat
from tradecore_files.table import Table
from tradecore_files.text_columns import PRICES, TIME_MAX_NS, TIME_MIN_NS, YEAR_MAX, YEAR_MIN

Column = npt.NDArray[np.int64]

_OHLC = ("open", "high", "low", "close")
# A bar may have one trade far off; how it opens and closes is held against the bars beside it.
_WICKS = frozenset({"high", "low"})
# A price this many times its neighbours on both sides, or this part of them.
_JUMP = 10.0
# LEAN's ten-thousandths of a price in cents are whole hundreds.
_LEAN_SCALE, _LEAN_HUNDRED = 10_000, 100
# Databento writes prices in billionths unless one asks for others; no market has a tick below a millionth.
_DATABENTO_SCALE, _DATABENTO_STEP = 1_000_000_000, 1_000
_DATABENTO_NAMES = frozenset({"ts_event", "ts_recv", "rtype", "publisher_id"})
_SECOND_NS = 1_000_000_000
_ROWS_TO_COMPARE = 8
_ROUGH, _SMOOTH = 0.1, 0.01

ACCEPT = 'or set data.implausible = "accept" if it is right'


def refuse_swapped(table: Table, options: ReadOptions) -> None:
    """Raise `DataError` when the columns are hardly what they are called, before their rows are checked."""
    if options.accept_implausible:
        return
    columns, path = table.columns, table.path
    if all(name in columns for name in _OHLC):
        _refuse_mixed_bars(path, columns)
    if "bid" in columns and "ask" in columns:
        _refuse_mixed_quotes(path, columns["bid"], columns["ask"])
    if "price" in columns and "quantity" in columns:
        price, quantity = _roughness(columns["price"]), _roughness(columns["quantity"])
        if price > _ROUGH and quantity < _SMOOTH:
            what = "the price moves as sizes do and the size as prices do: are the two swapped?"
            raise DataError(path, f"{what} Name both in data.columns, {ACCEPT}")


def refuse_implausible(table: Table, options: ReadOptions, units_per_price: float) -> None:
    """Raise `DataError` for times or prices that are possible but hardly right.

    Parameters
    ----------
    table : Table
        int64 columns by our names: `time` in UTC nanoseconds, prices in ticks.
    options : ReadOptions
        A named time format takes any year, a price scale any prices, `accept_implausible` any jumps too.
    units_per_price : float
        Ticks of a price of 1.
    """
    columns = table.columns
    if options.time_format is TimeFormat.AUTO:
        _refuse_years(table, columns["time"])
    if options.accept_implausible:
        return
    if options.date is not None and "open" in columns:
        _refuse_days_as_parts_of_one(table.path, columns["time"])
    has_header = table.format is not FileFormat.CSV or table.first_row > 1
    # Without its folders nothing says how a file of LEAN's writes prices.
    is_unclear = table.format is FileFormat.LEAN and not says_security(table.path)
    if options.price_scale is None:
        if not has_header or is_unclear:
            _refuse_ten_thousandths(table.path, columns, units_per_price)
        elif not _DATABENTO_NAMES.isdisjoint(name.strip().lower() for name in table.names):
            _refuse_billionths(table.path, columns, units_per_price)
    for name in sorted((PRICES - _WICKS) & columns.keys()):
        _refuse_jump(table, name, columns[name])


def units_per_price(spec: InstrumentSpec, options: ReadOptions) -> float:
    """Return how many ticks of the instrument a price of 1 in the file has."""
    return 1.0 / (float(spec.tick_size) * (options.price_scale or 1))


def is_local_without_zone(table: Table) -> bool:
    """Tell whether times have no offset and nobody said of which zone they are."""
    return table.is_local and table.zone is None


def ohlc_orders(columns: Mapping[str, Column]) -> list[tuple[str, ...]]:
    """Return the orders in which the four columns can be open, high, low and close by their values."""
    high = np.maximum.reduce([columns[name] for name in _OHLC])
    low = np.minimum.reduce([columns[name] for name in _OHLC])
    is_high = {name: bool((columns[name] == high).all()) for name in _OHLC}
    is_low = {name: bool((columns[name] == low).all()) for name in _OHLC}
    return [order for order in permutations(_OHLC) if is_high[order[1]] and is_low[order[2]]]


def _refuse_years(table: Table, time: Column) -> None:
    is_outside = (time < TIME_MIN_NS) | (time >= TIME_MAX_NS)
    if is_outside.any():
        row = int(np.argmax(is_outside))
        shown = str(np.datetime64(int(time[row]), "ns"))
        rule = f"must be within {YEAR_MIN} and {YEAR_MAX}; say how times are written in data.time_format"
        raise DataError(table.row_name(row), f"time {shown}: {rule}")


def _refuse_days_as_parts_of_one(path: str, time: Column) -> None:
    """Refuse numbers of days, such as 45292 as Excel counts them, read as milliseconds of one day."""
    step_ns = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    if 0 < step_ns < _SECOND_NS:
        what = f"bars would lie {step_ns / _SECOND_NS:g} seconds apart within data.date: are these days?"
        rule = "Write dates as YYYY-MM-DD, name the unit in data.time_format,"
        raise DataError(path, f"{what} {rule} {ACCEPT}")


def _refuse_mixed_bars(path: str, columns: Mapping[str, Column]) -> None:
    high, low = columns["high"], columns["low"]
    # Where the high is below the low, no price is between them.
    is_outside = [(columns[name] > high) | (columns[name] < low) for name in ("open", "close")]
    is_broken = np.logical_or(*is_outside)
    if len(high) >= _ROWS_TO_COMPARE and is_broken.mean() > 0.5 and (orders := ohlc_orders(columns)):
        fits = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in zip(_OHLC, orders[0], strict=True))
        what = "the columns are not open, high, low and close by their values"
        raise DataError(path, f"{what}; they would fit as {fits}: name them in data.columns")


def _refuse_mixed_quotes(path: str, bid: Column, ask: Column) -> None:
    if len(bid) >= _ROWS_TO_COMPARE and (ask < bid).mean() > 0.5:
        what = "the ask is below the bid in most rows: are the columns swapped?"
        raise DataError(path, f'{what} Set data.columns = {{bid = "ask", ask = "bid"}} with their names')
    with np.errstate(all="ignore"):
        ratio = np.median(ask / np.maximum(bid, 1)) if len(bid) else 1.0
    if ratio >= _JUMP:
        what = f"the ask is {ratio:.0f} times the bid: are these a price and a size, that is trades?"
        raise DataError(path, f"{what} Name the columns in data.columns, {ACCEPT}")


def _roughness(values: Column) -> float:
    """Return how much a column moves from row to row: the median of the change of its logarithm."""
    if len(values) < _ROWS_TO_COMPARE or (values <= 0).any():
        return float("nan")
    return float(np.median(np.abs(np.diff(np.log(values.astype(np.float64))))))


def _refuse_ten_thousandths(path: str, columns: Mapping[str, Column], units_per_price: float) -> None:
    values = _prices(columns, units_per_price)
    if len(values) and (values % _LEAN_HUNDRED == 0).all() and values.min() >= _LEAN_SCALE:
        what = "are all whole hundreds: ten-thousandths, as LEAN writes equities?"
        raise _scale_question(path, values, what, _LEAN_SCALE)


def _refuse_billionths(path: str, columns: Mapping[str, Column], units_per_price: float) -> None:
    values = _prices(columns, units_per_price)
    if len(values) and (values % _DATABENTO_STEP == 0).all() and values.min() >= 1_000 * _DATABENTO_STEP:
        what = "are all whole thousands: billionths, as Databento writes them?"
        raise _scale_question(path, values, what, _DATABENTO_SCALE)


def _prices(columns: Mapping[str, Column], units_per_price: float) -> npt.NDArray[np.float64]:
    """Return all prices of a table as numbers."""
    prices = [columns[name] for name in sorted(PRICES & columns.keys())]
    return np.concatenate(prices) / units_per_price if prices else np.zeros(0)


def _scale_question(path: str, values: npt.NDArray[np.float64], what: str, scale: int) -> DataError:
    rule = f"Set data.price_scale = {scale} if they are, and 1 if they are not"
    return DataError(path, f"prices such as {values[0]:.0f} {what} {rule}")


def _refuse_jump(table: Table, name: str, ticks: Column) -> None:
    if len(ticks) < 3:
        return
    price = ticks.astype(np.float64)
    # The first and the last row have both neighbours on one side.
    before = np.concatenate((price[2:3], price[:-1]))
    after = np.concatenate((price[1:], price[-3:-2]))
    is_jump = (price >= _JUMP * np.maximum(before, after)) | (price * _JUMP <= np.minimum(before, after))
    is_jump &= (price > 0) & (before > 0) & (after > 0)
    if is_jump.any():
        row = int(np.argmax(is_jump))
        times = max(price[row] / before[row], before[row] / price[row])
        what = f"{name} is {times:.0f} times off the rows beside it"
        raise DataError(table.row_name(row), f"{what}: correct the row, {ACCEPT}")
