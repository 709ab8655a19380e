"""One engine per account: the lock lives and dies with its process."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tradecore.domain import ConfigError, StorageError
from tradecore_api import account_socket, heartbeat, kill_latch
from tradecore_api.commands import control
from tradecore_api.instance_lock import (
    AlreadyRunningError,
    InstanceLock,
    holder,
    is_held,
    is_same,
    living_holder,
    try_lock,
)
from tradecore_api.state_dir import StateDir, accounts, root

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


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {}, "~/.local/state/tradecore"),
        ("linux", {"XDG_STATE_HOME": "/x"}, "/x/tradecore"),
        ("darwin", {"XDG_STATE_HOME": "/x"}, "~/Library/Application Support/tradecore"),
        ("win32", {}, "~/tradecore/state"),
        ("win32", {"LOCALAPPDATA": "/l", "XDG_STATE_HOME": "/x"}, "/l/tradecore/state"),
        *((platform, {"TRADECORE_STATE_DIR": "~/own"}, "~/own") for platform in ("linux", "darwin", "win32")),
    ],
)
def test_accounts_lie_where_each_platform_keeps_what_programs_remember(
    monkeypatch, tmp_path, platform, variables, place
):
    """What is named goes before it; an empty name is none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRADECORE_STATE_DIR", "")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)

    assert root() == Path(place.replace("~", str(tmp_path)))


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


def test_a_heartbeat_of_a_version_that_says_less_is_read(state):
    """What it does not say has not happened: no event, no order, no halt."""
    plain = {"pid": 1, "time_ns": 5, "phase": "running", "account": "one", "mode": "paper", "journal": "x"}
    state.heartbeat.write_text(json.dumps(plain))
    beat = heartbeat.read(state.heartbeat)

    assert beat is not None
    rest = {name: value for name, value in msgspec.structs.asdict(beat).items() if name not in plain}
    assert len(rest) > 10
    assert not any(rest.values()), rest


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in directories")
def test_a_pipe_in_the_place_of_the_lock_file_is_refused_by_name(state):
    """It can be opened and locked, but it keeps no number of a process; `run` says what to remove."""
    state.lock.unlink(missing_ok=True)
    os.mkfifo(state.lock)
    with pytest.raises(StorageError, match=r"engine\.lock: is no ordinary file: remove it"):
        InstanceLock(state.lock, "one").acquire(patience_seconds=0.05)


@pytest.mark.parametrize(
    ("running", "rule"),
    [
        (("a", "c"), "several engines run; name one of: a, c; 2 more have no running engine"),
        (("a", "b", "c"), "several engines run; name one of: a, b, c; 1 more has no running engine"),
        (("a", "b", "c", "d"), "several engines run; name one of: a, b, c, d"),
        ((), "no engine runs; name the account that is meant, one of: a, b, c, d"),
    ],
)
@pytest.mark.parametrize("command", [control.command, control.kill, control.stop])
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
            command(argparse.Namespace(account=None, json=False, release=False, command="pause", scope=None))
        assert caught.value.key == "ACCOUNT"
        assert caught.value.rule == rule
    finally:
        for name in running:
            locks[name].release()


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names in the kernel of Linux")


def test_a_removed_lock_file_frees_nothing(state):
    """The directory is locked too; the file can be made again and is held then."""
    first = InstanceLock(state.lock, "one")
    first.acquire()
    state.lock.unlink()
    assert is_held(state.lock)
    with pytest.raises(AlreadyRunningError):
        InstanceLock(state.lock, "one").acquire(patience_seconds=0.05)
    state.lock.unlink()
    assert not first.is_in_place()
    assert first.put_back()
    assert first.is_in_place()
    first.release()
    assert not first.put_back()
    assert not is_held(state.lock)


@pytest.mark.skipif(sys.platform == "win32", reason="directories cannot be locked on Windows")
@pytest.mark.parametrize("held", ["file", "directory"])
def test_each_lock_alone_says_that_an_engine_runs(state, held):
    """Whichever of them is left: no name in the kernel and no heartbeat stands beside it."""
    state.lock.touch()
    assert not is_held(state.lock)
    descriptor = os.open(state.lock if held == "file" else state.path, os.O_RDONLY)
    try:
        assert try_lock(descriptor, is_exclusive=True)
        assert is_held(state.lock)
        state.lock.unlink()
        assert is_held(state.lock) == (held == "directory")
    finally:
        os.close(descriptor)
    assert not is_held(state.lock)


@linux
def test_the_name_in_the_kernel_outlives_the_directory(state):
    """It leads to the process, belongs to the account whether it has a directory or not, and goes with it."""
    first = InstanceLock(state.lock, "one")
    first.acquire()
    state.path.rename(state.path.with_name("moved"))
    assert is_held(state.lock)
    assert not first.is_directory_in_place()
    assert holder(state.lock) == os.getpid()
    assert "one" in accounts()
    first.release()
    assert not is_held(state.lock)
    assert "one" not in accounts()


@linux
def test_a_name_that_another_user_has_taken_is_not_believed_and_holds_nobody(state, monkeypatch):
    """Any user may take any name: who answers must be of ours."""
    listener = account_socket.taken(state.path)
    monkeypatch.setattr(account_socket, "_peer", lambda _: (1, 4242, 4242))
    assert account_socket.holder(state.path) is None
    assert account_socket.connected(state.path) is None
    lock = InstanceLock(state.lock, "one")
    lock.acquire(patience_seconds=0.05)
    lock.release()
    listener.close()


@linux
@pytest.mark.parametrize(("told", "pid"), [(4242, 4242), (1, 1), (0, None)])
def test_a_holder_whose_process_is_not_seen_from_here_has_no_number(state, monkeypatch, told, pid):
    """The kernel tells 0 for a process of another container: somebody holds the name, nobody can be ended."""
    listener = account_socket.taken(state.path)
    monkeypatch.setattr(account_socket, "_peer", lambda _: (told, os.getuid(), os.getgid()))

    assert account_socket.holder(state.path) == account_socket.Holder(pid)
    listener.close()


def test_a_heartbeat_says_that_its_very_process_lives(state):
    """A number that another process has now, or a process that said that it ended, is no engine."""
    start = heartbeat.process_start(os.getppid())
    assert start
    beat = heartbeat.Heartbeat(
        pid=os.getppid(),
        time_ns=0,
        phase="running",
        account="one",
        mode="paper",
        journal="",
        process_start=start,
    )
    beat.write(state.heartbeat)
    assert heartbeat.lives(beat)
    assert is_held(state.lock)
    assert holder(state.lock) == os.getppid()
    with pytest.raises(AlreadyRunningError):
        InstanceLock(state.lock, "one").acquire(patience_seconds=0.05)
    for change in ({"process_start": "another"}, {"phase": "ended"}, {"process_start": ""}):
        other = msgspec.structs.replace(beat, **change)
        other.write(state.heartbeat)
        assert not heartbeat.lives(other)
        assert not is_held(state.lock)


def test_a_number_that_another_process_has_now_is_never_ended(state):
    """The lock file may be years old: only the process that wrote the heartbeat may get a signal."""
    state.lock.write_text(f"{os.getppid()}\n")
    heartbeat.Heartbeat(
        pid=os.getppid(), time_ns=0, phase="running", account="one", mode="", journal="", process_start="old"
    ).write(state.heartbeat)
    assert living_holder(state.lock) is None


def test_where_the_latch_cannot_be_seen_an_engine_starts_killed(state, monkeypatch):
    """What is not known is not taken for permission to trade."""

    def unseen(_path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "exists", unseen)
    assert kill_latch.is_engaged(state)


@linux
def test_an_account_with_a_long_name_has_a_name_in_the_kernel_too(tmp_path, monkeypatch):
    """A name of any length is locked and found; none is listed that no account has."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / ("deep" * 40)))
    state = StateDir("a" * 200)
    state.create()
    lock = InstanceLock(state.lock, state.account)
    lock.acquire()
    assert account_socket.holder(state.path) == account_socket.Holder(os.getpid())
    assert accounts() == [state.account]
    lock.release()


def test_an_open_file_is_the_one_of_its_own_path_alone(tmp_path):
    """Whichever of two the disk has given the lower number."""
    paths = [tmp_path / name for name in ("first", "second")]
    for path in paths:
        path.touch()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        assert [is_same(descriptor, other) for other in paths] == [other == path for other in paths]
        assert not is_same(descriptor, tmp_path / "none")
        assert not is_same(descriptor, paths[0] / "below a file")
        os.close(descriptor)


def test_a_lock_that_cannot_be_written_names_its_file(tmp_path, monkeypatch):
    """A full disk says which one it is."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    lock = InstanceLock(tmp_path / "engine.lock", "one")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", refuse)
        with pytest.raises(StorageError, match=r"engine\.lock: cannot be written: No space left"):
            lock.acquire()
    lock.release()
