"""Notifiers, read models and data files: what looks at records and files from outside."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Protocol, TextIO

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.narrator import Narrator
from tradecore.engine import Engine
from tradecore.ports.notifier import Notifier
from tradecore.ports.read_model import ReadModel
from tradecore.ports.read_queries import ReadQueries
from tradecore_api.config.tables import Config
from tradecore_api.engine_status import known_order


class RecentLog(Protocol):
    """The last lines of the log."""

    def lines(self) -> list[str]:
        """Return what is kept, oldest first."""
        ...

    def detach(self) -> None:
        """Listen no more; what was kept stays."""
        ...


def configure_log(config: Config) -> None:
    """Send log events to stderr as the configuration says."""
    from tradecore_log import configure

    configure(level=config.tables.log.level.value, is_json=config.tables.log.json)


def log_as_text() -> None:
    """Send log events to stderr as lines for people: of a command that has no configuration."""
    from tradecore_log import configure

    configure(level="info", is_json=False)


def redirect_log(stream: TextIO) -> TextIO | None:
    """Send log events to another stream; return the one before."""
    from tradecore_log import redirect

    return redirect(stream)


def recent_log(lines_max: int) -> RecentLog:
    """Return the last lines of the log, as many as are asked for, from now on."""
    from tradecore_log import RecentLines

    return RecentLines.attached(lines_max)


def log_notifier(engine: Engine) -> Notifier:
    """Return the notifier that logs committed records; it knows the orders that are open now."""
    from tradecore_log import LogNotifier

    return LogNotifier(narrator_of(engine))


def narrator_of(engine: Engine) -> Narrator:
    """Return what tells the records of an engine in words, from where the engine is now."""
    narrator = Narrator(engine.spec, [binding.name for binding in engine.strategies])
    for row in engine.kernel.open_orders():
        narrator.know(known_order(row))
    return narrator


def open_read_model(
    path: str, journal: JournalFolder, *, busy_seconds_max: float = 5.0, makes_directory: bool = True
) -> Coroutine[None, None, ReadModel]:
    """Return the SQLite read model of a journal at a path, made new when there is none.

    Its calls wait for other programs that hold it, at most so many seconds each.
    """
    from tradecore_sqlite import SqliteReadModel

    return SqliteReadModel.open(
        path,
        busy_seconds_max=busy_seconds_max,
        journal_path=str(journal.absolute),
        makes_directory=makes_directory,
    )


def open_read_queries(path: str) -> Coroutine[None, None, ReadQueries]:
    """Return what answers questions about the read model at a path; it must be there."""
    from tradecore_sqlite import SqliteReadModel

    if not Path(path).is_file():
        raise StorageError(path, "no such read model; `tradecore db rebuild` makes one from a journal")
    return SqliteReadModel.open(path)
