"""Several files as one series in the order of time."""

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore_files.file_set import FilePaths, files_of
from tradecore_files.names import Wanted
from tradecore_files.options import FileFormat, ReadOptions
from tradecore_files.table import Origin, Table, read_table

Column = npt.NDArray[np.int64]


def read_series(
    paths: FilePaths, wanted: tuple[Wanted, ...], options: ReadOptions, *, may_repeat: bool = False
) -> Table:
    """Read files as one table in the order of time, whatever the order of their names.

    Parameters
    ----------
    paths : path or sequence of paths
        As `files_of` takes them.
    wanted : tuple of Wanted
        The columns; one is `time`.
    options : ReadOptions
        How each of the files is to be read.
    may_repeat : bool
        Whether two rows may have one time, as trades and quotes may. Rows that two files share at their
        seam, the last of one and the first of the next, are taken once. Without it a row that two files
        have is taken once, wherever it stands.

    Raises
    ------
    DataError
        When a file cannot be used, files have different columns, or two of them say different things of
        one time; names both files and rows.
    """
    files = files_of(paths)
    tables = [read_table(file, wanted, options, may_repeat=may_repeat) for file in files]
    if len(tables) == 1:
        return tables[0]
    _refuse_other_layouts(tables)
    filled = [table for table in tables if len(table.columns["time"])]
    if not filled:
        return tables[0]
    for table in filled:
        _refuse_falling(table)
    filled.sort(key=_place)
    columns, origin = _joined(filled)
    if may_repeat:
        rows = _seams(columns, origin, [len(table.columns["time"]) for table in filled])
    else:
        rows = _once(columns, origin)
    columns = {name: column[rows] for name, column in columns.items()}
    first = tables[0]
    return first._replace(columns=columns, origin=origin.of(rows))


def _place(table: Table) -> tuple[int, int, int]:
    """Return what orders the files: begin, the venue's number of the first trade, end; then their names."""
    time = table.columns["time"]
    ids = table.columns.get("trade_id")
    return int(time[0]), 0 if ids is None else int(ids[0]), int(time[-1])


def _refuse_other_layouts(tables: list[Table]) -> None:
    """Refuse files whose columns differ: what one calls a price may be something else in the other."""
    first = tables[0]
    for other in tables[1:]:
        headers = [_header(table) for table in (first, other)]
        if set(first.columns) == set(other.columns) and (None in headers or headers[0] == headers[1]):
            continue
        shown = [", ".join(table.names) for table in (first, other)]
        what = f"has the columns {shown[1]}, and {first.path} has {shown[0]}"
        raise DataError(other.path, f"{what}; the files of one series must have the same")


def _header(table: Table) -> tuple[str, ...] | None:
    """Return the names of the columns, `None` when the file does not name them."""
    has_header = table.format is not FileFormat.CSV or table.first_row > 1
    return tuple(name.strip().lower() for name in table.names) if has_header else None


def _refuse_falling(table: Table) -> None:
    falls = np.diff(table.columns["time"]) < 0
    if falls.any():
        row = int(np.argmax(falls)) + 1
        shown = np.datetime64(int(table.columns["time"][row]), "ns")
        rule = "must not be before the row before; sort the oldest first"
        raise DataError(table.row_name(row), f"time {shown}: {rule}")


def _joined(tables: list[Table]) -> tuple[dict[str, Column], Origin]:
    """Put the rows of tables one after the other."""
    names = list(tables[0].columns)
    counts = [len(table.columns["time"]) for table in tables]
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in names}
    file = np.repeat(np.arange(len(tables), dtype=np.int32), counts)
    row = np.concatenate(
        [
            np.arange(count, dtype=np.int64) if table.origin is None else table.origin.row
            for table, count in zip(tables, counts, strict=True)
        ]
    )
    return columns, Origin(tuple((table.where, table.first_row) for table in tables), file, row)


def _once(columns: dict[str, Column], origin: Origin) -> Column:
    """Return the rows in the order of time, of those that two files have alike only the first."""
    order = np.argsort(columns["time"], kind="stable")
    time, file = columns["time"][order], origin.file[order]
    again = np.flatnonzero((time[1:] == time[:-1]) & (file[1:] != file[:-1])) + 1
    for name, column in columns.items():
        is_other = column[order[again]] != column[order[again - 1]]
        if is_other.any():
            at = int(again[int(np.argmax(is_other))])
            raise _difference(origin, int(order[at]), int(order[at - 1]), int(time[at]), name)
    return np.delete(order, again)


def _seams(columns: dict[str, Column], origin: Origin, counts: list[int]) -> Column:
    """Return the rows without those with which a file begins and the ones before it end."""
    time = columns["time"]
    # The end of what is kept so far that the next file may begin with, as numbers of rows.
    tail: Column = np.zeros(0, dtype=np.int64)
    kept: list[Column] = []
    start = 0
    for count in counts:
        tail = tail[np.searchsorted(time[tail], time[start]) :]
        rows = np.arange(start, start + count, dtype=np.int64)
        start += count
        if (ahead := _ahead(columns, tail, rows)) is not None:
            # It begins at the same time and earlier among the rows of that time: it comes first.
            whole = rows if len(rows) - ahead >= len(tail) else np.concatenate((rows[:ahead], tail))
            kept = [np.concatenate(kept)[: -len(tail)], whole]
            tail = whole
            continue
        new = rows[_shared(columns, origin, tail, rows) :]
        tail = np.concatenate((tail, new))
        kept.append(new)
    return np.concatenate(kept)


def _ahead(columns: dict[str, Column], tail: Column, rows: Column) -> int | None:
    """Return where in a file the tail begins, if both begin at one time and the file has rows before it."""
    time = columns["time"]
    if not len(tail) or time[tail[0]] != time[rows[0]] or _overlap(columns, tail, rows) is not None:
        return None
    return _overlap(columns, rows, tail)


def _overlap(columns: dict[str, Column], before: Column, after: Column) -> int | None:
    """Return where among the rows of one file those of another begin, as far as both go."""
    time = columns["time"]
    begin, end = (np.searchsorted(time[before], time[after[0]], side=side) for side in ("left", "right"))
    for at in range(int(begin), int(end)):
        length = min(len(before) - at, len(after))
        old, new = before[at : at + length], after[:length]
        if all(np.array_equal(column[old], column[new]) for column in columns.values()):
            return at
    return None


def _shared(columns: dict[str, Column], origin: Origin, tail: Column, rows: Column) -> int:
    """Return how many rows a file begins with that the tail of those before it ends with."""
    time = columns["time"]
    if (at := _overlap(columns, tail, rows)) is not None:
        return min(len(tail) - at, len(rows))
    if not len(tail) or time[rows[0]] == time[tail[-1]]:
        return 0
    length = min(len(tail), len(rows))
    old, new = tail[:length], rows[:length]
    is_other = {name: column[old] != column[new] for name, column in columns.items()}
    at = int(np.argmax(np.logical_or.reduce(list(is_other.values()))))
    name = next(name for name, broken in is_other.items() if broken[at])
    raise _difference(origin, int(new[at]), int(old[at]), int(time[new[at]]), name)


def _difference(origin: Origin, row: int, other: int, time_ns: int, name: str) -> DataError:
    """Return the error of two files that say different things about one time."""
    shown = np.datetime64(time_ns, "ns")
    what = f"time {shown}: {name} is another than in {origin.name(other)}, and the files share this time"
    return DataError(origin.name(row), f"{what}; leave one of the two files out")
