"""`tradecore db info | rebuild | follow`."""

import argparse
import asyncio
import signal
from pathlib import Path

from tradecore.domain.errors import ConfigError, StorageError, TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.record import JournalPosition
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
    if not Path(arguments.path).is_file():
        raise StorageError(arguments.path, "no such read model; `tradecore db rebuild` makes one")
    return asyncio.run(_info(arguments.path, is_json=arguments.json))


def rebuild(arguments: argparse.Namespace) -> int:
    """Empty a read model and project the journal again."""
    journal = JournalFolder(arguments.journal)
    journal.check_exists()
    return asyncio.run(_rebuild(arguments.path, journal, is_json=arguments.json))


def follow(arguments: argparse.Namespace) -> int:
    """Project journals into read models, in a process of its own, until a signal ends it."""
    pairs = [_followed(pair) for pair in arguments.pairs]
    if len({path for _, path in pairs}) < len(pairs):
        rule = "must name different TABLES: each read model is of one journal"
        raise ConfigError("command line", "JOURNAL=TABLES", " ".join(arguments.pairs), rule)
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
    values = await readers.database_info(path)
    says, is_well = _beside_journal(values)
    values["of journal"] = says
    if is_json:
        print_json({**values, "of_journal": values.pop("of journal")})
    else:
        print_values(values)
    return ExitCode.OK if values["integrity"] == "ok" and is_well else ExitCode.CHECK_FAILED


def _beside_journal(values: dict[str, object]) -> tuple[str, bool]:
    """Compare tables with the journal that they were made of; say what is found and whether that is well."""
    path, next_seq = str(values["journal"]), values["next_seq"]
    if not path:
        return "not known: nothing was projected since this version", True
    journal = JournalFolder(path)
    if not journal.exists():
        return "not found, so the tables cannot be compared with it", True
    position = JournalPosition(int(str(next_seq)), str(values["journal_head"]), str(values["journal_first"]))
    try:
        is_of_it, behind = journal_state(journal, position)
    except TradecoreError as error:
        return f"cannot be read: {error}", False
    if not is_of_it:
        return _OF_ANOTHER, False
    return "yes, all of it" if behind == 0 else f"yes, {behind:,} records behind", True
