"""Takes a live account over from an engine that hangs: it is fenced, then its process is ended."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from tradecore.domain.errors import ConfigError, TradecoreError
from tradecore.domain.spec import Mode
from tradecore_api import heartbeat, instance_lock
from tradecore_api.config.tables import Config
from tradecore_api.instance_lock import AlreadyRunningError, living_holder
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring import venue_claims

log = logging.getLogger("tradecore.daemon")

# How long a process may take for its end: one that hangs in the kernel takes longer.
END_SECONDS_MAX = 3.0
_POLL_SECONDS = 0.02


class StillHeldError(AlreadyRunningError):
    """The engine that was to be taken over from is fenced, and its process cannot be ended.

    Parameters
    ----------
    account : str
        Name of the account.
    journal : str
        Where its journal is.
    pid : int or None
        Its process, where it can be told.
    """

    def __init__(self, account: str, journal: str, pid: int | None) -> None:
        who = f"the process {pid}" if pid else "a process that cannot be told"
        words = (
            f"the engine of {account!r} is fenced and sends nothing more, but {who} still holds its files "
            "and could not be ended. To go on at once, copy its journal with `tradecore journal backup "
            f"{journal} COPY`, and start with --take-over, with TRADECORE_STATE_DIR as another directory "
            "(arm it there) and with journal.path as the copy; or end that process (a machine that restarts "
            "ends it, too), and start with --take-over here"
        )
        TradecoreError.__init__(self, words)
        self.account = account
        self.pid = pid


def seize(config: Config, state: StateDir, journal: str) -> None:
    """Fence the engines that hold the accounts of a live configuration, and end their processes.

    The epoch comes first, so that one that cannot be ended, because it hangs in the kernel or runs in
    another container, sends nothing from then on. Then its process is ended by SIGKILL, so that it never
    wakes. Nothing happens where nobody holds the account.

    Raises
    ------
    ConfigError
        When the configuration is of another mode.
    StillHeldError
        When a process cannot be ended.
    StorageError
        When the epoch cannot be kept.
    """
    if config.tables.mode is not Mode.LIVE:
        rule = (
            "is for live mode: only there can an engine that hangs send an order later; end it with "
            f"`tradecore emergency-stop {state.account}`, and start without it"
        )
        raise ConfigError("command line", "--take-over", config.tables.mode.value, rule)
    holders = venue_claims.fence_others(config)
    if (pid := living_holder(state.lock)) is not None:
        holders.append(pid)
    ended = _ended(sorted(set(holders)))
    if not _is_so_within(lambda: not any(map(heartbeat.is_alive, ended)), END_SECONDS_MAX):
        raise StillHeldError(state.account, journal, next(filter(heartbeat.is_alive, ended), None))
    if not _is_so_within(lambda: not instance_lock.is_held(state.lock), END_SECONDS_MAX):
        raise StillHeldError(state.account, journal, instance_lock.holder(state.lock))
    what = f"its process {', '.join(map(str, ended))} was ended" if ended else "no process of it ran here"
    words = f"TAKEN OVER: whoever had {state.account} is fenced and sends nothing more; {what}"
    log.warning("taken_over", extra={"words": words, "told": {"account": state.account, "ended": ended}})


def _ended(pids: Iterable[int]) -> list[int]:
    """End processes; return those that were told to."""
    told = []
    for pid in pids:
        if pid == os.getpid():
            continue
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        told.append(pid)
    return told


def _is_so_within(is_so: Callable[[], bool], seconds_max: float) -> bool:
    deadline = time.monotonic() + seconds_max
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
