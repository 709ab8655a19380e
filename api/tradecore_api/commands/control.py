"""What operators say to an engine: `tradecore status`, `pause`, `kill`, `set-limit`, `release` and so on."""

import argparse
import os
import signal
import sys
import time

import msgspec

from tradecore.domain.errors import ConfigError
from tradecore.engine import LimitChange
from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore_api import heartbeat, instance_lock, kill_latch, state_dir
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values
from tradecore_api.state_dir import StateDir

HEARTBEAT_SECONDS_MAX = 3.0
# A replay of a long journal at the start answers nobody; it is no hang.
STARTING_SECONDS_MAX = 120.0
STATUS_SECONDS_MAX = 1.0
COMMAND_SECONDS_MAX = 5.0
EMERGENCY_SECONDS_MAX = 1.0
TERMINATE_SECONDS_MAX = 2.0

RUNNING, HUNG, DEAD, STOPPED = "running", "hung", "dead", "not running"
_CODES = {
    RUNNING: ExitCode.OK,
    HUNG: ExitCode.HUNG,
    DEAD: ExitCode.DEAD,
    STOPPED: ExitCode.NOT_RUNNING,
}
_WORST_FIRST = (HUNG, DEAD, STOPPED, RUNNING)


class _Limits(msgspec.Struct, frozen=True):
    """What is shown of the limits in an engine's status."""

    halts: dict[str, str] = {}
    changes: tuple[LimitChange, ...] = ()


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said about one account from outside its engine."""

    account: str
    state: str
    pid: int | None
    heartbeat_age_seconds: float | None
    is_kill_latched: bool
    heartbeat: heartbeat.Heartbeat | None
    engine: dict[str, object]


def status(arguments: argparse.Namespace) -> int:
    """Say what the engines do; works while another command runs and when an engine is dead or hangs."""
    names = [arguments.account] if arguments.account else state_dir.accounts()
    found = [look(name) for name in names]
    if arguments.json:
        print_json(found[0] if arguments.account else found)
    elif not found:
        print(f"no account has a state directory in {state_dir.root()}", file=sys.stderr)
    for entry in [] if arguments.json else found:
        _print(entry)
    states = {entry.state for entry in found}
    worst = next((state for state in _WORST_FIRST if state in states), STOPPED)
    return _CODES[worst]


def look(account: str) -> AccountStatus:
    """Return the status of one account: lock, heartbeat and, if it answers, the engine itself."""
    state = StateDir(account)
    beat = heartbeat.read(state.heartbeat)
    age = beat.age_seconds if beat else None
    pid = instance_lock.holder(state.lock)
    engine: dict[str, object] = {}
    if not instance_lock.is_held(state.lock):
        has_ended = beat is None or beat.phase == "ended"
        name = STOPPED if has_ended else DEAD
        pid = None if has_ended else pid
    else:
        name, engine = RUNNING, _asked(state)
        is_starting = beat is not None and beat.phase == "starting" and (age or 0.0) < STARTING_SECONDS_MAX
        if not is_starting and (not engine or (age is not None and age > HEARTBEAT_SECONDS_MAX)):
            name = HUNG
    return AccountStatus(
        account=account,
        state=name,
        pid=pid,
        heartbeat_age_seconds=None if age is None else round(age, 3),
        is_kill_latched=kill_latch.is_engaged(state),
        heartbeat=beat,
        engine=engine,
    )


def pause(arguments: argparse.Namespace) -> int:
    """Take no new risk."""
    return _command(arguments, "pause")


def resume(arguments: argparse.Namespace) -> int:
    """End a pause."""
    return _command(arguments, "resume")


def flatten(arguments: argparse.Namespace) -> int:
    """Cancel every order and close every position."""
    return _command(arguments, "flatten")


def kill(arguments: argparse.Namespace) -> int:
    """Engage the kill switch, or release it; both also when no engine runs."""
    account = _account(arguments.account)
    state = StateDir(account)
    if instance_lock.is_held(state.lock):
        return _command(arguments, "release_kill" if arguments.release else "kill")
    doubt = _doubt(state)
    if arguments.release:
        kill_latch.request_release(state)
        said = "released at its next start"
    else:
        kill_latch.engage(state, "kill while no engine ran")
        said = "latched: its next start refuses every order"
    _say(arguments, account, accepted=True, message=f"no engine runs; {said}{doubt}", seq=0)
    return ExitCode.OK


def emergency_stop(arguments: argparse.Namespace) -> int:
    """Engage the kill switch on disk first, then ask the engine, then end its process."""
    names = [arguments.account] if arguments.account else state_dir.accounts()
    if not names:
        print(f"no account has a state directory in {state_dir.root()}", file=sys.stderr)
        return ExitCode.NOT_RUNNING
    codes = [_stop_now(arguments, name) for name in names]
    return max(codes)


def _stop_now(arguments: argparse.Namespace, account: str) -> int:
    state = StateDir(account)
    doubt = _doubt(state)
    kill_latch.engage(state, "emergency stop")
    if not instance_lock.is_held(state.lock):
        message = f"no engine runs; its next start is killed{doubt}"
        _say(arguments, account, accepted=True, message=message, seq=0)
        return ExitCode.OK
    try:
        reply = client.ask(state.address, "kill", seconds_max=EMERGENCY_SECONDS_MAX)
    except client.NotAnsweringError:
        reply = ControlReply(accepted=False)
    if reply.accepted:
        _say(
            arguments, account, accepted=True, message="the engine is killed and keeps running", seq=reply.seq
        )
        return ExitCode.OK
    pid = instance_lock.holder(state.lock)
    if pid is None or not _terminate(pid, state):
        _say(arguments, account, accepted=False, message=f"pid {pid} cannot be ended; end it by hand", seq=0)
        return ExitCode.HUNG
    message = f"the engine did not answer; ended pid {pid}; its next start is killed"
    _say(arguments, account, accepted=True, message=message, seq=0)
    return ExitCode.OK


def _doubt(state: StateDir) -> str:
    """Return a warning when an account was never seen here: its name may be a slip of the finger."""
    if state.path.exists():
        return ""
    return f". CHECK THE NAME: no engine of it ever ran here, known are: {_listed(state_dir.accounts())}"


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _terminate(pid: int, state: StateDir) -> bool:
    """End a process that holds the lock of an account; true once the lock is free."""
    try:
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    deadline = time.monotonic() + TERMINATE_SECONDS_MAX
    while instance_lock.is_held(state.lock):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def set_limit(arguments: argparse.Namespace) -> int:
    """Give a limit a new value, from the next order on, in the name of a person."""
    value = None if arguments.value == "off" else arguments.value
    request = ControlRequest(
        command="set_limit",
        scope=arguments.scope,
        limit=arguments.limit,
        value=value,
        person=arguments.by,
    )
    return _command(arguments, request)


def allow(arguments: argparse.Namespace) -> int:
    """Let a strategy trade an instrument, in the name of a person."""
    return _permit(arguments, "allow")


def forbid(arguments: argparse.Namespace) -> int:
    """Let a strategy trade an instrument no longer, in the name of a person."""
    return _permit(arguments, "forbid")


def _permit(arguments: argparse.Namespace, command: str) -> int:
    request = ControlRequest(
        command=command, scope=arguments.scope, instrument=arguments.instrument, person=arguments.by
    )
    return _command(arguments, request)


def release(arguments: argparse.Namespace) -> int:
    """Let a halted strategy or account trade again, in the name of a person."""
    request = ControlRequest(command="release", scope=arguments.scope, person=arguments.by)
    return _command(arguments, request)


def _command(arguments: argparse.Namespace, request: ControlRequest | str) -> int:
    account = _account(arguments.account)
    state = StateDir(account)
    if not instance_lock.is_held(state.lock):
        _say(arguments, account, accepted=False, message="no engine runs for this account", seq=0)
        return ExitCode.DEAD if look(account).state == DEAD else ExitCode.NOT_RUNNING
    try:
        reply = client.ask(state.address, request, seconds_max=COMMAND_SECONDS_MAX)
    except client.NotAnsweringError as error:
        message = f"{error}; `tradecore emergency-stop {account}` works without its answer"
        _say(arguments, account, accepted=False, message=message, seq=0)
        return ExitCode.HUNG
    message = reply.message or (request if isinstance(request, str) else request.command)
    _say(arguments, account, accepted=reply.accepted, message=message, seq=reply.seq)
    return ExitCode.OK if reply.accepted else ExitCode.REFUSED


def _account(named: str | None) -> str:
    """Return the account meant: the named one, the only running one, or the only one there is."""
    if named:
        return named
    known = state_dir.accounts()
    running = [name for name in known if instance_lock.is_held(StateDir(name).lock)]
    for candidates in (running, known):
        if len(candidates) == 1:
            return candidates[0]
    raise ConfigError("command line", "ACCOUNT", None, f"name one of: {_listed(known)}")


def _asked(state: StateDir) -> dict[str, object]:
    try:
        return client.ask(state.address, "status", seconds_max=STATUS_SECONDS_MAX).status
    except client.NotAnsweringError:
        return {}


def _say(arguments: argparse.Namespace, account: str, *, accepted: bool, message: str, seq: int) -> None:
    if arguments.json:
        print_json({"account": account, "accepted": accepted, "message": message, "seq": seq})
    else:
        print(f"{account}: {message}", file=sys.stdout if accepted else sys.stderr)


def _limits(engine: dict[str, object]) -> dict[str, object]:
    """Say what is halted, and what operators changed about limits, in the words of the engine's status."""
    shown = msgspec.convert(engine, _Limits)
    halts = [f"{scope} ({rule})" for scope, rule in shown.halts.items()]
    changes = [_changed(change) for change in shown.changes]
    lines = {"halted": "; ".join(halts), "changed": "; ".join(changes)}
    return {name: line for name, line in lines.items() if line}


def _changed(change: LimitChange) -> str:
    said = [change.command, change.scope]
    if change.command == "set_limit":
        said += [change.limit, change.value or "off"]
    if change.instrument:
        said.append(change.instrument)
    return f"{' '.join(said)} by {change.person or 'nobody known'}"


def _print(entry: AccountStatus) -> None:
    age = "never" if entry.heartbeat_age_seconds is None else f"{entry.heartbeat_age_seconds:.1f} s ago"
    values: dict[str, object] = {
        "account": entry.account,
        "state": entry.state,
        "pid": entry.pid,
        "last heartbeat": age,
        "kill switch": "engaged" if entry.is_kill_latched else "off",
    }
    if entry.heartbeat is not None:
        beat = entry.heartbeat
        values |= {
            "mode": beat.mode,
            "journal": beat.journal,
            "records": beat.seq,
            "events": beat.events,
            "orders": beat.orders,
            "fills": beat.fills,
            "refusals": beat.refusals,
            "open orders": beat.open_orders,
            "paused": beat.is_paused,
        }
    values |= _limits(entry.engine)
    print_values(values)
    print()
