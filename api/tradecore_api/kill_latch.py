"""The kill switch on disk: works when no engine runs or the engine hangs, and outlives both."""

import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from tradecore.domain.directories import sync_directory
from tradecore.domain.errors import StorageError, TradecoreError
from tradecore_api.bounded import Call
from tradecore_api.state_dir import StateDir, make_empty, write_atomically

LATCH_SECONDS_MAX = 2.0


class KillNote(msgspec.Struct, frozen=True, kw_only=True):
    """Who engaged the kill switch, and when."""

    pid: int
    time_ns: int
    reason: str


def engage(state: StateDir, reason: str) -> None:
    """Write the latch durably: an engine that starts later starts killed.

    A full disk has room for a name where it has none for words: an empty latch counts as much.
    Raises `StorageError` when the disk says no.
    """
    state.create()
    note = KillNote(pid=os.getpid(), time_ns=time.time_ns(), reason=reason)
    # First, so that the sync of the directory is for this too: a power cut may bring back what was removed.
    _remove(state.kill_release)
    try:
        write_atomically(state.kill_latch, msgspec.json.encode(note), is_durable=True)
    except StorageError as error:
        try:
            make_empty(state.kill_latch)
        except OSError:
            raise error from error.__cause__


def try_engage(state: StateDir, reason: str, *, seconds_max: float = LATCH_SECONDS_MAX) -> str:
    """Write the latch if that can be done in time; return why not, and nothing when it is written."""
    return outcome(begin(state, reason), seconds_max)


def begin(state: StateDir, reason: str) -> Call[None]:
    """Begin to write the latch beside what else is to be done; a disk that hangs holds nobody."""
    return Call(lambda: engage(state, reason), str(state.kill_latch), is_vital=True)


def outcome(writing: Call[None], seconds_max: float = LATCH_SECONDS_MAX) -> str:
    """Return why a latch could not be written, in words; nothing when it is written."""
    try:
        writing.result(seconds_max)
    except (TradecoreError, OSError) as error:
        return str(error)
    return ""


def request_release(state: StateDir) -> None:
    """Ask the next engine to release the switch when it starts; for when none runs."""
    state.create()
    note = KillNote(pid=os.getpid(), time_ns=time.time_ns(), reason="released by the operator")
    write_atomically(state.kill_release, msgspec.json.encode(note), is_durable=True)


def is_engaged(state: StateDir) -> bool:
    """Tell whether an engine that starts now has to start killed."""
    # Where it cannot be seen, nothing is known of it: whoever cannot tell starts killed.
    return _is_there(state.kill_latch, otherwise=True) and not _is_there(state.kill_release, otherwise=False)


def is_release_requested(state: StateDir) -> bool:
    """Tell whether the operator released the switch while no engine ran."""
    return _is_there(state.kill_release, otherwise=False)


def clear(state: StateDir) -> None:
    """Take latch and release request away, durably, once the release is in the journal.

    The latch first: of a power cut in between the request is left, which says the same again. A request that
    came back later would release a kill that came after it.
    """
    for path in (state.kill_latch, state.kill_release):
        _remove(path)
        _sync(state)


def forget(state: StateDir) -> bool:
    """Take away the switch of an account that never ran, and its directory; tell whether it was engaged."""
    was_engaged = is_engaged(state)
    clear(state)
    with suppress(OSError):
        state.path.rmdir()
    return was_engaged


def _is_there(path: Path, *, otherwise: bool) -> bool:
    """Tell whether a file is there; `otherwise` where its place cannot be looked at."""
    try:
        return path.exists()
    except OSError:
        return otherwise


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(str(path), f"cannot be removed: {error.strerror}") from error


def _sync(state: StateDir) -> None:
    """Make what was removed stay so; an account that never ran may have no directory."""
    try:
        sync_directory(state.path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(str(state.path), f"cannot be synced: {error.strerror}") from error
