"""Prices and sizes of a frame as whole ticks and lots, exactly or rounded as the caller says."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import DataError
from tradecore.domain.steps import (
    DECIMALS_MAX,
    decimals_of,
    lot_of,
    power_of_ten,
    rounded_tick_of,
    steps_of_floats,
    tick_of,
)
from tradecore.frames.table import Column, Table, is_missing

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# No venue trades in smaller parts.
_LOT_DECIMALS_MAX = 8
_HINT = '; rounding="nearest" rounds it, or give the instrument its true tick_size'


def floats_of(table: Table, column: Column) -> Floats:
    """Return a column as float64; a float32 becomes the decimal number that it is shown as.

    Raises
    ------
    DataError
        When it holds something else than numbers, or a row has none.
    """
    values = column.values
    if values.dtype.kind == "O":
        values = _of_objects(table, column)
    if values.dtype.kind not in "iuf":
        what = f"column {column.label!r} has type {values.dtype}, and must be numbers"
        raise DataError("frame", f"{what}; convert it, e.g. with .astype(float)")
    if values.dtype.kind == "f":
        is_gap = np.isnan(values)
        if is_gap.any():
            what = "is not a number; drop such rows, as dropna() does, or fill them"
            raise DataError(table.row_name(int(np.argmax(is_gap))), f"{column.label} nan: {what}")
        if values.dtype.itemsize < 8:
            values = values.astype(str)
    return values.astype(np.float64)


def ticks_of(table: Table, column: Column, step: str, *, is_nearest: bool) -> Integers:
    """Return prices in ticks, or sizes in lots.

    Raises
    ------
    DataError
        Naming the first row whose number is missing, negative, too large or between two steps.
    """
    values = floats_of(table, column)
    return steps_of_floats(
        table.row_name, column.label, step, values, is_nearest=is_nearest, off_grid_hint=_HINT
    )


def found_tick(prices: Sequence[Floats], *, is_nearest: bool) -> str:
    """Return the coarsest round tick that all prices are multiples of.

    Raises
    ------
    DataError
        When there is none, and prices are not to be rounded; it says to which they could be.
    """
    values = np.concatenate(prices)
    values = values[np.isfinite(values) & (values > 0)]
    decimals = decimals_of(values)
    if decimals is not None:
        return tick_of(_whole(values, decimals), power_of_ten(decimals))
    fitting = [at for at in range(DECIMALS_MAX + 1) if float(values.max()) * 10.0**at < 2.0**53]
    finest = fitting[-1] if fitting else 0
    tick = rounded_tick_of(_whole(values, finest), power_of_ten(finest))
    if not is_nearest:
        odd = next(value for value in values.tolist() if decimals_of(np.array([value])) is None)
        what = f"prices such as {odd!r} are on no tick, as adjusted or computed ones are not"
        rule = (
            f'pass rounding="nearest" to round them to {tick}, or an instrument with the tick_size you want'
        )
        raise DataError("frame", f"{what}; {rule}")
    return tick


def found_lot(sizes: Sequence[Floats]) -> str:
    """Return the power of ten from 1 down to 0.00000001 that all sizes are multiples of, or the last."""
    values = np.concatenate([np.zeros(0), *sizes])
    values = values[np.isfinite(values) & (values >= 0)]
    decimals = decimals_of(values)
    if decimals is None or decimals > _LOT_DECIMALS_MAX:
        fitting = [
            at for at in range(_LOT_DECIMALS_MAX + 1) if float(values.max(initial=0.0)) * 10.0**at < 2.0**53
        ]
        return power_of_ten(fitting[-1] if fitting else 0)
    return lot_of(_whole(values, decimals), power_of_ten(decimals))


def _whole(values: Floats, decimals: int) -> Integers:
    return np.rint(values * 10.0**decimals).astype(np.int64)


def _of_objects(table: Table, column: Column) -> npt.NDArray[Any]:
    """Return Decimals and other numbers as floats, what is missing as NaN."""
    floats = np.empty(len(column.values), dtype=np.float64)
    for row, item in enumerate(column.values.tolist()):
        if is_missing(item):
            floats[row] = np.nan
        elif isinstance(item, Decimal | int | float) and not isinstance(item, bool):
            floats[row] = float(item)
        else:
            what = f"{column.label} {item!r} is {type(item).__name__}, and must be a number"
            raise DataError(table.row_name(row), f"{what}; convert the column, e.g. with .astype(float)")
    return floats
