"""Columns of results as a frame of the library that the caller works with."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import InvalidValueError
from tradecore.frames.table import Foreign, needed

Library = Literal["pandas", "polars", "arrow"]


def frame_of(
    columns: Mapping[str, npt.NDArray[Any]], library: str = "pandas", *, index: str | None = None
) -> Foreign:
    """Return columns as a frame; datetimes become times with the zone UTC.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Columns of one length; datetime64 values are UTC.
    library : str
        `pandas`, `polars` or `arrow`.
    index : str, optional
        The column that is the index of a frame of pandas; the others have none.

    Raises
    ------
    InvalidValueError
        When the library is another.
    ImportError
        When it is not installed; the message has the line that installs it.
    """
    if library == "pandas":
        return _pandas(columns, index)
    if library == "polars":
        return _polars(columns)
    if library == "arrow":
        return _arrow(columns)
    raise InvalidValueError("library", library, "must be pandas, polars or arrow")


def _pandas(columns: Mapping[str, npt.NDArray[Any]], index: str | None) -> Foreign:
    pandas = needed("pandas", "a result as a frame of pandas")
    frame = pandas.DataFrame(
        {
            name: pandas.Series(values).dt.tz_localize("UTC") if values.dtype.kind == "M" else values
            for name, values in columns.items()
        }
    )
    return frame if index is None else frame.set_index(index)


def _polars(columns: Mapping[str, npt.NDArray[Any]]) -> Foreign:
    polars = needed("polars", "a result as a frame of polars")
    return polars.DataFrame(
        [
            polars.Series(name, values).dt.replace_time_zone("UTC")
            if values.dtype.kind == "M"
            else polars.Series(name, values.tolist() if values.dtype.kind in "OU" else values)
            for name, values in columns.items()
        ]
    )


def _arrow(columns: Mapping[str, npt.NDArray[Any]]) -> Foreign:
    pyarrow = needed("pyarrow", "a result as a table of Arrow")
    return pyarrow.table(
        {
            name: pyarrow.array(values, pyarrow.timestamp(np.datetime_data(values.dtype)[0], "UTC"))
            if values.dtype.kind == "M"
            else pyarrow.array(values.tolist() if values.dtype.kind in "OU" else values)
            for name, values in columns.items()
        }
    )
