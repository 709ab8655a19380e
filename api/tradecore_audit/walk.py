"""Walks through all files of a journal as one, block by block, also while it is written, rotated and packed.

Nothing is believed that was not checked: the numbers of records, the checksums of headers, and the chain of
hashes.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from blake3 import blake3

from tradecore_audit import packed
from tradecore_audit.errors import DamagedError, UnreadableError
from tradecore_audit.layout import (
    CELL,
    FIRST_HEAD,
    START_BYTES,
    FileHead,
    block_head,
    file_head,
    padded,
    segment_path,
)

# So much is handed on at a time: a bound for the memory.
BATCH_BYTES = 4 << 20
_SECTOR = 512
_LOOKS_MAX = 5


class Block(NamedTuple):
    """Frames that stand together, and the number of the first of them."""

    first_seq: int
    frames: list[bytes]


class _Found(NamedTuple):
    """A block that is not checked yet: the head before it, if known, and the one stated after it."""

    block: Block
    before: bytes | None
    after: bytes | None


class Walk:
    """A walk through a journal from its first record on; `batch` goes on where it ended.

    Parameters
    ----------
    path : path
        The journal: the name of its newest file.
    has_hashes : bool
        Whether the chain of hashes is worked out anew.

    Attributes
    ----------
    seq : int
        Number of the next record.
    dropped : int
        Records that an archive has dropped: market events.
    segments : int
        Number of the segment that is read.
    is_torn : bool
        Whether the newest file ends within a block: a crash explains that, or a writer at work.
    head : bytes
        Head of the chain after the last record that was read; as stated where hashes are not worked out.
    """

    def __init__(self, path: Path, *, has_hashes: bool = True) -> None:
        self._path = Path(os.path.realpath(path))
        self._has_hashes = has_hashes
        self.seq = 0
        self.dropped = 0
        self.segments = 0
        self.is_torn = False
        self.head = FIRST_HEAD
        self._origin: bytes | None = None
        self._file: BinaryIO | None = None
        self._is_closed = False
        self._parts: Iterator[packed.Part] | None = None

    def batch(self) -> list[Block]:
        """Return the next blocks, checked; none where the journal ends for now.

        Raises
        ------
        DamagedError
            When bytes are not those that were written; what comes before is returned first.
        UnreadableError
            When they cannot be read.
        """
        found: list[_Found] = []
        size = 0
        try:
            # Only the head after the last block of a chunk is stated.
            while size < BATCH_BYTES or self._known_head is None:
                following = self._next()
                if following is None:
                    break
                size += sum(map(len, following.block.frames))
                found.append(following)
        except DamagedError:
            if not found:
                raise
        return self._checked(found)

    def is_replaced(self) -> bool:
        """Tell whether another journal has come into the place of this one."""
        if self._file is None or self._is_closed:
            return False
        try:
            newest, found = self._newest(), self._path.stat()
        except (OSError, UnreadableError, DamagedError):
            return False
        own = os.fstat(self._file.fileno())
        if newest is None or (own.st_dev, own.st_ino) == (found.st_dev, found.st_ino):
            return False
        return newest.number <= self.segments or newest.origin != self._origin

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _checked(self, found: list[_Found]) -> list[Block]:
        """Work the chain out from the head that is stated before each run of blocks."""
        if not self._has_hashes:
            return [each.block for each in found]
        head, first = b"", 0
        for each in found:
            if each.before is not None:
                # What stands before dropped records has no head of its own: the hash of its chunk proves it.
                head, first = each.before, each.block.first_seq
            for frame in each.block.frames:
                head = blake3(head + frame).digest()
            if each.after is not None and head != each.after:
                raise DamagedError(self._path.name, f"the records from {first} on do not give their hash")
        return [each.block for each in found]

    def _next(self) -> _Found | None:
        """Return the next block; `None` where the journal ends."""
        while True:
            if self._file is None and self._parts is None and not self._open_next():
                return None
            if self._parts is not None:
                part = next(self._parts, None)
                if part is None:
                    self._parts = None
                    continue
                following = self._of_part(part)
                if following is not None:
                    return following
                continue
            following = self._of_file()
            if following is not None:
                return following
            if not self._is_left():
                return None

    def _of_part(self, part: packed.Part) -> _Found | None:
        before = self._known_head
        if part.dropped:
            self.seq += part.dropped
            self.dropped += part.dropped
            self._known_head = part.after
            self.head = part.after or self.head
            return None
        return self._found(part.frames, before, part.after)

    def _of_file(self) -> _Found | None:
        """Return the next block of a plain file; `None` where it has no more whole one."""
        file = self._file
        if file is None:
            return None
        start = file.tell()
        cell = file.read(CELL)
        self.is_torn = bool(cell)
        head = block_head(cell) if len(cell) == CELL else None
        if head is None:
            rest = cell + file.read(_SECTOR) if len(cell) == CELL else cell
            file.seek(start)
            if len(cell) < CELL or not any(rest[: _SECTOR - start % _SECTOR]):
                return None
            raise DamagedError(self._path.name, f"the block header at record {self.seq} is changed")
        if head.first_seq != self.seq:
            what = f"a block is missing, doubled or in the wrong place at record {self.seq}"
            raise DamagedError(self._path.name, what)
        body = file.read(head.block_bytes - CELL)
        if len(body) < head.block_bytes - CELL:
            file.seek(start)
            return None
        if self._is_lost(start, cell + body):
            file.seek(start)
            return None
        payload, padding = body[: head.payload_bytes], body[head.payload_bytes : padded(head.payload_bytes)]
        found = self._found(payload, self._known_head, body[-CELL:])
        if any(padding) or len(found.block.frames) != head.frames:
            raise DamagedError(self._path.name, f"the block of record {head.first_seq} is changed")
        self.is_torn = False
        return found

    def _is_lost(self, start: int, block: bytes) -> bool:
        """Tell whether a sector of the last block never reached the disk."""
        if self._is_closed or self._file is None:
            return False
        has_more = bool(self._file.read(1))
        self._file.seek(start + len(block))
        if has_more:
            return False
        first = _SECTOR - start % _SECTOR
        pieces = [block[:first], *(block[at : at + _SECTOR] for at in range(first, len(block), _SECTOR))]
        return any(not any(piece) for piece in pieces)

    def _found(self, payload: bytes, before: bytes | None, after: bytes | None) -> _Found:
        frames: list[bytes] = []
        at = 0
        while at < len(payload):
            end = at + 4 + int.from_bytes(payload[at : at + 4], "little")
            if end < at + 13 or end > len(payload):
                raise DamagedError(self._path.name, f"the frames from record {self.seq} on are changed")
            frames.append(payload[at:end])
            at = end
        block = Block(self.seq, frames)
        if self.seq == 0 and frames:
            self._origin = blake3(FIRST_HEAD + frames[0]).digest()
        self.seq += len(frames)
        self._known_head = after
        self.head = after or self.head
        return _Found(block, before, after)

    def _open_next(self) -> bool:
        """Open the next segment; `False` where there is none yet."""
        number = self.segments + 1
        for _ in range(_LOOKS_MAX):
            newest = self._newest()
            if newest is None or newest.number < number:
                return False
            if newest.number == number:
                return self._begin(self._path, is_closed=False)
            for suffix in ("", ".packed", ".archive"):
                path = segment_path(self._path, number, suffix)
                if not path.exists():
                    continue
                if not suffix:
                    return self._begin(path, is_closed=True)
                parts = packed.parts(path, has_hashes=self._has_hashes)
                head = next(parts)
                if isinstance(head, FileHead):
                    self._enter(head, path)
                self._parts = (part for part in parts if isinstance(part, packed.Part))
                return True
        raise DamagedError(self._path.name, f"segment {number} of the journal is missing")

    def _newest(self) -> FileHead | None:
        try:
            with self._path.open("rb") as file:
                data = file.read(START_BYTES)
        except OSError as error:
            raise UnreadableError(str(self._path), f"cannot be read: {error.strerror}") from error
        head = file_head(data)
        if head is None and len(data) >= START_BYTES:
            raise DamagedError(self._path.name, "is no journal, or its header is changed")
        return head

    def _begin(self, path: Path, *, is_closed: bool) -> bool:
        try:
            file = path.open("rb")
        except OSError as error:
            raise UnreadableError(path.name, f"cannot be opened: {error.strerror}") from error
        head = file_head(file.read(START_BYTES))
        if head is None or head.number != self.segments + 1:
            file.close()
            if not is_closed:
                # Another one took its place just now: it is looked for once more.
                return False
            raise DamagedError(path.name, "the header of the segment is changed")
        self._enter(head, path)
        file.seek(head.header_bytes)
        self._file, self._is_closed = file, is_closed
        return True

    def _enter(self, head: FileHead, path: Path) -> None:
        """Check that a segment goes on where the one before it ended."""
        joins = head.first_seq == self.seq and (self.segments == 0 or head.origin == self._origin)
        if not joins or (self._has_hashes and self._known_head not in (None, head.head)):
            raise DamagedError(path.name, "the segment does not join the one before it")
        self.segments += 1
        self._known_head = head.head

    def _is_left(self) -> bool:
        """Tell whether the file is read to its end and another segment follows it; then it is closed."""
        if not self._is_closed:
            newest = self._newest()
            if newest is None or newest.number <= self.segments or newest.origin != self._origin:
                return False
            # What was written last before that is read first.
            self._is_closed = True
            return True
        if self.is_torn:
            raise DamagedError(self._path.name, f"segment {self.segments} ends within a block")
        self.close()
        return True

    _known_head: bytes | None = FIRST_HEAD
