"""`tradecore arm` and `tradecore disarm`: what may trade with money, and who said so."""

import argparse
import sys
from pathlib import Path

import msgspec

from tradecore.domain.times import iso_time
from tradecore.runtime.live.arming import ArmedAccount, ArmedStrategy, Arming
from tradecore_api import instance_lock, last_words
from tradecore_api.approval_words import approval_words
from tradecore_api.arming_file import remove_arming
from tradecore_api.config import read
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import plain, print_json, print_note, print_values
from tradecore_api.state_dir import StateDir, unknown_words
from tradecore_api.wiring import arming

_DIGITS = 16


def arm(arguments: argparse.Namespace) -> int:
    """Arm a live configuration as it is now, and show what was armed."""
    config = read.load(Path(arguments.config), options=arguments.settings)
    signed = arming.arm(config, arguments.person)
    state = StateDir(config.tables.account.name)
    last_words.forget_unarmed(state)
    if arguments.json:
        print_json(plain(signed) | {"digest": signed.by.digest, "path": str(state.arming)})
    else:
        print_arming(signed.arming, state, config.tables.account.currency)
    if instance_lock.is_held(state.lock):
        print_note("its engine runs and goes on with what it began with; this is for its next start")
    return ExitCode.OK


def print_arming(armed: Arming, state: StateDir, currency: str) -> None:
    """Print what is armed, a line for each thing."""
    print_values(
        {
            "armed": f"{armed.account}, by {armed.person} at {iso_time(armed.time_ns, 0)}",
            "kept in": str(state.arming),
        }
    )
    for strategy in armed.strategies:
        print(f"\nstrategy {strategy.name}")
        print_values(_of_strategy(strategy))
    for account in armed.accounts:
        print(f"\naccount {account.name}")
        print_values(_of_account(account))
    print(f"\n{approval_words(armed.approval, currency) or 'no entry waits for a person'}")


def _of_strategy(strategy: ArmedStrategy) -> dict[str, object]:
    files = ", ".join(strategy.code.files)
    return {
        "class": strategy.reference,
        "code": f"{strategy.code.digest[:_DIGITS]} ({files})",
        "parameters": strategy.parameters or "as in its class",
        "settings": {name: value for name, value in strategy.settings.items() if value},
    }


def _of_account(account: ArmedAccount) -> dict[str, object]:
    bounds: dict[str, object] = msgspec.to_builtins(account.canary)
    return {
        "answers for it": account.person,
        "venue": account.host,
        "key": account.key_id,
        **{name.replace("_", " "): value for name, value in bounds.items() if name != "account"},
        "other hosts": account.venues or "none",
        "settings": {name: value for name, value in account.settings.items() if value},
    }


def disarm(arguments: argparse.Namespace) -> int:
    """Take an arming back: the next start of the account is refused."""
    state = StateDir(arguments.account)
    was_armed = remove_arming(state)
    message = "disarmed: its next live start is refused" if was_armed else "was not armed"
    if not was_armed and (unknown := unknown_words(arguments.account)):
        message = f"{message}; {unknown}"
    if instance_lock.is_held(state.lock):
        message += f"; its engine still trades, `tradecore kill {arguments.account}` ends that"
    if arguments.json:
        print_json({"account": arguments.account, "was_armed": was_armed, "message": message})
    else:
        print(f"{arguments.account}: {message}", file=sys.stdout if was_armed else sys.stderr)
    return ExitCode.OK if was_armed else ExitCode.NOT_RUNNING
