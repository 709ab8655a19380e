"""One engine per account: a lock that the operating system frees when its holder dies."""

import os
import sys
import time
from pathlib import Path

from tradecore.domain.errors import StorageError, TradecoreError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows locks are mandatory: a byte far behind the pid keeps the pid readable.
WINDOWS_LOCK_OFFSET = 1 << 30
ATTEMPT_SECONDS = 0.02
REMEDY = "set TRADECORE_STATE_DIR to a directory you may write to"


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


class InstanceLock:
    """The lock of one account; held until `release` or the end of the process.

    Parameters
    ----------
    path : Path
        Lock file; it stays behind when the lock is gone.
    account : str
        Name of the account, for the error.
    """

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self._account = account
        self._descriptor: int | None = None

    def acquire(self, *, patience_seconds: float = 0.5) -> None:
        """Take the lock and write this process's id into the file.

        Raises `AlreadyRunningError` after `patience_seconds`, which outlasts a `status` that looks.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(str(self._path), f"cannot be opened: {error.strerror}; {REMEDY}") from error
        deadline = time.monotonic() + patience_seconds
        while not _try_lock(descriptor, is_exclusive=True):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise AlreadyRunningError(self._account, holder(self._path))
            time.sleep(ATTEMPT_SECONDS)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the lock go. Calling it twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder(path: Path) -> int | None:
    """Return the process id written in a lock file, or `None` when there is none."""
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock; never waits."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(str(path), f"cannot be opened: {error.strerror}; {REMEDY}") from error
    try:
        return not _try_lock(descriptor, is_exclusive=False)
    finally:
        os.close(descriptor)


if sys.platform == "win32":

    def _try_lock(descriptor: int, *, is_exclusive: bool) -> bool:
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

    def _try_lock(descriptor: int, *, is_exclusive: bool) -> bool:
        kind = fcntl.LOCK_EX if is_exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
