"""The local venue: its settings and faults from files, keys for it, and the server."""

import json
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TypeVar

import msgspec

from tradecore.domain.errors import ConfigError, InvalidValueError, StorageError, VenueError
from tradecore.domain.secret import Secret
from tradecore.domain.unreadable import UNREADABLE
from tradecore.runtime import SystemClock
from tradecore.testkit.local_venue import FaultScript, Right, VenueSettings
from tradecore.testkit.local_venue.comparison import Truth

_FILE_BYTES_MAX = 1 << 20
_TRUTH = "/truth"
_PROCESS = "/truth/process"
_TRUTH_SECONDS_MAX = 10.0
_ReadT = TypeVar("_ReadT")


def settings_of(path: str | None, *, seed: int | None, symbols: Sequence[str]) -> VenueSettings:
    """Return the settings of a file, or the built-in ones; of their markets those that are asked for.

    Raises
    ------
    ConfigError
        For what cannot be used, with its file and key.
    """
    settings = VenueSettings() if path is None else _read(path, VenueSettings)
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    if symbols:
        known = {market.instrument.symbol: market for market in settings.markets}
        if unknown := [symbol for symbol in symbols if symbol not in known]:
            raise ConfigError("--instruments", "symbol", unknown[0], f"must be one of {', '.join(known)}")
        chosen = tuple(known[symbol] for symbol in dict.fromkeys(symbols))
        settings = msgspec.structs.replace(settings, markets=chosen)
    return settings


def script_of(path: str | None) -> FaultScript:
    """Return the faults of a file (TOML, or JSON by its ending); none without a file.

    Raises
    ------
    ConfigError
        For what cannot be used, with its file and key.
    """
    return FaultScript() if path is None else _read(path, FaultScript)


class ServedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Names and secrets of the keys of one account, by what they are for."""

    account: str
    keys: dict[Right, tuple[str, Secret]]


def new_keys(settings: VenueSettings) -> list[ServedKeys]:
    """Make new keys for each account: one for each right."""
    return [
        ServedKeys(
            account=account.name,
            keys={right: (f"{account.name}-{right.value}", Secret(secrets.token_hex(32))) for right in Right},
        )
        for account in settings.accounts
    ]


def write_keys(path: str, url: str, served: Sequence[ServedKeys], query_url: str | None = None) -> None:
    """Write keys to a file that only its owner can read; one of the same name is replaced.

    Raises
    ------
    StorageError
        When it cannot be written.
    """
    content = {
        "url": url,
        **({} if query_url is None else {"query_url": query_url}),
        "accounts": {
            each.account: {
                right.value: {"key_id": key_id, "secret": secret.reveal()}
                for right, (key_id, secret) in each.keys.items()
            }
            for each in served
        },
    }
    temporary = f"{path}.new"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, with its mode
            os.fchmod(descriptor, 0o600)
            file.write(json.dumps(content, indent=2) + "\n")
        Path(temporary).replace(path)
    except OSError as error:
        raise StorageError(path, f"keys cannot be written: {error.strerror}; name another --keys") from error


async def serve(
    settings: VenueSettings,
    script: FaultScript,
    served: Sequence[ServedKeys],
    *,
    host: str,
    port: int,
    on_start: Callable[[str, str], Awaitable[None]],
) -> list[tuple[str, int]]:
    """Serve a venue until `on_start` returns, which is called once it listens.

    It gets two URLs: that of the venue, and that of those who only ask.

    Returns
    -------
    list of (str, int)
        What went wrong on purpose, and how often.
    """
    from tradecore_local import Key
    from tradecore_local.server import KeyGrant, LocalVenueServer

    grants = tuple(
        KeyGrant(key=Key(key_id=key_id, secret=secret), account=each.account, rights=frozenset({right}))
        for each in served
        for right, (key_id, secret) in each.keys.items()
    )
    async with LocalVenueServer(
        settings, grants, SystemClock(), script=script, host=host, port=port
    ) as server:
        await on_start(server.url, server.query_url)
        counted: dict[str, int] = {}
        for faults, where in ((server.faults, ""), (server.query_faults, " for who only asks")):
            for seen in faults.seen:
                name = f"{seen.kind.value} at {seen.endpoint.value}{where}"
                counted[name] = counted.get(name, 0) + 1
    return sorted(counted.items())


def truth(keys: Path, account: str) -> Truth:
    """Ask a venue what it did and has; `keys` is the file that it has written.

    Raises
    ------
    VenueError
        When it does not answer, or not with that.
    """
    return _asked(keys, account, _TRUTH, Truth.decoded)


def log_of(path: Path, account: str) -> bytes:
    """Return what a venue did and has: a file that has it, or the answer of the venue of these keys.

    Raises
    ------
    ConfigError
        When the file cannot be read.
    VenueError
        When the venue does not answer.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), "--venue", None, f"cannot be read: {error.strerror}") from error
    try:
        msgspec.json.decode(data, type=_Served)
    except UNREADABLE:
        return data
    return _asked(path, account, _TRUTH, lambda body: body)


def tasks(keys: Path, account: str) -> int:
    """Ask a venue how many tasks its event loop has; `keys` is the file that it has written.

    Raises
    ------
    VenueError
        When it does not answer, or not with that.
    """
    return _asked(keys, account, _PROCESS, lambda body: msgspec.json.decode(body, type=_Process).tasks)


def _asked(keys: Path, account: str, path: str, read: Callable[[bytes], _ReadT]) -> _ReadT:
    """Ask a venue for something with the key for tests, and return it as it is read."""
    from tradecore_local import Key

    try:
        content = msgspec.json.decode(keys.read_bytes(), type=_Served)
        named = content.accounts[account][Right.TRUTH.value]
        key = Key(key_id=named["key_id"], secret=Secret(named["secret"]))
        now_ns = SystemClock().now_ns()
        headers = key.headers("GET", path, b"", time_ns=now_ns, nonce=f"truth-{now_ns}")
        connection = HTTPConnection(content.url.removeprefix("http://"), timeout=_TRUTH_SECONDS_MAX)
        with closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != HTTPStatus.OK:
            raise VenueError(f"the venue does not say what it did: {answer.status} {body[:200]!r}")
        return read(body)
    except (
        OSError,
        HTTPException,
        msgspec.MsgspecError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
    ) as error:
        raise VenueError(f"the venue does not say what it did: {type(error).__name__}: {error}") from error


class _Process(msgspec.Struct, frozen=True):
    tasks: int


class _Served(msgspec.Struct, frozen=True):
    url: str
    accounts: dict[str, dict[str, dict[str, str]]]


def _read(path: str, kind: type[_ReadT]) -> _ReadT:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(path, "file", None, f"cannot be read: {error.strerror}") from error
    if len(content) > _FILE_BYTES_MAX:
        raise ConfigError(path, "file", len(content), f"must have at most {_FILE_BYTES_MAX} bytes")
    decode = msgspec.json.decode if path.endswith(".json") else msgspec.toml.decode
    try:
        return decode(content, type=kind)
    except InvalidValueError as error:
        raise ConfigError(path, error.field, error.value, error.rule) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ConfigError(path, "content", None, f"{error}; see docs/local-venue.md") from error
