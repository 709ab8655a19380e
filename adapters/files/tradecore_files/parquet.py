"""Parquet, Feather, Arrow IPC: typed columns to ticks and lots. Imported when needed, as pyarrow is heavy."""

from decimal import Decimal
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq

from tradecore.domain import DataError
from tradecore.domain.steps import steps_of_floats
from tradecore_files.names import Wanted, find_columns
from tradecore_files.one_instrument import instrument_columns, refuse_several
from tradecore_files.options import FileFormat, ReadOptions
from tradecore_files.raw import is_arrow
from tradecore_files.text_columns import TextColumn, read_text, step_of

# A thread of pyarrow's pools that still runs when the process ends aborts it (apache/arrow issue 39862).
# So none is started: no threads here, no buffers filled ahead, and pyarrow's own readers of bytes.
_WITHOUT_THREADS = pa.ipc.IpcReadOptions(use_threads=False)

Columns = tuple[dict[str, npt.NDArray[np.int64]], int, tuple[str, ...], bool]


def read_parquet(where: str, data: bytes, wanted: tuple[Wanted, ...], options: ReadOptions) -> Columns:
    """Read the wanted columns of a Parquet file, a Feather file or Arrow IPC.

    Returns
    -------
    tuple
        Columns by our names, number of the first row (1), names in the file, and whether times lack a zone.

    Raises
    ------
    DataError
        When a column or a value cannot be used.
    """
    table = _table_of(where, data, options.format)
    names = tuple(str(name) for name in table.column_names)
    positions = find_columns(where, names, wanted, options.columns)
    if not options.accept_implausible:
        for at in instrument_columns(names):
            values = table.column(at)
            if len(values.unique().drop_null()) > 1:
                texts = ("" if value is None else str(value) for value in values.to_pylist())
                refuse_several(f"{where} row", 1, names[at], texts)
    columns = {}
    is_local: set[bool] = set()
    for column in wanted:
        if column.name not in positions:
            continue
        values = table.column(positions[column.name])
        if column.is_optional and values.null_count == len(values):
            continue
        if values.null_count:
            row = 1 + values.is_null().to_pylist().index(True)
            raise DataError(f"{where} row {row}", f"{column.name} None: must be there")
        try:
            columns[column.name], is_without_zone = _column(
                where, column, names[positions[column.name]], values, options
            )
        except (pa.ArrowException, OverflowError) as error:
            raise DataError(where, f"column {column.name}: {error}") from error
        if column.kind == "time":
            is_local.add(is_without_zone)
    if len(is_local) > 1:
        raise DataError(where, "has times with an offset from UTC and times without one")
    return columns, 1, names, True in is_local


def _table_of(where: str, data: bytes, stated: FileFormat) -> pa.Table:
    if not is_arrow(data) and stated is not FileFormat.ARROW:
        try:
            with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False) as file:
                return file.read(use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DataError(where, f"damaged Parquet: {error}; fetch the file again") from error
    try:
        if data.startswith(b"\xff\xff\xff\xff"):
            table = pa.ipc.open_stream(pa.BufferReader(data), options=_WITHOUT_THREADS).read_all()
        else:
            # The stubs know no file of pyarrow's own, and from any other it reads in threads.
            source = cast("IO[bytes]", pa.BufferReader(data))
            table = pf.read_table(source, use_threads=False)
        # Unlike Parquet, buffers are taken as they are: damaged offsets would be followed out of the file.
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(where, f"damaged Feather or Arrow: {error}; fetch the file again") from error
    return table


def _column(
    where: str, column: Wanted, name: str, values: "pa.ChunkedArray[Any]", options: ReadOptions
) -> tuple[npt.NDArray[np.int64], bool]:
    """Read a column, and tell whether its times are local."""
    kind = values.type
    if column.kind == "time" and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        zone = getattr(kind, "tz", None)
        times = values.cast(pa.timestamp("ns", zone)).cast(pa.int64())
        return np.array(times.to_numpy(), dtype=np.int64), zone is None
    if pa.types.is_floating(kind) and column.kind in {"steps", "nearest", "signed"}:
        steps = steps_of_floats(
            lambda row: f"{where} row {row + 1}",
            column.name,
            step_of(column, options),
            values.to_numpy().astype(np.float64),
            is_nearest=column.kind != "steps",
            is_signed=column.kind == "signed",
        )
        return steps, False
    return _by_text(where, TextColumn(column, 0, name), values.to_pylist(), options)


def _by_text(
    where: str, column: TextColumn, values: list[object], options: ReadOptions
) -> tuple[npt.NDArray[np.int64], bool]:
    """Read values by their text, as a CSV file would have them."""
    texts = (format(value, "f") if isinstance(value, Decimal) else str(value) for value in values)
    text = "\n".join(item.replace("\n", " ") or '""' for item in texts)
    try:
        columns, is_local = read_text(text.encode(), "\x1f", 0, [column], options)
    except DataError as error:
        raise DataError(f"{where} {error.where.replace('line', 'row')}", error.what) from None
    return columns[column.wanted.name], is_local
