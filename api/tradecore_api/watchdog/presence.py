"""What a running watchdog leaves in the state directory: its lock, and its own heartbeat."""

import os
import time

import msgspec

from tradecore.domain.errors import StorageError, TradecoreError
from tradecore.domain.unreadable import UNREADABLE
from tradecore_api import heartbeat, instance_lock
from tradecore_api.state_dir import NEVER_WAIT, StateDir, read_small, write_atomically

# After so long without a sign of its own a watchdog is taken for gone.
SILENT_SECONDS_MAX = 5.0


class WatchdogRunsError(TradecoreError):
    """Another watchdog watches this account.

    Parameters
    ----------
    account : str
        Name of the account.
    pid : int or None
        Its process, when it could be read.
    """

    def __init__(self, account: str, pid: int | None) -> None:
        super().__init__(
            f"account {account!r} already has a watchdog, pid {pid}; two would ask the venue for the same "
            f"twice. End that one first"
        )


class WatchdogBeat(msgspec.Struct, frozen=True, kw_only=True):
    """The last sign of life of a watchdog.

    Attributes
    ----------
    pid, process_start, time_ns
        As of an engine's heartbeat.
    standing : str
        What it takes the engine for.
    words : str
        What it does, or what is wrong at a venue; empty where it just watches.
    has_ended : bool
        Whether the watchdog itself has ended, and said so.
    """

    pid: int
    time_ns: int
    standing: str
    words: str = ""
    process_start: str = ""
    has_ended: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether its process lives and has said so lately."""
        is_there = heartbeat.is_alive(self.pid) and heartbeat.process_start(self.pid) == self.process_start
        age_seconds = (time.time_ns() - self.time_ns) / 1e9
        return not self.has_ended and is_there and age_seconds <= SILENT_SECONDS_MAX

    def write(self, state: StateDir) -> None:
        """Replace the file in one step; raises `StorageError` when the disk says no."""
        write_atomically(state.watchdog, msgspec.json.encode(self), is_durable=False)


def read(state: StateDir) -> WatchdogBeat | None:
    """Return the last heartbeat of a watchdog, `None` where there is none that can be read."""
    try:
        return msgspec.json.decode(read_small(state.watchdog), type=WatchdogBeat)
    except (OSError, *UNREADABLE):
        return None


def words(state: StateDir) -> str:
    """Say whether a watchdog watches an account, for `status`."""
    beat = read(state)
    if beat is None:
        return "NONE: nobody ends the open orders if this engine dies (`tradecore watchdog CONFIG`)"
    if beat.has_ended:
        return "NONE: it was ended, and nobody ends the open orders if this engine dies"
    if not beat.is_alive:
        gone = "does not answer" if heartbeat.is_alive(beat.pid) else "has died"
        return f"NONE: that of pid {beat.pid} {gone}, and nobody ends the open orders if this engine dies"
    return f"pid {beat.pid} watches" + (f"; {beat.words}" if beat.words else "")


class WatchdogLock:
    """Keeps a second watchdog of an account away; held until `release` or the end of the process.

    Parameters
    ----------
    state : StateDir
        Of the account.
    """

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take it.

        Raises
        ------
        WatchdogRunsError
            When another process has it.
        StorageError
            When it cannot be opened.
        """
        path = self._state.watchdog_lock
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NEVER_WAIT, 0o600)
        except OSError as error:
            raise StorageError(str(path), f"cannot be opened: {error.strerror}") from error
        other = read(self._state)
        # The file of the lock can be removed; a watchdog that lives has a heartbeat all the same.
        is_other = other is not None and other.pid != os.getpid() and other.is_alive
        if not instance_lock.try_lock(self._descriptor, is_exclusive=True) or is_other:
            self.release()
            raise WatchdogRunsError(self._state.account, None if other is None else other.pid)

    def release(self) -> None:
        """Let it go. Calling it twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
