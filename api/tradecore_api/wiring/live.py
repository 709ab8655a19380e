"""The venue that orders go to in live mode."""

import hashlib
import sys

import msgspec

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.spec import HedgedMargin, Positions
from tradecore.domain.units import Units
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_keys import QueryKey, TradingKey
from tradecore.ports.venue import Venue
from tradecore.ports.venue_queries import VenueQueries
from tradecore.runtime import SystemClock
from tradecore.runtime.live.account_venue import AccountQueries, AccountVenue
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.budget import Budget, BudgetRules, RequestBudget
from tradecore.runtime.live.drop_copy_line import DropCopyLine, DropCopySettings
from tradecore.runtime.live.fence import Fence
from tradecore.runtime.live.fenced_venue import FencedVenue, SigningClock
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import ReportTimes, Retries, RetryPolicy
from tradecore.runtime.live.shared_budget import SharedBudget
from tradecore.runtime.live.start_report import ReportKey
from tradecore_api.config.retry_tables import RetryTable
from tradecore_api.config.tables import Config, DeadManOnStop, Foreign, LiveTable, ShortLookback
from tradecore_api.external_strategy import EXTERNAL
from tradecore_api.state_dir import shared_file
from tradecore_api.wiring.arming import Armed, require_armed
from tradecore_api.wiring.hosts import place_of
from tradecore_api.wiring.live_accounts import LiveAccount, accounts_of
from tradecore_api.wiring.live_keys import known_query_url, live_key
from tradecore_api.wiring.secrets import secrets_of, venue_url

_MS = 1_000_000
# A second reader that waits longer than it looks again is none.
_COPY_TIMEOUT_MS_MAX = 5_000


async def open_venue(armed: Armed, account: LiveAccount | None = None, fence: Fence | None = None) -> Venue:
    """Connect to the venue of a live account, with the key that trades; without one to that of the first.

    It is behind a fence, where there is one.

    Raises
    ------
    ConfigError
        When its keys cannot be read, or it does not have an instrument as the configuration says.
    InvalidValueError
        When it is called without the proof that the configuration is armed.
    VenueError
        When it does not answer.
    """
    from tradecore_local.client import LocalVenue

    require_armed(armed)
    config = armed.config
    at = account or accounts_of(config)[0]
    key = live_key(config, at.live, TradingKey)
    clock = SigningClock(SystemClock())
    try:
        venue = await LocalVenue.connect(venue_url(config, at.live), key, at.instruments, clock)
    except InvalidValueError as error:
        raise ConfigError(config.source, f"instruments.{error.field}", error.value, error.rule) from error
    ours: Venue = venue if at.is_only else AccountVenue(venue, at.part.instruments)
    return ours if fence is None else FencedVenue(ours, fence, SystemClock(), clock)


async def open_queries(config: Config, account: LiveAccount, where: str | None = None) -> VenueQueries:
    """Connect to the venue of an account with the key that can only ask; raises as `open_venue` does.

    `where` is another endpoint of it.
    """
    from tradecore_local.queries import LocalVenueQueries

    url, key = where or venue_url(config, account.live), live_key(config, account.live, QueryKey)
    try:
        venue = await LocalVenueQueries.connect(url, key, account.instruments, SystemClock())
    except InvalidValueError as error:
        raise ConfigError(config.source, f"instruments.{error.field}", error.value, error.rule) from error
    return venue if account.is_only else AccountQueries(venue, account.part.instruments)


def drop_copy(config: Config, account: LiveAccount, units: Units) -> DropCopyLine | None:
    """Return the second reader of an account; `None` where there is none.

    Raises
    ------
    ConfigError
        When it is asked for, and there is no key that can only ask; when its endpoint is at a host that is
        not known.
    """
    live = account.live
    if live.drop_copy.enabled is False:
        return None
    try:
        live_key(config, live, QueryKey)
    except ConfigError as error:
        if not live.drop_copy.enabled:
            return None
        key = f"{config.key_of(live)}.drop_copy.enabled"
        rule = f"needs a key that can only ask, beside the one that trades: {error}"
        raise ConfigError(config.source_of(key), key, live.drop_copy.enabled, rule) from error
    settings = DropCopySettings(
        interval_seconds=live.drop_copy.interval_ms / 1e3,
        answer_seconds_max=min(live.answer_timeout_ms, _COPY_TIMEOUT_MS_MAX) / 1e3,
    )
    where = known_query_url(config, live)
    return DropCopyLine(lambda: open_queries(config, account, where), units, account.part, settings)


def report_key(config: Config, live: LiveTable | None = None) -> ReportKey:
    """Return the key that signs start reports: made of the account's key to trade, and of no other use.

    Raises
    ------
    ConfigError
        When the keys cannot be read.
    """
    key = live_key(config, live or accounts_of(config)[0].live, TradingKey)
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
    named = f"{place_of(venue_url(config, live))} {secrets_of(config, live).account}"
    digest = hashlib.sha256(named.encode()).hexdigest()[:16]
    return SharedBudget(shared_file(f"{live.venue.value}-{digest}.budget"), rules)


def link_settings(config: Config, live: LiveTable, capabilities: VenueCapabilities) -> LinkSettings:
    """Return how long the line to the venue waits.

    Raises
    ------
    ConfigError
        When a time is set for a kind of order that the venue does not have, or when positions at the account
        there are not of the kind that the configuration says.
    """
    _check_positions(config, live, capabilities)
    for kind, value in live.report_timeouts_ms.items():
        if kind not in capabilities.order_kinds:
            key = f"{config.key_of(live)}.report_timeouts_ms.{kind}"
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
        dead_man_ns=live.dead_man_ms * _MS,
        keeps_dead_man=live.dead_man_on_stop is DeadManOnStop.KEEP,
    )


def _check_positions(config: Config, live: LiveTable, capabilities: VenueCapabilities) -> None:
    """Refuse an account whose positions are not as the engine books them: fills would be booked wrongly."""
    at_venue = Positions.HEDGING if capabilities.hedging else Positions.NETTING
    of_others = [each for each in config.tables.accounts if each.live is live]
    account, of_other, _ = config.key_of(live).rpartition(".")
    booked = of_others[0].positions if of_others else config.tables.account.positions
    if booked is not at_venue:
        key = f"{account if of_other else 'account'}.positions"
        raise ConfigError(
            config.source_of(key),
            key,
            booked.value,
            f"must be {at_venue.value}, as the account at the venue is; where the venue lets you choose, "
            "you may switch the account there instead, while it is flat",
        )
    if booked is Positions.HEDGING and (lacking := _lacking_for_tickets(capabilities)):
        key = f"{account if of_other else 'account'}.positions"
        rule = f"must be netting at a venue that {lacking}: an order would open several tickets there"
        raise ConfigError(config.source_of(key), key, booked.value, rule)
    margin = of_others[0].hedged_margin if of_others else config.tables.account.hedged_margin
    if margin is HedgedMargin.LARGER and capabilities.hedged_margin is HedgedMargin.BOTH:
        key = f"{account if of_other else 'account'}.hedged_margin"
        rule = "must be both at a venue that asks margin for both sides: it would refuse what passes here"
        raise ConfigError(config.source_of(key), key, margin.value, rule)


def _lacking_for_tickets(can: VenueCapabilities) -> str:
    """Say why one order could open two tickets at a venue; empty where it cannot."""
    if can.duplicate_ids is not DuplicateIds.REFUSED:
        return "may take an order twice"
    return "" if can.replaces else "amends no orders, so that they are sent anew"


def _owners(config: Config, live: LiveTable, capabilities: VenueCapabilities) -> Owners:
    """Return whose it is what others make at the account; that the names are known was checked."""
    symbols = [each.symbol for each in config.tables.instruments]
    names = [each.name for each in config.strategies]
    owners = Owners(
        assigned={symbols.index(symbol): names.index(name) for symbol, name in live.assign.items()},
        rest=names.index(EXTERNAL) if live.foreign is Foreign.ADOPT else None,
    )
    if owners.takes_any and capabilities.duplicate_ids is DuplicateIds.NONE:
        name = "foreign" if live.foreign is Foreign.ADOPT else "assign"
        key, value = f"{config.key_of(live)}.{name}", msgspec.to_builtins(getattr(live, name))
        rule = (
            "the venue knows no ids of clients, so that nobody can tell whose an order is: report them only"
        )
        raise ConfigError(config.source_of(key), key, value, rule)
    return owners


def _policy(table: RetryTable) -> RetryPolicy:
    return RetryPolicy(
        tries_max=table.tries, first_ns=table.first_wait_ms * _MS, most_ns=table.longest_wait_ms * _MS
    )
