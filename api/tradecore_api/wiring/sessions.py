"""Sessions on a journal, and the replay of one."""

from collections.abc import Callable, Sequence

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.engine import Engine
from tradecore.ports.notifier import Notifier
from tradecore.runtime import Session, SessionConfig, SessionSettings, SystemClock
from tradecore.runtime.recovery import GO_ON, check_recorded_behaviour, recorded_config, recover
from tradecore.runtime.session_config import check_behaviour
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
    folder: JournalFolder,
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
    if folder.exists() and not is_new_journal:
        # First of all, and before a torn tail is cut off: such a journal stays as it is.
        check_recorded_behaviour(folder, GO_ON)
    built = strategies(config)
    spec = with_calendars(
        config,
        config.engine_spec(),
        lambda: span_of_feed(config),
        recorded=lambda: {} if is_new_journal else recorded_calendars(folder),
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
        folder.set_aside()
    # Recorded and simulated runs must not depend on when they ran.
    journal = folder.writer(clock.now_ns() if is_live else 0)
    try:
        recovered = recover(folder, engine, identity) if journal.records else None
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


def replay(folder: JournalFolder) -> RunSummary:
    """Replay a journal through the same engine and strategies and compare every byte.

    Raises
    ------
    BrokenInvariantError
        When the bytes differ; names the place.
    ConfigError
        When a strategy of the journal cannot be loaded, or an engine of another behaviour wrote it.
    """
    config_bytes = recorded_config(folder)
    if not config_bytes:
        raise StorageError(folder.where, "the journal is empty: there is nothing to replay")
    check_behaviour(config_bytes, folder.where, "To replay it, use the version of tradecore that wrote it")
    recorded = SessionConfig.decoded(config_bytes)
    config = Config(
        tables=ConfigTables(
            instruments=recorded.engine.instruments, decision=DecisionTable(gates=recorded.gates)
        ),
        strategies=recorded_strategies(recorded, folder),
        source=folder.where,
    )
    engine = build_engine(config, recorded.engine, strategies(config).bindings, is_recording=True)
    recover(folder, engine, recorded)
    return summarize(engine, folder)
