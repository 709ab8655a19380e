"""The kill switch on disk: works when no engine runs or the engine hangs, and outlives both."""

import os
import time
from pathlib import Path

import msgspec

from tradecore.domain.errors import StorageError
from tradecore_api.state_dir import StateDir, write_atomically


class KillNote(msgspec.Struct, frozen=True, kw_only=True):
    """Who engaged the kill switch, and when."""

    pid: int
    time_ns: int
    reason: str


def engage(state: StateDir, reason: str) -> None:
    """Write the latch durably: an engine that starts later starts killed.

    Raises `StorageError` when the disk says no.
    """
    state.create()
    note = KillNote(pid=os.getpid(), time_ns=time.time_ns(), reason=reason)
    # First, so that the sync of the directory is for this too: a power cut may bring back what was removed.
    _remove(state.kill_release)
    write_atomically(state.kill_latch, msgspec.json.encode(note), is_durable=True)


def request_release(state: StateDir) -> None:
    """Ask the next engine to release the switch when it starts; for when none runs."""
    state.create()
    note = KillNote(pid=os.getpid(), time_ns=time.time_ns(), reason="released by the operator")
    write_atomically(state.kill_release, msgspec.json.encode(note), is_durable=True)


def is_engaged(state: StateDir) -> bool:
    """Tell whether an engine that starts now has to start killed."""
    return state.kill_latch.exists() and not state.kill_release.exists()


def is_release_requested(state: StateDir) -> bool:
    """Tell whether the operator released the switch while no engine ran."""
    return state.kill_release.exists()


def clear(state: StateDir) -> None:
    """Take latch and release request away, once the release is in the journal."""
    _remove(state.kill_latch)
    _remove(state.kill_release)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(str(path), f"cannot be removed: {error.strerror}") from error
