"""The keys of a live account; none is read for a host that is not known."""

from typing import TypeVar

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.spec import Mode
from tradecore.domain.venue_keys import StoredKey, TradingKey
from tradecore.runtime.keys import key_of
from tradecore_api.config.tables import Config, LiveTable
from tradecore_api.wiring.hosts import require_known
from tradecore_api.wiring.secrets import query_url, secrets_of, venue_url

_KeyT = TypeVar("_KeyT", bound=StoredKey)


def live_key(config: Config, live: LiveTable, kind: type[_KeyT]) -> _KeyT:
    """Return a key of a live configuration, from where it says that its secrets come from.

    The host of the venue is looked at first, and the key that trades is for live mode alone.

    Raises
    ------
    ConfigError
        When the host is not known, or the key is not there or is none.
    """
    if kind is TradingKey and config.tables.mode is not Mode.LIVE:
        mode = config.tables.mode.value
        rule = f"reads no key that trades: that is for live mode, and this configuration is of {mode} mode"
        raise ConfigError(config.source_of("mode"), "mode", mode, rule)
    require_known(config, live, venue_url(config, live))
    secrets = secrets_of(config, live)
    try:
        return key_of(secrets.store, kind, secrets.account)
    except InvalidValueError as error:
        named = f"{config.key_of(live)}.account"
        raise ConfigError(config.source_of(named), named, live.account, error.rule) from error


def known_query_url(config: Config, live: LiveTable) -> str:
    """Return where who only asks is answered; its host is known, as that of the venue is.

    Raises
    ------
    ConfigError
        When nothing says where that is, or the host is not known.
    """
    url = query_url(config, live)
    require_known(config, live, url, None if live.drop_copy.url is None else "drop_copy.url")
    return url
