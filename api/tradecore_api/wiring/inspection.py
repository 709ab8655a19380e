"""What a file holds, whatever tradecore reads or writes."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from tradecore.domain.journal import JournalFolder
from tradecore_api.summary import INTACT
from tradecore_api.wiring import snippets

DAMAGED = "damaged"
_SQLITE = b"SQLite format 3\0"
# Tables that a read model of ours has; see `tradecore_sqlite.schema`.
_READ_MODEL = frozenset({"meta", "sessions", "orders", "fills"})


def inspect_data(paths: Sequence[str]) -> dict[str, object]:
    """Return what a file, or several of one series, holds.

    Raises
    ------
    DataError
        When a file cannot be read at all.
    """
    only = Path(paths[0])
    if len(paths) == 1 and only.is_file():
        if (journal := JournalFolder(paths[0])).is_journal():
            return _journal(journal)
        if _first_bytes(only) == _SQLITE:
            return _database(paths[0])
    return _data(paths)


def _data(paths: Sequence[str]) -> dict[str, object]:
    """Return what files of market data hold."""
    from tradecore_files import inspect

    summary = inspect(list(paths))
    found: dict[str, object] = msgspec.to_builtins(summary)
    if summary.format == "binance_capture" and summary.symbols:
        from tradecore_binance.capture_contents import capture_contents

        contents = capture_contents(paths[0])
        found["market"] = contents.market.value
        found["instruments"] = [
            {
                "symbol": instrument.symbol,
                "tick_size": instrument.tick_size,
                "lot_size": instrument.lot_size,
                "book_levels_max": None,
            }
            for instrument in contents.instruments
        ]
    found["use"] = snippets.use_of(found, paths)
    return found


def _journal(journal: JournalFolder) -> dict[str, object]:
    """Count the records of a journal by kind, as far as it is whole."""
    path, finding = journal.where, journal.verify()
    times: list[int] = []
    kinds: Counter[str] = Counter()
    if finding.status != DAMAGED:
        for _, time_ns, kind, _ in journal.reader():
            kinds[kind] += 1
            # The first version of the behaviour knew no time for the mark of a session, and wrote 0.
            if time_ns or kind != "session":
                times = [times[0] if times else time_ns, time_ns]
    found: dict[str, object] = {
        "path": path,
        "format": "journal",
        "kind": "records",
        "rows": finding.records,
        "first_time_ns": times[0] if times else None,
        "last_time_ns": times[-1] if times else None,
        "messages": dict(sorted(kinds.items())),
        "problems": [] if finding.status == INTACT else [f"{path}: {finding.message}"],
    }
    return found | {"use": snippets.use_of(found, [path])}


def _database(path: str) -> dict[str, object]:
    """Count the rows of a read model; the file is opened to be read only."""
    found: dict[str, object] = {"path": path, "format": "sqlite", "kind": "unknown", "rows": 0}
    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            names = [
                name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            ]
            if not set(names) >= _READ_MODEL:
                what = "an SQLite database that is no read model of tradecore; it is not read"
                return found | {"problems": [f"{path}: {what}"]}
            # The names are those that the database itself gives, quoted.
            counts = {
                name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - see above
                for name in sorted(names)
            }
    except sqlite3.Error as error:
        return found | {"problems": [f"{path}: an SQLite database that cannot be read: {error}"]}
    found |= {"kind": "read_model", "rows": sum(counts.values()), "messages": counts, "problems": []}
    return found | {"use": snippets.use_of(found, [path])}


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))
