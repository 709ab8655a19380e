"""Reads the tables of a read model, and makes them anew from a journal."""

import asyncio
import sqlite3

from tradecore.domain.journal import JournalFolder
from tradecore.runtime import Projector
from tradecore_sqlite import SqliteReadModel, schema


def rebuilt(journal, path):
    """Project a journal into a new file and return every row of it."""

    async def project():
        read_model = await SqliteReadModel.open(str(path))
        try:
            await Projector(JournalFolder(journal), read_model).catch_up()
        finally:
            await read_model.aclose()

    asyncio.run(project())
    return rows_of(path)


def rows_of(path):
    """Return every row of every table, and which journal they are of, as dictionaries."""
    connection = sqlite3.connect(path)
    try:
        connection.row_factory = sqlite3.Row
        names = (*schema.NAMES, "positions", "meta", "journal")
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}
    finally:
        connection.close()
