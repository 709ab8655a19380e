"""Where a journal is: the one door to the files that it is made of."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from tradecore._core import (
    JournalFinding,
    JournalReader,
    JournalWriter,
    journal_archives,
    journal_backup,
    journal_drop_market_events,
    journal_identity,
    journal_keep_reserve,
    journal_pack,
    journal_reserve,
    journal_set_aside,
    journal_succeed,
    journal_verify,
)
from tradecore.domain.directories import make_directory
from tradecore.domain.errors import StorageError
from tradecore.domain.record import JournalPosition
from tradecore.domain.snapshot_files import SnapshotFiles
from tradecore.domain.times import iso_time

CHUNK_BYTES_MAX = 4 << 20
# How the name of a journal begins and ends that is about to take the place of another one.
_SUCCESSOR = (".", ".next")
_MAGIC = b"TCJOURN\n"
_DIGITS = frozenset("0123456789")


class Segments(msgspec.Struct, frozen=True, kw_only=True):
    """When a journal goes on in a new file, what becomes of the older ones, and what room is kept for more.

    Attributes
    ----------
    bytes_max : int
        Size from which on a segment is closed; 0 for no bound.
    span_ns : int
        Time of the engine after which one is closed that has a mebibyte at least; 0 for no bound.
    packs : bool
        A thread beside the writer packs older ones.
    reserve_bytes : int
        Room on the disk that the writer keeps for when it is full; 0 for none.
    """

    bytes_max: int = 0
    span_ns: int = 0
    packs: bool = False
    reserve_bytes: int = 0


ONE_FILE = Segments()


class PackedSegments(msgspec.Struct, frozen=True):
    """What packing did.

    Attributes
    ----------
    segments : int
        How many segments were packed.
    bytes_before : int
        What they took on the disk.
    bytes_after : int
        What they take now.
    """

    segments: int
    bytes_before: int
    bytes_after: int


class ArchivedSegments(msgspec.Struct, frozen=True, kw_only=True):
    """What a retention did.

    Attributes
    ----------
    segments : int
        How many segments lost their market events.
    dropped : int
        How many records were dropped.
    bytes_before : int
        What the segments took on the disk.
    bytes_after : int
        What they take now.
    """

    segments: int
    dropped: int
    bytes_before: int
    bytes_after: int


class JournalFolder:
    """Knows the files of one journal; nobody else opens, renames, locks or lists them.

    Today these are the newest segment, which has the name of the journal; older ones (`<path>.000001` and
    so on, with `.packed` behind it where they are packed, `.archive` where market events were dropped); the
    locks `<path>.lock` and `<path>.segments-lock`; `<path>.reserve`, which keeps room on the disk; the tails
    that crashes left unfinished (`<path>.torn-<offset>`); the journals that were set aside (`<path>.<time of
    the last change>`), the newest snapshots (`<path>.snapshot.<records>`), and for a moment the one that is
    about to take its place (`.<name>.next`, a name that no journal may have). Whoever uses a journal relies
    on none of these names, nor on their number: a place in a journal is a `JournalPosition`, and its size
    is that of all segments as they were written.

    Parameters
    ----------
    path : str or path-like
        Where the journal is, as `journal.path` says it. Nothing has to be there yet.
    """

    __slots__ = ("_path", "where")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.where = os.fspath(path)
        """What messages call it: the path as it was given."""
        self._path = Path(path)

    def __repr__(self) -> str:
        """Show the path, by which a message tells one journal from another."""
        return f"JournalFolder({self.where!r})"

    @staticmethod
    def has_kept_name(path: str | os.PathLike[str]) -> bool:
        """Tell whether a name is kept for a journal that is about to take the place of another one."""
        name = Path(path).name
        first, last = _SUCCESSOR
        return name.startswith(first) and name.endswith(last)

    @property
    def absolute(self) -> Path:
        """Return where it is, whatever directory is the current one."""
        return self._path.absolute()

    def exists(self) -> bool:
        """Tell whether there is a file; it may be of something else."""
        return self._path.is_file()

    def is_free(self) -> bool:
        """Tell whether nothing is in its place, so that a journal can begin there."""
        return not self._path.exists()

    def is_journal(self) -> bool:
        """Tell whether what is there begins as a journal does; what cannot be read does not."""
        try:
            if not self.exists():
                return False
            with self._path.open("rb") as file:
                return file.read(len(_MAGIC)) == _MAGIC
        except OSError:
            return False

    def check_exists(self) -> None:
        """Raise `StorageError` when there is no file; it names the newest journal that was set aside."""
        if self.exists():
            return
        older = self.older()
        hint = f"; the newest one that was set aside there is {older[-1].where}" if older else ""
        raise StorageError(self.where, f"no such journal file{hint}")

    def identity(self) -> tuple[int, int] | None:
        """Return which journal on disk this is, `None` for none: another one in its place has another.

        It stays what it is while a writer of this process goes on in new segments.

        Raises `OSError` when the disk does not say.
        """
        if os.name != "nt":
            return journal_identity(self.where)
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def writer(self, created_ns: int, segments: Segments = ONE_FILE, *, from_seq: int = 0) -> JournalWriter:
        """Return the one writer; a journal that is missing begins, as created at `created_ns` (UTC).

        Everything in it is checked. A tail that a crash left unfinished is cut off and kept beside it.

        Parameters
        ----------
        created_ns : int
            When the journal was created, if it is created now, UTC nanoseconds.
        segments : Segments
            When it goes on in a new file.
        from_seq : int
            Check it from the segment on that has this record, for a start from a snapshot: what is before
            that segment is checked by `verify`.

        Raises
        ------
        StorageError
            When another process writes it, when it is damaged (it then stays as it is), or when the disk
            says no.
        """
        try:
            make_directory(self._path.parent)
        except OSError as error:
            what = f"cannot be made: {error.strerror}; choose another journal.path"
            raise StorageError(str(self._path.parent), what) from error
        writer = JournalWriter.open(
            self.where,
            created_ns,
            segment_bytes=segments.bytes_max,
            segment_ns=segments.span_ns,
            packs=segments.packs,
            reserve_bytes=segments.reserve_bytes,
            from_seq=from_seq,
        )
        self.keep_reserve()
        return writer

    def keep_reserve(self) -> bool:
        """Make the room that a writer of this process keeps on the disk; `False` where it has gone on in it.

        It is not made where the disk has less than twice as much: what is left is the journal's then.
        """
        with suppress(OSError):
            kept = journal_reserve(self.where)
            if kept is None or kept[1]:
                return True
            if _free_bytes(self._path) >= 2 * kept[0]:
                journal_keep_reserve(self.where)
                return True
            return not kept[2]
        return True

    @property
    def snapshots(self) -> SnapshotFiles:
        """The snapshots beside it."""
        return SnapshotFiles(self._path.resolve() if self._path.is_symlink() else self._path)

    def reader(self, from_seq: int = 0) -> JournalReader:
        """Return a reader at the beginning; it may follow a writer, changes nothing and takes no lock.

        With `from_seq` it is at the beginning of the segment that has this record, or before it.

        Raises `StorageError` when the journal cannot be opened, or is no file: a pipe would be waited for.
        """
        with suppress(OSError):
            if not stat.S_ISREG(self._path.stat().st_mode):
                raise StorageError(self.where, "is no journal: it is a directory, pipe, socket or device")
        return JournalReader(self.where, from_seq)

    def reader_at(self, position: JournalPosition) -> JournalReader | None:
        """Return a reader that goes on at a position, `None` when this journal has no such position.

        Raises `StorageError` when the journal cannot be read.
        """
        reader = self.reader()
        if position.next_seq == 0:
            return reader
        if position.first != self.first_hash():
            return None
        reader.skip_to(position.next_seq)
        return reader if position_of(reader, position.first) == position else None

    def first_hash(self) -> str:
        """Return the hash of the first record, by which a journal is known; empty where it has none yet.

        Raises `StorageError` when the journal cannot be read.
        """
        return hash_of_first(self.reader().read_frames(1))

    def chunks(self) -> Iterator[bytes]:
        """Yield the frames in order, whole frames only, some megabytes at a time.

        Raises `StorageError` when the journal cannot be read, or at its damage.
        """
        return (data for _, data in self.numbered_chunks())

    def numbered_chunks(self) -> Iterator[tuple[int, bytes]]:
        """Yield as `chunks` does, each with the number of its first frame.

        Where a retention has dropped frames, the numbers of others stay: counting them would give wrong ones.
        """
        reader = self.reader()
        begin = reader.records
        while data := reader.read_frames(CHUNK_BYTES_MAX):
            yield begin, data
            begin = reader.records

    def verify(self) -> JournalFinding:
        """Check every byte and say whether the journal is whole; changes nothing and takes no lock.

        Raises `StorageError` when it cannot be read or is none.
        """
        return journal_verify(self.where)

    def pack(self) -> PackedSegments:
        """Pack older segments that are not packed yet; a writer may be at work.

        Every byte of them can be made again. Raises `StorageError` when another process is at them, one is
        damaged, or the disk says no: what is not packed stays as it is.
        """
        return PackedSegments(*journal_pack(self.where))

    def drop_market_events(self, before_ns: int) -> ArchivedSegments:
        """Drop the market events of every older segment that ends before a time (UTC nanoseconds).

        Orders, reports, money, commands and decisions stay, and so does the last event of each kind and
        instrument in each segment. What is left verifies. It replays no more from its beginning; what its
        snapshots need to go on is kept. A writer may be at work.

        Raises `StorageError` as `pack` does.
        """
        needed_ns = self.snapshots.needed_from_ns()
        until_ns = before_ns if needed_ns is None else min(before_ns, needed_ns)
        segments, dropped, before, after = journal_drop_market_events(self.where, until_ns)
        return ArchivedSegments(segments=segments, dropped=dropped, bytes_before=before, bytes_after=after)

    def lacks_market_events(self) -> bool:
        """Tell whether market events were dropped: then it replays no more.

        Raises `StorageError` when the journal cannot be opened.
        """
        return journal_archives(self.where) > 0

    def backup(self, directory: str | os.PathLike[str]) -> "JournalFolder":
        """Copy the journal, up to a moment after the call, into a directory; return the copy.

        A writer may be at work. The copy has been synced and verified; its own file comes last, after its
        snapshots, too, so that a copy which was cut short is no journal.

        Raises
        ------
        StorageError
            When a journal of this name is there already, when this one is damaged, or when the disk says no.
        """
        try:
            make_directory(Path(directory))
        except OSError as error:
            what = f"cannot be made: {error.strerror}; choose another directory"
            raise StorageError(os.fspath(directory), what) from error
        copy = JournalFolder(Path(directory) / self._path.resolve().name)
        if copy.is_free():
            # Of a journal that is durable up to each of them: the copy has at least as many records. They
            # come before it, because a copy that has its own file counts as whole.
            self.snapshots.copy(copy.snapshots)
        return JournalFolder(journal_backup(self.where, directory))

    def set_aside(self) -> "JournalFolder | None":
        """Give the journal a name with the time of its last change; return it there, `None` for no journal.

        A damaged journal is set aside as well.

        Raises
        ------
        StorageError
            When another process writes it, when it is no journal, or when it cannot be renamed; it then stays
            as it is.
        """
        if self._path.is_symlink():
            return self._at_its_place().set_aside()
        try:
            if self.is_free():
                return None
        except OSError as error:
            raise StorageError(self.where, f"cannot be set aside: {error.strerror}") from error
        kept_in = journal_set_aside(self.where, self._suffix())
        return None if kept_in is None else self._moved(kept_in)

    def succeed(self, frames: bytes, created_ns: int, file_bytes: int) -> "JournalFolder":
        """Keep this journal under another name and begin a new one with these frames; return the kept one.

        The new journal is written whole, durably, beside this one and takes its place in one step: whenever
        the process or the machine dies, this journal or the new one is in place. Trying again does no harm.

        Parameters
        ----------
        frames : bytes
            What the new journal begins with.
        created_ns : int
            When it was created, UTC nanoseconds.
        file_bytes : int
            Size that this journal has: another one means that somebody has written it since.

        Raises
        ------
        StorageError
            When another process writes this journal, or when the disk says no; it is in place then.
        """
        if self._path.is_symlink():
            return self._at_its_place().succeed(frames, created_ns, file_bytes)
        successor = self._path.with_name(self._path.name.join(_SUCCESSOR))
        _remove_attempt(successor)
        writer = JournalWriter.open(str(successor), created_ns)
        try:
            writer.append(frames)
        finally:
            writer.close()
        kept_in = journal_succeed(self.where, str(successor), self._suffix(), file_bytes)
        with suppress(OSError):
            successor.with_name(f"{successor.name}.lock").unlink(missing_ok=True)
        return self._moved(kept_in)

    def _moved(self, kept_in: str | os.PathLike[str]) -> "JournalFolder":
        """Return the journal at the name that it is kept under; its snapshots go with it."""
        kept = JournalFolder(kept_in)
        self.snapshots.move(kept.absolute)
        return kept

    def _at_its_place(self) -> "JournalFolder":
        """Return the journal that a symbolic link leads to: what is kept of it lies beside it."""
        return JournalFolder(self._path.resolve())

    def _suffix(self) -> str:
        """Return what the name of a journal that is kept ends with: the time of its last change."""
        try:
            changed_ns = self._path.stat().st_mtime_ns
        except OSError as error:
            raise StorageError(self.where, f"cannot be set aside: {error.strerror}") from error
        return iso_time(changed_ns, 0).translate({ord(mark): None for mark in "-:Z"})

    def older(self) -> "list[JournalFolder]":
        """Return the journals that were set aside here, the oldest first; none when nobody can look."""
        if self._path.is_symlink():
            return self._at_its_place().older()
        prefix = f"{self._path.name}."
        try:
            names = [entry.name for entry in self._path.parent.iterdir()]
        except OSError:
            return []
        suffixes = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
        stamped = sorted((order, suffix) for suffix in suffixes if (order := _order_of(suffix)) is not None)
        return [JournalFolder(self._path.with_name(prefix + suffix)) for _, suffix in stamped]


def _free_bytes(path: Path) -> int:
    """Return how much room the disk of a file has for this user; 0 where the system does not say."""
    if os.name == "nt":
        return 0
    found = os.statvfs(path.parent)
    return found.f_bavail * found.f_frsize


def _remove_attempt(successor: Path) -> None:
    """Remove what an attempt has left that a crash ended; nothing that somebody writes."""
    left = JournalFolder(successor)
    # Under another name it is nobody's any more: it got that name under the lock of the one writer.
    ended = left.set_aside() if left.is_journal() else left
    try:
        (ended or left).absolute.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(str(successor), f"cannot be removed: {error.strerror}") from error


def position_of(reader: JournalReader, first: str) -> JournalPosition:
    """Return where a reader is; the start of every journal is the same place."""
    return JournalPosition(reader.records, reader.head, first) if reader.records else JournalPosition()


def hash_of_first(frames: bytes) -> str:
    """Return the hash of the first frame of a journal, by which it is known; empty where it has none yet."""
    length = int.from_bytes(frames[:4], "little") + 4
    return hashlib.sha256(frames[:length]).hexdigest() if frames else ""


def _order_of(suffix: str) -> tuple[str, int] | None:
    """Return time and number of a suffix such as 20261128T183000-2; `None` when it is of something else."""
    stamp, dash, number = suffix.partition("-")
    is_stamp = len(stamp) == 15 and stamp[8] == "T" and _DIGITS.issuperset(stamp[:8] + stamp[9:])
    if not is_stamp or not _DIGITS.issuperset(number) or bool(dash) != bool(number):
        return None
    return stamp, int(number or "1")
