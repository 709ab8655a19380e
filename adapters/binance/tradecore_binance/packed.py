"""Bytes of a file in pieces, unpacked on the way; what comes before damage is delivered first."""

import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path

from tradecore.domain import DataError

_READ_BYTES = 1 << 18
_PIECE_BYTES_MAX = 1 << 20
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


def pieces_of(path: Path) -> Generator[bytes, None, None]:
    """Yield what a file holds; gzip and zip (with one file inside) are told by their first bytes.

    The file is open until the last piece has been taken or the generator is closed.

    Raises
    ------
    DataError
        Where the file cannot be read or unpacked any further.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic.startswith(_GZIP):
                yield from _gunzip(path, iter(lambda: file.read(_READ_BYTES), b""))
            elif magic.startswith(_ZIP):
                yield from _unzip(path)
            elif path.suffix in {".gz", ".zip"}:
                raise DataError(
                    str(path), f"begins with {magic!r}, neither gzip nor zip; unpack it or rename it"
                )
            else:
                yield from iter(lambda: file.read(_READ_BYTES), b"")
    except FileNotFoundError:
        raise DataError(str(path), "there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise DataError(str(path), f"cannot be read: {error}") from error


def _gunzip(path: Path, packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack a gzip file of one or more members."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for piece in packed:
            data = piece
            while data:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=31)
                # A bounded output, so that damage further on takes nothing away from what is before it.
                yield unpacker.decompress(data, _PIECE_BYTES_MAX)
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise DataError(str(path), f"damaged gzip: {error}; fetch the file again") from error
    if not unpacker.eof:
        raise DataError(str(path), "the gzip file ends early; fetch it again")


def _unzip(path: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) != 1:
                raise DataError(str(path), f"must hold one file and holds {len(files)}")
            with archive.open(files[0]) as file:
                yield from iter(lambda: file.read(_READ_BYTES), b"")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(str(path), f"damaged zip: {error}; fetch the file again") from error
