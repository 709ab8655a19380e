"""Keys out of a store: the type that is asked for decides which secret is read."""

from typing import TypeVar

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.venue_keys import StoredKey
from tradecore.ports.secret_store import SecretStore

KeyT = TypeVar("KeyT", bound=StoredKey)


def key_of(store: SecretStore, kind: type[KeyT], account: str) -> KeyT:
    """Return a key of an account.

    Parameters
    ----------
    store : SecretStore
        Who has it, as `<account>_trading`, `_query` or `_watchdog`.
    kind : type
        `TradingKey`, `QueryKey` or `WatchdogKey`.
    account : str
        Name of the account in the store.

    Raises
    ------
    InvalidValueError
        When the account's name cannot be part of the name of a secret.
    ConfigError
        When the store does not have the key, or what it has is none.
    """
    name = kind.secret_name(account)
    text = store.secret(name)
    try:
        return kind.read(text)
    except InvalidValueError as error:
        raise ConfigError("secret store", name, None, error.rule) from None
