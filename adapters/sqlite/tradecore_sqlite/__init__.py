"""SQLite read model: tables that people and programs read, projected from the journal alone."""

from tradecore_sqlite.read_model import DatabaseInfo, SqliteReadModel

__all__ = ["DatabaseInfo", "SqliteReadModel"]
