"""Notifiers, read models and data files: what looks at records and files from outside."""

import msgspec

from tradecore.ports.notifier import Notifier
from tradecore.ports.read_model import ReadModel
from tradecore_api.config.tables import (
    Config,
)


def configure_log(config: Config) -> None:
    """Send log events to stderr as the configuration says."""
    from tradecore_log import configure

    configure(level=config.tables.log.level.value, is_json=config.tables.log.json)


def log_notifier() -> Notifier:
    """Return the notifier that logs committed records."""
    from tradecore_log import LogNotifier

    return LogNotifier()


async def open_read_model(path: str, *, busy_seconds_max: float = 5.0) -> ReadModel:
    """Return the SQLite read model at a path, made new when there is none.

    Its calls wait for other programs that hold it, at most so many seconds each.
    """
    from tradecore_sqlite import SqliteReadModel

    return await SqliteReadModel.open(path, busy_seconds_max=busy_seconds_max)


async def database_info(path: str) -> dict[str, object]:
    """Return what is in a read model."""
    from tradecore_sqlite import SqliteReadModel

    read_model = await SqliteReadModel.open(path)
    try:
        found: dict[str, object] = msgspec.to_builtins(await read_model.info())
        return found
    finally:
        await read_model.aclose()
