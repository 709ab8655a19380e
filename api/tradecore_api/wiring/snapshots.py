"""Which snapshot a start goes on from, and who makes the next ones."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tradecore.domain.errors import ConfigError, DataError, StorageError, TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.snapshot import Snapshot
from tradecore.engine import Engine
from tradecore.runtime import SessionConfig
from tradecore.runtime.recovery import Recovered, recover, recover_from
from tradecore.runtime.snapshots import SnapshotKeeper, SnapshotSettings, unfit
from tradecore.strategy.code import code_of
from tradecore_api.config.journal_table import Restart
from tradecore_api.config.tables import Config
from tradecore_api.version import VERSION

log = logging.getLogger("tradecore.snapshots")


class Start(NamedTuple):
    """A fresh engine, and how its journal names it."""

    engine: Engine
    identity: SessionConfig


class Found(NamedTuple):
    """The snapshots beside a journal that can be read, the newest first, and why others cannot."""

    snapshots: tuple[tuple[str, Snapshot], ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def from_seq(self) -> int:
        """The record at which the newest stands, 0 without one."""
        return self.snapshots[0][1].head.seq if self.snapshots else 0


def found(config: Config, folder: JournalFolder) -> Found:
    """Return the snapshots beside a journal; none where a start is to replay all of it."""
    if config.tables.journal.restart is not Restart.SNAPSHOT:
        return Found()
    files, readable, passed_over = folder.snapshots, [], []
    for path in files.paths():
        try:
            readable.append((path.name, files.read(path)))
        except DataError as error:
            passed_over.append(_not_used(str(error)))
    return Found(tuple(readable), tuple(passed_over))


def brought_to_end(
    config: Config, folder: JournalFolder, start: Callable[[], Start], first: Start, known: Found
) -> tuple[Start, Recovered]:
    """Bring a fresh engine to a journal's end: from the newest usable snapshot, else from its start.

    A snapshot is no more than a short cut. One that is damaged, of another journal or further than the
    journal, and one whose engine does not make the recorded bytes again, is passed over and said.

    Parameters
    ----------
    config : Config
        What runs.
    folder : JournalFolder
        The journal.
    start : callable
        Makes an engine and its strategies anew.
    first : Start
        The one that is made already.
    known : Found
        The snapshots.

    Raises
    ------
    ConfigError, StorageError, BrokenInvariantError
        As of `recover`.
    """
    passed_over = list(known.passed_over)
    codes = codes_of(config)
    needs_last = config.tables.history is not None
    current = first
    journal_is = folder.first_hash() if known.snapshots else ""
    for name, snapshot in known.snapshots:
        why = unfit(snapshot, current.engine, codes, journal_is)
        if not why and needs_last and snapshot.head.progress.last_trades is None:
            why = "it does not say what the feed brought last"
        if not why:
            try:
                recovered = recover_from(folder, current.engine, current.identity, snapshot)
            except (ConfigError, StorageError):
                raise
            except TradecoreError as error:
                why, current = str(error), start()
            else:
                return current, _told(recovered, passed_over)
        passed_over.append(_not_used(f"{name}: {why}"))
    with telling(passed_over):
        recovered = recover(folder, current.engine, current.identity)
    return current, _told(recovered, passed_over)


@contextmanager
def telling(passed_over: Sequence[str]) -> Iterator[None]:
    """Say why snapshots were passed over where a start fails without them.

    A start that succeeds says so itself. One that fails may need no more than a snapshot that is mended, or
    fetched from a backup.
    """
    try:
        yield
    except TradecoreError:
        for words in passed_over:
            log.warning("snapshot_passed_over", extra={"words": words})
        raise


def keeper_of(config: Config, folder: JournalFolder) -> SnapshotKeeper:
    """Return who makes the snapshots of a session."""
    settings = SnapshotSettings(
        events=config.tables.journal.snapshot_events, codes=codes_of(config), version=VERSION
    )
    return SnapshotKeeper(
        folder, settings, lambda words: log.warning("snapshot_failed", extra={"words": words})
    )


def codes_of(config: Config) -> tuple[str, ...]:
    """Return the hash of the code of each strategy; empty for one that has no file."""
    return tuple(_code(config, strategy.reference, strategy.key) for strategy in config.strategies)


def _code(config: Config, reference: str, key: str) -> str:
    try:
        base = Path(config.source).absolute().parent
        return code_of(reference, source=config.source, key=f"{key}.class", base=base).digest
    except ConfigError:
        return ""


def _not_used(words: str) -> str:
    return f"a snapshot was not used: {words}"


def _told(recovered: Recovered, passed_over: list[str]) -> Recovered:
    return recovered.having_passed(passed_over)
