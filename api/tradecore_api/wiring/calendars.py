"""Tables of trading sessions for the calendars that instruments name."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from tradecore.domain import ALWAYS_OPEN, EventBatch, SessionTable
from tradecore.domain.errors import ConfigError, DataError, InvalidValueError, StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import EngineSpec
from tradecore.runtime import SessionConfig, SystemClock
from tradecore.runtime.recovery import recorded_config
from tradecore_api.config.tables import BinanceFeedTable, Config
from tradecore_api.wiring.feeds import as_fast_as_possible, build_feed

NS_PER_DAY = 86_400_000_000_000
# Two years, and for history that is longer a month: an order at its end needs the next session.
DAYS_AHEAD = 731
DAYS_AFTER = 31

Span = tuple[int, int]


def with_calendars(
    config: Config,
    spec: EngineSpec,
    span_of: Callable[[], Span],
    *,
    recorded: Callable[[], dict[str, SessionTable]] = dict,
) -> EngineSpec:
    """Return the specification with the table of every calendar that its instruments name.

    `recorded` gives the tables of a journal, which are taken as they are: a newer library may know other
    sessions, and a replay must not. `span_of` gives the range of time that other tables must cover, UTC
    nanoseconds. Both are called only when they are needed.

    Raises
    ------
    ConfigError
        When a calendar is not known, or what knows it is not installed.
    """
    named = [instrument.calendar for instrument in spec.instruments]
    wanted = {name: index for index, name in reversed(list(enumerate(named))) if name != ALWAYS_OPEN}
    if not wanted:
        return spec
    tables = {name: table for name, table in recorded().items() if name in wanted}
    missing = {name: index for name, index in wanted.items() if name not in tables}
    if missing:
        span = span_of()
        for name, index in missing.items():
            tables[name] = _table(config, f"instruments.{index}.calendar", name, span)
    return msgspec.structs.replace(spec, calendars=tables)


def _table(config: Config, key: str, name: str, span: Span) -> SessionTable:
    from tradecore_calendars import session_table

    try:
        return session_table(name, *span)
    except InvalidValueError as error:
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error


def span_from(from_ns: int) -> Span:
    """Return the range of time of a session that begins here: two years."""
    return from_ns, from_ns + DAYS_AHEAD * NS_PER_DAY


def span_of_history(batches: Sequence[EventBatch]) -> Span:
    """Return the range of time of a history that begins with these batches, which may be all of it."""
    firsts = [batch.first_time_ns for batch in batches if batch.first_time_ns is not None]
    lasts = [batch.last_time_ns for batch in batches if batch.last_time_ns is not None]
    if not firsts or not lasts:
        return span_from(SystemClock().now_ns())
    first_ns, ahead_ns = span_from(min(firsts))
    return first_ns, max(ahead_ns, max(lasts) + DAYS_AFTER * NS_PER_DAY)


def span_of_feed(config: Config) -> Span:
    """Return the range of time of a session on the feed: from now on, or from the first event of a recording.

    A recorded feed must give the same table whenever it is played.
    """
    if isinstance(config.tables.feed, BinanceFeedTable):
        return span_from(SystemClock().now_ns())
    # A session is opened inside an event loop, and a loop cannot wait for another one of its own thread.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _span_of_recorded(as_fast_as_possible(config))).result()


async def _span_of_recorded(config: Config) -> Span:
    feed, _ = build_feed(config, SystemClock())
    try:
        first = await anext(feed.batches(), None)
        return span_of_history([] if first is None else [first])
    finally:
        await feed.aclose()


def recorded_calendars(journal: JournalFolder) -> dict[str, SessionTable]:
    """Return the tables that a journal was begun with; none when there is no journal that can be read.

    What is wrong with a journal is said when it is opened.
    """
    if not journal.exists():
        return {}
    try:
        recorded = recorded_config(journal)
        return SessionConfig.decoded(recorded).engine.calendars if recorded else {}
    except (DataError, StorageError, msgspec.ValidationError):
        return {}
