"""SQLite read model: tables that people and programs read, projected from the journal alone."""

from tradecore_sqlite.read_model import SqliteReadModel

__all__ = ["SqliteReadModel"]
