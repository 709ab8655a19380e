"""What happens to a perpetual beside its trades: funding and mark prices of the past."""

from decimal import Decimal

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore.domain.spec_check import checked_instrument
from tradecore_files.bars import Bars
from tradecore_files.check import Check, refuse_first, times_rise
from tradecore_files.file_set import FilePaths
from tradecore_files.names import TIME, Wanted
from tradecore_files.options import ReadOptions
from tradecore_files.plausibility import (
    ACCEPT,
    is_local_without_zone,
    refuse_implausible,
    units_per_price,
)
from tradecore_files.series import read_series
from tradecore_files.table import Table

Column = npt.NDArray[np.int64]
_RATE_STEP = "0.000000001"
_RATE_MAX_PPB = 10**9
_RATE_PLAUSIBLE_PPB = 10**8
_CLOSE = Wanted(name="close", kind="signed", step=_RATE_STEP, is_optional=True)


class Marks(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Mark prices as int64 columns of one length: UTC nanoseconds never falling, ticks above 0."""

    time_ns: Column
    price_ticks: Column

    def __len__(self) -> int:
        """Return the number of prices."""
        return len(self.time_ns)


class Funding(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Fundings as int64 columns of one length.

    Attributes
    ----------
    time_ns : ndarray
        UTC nanoseconds, never falling.
    rate_ppb : ndarray
        Rate in parts per billion of the notional; longs pay when it is above 0.
    mark_ticks : ndarray
        Mark price, 0 when the file has none.
    """

    time_ns: Column
    rate_ppb: Column
    mark_ticks: Column

    def __len__(self) -> int:
        """Return the number of fundings."""
        return len(self.time_ns)


def load_funding(path: FilePaths, spec: InstrumentSpec, options: ReadOptions | None = None) -> Funding:
    """Read fundings from CSV (also .gz, .zip) or Parquet: columns `time`, `rate` and perhaps `mark`.

    A rate is a fraction (0.0001 is one basis point), rounded to 1e-9; a mark price is rounded to a tick.

    Raises
    ------
    DataError
        Naming file, row, column, value and rule, for the first thing that cannot be used.
    InvalidSpecError
        Naming what is wrong with the instrument.
    """
    spec, options = checked_instrument(spec), options or ReadOptions()
    wanted = (
        TIME,
        Wanted(name="rate", kind="signed", step=_RATE_STEP, aliases=("funding_rate", "fundingrate", "open")),
        Wanted(
            name="mark",
            kind="nearest",
            step=spec.tick_size,
            aliases=("mark_price", "markprice"),
            is_optional=True,
        ),
    )
    table = _read(path, (*wanted, _CLOSE), options)
    time, rate = table.columns["time"], table.columns["rate"]
    _refuse_prices(table, options, rate)
    mark = table.columns.get("mark", np.zeros_like(time))
    rule = "must be a fraction within -1 and 1"
    refuse_first(
        table,
        _RATE_STEP,
        [_rises(table), Check("rate", rate, np.abs(rate) > _RATE_MAX_PPB, rule)],
    )
    below = Check("mark", mark, mark < 0, "must not be negative")
    refuse_first(table, spec.tick_size, [below])
    refuse_implausible(table, options, units_per_price(spec, options))
    return Funding(time_ns=time, rate_ppb=rate, mark_ticks=mark)


def load_marks(path: FilePaths, spec: InstrumentSpec, options: ReadOptions | None = None) -> Marks:
    """Read mark prices from CSV (also .gz, .zip) or Parquet: columns `time` and `price`, rounded to a tick.

    A row is what was known at its time: of candles, write the close with the time of the close.

    Raises
    ------
    DataError
        Naming file, row, column, value and rule, for the first thing that cannot be used.
    InvalidSpecError
        Naming what is wrong with the instrument.
    """
    aliases = ("mark", "mark_price", "markprice")
    wanted = (TIME, Wanted(name="price", kind="nearest", step=spec.tick_size, aliases=aliases))
    spec, options = checked_instrument(spec), options or ReadOptions()
    table = _read(path, wanted, options)
    time, price = table.columns["time"], table.columns["price"]
    checks = [_rises(table), Check("price", price, price <= 0, "must be above 0")]
    refuse_first(table, spec.tick_size, checks)
    refuse_implausible(table, options, units_per_price(spec, options))
    return Marks(time_ns=time, price_ticks=price)


def append_in_order(
    batch: EventBatch, instrument_id: int, bars: Bars, marks: Marks | None, funding: Funding | None
) -> None:
    """Add bars, mark prices and fundings to a batch by time: at one time a close, a mark, then a funding."""
    beside: list[tuple[int, int, int, int]] = []
    if marks is not None:
        rows = zip(marks.time_ns.tolist(), marks.price_ticks.tolist(), strict=True)
        beside += [(time_ns, 0, price_ticks, 0) for time_ns, price_ticks in rows]
    if funding is not None:
        columns = (funding.time_ns.tolist(), funding.rate_ppb.tolist(), funding.mark_ticks.tolist())
        beside += [(time_ns, 1, rate, mark) for time_ns, rate, mark in zip(*columns, strict=True)]
    beside.sort(key=lambda row: row[:2])
    cuts = np.searchsorted(bars.close_time_ns, [row[0] for row in beside], side="right").tolist()
    done = 0
    for (time_ns, kind, value, mark_ticks), cut in zip(beside, cuts, strict=True):
        if cut > done:
            _slice(bars, done, cut).append_to(batch, instrument_id)
            done = cut
        if kind == 0:
            batch.mark(time_ns, instrument_id, value)
        else:
            batch.funding(time_ns, instrument_id, value, mark_ticks)
    _slice(bars, done, len(bars)).append_to(batch, instrument_id)


def _rises(table: Table) -> Check:
    return times_rise(table.columns["time"], may_repeat=True, may_be_local=is_local_without_zone(table))


def _refuse_prices(table: Table, options: ReadOptions, rate: Column) -> None:
    """Refuse bars of prices: freqtrade keeps a rate in `open`, and has 0 for the other prices."""
    closes = table.columns.get("close")
    if closes is not None and closes.any() and not options.accept_implausible:
        what = "has prices in open and close, which are no rates of funding"
        raise DataError(table.path, f"{what}; name the rate in columns, {ACCEPT}")
    is_large = np.abs(rate) > _RATE_PLAUSIBLE_PPB
    if is_large.any() and not options.accept_implausible:
        row = int(np.argmax(is_large))
        shown = format(int(rate[row]) * Decimal(_RATE_STEP), "f")
        what = f"rate {shown}: is more than a tenth of the notional, hardly a funding (is it in percent?)"
        raise DataError(table.row_name(row), f"{what}; correct it, {ACCEPT}")


def _read(path: FilePaths, wanted: tuple[Wanted, ...], options: ReadOptions) -> Table:
    table = read_series(path, wanted, options, may_repeat=True)
    if not len(table.columns["time"]):
        raise DataError(table.path, "has no rows")
    return table


def _slice(bars: Bars, start: int, end: int) -> Bars:
    columns = ("open_time_ns", "close_time_ns", "open", "high", "low", "close", "volume")
    changes = {name: getattr(bars, name)[start:end] for name in columns}
    return msgspec.structs.replace(bars, **changes)
