"""Backtests on files, journals and recorded feeds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import tee

from tradecore.backtest import BacktestResult, result_of
from tradecore.domain import EventBatch
from tradecore.domain.errors import ConfigError, DataError
from tradecore.domain.journal import BEHAVIOUR_VERSION, JournalFolder, events_from_frames
from tradecore.domain.spec import EngineSpec, Mode
from tradecore.domain.times import NANOSECONDS, iso_time, span_text
from tradecore.engine import Engine
from tradecore.ports.market_feed import MarketFeed
from tradecore.runtime import SystemClock
from tradecore.runtime.frames import without_venue
from tradecore.runtime.recovery import recorded_config
from tradecore.runtime.session_config import is_recorded_live, recorded_behaviour
from tradecore_api.config import data_paths
from tradecore_api.config.tables import (
    BookCaptureFeedTable,
    CaptureFeedTable,
    Config,
    DataFormat,
    DataTable,
    SimulatedFeedTable,
)
from tradecore_api.output import print_note
from tradecore_api.progress import working
from tradecore_api.wiring import history
from tradecore_api.wiring.calendars import span_of_history, with_calendars
from tradecore_api.wiring.engines import build_engine
from tradecore_api.wiring.feeds import as_fast_as_possible, build_feed, completed
from tradecore_api.wiring.strategies import strategies


def backtest(config: Config, seen: Callable[[Engine], None] | None = None) -> BacktestResult:
    """Run the strategies over `[data]`, or over a recorded or simulated `[feed]`.

    `seen` is shown the engine at the end of the data.

    Raises
    ------
    ConfigError, DataError
        When settings or data cannot be used.
    """
    config = completed(config)
    spec, happened = _spec_and_history(config)
    bindings = strategies(config).bindings
    engine = build_engine(config, spec, bindings, is_recording=False, has_equity_curve=True)
    watch = engine.watch()
    events = started_ns = 0
    if (said := _feed_words(config)) is not None:
        print_note(said)
    with working("backtesting") as progress:
        for sources in happened:
            for note in watch.news():
                print_note(note)
            for source, batch in enumerate(sources):
                engine.feed(batch, source)
            events += engine.run()
            started_ns = started_ns or engine.now_ns
            progress(events, _how_far(config, engine.now_ns, started_ns))
        engine.finish()
    for name, count in engine.bars_left_out().items():
        print_note(
            f"{name}: {count} bars of the data are in no bar of this length, because they are outside of the "
            'sessions of the calendar; set calendar = "24/7" of the instrument to take every hour'
        )
    if not events:
        where = config.source if config.tables.data is None else data_paths.shown(config.tables.data)
        raise DataError(where, "has no events: nothing to test on")
    if seen is not None:
        seen(engine)
    return result_of(engine)


def _feed_words(config: Config) -> str | None:
    """Say what a backtest of a file with a feed does: it is one of a paper run, and may take long."""
    match None if config.tables.data is not None else config.tables.feed:
        case SimulatedFeedTable() as feed:
            what = f"a simulated market of {span_text(round(feed.seconds * NANOSECONDS))}"
        case CaptureFeedTable() | BookCaptureFeedTable() as feed:
            what = f"the recorded feed {feed.path}"
        case _:
            return None
    return f"backtest over {what} in [feed], as fast as it can be computed; Ctrl-C ends it without a result"


def _how_far(config: Config, now_ns: int, started_ns: int) -> str:
    """Say how much of a simulated market is over, else what time it is in the data."""
    feed = config.tables.feed
    if config.tables.data is not None or not isinstance(feed, SimulatedFeedTable):
        return f"at {iso_time(now_ns, 0)}"
    return f"{(now_ns - started_ns) / (feed.seconds * NANOSECONDS):.0%} of the market's time"


def _spec_and_history(config: Config) -> tuple[EngineSpec, Iterator[list[EventBatch]]]:
    """Return what the engine is made of, and what happened; only a calendar looks at the latter first."""
    happened, ahead = tee(_history(config))
    spec = with_calendars(config, config.engine_spec(Mode.BACKTEST), lambda: span_of_history(next(ahead, [])))
    return spec, happened


def _history(config: Config) -> Iterator[list[EventBatch]]:
    """Yield everything that happened, in order: batches of sources that are merged by time."""
    data = config.tables.data
    if data is not None and (journal := _journal(data)) is not None:
        recorded = _recorded(journal)
        _tell_behaviour(journal, recorded)
        _tell_dropped(journal)
        is_live = is_recorded_live(recorded)
        for chunk in journal.chunks():
            batch = EventBatch()
            # What a venue outside answered is no answer to the orders of a backtest.
            events_from_frames(without_venue(chunk) if is_live else chunk, batch)
            yield [batch]
    elif data is not None:
        yield history.sources(config, data)
    elif isinstance(config.tables.feed, CaptureFeedTable | BookCaptureFeedTable | SimulatedFeedTable):
        for batch in _played(build_feed(as_fast_as_possible(config), SystemClock())[0]):
            yield [batch]
    else:
        raise ConfigError(
            config.source, "data", None, "is missing: a backtest needs [data] or a recorded [feed]"
        )


def _recorded(journal: JournalFolder) -> bytes:
    """Return the configuration in a journal; nothing for a journal of something else than an engine."""
    try:
        return recorded_config(journal)
    except DataError:
        return b""


def _tell_behaviour(journal: JournalFolder, recorded: bytes) -> None:
    """Say when an engine of another behaviour wrote a journal: its events are good, its orders no measure."""
    if not recorded:
        return
    version = recorded_behaviour(recorded)
    if version != BEHAVIOUR_VERSION:
        print_note(
            f"{journal.where}: the engine's behaviour has changed since this journal was written (version "
            f"{version}, now {BEHAVIOUR_VERSION}): its market events and commands are the history of this "
            "backtest, but the orders need not be those in the journal"
        )


def _tell_dropped(journal: JournalFolder) -> None:
    """Say when a journal is no longer the whole history."""
    if journal.lacks_market_events():
        print_note(
            f"{journal.where}: old market events were dropped from this journal: the history of this "
            "backtest is what is kept, and in the oldest segments that is the last event of each kind and "
            "instrument"
        )


def _journal(data: DataTable) -> JournalFolder | None:
    """Return the journal that `[data]` names, `None` when it names something else."""
    if (journal := data_paths.journal(data)) is not None:
        return journal
    if data.format is DataFormat.JOURNAL:
        raise DataError(data_paths.shown(data), "must be one file to be read as a journal")
    return None


def _played(feed: MarketFeed) -> Iterator[EventBatch]:
    """Yield the batches of a feed that never waits."""
    with asyncio.Runner() as runner:
        batches = feed.batches()
        while (batch := runner.run(_next(batches))) is not None:
            yield batch


async def _next(batches: AsyncIterator[EventBatch]) -> EventBatch | None:
    return await anext(batches, None)
