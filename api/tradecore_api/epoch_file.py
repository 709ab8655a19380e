"""The file of a venue account on this machine: whoever trades there has it locked, and it holds his epoch."""

import os
from pathlib import Path

from tradecore.domain.directories import sync_directory
from tradecore.domain.errors import StorageError
from tradecore.domain.quoted import printable
from tradecore_api.instance_lock import opened_lock

# `epoch 00012` and the end of the line: always of one length, so that it is written in one piece.
_PREFIX = b"epoch "
_DIGITS = 5
_LENGTH = len(_PREFIX) + _DIGITS + 1


class EpochFile:
    """The epoch of the engine that took an account last; 0 before the first.

    Reading it is one call of the system, of a page that is in memory: it is done before each request. The
    file stays in its place for ever, because the lock on it is worth as much as the file.

    Parameters
    ----------
    path : Path
        The file; it is made where it is missing.

    Raises
    ------
    StorageError
        When it cannot be opened, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = opened_lock(path)
        # What it said last: a disk that fails later says nothing new.
        self._known = 0
        try:
            self._known = self._read()
        except BaseException:
            self.close()
            raise

    @property
    def descriptor(self) -> int:
        """The open file; raises `StorageError` once it is closed."""
        if self._descriptor is None:
            raise StorageError(str(self.path), "is closed")
        return self._descriptor

    def epoch(self) -> int:
        """Return the epoch; what cannot be read any more is as it was."""
        try:
            self._known = max(self._known, self._read())
        except (OSError, StorageError):
            return self._known
        return self._known

    def raise_to(self, epoch: int) -> None:
        """Keep a higher epoch, durably; raises `StorageError` when that is not possible."""
        if epoch <= self.epoch():
            return
        try:
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.write(self.descriptor, _PREFIX + f"{epoch:0{_DIGITS}d}\n".encode())
            os.fsync(self.descriptor)
            # Its name is as new as the file, and would be lost without a sync of its own.
            sync_directory(self.path.parent)
        except OSError as error:
            raise StorageError(str(self.path), f"cannot be written: {error.strerror}") from error
        self._known = epoch

    def close(self) -> None:
        """Let go of it, and of its lock. Calling it twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> int:
        if hasattr(os, "pread"):
            content = os.pread(self.descriptor, _LENGTH + 1, 0)
        else:
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            content = os.read(self.descriptor, _LENGTH + 1)
        if not content.strip(b"\0"):
            # A power cut before the first epoch was safe may leave the room for it, and nothing in it.
            return 0
        digits = content[len(_PREFIX) : -1]
        if len(content) != _LENGTH or not content.startswith(_PREFIX) or not digits.isdigit():
            what = (
                f"holds no epoch but {printable(content.decode(errors='replace'))!r}: make sure that no "
                "engine trades at the account, then remove it"
            )
            raise StorageError(str(self.path), what)
        return int(digits)
