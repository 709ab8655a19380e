"""Sessions on a journal, and the replay of one."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from msgspec import UNSET

from tradecore.domain.errors import DivergenceError, StorageError
from tradecore.domain.journal import BEHAVIOUR_VERSION, JournalFolder, Segments
from tradecore.engine import Engine
from tradecore.ports.notifier import Notifier
from tradecore.runtime import Session, SessionConfig, SessionSettings, SystemClock
from tradecore.runtime.carry_over import CarriedOver, carry_over
from tradecore.runtime.later_feed import LaterFeed
from tradecore.runtime.live.fenced_venue import FencedVenue
from tradecore.runtime.recovery import (
    GO_ON,
    Recovered,
    check_recorded_behaviour,
    last_epochs,
    recorded_config,
    recover,
)
from tradecore.runtime.session_config import check_behaviour, recorded_behaviour
from tradecore_api.config.journal_table import JournalTable
from tradecore_api.config.tables import (
    Config,
    ConfigTables,
    DecisionTable,
)
from tradecore_api.summary import RunSummary, summarize
from tradecore_api.version import VERSION
from tradecore_api.wiring import snapshots
from tradecore_api.wiring.arming import Armed
from tradecore_api.wiring.calendars import recorded_calendars, span_of_feed, with_calendars
from tradecore_api.wiring.engines import build_engine
from tradecore_api.wiring.feeds import build_feed, feed_identity
from tradecore_api.wiring.live_links import Venues, check_needs, links, watched_spec
from tradecore_api.wiring.past import with_past
from tradecore_api.wiring.snapshots import Found, Start
from tradecore_api.wiring.strategies import recorded_strategies, strategies


class Opened(msgspec.Struct, frozen=True):
    """A session, and what was carried over to its journal when it was opened; `None` for nothing."""

    session: Session
    carried: CarriedOver | None = None


def open_session(
    config: Config,
    folder: JournalFolder,
    *,
    is_new_journal: bool = False,
    is_carry_over: bool = False,
    notifiers: Callable[[Engine], Sequence[Notifier]] = lambda _: (),
    venues: Venues | None = None,
    armed: Armed | None = None,
) -> Opened:
    """Open the journal, bring a fresh engine to its end, and return the session that goes on from there.

    Parameters
    ----------
    config : Config
        What to run.
    folder : JournalFolder
        Where its journal is, or is to be.
    is_new_journal : bool
        Set an existing journal aside and start afresh.
    is_carry_over : bool
        Where an existing journal does not go on with this configuration, these strategies or this behaviour,
        begin a new one with its account.
    notifiers : callable
        Makes those who are told, for an engine that is where it goes on.
    venues : mapping of str to Venue, optional
        Where the orders of a configuration in live mode go, by the names of the accounts; the session closes
        them.
    armed : Armed, optional
        The proof that it is armed; its code is looked at again once it is loaded.

    Raises
    ------
    ConfigError, StorageError, BrokenInvariantError
        When settings, journal or replay say no; the journal is closed again, unchanged.
    FencedError
        When an account is to be carried over that another engine has taken over since.
    """
    carried: CarriedOver | None = None
    venues = venues or {}
    if is_carry_over and not is_new_journal and folder.exists() and (recorded := recorded_config(folder)):
        is_fresh = recorded_behaviour(recorded) != BEHAVIOUR_VERSION
        start = _start(config, folder, is_fresh=is_fresh, venues=venues, armed=armed)
        changed = [_told(*change) for change in start.identity.changes_since(recorded).items()]
        if folder.lacks_market_events():
            changed.append("the journal before it lost old market events, and replays no more")
        if changed:
            carried = _carried(config, folder, changed, venues, armed)
    try:
        session = _open(
            config,
            folder,
            is_new_journal=is_new_journal,
            notifiers=notifiers,
            venues=venues,
            armed=armed,
        )
    except DivergenceError as error:
        if not is_carry_over or carried is not None:
            raise
        changed = [f"code of a strategy or of the engine: {error.where}"]
        carried = _carried(config, folder, changed, venues, armed)
        session = _open(config, folder, is_new_journal=False, notifiers=notifiers, venues=venues, armed=armed)
    return Opened(session, carried)


def _told(key: str, words: str) -> str:
    """Return what is said of a setting that has changed; of cash that it counts for nothing."""
    is_cash = key.startswith("engine.account") and ".cash" in key
    return f"{words} (not used: the account keeps its cash)" if is_cash else words


def _start(
    config: Config, folder: JournalFolder, *, is_fresh: bool, venues: Venues, armed: Armed | None
) -> Start:
    """Return the engine that is to be started, and how its journal names it."""
    built = strategies(config)
    if armed is not None:
        armed.require_code()
    spec = with_calendars(
        config,
        watched_spec(config, venues),
        lambda: span_of_feed(config),
        recorded=lambda: {} if is_fresh else recorded_calendars(folder),
    )
    engine = build_engine(config, spec, built.bindings, is_recording=True)
    identity = SessionConfig(
        engine=engine.spec,
        strategies=built.names,
        feed=feed_identity(config),
        gates=config.tables.decision.gates,
        arming=UNSET if armed is None else armed.by,
    )
    return Start(engine, identity)


def _carried(
    config: Config, folder: JournalFolder, changed: Sequence[str], venues: Venues, armed: Armed | None
) -> CarriedOver:
    start = _start(config, folder, is_fresh=True, venues=venues, armed=armed)
    known = last_epochs(folder) if venues else {}
    epochs = {
        name: venue.fence.carried(known.get(name, ()))
        for name, venue in venues.items()
        if isinstance(venue, FencedVenue)
    }
    identity = msgspec.structs.replace(start.identity, epochs=epochs or UNSET)
    return carry_over(folder, identity, VERSION, changed)


def _open(
    config: Config,
    folder: JournalFolder,
    *,
    is_new_journal: bool,
    notifiers: Callable[[Engine], Sequence[Notifier]],
    venues: Venues,
    armed: Armed | None,
) -> Session:
    known = Found()
    if folder.exists() and not is_new_journal:
        known = snapshots.found(config, folder)
        if not known.snapshots:
            # First of all, and before a torn tail is cut off: such a journal stays as it is.
            with snapshots.telling(known.passed_over):
                check_recorded_behaviour(folder, GO_ON)
    started = partial(_start, config, folder, is_fresh=is_new_journal, venues=venues, armed=armed)
    start = started()
    check_needs(config, start.engine.strategies, venues)
    clock = SystemClock()
    feed, is_live = build_feed(config, clock)
    if is_new_journal:
        folder.set_aside()
    # Recorded and simulated runs must not depend on when they ran.
    created_ns = clock.now_ns() if is_live else 0
    journal = folder.writer(created_ns, segments_of(config.tables.journal), from_seq=known.from_seq)
    recovered: Recovered | None = None
    try:
        if journal.records:
            start, recovered = snapshots.brought_to_end(config, folder, started, start, known)
    except BaseException:
        journal.close()
        raise
    engine, identity = start.engine, start.identity
    if recovered is not None and recovered.feed_from_ns is not None:
        # What was before, the account has lived through with another feed.
        feed = LaterFeed(feed, recovered.feed_from_ns)
    tables = config.tables
    if tables.history is not None:
        feed = with_past(config, tables.history, feed, clock, engine, recovered)
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
            has_past=tables.history is not None,
            commit_interval_seconds=tables.journal.commit_interval_ms / 1e3,
            clock_interval_seconds=tables.daemon.clock_interval_ms / 1e3,
        ),
        outside=links(config, folder, venues),
        keeper=snapshots.keeper_of(config, folder),
    )


def segments_of(table: JournalTable) -> Segments:
    """Return when a journal goes on in a new file and what room is kept for it, as its table says."""
    return Segments(
        bytes_max=table.segment_mb << 20,
        span_ns=table.segment_hours * 3_600_000_000_000,
        packs=table.pack,
        reserve_bytes=table.reserve_mb << 20,
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
