"""Rows in a JSON list: candles and trades as freqtrade keeps them, or objects with named values."""

import csv
import io
import json
import re

import msgspec

from tradecore.domain import DataError
from tradecore_files.csv_text import Columns, read_csv
from tradecore_files.names import Wanted
from tradecore_files.options import ReadOptions

# An empty list, too: freqtrade writes one for a pair without candles.
_LIST_OF_ROWS = re.compile(rb"\s*\[\s*[\[{\]]")
_LINE = re.compile(r"^(.*) line (\d+)$", re.DOTALL)
# Source: freqtrade, data/history/datahandlers/jsondatahandler.py and constants.py (2024):
# DEFAULT_DATAFRAME_COLUMNS and DEFAULT_TRADES_COLUMNS.
_CANDLE = ("time", "open", "high", "low", "close", "volume")
_TRADE = ("time", "trade_id", "type", "side", "price", "quantity", "cost")

_Row = list[object] | dict[str, object]


def is_json(data: bytes) -> bool:
    """Tell whether a text is a JSON list of rows."""
    return _LIST_OF_ROWS.match(data) is not None


def read_json(where: str, data: bytes, wanted: tuple[Wanted, ...], options: ReadOptions) -> Columns:
    """Read the wanted columns of a JSON list, each number by the text it is written in.

    Returns
    -------
    tuple
        Columns by our names, number of the first row (1), names of the columns, and whether times lack an
        offset.

    Raises
    ------
    DataError
        When the list, a row or a value cannot be used.
    """
    text, has_header = _as_csv(where, data)
    options = msgspec.structs.replace(options, delimiter=",")
    try:
        columns, _, names, is_local = read_csv(where, text, wanted, options)
    except DataError as error:
        place = _LINE.match(error.where)
        if place is None:
            raise
        row = max(1, int(place[2]) - int(has_header))
        raise DataError(f"{place[1]} row {row}", error.what) from None
    return columns, 1, names, is_local


def _as_csv(where: str, data: bytes) -> tuple[bytes, bool]:
    """Return the rows as delimited text, and whether their names stand above them."""
    try:
        rows: object = json.loads(data, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise DataError(where, f"is no JSON: {error}; fetch the file again") from error
    if not isinstance(rows, list) or (rows and not isinstance(rows[0], list | dict)):
        raise DataError(where, "must be a list of rows, each a list of values or an object with names")
    if not rows:
        raise DataError(where, "is an empty list: there is no row in it")
    names = _names(rows[0])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if names:
        writer.writerow(names)
    for number, row in enumerate(rows, 1):
        writer.writerow(_values(f"{where} row {number}", row, rows[0]))
    return text.getvalue().encode(), bool(names)


def _names(first: _Row) -> tuple[str, ...]:
    """Return the names of the columns, none where the values must tell."""
    if isinstance(first, dict):
        return tuple(first)
    if len(first) == len(_TRADE) and first[3] in {"buy", "sell"}:
        is_number = isinstance(first[1], str) and first[1].isdigit()
        return _TRADE if is_number else tuple("id" if name == "trade_id" else name for name in _TRADE)
    return _CANDLE if len(first) == len(_CANDLE) else ()


def _values(where: str, row: object, first: _Row) -> list[object]:
    """Return the values of a row, which must be of the form of the first."""
    if isinstance(first, dict):
        if not isinstance(row, dict) or row.keys() != first.keys():
            raise DataError(where, f"must be an object with {', '.join(first)}, as the first row is")
        values = [row[name] for name in first]
    elif not isinstance(row, list) or len(row) != len(first):
        raise DataError(where, f"must be a list of {len(first)} values, as the first row is")
    else:
        values = row
    if any(isinstance(value, list | dict) for value in values):
        raise DataError(where, "must hold plain values, no lists or objects")
    return values
