"""A table of any library behind one face: labels, and columns as numpy arrays."""

import importlib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import InvalidValueError

_KNOWN = (
    "must be a pandas or polars DataFrame, an Arrow table or anything with __arrow_c_stream__, "
    "or a structured numpy array"
)


# An object of a library that is optional here: no checker knows its type where the library is missing.
Foreign: TypeAlias = Any

_COLUMN_NAMES = frozenset({"open", "close", "bid", "ask", "price"})


class Column(NamedTuple):
    """A column: what its owner calls it, its values, and the zone of times that have one: they are UTC."""

    label: str
    values: npt.NDArray[Any]
    zone: str | None = None


class Table(NamedTuple):
    """A table that is read column by column.

    `library` is `pandas`, `polars`, `arrow` or `numpy`. An index of pandas is the last column, and
    `index_kind` says what it is: `times`, `numbers` (of rows, which say nothing), `other`, or nothing when
    there is none.
    """

    library: str
    labels: tuple[str, ...]
    read: Callable[[int], Column]
    rows: int
    index_kind: str = ""

    def row_name(self, row: int) -> str:
        """Return what to call a row, counted from 0, in an error."""
        return f"frame row {row}"


def open_table(frame: Foreign) -> Table:
    """Return the face of a table.

    Raises
    ------
    InvalidValueError
        When it is no table, or has several instruments side by side.
    ImportError
        When only pyarrow could read it and is not installed.
    """
    classes = {f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(frame).__mro__}
    if "pandas.DataFrame" in classes:
        return _pandas(frame)
    if "polars.DataFrame" in classes:
        return _polars(frame)
    if "polars.LazyFrame" in classes:
        raise InvalidValueError("frame", "LazyFrame", "must be a DataFrame: call .collect() on it")
    if classes & {"pandas.Series", "polars.Series"}:
        raise InvalidValueError("frame", "Series", "is one column: pass the DataFrame that it belongs to")
    if isinstance(frame, str | PurePath):
        rule = "is no table: read the file first, as in pandas.read_csv(path)"
        raise InvalidValueError("frame", str(frame), rule)
    if isinstance(frame, np.ndarray) and frame.dtype.names is not None:
        return _numpy(frame)
    if classes & {"pyarrow.Table", "pyarrow.RecordBatch"} or hasattr(frame, "__arrow_c_stream__"):
        return _arrow(frame)
    raise InvalidValueError("frame", type(frame).__name__, _KNOWN)


def is_missing(item: object) -> bool:
    """Tell whether a value is none: `None`, NaN, or what pandas has for them."""
    # NaN alone is not itself; that of pandas refuses to be compared.
    return item is None or type(item).__name__ in {"NAType", "NaTType"} or item != item  # noqa: PLR0124


def needed(library: str, purpose: str) -> Foreign:
    """Import an optional library.

    Raises
    ------
    ImportError
        With the line that installs it.
    """
    try:
        return importlib.import_module(library)
    except ImportError:
        name = library.partition(".")[0]
        raise ImportError(f"{purpose} needs {name}, which is not installed: pip install {name}") from None


# pandas


def _pandas(frame: Foreign) -> Table:
    columns = _one_level(frame.columns)
    index = _one_index(frame.index)
    labels = (*(str(label) for label in columns), str(index.name or "index"))

    def read(position: int) -> Column:
        series = index.to_series() if position == len(columns) else frame.iloc[:, position]
        return _of_series(labels[position], series)

    return Table("pandas", labels, read, len(frame), _kind_of_index(index))


def _one_level(columns: Foreign) -> Foreign:
    """Return the labels of the columns, of those in levels the one that tells them apart."""
    if columns.nlevels == 1:
        return columns
    varying = [level for level in range(columns.nlevels) if columns.get_level_values(level).nunique() > 1]
    if len(varying) > 1:
        names = [[str(name) for name in columns.get_level_values(level).unique()] for level in varying]
        # The level with names such as `Close` tells columns apart, another one instruments.
        of_prices = [any(name.lower() in _COLUMN_NAMES for name in level) for level in names]
        at = of_prices.index(False) if False in of_prices else -1
        one = f"frame.xs({names[at][0]!r}, axis=1, level={varying[at]})"
        rule = f"has several instruments side by side: take one, as in {one}"
        raise InvalidValueError("frame", "DataFrame", rule)
    return columns.get_level_values(varying[0] if varying else 0)


def _one_index(index: Foreign) -> Foreign:
    """Return the index, of one in levels the level that tells rows apart."""
    if index.nlevels == 1:
        return index
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    varying = [level for level, values in enumerate(levels) if values.nunique() > 1]
    if len(varying) > 1:
        # Times tell rows apart, another level instruments.
        of_others = [level for level in varying if _kind_of_index(levels[level]) != "times"]
        at = of_others[0] if of_others else varying[0]
        one = f"frame.xs({levels[at][0]!r}, level={at})"
        rule = f"has an index of several levels: take one instrument, as in {one}, or use reset_index()"
        raise InvalidValueError("frame", "DataFrame", rule)
    return levels[varying[0] if varying else -1]


def _kind_of_index(index: Foreign) -> str:
    if type(index).__name__ in {"DatetimeIndex", "PeriodIndex"}:
        return "times"
    return "numbers" if type(index).__name__ == "RangeIndex" else "other"


def _of_series(label: str, series: Foreign) -> Column:
    dtype = series.dtype
    if str(dtype).startswith("period"):
        series = series.dt.to_timestamp()
    elif (zone := getattr(dtype, "tz", None)) is not None:
        return Column(label, series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), str(zone))
    elif not isinstance(dtype, np.dtype):
        if getattr(dtype, "kind", "O") in "iuf":
            has_gaps = bool(series.isna().any())
            whole = dtype.kind in "iu" and not has_gaps
            return Column(
                label, series.to_numpy("int64") if whole else series.to_numpy("float64", na_value=np.nan)
            )
        return Column(label, series.to_numpy(object))
    return Column(label, series.to_numpy())


# Others


def _polars(frame: Foreign) -> Table:
    def read(position: int) -> Column:
        series = frame.to_series(position)
        zone = getattr(series.dtype, "time_zone", None)
        return Column(series.name, series.to_numpy(), zone)

    return Table("polars", tuple(frame.columns), read, frame.height)


def _arrow(frame: Foreign) -> Table:
    pyarrow = needed("pyarrow", "a table of Arrow")
    table = frame if isinstance(frame, pyarrow.Table) else pyarrow.table(frame)

    def read(position: int) -> Column:
        values, kind = table.column(position), table.schema.types[position]
        if pyarrow.types.is_dictionary(kind):
            values = values.cast(kind.value_type)
        return Column(str(table.column_names[position]), values.to_numpy(), getattr(kind, "tz", None))

    return Table("arrow", tuple(str(name) for name in table.column_names), read, table.num_rows)


def _numpy(frame: npt.NDArray[Any]) -> Table:
    labels = frame.dtype.names or ()

    def read(position: int) -> Column:
        return Column(labels[position], np.ascontiguousarray(frame[labels[position]]))

    return Table("numpy", labels, read, len(frame))
