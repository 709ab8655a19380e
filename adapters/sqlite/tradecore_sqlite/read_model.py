"""A `ReadModel` in one SQLite file."""

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import aiosqlite
import msgspec

from tradecore.domain.equity_point import EquityPoint
from tradecore.domain.errors import StorageError
from tradecore.domain.questions import Page, Question, ReadModelState
from tradecore.domain.record import JournalPosition, JournalRecord
from tradecore_sqlite import schema
from tradecore_sqlite.answers import Answers
from tradecore_sqlite.equity_rows import account_rows, equity_rows
from tradecore_sqlite.order_rows import OrderRow
from tradecore_sqlite.projection import Changes, SessionRow, order_of
from tradecore_sqlite.readable import readable_of

# Before this version two connections in WAL mode can corrupt a database: https://sqlite.org/wal.html#walresetbug
WAL_VERSION_MIN = (3, 51, 3)
BUSY_SECONDS_MAX = 5.0
# How long whoever may try again should wait with it.
RETRY_AFTER_NS = 250_000_000
# Values in one question, a power of two: any SQLite takes 999.
_ASKED_MAX = 512
# A file with tables, but without our `meta`, is not ours.
_FOREIGN = "SELECT COUNT(*) > 0 AND SUM(name = 'meta') = 0 FROM sqlite_schema WHERE type IN ('table', 'view')"
# Said of a file that is no database: it may be anything, the journal too.
_OTHER_FILE = "name another file, or, if this one is surely an old read model, move it away and rebuild"
_NEWEST_CONFIG = "SELECT config FROM sessions ORDER BY seq DESC LIMIT 1"
_HIGHEST = "SELECT highest_profit_atto FROM equity ORDER BY seq DESC LIMIT 1"
_SIZE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"


_Row = TypeVar("_Row")
_APPLICATION_BYTES = schema.APPLICATION_ID.to_bytes(4, "big")


class SqliteReadModel:
    """Tables projected from a journal: one connection, one transaction a group, durable when it returns.

    Write-ahead logging is used only with a SQLite that is safe with several connections (3.51.3 and
    later); before that the rollback journal, so that `tradecore db info` may look at any time.

    Parameters
    ----------
    connection : aiosqlite.Connection
        Open connection; use `open`.
    path : str
        Its file.
    """

    def __init__(
        self, connection: aiosqlite.Connection, path: str, busy_seconds_max: float, journal_path: str
    ) -> None:
        self._connection = connection
        self._path = path
        self._busy_seconds_max = busy_seconds_max
        self._journal_path = journal_path
        self._is_open = True
        self._answers = Answers()
        # How the file was when this connection looked at it last.
        self._seen = _identity(path)

    @classmethod
    async def open(
        cls,
        path: str,
        *,
        busy_seconds_max: float = BUSY_SECONDS_MAX,
        journal_path: str = "",
        makes_directory: bool = True,
    ) -> "SqliteReadModel":
        """Open a read model, made new when there is none.

        Parameters
        ----------
        path : str
            Its file.
        busy_seconds_max : float
            How long a call may wait for another program that holds the file.
        journal_path : str
            Journal that is to be projected; noted in the tables, for whoever asks what they are of.
        makes_directory : bool
            Make its directory where there is none.

        Raises
        ------
        StorageError
            When the file cannot be used or was written by a newer version; with `retry_after_ns` when another
            program holds it.
        """
        connection = await _uncut(_connected(path, busy_seconds_max, makes_directory=makes_directory))
        return cls(connection, path, busy_seconds_max, journal_path)

    async def position(self) -> JournalPosition:
        """Return up to where in which journal the tables are; of none where rows of two are in them."""
        async with self._guarded():
            await self._renew_if_changed()
            position = await _position(self._connection)
            is_mixed = await _has_rows_from(self._connection, position.next_seq)
            return msgspec.structs.replace(position, first="mixed") if is_mixed else position
        raise AssertionError

    async def apply(
        self,
        records: Sequence[JournalRecord],
        before: JournalPosition,
        after: JournalPosition,
        points: Sequence[EquityPoint] = (),
        /,
    ) -> bool:
        """Take records over and remember the position after them, unless the tables are not at `before`."""
        async with self._guarded():
            await self._renew_if_changed()
            try:
                return await self._applied(records, before, after, points)
            finally:
                self._seen = await asyncio.to_thread(_identity, self._path)
        raise AssertionError

    async def _applied(
        self,
        records: Sequence[JournalRecord],
        before: JournalPosition,
        after: JournalPosition,
        points: Sequence[EquityPoint],
    ) -> bool:
        async with _transaction(self._connection):
            # Inside the transaction: no other program can move the tables from here on.
            if await _position(self._connection) != before:
                return False
            written = (await self._changes_of(records)).rows()
            if points:
                highest = int(await _text(self._connection, _HIGHEST) or 0)
                written["equity"] = [*equity_rows(points, highest)]
                written["account_equity"] = [*account_rows(points)]
            for table, rows in ((table, rows) for table, rows in written.items() if rows):
                marks = ", ".join("?" * len(rows[0]))
                insert = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 - names of our own
                await self._connection.executemany(insert, rows)
            await self._connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'next_seq'", (after.next_seq,)
            )
            await self._connection.execute("UPDATE journal SET head = ?", (after.head,))
            source = (after.first, self._journal_path)
            await self._connection.execute("UPDATE source SET first = ?, path = ?", source)
        return True

    async def _renew_if_changed(self) -> None:
        """Connect again where another program has changed the file: a copy may have been put in its place.

        SQLite keeps pages in memory for as long as a counter in the file is the same. A copy of other tables
        may have the same counter, and its pages would be mixed with those in memory.
        """
        seen = await asyncio.to_thread(_identity, self._path)
        if seen == self._seen:
            return
        if seen is None or self._seen is None or seen[:2] != self._seen[:2]:
            raise StorageError(
                self._path, "read model: the file was removed or replaced while in use", RETRY_AFTER_NS
            )
        renewed = await _uncut(_connected(self._path, self._busy_seconds_max, makes_directory=False))
        before, self._connection = self._connection, renewed
        await before.close()
        self._seen = await asyncio.to_thread(_identity, self._path)

    async def _changes_of(self, records: Sequence[JournalRecord]) -> Changes:
        """Return what records make of the tables as they are now."""
        columns = ", ".join(SessionRow.__struct_fields__)
        newest = f"SELECT {columns} FROM sessions ORDER BY seq DESC LIMIT 1"  # noqa: S608 - names of our own
        sessions = [SessionRow(*row) for row in await self._connection.execute_fetchall(newest)]
        about = {order_id for record in records if (order_id := order_of(record)) is not None}
        changes = Changes(await self._orders(sorted(about)), sessions[0] if sessions else None)
        for record in records:
            changes.take(record)
        return changes

    async def _orders(self, order_ids: Sequence[int]) -> list[OrderRow]:
        """Read the rows of orders; those that are not there yet are left out."""
        names = OrderRow.__struct_fields__
        found: Iterable[sqlite3.Row] = ()
        orders = []
        for start in range(0, len(order_ids), _ASKED_MAX):
            asked = list(order_ids[start : start + _ASKED_MAX])
            # A prepared statement takes up to 60 KiB, and 128 of them are kept: those with a power of two of
            # values are ten. What is asked for twice is found once.
            many = 1 << (len(asked) - 1).bit_length()
            asked += asked[-1:] * (many - len(asked))
            marks = ", ".join("?" * many)
            query = f"SELECT {', '.join(names)} FROM orders WHERE order_id IN ({marks})"  # noqa: S608 - as above
            found = await self._connection.execute_fetchall(query, asked)
            orders += [OrderRow(**dict(zip(names, row, strict=True))) for row in found]
        return orders

    async def clear(self) -> None:
        """Empty every table, so that another journal can be projected from its first record on."""
        async with self._guarded(), _transaction(self._connection):
            for name in schema.NAMES:
                await self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own
            await self._connection.execute("UPDATE meta SET value = 0 WHERE key = 'next_seq'")
            await self._connection.execute("UPDATE journal SET head = ''")
            await self._connection.execute("UPDATE source SET first = ''")

    async def ask(self, question: Question[_Row], /) -> Page[_Row]:
        """Answer a question of `tradecore.domain.questions` from one moment of the tables."""
        async with self._guarded(), _one_moment(self._connection):
            return await self._answers.to(self._connection, question, self._path)
        raise AssertionError

    async def state(self) -> ReadModelState:
        """Say which journal the tables are of, up to where, and whether they are well."""
        async with self._guarded(), _one_moment(self._connection):
            connection = self._connection
            configs = await connection.execute_fetchall(_NEWEST_CONFIG)
            config = next((str(row[0]) for row in configs), None)
            return ReadModelState(
                journal=await _text(connection, "SELECT path FROM source"),
                position=await _position(connection),
                time_ns=await _newest_ns(connection),
                config=config,
                currency=readable_of(config or "").currency,
                integrity=await self._integrity(),
                rows={
                    name: await _value(connection, f"SELECT COUNT(*) FROM {name}")  # noqa: S608 - names of our own
                    for name in schema.NAMES
                },
                storage=await self._storage(),
            )
        raise AssertionError

    async def _storage(self) -> dict[str, str | int]:
        levels = {0: "off", 1: "normal", 2: "full", 3: "extra"}
        return {
            "path": self._path,
            "bytes": await _value(self._connection, _SIZE),
            "sqlite_version": sqlite3.sqlite_version,
            "journal_mode": await _text(self._connection, "PRAGMA journal_mode"),
            "synchronous": levels[await _value(self._connection, "PRAGMA synchronous")],
        }

    async def _integrity(self) -> str:
        """Return `ok`, or what is wrong with the file or with what is in it, in words."""
        found = await _text(self._connection, "PRAGMA integrity_check")
        position = await _position(self._connection)
        if found == "ok" and await _has_rows_from(self._connection, position.next_seq):
            return (
                f"rows from record {position.next_seq} on are not of the journal whose tables these are: "
                "build them again with `tradecore db rebuild`"
            )
        return found

    async def aclose(self) -> None:
        """Let the database go. Calling it twice is harmless."""
        if self._is_open:
            self._is_open = False
            await self._connection.close()

    async def _set_aside(self) -> str:
        """Keep a damaged file of ours under another name; return that, or nothing where it has to stay."""
        await self.aclose()
        return await asyncio.to_thread(_set_aside, Path(self._path))

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if _is_damage(error) and (kept := await self._set_aside()):
                what = f"read model: {error}; it is kept as {kept}, and built anew from the journal"
                raise StorageError(self._path, what, RETRY_AFTER_NS) from error
            what = f"{error}; it can be built again with `tradecore db rebuild`"
            raise _storage_error(self._path, error, what) from error


def _storage_error(path: str, error: BaseException, otherwise: str) -> StorageError:
    """Say what kept us from the file and what to do; `retry_after_ns` where waiting may be enough."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return StorageError(path, "read model: the file was removed or replaced while in use", RETRY_AFTER_NS)
    if isinstance(error, OSError):
        is_denied = isinstance(error, PermissionError) or error.errno == errno.EROFS
        way = "let this user write to it and to its directory, or " if is_denied else ""
        return StorageError(
            path, f"read model: cannot be opened: {error.strerror or error}; {way}name another file"
        )
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            what = f"{error}: another program holds it; wait until it is done, or end it, and try again"
            return StorageError(path, f"read model: {what}", RETRY_AFTER_NS)
        case sqlite3.SQLITE_READONLY:
            what = f"{error}: let this user write to it and to its directory, or name another database.path"
            return StorageError(path, f"read model: {what}")
        case sqlite3.SQLITE_FULL:
            what = f"{error}: make room on its disk, then `tradecore db rebuild`"
            return StorageError(path, f"read model: {what}")
    return StorageError(path, f"read model: {otherwise}")


@asynccontextmanager
async def _transaction(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    try:
        # Inside: one that is cancelled while it waits has begun all the same.
        await connection.execute("BEGIN IMMEDIATE")
        yield
        # Inside: readers of the file can keep a commit from its end, and leave the transaction open.
        await connection.execute("COMMIT")
    except BaseException:
        # An error here says that nothing was begun; the first error is the one to tell.
        with suppress(sqlite3.OperationalError):
            await connection.execute("ROLLBACK")
        raise


@asynccontextmanager
async def _one_moment(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """Read the tables as they are at one moment, whatever is written meanwhile."""
    await connection.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.OperationalError):
            await connection.execute("ROLLBACK")


async def _newest_ns(connection: aiosqlite.Connection) -> int | None:
    newest = " UNION ALL ".join(
        f"SELECT MAX(time_ns) AS time_ns FROM {name}"  # noqa: S608 - names of our own
        for name in schema.NAMES
        if name not in {"sessions", "opening_lots"}
    )
    query = f"SELECT MAX(time_ns) FROM ({newest})"  # noqa: S608 - as above
    (row,) = await connection.execute_fetchall(query)
    return None if row[0] is None else int(row[0])


async def _uncut(
    connecting: Coroutine[None, None, aiosqlite.Connection],
) -> aiosqlite.Connection:
    """Return a new connection, or none at all.

    One left half open would keep its thread, and with it the process, for ever.
    """
    opening = asyncio.create_task(connecting)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        (opened,) = await asyncio.gather(opening, return_exceptions=True)
        if isinstance(opened, aiosqlite.Connection):
            await opened.close()
        raise


async def _connected(path: str, busy_seconds_max: float, *, makes_directory: bool) -> aiosqlite.Connection:
    """Return a connection to a read model, made new when there is none.

    A damaged one of ours is kept under another name and made new: the journal has all that was in it.
    """
    connection: aiosqlite.Connection | None = None
    try:
        await asyncio.to_thread(_make_file, Path(path), makes_directory=makes_directory)
        connection = await aiosqlite.connect(path, timeout=busy_seconds_max, isolation_level=None)
        await _prepare(connection, path)
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            await connection.close()
        if _is_damage(error) and (kept := await asyncio.to_thread(_set_aside, Path(path))):
            what = f"read model: {error}; it is kept as {kept}, and built anew from the journal"
            raise StorageError(path, what, RETRY_AFTER_NS) from error
        raise _storage_error(path, error, f"cannot be opened: {error}; {_OTHER_FILE}") from error
    except BaseException:
        if connection is not None:
            await connection.close()
        raise
    return connection


def _is_damage(error: BaseException) -> bool:
    """Tell whether an error says that the file is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _set_aside(path: Path) -> str:
    """Rename a damaged read model of ours; return its new name, or nothing where it may be anything else."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
        is_ours = header.startswith(b"SQLite format 3\0") and header[68:72] == _APPLICATION_BYTES
        if not is_ours:
            return ""
        number = 1
        while (target := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        path.rename(target)
    except OSError:
        return ""
    # What belonged to it must not be taken for that of the new file.
    for suffix in ("-journal", "-wal", "-shm"):
        with suppress(OSError):
            beside = path.with_name(path.name + suffix)
            beside.rename(target.with_name(target.name + suffix))
    return target.name


def _identity(path: str) -> tuple[int, int, int, int] | None:
    """Return which file is there and how it was changed last; `None` for no file."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


async def _has_rows_from(connection: aiosqlite.Connection, next_seq: int) -> bool:
    """Tell whether there are rows of records that the tables have not come to yet."""
    newest = " UNION ALL ".join(f"SELECT MAX(seq) AS seq FROM {name}" for name in schema.BY_SEQ)  # noqa: S608 - ours
    query = f"SELECT COALESCE(MAX(seq), -1) FROM ({newest})"  # noqa: S608 - names of our own
    return await _value(connection, query) >= next_seq


def _make_file(path: Path, *, makes_directory: bool) -> None:
    """Make an empty file for its owner alone, unless there is one that can be written to."""
    if makes_directory:
        path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    with path.open("rb+"):
        pass


async def _prepare(connection: aiosqlite.Connection, path: str) -> None:
    version = await _checked_version(connection, path)
    mode = "WAL" if sqlite3.sqlite_version_info >= WAL_VERSION_MIN else "DELETE"
    await connection.execute(f"PRAGMA journal_mode = {mode}")
    # FULL leaves it open whether the end of a commit is safe where that is the removal of a file.
    await connection.execute("PRAGMA synchronous = EXTRA")
    if version == schema.VERSION:
        return
    # Whoever finds the file damaged later knows by its header that it may be made anew.
    async with _transaction(connection):
        # Looked at again: another process may have brought the tables up to date in the meantime.
        version = await _checked_version(connection, path)
        newer = range(version, schema.VERSION)
        changes = [schema.TABLES] if version == 0 else [schema.MIGRATIONS[known] for known in newer]
        # One by one: a script would end the transaction before it begins.
        for statement in "".join(changes).split(";\n"):
            await connection.execute(statement)
        await connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        await connection.execute(f"PRAGMA user_version = {schema.VERSION}")


async def _checked_version(connection: aiosqlite.Connection, path: str) -> int:
    """Return the version of the tables, 0 before there are any."""
    version = await _value(connection, "PRAGMA user_version")
    if version > schema.VERSION:
        raise StorageError(path, f"read model has version {version}, this program knows {schema.VERSION}")
    if await _value(connection, _FOREIGN):
        raise StorageError(path, "is a database of something else and was left as it is; name another file")
    return version


async def _position(connection: aiosqlite.Connection) -> JournalPosition:
    next_seq = await _value(connection, "SELECT value FROM meta WHERE key = 'next_seq'")
    head = await _text(connection, "SELECT head FROM journal")
    return JournalPosition(next_seq, head, await _text(connection, "SELECT first FROM source"))


async def _value(connection: aiosqlite.Connection, query: str) -> int:
    async with connection.execute(query) as cursor:
        row = await cursor.fetchone()
    return int(row[0]) if row is not None else 0


async def _text(connection: aiosqlite.Connection, query: str) -> str:
    async with connection.execute(query) as cursor:
        row = await cursor.fetchone()
    return str(row[0]) if row is not None else ""
