"""Bars of the past, one source for each instrument, as `[data]` names their files."""

import msgspec

from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.spec import InstrumentSpec
from tradecore_api.config import data_paths
from tradecore_api.config.tables import Config, DataTable, Implausible, Rounding


def sources(config: Config, data: DataTable) -> list[EventBatch]:
    """Return the events of each instrument in the order of the instruments; times never fall within one.

    Raises
    ------
    ConfigError
        When an option makes no sense, or an instrument has no files of its own.
    DataError
        When a file cannot be used.
    """
    instruments = config.tables.instruments
    if len(instruments) > 1:
        _refuse_shared(config, data)
    try:
        return [_events(data, at, instrument) for at, instrument in enumerate(instruments)]
    except InvalidValueError as error:
        key = f"data.{error.field}"
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error


def _refuse_shared(config: Config, data: DataTable) -> None:
    """Refuse files that would be those of every instrument."""
    symbols = ", ".join(instrument.symbol for instrument in config.tables.instruments)
    keyed = {"data.path": data.path, "data.funding": data.funding, "data.marks": data.marks}
    for key, paths in keyed.items():
        named = data_paths.each(paths)
        if named and not any(data_paths.PLACEHOLDER in path for path in named):
            what = f"is one series, and there are the instruments {symbols}"
            other = " or name a file for each in [data.paths]" if key == "data.path" else ""
            rule = f"{what}; write {data_paths.PLACEHOLDER} in it{other}"
            raise ConfigError(config.source_of(key), key, ", ".join(named), rule)


def _events(data: DataTable, instrument_id: int, instrument: InstrumentSpec) -> EventBatch:
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
        load_bars(data_paths.bars_of(data, symbol), instrument, options),
        load_marks(marks, instrument, beside) if marks else None,
        load_funding(funding, instrument, beside) if funding else None,
    )
    return batch
