"""Segments that were compressed: their blocks and the places of frames that were dropped."""

import importlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from tradecore_audit.errors import DamagedError, UnreadableError
from tradecore_audit.layout import CELL, FileHead, file_head, is_sound

_CELL = struct.Struct("<12sIQQ")
_HEADER, _CHUNK, _END = b"TCPACKD\n\x01\0\0\0", b"TCPC" + bytes(8), b"TCPE" + bytes(8)
_RAW_BYTES_MAX = 4 << 20
_BLOCK, _GAP = 0, 1
_CHANGED = "the packed bytes are changed"


class Part(NamedTuple):
    """What follows in a segment: the frames of a block, or how many were dropped and the head after them.

    `after` is the head that the file states after it; `None` where it states none.
    """

    frames: bytes
    dropped: int
    after: bytes | None


def parts(path: Path, *, has_hashes: bool) -> Iterator[FileHead | Part]:
    """Yield the header of the segment, then what is in it.

    Raises
    ------
    DamagedError
        When the bytes are not those that were packed.
    UnreadableError
        When they cannot be read, or nothing here reads zstd.
    """
    try:
        with path.open("rb") as file:
            magic, _, header_bytes, _ = _fields(file.read(CELL), path)
            head = file_head(file.read(min(header_bytes, 4 * CELL)))
            if magic != _HEADER or head is None:
                raise DamagedError(path.name, _CHANGED)
            yield head
            while True:
                cell = file.read(CELL)
                magic, _, packed_bytes, raw_bytes = _fields(cell, path)
                if magic == _END:
                    return
                if magic != _CHUNK or max(packed_bytes, raw_bytes) > _RAW_BYTES_MAX:
                    raise DamagedError(path.name, _CHANGED)
                stated, after, packed = file.read(CELL), file.read(CELL), file.read(packed_bytes)
                if has_hashes and blake3(cell + after + packed).digest() != stated:
                    raise DamagedError(path.name, _CHANGED)
                yield from _unfolded(_unpacked(packed, raw_bytes, path), after, path)
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be read: {error.strerror}") from error


def _fields(cell: bytes, path: Path) -> tuple[bytes, int, int, int]:
    if len(cell) < CELL or not is_sound(cell):
        raise DamagedError(path.name, _CHANGED)
    magic, crc, first, second = _CELL.unpack(cell)
    return magic, crc, first, second


def _unfolded(raw: bytes, after: bytes, path: Path) -> Iterator[Part]:
    """Yield the parts of a chunk; the head after it is that of its last one."""
    found: list[Part] = []
    end = 4 + int.from_bytes(raw[:4], "little")
    at, payload_at = 4, end
    while at < end:
        if raw[at] == _BLOCK:
            size = int.from_bytes(raw[at + 1 : at + 5], "little")
            found.append(Part(raw[payload_at : payload_at + size], 0, None))
            at, payload_at = at + 13, payload_at + size
        elif raw[at] == _GAP:
            found.append(Part(b"", int.from_bytes(raw[at + 1 : at + 9], "little"), raw[at + 9 : at + 41]))
            at += 41
        else:
            raise DamagedError(path.name, _CHANGED)
    if payload_at != len(raw) or not found:
        raise DamagedError(path.name, _CHANGED)
    yield from found[:-1]
    yield found[-1]._replace(after=after)


def _unpacked(packed: bytes, raw_bytes: int, path: Path) -> bytes:
    try:
        return _zstd()(packed, raw_bytes)
    except ImportError:
        what = "is compressed with zstd, and nothing here reads that: install pyarrow, or take Python 3.14"
        raise UnreadableError(path.name, what) from None
    except (OSError, ValueError) as error:
        raise DamagedError(path.name, _CHANGED) from error


def _zstd() -> Callable[[bytes, int], bytes]:
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        codec = importlib.import_module("pyarrow").Codec("zstd")
        return lambda packed, raw_bytes: codec.decompress(packed, raw_bytes, asbytes=True)
    return lambda packed, raw_bytes: module.decompress(packed)
