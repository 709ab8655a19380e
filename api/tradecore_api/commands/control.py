"""What operators say to an engine: `tradecore pause`, `stop`, `kill`, `set-limit`, `release` and so on."""

import argparse
import os
import signal
import sys
import time

from tradecore.domain.errors import ConfigError
from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore_api import heartbeat, instance_lock, kill_latch, state_dir
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json
from tradecore_api.standing import DEAD, STOPPED, left_behind, look, why_ended
from tradecore_api.state_dir import StateDir

COMMAND_SECONDS_MAX = 5.0
EMERGENCY_SECONDS_MAX = 1.0
TERMINATE_SECONDS_MAX = 2.0
STOP_POLL_SECONDS = 0.02
# What a command that was carried out has done.
_DONE = {
    "pause": "paused: no new risk is taken; cancels and closing orders still work until `tradecore resume`",
    "resume": "resumed: strategies may take new risk again",
    "flatten": "flattening: every order is cancelled, every position is closed as the market allows",
    "kill": "killed: every order is cancelled and new ones are refused until `tradecore kill --release`",
    "release_kill": "the kill switch is released",
    "set_limit": "the limit has its new value from the next order on",
    "release": "the halt is released",
    "allow": "allowed from the next order on",
    "forbid": "forbidden from the next order on; what is held can still be closed",
}


def pause(arguments: argparse.Namespace) -> int:
    """Take no new risk."""
    return _command(arguments, "pause")


def resume(arguments: argparse.Namespace) -> int:
    """End a pause."""
    return _command(arguments, "resume")


def flatten(arguments: argparse.Namespace) -> int:
    """Cancel every order and close every position."""
    return _command(arguments, "flatten")


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
        _say(arguments, account, accepted=False, message=message, seq=0)
        return ExitCode.HUNG
    if not _is_free_within(state, arguments.timeout):
        message = (
            f"asked to end, but it still runs after {arguments.timeout:g} s; ask again, or look at its log"
        )
        _say(arguments, account, accepted=False, message=message, seq=0)
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
        _say(arguments, account, accepted=False, message=message, seq=0)
        return ExitCode.NOT_RUNNING
    if found.state == DEAD:
        message = f"no engine runs; it had died: {why_ended(found)}"
        _say(arguments, account, accepted=False, message=message, seq=0)
        return ExitCode.DEAD
    message = f"no engine runs, so there is nothing to stop; {left_behind(found)}"
    _say(arguments, account, accepted=True, message=message, seq=found.heartbeat.seq)
    return ExitCode.OK


def _ask_to_stop(state: StateDir) -> bool:
    """Ask over the socket; an engine that still reads its journal has none, and gets the signal instead."""
    try:
        return client.ask(state.address, "stop", seconds_max=COMMAND_SECONDS_MAX).accepted
    except client.NotAnsweringError:
        beat = heartbeat.read(state.heartbeat)
        pid = instance_lock.holder(state.lock)
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
    words = state_dir.unknown_words(state.account)
    return f". CHECK THE NAME: {words}" if words else ""


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
    return _is_free_within(state, TERMINATE_SECONDS_MAX)


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
        return _nothing_to_command(arguments, account)
    try:
        reply = client.ask(state.address, request, seconds_max=COMMAND_SECONDS_MAX)
    except client.NotAnsweringError as error:
        message = f"{error}; `tradecore emergency-stop {account}` works without its answer"
        _say(arguments, account, accepted=False, message=message, seq=0)
        return ExitCode.HUNG
    command = request if isinstance(request, str) else request.command
    message = reply.message or _DONE.get(command, command)
    _say(arguments, account, accepted=reply.accepted, message=message, seq=reply.seq)
    return ExitCode.OK if reply.accepted else ExitCode.REFUSED


def _nothing_to_command(arguments: argparse.Namespace, account: str) -> int:
    """Say that no engine can be asked, and how the last one ended: its positions may still be open."""
    found = look(account)
    if found.state == DEAD:
        message = f"no engine runs; it had died, so nothing was done: `tradecore status {account}` says why"
        _say(arguments, account, accepted=False, message=message, seq=0)
        return ExitCode.DEAD
    message = f"no engine runs for this account, so nothing was done{_doubt(StateDir(account))}"
    _say(arguments, account, accepted=False, message=message, seq=0)
    return ExitCode.NOT_RUNNING


def _account(named: str | None) -> str:
    """Return the account meant: the named one, the only running one, or the only one there is."""
    if named:
        return named
    known = state_dir.accounts()
    running = [name for name in known if instance_lock.is_held(StateDir(name).lock)]
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


def _say(arguments: argparse.Namespace, account: str, *, accepted: bool, message: str, seq: int) -> None:
    if arguments.json:
        print_json({"account": account, "accepted": accepted, "message": message, "seq": seq})
    else:
        print(f"{account}: {message}", file=sys.stdout if accepted else sys.stderr)
