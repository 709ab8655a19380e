"""How long requests and their answers took, as somebody measured it."""

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, LatencySamples
from tradecore_files.check import Check, refuse_first, times_rise
from tradecore_files.file_set import FilePaths
from tradecore_files.names import TIME, Wanted
from tradecore_files.options import ReadOptions
from tradecore_files.series import read_series

Column = npt.NDArray[np.int64]


def load_latency(path: FilePaths, options: ReadOptions | None = None) -> LatencySamples:
    """Read when requests left, when the venue had them and when its answers came back.

    CSV (also .gz, .zip) or Parquet with the columns `time` (or `request_ns`, `req_ts`), `venue_ns` (or
    `exch_ts`) and `response_ns` (or `resp_ts`), in this order when there is no header; UTC, the oldest
    first. Requests that the venue did not take have no latency and must be left out.

    Raises
    ------
    DataError
        Naming file, row, column, value and rule, for the first thing that cannot be used.
    """
    return LatencySamples(*latency_columns(path, options or ReadOptions()))


def latency_columns(path: FilePaths, options: ReadOptions) -> tuple[Column, Column, Column]:
    """Return when requests left, arrived and were answered, in UTC nanoseconds; raises as `load_latency`."""
    request, venue, response = (
        Wanted(name="time", kind="time", aliases=("request_ns", "req_ts", "local_ns", *TIME.aliases)),
        Wanted(name="venue_ns", kind="time", aliases=("exch_ts", "ack_ns")),
        Wanted(name="response_ns", kind="time", aliases=("resp_ts",)),
    )
    table = read_series(path, (request, venue, response), options)
    sent, taken, answered = (table.columns[column.name] for column in (request, venue, response))
    if not len(sent):
        raise DataError(table.path, "has no rows")
    checks = [
        times_rise(sent),
        Check("venue_ns", taken, taken < sent, "must not be before the request", True),
        Check("response_ns", answered, answered < taken, "must not be before the venue's time", True),
        times_rise(taken, may_repeat=True)._replace(name="venue_ns"),
    ]
    refuse_first(table, "1", checks)
    return sent, taken, answered
