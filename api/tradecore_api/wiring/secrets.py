"""Where the secrets of a live configuration come from."""

import functools
from typing import TypeVar

import msgspec

from tradecore.domain.errors import ConfigError
from tradecore.domain.secret import Secret, as_secret
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_keys import QueryKey, TradingKey, WatchdogKey
from tradecore.ports.secret_store import SecretStore
from tradecore_api.config.tables import (
    Config,
    EnvironmentSecretsTable,
    FileSecretsTable,
    LiveTable,
    SystemdSecretsTable,
)
from tradecore_api.config.urls import url_rule

# Under this name the store has the keys of an account that the configuration does not name.
_ACCOUNT = "venue"
# What the venue calls the rights of its keys.
_USES = {"trade": TradingKey, "query": QueryKey, "cancel": WatchdogKey}


class _Key(msgspec.Struct, frozen=True):
    key_id: str
    secret: Secret


class _KeyFileUrl(msgspec.Struct, frozen=True):
    """Of a file of keys nothing but where the venue listens."""

    url: str


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """What `tradecore venue serve --keys FILE` writes."""

    url: str
    accounts: dict[str, dict[str, _Key]]
    query_url: str | None = None


_FileT = TypeVar("_FileT", KeyFile, _KeyFileUrl)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """The store of a live configuration, and what it calls the account."""

    store: SecretStore
    account: str


def secrets_of(config: Config, live: LiveTable) -> Secrets:
    """Return where the keys of a live configuration come from.

    Raises
    ------
    ConfigError
        When its file of keys cannot be used, or does not have the account.
    """
    from tradecore_secrets import FileSecrets, SystemdSecrets

    account = live.account or _ACCOUNT
    match live.secrets:
        case EnvironmentSecretsTable():
            return Secrets(store=_environment(), account=account)
        case FileSecretsTable(path=path):
            key = f"{config.key_of(live)}.secrets.path"
            return Secrets(store=FileSecrets(path, source=config.source_of(key), key=key), account=account)
        case SystemdSecretsTable():
            return Secrets(store=SystemdSecrets(), account=account)
        case None:
            return _secrets_of_venue(config, live)


@functools.cache
def _environment() -> SecretStore:
    """Return the one store of the process: what it took out of the environment is in no other."""
    from tradecore_secrets import EnvironmentSecrets

    return EnvironmentSecrets()


def venue_url(config: Config, live: LiveTable) -> str:
    """Return where the venue listens: as the configuration says, or the file of keys.

    Of that file no key is read.

    Raises
    ------
    ConfigError
        When neither says it, or the file says what is no address.
    """
    if live.url is not None:
        return live.url
    url = _read(config, live, _KeyFileUrl).url
    if (rule := url_rule(url)) is not None:
        key = f"{config.key_of(live)}.keys"
        raise ConfigError(config.source_of(key), key, live.keys, f"has a `url` that {rule}")
    return url


def query_url(config: Config, live: LiveTable) -> str:
    """Return where who only asks is answered; without a word of its own where the venue listens.

    Raises
    ------
    ConfigError
        When nothing says where that is.
    """
    if live.drop_copy.url is not None:
        return live.drop_copy.url
    own = None if live.url is not None or live.keys is None else key_file(config, live).query_url
    return own or venue_url(config, live)


def key_file(config: Config, live: LiveTable) -> KeyFile:
    """Read the file of keys of a local venue, which nobody but its owner may read.

    Raises
    ------
    ConfigError
        When there is none, it cannot be read, is readable by others or is no file of keys.
    """
    return _read(config, live, KeyFile)


def _read(config: Config, live: LiveTable, kind: type[_FileT]) -> _FileT:
    from tradecore_secrets import private_bytes

    key = f"{config.key_of(live)}.keys"
    source = config.source_of(key)
    if live.keys is None:
        raise ConfigError(source, key, None, "is missing: name the file that `tradecore venue serve` writes")
    found = _decoded(private_bytes(live.keys, source=source, key=key), kind)
    if found is None:
        raise ConfigError(source, key, live.keys, "is no file of keys of a local venue")
    return found


def _decoded(content: bytes, kind: type[_FileT]) -> _FileT | None:
    """Read keys; what a decoder raises ends here, as it may have a part of a secret."""
    try:
        return msgspec.json.decode(content, type=kind, dec_hook=as_secret)
    except UNREADABLE:
        return None


def _secrets_of_venue(config: Config, live: LiveTable) -> Secrets:
    """Return the keys of an account in a file of the local venue, by what they are for."""
    from tradecore_secrets import HeldSecrets

    accounts = key_file(config, live).accounts
    name = next(iter(accounts)) if live.account is None and len(accounts) == 1 else live.account
    if name is None or name not in accounts:
        known = ", ".join(accounts) or "it has none"
        rule = f"must name an account of {live.keys}: {known}"
        key = f"{config.key_of(live)}.account"
        raise ConfigError(config.source_of(key), key, live.account, rule)
    held = {
        kind.secret_name(_ACCOUNT): Secret(
            msgspec.json.encode({"key_id": key.key_id, "secret": key.secret.reveal()}).decode()
        )
        for right, key in accounts[name].items()
        if (kind := _USES.get(right)) is not None
    }
    return Secrets(store=HeldSecrets(held, str(live.keys)), account=_ACCOUNT)
