"""The comparison of a journal with the venue of a live configuration."""

from contextlib import closing

import msgspec

from tradecore.domain.errors import ConfigError, VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import Mode
from tradecore.domain.units import Units
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.comparison import Comparer, Comparison
from tradecore.runtime.live.journal_books import JournalFollower
from tradecore.runtime.live.journal_money import JournalMoney
from tradecore.runtime.live.record_accounts import of_account
from tradecore.runtime.recovery import last_epochs, recorded_config
from tradecore.runtime.session_config import SessionConfig
from tradecore_api.config.tables import Config
from tradecore_api.wiring.live import open_queries, shared_budget
from tradecore_api.wiring.live_accounts import LiveAccount, accounts_of

# Of an account that was not compared.
_UNKNOWN = Comparison(
    findings=(),
    troubles=(),
    venue_time_ns=0,
    fills_since_ns=0,
    open_orders=0,
    venue_open_orders=0,
    positions={},
    balances=(),
)


async def compare(config: Config, folder: JournalFolder) -> dict[str, Comparison]:
    """Ask venues and journal, and return what they do not agree on by the names of accounts; changes neither.

    An engine may be writing the journal. Without a journal the books are empty. Where there are several
    accounts, one whose venue does not answer is undecided, and hides no other.

    Raises
    ------
    ConfigError
        When the configuration or the journal is of another mode than live, or names no venue.
    StorageError
        When the journal cannot be read.
    VenueError
        When the venue of the only account does not answer.
    """
    if config.tables.mode is not Mode.LIVE:
        rule = 'has no venue outside to be compared with: reconcile needs mode = "live"'
        raise ConfigError(config.source_of("mode"), "mode", config.tables.mode.value, rule)
    recorded = _recorded(folder)
    spec, names = (config.engine_spec(), []) if recorded is None else (recorded.engine, recorded.names)
    units = Units(spec, names)
    has_journal = recorded is not None
    found = {}
    for account in accounts_of(config, spec):
        try:
            compared = await _compared(config, folder, account, units, has_journal=has_journal)
        except VenueError as error:
            if account.is_only:
                raise
            compared = msgspec.structs.replace(_UNKNOWN, troubles=(f"its venue does not answer: {error}",))
        found[account.part.name] = compared
    return found


async def _compared(
    config: Config, folder: JournalFolder, account: LiveAccount, units: Units, *, has_journal: bool
) -> Comparison:
    """Compare one account."""
    live, part = account.live, account.part
    money = JournalMoney(units.spec, units)
    renews_amended = has_journal and part.name in units.spec.renews_amended
    venue = await open_queries(config, account)
    try:
        follower = JournalFollower(
            folder,
            money,
            of_account(part, units.parts),
            renews_amended=renews_amended,
            hedges=venue.capabilities.hedging,
        )
        with closing(shared_budget(config, live, venue.capabilities)) as budget:
            comparer = Comparer(
                venue,
                follower.catch_up,
                follower.books,
                ids=_ids(folder, account) if has_journal else None,
                units=units,
                budget=budget,
                part=part,
            )
            return await comparer.compared()
    finally:
        await venue.aclose()


def _ids(folder: JournalFolder, account: LiveAccount) -> ClientIds:
    """Return how the orders of an account are named in a journal; an old one knows no epochs."""
    known = last_epochs(folder).get(account.part.name)
    return ClientIds(known or account.live.epoch, folder.first_hash())


def _recorded(folder: JournalFolder) -> SessionConfig | None:
    """Return what a journal names as its configuration; `None` where there is no journal yet."""
    if not folder.exists() or not (found := recorded_config(folder)):
        return None
    try:
        recorded = SessionConfig.decoded(found)
    except msgspec.ValidationError as error:
        rule = (
            f"the configuration in its first record cannot be read ({error}): use the version that wrote it"
        )
        raise ConfigError(folder.where, "session", None, rule) from error
    if recorded.engine.mode is not Mode.LIVE:
        rule = "is the mode that wrote this journal: its orders never left. Name the journal of the live run"
        raise ConfigError(folder.where, "mode", recorded.engine.mode.value, rule)
    return recorded
