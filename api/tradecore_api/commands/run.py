"""`tradecore run`: run a session with a journal until its feed ends or somebody stops it."""

import argparse
import os
from pathlib import Path

from tradecore.domain.errors import ConfigError
from tradecore_api import builtin, descriptors, progress, steady_memory
from tradecore_api.config import read
from tradecore_api.config.tables import Config
from tradecore_api.daemon import Daemon
from tradecore_api.exit_codes import ExitCode
from tradecore_api.failures import reported
from tradecore_api.summary import print_summary
from tradecore_api.unblocked import END_SECONDS_MAX, current, unblocked
from tradecore_api.wiring import readers
from tradecore_api.wiring.runnable import runnable


def run(arguments: argparse.Namespace) -> int:
    """Run until the data end or a signal comes, then print the summary."""
    has_view = progress.is_watched() and not (arguments.is_plain or "NO_COLOR" in os.environ)
    # What goes wrong is said in here too: nobody may be there to read it.
    with unblocked() as streams:
        code = reported(lambda: _run(arguments, has_view=has_view))
    if code == ExitCode.OK and streams is not None and streams.error is not None:
        raise streams.error
    return code


def _run(arguments: argparse.Namespace, *, has_view: bool) -> int:
    descriptors.require()
    steady_memory.give_back()
    config = _config(arguments)
    readers.configure_log(config)
    daemon = Daemon(
        config,
        is_new_journal=arguments.new_journal,
        is_carry_over=arguments.carry_over,
        takes_over=arguments.take_over,
        has_view=has_view,
    )
    summary = daemon.run()
    if (streams := current()) is not None:
        # On a terminal the summary comes after the log.
        streams.settle(END_SECONDS_MAX)
    print_summary(summary, is_json=arguments.json)
    return ExitCode.OK if summary.journal_verified else ExitCode.CHECK_FAILED


def _config(arguments: argparse.Namespace) -> Config:
    if arguments.is_from_start:
        arguments.settings = [*arguments.settings, "journal.restart=start"]
    if arguments.config:
        options = list(arguments.settings)
        if arguments.feed:
            raise ConfigError("--feed", "feed", arguments.feed, "leave it out: CONFIG has its own [feed]")
        config = read.load(Path(arguments.config), options=options)
    elif arguments.feed:
        config = read.from_tree(builtin.binance(), "built-in configuration", options=arguments.settings)
    else:
        raise ConfigError("command line", "CONFIG", None, "name a TOML file, or use --feed binance")
    return runnable(config)
