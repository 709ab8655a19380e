"""Backtests on files, journals and recorded feeds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import tee
from pathlib import Path

from tradecore.backtest import BacktestResult, result_of
from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, DataError, InvalidValueError
from tradecore.domain.journal import BEHAVIOUR_VERSION, events_from_frames
from tradecore.domain.spec import EngineSpec, Mode
from tradecore.ports.market_feed import MarketFeed
from tradecore.runtime import SystemClock
from tradecore.runtime.recovery import chunks, recorded_config
from tradecore.runtime.session_config import recorded_behaviour
from tradecore_api.config.tables import (
    BookCaptureFeedTable,
    CaptureFeedTable,
    Config,
    DataFormat,
    DataTable,
    Rounding,
    SimulatedFeedTable,
)
from tradecore_api.output import print_note
from tradecore_api.progress import working
from tradecore_api.wiring.calendars import span_of_history, with_calendars
from tradecore_api.wiring.engines import build_engine
from tradecore_api.wiring.feeds import as_fast_as_possible, build_feed, completed
from tradecore_api.wiring.strategies import strategies

JOURNAL_MAGIC = b"TCJOURN\n"


def backtest(config: Config) -> BacktestResult:
    """Run the strategies over `[data]`, or over a recorded or simulated `[feed]`.

    Raises
    ------
    ConfigError, DataError
        When settings or data cannot be used.
    """
    config = completed(config)
    spec, history = _spec_and_history(config)
    bindings = strategies(config).bindings
    engine = build_engine(config, spec, bindings, is_recording=False, has_equity_curve=True)
    events = 0
    with working("backtesting") as progress:
        for batch in history:
            engine.feed(batch)
            events += engine.run()
            progress(events)
        engine.finish()
    if not events:
        where = config.tables.data.path if config.tables.data is not None else config.source
        raise DataError(where, "has no events: nothing to test on")
    return result_of(engine)


def _spec_and_history(config: Config) -> tuple[EngineSpec, Iterator[EventBatch]]:
    """Return what the engine is made of, and what happened; only a calendar looks at the latter first."""
    history, ahead = tee(_history(config))
    spec = with_calendars(
        config, config.engine_spec(Mode.BACKTEST), lambda: span_of_history(next(ahead, None))
    )
    return spec, history


def _history(config: Config) -> Iterator[EventBatch]:
    """Yield everything that happened, in order."""
    data = config.tables.data
    if data is not None and _is_journal(data):
        _tell_behaviour(data.path)
        for chunk in chunks(data.path):
            batch = EventBatch()
            events_from_frames(chunk, batch)
            yield batch
    elif data is not None:
        yield _bars(config, data)
    elif isinstance(config.tables.feed, CaptureFeedTable | BookCaptureFeedTable | SimulatedFeedTable):
        yield from _played(build_feed(as_fast_as_possible(config), SystemClock())[0])
    else:
        raise ConfigError(
            config.source, "data", None, "is missing: a backtest needs [data] or a recorded [feed]"
        )


def _tell_behaviour(path: str) -> None:
    """Say when an engine of another behaviour wrote a journal: its events are good, its orders no measure."""
    first = next(chunks(path), b"")
    if not first:
        return
    try:
        version = recorded_behaviour(recorded_config(path, first))
    except DataError:
        # A journal of something else than an engine.
        return
    if version != BEHAVIOUR_VERSION:
        print_note(
            f"{path}: the engine's behaviour has changed since this journal was written (version {version}, "
            f"now {BEHAVIOUR_VERSION}): its market events and commands are the history of this backtest, but "
            "the orders need not be those in the journal"
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
    from tradecore_files import (
        FileFormat,
        ReadOptions,
        append_in_order,
        load_bars,
        load_funding,
        load_marks,
    )

    instrument = config.tables.instruments[0]
    beside = ReadOptions(timezone=data.timezone)
    options = ReadOptions(
        format=FileFormat(data.format.value),
        columns=data.columns,
        nearest=data.rounding is Rounding.NEAREST,
        interval_ns=data.interval_ns,
        timezone=data.timezone,
    )
    batch = EventBatch()
    try:
        bars = load_bars(data.path, instrument, options)
        marks = load_marks(data.marks, instrument, beside) if data.marks else None
        funding = load_funding(data.funding, instrument, beside) if data.funding else None
        append_in_order(batch, 0, bars, marks, funding)
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
