"""One engine at an account of a venue: who trades there holds it, as he holds the account of his engine."""

import hashlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tradecore.domain.spec import Mode
from tradecore.domain.venue_keys import TradingKey
from tradecore.runtime.live.fence import AccountHold
from tradecore_api import account_socket
from tradecore_api.config.tables import Config
from tradecore_api.epoch_file import EpochFile
from tradecore_api.instance_lock import ATTEMPT_SECONDS, VenueTakenError, try_lock
from tradecore_api.state_dir import shared_file
from tradecore_api.wiring.hosts import place_of
from tradecore_api.wiring.live_accounts import LiveAccount, accounts_of
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.secrets import venue_url

# Names in the kernel are made from a path: this one is of no state directory, so that all have it in common.
_NOWHERE = Path("/tradecore venue accounts")
# How long the files of a process may take to be closed that was ended to take over from it.
END_SECONDS_MAX = 0.5


@contextmanager
def claimed(config: Config, *, takes_over: bool = False) -> Iterator[dict[str, AccountHold]]:
    """Hold each account of a live configuration at its venue until the block ends; nothing in other modes.

    Two engines at one account, whatever they and their state directories are called, would each take the
    orders and the positions of the other for those of a stranger. An account is known by where its venue
    listens, however its address is written, and by the name of the key that trades. What is held is returned
    by the names of the accounts.

    Parameters
    ----------
    config : Config
        Whose accounts.
    takes_over : bool
        Whether an operator lets this engine go on in the place of another: then a name in the kernel, which
        one has that cannot be ended, is no obstacle.

    Raises
    ------
    VenueTakenError
        When another engine on this machine trades there.
    ConfigError, StorageError
        When the keys cannot be read, or the file of the lock not be opened.
    """
    with ExitStack() as stack:
        holds = {}
        for account in accounts_of(config) if config.tables.mode is Mode.LIVE else ():
            claim = _Claim(_Place.of(config, account), takes_over=takes_over)
            stack.callback(claim.release)
            holds[account.part.name] = AccountHold(
                epoch=claim.file.epoch,
                raise_to=claim.file.raise_to,
                takes_over=takes_over,
                path=str(claim.file.path),
            )
        yield holds


def fence_others(config: Config) -> list[int]:
    """Fence whatever engine trades at the accounts of a live configuration on this machine, durably.

    From here on it sends nothing that was not on its way. Returns the processes that hold an account, as far
    as they can be told.

    Raises
    ------
    ConfigError, StorageError
        When the keys cannot be read, or the epoch not be kept.
    """
    holders = []
    for account in accounts_of(config):
        place = _Place.of(config, account)
        file = EpochFile(place.path)
        try:
            file.raise_to(file.epoch() + 1)
        finally:
            file.close()
        found = account_socket.holder(place.name)
        if found is not None and found.pid is not None:
            holders.append(found.pid)
    return holders


class _Place:
    """How an account of a venue is called on this machine: by a file, and by a name in the kernel."""

    def __init__(self, venue: str, url: str, key_id: str) -> None:
        digest = hashlib.sha256(f"{venue} {place_of(url)} {key_id}".encode()).hexdigest()[:32]
        self.url, self.key_id = url, key_id
        self.name = _NOWHERE / digest
        self.path = shared_file(f"{venue}-{digest}.engine")

    @classmethod
    def of(cls, config: Config, account: LiveAccount) -> "_Place":
        live = account.live
        url = venue_url(config, live).rstrip("/")
        return cls(live.venue.value, url, live_key(config, live, TradingKey).key_id)


class _Claim:
    """Holds one account: by a lock on a file, and by a name in the kernel where there are such names."""

    def __init__(self, place: _Place, *, takes_over: bool) -> None:
        self._listener: socket.socket | None = None
        self.file = EpochFile(place.path)
        is_free = False
        try:
            is_free = self._is_locked(END_SECONDS_MAX if takes_over else 0)
            is_free = is_free and (self._take(place.name) or takes_over)
        finally:
            if not is_free:
                self.release()
        if not is_free:
            found = account_socket.holder(place.name)
            raise VenueTakenError(place.url, place.key_id, None if found is None else found.pid)
        if sys.platform != "win32":
            # A child that a strategy forks is no engine: it must not hold the account after its parent.
            os.register_at_fork(after_in_child=self.release)

    def _is_locked(self, seconds_max: float) -> bool:
        """Lock the file; the files of a process that was ended are closed a moment after it is gone."""
        deadline = time.monotonic() + seconds_max
        while not try_lock(self.file.descriptor, is_exclusive=True):
            if time.monotonic() >= deadline:
                return False
            time.sleep(ATTEMPT_SECONDS)
        return True

    def _take(self, name: Path) -> bool:
        try:
            self._listener = account_socket.taken(name)
        except OSError:
            # Any user may take any name: one of somebody else keeps nobody out.
            return account_socket.holder(name) is None
        return True

    def release(self) -> None:
        """Let go. Calling it twice is harmless."""
        self.file.close()
        if self._listener is not None:
            os.close(self._listener.detach())
            self._listener = None
