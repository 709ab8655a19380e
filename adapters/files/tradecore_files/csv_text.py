"""Delimited text: header, columns, rows."""

import csv
import re

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore_files.names import Wanted, find_columns, ordered_columns
from tradecore_files.one_instrument import instrument_columns, refuse_several, texts_of
from tradecore_files.options import ReadOptions, TimeFormat
from tradecore_files.recognition import columns_without_header
from tradecore_files.text_columns import TextColumn, read_text

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t|"
_FIRST_LINES_BYTES = 65_536
_NOTE = re.compile(rb"#|https?://\S+[ \t]*\r?\n|sep=.\r?\n", re.IGNORECASE)
_CLOCK = Wanted(name="clock", kind="clock")

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
    notes, table = _without_notes(data)
    first = _first_line(where, table)
    delimiter = options.delimiter or max(_DELIMITERS, key=first.count)
    header = _fields(where, first, delimiter)
    has_header = not header[0][:1].isdigit()
    if isinstance(options.columns, tuple):
        # A side may stand first, and the line of names has no number.
        has_header = not any(_is_value(field) for field in header)
        positions = ordered_columns(f"{where} line {notes + 1}", header, wanted, options.columns)
    elif has_header:
        positions = find_columns(f"{where} line {notes + 1}", header, wanted, options.columns)
    else:
        names = [column.name for column in wanted]
        is_time_known = options.date is not None or options.time_format is not TimeFormat.AUTO
        positions = columns_without_header(where, table, delimiter, names, is_time_known=is_time_known)
    if has_header and (clock := _clock_column(header, positions)) is not None:
        positions["clock"] = clock
    named = {name: header[at] if has_header else "" for name, at in positions.items()}
    layout = [
        TextColumn(column, positions[column.name], named[column.name])
        for column in wanted
        if column.name in positions
    ]
    if "clock" in positions:
        layout.append(TextColumn(_CLOCK, positions["clock"], ""))
    header_lines = notes + int(has_header)
    if has_header and not options.accept_implausible:
        for at in instrument_columns(header):
            values = texts_of(data, delimiter, header_lines, at)
            refuse_several(f"{where} line", header_lines + 1, header[at].strip(), values)
    try:
        columns, is_local = read_text(data, delimiter, header_lines, layout, options)
    except DataError as error:
        raise DataError(f"{where} {error.where}", error.what) from None
    marks_max = (len(header) - 1) * (len(columns["time"]) + int(has_header))
    if b'"' not in table and table.count(delimiter.encode()) > marks_max:
        _refuse_surplus(f"{where} line", notes + 1, table, delimiter, len(header))
    if "clock" in columns:
        columns["time"] = columns["time"] + columns.pop("clock")
    return columns, 1 + header_lines, tuple(header), is_local


def _without_notes(data: bytes) -> tuple[int, bytes]:
    """Return how many lines before the table are none of it, and the text without them.

    They are a link, as CryptoDataDownload writes it, `sep=;` as Excel does, and comments after `#`. A line
    after `#` that has as many fields as the next one is a header.
    """
    notes = 0
    while _NOTE.match(data):
        line, _, rest = data.partition(b"\n")
        following = rest.partition(b"\n")[0]
        is_header = any(
            0 < line.count(mark) == following.count(mark) for mark in map(str.encode, _DELIMITERS)
        )
        if not rest.strip() or (line.startswith(b"#") and is_header):
            break
        notes, data = notes + 1, rest
    return notes, data


def _is_value(field: str) -> bool:
    """Tell whether a field is a number or a date, not a name."""
    return field.strip().lstrip("+-.")[:1].isdigit()


def _refuse_surplus(where: str, first_line: int, data: bytes, delimiter: str, width: int) -> None:
    """Refuse rows with more fields than the first line has: something in them has moved to the right."""
    for number, line in enumerate(data.split(b"\n"), first_line):
        if (fields := line.count(delimiter.encode()) + 1) > width:
            raise DataError(f"{where} {number}", f"has {fields} fields, the first line has {width}")


def _first_line(where: str, data: bytes) -> str:
    head = data[:_FIRST_LINES_BYTES]
    if b"\0" in head:
        line = 1 + head[: head.index(b"\0")].count(b"\n")
        raise DataError(f"{where} line {line}", "is binary, neither delimited text nor Parquet")
    try:
        return head.split(b"\n", 1)[0].decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} line 1", f"is no UTF-8 text: {error.reason}") from None


def _fields(where: str, line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), None) or [""]
    except (csv.Error, TypeError, ValueError) as error:
        raise DataError(f"{where} line 1", f"is no delimited text: {error}") from None


def _clock_column(header: list[str], positions: dict[str, int]) -> int | None:
    """Return where the time of day stands when it has a column beside the date."""
    names = [name.strip().strip("<>").lower() for name in header]
    if "date" not in names or "time" not in names:
        return None
    if positions["time"] not in (names.index("date"), names.index("time")):
        return None
    positions["time"] = names.index("date")
    return names.index("time")
