"""What was before a live feed began, as `[history]` says, and the feed that begins with it."""

import logging
import math
from functools import partial

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.span import span_ns
from tradecore.engine import Engine
from tradecore.ports.history import History
from tradecore.ports.market_feed import MarketFeed
from tradecore.runtime import SystemClock
from tradecore.runtime.joined_history import HistoryPart, JoinedHistory
from tradecore.runtime.recovery import Recovered
from tradecore.runtime.warm_feed import Known, WarmFeed, WarmUp
from tradecore_api.config import data_paths
from tradecore_api.config.gap import Gap
from tradecore_api.config.history_tables import (
    BinanceHistoryTable,
    FilesHistoryTable,
    HistoryTable,
    LocalHistoryTable,
)
from tradecore_api.config.tables import BinanceFeedTable, Config, LocalFeedTable
from tradecore_api.wiring.feed_sources import FeedSource, sources_of
from tradecore_api.wiring.secrets import venue_url

log = logging.getLogger("tradecore.history")

_LENGTH_RULE = "must be a length such as 30s, 10m, 1h or 7d"


def with_past(
    config: Config,
    table: HistoryTable,
    feed: MarketFeed,
    clock: SystemClock,
    engine: Engine,
    recovered: Recovered | None,
) -> MarketFeed:
    """Return a live feed that begins with what was before it; a journal goes on with what it lacks.

    Raises
    ------
    ConfigError
        When the feed is no live one, or the settings make no sense.
    """
    tables = [config.tables.feed, *(each.feed for each in config.tables.accounts if each.feed is not None)]
    if not all(isinstance(each, BinanceFeedTable | LocalFeedTable) for each in tables):
        rule = "is for a live feed: a recorded or simulated one has its own past"
        raise ConfigError(config.source_of("history"), "history", None, rule)
    warm_up = _warm_up(config, table, engine)
    known = Known()
    if recovered is not None:
        known = Known(
            time_ns=engine.now_ns,
            trades=recovered.last_trades or {},
            bars_ns=recovered.last_bars or {},
            is_in_past=engine.kernel.is_warming_up,
        )
    return WarmFeed(
        feed,
        _history(config, table, clock),
        clock,
        instruments=len(engine.instruments),
        warm_up=warm_up,
        known=known,
        tell=lambda words: log.warning("history_gap", extra={"words": words}),
    )


def _history(config: Config, table: HistoryTable, clock: SystemClock) -> History:
    match table:
        case LocalHistoryTable(url=url):
            parts = [_of_source(config, source, url) for source in sources_of(config)]
            return parts[0].history if len(parts) == 1 else JoinedHistory(parts)
        case BinanceHistoryTable(url=url):
            return _binance_history(config, url, clock)
        case FilesHistoryTable():
            return _files_history(config, clock)


def _binance_history(config: Config, url: str | None, clock: SystemClock) -> History:
    """Return the past of the market that the feed is of: numbers of trades are those of one market."""
    from tradecore_binance.history import BinanceHistory
    from tradecore_binance.market import Market

    feed = config.tables.feed
    if not isinstance(feed, BinanceFeedTable):
        rule = 'is the past of another venue than the feed: it needs [feed] kind = "binance"'
        raise ConfigError(config.source_of("history.kind"), "history.kind", "binance", rule)
    return BinanceHistory(
        config.tables.instruments,
        clock,
        market=Market(feed.market.value),
        rest_url=url or feed.rest_url,
    )


def _of_source(config: Config, source: FeedSource, url: str | None) -> HistoryPart:
    """Return the past of the instruments of one feed: of its venue, or as the table says."""
    from tradecore_local.history import LocalHistory

    live, feed = config.tables.live, source.table
    if url is None and isinstance(feed, LocalFeedTable) and config.tables.accounts:
        url = feed.url
    if url is None and live is not None:
        url = venue_url(config, live)
    if url is None:
        raise ConfigError(config.source, "history.url", None, "is missing: say where the venue listens")
    return HistoryPart(LocalHistory(url, source.instruments), source.numbers)


def _files_history(config: Config, clock: SystemClock) -> History:
    """Return the past out of the files in `[data]`."""
    from tradecore_api.wiring.data_files import loaded_bars, loaded_trades
    from tradecore_files import FilesHistory

    data, instruments = config.tables.data, config.tables.instruments
    if data is None or (data.trades is None and data.path is None and not data.paths and not data.instrument):
        rule = 'is missing: [history] kind = "files" reads its trades, or its bars in path'
        raise ConfigError(config.source, "data", None, rule)
    tables = [data_paths.of_instrument(data, instrument.symbol) for instrument in instruments]
    each = list(enumerate(zip(tables, instruments, strict=True)))
    return FilesHistory(
        {at: partial(loaded_trades, table, spec) for at, (table, spec) in each if table.trades is not None},
        {at: partial(loaded_bars, table, spec) for at, (table, spec) in each if table.path is not None},
        instruments=len(instruments),
        now_ns=clock.now_ns,
    )


def _warm_up(config: Config, table: HistoryTable, engine: Engine) -> WarmUp:
    bars_ns = None if table.bars is None else _length(config, "bars", table.bars)
    return WarmUp(
        length_ns=_length(config, "length", table.length),
        bars_ns=bars_ns,
        bars_until_ns=1 if bars_ns is None else _common_end(config, table, bars_ns, engine),
        refuses_gaps=table.gap is Gap.REFUSE,
    )


def _length(config: Config, key: str, text: str) -> int:
    try:
        return span_ns(f"history.{key}", text, _LENGTH_RULE)
    except InvalidValueError as error:
        raise ConfigError(config.source_of(error.field), error.field, error.value, error.rule) from error


def _common_end(config: Config, table: HistoryTable, bars_ns: int, engine: Engine) -> int:
    """Return after how long bars of all lengths end together, counted in UTC from 1970 on.

    Raises
    ------
    ConfigError
        When bars of a strategy are not made of bars of this length.
    """
    key, common = "history.bars", bars_ns
    for binding in engine.strategies:
        for timeframe in binding.timeframes():
            source = timeframe.source
            if "bars" not in source.built_from or not source.interval_ns or source.interval_ns % bars_ns:
                rule = (
                    f"cannot warm up {timeframe.name!r} of the strategy {binding.name!r}: leave it out, so "
                    "that the past is trades, or name a length that its bars are a multiple of"
                )
                raise ConfigError(config.source_of(key), key, table.bars, rule)
            common = math.lcm(common, source.interval_ns)
    return common
