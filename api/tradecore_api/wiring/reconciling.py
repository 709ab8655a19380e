"""The comparison of a journal with the venue of a live configuration."""

from contextlib import closing

import msgspec

from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import Mode
from tradecore.domain.units import Units
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.comparison import Comparer, Comparison
from tradecore.runtime.live.journal_books import JournalFollower
from tradecore.runtime.live.journal_money import JournalMoney
from tradecore.runtime.recovery import recorded_config
from tradecore.runtime.session_config import SessionConfig
from tradecore_api.config.tables import Config
from tradecore_api.wiring.live import live_of, open_queries, shared_budget


async def compare(config: Config, folder: JournalFolder) -> Comparison:
    """Ask the venue and the journal, and return what they do not agree on; changes neither.

    An engine may be writing the journal. Without a journal the books are empty.

    Raises
    ------
    ConfigError
        When the configuration or the journal is of another mode than live, or names no venue.
    StorageError
        When the journal cannot be read.
    VenueError
        When the venue does not answer.
    """
    if config.tables.mode is not Mode.LIVE:
        rule = 'has no venue outside to be compared with: reconcile needs mode = "live"'
        raise ConfigError(config.source_of("mode"), "mode", config.tables.mode.value, rule)
    recorded = _recorded(folder)
    spec, names = (config.engine_spec(), []) if recorded is None else (recorded.engine, recorded.names)
    live = live_of(config)
    units = Units(spec, names)
    follower = JournalFollower(
        folder, JournalMoney(spec, units), renews_amended=recorded is not None and spec.renews_amended
    )
    venue = await open_queries(config, spec.instruments)
    try:
        with closing(shared_budget(config, live, venue.capabilities)) as budget:
            comparer = Comparer(
                venue,
                follower.catch_up,
                follower.books,
                ids=None if recorded is None else ClientIds(live.epoch, folder.first_hash()),
                units=units,
                budget=budget,
            )
            return await comparer.compared()
    finally:
        await venue.aclose()


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
