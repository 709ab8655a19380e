"""Bars of the past, read from tables and handed out as batches."""

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore.domain.column_names import VOLUME_NAMES
from tradecore.domain.spacing import close_times, usual_length
from tradecore.domain.spec_check import checked_instrument
from tradecore_files.check import Check, refuse_first, times_rise
from tradecore_files.file_set import FilePaths
from tradecore_files.names import TIME, Wanted
from tradecore_files.options import ReadOptions
from tradecore_files.plausibility import (
    is_local_without_zone,
    refuse_implausible,
    refuse_swapped,
    units_per_price,
)
from tradecore_files.series import read_series

Column = npt.NDArray[np.int64]


class Bars(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Bars as columns of one length: times in UTC nanoseconds, prices in ticks, volume in lots (int64).

    Attributes
    ----------
    open_time_ns, close_time_ns : ndarray
        Opening times rise. A bar closes at the next boundary of its calendar (day, week, month, quarter or
        year in the zone of the file) or one interval later, and at the latest when the next one opens.
    open, high, low, close : ndarray
        Prices above 0, `low <= open, close <= high`.
    volume : ndarray
        Size traded, 0 when the file does not say.
    interval_ns : int
        Length of a bar; of those that follow the calendar, the length that most have.
    """

    open_time_ns: Column
    close_time_ns: Column
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column
    interval_ns: int

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.open_time_ns)

    @property
    def gaps(self) -> int:
        """Number of times that a bar opens later than the one before it closes."""
        return int((self.open_time_ns[1:] > self.close_time_ns[:-1]).sum())

    def append_to(self, batch: EventBatch, instrument_id: int) -> None:
        """Add the bars to a batch as events of an instrument."""
        batch.bars(
            instrument_id,
            self.open_time_ns,
            self.close_time_ns,
            self.open,
            self.high,
            self.low,
            self.close,
            self.volume,
        )


def load_bars(path: FilePaths, spec: InstrumentSpec, options: ReadOptions | None = None) -> Bars:
    """Read bars from CSV (also .gz, .zip) or Parquet.

    Parameters
    ----------
    path : Path or str
        The file.
    spec : InstrumentSpec
        Gives the tick and the lot.
    options : ReadOptions, optional
        Names of columns, rounding, interval, time zone.

    Raises
    ------
    DataError
        Naming file, row, column, value and rule, for the first thing that cannot be used.
    InvalidSpecError
        Naming what is wrong with the instrument.
    """
    spec, options = checked_instrument(spec), options or ReadOptions()
    price = "nearest" if options.nearest else "steps"
    wanted = (
        TIME,
        *(Wanted(name=name, kind=price, step=spec.tick_size) for name in ("open", "high", "low", "close")),
        Wanted(name="volume", kind="nearest", step=spec.lot_size, aliases=VOLUME_NAMES, is_optional=True),
    )
    table = read_series(path, wanted, options)
    columns = table.columns
    time = columns["time"]
    if not len(time):
        raise DataError(table.path, "has no rows")
    refuse_swapped(table, options)
    rises = times_rise(time, may_be_local=is_local_without_zone(table))
    refuse_first(table, spec.tick_size, [rises, *_price_checks(columns)])
    refuse_implausible(table, options, units_per_price(spec, options))
    if options.interval_ns is None:
        close_time = close_times(time, table.zone)
    else:
        close_time = time + options.interval_ns
        np.minimum(close_time[:-1], time[1:], out=close_time[:-1])
    return Bars(
        open_time_ns=time,
        close_time_ns=close_time,
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns.get("volume", np.zeros_like(time)),
        interval_ns=options.interval_ns or usual_length(time, close_time),
    )


def _price_checks(columns: dict[str, Column]) -> list[Check]:
    high, low = columns["high"], columns["low"]
    checks = [
        Check(name, columns[name], columns[name] <= 0, "must be above 0")
        for name in ("open", "high", "low", "close")
    ]
    checks.append(Check("high", high, high < low, "must not be below low"))
    for name in ("open", "close"):
        outside = (columns[name] > high) | (columns[name] < low)
        checks.append(Check(name, columns[name], outside, "must lie between low and high"))
    return checks
