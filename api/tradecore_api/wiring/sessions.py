"""Sessions on a journal, and the replay of one."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalWriter
from tradecore.engine import Engine
from tradecore.ports.notifier import Notifier
from tradecore.runtime import Session, SessionConfig, SessionSettings, SystemClock
from tradecore.runtime.recovery import GO_ON, check_recorded_behaviour, chunks, recorded_config, recover
from tradecore_api.config.tables import (
    Config,
    ConfigTables,
    DecisionTable,
)
from tradecore_api.summary import RunSummary, summarize
from tradecore_api.version import VERSION
from tradecore_api.wiring.calendars import recorded_calendars, span_of_feed, with_calendars
from tradecore_api.wiring.engines import build_engine
from tradecore_api.wiring.feeds import build_feed, feed_identity
from tradecore_api.wiring.strategies import recorded_strategies, strategies


def open_session(
    config: Config,
    journal_path: str,
    *,
    is_new_journal: bool = False,
    notifiers: Callable[[Engine], Sequence[Notifier]] = lambda _: (),
) -> Session:
    """Open the journal, bring a fresh engine to its end, and return the session that goes on from there.

    `notifiers` makes those who are told, for an engine that is where it goes on.

    Raises
    ------
    ConfigError, StorageError, BrokenInvariantError
        When settings, journal or replay say no; the journal is closed again, unchanged.
    """
    path = Path(journal_path)
    if path.is_file() and not is_new_journal:
        # First of all, and before a torn tail is cut off: such a journal stays as it is.
        check_recorded_behaviour(journal_path, GO_ON)
    built = strategies(config)
    spec = with_calendars(
        config,
        config.engine_spec(),
        lambda: span_of_feed(config),
        recorded=lambda: {} if is_new_journal else recorded_calendars(journal_path),
    )
    engine = build_engine(config, spec, built.bindings, is_recording=True)
    clock = SystemClock()
    feed, is_live = build_feed(config, clock)
    identity = SessionConfig(
        engine=engine.spec,
        strategies=built.names,
        feed=feed_identity(config),
        gates=config.tables.decision.gates,
    )
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
        notifiers=notifiers(engine),
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
        When a strategy of the journal cannot be loaded, or an engine of another behaviour wrote it.
    """
    first = next(chunks(journal_path), b"")
    if not first:
        raise StorageError(journal_path, "the journal is empty: there is nothing to replay")
    check_recorded_behaviour(journal_path, "To replay it, use the version of tradecore that wrote it")
    recorded = SessionConfig.decoded(recorded_config(journal_path, first))
    config = Config(
        tables=ConfigTables(
            instruments=recorded.engine.instruments, decision=DecisionTable(gates=recorded.gates)
        ),
        strategies=recorded_strategies(recorded, journal_path),
        source=journal_path,
    )
    engine = build_engine(config, recorded.engine, strategies(config).bindings, is_recording=True)
    recover(journal_path, engine, recorded)
    return summarize(engine, journal_path)


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
