"""A budget of requests that all processes on a machine share, and that outlives them: a bucket in a file."""

import os
import sys
from pathlib import Path

from tradecore.domain.errors import StorageError
from tradecore.runtime.live.budget import BYTES, Bucket, BudgetRules

if sys.platform != "win32":
    import fcntl

# When to look again after another process was at the bucket just now.
BUSY_NS = 200_000


class SharedBudget:
    """The bucket of one key or address of a venue, in a file that each process locks for a moment.

    On Windows, which has no such locks, there is `RequestBudget` alone.

    - A lock is never waited for: while another process holds it there is no room, for a fraction of a second.
    - The system lets go of a lock when its process dies, and a bucket whose writing was cut short is empty.
    - A new file begins full. It is never removed: who had it open would have a bucket of his own.
    - Times are those of the machine's clock that never jumps, which all processes have in common; after a
      restart of the machine it begins anew, and what was left is left.

    Parameters
    ----------
    path : Path
        The file; its directory has to be there.
    rules : BudgetRules
        What the bucket holds: the same for all who share it.

    Raises
    ------
    StorageError
        When the file cannot be opened.
    """

    def __init__(self, path: Path, rules: BudgetRules) -> None:
        self._path, self._rules = path, rules
        self._is_busy = False
        self._has_failed = False
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(str(path), f"cannot be opened: {error.strerror}") from error

    def take(self, now_ns: int, weight: float = 1.0, *, is_cancel: bool) -> bool:
        """Take a request's weight out; `False` when there is no room for it now."""
        if not self._rules.has_limit:
            return True
        if not self._lock():
            self._is_busy = True
            return False
        try:
            self._is_busy = self._has_failed = False
            taken = self._read(now_ns).taken(self._rules, now_ns, weight, is_cancel=is_cancel)
            if taken is not None:
                os.pwrite(self._file, taken.encoded(), 0)
        except OSError:
            # A disk that says no: without the bucket nothing leaves.
            self._has_failed = True
            return False
        finally:
            self._unlock()
        return taken is not None

    @property
    def is_usable(self) -> bool:
        """Whether the last `take` saw the bucket: another process may hold it, or its disk say no."""
        return not (self._is_busy or self._has_failed)

    def wait_ns(self, now_ns: int, weight: float = 1.0) -> int:
        """Return how long it takes until there is room for a request that is no cancel."""
        if not self._rules.has_limit:
            return 0
        if self._is_busy:
            return BUSY_NS
        try:
            return max(self._read(now_ns).wait_ns(self._rules, now_ns, weight), BUSY_NS)
        except OSError:
            return 1_000_000_000

    def close(self) -> None:
        """Let go of the file; it stays for the others."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self, now_ns: int) -> Bucket:
        data = os.pread(self._file, BYTES, 0)
        if not data:
            return Bucket(int(self._rules.burst * 1_000_000_000), now_ns)
        return Bucket.decoded(data, now_ns)

    def _lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
