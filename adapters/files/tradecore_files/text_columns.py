"""Columns of text as int64 arrays; how times are written is found for each column of times."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, InvalidValueError
from tradecore.domain.feeds import read_columns, time_kind
from tradecore_files.names import Wanted
from tradecore_files.options import ReadOptions, TimeFormat

YEAR_MIN, YEAR_MAX = 1980, 2100
TIME_MIN_NS = int(np.datetime64(f"{YEAR_MIN}-01-01", "ns").astype(np.int64))
TIME_MAX_NS = int(np.datetime64(f"{YEAR_MAX + 1}-01-01", "ns").astype(np.int64))
PRICES = frozenset({"open", "high", "low", "close", "price", "bid", "ask", "mark"})
# A number with an exponent: all of it, its decimals, the exponent. So many rows show whether all are cut.
_EXPONENT = re.compile(rb'[\s"]*(\d(?:\.(\d+))?[eE]\+?(\d{1,2}))[\s"]*')
_ROWS_OF_EXPONENTS = 100
_ORDERS = frozenset({TimeFormat.ISO, TimeFormat.DAY_FIRST, TimeFormat.MONTH_FIRST})


class TextColumn(NamedTuple):
    """A wanted column, where it stands, and what the file calls it."""

    wanted: Wanted
    position: int
    name: str


def read_text(
    text: bytes, delimiter: str, header_lines: int, layout: list[TextColumn], options: ReadOptions
) -> tuple[dict[str, npt.NDArray[np.int64]], bool]:
    """Read columns, and tell whether times are local: without an offset from UTC.

    Raises
    ------
    DataError
        When a value cannot be used; `where` is its line alone.
    InvalidValueError
        When an option makes no sense.
    """
    columns = []
    is_local: set[bool] = set()
    for column in layout:
        kind, step = column.wanted.kind, step_of(column.wanted, options)
        if kind == "time":
            place = (column.wanted.name, column.position)
            kind, step, is_without = _time(text, delimiter, header_lines, place, column.name, options)
            is_local.add(is_without)
        columns.append((column.wanted.name, column.position, kind, step))
    if len(is_local) > 1:
        raise DataError(f"line {header_lines + 1}", "has times with an offset from UTC and times without one")
    is_guess = options.time_format is TimeFormat.AUTO and options.date is None and not _states_unit(layout)
    time_range = (TIME_MIN_NS, TIME_MAX_NS) if is_guess else None
    arrays = read_columns(text, delimiter, header_lines, columns, time_range)
    names = (column.wanted.name for column in layout)
    return dict(zip(names, arrays, strict=True)), True in is_local


def step_of(column: Wanted, options: ReadOptions) -> str:
    """Return the step of a column as the file writes it: prices may be multiplied by a scale."""
    if column.name in PRICES and options.price_scale is not None:
        return format(Decimal(column.step) * options.price_scale, "f")
    return column.step


def midnight_ns(options: ReadOptions) -> int:
    """Return the midnight of the day in the options, as clocks on the wall show it.

    Raises
    ------
    InvalidValueError
        When it is no day `YYYY-MM-DD`.
    """
    try:
        day = datetime.strptime(options.date or "", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidValueError("date", options.date, "must be a day such as 2024-08-31") from None
    return int(day.timestamp()) * 10**9


def _time(
    text: bytes,
    delimiter: str,
    header_lines: int,
    place: tuple[str, int],
    name: str,
    options: ReadOptions,
) -> tuple[str, str, bool]:
    """Return the kind and the start of a column of times, and whether they are local."""
    if options.date is not None:
        unit = TimeFormat.MS if options.time_format is TimeFormat.AUTO else options.time_format
        if unit in _ORDERS or unit is TimeFormat.DIGITS:
            raise InvalidValueError("date", options.date, f"belongs to times of a day, not to {unit.value}")
        return f"time_{unit.value}", str(midnight_ns(options)), True
    if options.time_format in _ORDERS:
        kind, is_without = time_kind(text, delimiter, header_lines, place, options.time_format.value)
        return kind, "", is_without
    if options.time_format is not TimeFormat.AUTO:
        is_digits = options.time_format is TimeFormat.DIGITS
        return f"time_{options.time_format.value}", "", is_digits
    if _unit_in(name):
        return "time_ns", "", False
    kind, is_without = time_kind(text, delimiter, header_lines, place, "")
    _refuse_lost_digits(text, delimiter, header_lines, place[1])
    return kind, "", is_without


def _refuse_lost_digits(text: bytes, delimiter: str, header_lines: int, position: int) -> None:
    """Refuse times such as `1.76757E+12`, of which a spreadsheet or `%g` has left out the last digits."""
    rows = text.split(b"\n", header_lines + _ROWS_OF_EXPONENTS)[header_lines:][:_ROWS_OF_EXPONENTS]
    values = [row.split(delimiter.encode()) for row in rows if row.strip()]
    found = [_EXPONENT.fullmatch(fields[position]) for fields in values if position < len(fields)]
    seen = [match for match in found if match is not None]
    lost = min((int(match[3]) - len(match[2] or b"") for match in seen), default=0)
    if len(seen) == len(values) and lost > 0:
        what = f"is exact to {10**lost} only, as a spreadsheet shows a long number"
        rule = "write times in full, or set data.time_format if they are right"
        shown = f'time "{seen[0][1].decode()}"'
        raise DataError(f"line {header_lines + 1}", f"{shown}: {what}; {rule}")


def _states_unit(layout: list[TextColumn]) -> bool:
    return any(column.wanted.kind == "time" and _unit_in(column.name) for column in layout)


def _unit_in(name: str) -> bool:
    """Tell whether a name states that its numbers are nanoseconds since 1970, as `venue_ns` does."""
    return name.strip().lower().endswith("_ns")
