"""What a watchdog reaches the venues of a live configuration with: keys that can only cancel and ask."""

import secrets
from collections.abc import Awaitable, Callable

from tradecore.domain.errors import ConfigError, InvalidValueError, StorageError
from tradecore.domain.spec import Mode
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_keys import WatchdogKey
from tradecore.ports.venue_cancels import VenueCancels
from tradecore.runtime import SystemClock
from tradecore.runtime.live.budget import Budget, BudgetRules, RequestBudget
from tradecore.runtime.live.orphans import Orphans
from tradecore_api.config.process_tables import WatchdogCancels
from tradecore_api.config.tables import Config, LiveTable
from tradecore_api.watchdog.watching import Owners
from tradecore_api.wiring.live import shared_budget
from tradecore_api.wiring.live_accounts import LiveAccount, accounts_of
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.secrets import venue_url

# A request that takes longer is tried again: an engine that is gone leaves no time to wait.
_ANSWER_SECONDS_MAX = 1.5
_RANDOM = secrets.SystemRandom()


def orphans_of(config: Config, owners: Owners) -> dict[str, Orphans]:
    """Return what ends the orders of an engine that is gone, by account; it connects when it has to.

    Raises
    ------
    ConfigError
        When the configuration is of another mode than live, or an account has no venue or no key of a
        watchdog.
    """
    if config.tables.mode is not Mode.LIVE:
        rule = 'has no venue outside where orders could be left: a watchdog needs mode = "live"'
        raise ConfigError(config.source_of("mode"), "mode", config.tables.mode.value, rule)
    found = {}
    for account in accounts_of(config):
        live_key(config, account.live, WatchdogKey)
        found[account.part.name] = Orphans(
            _connecting(config, account),
            _budgeting(config, account.live),
            owners.owns(account.part.name),
            SystemClock(),
            _RANDOM.random,
        )
    return found


def _connecting(config: Config, account: LiveAccount) -> Callable[[], Awaitable[VenueCancels]]:
    async def connect() -> VenueCancels:
        from tradecore_local.cancels import LocalVenueCancels

        # Read each time: a venue that was started anew may have new keys.
        url, key = venue_url(config, account.live), live_key(config, account.live, WatchdogKey)
        try:
            venue = await LocalVenueCancels.connect(
                url, key, account.instruments, SystemClock(), timeout_seconds=_ANSWER_SECONDS_MAX
            )
        except InvalidValueError as error:
            raise ConfigError(config.source, f"instruments.{error.field}", error.value, error.rule) from error
        if (
            venue.capabilities.duplicate_ids is DuplicateIds.NONE
            and config.tables.watchdog.cancels is WatchdogCancels.OWN
        ):
            await venue.aclose()
            rule = (
                "the venue knows no ids of clients, so that nobody can tell whose an order is: "
                'a watchdog can only end all of the account (watchdog.cancels = "account")'
            )
            key_name = "watchdog.cancels"
            raise ConfigError(config.source_of(key_name), key_name, WatchdogCancels.OWN.value, rule)
        return venue

    return connect


def _budgeting(config: Config, live: LiveTable) -> Callable[[VenueCapabilities], Budget]:
    def budget_of(capabilities: VenueCapabilities) -> Budget:
        try:
            return shared_budget(config, live, capabilities)
        except StorageError:
            # A disk that says no keeps no order alive.
            return RequestBudget(BudgetRules.of(capabilities))

    return budget_of
