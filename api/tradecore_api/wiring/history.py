"""What happened in the past, one source for each instrument and kind of file, as `[data]` names them."""

import msgspec

from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.spec import InstrumentSpec
from tradecore_api.config import data_paths
from tradecore_api.config.tables import Config, DataTable, Implausible, Rounding


def sources(config: Config, data: DataTable) -> list[EventBatch]:
    """Return events that never fall in time: of each instrument its bars, then all quotes, then all trades.

    Of events of one time those of an earlier source come first.

    Raises
    ------
    ConfigError
        When an option makes no sense, or an instrument has no files of its own.
    DataError
        When a file cannot be used.
    """
    instruments = config.tables.instruments
    for key, value, rule in data_paths.shared(data, [instrument.symbol for instrument in instruments]):
        raise ConfigError(config.source_of(key), key, value, rule)
    own = [data_paths.of_instrument(data, instrument.symbol) for instrument in instruments]
    each = list(enumerate(zip(own, instruments, strict=True)))
    try:
        return [
            *(_bars(table, at, instrument) for at, (table, instrument) in each if table.path is not None),
            *(_quotes(table, at, instrument) for at, (table, instrument) in each if table.quotes is not None),
            *(_trades(table, at, instrument) for at, (table, instrument) in each if table.trades is not None),
        ]
    except InvalidValueError as error:
        key = f"data.{error.field}"
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error


def _bars(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return the bars of an instrument, with its mark prices and fundings where there are any."""
    from tradecore_files import (
        FileFormat,
        QuoteSide,
        ReadOptions,
        TimeFormat,
        append_in_order,
        load_bars,
        load_funding,
        load_marks,
    )

    beside = ReadOptions(
        timezone=data.timezone,
        time_format=TimeFormat(data.time_format.value),
        accept_implausible=data.implausible is Implausible.ACCEPT,
    )
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
    symbol = instrument.symbol
    funding, marks = (data_paths.of_symbol(paths, symbol) for paths in (data.funding, data.marks))
    batch = EventBatch()
    append_in_order(
        batch,
        instrument_id,
        load_bars(data_paths.of_symbol(data.path, symbol), instrument, options),
        load_marks(marks, instrument, beside) if marks else None,
        load_funding(funding, instrument, beside) if funding else None,
    )
    return batch


def _quotes(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return the best prices of an instrument."""
    return _prices("quotes", data, instrument_id, instrument)


def _trades(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return the trades of others in an instrument."""
    return _prices("trades", data, instrument_id, instrument)


def _prices(kind: str, data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
    """Return quotes or trades, read without what `[data]` says of the columns of the bars."""
    from tradecore_files import ReadOptions, TimeFormat, load_quotes, load_trades

    options = ReadOptions(
        timezone=data.timezone,
        time_format=TimeFormat(data.time_format.value),
        accept_implausible=data.implausible is Implausible.ACCEPT,
        nearest=data.rounding is Rounding.NEAREST,
    )
    batch = EventBatch()
    paths = data_paths.of_symbol(getattr(data, kind), instrument.symbol)
    if kind == "quotes":
        load_quotes(paths, instrument, options).append_to(batch, instrument_id)
    else:
        load_trades(paths, instrument, options).append_to(batch, instrument_id)
    return batch
