"""Columns of one file as int64 arrays, whatever its format."""

from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, InvalidValueError
from tradecore_files.csv_text import Columns, read_csv
from tradecore_files.names import Wanted
from tradecore_files.options import FileFormat, ReadOptions
from tradecore_files.raw import is_parquet, read_bytes

Column = npt.NDArray[np.int64]


class Table(NamedTuple):
    """Columns by our names, and what to call a row in an error.

    `where` is the file and what a row of it is called; `first_row` is the number of the first row: its line
    in a text, 1 in Parquet.
    """

    columns: dict[str, Column]
    where: str
    first_row: int
    names: tuple[str, ...]
    format: FileFormat


def read_table(path: Path | str, wanted: tuple[Wanted, ...], options: ReadOptions) -> Table:
    """Read the wanted columns of a file.

    Raises
    ------
    DataError
        When the file, a column or a value cannot be used.
    InvalidValueError
        When an option makes no sense.
    """
    zone = _zone(options.timezone)
    data = read_bytes(path)
    file_format = options.format
    if file_format is FileFormat.AUTO:
        file_format = FileFormat.PARQUET if is_parquet(data) else FileFormat.CSV
    read = _read_parquet if file_format is FileFormat.PARQUET else read_csv
    columns, first_row, names, is_local = read(str(path), data, wanted, options)
    if zone is not None and is_local:
        columns["time"] = _to_utc(columns["time"], zone)
    unit = "row" if file_format is FileFormat.PARQUET else "line"
    return Table(columns, f"{path} {unit}", first_row, names, file_format)


def _read_parquet(where: str, data: bytes, wanted: tuple[Wanted, ...], options: ReadOptions) -> Columns:
    try:
        from tradecore_files.parquet import read_parquet
    except ImportError:
        raise DataError(where, "needs pyarrow to read Parquet; install tradecore-files[parquet]") from None
    return read_parquet(where, data, wanted, options)


def _zone(name: str) -> ZoneInfo | None:
    if name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValueError("timezone", name, "must be an IANA time zone such as Europe/Berlin") from None


def _to_utc(times: Column, zone: ZoneInfo) -> Column:
    """Read local wall-clock times as UTC; one in the hour that comes twice is the first of the two."""
    from datetime import UTC, datetime, timedelta

    # An offset holds for whole quarters of an hour: ask once for each.
    quarter_ns = 900 * 1_000_000_000
    quarters, index = np.unique(times // quarter_ns, return_inverse=True)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    offsets = np.empty(len(quarters), dtype=np.int64)
    for position, quarter in enumerate(quarters.tolist()):
        local = (epoch + timedelta(seconds=quarter * 900)).replace(tzinfo=zone)
        offset = local.utcoffset()
        offsets[position] = 0 if offset is None else int(offset.total_seconds()) * 1_000_000_000
    utc: Column = times - offsets[index]
    return utc
