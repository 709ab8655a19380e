"""The venue that orders go to in live mode."""

import hashlib
import sys
from collections.abc import Sequence
from typing import TypeVar

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.spec import InstrumentSpec, Positions
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_keys import QueryKey, StoredKey, TradingKey
from tradecore.ports.venue import Venue
from tradecore.ports.venue_queries import VenueQueries
from tradecore.runtime import SystemClock
from tradecore.runtime.keys import key_of
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.budget import Budget, BudgetRules, RequestBudget
from tradecore.runtime.live.retries import ReportTimes, Retries, RetryPolicy
from tradecore.runtime.live.shared_budget import SharedBudget
from tradecore.runtime.live.start_report import ReportKey
from tradecore.runtime.live.venue_link import LinkSettings
from tradecore_api.config.tables import Config, Foreign, LiveTable, RetryTable, ShortLookback
from tradecore_api.external_strategy import EXTERNAL
from tradecore_api.state_dir import shared_file
from tradecore_api.wiring.secrets import secrets_of, venue_url

_MS = 1_000_000
_KeyT = TypeVar("_KeyT", bound=StoredKey)


def live_of(config: Config) -> LiveTable:
    """Return `[live]` of a configuration; raises `ConfigError` when there is none."""
    live = config.tables.live
    if live is None:
        raise ConfigError(config.source, "live", None, 'is missing: mode = "live" needs a venue')
    return live


async def open_venue(config: Config) -> Venue:
    """Connect to the venue of a configuration in live mode, with the key that trades.

    Raises
    ------
    ConfigError
        When its keys cannot be read, or it does not have an instrument as the configuration says.
    VenueError
        When it does not answer.
    """
    from tradecore_local.client import LocalVenue

    live = live_of(config)
    key = live_key(config, live, TradingKey)
    try:
        return await LocalVenue.connect(
            venue_url(config, live), key, config.tables.instruments, SystemClock()
        )
    except InvalidValueError as error:
        raise ConfigError(config.source, f"instruments.{error.field}", error.value, error.rule) from error


async def open_queries(config: Config, instruments: Sequence[InstrumentSpec] | None = None) -> VenueQueries:
    """Connect to the venue of a configuration with the key that can only ask; raises as `open_venue` does.

    `instruments` are those of the journal, where it is not for the configuration to say.
    """
    from tradecore_local.queries import LocalVenueQueries

    live = live_of(config)
    key = live_key(config, live, QueryKey)
    known = config.tables.instruments if instruments is None else instruments
    try:
        return await LocalVenueQueries.connect(venue_url(config, live), key, known, SystemClock())
    except InvalidValueError as error:
        raise ConfigError(config.source, f"instruments.{error.field}", error.value, error.rule) from error


def report_key(config: Config) -> ReportKey:
    """Return the key that signs start reports: made of the account's key to trade, and of no other use.

    Raises
    ------
    ConfigError
        When the keys cannot be read.
    """
    key = live_key(config, live_of(config), TradingKey)
    return ReportKey.of(key.key_id, key.secret)


def shared_budget(config: Config, live: LiveTable, capabilities: VenueCapabilities) -> Budget:
    """Return the budget of requests that all processes of this machine share at one account of a venue.

    Those that only ask have another key. Some venues count by account or address, and nobody is worse off
    where one counts by key.

    Raises
    ------
    ConfigError, StorageError
        When the keys cannot be read, or the file of the budget not be opened.
    """
    rules = BudgetRules.of(capabilities)
    if not rules.has_limit or sys.platform == "win32":
        return RequestBudget(rules)
    named = f"{venue_url(config, live)} {secrets_of(config, live).account}"
    digest = hashlib.sha256(named.encode()).hexdigest()[:16]
    return SharedBudget(shared_file(f"{live.venue.value}-{digest}.budget"), rules)


def live_key(config: Config, live: LiveTable, kind: type[_KeyT]) -> _KeyT:
    """Return a key of a live configuration, from where it says that its secrets come from.

    Raises
    ------
    ConfigError
        When it is not there, or is none.
    """
    secrets = secrets_of(config, live)
    try:
        return key_of(secrets.store, kind, secrets.account)
    except InvalidValueError as error:
        raise ConfigError(
            config.source_of("live.account"), "live.account", live.account, error.rule
        ) from error


def link_settings(config: Config, live: LiveTable, capabilities: VenueCapabilities) -> LinkSettings:
    """Return how long the line to the venue waits.

    Raises
    ------
    ConfigError
        When a time is set for a kind of order that the venue does not have, or when positions at the account
        there are not of the kind that the configuration says.
    """
    _check_positions(config, capabilities)
    for kind, value in live.report_timeouts_ms.items():
        if kind not in capabilities.order_kinds:
            key = f"live.report_timeouts_ms.{kind}"
            rule = f"must be of a kind of order of the venue: {', '.join(sorted(capabilities.order_kinds))}"
            raise ConfigError(config.source_of(key), key, value, rule)
    return LinkSettings(
        answer_seconds_max=live.answer_timeout_ms / 1e3,
        report_times=ReportTimes(
            default_ns=live.report_timeout_ms * _MS,
            by_kind={kind: value * _MS for kind, value in live.report_timeouts_ms.items()},
        ),
        retries=Retries(
            placement=_policy(live.retries.placement),
            modification=_policy(live.retries.modification),
            data=_policy(live.retries.data),
        ),
        query_seconds_max=live.answer_timeout_ms / 1e3,
        check_seconds=live.check_interval_ms / 1e3,
        takes_short_lookback=live.short_lookback is ShortLookback.ACCEPT,
        epoch=live.epoch,
        owners=_owners(config, live, capabilities),
    )


def _check_positions(config: Config, capabilities: VenueCapabilities) -> None:
    """Refuse an account whose positions are not as the engine books them: fills would be booked wrongly."""
    at_venue = Positions.HEDGING if capabilities.hedging else Positions.NETTING
    booked = config.tables.account.positions
    if booked is not at_venue:
        raise ConfigError(
            config.source_of("account.positions"),
            "account.positions",
            booked.value,
            f"must be {at_venue.value}, as the account at the venue is; where the venue lets you choose, "
            "switch the account there (an engine trades live on an account that is netting so far)",
        )


def _owners(config: Config, live: LiveTable, capabilities: VenueCapabilities) -> Owners:
    """Return whose it is what others make at the account; that the names are known was checked."""
    symbols = [each.symbol for each in config.tables.instruments]
    names = [each.name for each in config.strategies]
    owners = Owners(
        assigned={symbols.index(symbol): names.index(name) for symbol, name in live.assign.items()},
        rest=names.index(EXTERNAL) if live.foreign is Foreign.ADOPT else None,
    )
    if owners.takes_any and capabilities.duplicate_ids is DuplicateIds.NONE:
        key = "live.foreign" if live.foreign is Foreign.ADOPT else "live.assign"
        rule = (
            "the venue knows no ids of clients, so that nobody can tell whose an order is: report them only"
        )
        raise ConfigError(config.source_of(key), key, live.foreign.value, rule)
    return owners


def _policy(table: RetryTable) -> RetryPolicy:
    return RetryPolicy(
        tries_max=table.tries, first_ns=table.first_wait_ms * _MS, most_ns=table.longest_wait_ms * _MS
    )
