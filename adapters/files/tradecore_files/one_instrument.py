"""A table is of one instrument: rows of several, told by a column that names it, are refused."""

import csv
import io
from collections.abc import Iterable, Sequence

from tradecore.domain import DataError
from tradecore.domain.column_names import SYMBOL_NAMES


def instrument_columns(names: Sequence[str]) -> list[int]:
    """Return where the columns stand that name the instrument of a row."""
    short = [name.strip().strip("<>").lower() for name in names]
    return [at for at, name in enumerate(short) if name in SYMBOL_NAMES]


def refuse_several(where: str, first_row: int, name: str, values: Iterable[str]) -> None:
    """Raise `DataError` when rows name different instruments; `where` is the file and its unit."""
    first = ""
    for row, value in enumerate(values, first_row):
        first = first or value
        if value and value != first:
            what = f'{name} "{value}": the rows above are of "{first}", and a file is read as one instrument'
            rule = 'write a file for each, or set data.implausible = "accept" if they are one series'
            raise DataError(f"{where} {row}", f"{what}; {rule}")


def texts_of(data: bytes, delimiter: str, header_lines: int, at: int) -> Iterable[str]:
    """Return the values of one column of delimited text, without spaces around them."""
    if b'"' in data:
        rows = csv.reader(io.StringIO(data.decode(errors="replace")), delimiter=delimiter)
        found = [row[at].strip() if at < len(row) else "" for row in rows]
        return found[header_lines:]
    mark, lines = delimiter.encode(), data.split(b"\n")[header_lines:]
    parts = (line.split(mark, at + 1) for line in lines)
    return (fields[at].strip().decode(errors="replace") if at < len(fields) else "" for fields in parts)
