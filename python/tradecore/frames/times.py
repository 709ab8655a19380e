"""Times of a frame as UTC nanoseconds, whatever their unit, zone or type."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import DataError, InvalidValueError
from tradecore.domain.feeds import read_columns, time_kind
from tradecore.domain.zones import to_utc, zone_named
from tradecore.frames.table import Column, Table, is_missing

Integers = npt.NDArray[np.int64]

# Seconds, milliseconds, microseconds and nanoseconds.
_UNITS_NS = (1_000_000_000, 1_000_000, 1_000, 1)
# A number is seconds, milliseconds, ... since 1970 when that makes it a time within these years; none is two.
_FIRST_NS = int(np.datetime64("1980-01-01", "ns").astype(np.int64))
_END_NS = int(np.datetime64("2101-01-01", "ns").astype(np.int64))
_SEPARATOR = "\x1f"


def times_of(
    table: Table, column: Column, timezone: str, *, may_repeat: bool
) -> tuple[Integers, ZoneInfo | None]:
    """Return the times of a column, and the zone whose days they follow (`None`: UTC).

    Times with a zone are converted to UTC; those without are of `timezone`. Numbers count seconds,
    milliseconds, microseconds or nanoseconds since 1970, whichever makes them times of 1980 to 2100.
    `may_repeat` says that two rows may have one time.

    Raises
    ------
    DataError
        Naming the first row whose time is missing or cannot be read.
    InvalidValueError
        When there is no such zone.
    """
    zone = zone_named(timezone)
    values = column.values
    is_local = column.zone is None
    if values.dtype.kind == "M":
        times = _of_datetimes(table, column)
    elif values.dtype.kind in "iuf":
        times, is_local = _of_numbers(table, column)
    elif values.dtype.kind in "OUT":
        times, is_local = _of_objects(table, column)
    else:
        what = f"column {column.label!r} has type {values.dtype}"
        raise DataError("frame", f"{what}; times must be datetimes, numbers since 1970 or ISO text")
    if not is_local:
        return times, _zone_of(column.zone)
    if zone is not None:
        times = to_utc("frame row", 0, times, zone, may_repeat=may_repeat, setting="timezone")
    return times, zone


def _zone_of(name: str | None) -> ZoneInfo | None:
    """Return the zone of times that are UTC already; one without a name, such as +01:00, has no calendar."""
    try:
        return None if name is None else zone_named(name)
    except InvalidValueError:
        return None


def _of_datetimes(table: Table, column: Column) -> Integers:
    values = column.values
    _refuse_missing(table, column, np.isnat(values))
    bounds = [np.datetime64(bound, "D").astype(values.dtype) for bound in ("1678-01-01", "2262-01-01")]
    is_outside = (values < bounds[0]) | (values > bounds[1])
    if is_outside.any():
        row = int(np.argmax(is_outside))
        rule = "must be within 1678 and 2261, which 64 bits of nanoseconds hold"
        raise DataError(table.row_name(row), f"{column.label} {values[row]}: {rule}")
    return values.astype("datetime64[ns]").astype(np.int64)


def _of_numbers(table: Table, column: Column) -> tuple[Integers, bool]:
    values = column.values
    if values.dtype.kind == "f":
        _refuse_missing(table, column, ~np.isfinite(values))
    if not len(values):
        return np.zeros(0, dtype=np.int64), False
    low, high = float(values.min()), float(values.max())
    is_stated = column.label.strip().lower().endswith("_ns")
    for unit_ns in (1,) if is_stated else _UNITS_NS:
        if is_stated or (low * unit_ns >= _FIRST_NS and high * unit_ns < _END_NS):
            return _counted(values, unit_ns), False
    # Digits such as 20240131 or 20240131093000 are dates as text has them.
    if values.dtype.kind in "iu":
        try:
            return _of_texts(table, column, [str(value) for value in values.tolist()])
        except DataError:
            pass
    is_early = values.astype(np.float64) * _UNITS_NS[0] < _FIRST_NS
    row = int(np.argmax(is_early if is_early.any() else values == values.max()))
    rule = "numbers must count s, ms, us or ns since 1970, all in one unit and within 1980 to 2100"
    raise DataError(
        table.row_name(row), f"{column.label} {values[row]}: {rule}; convert the column to datetimes"
    )


def _counted(values: npt.NDArray[Any], unit_ns: int) -> Integers:
    if values.dtype.kind != "f" or (values == np.floor(values)).all():
        return values.astype(np.int64) * unit_ns
    # A float means the decimal that it is shown as: 1704067200.1 is a tenth of a second past, exactly.
    exact = (round(Decimal(repr(value)) * unit_ns) for value in values.astype(np.float64).tolist())
    return np.fromiter(exact, dtype=np.int64, count=len(values))


def _of_objects(table: Table, column: Column) -> tuple[Integers, bool]:
    items = column.values.tolist()
    _refuse_missing(table, column, np.array([is_missing(item) for item in items], dtype=bool))
    texts = [item.isoformat() if isinstance(item, datetime | date) else str(item) for item in items]
    return _of_texts(table, column, texts)


def _of_texts(table: Table, column: Column, texts: list[str]) -> tuple[Integers, bool]:
    """Read text as files have it; returns also whether it lacks an offset from UTC."""
    text = "\n".join(item.replace("\n", " ") or '""' for item in texts).encode()
    try:
        kind, is_local = time_kind(text, _SEPARATOR, 0, (column.label, 0), "")
        (times,) = read_columns(text, _SEPARATOR, 0, [(column.label, 0, kind, "")])
    except DataError as error:
        line = int(error.where.removeprefix("line ") or 1)
        what = error.what.partition("; say")[0].partition("; name")[0].partition("; set")[0]
        rule = "convert the column to datetimes first, e.g. with pandas.to_datetime(..., format=...)"
        raise DataError(table.row_name(line - 1), f"{what}; {rule}") from None
    return times, is_local


def _refuse_missing(table: Table, column: Column, is_gap: npt.NDArray[np.bool_]) -> None:
    if is_gap.any():
        rule = "the time is missing; drop the row or fill it in"
        raise DataError(table.row_name(int(np.argmax(is_gap))), f"{column.label}: {rule}")
