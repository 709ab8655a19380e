"""Builds engines, feeds and sessions from a configuration; the only module that imports adapters."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import msgspec

from tradecore.backtest import BacktestResult, result_of
from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, DataError, InvalidValueError, StorageError
from tradecore.domain.journal import JournalWriter, events_from_frames
from tradecore.domain.spec import EngineSpec, Mode, SequenceRule
from tradecore.engine import Engine
from tradecore.ports.market_feed import MarketFeed
from tradecore.ports.notifier import Notifier
from tradecore.ports.read_model import ReadModel
from tradecore.runtime import Session, SessionConfig, SessionSettings, SystemClock
from tradecore.runtime.recovery import chunks, recorded_config, recover
from tradecore.strategy import BarSource, StrategyBinding, build, load_class
from tradecore_api.config.tables import (
    BinanceFeedTable,
    CaptureFeedTable,
    CaptureMarket,
    Config,
    ConfigTables,
    DataFormat,
    DataTable,
    DecisionTable,
    Rounding,
    SimulatedFeedTable,
    StrategyConfig,
)
from tradecore_api.progress import working
from tradecore_api.summary import RunSummary, summarize
from tradecore_api.version import VERSION

# Small enough for a stop or a command to be heard at once, large enough to cost nothing.
BATCH_EVENTS_MAX = 1024
JOURNAL_MAGIC = b"TCJOURN\n"


class Strategies(msgspec.Struct, frozen=True):
    """Strategies ready to run, and how the journal names them."""

    bindings: tuple[StrategyBinding, ...]
    names: tuple[dict[str, object], ...]


def configure_log(config: Config) -> None:
    """Send log events to stderr as the configuration says."""
    from tradecore_log import configure

    configure(level=config.tables.log.level.value, is_json=config.tables.log.json)


def log_notifier() -> Notifier:
    """Return the notifier that logs committed records."""
    from tradecore_log import LogNotifier

    return LogNotifier()


async def open_read_model(path: str) -> ReadModel:
    """Return the SQLite read model at a path, made new when there is none."""
    from tradecore_sqlite import SqliteReadModel

    return await SqliteReadModel.open(path)


async def database_info(path: str) -> dict[str, object]:
    """Return what is in a read model."""
    from tradecore_sqlite import SqliteReadModel

    read_model = await SqliteReadModel.open(path)
    try:
        found: dict[str, object] = msgspec.to_builtins(await read_model.info())
        return found
    finally:
        await read_model.aclose()


def inspect_data(path: str) -> dict[str, object]:
    """Return what a data file holds."""
    from tradecore_files import inspect

    found: dict[str, object] = msgspec.to_builtins(inspect(path))
    return found


def completed(config: Config) -> Config:
    """Fill in what a capture says about itself: its market and, if none are named, its instruments.

    Raises
    ------
    ConfigError, DataError
        When an instrument is not in the capture, or the capture cannot be read.
    """
    tables = config.tables
    feed = tables.feed
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


def strategies(config: Config) -> Strategies:
    """Load and build every strategy.

    Raises
    ------
    ConfigError
        When a class or a parameter cannot be used.
    """
    symbols = [instrument.symbol for instrument in config.tables.instruments]
    bindings = tuple(_binding(config, strategy, symbols) for strategy in config.strategies)
    names = tuple(
        {
            "class": strategy.reference,
            "name": strategy.name,
            "instruments": list(strategy.instruments),
            "bars": strategy.bars,
            "history": strategy.history,
            "parameters": strategy.parameters,
        }
        for strategy in config.strategies
    )
    return Strategies(bindings, names)


def strategy_problems(config: Config) -> list[ConfigError]:
    """Return what is wrong with strategies and engine settings; empty when a run would start."""
    try:
        config = completed(config)
        bindings = strategies(config).bindings
        build_engine(config, config.engine_spec(), bindings, is_recording=False)
    except ConfigError as error:
        return [error]
    return []


def build_engine(
    config: Config,
    spec: EngineSpec,
    bindings: Sequence[StrategyBinding],
    *,
    is_recording: bool,
    has_equity_curve: bool = False,
) -> Engine:
    """Return a fresh engine.

    Raises
    ------
    ConfigError
        When the engine cannot work with a setting.
    """
    if not spec.instruments:
        raise ConfigError(config.source, "instruments", None, "is missing: name at least one [[instruments]]")
    try:
        return Engine(
            spec,
            bindings,
            recording=is_recording,
            equity_curve=has_equity_curve,
            gates=config.tables.decision.gates,
        )
    except InvalidValueError as error:
        key = _key_of(spec, error)
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error


def _key_of(spec: EngineSpec, error: InvalidValueError) -> str:
    """Return the dotted key of a field of the specification that has this value."""

    def has(table: object) -> bool:
        return str(getattr(table, error.field, None)) == str(error.value)

    tables = {"account": spec.account, "fees": spec.fees, "venue": spec.venue, "risk": spec.risk}
    tables |= {f"instruments.{index}": instrument for index, instrument in enumerate(spec.instruments)}
    section = next((name for name, table in tables.items() if has(table)), None)
    return error.field if section is None else f"{section}.{error.field}"


def open_session(
    config: Config,
    journal_path: str,
    *,
    is_new_journal: bool = False,
    notifiers: Sequence[Notifier] = (),
) -> Session:
    """Open the journal, bring a fresh engine to its end, and return the session that goes on from there.

    Raises
    ------
    ConfigError, StorageError, BrokenInvariantError
        When settings, journal or replay say no; the journal is closed again, unchanged.
    """
    built = strategies(config)
    spec = config.engine_spec()
    engine = build_engine(config, spec, built.bindings, is_recording=True)
    clock = SystemClock()
    feed, is_live = _feed(config, clock)
    identity = SessionConfig(
        engine=spec,
        strategies=built.names,
        feed=_feed_identity(config),
        gates=config.tables.decision.gates,
    )
    path = Path(journal_path)
    if is_new_journal:
        _set_aside(path)
    _make_directory(path.parent)
    # Recorded and simulated runs must not depend on when they ran.
    journal = JournalWriter.open(journal_path, clock.now_ns() if is_live else 0)
    try:
        recovered = recover(journal_path, engine, identity) if journal.records else None
    except BaseException:
        journal.close()
        raise
    tables = config.tables
    return Session(
        engine=engine,
        feed=feed,
        journal=journal,
        clock=clock,
        config=identity,
        version=VERSION,
        notifiers=notifiers,
        recovered=recovered,
        settings=SessionSettings(
            is_live=is_live,
            commit_interval_seconds=tables.journal.commit_interval_ms / 1e3,
            clock_interval_seconds=tables.daemon.clock_interval_ms / 1e3,
        ),
    )


def replay(journal_path: str) -> RunSummary:
    """Replay a journal through the same engine and strategies and compare every byte.

    Raises
    ------
    BrokenInvariantError
        When the bytes differ; names the place.
    ConfigError
        When a strategy of the journal cannot be loaded.
    """
    first = next(chunks(journal_path), b"")
    if not first:
        raise StorageError(journal_path, "the journal is empty: there is nothing to replay")
    recorded = SessionConfig.decoded(recorded_config(journal_path, first))
    config = Config(
        tables=ConfigTables(
            instruments=recorded.engine.instruments, decision=DecisionTable(gates=recorded.gates)
        ),
        strategies=_recorded_strategies(recorded, journal_path),
        source=journal_path,
    )
    engine = build_engine(config, recorded.engine, strategies(config).bindings, is_recording=True)
    recover(journal_path, engine, recorded)
    return summarize(engine, journal_path)


def backtest(config: Config) -> BacktestResult:
    """Run the strategies over `[data]`, or over a recorded or simulated `[feed]`.

    Raises
    ------
    ConfigError, DataError
        When settings or data cannot be used.
    """
    config = completed(config)
    spec = config.engine_spec(Mode.BACKTEST)
    bindings = strategies(config).bindings
    engine = build_engine(config, spec, bindings, is_recording=False, has_equity_curve=True)
    events = 0
    with working("backtesting") as progress:
        for batch in _history(config):
            engine.feed(batch)
            events += engine.run()
            progress(events)
        engine.finish()
    if not events:
        raise DataError(config.source, "the data have no events: nothing to test on")
    return result_of(engine)


def _history(config: Config) -> Iterator[EventBatch]:
    """Yield everything that happened, in order."""
    data = config.tables.data
    if data is not None and _is_journal(data):
        for chunk in chunks(data.path):
            batch = EventBatch()
            events_from_frames(chunk, batch)
            yield batch
    elif data is not None:
        yield _bars(config, data)
    elif isinstance(config.tables.feed, CaptureFeedTable | SimulatedFeedTable):
        yield from _played(_feed(_as_fast_as_possible(config), SystemClock())[0])
    else:
        raise ConfigError(
            config.source, "data", None, "is missing: a backtest needs [data] or a recorded [feed]"
        )


def _is_journal(data: DataTable) -> bool:
    if data.format is not DataFormat.AUTO:
        return data.format is DataFormat.JOURNAL
    return is_journal(Path(data.path))


def is_journal(path: Path) -> bool:
    """Tell whether a file begins as a journal does."""
    with path.open("rb") as file:
        return file.read(len(JOURNAL_MAGIC)) == JOURNAL_MAGIC


def _bars(config: Config, data: DataTable) -> EventBatch:
    from tradecore_files import FileFormat, ReadOptions, load_bars

    options = ReadOptions(
        format=FileFormat(data.format.value),
        columns=data.columns,
        nearest=data.rounding is Rounding.NEAREST,
        interval_ns=data.interval_ns,
        timezone=data.timezone,
    )
    batch = EventBatch()
    try:
        load_bars(data.path, config.tables.instruments[0], options).append_to(batch, 0)
    except InvalidValueError as error:
        key = f"data.{error.field}"
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error
    return batch


def _played(feed: MarketFeed) -> Iterator[EventBatch]:
    """Yield the batches of a feed that never waits."""
    with asyncio.Runner() as runner:
        batches = feed.batches()
        while (batch := runner.run(_next(batches))) is not None:
            yield batch


async def _next(batches: AsyncIterator[EventBatch]) -> EventBatch | None:
    return await anext(batches, None)


def _as_fast_as_possible(config: Config) -> Config:
    feed = config.tables.feed
    if isinstance(feed, CaptureFeedTable):
        feed = msgspec.structs.replace(feed, speed=0.0)
    elif isinstance(feed, SimulatedFeedTable):
        feed = msgspec.structs.replace(feed, virtual=True)
    return msgspec.structs.replace(config, tables=msgspec.structs.replace(config.tables, feed=feed))


def _binding(config: Config, strategy: StrategyConfig, symbols: Sequence[str]) -> StrategyBinding:
    source = config.source_of(strategy.key)
    found = load_class(strategy.reference, source=source, key=f"{strategy.key}.class")
    try:
        bars = BarSource.parse(strategy.bars)
    except InvalidValueError as error:
        raise ConfigError(source, f"{strategy.key}.bars", strategy.bars, error.rule) from error
    instruments = tuple(symbols.index(symbol) for symbol in strategy.instruments or symbols)
    return StrategyBinding(
        name=strategy.name,
        strategy=build(found, strategy.parameters, source=source, section=strategy.key),
        instruments=instruments,
        bars=bars,
        history=strategy.history,
    )


def _recorded_strategies(recorded: SessionConfig, journal_path: str) -> tuple[StrategyConfig, ...]:
    found = []
    for index, entry in enumerate(recorded.strategies):
        values = {"key": f"strategies.{index}", "reference": entry.get("class"), **entry}
        strategy = msgspec.convert(values, StrategyConfig)
        reference = _found_again(strategy.reference, Path(journal_path).absolute().parent)
        found.append(msgspec.structs.replace(strategy, reference=reference))
    return tuple(found)


def _found_again(reference: str, directory: Path) -> str:
    """Return where the file of a strategy is now: where it was, next to the journal, or here."""
    file, colon, name = reference.rpartition(":")
    if not file.endswith(".py") or Path(file).is_file():
        return reference
    for place in (directory, Path.cwd()):
        candidate = place / Path(file).name
        if candidate.is_file():
            return f"{candidate}{colon}{name}"
    return reference


def _feed(config: Config, clock: SystemClock) -> tuple[MarketFeed, bool]:
    """Return the feed and whether its times are those of the clock."""
    table = config.tables.feed
    match table:
        case SimulatedFeedTable():
            return _simulated_feed(config, table, clock), False
        case CaptureFeedTable():
            return _capture_feed(config, table, clock), False
        case BinanceFeedTable():
            return _binance_feed(config, table, clock), True
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


def _binance_feed(config: Config, table: BinanceFeedTable, clock: SystemClock) -> MarketFeed:
    from tradecore_binance import BinanceFeed, Market

    return BinanceFeed(
        config.tables.instruments,
        clock,
        market=Market(table.market.value),
        ws_url=table.ws_url,
        rest_url=table.rest_url,
        queue_batches_max=table.queue_batches_max,
    )


def _feed_identity(config: Config) -> dict[str, object]:
    """Return what makes a feed deliver the same events again; its speed and directory do not."""
    plain = msgspec.to_builtins(config.tables.feed)
    identity = {
        name: value
        for name, value in plain.items()
        if name not in ("speed", "virtual", "queue_batches_max", "ws_url", "rest_url")
    }
    if "path" in identity:
        identity["path"] = Path(str(identity["path"])).name
    return identity


def _set_aside(path: Path) -> None:
    """Keep an existing journal under another name."""
    if not path.exists():
        return
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(path.stat().st_mtime))
    target, number = path.with_name(f"{path.name}.{stamp}"), 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.{stamp}-{number}")
    try:
        path.rename(target)
    except OSError as error:
        raise StorageError(str(path), f"cannot be set aside: {error.strerror}") from error


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made: {error.strerror}; choose another journal.path"
        raise StorageError(str(path), what) from error
