"""Delimited text: header, columns, rows."""

import csv

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.feeds import read_columns
from tradecore_files.names import Wanted, find_columns
from tradecore_files.options import ReadOptions

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t|"
_FIRST_LINES_BYTES = 65_536

Columns = tuple[dict[str, npt.NDArray[np.int64]], int, tuple[str, ...], bool]


def read_csv(where: str, data: bytes, wanted: tuple[Wanted, ...], options: ReadOptions) -> Columns:
    """Read the wanted columns of delimited text; without a header they stand in the order wanted.

    Returns
    -------
    tuple
        Columns by our names, line of the first row, names in the file, and whether times lack an offset.

    Raises
    ------
    DataError
        When a column or a value cannot be used.
    """
    data = data.removeprefix(_BOM)
    first, second = _first_lines(where, data)
    delimiter = options.delimiter or max(_DELIMITERS, key=first.count)
    header = _fields(where, first, delimiter)
    has_header = not header[0][:1].isdigit()
    if has_header:
        positions = find_columns(f"{where} line 1", header, wanted, options.columns)
    else:
        positions = {column.name: at for at, column in enumerate(wanted) if at < len(header)}
        second = first
    clock = _clock_column(header, positions) if has_header else None
    layout = [
        (column.name, positions[column.name], column.kind, column.step)
        for column in wanted
        if column.name in positions
    ]
    if clock is not None:
        layout.append(("clock", clock, "clock", ""))
    try:
        arrays = read_columns(data, delimiter, int(has_header), layout)
    except DataError as error:
        raise DataError(f"{where} {error.where}", error.what) from None
    _refuse_surplus(where, data, delimiter, len(header), len(arrays[0]) + int(has_header))
    columns = dict(zip((name for name, *_ in layout), arrays, strict=True))
    if clock is not None:
        columns["time"] = columns["time"] + columns.pop("clock")
    missing = [column.name for column in wanted if column.name not in columns and not column.is_optional]
    if missing:
        raise DataError(
            f"{where} line 1", f"column {missing[0]!r} is missing and there is no header to find it by"
        )
    fields = _fields(where, second, delimiter)
    stamp = fields[positions["time"]] if positions["time"] < len(fields) else ""
    return columns, 1 + int(has_header), tuple(header), _lacks_offset(stamp)


def _refuse_surplus(where: str, data: bytes, delimiter: str, width: int, rows: int) -> None:
    """Refuse rows with more fields than the first line has: something in them has moved to the right."""
    mark = delimiter.encode()
    if b'"' in data or data.count(mark) <= (width - 1) * rows:
        return
    for number, line in enumerate(data.split(b"\n"), 1):
        if (fields := line.count(mark) + 1) > width:
            raise DataError(f"{where} line {number}", f"has {fields} fields, the first line has {width}")


def _first_lines(where: str, data: bytes) -> tuple[str, str]:
    head = data[:_FIRST_LINES_BYTES]
    if b"\0" in head:
        line = 1 + head[: head.index(b"\0")].count(b"\n")
        raise DataError(f"{where} line {line}", "is binary, neither delimited text nor Parquet")
    first_line, second_line, *_ = [*head.split(b"\n", 2), b"", b""]
    try:
        first = first_line.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{where} line 1", f"is no UTF-8 text: {error.reason}") from None
    second = second_line.decode(errors="replace")
    return first.rstrip("\r"), second.rstrip("\r")


def _fields(where: str, line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), None) or [""]
    except (csv.Error, TypeError, ValueError) as error:
        raise DataError(f"{where} line 1", f"is no delimited text: {error}") from None


def _clock_column(header: list[str], positions: dict[str, int]) -> int | None:
    """Return where the time of day stands when it has a column beside the date."""
    names = [name.strip().lower() for name in header]
    if "date" not in names or "time" not in names:
        return None
    if positions["time"] not in (names.index("date"), names.index("time")):
        return None
    positions["time"] = names.index("date")
    return names.index("time")


def _lacks_offset(stamp: str) -> bool:
    stamp = stamp.strip()
    is_calendar = "-" in stamp[:5] or ":" in stamp or len(stamp) == len("20240808")
    has_offset = stamp.endswith(("Z", "z")) or "+" in stamp or "-" in stamp[10:]
    return is_calendar and not has_offset
