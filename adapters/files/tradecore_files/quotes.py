"""Best bids and asks of the past."""

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore.domain.column_names import ASK_NAMES, ASK_SIZE_NAMES, BID_NAMES, BID_SIZE_NAMES
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


class Quotes(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Best bids and asks as int64 columns of one length: UTC nanoseconds never falling, ticks, lots."""

    time_ns: Column
    bid_ticks: Column
    bid_lots: Column
    ask_ticks: Column
    ask_lots: Column

    def __len__(self) -> int:
        """Return the number of quotes."""
        return len(self.time_ns)

    def append_to(self, batch: EventBatch, instrument_id: int) -> None:
        """Add the quotes to a batch as events of an instrument."""
        batch.quotes(
            instrument_id, self.time_ns, self.bid_ticks, self.bid_lots, self.ask_ticks, self.ask_lots
        )


def load_quotes(path: FilePaths, spec: InstrumentSpec, options: ReadOptions | None = None) -> Quotes:
    """Read quotes from CSV (also .gz, .zip) or Parquet; sizes are rounded to the nearest lot, 1 if missing.

    Raises
    ------
    DataError
        Naming file, row, column, value and rule, for the first thing that cannot be used.
    InvalidSpecError
        Naming what is wrong with the instrument.
    """
    spec, options = checked_instrument(spec), options or ReadOptions()
    kind = "nearest" if options.nearest else "steps"
    sizes = {"kind": "nearest", "step": spec.lot_size, "is_optional": True}
    wanted = (
        TIME,
        Wanted(name="bid", kind=kind, step=spec.tick_size, aliases=BID_NAMES),
        Wanted(name="ask", kind=kind, step=spec.tick_size, aliases=ASK_NAMES),
        msgspec.convert({"name": "bid_size", "aliases": BID_SIZE_NAMES, **sizes}, Wanted),
        msgspec.convert({"name": "ask_size", "aliases": ASK_SIZE_NAMES, **sizes}, Wanted),
    )
    table = read_series(path, wanted, options, may_repeat=True)
    columns = table.columns
    time, bid, ask = columns["time"], columns["bid"], columns["ask"]
    if not len(time):
        raise DataError(table.path, "has no rows")
    refuse_swapped(table, options)
    checks = [
        times_rise(time, may_repeat=True, may_be_local=is_local_without_zone(table)),
        Check("bid", bid, bid <= 0, "must be above 0"),
        Check("ask", ask, ask < bid, "must not be below the bid"),
    ]
    refuse_first(table, spec.tick_size, checks)
    refuse_implausible(table, options, units_per_price(spec, options))
    return Quotes(
        time_ns=time,
        bid_ticks=bid,
        bid_lots=columns.get("bid_size", np.ones_like(time)),
        ask_ticks=ask,
        ask_lots=columns.get("ask_size", np.ones_like(time)),
    )
