"""What a disk may hold after the power failed, by the rules of a POSIX file system of the kind of ext4.

- **A file's bytes** are safe once an `fsync` or `fdatasync` of the file has returned, and its length too.
- **A name** (made, changed, taken away) is safe once an `fsync` of its directory has returned. That of the
  file says nothing of its name; that of a directory nothing of the name of the directory.
- **What is not safe may have happened or not**, each for itself, in any order: a name without the bytes, the
  bytes without the name, a later write without the one before. `data=ordered` is not assumed: a file may have
  its new length and zeros where the bytes should be, or stale ones where it was written over.
- **A write may be torn** at sectors of 512 bytes. Each of them is on the disk as it was at some moment: with
  all that was written to it until then, and nothing of what came later.
- **A rename is one step**: the name is of the one file or the other, never of none.
- A disk keeps what it said it has synced.
"""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from promises.power.recording import Kind, Op

SECTOR = 512
_TOP = 0


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that were written, or a length that was set (`data` is `None`); not synced yet."""

    file: int
    at: int
    data: bytes | None

    @property
    def sectors(self) -> int:
        """How many sectors it touches."""
        if not self.data:
            return 0
        return (self.at + len(self.data) - 1) // SECTOR - self.at // SECTOR + 1

    def pieces(self, chosen: Iterable[int]) -> "list[tuple[int, bytes]]":
        """Return the bytes in some of its sectors, counted from 0, each with its place in the file."""
        data = self.data or b""
        first, end = self.at // SECTOR, self.at + len(data)
        spans = ((max(self.at, (first + n) * SECTOR), min(end, (first + n + 1) * SECTOR)) for n in chosen)
        return [(begin, data[begin - self.at : until - self.at]) for begin, until in spans]


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """Names of a directory that get another file (`None`: no file any more) in one step; not synced yet."""

    directory: int
    names: tuple[tuple[str, int | None], ...]


class Torn(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a write: these sectors of it, and whether the file has the length that it gave it."""

    sectors: Sequence[int]
    has_length: bool


Pending = Write | Naming
# What became of each pending operation: it happened, did not, or happened in part.
Fate = bool | Torn


class Image(msgspec.Struct, frozen=True):
    """What lies on a disk: each file by its number, each name with its number, and the directories."""

    contents: dict[int, bytes]
    names: dict[str, int]
    directories: tuple[str, ...]


class Disk:
    """Follows a program's operations: what is safe, and what waits for a sync."""

    def __init__(self) -> None:
        self._safe: dict[int, bytes] = {}
        self._live: dict[int, bytearray] = {}
        self._safe_names: dict[int, dict[str, int]] = {_TOP: {}}
        self._live_names: dict[int, dict[str, int]] = {_TOP: {}}
        self._directories = {".": _TOP}
        self.pending: list[Pending] = []

    @classmethod
    def of(cls, top: Path) -> "Disk":
        """Return a disk that has the files of a directory, all of it safe."""
        made = cls()
        for path in sorted(top.rglob("*")):
            directory, name = made._place(str(path.relative_to(top)))
            file = path.stat().st_ino
            for names in (made._safe_names, made._live_names):
                names[directory][name] = file
                if path.is_dir():
                    names[file] = {}
            if path.is_dir():
                made._directories[str(path.relative_to(top))] = file
            else:
                made._safe[file] = path.read_bytes()
                made._live[file] = bytearray(made._safe[file])
        return made

    def do(self, op: Op) -> None:
        """Do what the program did."""
        match op.kind:
            case Kind.CREATE:
                self._live[op.file], self._safe[op.file] = bytearray(), b""
                self._name(op.name, op.file)
            case Kind.DIRECTORY:
                self._directories[op.name] = op.file
                self._safe_names[op.file], self._live_names[op.file] = {}, {}
                self._name(op.name, op.file)
            case Kind.WRITE:
                self._change(Write(file=op.file, at=op.at, data=op.data))
            case Kind.TRUNCATE:
                self._change(Write(file=op.file, at=op.at, data=None))
            case Kind.ALLOCATE:
                if op.at > len(self._live[op.file]):
                    self._change(Write(file=op.file, at=op.at, data=None))
            case Kind.LINK:
                self._name(op.other, op.file)
            case Kind.UNLINK:
                self._name(op.name, None)
            case Kind.RENAME:
                self._rename(op)
            case Kind.SYNC:
                self._sync(op)
            case Kind.MARK | Kind.MAP | Kind.UNKNOWN:
                pass

    def kept(self) -> "Disk":
        """Return what may be asked for what a cut leaves now, while this one goes on."""
        made = Disk()
        made._safe = dict(self._safe)
        made._safe_names = {directory: dict(names) for directory, names in self._safe_names.items()}
        made._directories = dict(self._directories)
        made.pending = list(self.pending)
        return made

    def live(self) -> Image:
        """Return what the program sees."""
        return self._image({file: bytes(content) for file, content in self._live.items()}, self._live_names)

    def after_a_cut(self, fates: Iterable[Fate]) -> Image:
        """Return what lies there when the power fails now.

        Parameters
        ----------
        fates : iterable of Fate
            What became of each operation in `pending`.
        """
        names = {directory: dict(known) for directory, known in self._safe_names.items()}
        changed: dict[int, bytearray] = {}
        for each, fate in zip(self.pending, self._whole_sectors(list(fates)), strict=True):
            if isinstance(each, Naming):
                if fate:
                    _rename_in(names[each.directory], each)
            elif fate:
                content = changed.setdefault(each.file, bytearray(self._safe[each.file]))
                _write_into(content, each, fate)
        contents = {**self._safe, **{file: bytes(content) for file, content in changed.items()}}
        return self._image(contents, names)

    def _whole_sectors(self, fates: list[Fate]) -> list[Fate]:
        """Let a sector that has a write have those before it as well: it left memory as a whole."""
        written: dict[int, set[int]] = {}
        for place in reversed(range(len(fates))):
            each, fate = self.pending[place], fates[place]
            if not isinstance(each, Write) or not each.data:
                continue
            first, known = each.at // SECTOR, written.setdefault(each.file, set())
            own = fate.sectors if isinstance(fate, Torn) else range(each.sectors if fate else 0)
            later = known & set(range(first, first + each.sectors))
            known.update(first + number for number in own)
            if later and fate is not True:
                has_length = isinstance(fate, Torn) and fate.has_length
                sectors = sorted({*own, *(sector - first for sector in later)})
                fates[place] = Torn(sectors=sectors, has_length=has_length)
        return fates

    def _image(self, contents: dict[int, bytes], names: dict[int, dict[str, int]]) -> Image:
        found: dict[str, int] = {}
        directories = []
        waiting = [("", _TOP)]
        while waiting:
            prefix, directory = waiting.pop()
            for name, file in names[directory].items():
                path = f"{prefix}{name}"
                if file in names:
                    directories.append(path)
                    waiting.append((f"{path}/", file))
                else:
                    found[path] = file
        return Image({file: contents[file] for file in found.values()}, found, tuple(sorted(directories)))

    def _change(self, write: Write) -> None:
        _write_into(self._live[write.file], write, True)
        self.pending.append(write)

    def _name(self, path: str, file: int | None) -> None:
        directory, name = self._place(path)
        self._give(Naming(directory=directory, names=((name, file),)))

    def _rename(self, op: Op) -> None:
        (directory, name), (into, other) = self._place(op.name), self._place(op.other)
        if directory != into:
            raise NotImplementedError("a file that changes its directory")
        if self._live_names[directory].get(other) == op.file:
            # Two names of one file: the system leaves both.
            return
        self._give(Naming(directory=directory, names=((other, op.file), (name, None))))

    def _give(self, naming: Naming) -> None:
        _rename_in(self._live_names[naming.directory], naming)
        self.pending.append(naming)

    def _sync(self, op: Op) -> None:
        directory = self._directories.get(op.name)
        if directory is not None:
            self._safe_names[directory] = dict(self._live_names[directory])
        else:
            self._safe[op.file] = bytes(self._live[op.file])
        is_over = {directory} if directory is not None else {op.file}
        self.pending = [each for each in self.pending if _subject(each) not in is_over]

    def _place(self, path: str) -> tuple[int, str]:
        within, _, name = path.rpartition("/")
        return self._directories[within or "."], name


def _subject(each: Pending) -> int:
    return each.directory if isinstance(each, Naming) else each.file


def _rename_in(names: dict[str, int], naming: Naming) -> None:
    for name, file in naming.names:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _write_into(content: bytearray, write: Write, fate: Fate) -> None:
    if write.data is None:
        del content[write.at :]
        content.extend(bytes(write.at - len(content)))
        return
    if isinstance(fate, Torn):
        pieces, length = write.pieces(fate.sectors), write.at + len(write.data) if fate.has_length else 0
    else:
        pieces, length = [(write.at, write.data)], 0
    for at, data in pieces:
        content.extend(bytes(max(0, at - len(content))))
        content[at : at + len(data)] = data
    content.extend(bytes(max(0, length - len(content))))


def systematic(pending: list[Pending]) -> list[str]:
    """Return what the images are called that are always looked at; `fates_of` says what is in them.

    None and all of what waits; each alone missing and each alone there; names and lengths without any bytes;
    the last write of each file torn after every sector, with the whole length and with the shorter one.
    """
    if not pending:
        return ["none"]
    alone = [f"{word}-{place}" for place in range(len(pending)) for word in ("only", "without")]
    last = {each.file: place for place, each in enumerate(pending) if _is_data(each)}
    torn = [
        f"torn-{place}-{sectors}{length}"
        for place in last.values()
        for sectors in range(_sectors(pending[place]))
        for length in ("", "-long")
    ]
    return ["none", "all", "lengths", *alone, *torn]


def fates_of(name: str, pending: list[Pending]) -> list[Fate]:
    """Return what became of each operation in an image of `systematic`."""
    word, *numbers = name.split("-")
    match word:
        case "none" | "all":
            return [word == "all"] * len(pending)
        case "lengths":
            return [Torn(sectors=(), has_length=True) if _is_data(each) else True for each in pending]
    place = int(numbers[0])
    fates: list[Fate] = [word != "only"] * len(pending)
    match word:
        case "torn":
            fates[place] = Torn(sectors=range(int(numbers[1])), has_length=name.endswith("-long"))
        case _:
            fates[place] = word == "only"
    return fates


def drawn(pending: list[Pending], draw: random.Random) -> list[Fate]:
    """Draw an image: each operation that waits happened, did not, or happened in part."""
    chance = draw.choice((0.15, 0.5, 0.85))
    is_in_order = draw.random() < 0.3
    until = draw.randint(0, len(pending))
    fates: list[Fate] = []
    for place, each in enumerate(pending):
        is_done = place < until if is_in_order else draw.random() < chance
        if _is_data(each) and not (is_in_order and place < until - 1) and draw.random() < 0.5:
            fates.append(_drawn_tear(each, draw))
        else:
            fates.append(is_done)
    return fates


def _drawn_tear(write: Pending, draw: random.Random) -> Torn:
    count = _sectors(write)
    chance = draw.choice((0.0, 0.2, 0.5, 0.8, 1.0))
    sectors = tuple(number for number in range(count) if draw.random() < chance)
    return Torn(sectors=sectors, has_length=draw.random() < 0.5)


def _is_data(each: Pending) -> bool:
    return isinstance(each, Write) and each.data is not None


def _sectors(each: Pending) -> int:
    return each.sectors if isinstance(each, Write) else 0
