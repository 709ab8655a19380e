"""Columns of one file as int64 arrays, whatever its format."""

from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.zones import to_utc, zone_named
from tradecore_files.csv_text import Columns, read_csv
from tradecore_files.json_rows import is_json, read_json
from tradecore_files.lean import lean_entry, read_lean
from tradecore_files.names import Wanted
from tradecore_files.options import FileFormat, ReadOptions
from tradecore_files.raw import is_arrow, is_parquet, read_bytes
from tradecore_files.text_columns import PRICES

Column = npt.NDArray[np.int64]

# What every reader says of a number that lies between two steps.
OFF_STEP = "must be a multiple of"

_ROWS_TO_TURN = 8


class Origin(NamedTuple):
    """Where the rows of several files, or of one that begins with the newest, came from.

    `places` has, for each file, what to call a row of it and the number of its first row; `file` and `row`
    say for each row which file it stands in (int32) and which of its rows it is, from 0 (int64).
    """

    places: tuple[tuple[str, int], ...]
    file: npt.NDArray[np.int32]
    row: Column

    def name(self, row: int) -> str:
        """Return what to call a row in an error: file and line."""
        where, first_row = self.places[int(self.file[row])]
        return f"{where} {first_row + int(self.row[row])}"

    def of(self, rows: npt.NDArray[np.int64]) -> "Origin":
        """Return the origin of chosen rows, in their order."""
        return Origin(self.places, self.file[rows], self.row[rows])


class Table(NamedTuple):
    """Columns by our names, and what to call a row in an error.

    `where` is the file and what a row of it is called; `first_row` is the number of the first row: its line
    in a text, 1 in Parquet. `origin` is there when rows do not stand as in one file. `zone` is that of the
    calendar which the file follows, `None` for UTC; `is_local` says that its times have no offset.
    """

    columns: dict[str, Column]
    where: str
    first_row: int
    names: tuple[str, ...]
    format: FileFormat
    origin: Origin | None = None
    zone: ZoneInfo | None = None
    is_local: bool = False

    @property
    def path(self) -> str:
        """Return the file, the first of several."""
        return self.where.rpartition(" ")[0]

    def row_name(self, row: int) -> str:
        """Return what to call a row, counted from 0, in an error."""
        if self.origin is not None:
            return self.origin.name(row)
        return f"{self.where} {self.first_row + row}"


def read_table(
    path: Path | str, wanted: tuple[Wanted, ...], options: ReadOptions, *, may_repeat: bool = False
) -> Table:
    """Read the wanted columns of a file; `may_repeat` says that two rows may have one time.

    Raises
    ------
    DataError
        When the file, a column or a value cannot be used.
    InvalidValueError
        When an option makes no sense.
    """
    zone = zone_named(options.timezone)
    try:
        if (entry := lean_entry(path, options.format)) is not None:
            columns, first_row, names, is_local = read_lean(str(path), entry, wanted, options)
            zone = zone or zone_named(entry.zone)
            file_format = FileFormat.LEAN
        else:
            data = read_bytes(path)
            file_format = _format_of(data) if options.format is FileFormat.AUTO else options.format
            columns, first_row, names, is_local = _READERS[file_format](str(path), data, wanted, options)
    except DataError as error:
        raise _with_rounding(error) from None
    unit = "line" if file_format in {FileFormat.CSV, FileFormat.LEAN} else "row"
    where = f"{path} {unit}"
    origin = None
    if _is_newest_first(columns):
        columns = {name: column[::-1].copy() for name, column in columns.items()}
        rows = np.arange(len(columns["time"]), dtype=np.int64)[::-1]
        origin = Origin(((where, first_row),), np.zeros(len(rows), dtype=np.int32), rows)
    if zone is not None and is_local:
        for name in (column.name for column in wanted if column.kind == "time" and column.name in columns):
            repeats = may_repeat or name != "time"
            try:
                columns[name] = to_utc(where, first_row, columns[name], zone, may_repeat=repeats)
            except DataError as error:
                raise _as_in_file(error, where, first_row, origin) from None
    return Table(columns, where, first_row, names, file_format, origin, zone, is_local)


def _is_newest_first(columns: dict[str, Column]) -> bool:
    """Tell whether each row is before the one above it, as many providers write them.

    In fewer rows it may be one that is wrong.
    """
    time = columns["time"]
    return len(time) >= _ROWS_TO_TURN and bool((np.diff(time) < 0).all())


def _with_rounding(error: DataError) -> DataError:
    """Say what to do about a price that lies between two ticks; a size has no such choice."""
    is_price = error.what.partition(" ")[0] in PRICES
    if not is_price or OFF_STEP not in error.what:
        return error
    rule = 'set rounding = "nearest" in [data] to take the nearest tick, or a tick_size that every price fits'
    return DataError(error.where, f"{error.what}; {rule}")


def _as_in_file(error: DataError, where: str, first_row: int, origin: Origin | None) -> DataError:
    """Return an error about a row with the number that the row has in the file."""
    if origin is None:
        return error
    row = int(error.where.removeprefix(where)) - first_row
    return DataError(origin.name(row), error.what)


def _format_of(data: bytes) -> FileFormat:
    """Tell by its first bytes how a file stores its rows."""
    if is_parquet(data):
        return FileFormat.PARQUET
    if is_arrow(data):
        return FileFormat.ARROW
    return FileFormat.JSON if is_json(data) else FileFormat.CSV


def _read_arrow(where: str, data: bytes, wanted: tuple[Wanted, ...], options: ReadOptions) -> Columns:
    try:
        from tradecore_files.parquet import read_parquet
    except ImportError:
        what = "needs pyarrow to read Parquet, Feather and Arrow; install tradecore-files[parquet]"
        raise DataError(where, what) from None
    return read_parquet(where, data, wanted, options)


_READERS = {
    FileFormat.CSV: read_csv,
    FileFormat.PARQUET: _read_arrow,
    FileFormat.ARROW: _read_arrow,
    FileFormat.JSON: read_json,
}
