"""`tradecore demo`."""

import argparse
import asyncio
import signal
import tempfile
from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore_api import builtin, descriptors, process_deadline, progress, signals
from tradecore_api.config import read
from tradecore_api.exit_codes import ExitCode
from tradecore_api.screen import Screen
from tradecore_api.summary import RunSummary, print_summary, summarize
from tradecore_api.wiring import sessions

REFRESH_SECONDS = 0.25


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo, show it while it runs, print the summary. Ctrl-C ends it early, and cleanly."""
    descriptors.require()
    with tempfile.TemporaryDirectory(prefix="tradecore-demo-") as directory:
        journal = JournalFolder(arguments.journal or str(Path(directory) / "demo.journal"))
        if not journal.is_free():
            raise ConfigError("--journal", "journal", journal.where, "exists already; name a new file")
        tree = builtin.demo(seed=arguments.seed, seconds=arguments.seconds, is_virtual=arguments.virtual)
        summary = asyncio.run(_run(tree, journal))
    print_summary(summary, is_json=arguments.json, has_journal=bool(arguments.journal))
    return ExitCode.OK if summary.journal_verified else ExitCode.CHECK_FAILED


async def _run(tree: dict[str, object], journal: JournalFolder) -> RunSummary:
    config = read.from_tree(tree, "demo configuration", environment={})
    session = sessions.open_session(config, journal).session
    was_interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal was_interrupted
        was_interrupted = True
        loop.call_soon_threadsafe(session.stop, "interrupted")

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signals.install(number, interrupt) for number in numbers}
    process_deadline.wait_for(numbers, process_deadline.SECONDS, ExitCode.INTERRUPTED)
    screen = Screen(session.engine, config.tables.instruments, is_live=progress.is_watched())
    shown = asyncio.create_task(_show(screen))
    try:
        with screen:
            await session.run()
    finally:
        shown.cancel()
        signals.let_go()
        for number, handler in handlers.items():
            signals.install(number, handler)
    summary = summarize(session.engine, journal)
    return msgspec.structs.replace(summary, is_interrupted=was_interrupted)


async def _show(screen: Screen) -> None:
    while True:
        screen.refresh()
        await asyncio.sleep(REFRESH_SECONDS)
