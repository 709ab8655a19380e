"""`tradecore demo`: show the engine at work without any configuration."""

import argparse
import asyncio
import signal
import tempfile
from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.journal import JournalFolder
from tradecore_api import builtin, descriptors, process_deadline, progress, signals
from tradecore_api.config import read
from tradecore_api.config.paths import text_rule
from tradecore_api.exit_codes import ExitCode
from tradecore_api.live_demo.outcome import print_outcome
from tradecore_api.live_demo.settings import JOURNAL
from tradecore_api.live_demo.show import LiveDemo
from tradecore_api.live_demo.view import LiveDemoView
from tradecore_api.screen import Screen
from tradecore_api.summary import RunSummary, print_summary, summarize
from tradecore_api.wiring import sessions

REFRESH_SECONDS = 0.25
# Behind the name of the journal of a live demo: what its venue did.
_LOG = ".venue.json"
# After Ctrl-C: orders are ended and compared, then two processes end.
LIVE_END_SECONDS_MAX = 15.0
_HANG_UP = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo, show it while it runs, print what it came to. Ctrl-C ends it early, and cleanly."""
    descriptors.require()
    if arguments.is_live or arguments.has_chaos:
        return _live_demo(arguments)
    with tempfile.TemporaryDirectory(prefix="tradecore-demo-") as directory:
        journal = _free_journal(arguments.journal or str(Path(directory) / "demo.journal"))
        tree = builtin.demo(seed=arguments.seed, seconds=arguments.seconds, is_virtual=arguments.virtual)
        summary = asyncio.run(_run(tree, journal))
    print_summary(summary, is_json=arguments.json, has_journal=bool(arguments.journal))
    return ExitCode.OK if summary.journal_verified else ExitCode.CHECK_FAILED


def _live_demo(arguments: argparse.Namespace) -> int:
    """Let venue and engine trade as processes, show them, and print whether both have the same."""
    if arguments.virtual:
        raise ConfigError("--virtual", "virtual", True, "has no meaning live: a venue outside has real time")
    with tempfile.TemporaryDirectory(prefix="tradecore-demo-") as directory:
        folder = Path(directory)
        journal = _free_journal(arguments.journal or str(folder / JOURNAL)).where
        if (rule := text_rule(journal)) is not None:
            # The engine reads it from a file, which is UTF-8.
            raise ConfigError("--journal", "journal", journal, rule)
        with LiveDemoView(is_live=progress.is_watched()) as view:
            demo = LiveDemo(
                folder,
                str(Path(journal).absolute()),
                seed=arguments.seed,
                seconds=arguments.seconds,
                has_chaos=arguments.has_chaos,
                view=view,
            )
            numbers = [signal.SIGINT, signal.SIGTERM, *_HANG_UP]
            handlers = {number: signals.install(number, lambda *_: demo.interrupt()) for number in numbers}
            process_deadline.wait_for(numbers, LIVE_END_SECONDS_MAX, ExitCode.INTERRUPTED)
            try:
                outcome = demo.run()
            finally:
                signals.let_go()
                for number, handler in handlers.items():
                    signals.install(number, handler)
    if arguments.journal and demo.venue_log:
        _keep_log(Path(f"{arguments.journal}{_LOG}"), demo.venue_log)
    print_outcome(outcome, journal=arguments.journal, is_json=arguments.json)
    return ExitCode.OK if outcome.is_good else ExitCode.CHECK_FAILED


def _keep_log(path: Path, log: bytes) -> None:
    """Keep what the venue says that it did beside the journal: `tradecore audit --venue` reads it."""
    try:
        path.write_bytes(log)
    except OSError as error:
        raise StorageError(str(path), f"cannot be written: {error.strerror}") from error


def _free_journal(path: str) -> JournalFolder:
    journal = JournalFolder(path)
    if not journal.is_free():
        raise ConfigError("--journal", "journal", journal.where, "exists already; name a new file")
    return journal


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
