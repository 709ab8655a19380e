"""A `ReadModel` in one SQLite file."""

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiosqlite
import msgspec

from tradecore.domain.errors import StorageError
from tradecore.domain.record import JournalPosition, JournalRecord
from tradecore_sqlite import schema
from tradecore_sqlite.order_rows import OrderRow
from tradecore_sqlite.projection import OF_ORDERS, Changes, SessionRow, order_of

# Before this version two connections in WAL mode can corrupt a database: https://sqlite.org/wal.html#walresetbug
WAL_VERSION_MIN = (3, 51, 3)
BUSY_SECONDS_MAX = 5.0
# How long whoever may try again should wait with it.
RETRY_AFTER_NS = 250_000_000
# Values in one question: any SQLite takes 999.
_ASKED_MAX = 500
# A file with tables, but without our `meta`, is not ours.
_FOREIGN = "SELECT COUNT(*) > 0 AND SUM(name = 'meta') = 0 FROM sqlite_schema WHERE type IN ('table', 'view')"
# Said of a file that is no database: it may be anything, the journal too.
_OTHER_FILE = "name another file, or, if this one is surely an old read model, move it away and rebuild"
_FILLS = (
    "SELECT fills.order_id, fills.venue_time_ns, fills.price_ticks, fills.lots, fills.fee_atto, details "
    "FROM fills JOIN orders USING (order_id) ORDER BY fills.seq"
)
_SIZE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"


# The values of a fill, and those of its order, as the journal has them.
FillOfOrder = tuple[dict[str, object], dict[str, object]]


class DatabaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a read model."""

    path: str
    bytes: int
    sqlite_version: str
    journal_mode: str
    synchronous: str
    next_seq: int
    rows: dict[str, int]
    positions: list[dict[str, int]]
    integrity: str


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

    def __init__(self, connection: aiosqlite.Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._is_open = True

    @classmethod
    async def open(cls, path: str, *, busy_seconds_max: float = BUSY_SECONDS_MAX) -> "SqliteReadModel":
        """Open a read model, made new when there is none.

        Parameters
        ----------
        path : str
            Its file.
        busy_seconds_max : float
            How long a call may wait for another program that holds the file.

        Raises
        ------
        StorageError
            When the file cannot be used or was written by a newer version; with `retry_after_ns` when another
            program holds it.
        """
        opening = asyncio.create_task(cls._open(path, busy_seconds_max))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A connection left half open would keep its thread, and with it the process, for ever.
            (opened,) = await asyncio.gather(opening, return_exceptions=True)
            if isinstance(opened, SqliteReadModel):
                await opened.aclose()
            raise

    @classmethod
    async def _open(cls, path: str, busy_seconds_max: float) -> "SqliteReadModel":
        connection: aiosqlite.Connection | None = None
        try:
            _make_file(Path(path))
            connection = await aiosqlite.connect(path, timeout=busy_seconds_max, isolation_level=None)
            await _prepare(connection, path)
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                await connection.close()
            raise _storage_error(path, error, f"cannot be opened: {error}; {_OTHER_FILE}") from error
        except BaseException:
            if connection is not None:
                await connection.close()
            raise
        return cls(connection, path)

    async def position(self) -> JournalPosition:
        """Return up to where in which journal the tables are."""
        async with self._guarded():
            return await _position(self._connection)
        raise AssertionError

    async def apply(
        self, records: Sequence[JournalRecord], before: JournalPosition, after: JournalPosition, /
    ) -> bool:
        """Take records over and remember the position after them, unless the tables are not at `before`."""
        async with self._guarded(), _transaction(self._connection):
            # Inside the transaction: no other program can move the tables from here on.
            if await _position(self._connection) != before:
                return False
            changes = await self._changes_of(records)
            for table, rows in changes.rows().items():
                marks = ", ".join("?" * len(rows[0]))
                insert = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 - names of our own
                await self._connection.executemany(insert, rows)
            await self._connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'next_seq'", (after.next_seq,)
            )
            await self._connection.execute("UPDATE journal SET head = ?", (after.head,))
        return True

    async def _changes_of(self, records: Sequence[JournalRecord]) -> Changes:
        """Return what records make of the tables as they are now."""
        columns = ", ".join(SessionRow.__struct_fields__)
        newest = f"SELECT {columns} FROM sessions ORDER BY seq DESC LIMIT 1"  # noqa: S608 - names of our own
        sessions = [SessionRow(*row) for row in await self._connection.execute_fetchall(newest)]
        about = {order_of(record) for record in records if record.kind in OF_ORDERS}
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
            asked = order_ids[start : start + _ASKED_MAX]
            marks = ", ".join("?" * len(asked))
            query = f"SELECT {', '.join(names)} FROM orders WHERE order_id IN ({marks})"  # noqa: S608 - as above
            found = await self._connection.execute_fetchall(query, asked)
            orders += [OrderRow(**dict(zip(names, row, strict=True))) for row in found]
        return orders

    async def clear(self) -> None:
        """Empty every table."""
        async with self._guarded(), _transaction(self._connection):
            for name in schema.NAMES:
                await self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own
            await self._connection.execute("UPDATE meta SET value = 0 WHERE key = 'next_seq'")
            await self._connection.execute("UPDATE journal SET head = ''")

    async def info(self) -> DatabaseInfo:
        """Return what is in the tables, the file's integrity checked."""
        connection = self._connection
        async with self._guarded():
            rows = {
                name: await _value(connection, f"SELECT COUNT(*) FROM {name}")  # noqa: S608 - names of our own
                for name in schema.NAMES
            }
            async with connection.execute(
                "SELECT strategy, instrument, lots, fills FROM positions ORDER BY strategy, instrument"
            ) as cursor:
                names = [column[0] for column in cursor.description]
                positions = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
            levels = {0: "off", 1: "normal", 2: "full", 3: "extra"}
            return DatabaseInfo(
                path=self._path,
                bytes=await _value(connection, _SIZE),
                sqlite_version=sqlite3.sqlite_version,
                journal_mode=await _text(connection, "PRAGMA journal_mode"),
                synchronous=levels[await _value(connection, "PRAGMA synchronous")],
                next_seq=await _value(connection, "SELECT value FROM meta WHERE key = 'next_seq'"),
                rows=rows,
                positions=positions,
                integrity=await _text(connection, "PRAGMA integrity_check"),
            )
        raise AssertionError

    async def fills(self) -> tuple[str | None, list[FillOfOrder]]:
        """Return the newest configuration, and every fill with its order, as the journal has them.

        The configuration is `None` while there is no session. Money is in atto units.
        """
        connection = self._connection
        async with self._guarded():
            newest = "SELECT config FROM sessions ORDER BY seq DESC LIMIT 1"
            configs = [str(row[0]) for row in await connection.execute_fetchall(newest)]
            rows = await connection.execute_fetchall(_FILLS)
            return (configs[0] if configs else None), [_fill_with_order(row) for row in rows]
        raise AssertionError

    async def aclose(self) -> None:
        """Let the database go. Calling it twice is harmless."""
        if self._is_open:
            self._is_open = False
            await self._connection.close()

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            what = f"{error}; it can be built again with `tradecore db rebuild`"
            raise _storage_error(self._path, error, what) from error


def _fill_with_order(row: sqlite3.Row) -> FillOfOrder:
    """Return a row of `_FILLS` as the values of a report and those of its order."""
    order_id, time_ns, price_ticks, lots, fee, details = tuple(row)
    fill = {
        "order_id": order_id,
        "venue_time_ns": time_ns,
        "price_ticks": price_ticks,
        "lots": lots,
        "fee": int(fee),
    }
    return fill, msgspec.json.decode(details, type=dict[str, object])


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


def _make_file(path: Path) -> None:
    """Make an empty file for its owner alone, unless there is one that can be written to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    with path.open("rb+"):
        pass


async def _prepare(connection: aiosqlite.Connection, path: str) -> None:
    version = await _checked_version(connection, path)
    mode = "WAL" if sqlite3.sqlite_version_info >= WAL_VERSION_MIN else "DELETE"
    await connection.execute(f"PRAGMA journal_mode = {mode}")
    await connection.execute("PRAGMA synchronous = FULL")
    if version == schema.VERSION:
        return
    async with _transaction(connection):
        # Looked at again: another process may have brought the tables up to date in the meantime.
        version = await _checked_version(connection, path)
        newer = range(version, schema.VERSION)
        changes = [schema.TABLES] if version == 0 else [schema.MIGRATIONS[known] for known in newer]
        # One by one: a script would end the transaction before it begins.
        for statement in "".join(changes).split(";\n"):
            await connection.execute(statement)
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
    return JournalPosition(next_seq, await _text(connection, "SELECT head FROM journal"))


async def _value(connection: aiosqlite.Connection, query: str) -> int:
    async with connection.execute(query) as cursor:
        row = await cursor.fetchone()
    return int(row[0]) if row is not None else 0


async def _text(connection: aiosqlite.Connection, query: str) -> str:
    async with connection.execute(query) as cursor:
        row = await cursor.fetchone()
    return str(row[0]) if row is not None else ""
