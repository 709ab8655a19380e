"""A file's bytes, unpacked when they are packed."""

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path

from tradecore.domain import DataError

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PARQUET = b"PAR1"
# Feather 2 and Arrow IPC files, Feather 1, and a stream of Arrow IPC.
_ARROW = (b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")
UNZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


def read_bytes(path: Path | str) -> bytes:
    """Return what a file holds; gzip, zip (with one file inside) and zstd are told by their first bytes.

    Raises
    ------
    DataError
        When the file cannot be read or unpacked.
    """
    where = str(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError(where, "there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise DataError(where, f"cannot be read: {error}") from error
    if data.startswith(_GZIP):
        data = _gunzip(where, data)
    elif data.startswith(_ZIP):
        data = _unzip(where, data)
    elif data.startswith(_ZSTD):
        data = _unzstd(where, data)
    elif where.endswith((".gz", ".zip")) and data:
        raise DataError(
            where, f"begins with {data[:4]!r}, which is neither gzip nor zip; unpack it or rename it"
        )
    if not data.strip():
        raise DataError(where, "the file is empty")
    return data


def is_parquet(data: bytes) -> bool:
    """Tell whether these are the bytes of a Parquet file."""
    return data.startswith(_PARQUET)


def is_arrow(data: bytes) -> bool:
    """Tell whether these are the bytes of a Feather file or of Arrow IPC."""
    return data.startswith(_ARROW)


def _gunzip(where: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error, OSError) as error:
        raise DataError(where, f"damaged or cut gzip: {error}; fetch the file again") from error


def _unzstd(where: str, data: bytes) -> bytes:
    try:
        import pyarrow as pa
    except ImportError:
        raise DataError(where, "zstd needs pyarrow: pip install 'tradecore-files[parquet]'") from None
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as unpacked:
            return bytes(unpacked.read())
    except (pa.ArrowException, OSError) as error:
        raise DataError(where, f"damaged or cut zstd: {error}; fetch the file again") from error


def _unzip(where: str, data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) == 1:
                return archive.read(files[0])
    except UNZIP_ERRORS as error:
        raise DataError(where, f"damaged or cut zip: {error}; fetch the file again") from error
    names = ", ".join(entry.filename for entry in files[:5])
    raise DataError(where, f"must hold one file and holds {len(files)} ({names}); unpack the one you want")
