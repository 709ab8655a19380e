"""What is in a file, for a person who wants to use it."""

import re
from pathlib import Path

import msgspec

from tradecore.domain import DataError
from tradecore_files.book_summary import summarize_books
from tradecore_files.capture_summary import summarize_capture
from tradecore_files.dbn_summary import is_dbn, summarize_dbn
from tradecore_files.file_set import FilePaths, files_of
from tradecore_files.json_rows import is_json
from tradecore_files.lean import lean_entry
from tradecore_files.options import FileFormat, ReadOptions
from tradecore_files.raw import is_arrow, is_parquet, read_bytes
from tradecore_files.recorded import form_of, venue_of
from tradecore_files.summary import FileSummary
from tradecore_files.table_summary import summarize_table

_BOOKS = frozenset({"kraken", "kraken_v1", "okx"})
_FIRST_LINE_BYTES = 65_536
# Tables that say something else than they seem to: a word of their header, and what they are.
_OTHER_TABLES = (
    (
        r"(^|,)is_snapshot(,|$)",
        "book_updates",
        "changes of a book, as Tardis keeps them (incremental_book_L2)",
    ),
    (r"asks\[0\]\.price", "book_snapshots", "snapshots of a book, as Tardis keeps them (book_snapshot_n)"),
    (
        r"(^|,)update_type(,|$)",
        "book_updates",
        "changes of a book, as Binance's archive keeps them (T_DEPTH)",
    ),
)
_LEAN_NOTES = ("factor_files", "map_files")
_NUMPY = (b"\x93NUMPY", b"PK\x03\x04")


def inspect(paths: FilePaths, options: ReadOptions | None = None) -> FileSummary:
    """Say what a file, or several as one series, holds; what is wrong is in `problems`, not raised.

    Knows tables of bars, trades, quotes, fundings, mark prices and latencies in every format that is read,
    recorded messages of Binance, Kraken and OKX, and Databento's orders. Of anything else it says what it is,
    as far as that can be told, and that it is not read.

    Raises
    ------
    DataError
        When a file cannot be read at all.
    """
    files = files_of(paths)
    options = options or ReadOptions()
    shown = str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    summary = FileSummary(path=shown, format="csv", kind="unknown", files=len(files))
    if (other := _numpy(files[0])) is not None:
        return _unread(summary, "npz", other)
    if any(folder in files[0].absolute().parts for folder in _LEAN_NOTES):
        return _unread(
            summary, "lean", "splits, dividends or names of a share as LEAN keeps them, and no prices"
        )
    entry = lean_entry(files[0], options.format)
    data = entry.data if entry is not None else read_bytes(files[0])
    if entry is None and (form := form_of(data)):
        return _recorded(files, data, form, summary)
    if is_dbn(data):
        return summarize_dbn(files[0], data, summary)
    file_format = FileFormat.LEAN if entry is not None else _format(data)
    summary = msgspec.structs.replace(summary, format=file_format.value)
    if (table := _other_table(data, file_format)) is not None:
        kind, what = table
        return msgspec.structs.replace(_unread(summary, file_format.value, what), kind=kind)
    return summarize_table(files, summary, options)


def _format(data: bytes) -> FileFormat:
    if is_parquet(data):
        return FileFormat.PARQUET
    if is_arrow(data):
        return FileFormat.ARROW
    return FileFormat.JSON if is_json(data) else FileFormat.CSV


def _recorded(files: tuple[Path, ...], data: bytes, form: str, summary: FileSummary) -> FileSummary:
    """Summarise recorded messages by whose they are."""
    if len(files) > 1:
        raise DataError(summary.path, "are recorded messages; look at one file at a time")
    venue = venue_of(data, form)
    if venue == "binance" and form == "lines":
        return summarize_capture(str(files[0]), data)
    if venue in _BOOKS:
        return summarize_books(files[0], venue, summary)
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    summary = msgspec.structs.replace(summary, kind="messages", rows=lines)
    if venue == "binance":
        what = (
            "messages of Binance as cryptofeed records them, and binance_capture reads `<receive_ns> <json>`"
        )
        return _unread(summary, "binance_cryptofeed", f"{what}: write the time of each so")
    if venue == "unknown":
        if form == "lines":
            return summarize_capture(str(files[0]), data)
        what = "notes of a recorder, without messages of a venue that is known"
        return _unread(summary, form, what)
    return _unread(summary, f"{venue}_capture", f"recorded messages of {venue.capitalize()}")


def _unread(summary: FileSummary, file_format: str, what: str) -> FileSummary:
    """Say what a file is, and that it is not read."""
    end = "" if ": write" in what else "; tradecore does not read it"
    problem = f"{summary.path}: {what}{end}"
    return msgspec.structs.replace(summary, format=file_format, problems=(problem,))


def _numpy(path: Path) -> str | None:
    """Tell whether a file holds numpy arrays, as hftbacktest keeps its events."""
    try:
        with path.open("rb") as file:
            first = file.read(64)
    except (OSError, ValueError):
        # Whatever is wrong with it is said when it is read.
        return None
    is_archive = first.startswith(_NUMPY[1]) and b".npy" in first
    if first.startswith(_NUMPY[0]) or is_archive:
        return "numpy arrays, as hftbacktest keeps events"
    return None


def _other_table(data: bytes, file_format: FileFormat) -> tuple[str, str] | None:
    """Return the kind of a text whose header is that of something else, and what it is."""
    if file_format is not FileFormat.CSV:
        return None
    if data.lstrip().startswith(b"{"):
        return "unknown", "a JSON object, or several; a table in JSON is a list of rows"
    header = data[:_FIRST_LINE_BYTES].split(b"\n", 1)[0].decode(errors="replace").strip().lower()
    return next(((kind, what) for word, kind, what in _OTHER_TABLES if re.search(word, header)), None)
