"""Headers of a journal's files, in bytes.

A file is a header, then blocks. A block is a header of 32 bytes, frames, zeros up to a multiple of 32, and
the head of the chain after its frames. Every number is little-endian, and every header has its CRC-32 at
byte 12.
"""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

CELL = 32
START_BYTES = 4 * CELL
PAYLOAD_BYTES_MAX = 1 << 20
FIRST_HEAD = bytes(32)
_MAGIC = b"TCJOURN\n"
_FILE = struct.Struct("<8sIIqQ")
_BLOCK = struct.Struct("<4sIIIQQ")
_GAP = struct.Struct("<4s8sIQQ")
_START = struct.Struct("<4s8sIQQ32s32s")
_CRC_AT = slice(12, 16)
_PLAIN_VERSION, _CONTINUED_VERSION = 1, 2


class FileHead(NamedTuple):
    """What a file says of itself: a segment's number, and where in the journal it begins."""

    number: int
    first_seq: int
    head: bytes
    origin: bytes
    header_bytes: int


class BlockHead(NamedTuple):
    """What stands before a block."""

    payload_bytes: int
    frames: int
    first_seq: int

    @property
    def block_bytes(self) -> int:
        """Bytes of the whole block."""
        return CELL + padded(self.payload_bytes) + CELL


def padded(size: int) -> int:
    """Return a size with what fills it up to a whole cell."""
    return -(-size // CELL) * CELL


def is_sound(cell: bytes) -> bool:
    """Tell whether a header has the checksum of its bytes."""
    unsigned = bytearray(cell)
    stated = int.from_bytes(unsigned[_CRC_AT], "little")
    unsigned[_CRC_AT] = bytes(4)
    return zlib.crc32(unsigned) == stated


def file_head(data: bytes) -> FileHead | None:
    """Read the header at the start of a file; `None` for what is none, or is not whole."""
    if len(data) < CELL or not is_sound(data[:CELL]):
        return None
    magic, version, _, _, number = _FILE.unpack_from(data)
    if magic != _MAGIC:
        return None
    if version == _PLAIN_VERSION:
        return FileHead(1, 0, FIRST_HEAD, FIRST_HEAD, CELL)
    rest = data[CELL:START_BYTES]
    if version != _CONTINUED_VERSION or len(rest) < _START.size or not is_sound(rest):
        return None
    kind, _, _, first_seq, _, head, origin = _START.unpack_from(rest)
    return FileHead(number, first_seq, head, origin, START_BYTES) if kind == b"TCSG" else None


def may_begin(data: bytes) -> bool:
    """Tell whether a header is not whole yet: a crash left it so, or it is being written."""
    is_ours = _MAGIC.startswith(data[: len(_MAGIC)]) if len(data) < CELL else data.startswith(_MAGIC)
    return is_ours and len(data) < START_BYTES and (len(data) < CELL or is_sound(data[:CELL]))


def block_head(cell: bytes) -> BlockHead | None:
    """Read the header of a block; `None` for what is none."""
    magic, payload_bytes, frames, _, first_seq, _ = _BLOCK.unpack_from(cell)
    if magic != b"TCBK" or not is_sound(cell) or payload_bytes > PAYLOAD_BYTES_MAX or not frames:
        return None
    return BlockHead(payload_bytes, frames, first_seq)


def segment_path(path: Path, number: int, suffix: str) -> Path:
    """Return the name of an older segment."""
    return path.with_name(f"{path.name}.{number:06}{suffix}")
