"""`tradecore watchdog`: ends the open orders of an engine that dies or hangs."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from tradecore_api import process_deadline, signals, steady_memory
from tradecore_api.config import read
from tradecore_api.config.tables import Config
from tradecore_api.event_loop import loop_factory
from tradecore_api.exit_codes import ExitCode
from tradecore_api.failures import reported
from tradecore_api.output import print_json, print_note
from tradecore_api.state_dir import StateDir
from tradecore_api.unblocked import unblocked
from tradecore_api.watchdog.presence import WatchdogLock
from tradecore_api.watchdog.pulse import Standing
from tradecore_api.watchdog.watching import Owners, Watchdog
from tradecore_api.wiring import feeds, readers
from tradecore_api.wiring.live_accounts import accounts_of
from tradecore_api.wiring.watchdogs import orphans_of

log = logging.getLogger("tradecore.watchdog")

# What is left for the last alarms when it is told to end: the process ends in time all the same.
_ALARM_SECONDS_MAX = 1.5
_CODES = {Standing.DEAD: ExitCode.DEAD, Standing.HUNG: ExitCode.HUNG}
_SAID = {
    Standing.NONE: "no engine has run for this account",
    Standing.ENDED: "the engine has ended cleanly; what it left at the venue stays there",
    Standing.STARTING: "an engine starts",
    Standing.RUNNING: "the engine runs",
    Standing.DEAD: "the engine is dead",
    Standing.HUNG: "the engine hangs",
}


def watchdog(arguments: argparse.Namespace) -> int:
    """Watch until a signal comes, or look once; nobody has to read what it says."""
    with unblocked():
        return reported(lambda: _watch(arguments))


def _watch(arguments: argparse.Namespace) -> int:
    steady_memory.give_back()
    config = feeds.completed(read.load(Path(arguments.config), options=arguments.settings))
    readers.configure_log(config)
    state = StateDir(config.tables.account.name)
    owners = Owners(config.tables.watchdog.cancels)
    accounts = orphans_of(config, owners)
    state.create()
    lock = WatchdogLock(state)
    lock.acquire()
    try:
        lot_sizes = {each.part.name: each.lot_sizes for each in accounts_of(config)}
        made = Watchdog(state, config.tables.watchdog, accounts, owners, lot_sizes=lot_sizes)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            if arguments.is_once:
                return runner.run(_once(made, config, arguments, state.account))
            return runner.run(_until_told(made, config, state))
    finally:
        lock.release()


async def _until_told(made: Watchdog, config: Config, state: StateDir) -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signals.install(number, lambda *_: loop.call_soon_threadsafe(told.set))
    process_deadline.wait_for(numbers, process_deadline.SECONDS, ExitCode.OK)
    try:
        await made.prove()
        table = config.tables.watchdog
        words = (
            f"watches the engine of {state.account}: gone after {table.silent_ms} ms of silence, then "
            + ("its own orders" if table.cancels.value == "own" else "all orders of its accounts")
            + f" are ended ({state.path})"
        )
        log.info("watchdog_started", extra={"words": words})
        await made.watch(told)
    finally:
        await made.aclose(alarm_seconds_max=_ALARM_SECONDS_MAX)
        signals.let_go()
    return ExitCode.OK


async def _once(made: Watchdog, config: Config, arguments: argparse.Namespace, account: str) -> int:
    try:
        found = await made.once(arguments.timeout)
    finally:
        await made.aclose(alarm_seconds_max=config.tables.watchdog.command_timeout_ms / 1e3)
    is_done = made.is_done
    if arguments.json:
        print_json({"account": account, "engine": found.value, "is_done": is_done if found.is_gone else None})
    else:
        print(f"{account}: {_SAID[found]}")
    if not found.is_gone:
        return ExitCode.OK
    if not is_done:
        print_note(f"the venue has not said within {arguments.timeout:g} s that no order is open")
        return ExitCode.UNAVAILABLE
    return _CODES[found]
