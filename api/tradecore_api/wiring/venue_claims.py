"""One engine at an account of a venue: who trades there holds it, as he holds the account of his engine."""

import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradecore.domain.spec import Mode
from tradecore.domain.venue_keys import TradingKey
from tradecore_api import account_socket
from tradecore_api.config.tables import Config
from tradecore_api.instance_lock import VenueTakenError, opened_lock, try_lock
from tradecore_api.state_dir import shared_file
from tradecore_api.wiring.hosts import place_of
from tradecore_api.wiring.live_accounts import accounts_of
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.secrets import venue_url

# Names in the kernel are made from a path: this one is of no state directory, so that all have it in common.
_NOWHERE = Path("/tradecore venue accounts")


@contextmanager
def claimed(config: Config) -> Iterator[None]:
    """Hold each account of a live configuration at its venue until the block ends; nothing in other modes.

    Two engines at one account, whatever they and their state directories are called, would each take the
    orders and the positions of the other for those of a stranger. An account is known by where its venue
    listens, however its address is written, and by the name of the key that trades.

    Raises
    ------
    VenueTakenError
        When another engine on this machine trades there.
    ConfigError, StorageError
        When the keys cannot be read, or the file of the lock not be opened.
    """
    claims: list[_Claim] = []
    try:
        for account in accounts_of(config) if config.tables.mode is Mode.LIVE else ():
            live = account.live
            url = venue_url(config, live).rstrip("/")
            claims.append(_Claim(live.venue.value, url, live_key(config, live, TradingKey).key_id))
        yield
    finally:
        for claim in claims:
            claim.release()


class _Claim:
    """Holds one account: by a lock on a file, and by a name in the kernel where there are such names."""

    def __init__(self, venue: str, url: str, key_id: str) -> None:
        digest = hashlib.sha256(f"{venue} {place_of(url)} {key_id}".encode()).hexdigest()[:32]
        name = _NOWHERE / digest
        self._listener: socket.socket | None = None
        self._descriptor: int | None = opened_lock(shared_file(f"{venue}-{digest}.engine"))
        is_free = False
        try:
            is_free = try_lock(self._descriptor, is_exclusive=True) and self._take(name)
        finally:
            if not is_free:
                self.release()
        if not is_free:
            found = account_socket.holder(name)
            raise VenueTakenError(url, key_id, None if found is None else found.pid)
        if sys.platform != "win32":
            # A child that a strategy forks is no engine: it must not hold the account after its parent.
            os.register_at_fork(after_in_child=self.release)

    def _take(self, name: Path) -> bool:
        try:
            self._listener = account_socket.taken(name)
        except OSError:
            # Any user may take any name: one of somebody else keeps nobody out.
            return account_socket.holder(name) is None
        return True

    def release(self) -> None:
        """Let go. Calling it twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._listener is not None:
            os.close(self._listener.detach())
            self._listener = None
