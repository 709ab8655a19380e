"""A budget of requests that all processes on a machine share, and that outlives them: a bucket in a file."""

import os
import sys
from pathlib import Path

from tradecore.domain.errors import StorageError
from tradecore.runtime.live.budget import BYTES, UNIT, Bucket, BudgetRules

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
    - While the disk says no, nothing leaves but cancels, which must not wait for a disk: each process counts
      those in the bucket as it has changed it last.
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
        When the file cannot be opened, or a new one not be filled.
    """

    def __init__(self, path: Path, rules: BudgetRules) -> None:
        self._path, self._rules = path, rules
        self._is_busy = False
        # The bucket as this process has changed it last.
        self._last: Bucket | None = None
        self.trouble = ""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(str(path), f"cannot be opened: {error.strerror}") from error
        try:
            self._fill_new()
        except OSError as error:
            self.close()
            raise StorageError(str(path), f"cannot be written: {error.strerror}") from error

    def _fill_new(self) -> None:
        """Fill a new file, so that it has its room on the disk: what is written later is as long."""
        if not self._rules.has_limit or os.fstat(self._file).st_size or not self._lock():
            # Who holds the lock fills it, if anybody has to.
            return
        try:
            if not os.fstat(self._file).st_size:
                full = Bucket(int(self._rules.burst * UNIT), 0)
                os.pwrite(self._file, full.encoded(), 0)
        finally:
            self._unlock()

    def take(self, now_ns: int, weight: float = 1.0, *, is_cancel: bool) -> bool:
        """Take a request's weight out; `False` when there is no room for it now."""
        if not self._rules.has_limit:
            return True
        if not self._lock():
            self._is_busy = True
            return False
        self._is_busy = False
        known = self._last or Bucket(0, now_ns)
        try:
            known = self._read(now_ns)
            taken = known.taken(self._rules, now_ns, weight, is_cancel=is_cancel)
            if taken is not None:
                os.pwrite(self._file, taken.encoded(), 0)
                self._last, self.trouble = taken, ""
        except OSError as error:
            self._say(error)
            taken = (self._last or known).taken(self._rules, now_ns, weight, is_cancel=True)
            if not is_cancel or taken is None:
                return False
            self._last = taken
        finally:
            self._unlock()
        return taken is not None

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
        # Nothing is in a file that somebody has cut.
        return Bucket.decoded(data, now_ns) if data else Bucket(int(self._rules.burst * UNIT), now_ns)

    def _say(self, error: OSError) -> None:
        self.trouble = (
            f"nothing but cancels leaves: what processes share of the venue's limit cannot be kept in "
            f"{self._path}: {error.strerror}"
        )

    def _lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
