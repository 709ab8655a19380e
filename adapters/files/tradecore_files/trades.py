"""Trades of the past, read from tables and handed out as batches."""

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore.domain.column_names import BUYER_MAKER_NAMES, PRICE_NAMES, QUANTITY_NAMES, SIDE_NAMES
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


class Trades(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Trades as int64 columns of one length.

    Attributes
    ----------
    time_ns : ndarray
        UTC nanoseconds, never falling.
    price_ticks, lots : ndarray
        Price and size, above 0.
    buyer_is_aggressor : ndarray
        1 when the buyer took liquidity, else 0.
    trade_id : ndarray
        The venue's number, 0 when the file has none.
    """

    time_ns: Column
    price_ticks: Column
    lots: Column
    buyer_is_aggressor: Column
    trade_id: Column

    def __len__(self) -> int:
        """Return the number of trades."""
        return len(self.time_ns)

    def append_to(self, batch: EventBatch, instrument_id: int) -> None:
        """Add the trades to a batch as events of an instrument."""
        batch.trades(
            instrument_id, self.time_ns, self.price_ticks, self.lots, self.buyer_is_aggressor, self.trade_id
        )


def load_trades(path: FilePaths, spec: InstrumentSpec, options: ReadOptions | None = None) -> Trades:
    """Read trades from CSV (also .gz, .zip) or Parquet; sizes must be whole lots.

    The side is `side` (buy or sell took liquidity) or `buyer_maker` (true: the seller took it).

    Raises
    ------
    DataError
        Naming file, row, column, value and rule, for the first thing that cannot be used.
    InvalidSpecError
        Naming what is wrong with the instrument.
    """
    spec, options = checked_instrument(spec), options or ReadOptions()
    kind = "nearest" if options.nearest else "steps"
    wanted = (
        TIME,
        Wanted(name="price", kind=kind, step=spec.tick_size, aliases=PRICE_NAMES),
        Wanted(name="quantity", kind=kind, step=spec.lot_size, aliases=QUANTITY_NAMES),
        Wanted(name="side", kind="flag", aliases=SIDE_NAMES, is_optional=True),
        Wanted(name="buyer_maker", kind="flag", aliases=BUYER_MAKER_NAMES, is_optional=True),
        Wanted(name="trade_id", kind="id", is_optional=True),
    )
    table = read_series(path, wanted, options, may_repeat=True)
    columns = table.columns
    time, price, lots = columns["time"], columns["price"], columns["quantity"]
    if not len(time):
        raise DataError(table.path, "has no rows")
    if "side" not in columns and "buyer_maker" not in columns:
        what = "column 'side' or 'buyer_maker' is missing; name it in columns"
        raise DataError(table.path, f"{what}; trades that do not say who took liquidity are not read")
    refuse_swapped(table, options)
    rises = times_rise(time, may_repeat=True, may_be_local=is_local_without_zone(table))
    refuse_first(table, spec.tick_size, [rises, Check("price", price, price <= 0, "must be above 0")])
    refuse_first(table, spec.lot_size, [Check("quantity", lots, lots <= 0, "must be above 0")])
    refuse_implausible(table, options, units_per_price(spec, options))
    return Trades(
        time_ns=time,
        price_ticks=price,
        lots=lots,
        buyer_is_aggressor=columns["side"] if "side" in columns else 1 - columns["buyer_maker"],
        trade_id=columns.get("trade_id", np.zeros_like(time)),
    )
