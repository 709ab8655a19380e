"""`tradecore db info | rebuild | follow`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError, TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.questions import ROWS_MAX, PositionEntry, Positions, ReadModelState
from tradecore.runtime import Projector
from tradecore.runtime.projector import journal_state
from tradecore_api import follower
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values
from tradecore_api.wiring import readers

_OF_ANOTHER = (
    "NO: the tables are of another journal, or of one that has lost its end; the next start of its engine "
    "builds them again, and so does `tradecore db rebuild`"
)


def info(arguments: argparse.Namespace) -> int:
    """Say what is in a read model."""
    return asyncio.run(_info(arguments.path, is_json=arguments.json))


def rebuild(arguments: argparse.Namespace) -> int:
    """Empty a read model and project the journal again."""
    journal = JournalFolder(arguments.journal)
    journal.check_exists()
    return asyncio.run(_rebuild(arguments.path, journal, is_json=arguments.json))


def follow(arguments: argparse.Namespace) -> int:
    """Project journals into read models, in a process of its own, until a signal ends it."""
    pairs = [_followed(pair) for pair in arguments.pairs]
    if len({Path(path).resolve() for _, path in pairs}) < len(pairs):
        rule = "must name different TABLES: each read model is of one journal"
        raise ConfigError("command line", "JOURNAL=TABLES", " ".join(arguments.pairs), rule)
    for journal, _ in pairs:
        if not journal.is_free() and not journal.exists():
            rule = "must be a file; what is there is a directory, pipe, socket or device"
            raise ConfigError("command line", "JOURNAL", journal.where, rule)
        if journal.is_free():
            print(f"tradecore: {journal.where}: there is no journal yet; waiting for it", file=sys.stderr)
    readers.log_as_text()
    return asyncio.run(_follow(pairs))


def _followed(pair: str) -> tuple[JournalFolder, str]:
    journal, _, path = pair.rpartition("=")
    if not journal or not path:
        rule = "must be two files with = between them, e.g. state/one.journal=state/one.sqlite"
        raise ConfigError("command line", "JOURNAL=TABLES", pair, rule)
    return JournalFolder(journal), path


async def _follow(pairs: list[tuple[JournalFolder, str]]) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not by the loop: Windows has no handlers there.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    return ExitCode.OK if await follower.follow(pairs, ended) else ExitCode.UNAVAILABLE


async def _rebuild(path: str, journal: JournalFolder, *, is_json: bool) -> int:
    read_model = await readers.open_read_model(path, journal)
    try:
        await read_model.clear()
        await Projector(journal, read_model).catch_up()
    finally:
        await read_model.aclose()
    return await _info(path, is_json=is_json)


async def _info(path: str, *, is_json: bool) -> int:
    queries = await readers.open_read_queries(path)
    try:
        state = await queries.state()
        positions = (await queries.ask(Positions(limit=ROWS_MAX))).rows
    finally:
        await queries.aclose()
    says, is_well = _beside_journal(state)
    values: dict[str, object] = {
        **state.storage,
        "next_seq": state.position.next_seq,
        "rows": state.rows,
        "positions": _plain(positions),
        "integrity": state.integrity,
        "journal": state.journal,
        "journal_first": state.position.first,
        "journal_head": state.position.head,
        "of_journal" if is_json else "of journal": says,
    }
    (print_json if is_json else print_values)(values)
    return ExitCode.OK if state.integrity == "ok" and is_well else ExitCode.CHECK_FAILED


def _plain(positions: Sequence[PositionEntry]) -> list[dict[str, object]]:
    """Return positions as rows, with the account of each where there are several."""
    rows: list[dict[str, object]] = [msgspec.to_builtins(position) for position in positions]
    if len({position.account for position in positions}) < 2:
        for row in rows:
            del row["account"]
    return rows


def _beside_journal(state: ReadModelState) -> tuple[str, bool]:
    """Compare tables with the journal that they were made of; say what is found and whether that is well."""
    if not state.journal:
        return "not known: nothing was projected since this version", True
    journal = JournalFolder(state.journal)
    if not journal.exists():
        return "not found, so the tables cannot be compared with it", True
    try:
        is_of_it, behind = journal_state(journal, state.position)
    except TradecoreError as error:
        return f"cannot be read: {error}", False
    if not is_of_it:
        return _OF_ANOTHER, False
    return "yes, all of it" if behind == 0 else f"yes, {behind:,} records behind", True
