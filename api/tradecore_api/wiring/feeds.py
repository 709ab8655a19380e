"""Makes the feed that a configuration asks for."""

from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError, DataError, InvalidValueError
from tradecore.domain.spec import SequenceRule
from tradecore.ports.market_feed import MarketFeed
from tradecore.runtime import SystemClock
from tradecore.runtime.joined_feed import FeedPart, JoinedFeed
from tradecore_api.config.tables import (
    BinanceFeedTable,
    BookCaptureFeedTable,
    CaptureFeedTable,
    CaptureMarket,
    Config,
    FeedTable,
    LocalFeedTable,
    SimulatedFeedTable,
)
from tradecore_api.wiring.feed_sources import sources_of

# Small enough for a stop or a command to be heard at once, large enough to cost nothing.
BATCH_EVENTS_MAX = 1024


def completed(config: Config) -> Config:
    """Fill in what a capture says about itself: market, instruments if none are named, depth of its books.

    Raises
    ------
    ConfigError, DataError
        When an instrument is not in the capture, or the capture cannot be read.
    """
    tables = config.tables
    feed = tables.feed
    if isinstance(feed, BinanceFeedTable):
        _check_binance_symbols(config, feed)
        return config
    if isinstance(feed, BookCaptureFeedTable):
        return _with_depths(config, feed)
    if not isinstance(feed, CaptureFeedTable):
        return config
    if tables.instruments and feed.market is not CaptureMarket.AUTO:
        return config
    from tradecore_binance.capture_contents import capture_contents

    contents = capture_contents(feed.path)
    market = contents.market.value if feed.market is CaptureMarket.AUTO else feed.market.value
    rule = SequenceRule.BINANCE_SPOT if market == CaptureMarket.SPOT else SequenceRule.BINANCE_FUTURES
    found = [instrument.symbol for instrument in contents.instruments]
    for index, instrument in enumerate(tables.instruments):
        if instrument.symbol not in found:
            key = f"instruments.{index}.symbol"
            what = f"is not in the capture, which holds {', '.join(found)}"
            raise ConfigError(config.source_of(key), key, instrument.symbol, what)
    instruments = tuple(
        msgspec.structs.replace(instrument, sequence=rule)
        if instrument.sequence is SequenceRule.NONE
        else instrument
        for instrument in tables.instruments or contents.instruments
    )
    feed = msgspec.structs.replace(feed, market=CaptureMarket(market))
    tables = msgspec.structs.replace(tables, feed=feed, instruments=instruments)
    return msgspec.structs.replace(config, tables=tables)


def _check_binance_symbols(config: Config, feed: FeedTable) -> None:
    """Refuse names of other programs, such as BTC/USDT: Binance would never send anything for them."""
    own = {
        each.name for each in config.tables.accounts if not isinstance(each.feed or feed, BinanceFeedTable)
    }
    for index, instrument in enumerate(config.tables.instruments):
        if instrument.account in own:
            continue
        written = instrument.symbol.partition(":")[0].translate(str.maketrans("", "", "/- ")).upper()
        if written != instrument.symbol:
            key = f"instruments.{index}.symbol"
            rule = f"is not how Binance writes symbols: no signs, all capitals; did you mean {written!r}?"
            raise ConfigError(config.source_of(key), key, instrument.symbol, rule)


def _with_depths(config: Config, feed: BookCaptureFeedTable) -> Config:
    """Give the instruments of a recorded book the depth that the capture names, unless they have one."""
    tables = config.tables
    if tables.instruments and all(item.book_levels_max is not None for item in tables.instruments):
        return config
    from tradecore_files import BookVenue, book_contents

    contents = book_contents(feed.path, BookVenue(feed.venue.value))
    instruments = []
    for index, instrument in enumerate(tables.instruments):
        pair = contents.pairs.get(instrument.symbol)
        if pair is None and not contents.problem:
            key = f"instruments.{index}.symbol"
            found = ", ".join(sorted(contents.pairs)) or "no books"
            raise ConfigError(
                config.source_of(key), key, instrument.symbol, f"is not in the capture, which holds {found}"
            )
        levels_max = instrument.book_levels_max
        if levels_max is None and pair is not None:
            if len(pair.channels) > 1:
                what = f"holds {instrument.symbol} from {', '.join(sorted(pair.channels))}"
                raise DataError(feed.path, f"{what}; leave the messages of one channel")
            levels_max = pair.levels_max
        instruments.append(msgspec.structs.replace(instrument, book_levels_max=levels_max))
    tables = msgspec.structs.replace(tables, instruments=tuple(instruments))
    return msgspec.structs.replace(config, tables=tables)


def build_feed(config: Config, clock: SystemClock) -> tuple[MarketFeed, bool]:
    """Return the feed and whether its times are those of the clock.

    Where instruments have several sources, as those of accounts at several venues do, they are joined.

    Raises
    ------
    ConfigError
        When there is no feed, or several of which one is not live.
    """
    sources = sources_of(config)
    if len(sources) == 1:
        return _one_feed(sources[0].narrowed(config), sources[0].table, clock)
    parts = []
    for source in sources:
        if not isinstance(source.table, BinanceFeedTable | LocalFeedTable):
            rule = (
                "must be live where accounts have feeds of their own: what is recorded has one time for all"
            )
            raise ConfigError(config.source_of("feed"), "feed", None, rule)
        feed, _ = _one_feed(source.narrowed(config), source.table, clock)
        parts.append(FeedPart(feed, source.numbers))
    return JoinedFeed(parts, begins_together=config.tables.history is not None), True


def _one_feed(config: Config, table: FeedTable | None, clock: SystemClock) -> tuple[MarketFeed, bool]:
    match table:
        case SimulatedFeedTable():
            return _simulated_feed(config, table, clock), False
        case CaptureFeedTable():
            return _capture_feed(config, table, clock), False
        case BookCaptureFeedTable():
            return _book_capture_feed(config, table), False
        case BinanceFeedTable():
            return _binance_feed(config, table, clock), True
        case LocalFeedTable():
            return _local_feed(config, table, clock), True
        case _:
            raise ConfigError(config.source, "feed", None, "is missing: name a [feed]")


def _simulated_feed(config: Config, table: SimulatedFeedTable, clock: SystemClock) -> MarketFeed:
    from tradecore.sim.agents import AgentMarket
    from tradecore.sim.simulated_exchange import DEMO_MARKETS, SimulatedExchangeFeed

    markets = tuple(
        AgentMarket(
            instrument_id=index,
            start_ticks=DEMO_MARKETS[index % len(DEMO_MARKETS)].start_ticks,
            lots_mean=DEMO_MARKETS[index % len(DEMO_MARKETS)].lots_mean,
        )
        for index in range(len(config.tables.instruments))
    )
    return SimulatedExchangeFeed(
        markets,
        seed=table.seed,
        duration_ns=int(table.seconds * 1e9),
        clock=None if table.virtual else clock,
    )


def _capture_feed(config: Config, table: CaptureFeedTable, clock: SystemClock) -> MarketFeed:
    from tradecore_binance import BinanceCaptureFeed, Market

    try:
        return BinanceCaptureFeed(
            table.path,
            config.tables.instruments,
            market=Market(table.market.value),
            speed=table.speed,
            clock=clock,
            batch_events_max=BATCH_EVENTS_MAX,
        )
    except InvalidValueError as error:
        raise ConfigError(config.source, error.field, error.value, error.rule) from error


def _book_capture_feed(config: Config, table: BookCaptureFeedTable) -> MarketFeed:
    from tradecore_files import BookCaptureFeed, BookVenue

    try:
        return BookCaptureFeed(
            table.path,
            config.tables.instruments,
            venue=BookVenue(table.venue.value),
            batch_events_max=BATCH_EVENTS_MAX,
        )
    except InvalidValueError as error:
        raise ConfigError(config.source, error.field, error.value, error.rule) from error


def _binance_feed(config: Config, table: BinanceFeedTable, clock: SystemClock) -> MarketFeed:
    from tradecore_binance.live_feed import BinanceFeed
    from tradecore_binance.market import Market

    return BinanceFeed(
        config.tables.instruments,
        clock,
        market=Market(table.market.value),
        ws_url=table.ws_url,
        rest_url=table.rest_url,
        queue_batches_max=table.queue_batches_max,
    )


def _local_feed(config: Config, table: LocalFeedTable, clock: SystemClock) -> MarketFeed:
    from tradecore_local.market_feed import LocalMarketFeed

    if table.url is None:
        raise ConfigError(config.source, "feed.url", None, "is missing: say where the venue listens")
    return LocalMarketFeed(table.url, config.tables.instruments, clock)


def feed_identity(config: Config) -> dict[str, object]:
    """Return what makes a feed deliver the same events again; its speed and directory do not."""
    identity = _identity(config.tables.feed)
    others = {each.name: _identity(each.feed) for each in config.tables.accounts if each.feed is not None}
    return identity | ({"accounts": others} if others else {})


def _identity(table: FeedTable | None) -> dict[str, object]:
    plain = msgspec.to_builtins(table)
    identity = {
        name: value
        for name, value in plain.items()
        if name not in ("speed", "virtual", "queue_batches_max", "ws_url", "rest_url", "url")
    }
    if "path" in identity:
        identity["path"] = Path(str(identity["path"])).name
    return identity


def as_fast_as_possible(config: Config) -> Config:
    """Return the configuration with a feed that never waits."""
    feed = config.tables.feed
    if isinstance(feed, CaptureFeedTable):
        feed = msgspec.structs.replace(feed, speed=0.0)
    elif isinstance(feed, SimulatedFeedTable):
        feed = msgspec.structs.replace(feed, virtual=True)
    return msgspec.structs.replace(config, tables=msgspec.structs.replace(config.tables, feed=feed))
