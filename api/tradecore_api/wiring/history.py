"""What happened in the past, one source for each instrument and kind of file, as `[data]` names them."""

from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore_api.config import data_paths
from tradecore_api.config.tables import Config, DataTable


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
    # Reading files brings numpy, which what reads none does not wait for.
    from tradecore_api.wiring.data_files import bars, quotes, trades

    instruments = config.tables.instruments
    for key, value, rule in data_paths.shared(data, [instrument.symbol for instrument in instruments]):
        raise ConfigError(config.source_of(key), key, value, rule)
    own = [data_paths.of_instrument(data, instrument.symbol) for instrument in instruments]
    each = list(enumerate(zip(own, instruments, strict=True)))
    try:
        return [
            *(bars(table, at, instrument) for at, (table, instrument) in each if table.path is not None),
            *(quotes(table, at, instrument) for at, (table, instrument) in each if table.quotes is not None),
            *(trades(table, at, instrument) for at, (table, instrument) in each if table.trades is not None),
        ]
    except InvalidValueError as error:
        key = f"data.{error.field}"
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error
