"""Reads the files that `[data]` names of one instrument."""

import msgspec

from tradecore.domain import EventBatch
from tradecore.domain.spec import InstrumentSpec
from tradecore_api.config import data_paths
from tradecore_api.config.tables import DataTable, Implausible, Rounding
from tradecore_files import (
    Bars,
    FileFormat,
    QuoteSide,
    ReadOptions,
    TimeFormat,
    Trades,
    append_in_order,
    load_bars,
    load_funding,
    load_marks,
    load_quotes,
    load_trades,
)


def bars(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return the bars of an instrument, with its mark prices and fundings where there are any."""
    beside = _beside(data)
    symbol = instrument.symbol
    funding, marks = (data_paths.of_symbol(paths, symbol) for paths in (data.funding, data.marks))
    batch = EventBatch()
    append_in_order(
        batch,
        instrument_id,
        loaded_bars(data, instrument),
        load_marks(marks, instrument, beside) if marks else None,
        load_funding(funding, instrument, beside) if funding else None,
    )
    return batch


def _beside(data: DataTable) -> ReadOptions:
    """Return how what stands beside the bars is read."""
    return ReadOptions(
        timezone=data.timezone,
        time_format=TimeFormat(data.time_format.value),
        accept_implausible=data.implausible is Implausible.ACCEPT,
    )


def loaded_bars(data: DataTable, instrument: InstrumentSpec) -> Bars:
    """Return the bars of an instrument."""
    beside = _beside(data)
    options = msgspec.structs.replace(
        beside,
        format=FileFormat(data.format.value),
        columns=data.columns,
        nearest=data.rounding is Rounding.NEAREST,
        interval_ns=data.interval_ns,
        quote_side=QuoteSide(data.quote_side.value),
        date=data.date,
        price_scale=data.price_scale,
    )
    return load_bars(data_paths.of_symbol(data.path, instrument.symbol), instrument, options)


def loaded_trades(data: DataTable, instrument: InstrumentSpec) -> Trades:
    """Return the trades of others in an instrument."""
    return load_trades(
        data_paths.of_symbol(data.trades, instrument.symbol), instrument, _prices_options(data)
    )


def quotes(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return the best prices of an instrument."""
    batch = EventBatch()
    paths = data_paths.of_symbol(data.quotes, instrument.symbol)
    load_quotes(paths, instrument, _prices_options(data)).append_to(batch, instrument_id)
    return batch


def trades(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return the trades of others in an instrument."""
    batch = EventBatch()
    loaded_trades(data, instrument).append_to(batch, instrument_id)
    return batch


def _prices_options(data: DataTable) -> ReadOptions:
    """Return how quotes and trades are read: without what `[data]` says of the columns of the bars."""
    return msgspec.structs.replace(_beside(data), nearest=data.rounding is Rounding.NEAREST)
