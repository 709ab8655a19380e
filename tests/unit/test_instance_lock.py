"""One engine per account: the lock lives and dies with its process."""

import argparse
import os
import signal
import subprocess
import sys

import pytest

from tradecore.domain import ConfigError
from tradecore_api import heartbeat, kill_latch
from tradecore_api.commands import control
from tradecore_api.instance_lock import AlreadyRunningError, InstanceLock, holder, is_held
from tradecore_api.state_dir import StateDir, accounts

HOLD = """
import sys, time
from pathlib import Path
from tradecore_api.instance_lock import InstanceLock
InstanceLock(Path(sys.argv[1]), "one").acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def state(tmp_path, monkeypatch):
    """An account in a state directory of its own."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    state = StateDir("one")
    state.create()
    return state


def test_a_second_holder_is_refused_and_told_the_pid(state):
    """The error names the process that holds the lock."""
    first = InstanceLock(state.lock, "one")
    first.acquire()

    with pytest.raises(AlreadyRunningError, match=f"pid {os.getpid()}"):
        InstanceLock(state.lock, "one").acquire(patience_seconds=0.05)
    first.release()
    first.release()
    assert not is_held(state.lock)


def test_a_dead_holder_frees_the_lock_and_looking_never_takes_it(state):
    """`kill -9` frees the lock; `is_held` may look at any time without disturbing."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state.lock)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        assert is_held(state.lock)
        assert holder(state.lock) == process.pid
        assert heartbeat.is_alive(process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()

    assert not is_held(state.lock)
    assert not heartbeat.is_alive(process.pid)
    InstanceLock(state.lock, "one").acquire(patience_seconds=0.05)


def test_the_state_directory_is_for_its_owner_alone(state):
    """Nobody else may read what an engine keeps there."""
    assert state.path.stat().st_mode & 0o777 == 0o700
    assert accounts() == ["one"]


def test_the_kill_switch_outlives_processes_until_it_is_released(state):
    """A latch on disk holds until a release request or `clear`; engaging again withdraws the request."""
    assert not kill_latch.is_engaged(state)
    kill_latch.engage(state, "test")
    assert kill_latch.is_engaged(state)
    kill_latch.request_release(state)
    assert not kill_latch.is_engaged(state)
    assert kill_latch.is_release_requested(state)
    kill_latch.engage(state, "again")
    assert kill_latch.is_engaged(state)
    kill_latch.clear(state)
    assert not kill_latch.is_engaged(state)


def test_a_heartbeat_reads_back_and_damage_reads_as_none(state):
    """A reader gets a whole heartbeat or none, whatever is in the file."""
    beat = heartbeat.Heartbeat(
        pid=1, time_ns=5, phase="running", account="one", mode="paper", journal="x", events=3
    )
    beat.write(state.heartbeat)
    assert heartbeat.read(state.heartbeat) == beat
    assert state.heartbeat.stat().st_mode & 0o777 == 0o600

    state.heartbeat.write_bytes(b'{"pid": "x"')
    assert heartbeat.read(state.heartbeat) is None
    state.heartbeat.unlink()
    assert heartbeat.read(state.heartbeat) is None


@pytest.mark.parametrize(
    ("running", "rule"),
    [
        (("a", "c"), "several engines run; name one of: a, c; 2 more have no running engine"),
        (("a", "b", "c"), "several engines run; name one of: a, b, c; 1 more has no running engine"),
        (("a", "b", "c", "d"), "several engines run; name one of: a, b, c, d"),
        ((), "no engine runs; name the account that is meant, one of: a, b, c, d"),
    ],
)
@pytest.mark.parametrize("command", [control.pause, control.kill, control.stop])
def test_a_command_without_a_name_offers_the_engines_that_run(command, running, rule, tmp_path, monkeypatch):
    """An account whose engine has died is counted, not offered: nothing could answer for it."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    locks = {name: InstanceLock(StateDir(name).lock, name) for name in "abcd"}
    for name in locks:
        StateDir(name).create()
    for name in running:
        locks[name].acquire()
    try:
        with pytest.raises(ConfigError) as caught:
            command(argparse.Namespace(account=None, json=False, release=False))
        assert caught.value.key == "ACCOUNT"
        assert caught.value.rule == rule
    finally:
        for name in running:
            locks[name].release()
