"""Runs that are compared: of a journal, and of another one or of a backtest over the market of the first."""

from pathlib import Path

import msgspec

from tradecore.backtest.compared_run import ComparedRun, RunReader
from tradecore.domain.errors import ConfigError, DataError, StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.unreadable import UNREADABLE
from tradecore.runtime import SessionConfig, frames
from tradecore.runtime.recovery import recorded_config
from tradecore_api.config import read
from tradecore_api.wiring import backtests


class NamedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run, and what it is: `live`, `paper`, `shadow` or `backtest`, and where it comes from."""

    mode: str
    where: str
    run: ComparedRun


def of_journal(journal: JournalFolder) -> NamedRun:
    """Read the run that a journal is of; an engine may be writing it.

    Raises
    ------
    StorageError, DataError
        When it cannot be read, is empty, or names no configuration that can be read.
    """
    if not journal.is_journal():
        raise DataError(journal.where, "is no journal: name the journal file of a run, or an account")
    found = recorded_config(journal)
    if not found:
        raise StorageError(journal.where, "the journal is empty: there is nothing to compare")
    try:
        config = SessionConfig.decoded(found)
    except UNREADABLE as error:
        what = "its settings cannot be read: another version wrote it; use that version of tradecore"
        raise DataError(journal.where, what) from error
    reader = RunReader(config.engine, config.names)
    for seq, chunk in journal.numbered_chunks():
        _take(reader, chunk, seq)
    return NamedRun(mode=config.engine.mode.value, where=journal.where, run=reader.run())


def of_backtest(path: str, options: list[str], journal: JournalFolder) -> NamedRun:
    """Run the backtest of a configuration over the market of a journal.

    Raises
    ------
    ConfigError, DataError
        When settings or data cannot be used.
    """
    config = read.load(Path(path), options=[*options, f"data.path={journal.where}"])
    if not config.strategies:
        raise ConfigError(config.source, "strategy", None, "is missing: name [strategy] or [[strategies]]")
    spec, names, parts = backtests.recorded(config)
    reader, seq = RunReader(spec, names), 0
    for part in parts:
        seq = _take(reader, part, seq)
    return NamedRun(mode=spec.mode.value, where=f"a backtest of {path}", run=reader.run())


def _take(reader: RunReader, data: bytes, seq: int) -> int:
    """Hand over whole frames; return how many there were until then."""
    scanned = frames.scan(data)
    reader.take(data, scanned.records(seq), scanned.frames)
    return seq + scanned.frames
