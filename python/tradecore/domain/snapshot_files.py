"""The snapshots that lie beside a journal: `<journal>.snapshot.<number of records>`, the newest few."""

import os
from contextlib import suppress
from pathlib import Path

from tradecore.domain.directories import sync_directory
from tradecore.domain.errors import DataError, StorageError
from tradecore.domain.snapshot import Snapshot

_DIGITS = 15
_PART = ".snapshot."
_UNFINISHED = ".snapshot-unfinished"
# The newest one, and one before it in case that cannot be used.
KEPT = 2
# A snapshot is written only where the disk has so many times its size: the journal needs the room more.
_ROOM = 4


class SnapshotFiles:
    """Writes, finds and keeps the snapshots of one journal; `JournalFolder.snapshots` gives it.

    They sort by name as they follow one another. Each is written beside its place, synced, read back, and
    gets its name in one step: a name stands for a whole snapshot, whenever the process or the machine dies.

    Parameters
    ----------
    path : path
        Where the journal is.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def paths(self) -> list[Path]:
        """Return where they are, the newest first; none when nobody can look."""
        prefix = f"{self._path.name}{_PART}"
        try:
            names = [entry.name for entry in self._path.parent.iterdir()]
        except OSError:
            return []
        numbers = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
        own = sorted((each for each in numbers if each.isdecimal() and len(each) == _DIGITS), reverse=True)
        return [self._path.with_name(prefix + number) for number in own]

    def read(self, path: Path) -> Snapshot:
        """Read one of `paths`.

        Raises `DataError` when it is damaged, or cannot be read.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(path.name, f"cannot be read: {error.strerror}") from error
        return Snapshot.decoded(data, path.name)

    def write(self, snapshot: Snapshot) -> Path:
        """Keep a snapshot durably, and remove those before it that are not needed any more.

        One that stands further than this one stays where it is and counts for nothing: an older copy of the
        journal was put back, and whoever puts the newer one back needs it.

        Raises
        ------
        StorageError
            When the disk says no, or has too little room; those before it stay.
        """
        data = snapshot.encoded()
        # Without the number, so that what stays the same is said once.
        where = f"snapshot of {self._path.name}"
        path = self.path_of(snapshot.head.seq)
        unfinished = self._path.with_name(self._path.name + _UNFINISHED)
        try:
            if _free_bytes(self._path.parent) < _ROOM * len(data):
                raise StorageError(where, "the disk has too little room for a snapshot")
            _write_durably(unfinished, data)
            if unfinished.read_bytes() != data:
                raise StorageError(where, "what was written is not what is read back")
            unfinished.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise StorageError(where, f"cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        for older in [each for each in self.paths() if each.name <= path.name][KEPT:]:
            with suppress(OSError):
                older.unlink(missing_ok=True)
        return path

    def needed_from_ns(self) -> int | None:
        """Return from which time on market events are needed to go on; `None` without snapshots.

        The oldest that is kept counts, so that each can be gone on from.
        """
        times = []
        for path in self.paths():
            with suppress(DataError):
                times.append(self.read(path).head.time_ns)
        return min(times, default=None)

    def move(self, journal: Path) -> None:
        """Let them follow their journal to another name; one that cannot harms nothing."""
        paths = self.paths()
        for path in paths:
            with suppress(OSError):
                path.replace(journal.with_name(journal.name + path.name.removeprefix(self._path.name)))
        if paths:
            with suppress(OSError):
                # A journal whose old market events were dropped goes on from them alone.
                sync_directory(journal.parent)

    def copy(self, other: "SnapshotFiles") -> None:
        """Copy them to where a copy of their journal is about to be; what an attempt before left there goes.

        Raises `StorageError` when the disk says no.
        """
        for left in other.paths():
            with suppress(OSError):
                left.unlink(missing_ok=True)
        for path in self.paths():
            target = other.path_of(int(path.name[-_DIGITS:]))
            try:
                _write_durably(target, path.read_bytes())
                sync_directory(target.parent)
            except FileNotFoundError:
                # A newer one has taken its place meanwhile.
                continue
            except OSError as error:
                raise StorageError(target.name, f"cannot be written: {error.strerror}") from error

    def path_of(self, seq: int) -> Path:
        """Return where one with so many records is."""
        return self._path.with_name(f"{self._path.name}{_PART}{seq:0{_DIGITS}}")


def _free_bytes(directory: Path) -> int:
    """Return how much room a disk has for this user; plenty where the system does not say."""
    if os.name == "nt":
        return 1 << 62
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def _write_durably(path: Path, data: bytes) -> None:
    """Write a new file and sync it; nobody but its owner may read it, as is so of the journal."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
