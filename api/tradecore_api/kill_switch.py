"""Stops the orders of an engine from outside: first the engine itself, then its process, and the disk last.

A kill must not depend on a disk: one that is full, takes no writing or hangs says so after the engine has
stopped.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import msgspec

from tradecore.domain.commands import Kill
from tradecore.domain.errors import StorageError, TradecoreError
from tradecore.ports.control_channel import ControlReply
from tradecore_api import account_socket, heartbeat, instance_lock, kill_latch, last_words, state_dir
from tradecore_api.bounded import Call
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.state_dir import StateDir

TERMINATE_SECONDS_MAX = 2.0
# How long an engine that failed over the command may take to end.
FAILED_SECONDS_MAX = 3.0
ASK_AGAIN_SECONDS_MAX = 1.0
LOOK_SECONDS_MAX = 1.0
WORDS_SECONDS_MAX = 0.5
# More than all the steps of a kill together: an account that takes longer must not hold those after it.
ACCOUNT_SECONDS_MAX = 15.0
POLL_SECONDS = 0.02


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a kill.

    Attributes
    ----------
    accepted : bool
        Whether no order leaves any more.
    message : str
        What was done, in words.
    is_latched : bool
        Whether the kill switch is on disk.
    next_step : str
        What is to be done before the next start; empty when nothing is.
    """

    code: ExitCode
    accepted: bool
    message: str
    is_latched: bool
    next_step: str = ""
    seq: int = 0


def kill(state: StateDir, reason: str, *, seconds_max: float, ends_process: bool) -> Outcome:
    """Kill the engine of an account: ask it, end its process where that is wanted, then write the latch.

    Parameters
    ----------
    state : StateDir
        Of which account.
    reason : str
        Written into the latch.
    seconds_max : float
        How long the engine may take to answer.
    ends_process : bool
        End the process of an engine that does not say that it is killed.
    """
    doubt: StorageError | None = None
    try:
        # The kernel is asked before any file: a disk that hangs must not keep anybody from the engine.
        is_known = account_socket.holder(state.path) is not None
        if not is_known and not _looked_at(state):
            return _latched_ahead(state, reason)
    except StorageError as error:
        # Nothing can be seen for certain: one that runs all the same is to be stopped.
        doubt = error
    reply: ControlReply | None = None
    try:
        reply = client.ask(state, Kill(), seconds_max=seconds_max, by_name_first=True)
        why = reply.message
    except client.NotAnsweringError as error:
        if doubt is not None and instance_lock.living_holder(state.lock) is None:
            raise doubt from error
        why = str(error)
    if reply is not None and reply.accepted:
        return _of_answer(state, reason, reply)
    if ends_process:
        return _ended(state, reason, why)
    return _unanswered(state, reason, why, may_fail=reply is not None)


def _of_answer(state: StateDir, reason: str, reply: ControlReply) -> Outcome:
    """Say what an engine that is killed has done, and write the latch that it could not write."""
    message = "killed: every order is cancelled and new ones are refused until `tradecore kill --release`"
    why = str(reply.status.get("latch_failed", ""))
    if why:
        # This command may be allowed what the engine is not.
        why = kill_latch.try_engage(state, reason)
    if not why:
        return Outcome(code=ExitCode.OK, accepted=True, message=message, is_latched=True, seq=reply.seq)
    return Outcome(
        code=ExitCode.UNLATCHED,
        accepted=True,
        message=f"{message}. The kill switch could not be written: {why}",
        is_latched=False,
        next_step=(
            "the journal holds the kill, so a start on it is killed too; a start with --new-journal is NOT: "
            f"before one, make room or let the disk be written to, then `tradecore kill {state.account}`"
        ),
        seq=reply.seq,
    )


def _ended(state: StateDir, reason: str, why: str) -> Outcome:
    """End the process of an engine that did not say that it is killed; the latch is written meanwhile."""
    # Begun before the process ends, so that whoever starts it again at once finds the latch; not waited for.
    writing = kill_latch.begin(state, reason)
    pid = instance_lock.living_holder(state.lock)
    if not _ended_by_signal(pid, state):
        return Outcome(
            code=ExitCode.HUNG,
            accepted=False,
            message=f"pid {pid} cannot be ended; end it by hand",
            is_latched=not kill_latch.outcome(writing),
            next_step=state_dir.owner_words(state),
        )
    # Whoever asks later why it is dead finds who ended it.
    words = last_words.of_emergency_stop(why, pid or 0)
    with suppress(TradecoreError, OSError):
        Call(lambda: words.write(state.last_words), str(state.last_words), is_vital=True).result(
            WORDS_SECONDS_MAX
        )
    message = f"the engine was not killed by its own answer ({why}); ended pid {pid}"
    return _latched(state, reason, message, writing=writing)


def _unanswered(state: StateDir, reason: str, why: str, *, may_fail: bool) -> Outcome:
    """Write the latch for an engine that did not say that it is killed, and see what became of it."""
    if may_fail and _is_free_within(state, FAILED_SECONDS_MAX):
        return _latched(state, reason, f"the engine has ended over it ({why})")
    failed = kill_latch.try_engage(state, reason)
    try:
        # One that was starting may have looked for the latch just before it was written.
        reply = client.ask(state, Kill(), seconds_max=ASK_AGAIN_SECONDS_MAX, by_name_first=True)
    except client.NotAnsweringError:
        reply = ControlReply(accepted=False)
    if reply.accepted:
        return _of_answer(state, reason, reply)
    beat = heartbeat.read(state.heartbeat)
    if beat is not None and beat.phase == "starting" and not failed:
        message = "the engine still reads its journal; the kill switch is latched: it starts killed"
        return Outcome(code=ExitCode.OK, accepted=True, message=message, is_latched=True)
    latched = "the kill switch is latched for the next start" if not failed else f"and {failed}"
    return Outcome(
        code=ExitCode.HUNG,
        accepted=False,
        message=f"NOT STOPPED: {why}; {latched}",
        is_latched=not failed,
        next_step=state_dir.owner_words(state)
        or f"`tradecore emergency-stop {state.account}` works without its answer: it ends the process",
    )


def _latched_ahead(state: StateDir, reason: str) -> Outcome:
    """Write the latch where no engine runs; one of a name that never ran was hardly the one that is meant."""
    naming = Call(lambda: state_dir.unknown_words(state.account), str(state.path), is_vital=True)
    unknown = naming.result(LOOK_SECONDS_MAX)
    if not unknown:
        return _latched(state, reason, "no engine runs")
    outcome = _latched(state, reason, f"no engine runs, so NOTHING WAS STOPPED: CHECK THE NAME: {unknown}")
    if not outcome.is_latched:
        return outcome
    return msgspec.structs.replace(
        outcome,
        code=ExitCode.NOT_RUNNING,
        accepted=False,
        next_step=f"if the name is wrong, `tradecore kill --release {state.account}` takes the switch away",
    )


def _latched(state: StateDir, reason: str, done: str, writing: Call[None] | None = None) -> Outcome:
    """Write the latch of an account without an engine and say what was done."""
    why = kill_latch.outcome(writing) if writing is not None else kill_latch.try_engage(state, reason)
    if not why:
        message = f"{done}; the kill switch is latched: its next start refuses every order"
        return Outcome(code=ExitCode.OK, accepted=True, message=message, is_latched=True)
    return Outcome(
        code=ExitCode.UNLATCHED,
        accepted=True,
        message=f"{done}; the kill switch could not be written: {why}",
        is_latched=False,
        next_step=(
            "NOTHING ON DISK KEEPS ITS NEXT START FROM TRADING: do not start it; make room or let the state "
            f"directory be written to, then `tradecore kill {state.account}`, then start"
        ),
    )


def _ended_by_signal(pid: int | None, state: StateDir) -> bool:
    """End a process that runs an account; true once the account is free."""
    if pid is None:
        return not _is_held(state)
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


def _is_free_within(state: StateDir, seconds_max: float) -> bool:
    deadline = time.monotonic() + seconds_max
    while _is_held(state):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _is_held(state: StateDir) -> bool:
    """Tell whether an engine runs, as far as that can be seen."""
    if account_socket.holder(state.path) is not None:
        return True
    try:
        return _looked_at(state)
    except StorageError:
        return False


def _looked_at(state: StateDir) -> bool:
    """Tell whether the files of an account say that an engine runs.

    Raises `StorageError` when they cannot be looked at in time.
    """
    looking = Call(lambda: instance_lock.is_held(state.lock), str(state.path), is_vital=True)
    return looking.result(LOOK_SECONDS_MAX)


def emergency_stop(account: str, reason: str, *, seconds_max: float) -> Outcome:
    """Kill the engine of one account, end its process if it must be; what goes wrong is an outcome too."""
    try:
        return kill_in_time(StateDir(account), reason, seconds_max=seconds_max, ends_process=True)
    except (TradecoreError, OSError) as error:
        return Outcome(code=ExitCode.STORAGE, accepted=False, message=str(error), is_latched=False)


def emergency_stop_of_all(names: Sequence[str], reason: str, *, seconds_max: float) -> list[Outcome]:
    """Do as `emergency_stop` does for each account, all at once: one that hangs keeps no other waiting."""
    stops = [partial(emergency_stop, name, reason, seconds_max=seconds_max) for name in names]
    stopping = [Call(stop, name, is_vital=True) for name, stop in zip(names, stops, strict=True)]
    return [call.result(ACCOUNT_SECONDS_MAX + LOOK_SECONDS_MAX) for call in stopping]


def kill_in_time(state: StateDir, reason: str, *, seconds_max: float, ends_process: bool) -> Outcome:
    """Do as `kill` does, where a disk may hang without an engine; raises `StorageError` when it does."""
    call = partial(kill, state, reason, seconds_max=seconds_max, ends_process=ends_process)
    return Call(call, state.account, is_vital=True).result(ACCOUNT_SECONDS_MAX)
