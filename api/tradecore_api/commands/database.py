"""`tradecore db info | rebuild`."""

import argparse
import asyncio
from pathlib import Path

from tradecore.domain.errors import StorageError
from tradecore.runtime import Projector
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values
from tradecore_api.wiring import readers


def info(arguments: argparse.Namespace) -> int:
    """Say what is in a read model."""
    if not Path(arguments.path).is_file():
        raise StorageError(arguments.path, "no such read model; `tradecore db rebuild` makes one")
    return asyncio.run(_info(arguments.path, is_json=arguments.json))


def rebuild(arguments: argparse.Namespace) -> int:
    """Empty a read model and project the journal again."""
    if not Path(arguments.journal).is_file():
        raise StorageError(arguments.journal, "no such journal file")
    return asyncio.run(_rebuild(arguments.path, arguments.journal, is_json=arguments.json))


async def _rebuild(path: str, journal_path: str, *, is_json: bool) -> int:
    read_model = await readers.open_read_model(path)
    try:
        await read_model.clear()
        await Projector(journal_path, read_model).catch_up()
    finally:
        await read_model.aclose()
    return await _info(path, is_json=is_json)


async def _info(path: str, *, is_json: bool) -> int:
    values = await readers.database_info(path)
    if is_json:
        print_json(values)
    else:
        print_values(values)
    return ExitCode.OK if values["integrity"] == "ok" else ExitCode.CHECK_FAILED
