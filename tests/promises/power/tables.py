"""The tables of the read model, filled from a journal that is written beside them."""

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
from functools import partial
from pathlib import Path

import aiosqlite

from promises.power import traded
from promises.power.said import Said, Say
from promises.power.told import newest
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.projector import Projector
from tradecore_sqlite import SqliteReadModel, read_model

WHAT = "tables of the read model beside their journal"
SHARE = 0.24
NAME, JOURNAL = "readmodel.sqlite", "main.journal"
_SLICES = 12
_GROUP = 40
_CREATED_NS = 1
# Tells where the tables are of; the place is another one for each image.
_NOT_COMPARED = "source"
_PREPARE = read_model._prepare


def write(directory: Path, say: Say, seed: str, pragma: str = "") -> None:
    """Write both, in a process that is recorded; a `pragma` of SQLite plants a fault."""
    groups = traded.groups(traded.frames(_SLICES), _GROUP, int(seed))
    asyncio.run(_write(directory, say, groups, pragma))


async def _write(directory: Path, say: Say, groups: list[tuple[bytes, ...]], pragma: str) -> None:
    folder = JournalFolder(directory / JOURNAL)
    writer = folder.writer(_CREATED_NS)
    if pragma:
        read_model._prepare = partial(_weak, pragma=pragma)
    tables = await SqliteReadModel.open(str(directory / NAME), journal_path=folder.where)
    projector = Projector(folder, tables)
    for number, group in enumerate(groups):
        writer.append(b"".join(group))
        writer.commit(number % 3 != 0)
        if number % 3:
            say(ended="commit", records=writer.records)
        await projector.catch_up()
        say(ended="project", records=(await tables.position()).next_seq)
    await tables.aclose()
    writer.close()


class Judge:
    """Opens the tables and lets the projector bring them up to their journal, as the next start does."""

    def __init__(self, seed: int) -> None:
        self._frames = traded.frames(_SLICES)
        self._known: dict[int, str] = {}

    def faults(self, image: Path, said: Said) -> list[str]:
        """Return what is wrong with an image."""
        found = asyncio.run(self._faults(image, said))
        aside = [path.name for path in image.glob("*.damaged-*")]
        return [*found, f"set aside as damaged: {aside}"] if aside else found

    async def _faults(self, image: Path, said: Said) -> list[str]:
        folder = JournalFolder(image / JOURNAL)
        writer = folder.writer(_CREATED_NS)
        writer.close()
        safe = newest(said, "commit")
        if writer.records < safe:
            return [f"{safe - writer.records} records of the journal are lost"]
        tables = await SqliteReadModel.open(str(image / NAME), journal_path=folder.where)
        try:
            integrity, position = (await tables.state()).integrity, await tables.position()
            if integrity != "ok":
                return [f"the tables are damaged: {integrity}"]
            found = []
            if position.next_seq < newest(said, "project"):
                found += [
                    f"the tables are at {position.next_seq}, were said to be at {newest(said, 'project')}"
                ]
            if _digest(image / NAME) != await self._expected(position.next_seq):
                found += [f"the tables at {position.next_seq} are not those of the journal up to there"]
            await Projector(folder, tables).catch_up()
            if _digest(image / NAME) != await self._expected(writer.records):
                found += ["the projector has not made of them what the journal says"]
        finally:
            await tables.aclose()
        return found

    async def _expected(self, records: int) -> str:
        """Return what is in tables that were made of so many records in one piece."""
        if records not in self._known:
            directory = Path(tempfile.mkdtemp(prefix="tables-"))
            try:
                folder = JournalFolder(directory / JOURNAL)
                writer = folder.writer(_CREATED_NS)
                writer.append(b"".join(self._frames[:records]))
                writer.close()
                tables = await SqliteReadModel.open(str(directory / NAME), journal_path=folder.where)
                await Projector(folder, tables).catch_up()
                await tables.aclose()
                self._known[records] = _digest(directory / NAME)
            finally:
                shutil.rmtree(directory)
        return self._known[records]


async def _weak(connection: aiosqlite.Connection, path: str, pragma: str) -> None:
    """Prepare a connection as ever, and then let SQLite sync less."""
    await _PREPARE(connection, path)
    await connection.execute(f"PRAGMA {pragma}")


def _digest(path: Path) -> str:
    """Return a hash of every row of every table, but where the tables are of."""
    digest = hashlib.sha256()
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        kinds = (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
        for (name,) in connection.execute(kinds).fetchall():
            if name != _NOT_COMPARED:
                rows = connection.execute(f"SELECT * FROM {name}").fetchall()
                digest.update(repr((name, sorted(rows, key=repr))).encode())
    finally:
        connection.close()
    return digest.hexdigest()
