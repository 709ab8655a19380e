"""What operators say to an engine: `tradecore pause`, `stop`, `kill`, `set-limit`, `release` and so on."""

import argparse
import os
import signal
import sys
import time

import msgspec

from tradecore.domain.commands import Command, Flatten, Kill, ReleaseKill, command_of, commands
from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.money_requests import AdjustMoney, ConvertMoney, Money, TransferMoney
from tradecore.ports.control_channel import Stop
from tradecore_api import heartbeat, instance_lock, kill_latch, kill_switch, state_dir
from tradecore_api.bounded import Call
from tradecore_api.command_text import distance_bps, time_ns
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.mode_words import named
from tradecore_api.output import print_json
from tradecore_api.standing import DEAD, STOPPED, left_behind, look, why_ended
from tradecore_api.state_dir import StateDir

# What a flatten says of how it closes is read as in a command file.
_OF_FLATTEN = {"within_bps": distance_bps, "then_market_ns": time_ns}
COMMAND_SECONDS_MAX = 5.0
EMERGENCY_SECONDS_MAX = 1.0
LOOK_SECONDS_MAX = 1.0
GLANCE_SECONDS_MAX = 0.2
STOP_POLL_SECONDS = 0.02


def command(arguments: argparse.Namespace) -> int:
    """Give the engine the command that the command line names, with what it says beside its name."""
    kind = commands()[arguments.command]
    _place(arguments)
    said = {name: getattr(arguments, name) for name in kind.__struct_fields__}
    if said.get("value") == "off":
        said["value"] = None
    if kind is Flatten:
        said |= {name: read(said[name]) for name, read in _OF_FLATTEN.items() if said[name] is not None}
    return _command(arguments, command_of(arguments.command, **said))


def _place(arguments: argparse.Namespace) -> None:
    """Tell the account's name from the part of trading that is meant: that has a colon, which no name has."""
    given, scope = arguments.account, getattr(arguments, "scope", None)
    if scope is None and given is not None and ":" in given:
        arguments.account, arguments.scope = None, given


def money(arguments: argparse.Namespace) -> int:
    """Tell the engine of money that came to the account or went, and that no order moved."""
    kinds: dict[str, type[Money]] = {
        "transfer": TransferMoney,
        "adjust": AdjustMoney,
        "convert": ConvertMoney,
    }
    kind = kinds[arguments.command]
    said = {name: getattr(arguments, name) for name in kind.__struct_fields__}
    return _command(arguments, kind(**said))


def stop(arguments: argparse.Namespace) -> int:
    """End an engine cleanly and wait for its end; one that has ended already is no error."""
    account = _account(arguments.account)
    state = StateDir(account)
    if not instance_lock.is_held(state.lock):
        return _stopped_before(arguments, account)
    started = time.monotonic()
    if not _ask_to_stop(state):
        message = (
            f"the engine does not answer; `tradecore status {account}` says what is known, and "
            f"`tradecore emergency-stop {account}` ends it without its answer"
        )
        if owner := state_dir.owner_words(state):
            message = owner
        _say(arguments, account, accepted=False, message=message)
        return ExitCode.HUNG
    if not _is_free_within(state, arguments.timeout):
        message = (
            f"asked to end, but it still runs after {arguments.timeout:g} s; ask again, or look at its log"
        )
        _say(arguments, account, accepted=False, message=message)
        return ExitCode.HUNG
    found = look(account)
    seconds = time.monotonic() - started
    accepted = found.state == STOPPED
    message = f"stopped cleanly after {seconds:.1f} s; {left_behind(found)}" if accepted else why_ended(found)
    seq = found.heartbeat.seq if found.heartbeat else 0
    _say(arguments, account, accepted=accepted, message=message, seq=seq)
    return ExitCode.OK if accepted else ExitCode.DEAD


def _stopped_before(arguments: argparse.Namespace, account: str) -> int:
    found = look(account)
    if found.heartbeat is None:
        message = f"no engine runs{_doubt(StateDir(account))}"
        _say(arguments, account, accepted=False, message=message)
        return ExitCode.NOT_RUNNING
    if found.state == DEAD:
        message = f"no engine runs; it had died: {why_ended(found)}"
        _say(arguments, account, accepted=False, message=message)
        return ExitCode.DEAD
    message = f"no engine runs, so there is nothing to stop; {left_behind(found)}"
    _say(arguments, account, accepted=True, message=message, seq=found.heartbeat.seq)
    return ExitCode.OK


def _ask_to_stop(state: StateDir) -> bool:
    """Ask over the socket; an engine that still reads its journal has none, and gets the signal instead."""
    beat = heartbeat.read(state.heartbeat)
    is_starting = beat is not None and beat.phase == "starting"
    try:
        seconds_max = LOOK_SECONDS_MAX if is_starting else COMMAND_SECONDS_MAX
        return client.ask(state, Stop(), seconds_max=seconds_max).accepted
    except client.NotAnsweringError:
        beat = heartbeat.read(state.heartbeat)
        pid = instance_lock.living_holder(state.lock)
        if beat is None or beat.phase != "starting" or pid is None:
            # It may have ended between the look at its lock and the question.
            return not instance_lock.is_held(state.lock)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True


def _is_free_within(state: StateDir, seconds_max: float) -> bool:
    """Wait until nobody holds the lock; tell whether that is so."""
    deadline = time.monotonic() + seconds_max
    while instance_lock.is_held(state.lock):
        if time.monotonic() >= deadline:
            return False
        time.sleep(STOP_POLL_SECONDS)
    return True


def kill(arguments: argparse.Namespace) -> int:
    """Engage the kill switch, or release it; both also when no engine runs, but of a part of trading."""
    _place(arguments)
    if arguments.scope:
        # Its latch is the journal: what no engine has begun to trade is no part of anything.
        scope = arguments.scope
        return _command(arguments, ReleaseKill(scope=scope) if arguments.release else Kill(scope=scope))
    account = _account(arguments.account)
    state = StateDir(account)
    if not arguments.release:
        outcome = kill_switch.kill_in_time(state, "kill", seconds_max=COMMAND_SECONDS_MAX, ends_process=False)
        code = _say_outcome(arguments, account, outcome)
        _say_next_step(arguments, account, outcome)
        return code
    if instance_lock.is_held(state.lock):
        return _command(arguments, ReleaseKill())
    if unknown := state_dir.unknown_words(account):
        # No journal holds a kill that its next start would have to release.
        was_engaged = kill_latch.forget(state)
        done = "the kill switch of this name is taken away" if was_engaged else "nothing was done"
        _say(arguments, account, accepted=was_engaged, message=f"{done}: {unknown}")
        return ExitCode.OK if was_engaged else ExitCode.NOT_RUNNING
    kill_latch.request_release(state)
    _say(arguments, account, accepted=True, message="no engine runs; released at its next start")
    return ExitCode.OK


def emergency_stop(arguments: argparse.Namespace) -> int:
    """Kill the engine, end its process if it must, then latch; of every account where none is named."""
    if arguments.account:
        # A name that no account may have is an error of the command line.
        StateDir(arguments.account)
    names, unseen = ([arguments.account], []) if arguments.account else _every_account()
    codes, steps = [], []
    if not names and not unseen:
        print(f"no account has a state directory in {state_dir.root()}", file=sys.stderr)
        return ExitCode.NOT_RUNNING
    outcomes = kill_switch.emergency_stop_of_all(names, "emergency stop", seconds_max=EMERGENCY_SECONDS_MAX)
    for name, outcome in zip(names, outcomes, strict=True):
        codes.append(_say_outcome(arguments, name, outcome))
        steps.append((name, outcome))
    if not arguments.account:
        _print_odd_entries()
    # Last, because that is what is read: what is to be done before the next start.
    for name, outcome in steps:
        _say_next_step(arguments, name, outcome)
    codes += unseen
    # An engine that may still trade comes before one that is stopped and not latched.
    return next((code for code in codes if code not in (ExitCode.OK, ExitCode.UNLATCHED)), max(codes))


def _every_account() -> tuple[list[str], list[int]]:
    """Return every account, and no code; where the disk does not say, those that run by their names, and one.

    Then there may be others.
    """
    try:
        known = Call(state_dir.known_accounts, str(state_dir.root()), is_vital=True)
        return known.result(LOOK_SECONDS_MAX), []
    except StorageError as error:
        print(f"tradecore: {error}", file=sys.stderr)
        return state_dir.running_accounts(), [ExitCode.STORAGE]


def _print_odd_entries() -> None:
    """Say on stderr what lies beside the accounts and is none."""
    try:
        found = Call(state_dir.odd_entries, str(state_dir.root())).result(LOOK_SECONDS_MAX)
    except StorageError:
        return
    for words in found:
        print(f"tradecore: {words}", file=sys.stderr)


def _say_outcome(arguments: argparse.Namespace, account: str, outcome: kill_switch.Outcome) -> int:
    if arguments.json:
        print_json({"account": account, **msgspec.to_builtins(outcome)})
    else:
        stream = sys.stdout if outcome.code == ExitCode.OK else sys.stderr
        print(f"{_named(account)}: {outcome.message}", file=stream)
    return outcome.code


def _say_next_step(arguments: argparse.Namespace, account: str, outcome: kill_switch.Outcome) -> None:
    if outcome.next_step and not arguments.json:
        print(f"{account}: {outcome.next_step}", file=sys.stderr)


def _doubt(state: StateDir) -> str:
    """Return a warning when an account was never seen here: its name may be a slip of the finger."""
    words = state_dir.unknown_words(state.account)
    return f". CHECK THE NAME: {words}" if words else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _command(arguments: argparse.Namespace, request: Command | Money) -> int:
    account = _account(arguments.account)
    state = StateDir(account)
    if not instance_lock.is_held(state.lock):
        return _nothing_to_command(arguments, account)
    try:
        reply = client.ask(state, request, seconds_max=COMMAND_SECONDS_MAX)
    except client.NotAnsweringError as error:
        message = f"{error}; `tradecore emergency-stop {account}` works without its answer"
        _say(arguments, account, accepted=False, message=message)
        return ExitCode.HUNG
    message = reply.message or request.done()
    _say(arguments, account, accepted=reply.accepted, message=message, seq=reply.seq)
    return ExitCode.OK if reply.accepted else ExitCode.REFUSED


def _nothing_to_command(arguments: argparse.Namespace, account: str) -> int:
    """Say that no engine can be asked, and how the last one ended: its positions may still be open."""
    found = look(account)
    if found.state == DEAD:
        message = f"no engine runs; it had died, so nothing was done: `tradecore status {account}` says why"
        _say(arguments, account, accepted=False, message=message)
        return ExitCode.DEAD
    message = f"no engine runs for this account, so nothing was done{_doubt(StateDir(account))}"
    _say(arguments, account, accepted=False, message=message)
    return ExitCode.NOT_RUNNING


def _account(named: str | None) -> str:
    """Return the account meant: the named one, the only running one, or the only one there is."""
    if named:
        return named
    known = state_dir.known_accounts()
    running = [name for name in known if _runs(StateDir(name))]
    for candidates in (running, known):
        if len(candidates) == 1:
            return candidates[0]
    if not running:
        rule = f"no engine runs; name the account that is meant, one of: {_listed(known)}"
    else:
        idle = len(known) - len(running)
        others = f"; {idle} more {'has' if idle == 1 else 'have'} no running engine" if idle else ""
        rule = f"several engines run; name one of: {_listed(running)}{others}"
    raise ConfigError("command line", "ACCOUNT", None, rule)


def _runs(state: StateDir) -> bool:
    """Tell whether an engine runs; one account that cannot be looked at does not hide the others."""
    try:
        return instance_lock.is_held(state.lock)
    except StorageError as error:
        print(f"tradecore: {error}", file=sys.stderr)
        return False


def _say(arguments: argparse.Namespace, account: str, *, accepted: bool, message: str, seq: int = 0) -> None:
    """Print an answer; `seq` is the record of the journal that has what was done, 0 where none has it."""
    if arguments.json:
        print_json({"account": account, "accepted": accepted, "message": message, "seq": seq})
    else:
        print(f"{_named(account)}: {message}", file=sys.stdout if accepted else sys.stderr)


def _named(account: str) -> str:
    """Return the account as its last heartbeat has it: a live one says so. No disk holds the answer."""
    path = StateDir(account).heartbeat
    try:
        beat = Call(lambda: heartbeat.read(path), str(path)).result(GLANCE_SECONDS_MAX)
    except StorageError:
        return account
    return account if beat is None else named(account, beat.mode)
