"""One engine per account: locks that the operating system frees when their holder dies.

A lock on a file is worth as much as the file: whoever removes it lets a second engine in. So an engine holds
three: on its lock file, on the directory of the account (which a removed file does not free), and the
account's name in the kernel (`account_socket`, which outlives a directory that was moved away). Whoever
looks takes any of them for an answer, and the heartbeat of a process that still runs for one too.
"""

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tradecore.domain.errors import StorageError, TradecoreError
from tradecore_api import account_socket, heartbeat
from tradecore_api.state_dir import NEVER_WAIT, read_small, require_file

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows locks are mandatory: a byte far behind the pid keeps the pid readable.
WINDOWS_LOCK_OFFSET = 1 << 30
ATTEMPT_SECONDS = 0.02
REMEDY = "set TRADECORE_STATE_DIR to a directory you may write to"
HEARTBEAT = "heartbeat.json"
# What a file system says that knows no lock of this kind, as a share on a network may.
_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


class AlreadyRunningError(TradecoreError):
    """Another process runs the engine of this account.

    Parameters
    ----------
    account : str
        Name of the account.
    pid : int or None
        Process that holds the lock, when it could be read.
    """

    def __init__(self, account: str, pid: int | None) -> None:
        super().__init__(
            f"account {account!r} already runs as pid {pid}; look with `tradecore status {account}`, "
            f"stop it with `tradecore stop {account}`, or choose another account.name"
        )
        self.account = account
        self.pid = pid


class VenueTakenError(AlreadyRunningError):
    """Another engine trades at the same account of a venue.

    Parameters
    ----------
    url, key_id : str
        Where the venue listens, and the name of the key that trades there.
    pid : int or None
        Process of the other engine, when it could be told.
    """

    def __init__(self, url: str, key_id: str, pid: int | None) -> None:
        other = f"another engine (pid {pid})" if pid else "another engine"
        words = (
            f"{other} trades with the key {key_id!r} at {url}: two would take each other's orders for "
            "those of strangers; `tradecore status` shows the engines; end that one, or give this one "
            "another account of the venue"
        )
        TradecoreError.__init__(self, words)
        self.account = key_id
        self.pid = pid


class InstanceLock:
    """The locks of one account; held until `release` or the end of the process.

    Parameters
    ----------
    path : Path
        Lock file in the directory of the account; it stays behind when the lock is gone.
    account : str
        Name of the account, for the error.
    """

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self._account = account
        self._descriptor: int | None = None
        self._directory: int | None = None
        self._changing = threading.Lock()
        self.listener: socket.socket | None = None

    def acquire(self, *, patience_seconds: float = 0.5) -> None:
        """Take the locks and write this process's id into the file.

        Raises `AlreadyRunningError` after `patience_seconds`, which outlasts a `status` that looks.
        """
        deadline = time.monotonic() + patience_seconds
        while not self._has_taken():
            self.release()
            if time.monotonic() >= deadline:
                raise AlreadyRunningError(self._account, holder(self._path))
            time.sleep(ATTEMPT_SECONDS)
        if sys.platform != "win32":
            # A child that a strategy forks is no engine: it must not hold the account after its parent.
            os.register_at_fork(after_in_child=self._abandon)

    def _has_taken(self) -> bool:
        """Try to take every lock once."""
        self._descriptor = opened_lock(self._path)
        if not try_lock(self._descriptor, is_exclusive=True):
            return False
        if sys.platform != "win32":
            self._directory = os.open(self._path.parent, os.O_RDONLY)
            if not try_lock(self._directory, is_exclusive=True) or not self.is_in_place():
                return False
        try:
            self.listener = account_socket.taken(self._path.parent)
        except OSError:
            if account_socket.holder(self._path.parent) is not None:
                return False
        if heartbeat_holder(self._path) is not None:
            return False
        try:
            _write_pid(self._descriptor)
        except OSError as error:
            raise StorageError(str(self._path), f"cannot be written: {error.strerror}") from error
        return True

    def is_in_place(self) -> bool:
        """Tell whether the lock file that is held is the one that others find."""
        return self._descriptor is not None and is_same(self._descriptor, self._path)

    def is_directory_in_place(self) -> bool:
        """Tell whether the directory that is held is the one that others find."""
        return self._directory is None or is_same(self._directory, self._path.parent)

    def put_back(self) -> bool:
        """Make a lock file again that was removed or replaced, and hold it; tell whether that could be done.

        No other engine can have come in between: the lock on the directory is held all the time.
        """
        with self._changing:
            if self._descriptor is None:
                return False
            try:
                descriptor = opened_lock(self._path)
            except StorageError:
                return False
            if not try_lock(descriptor, is_exclusive=True):
                os.close(descriptor)
                return False
            with suppress(OSError):
                _write_pid(descriptor)
            os.close(self._descriptor)
            self._descriptor = descriptor
            return True

    def _abandon(self) -> None:
        """Let the locks go in a forked child; the parent's stay."""
        # A thread that is not here any more may have held it.
        self._changing = threading.Lock()
        if self.listener is not None:
            # Not `close`: an event loop may hold the socket open for its own use.
            os.close(self.listener.detach())
            self.listener = None
        self.release()

    def release(self) -> None:
        """Let the locks go. Calling it twice is harmless."""
        with self._changing:
            for descriptor in (self._descriptor, self._directory):
                if descriptor is not None:
                    os.close(descriptor)
            self._descriptor = self._directory = None
        if self.listener is not None:
            self.listener.close()
            self.listener = None


def holder(path: Path) -> int | None:
    """Return the process that holds the lock, else the one that the lock file names, or `None`."""
    found = account_socket.holder(path.parent)
    if found is not None and found.pid is not None:
        return found.pid
    try:
        written = int(read_small(path))
    except (OSError, ValueError):
        written = None
    if written is None or not heartbeat.is_alive(written):
        return heartbeat_holder(path) or written
    return written


def living_holder(path: Path) -> int | None:
    """Return the process that runs an account, to be ended by a signal; `None` where that is not certain.

    A number in a file may be that of a process which came later.
    """
    found = account_socket.holder(path.parent)
    if found is not None and found.pid is not None and heartbeat.is_alive(found.pid):
        return found.pid
    pid = holder(path)
    if pid is None or not heartbeat.is_alive(pid):
        return None
    beat = heartbeat.read(path.with_name(HEARTBEAT))
    is_other = beat is not None and beat.pid == pid and beat.phase != "ended" and beat.process_start != ""
    if is_other and beat is not None and beat.process_start != heartbeat.process_start(pid):
        return None
    return pid


def heartbeat_holder(path: Path) -> int | None:
    """Return the other process whose heartbeat lies beside a lock file, if that very process still runs."""
    beat = heartbeat.read(path.with_name(HEARTBEAT))
    if beat is None or beat.pid == os.getpid() or not heartbeat.lives(beat):
        return None
    return beat.pid


def is_held(path: Path) -> bool:
    """Tell whether a living process runs the account of a lock file; never waits, and changes nothing.

    Raises `StorageError` when the lock cannot be looked at and nothing else says that it is held.
    """
    if account_socket.holder(path.parent) is not None or heartbeat_holder(path) is not None:
        return True
    return any(_is_locked(place) for place in _places(path))


def is_same(descriptor: int, path: Path) -> bool:
    """Tell whether an open file is the one that a path leads to; a disk that does not say may have it."""
    try:
        ours, found = os.fstat(descriptor), path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return (ours.st_dev, ours.st_ino) == (found.st_dev, found.st_ino)


def _places(path: Path) -> Iterator[Path]:
    yield path
    if sys.platform != "win32":
        yield path.parent


def _is_locked(path: Path) -> bool:
    try:
        # Read-only is enough to look, also on a disk that takes no writing.
        descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY | NEVER_WAIT)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(str(path), f"cannot be opened: {error.strerror}; {REMEDY}") from error
    try:
        return not try_lock(descriptor, is_exclusive=False)
    finally:
        os.close(descriptor)


def opened_lock(path: Path) -> int:
    """Open a lock file, and make it; raises `StorageError`, also for what is no file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NEVER_WAIT, 0o600)
    except OSError as error:
        raise StorageError(str(path), f"cannot be opened: {error.strerror}; {REMEDY}") from error
    try:
        require_file(descriptor, path)
    except OSError as error:
        os.close(descriptor)
        raise StorageError(str(path), str(error.strerror)) from error
    return descriptor


def _write_pid(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, f"{os.getpid()}\n".encode())


if sys.platform == "win32":

    def try_lock(descriptor: int, *, is_exclusive: bool) -> bool:
        """Try to lock an open file; tell whether that could be done."""
        os.lseek(descriptor, WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        if not is_exclusive:
            os.lseek(descriptor, WINDOWS_LOCK_OFFSET, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:

    def try_lock(descriptor: int, *, is_exclusive: bool) -> bool:
        """Try to lock an open file; tell whether that could be done."""
        kind = fcntl.LOCK_EX if is_exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_LOCKS:
                # The other locks say it.
                return True
            raise
        return True
