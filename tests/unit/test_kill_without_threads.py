"""Stopping needs no thread, and one engine that hangs keeps no other waiting."""

import threading
import time

import pytest

from tradecore.domain import StorageError
from tradecore_api import kill_latch, kill_switch, state_dir
from tradecore_api.bounded import Call
from tradecore_api.cli import main
from tradecore_api.exit_codes import ExitCode
from tradecore_api.state_dir import StateDir


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    """Three accounts that ran."""
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path))
    for name in ("a", "b", "c"):
        StateDir(name).create()
        StateDir(name).journal.touch()
    return [StateDir(name) for name in ("a", "b", "c")]


@pytest.fixture
def without_threads(monkeypatch):
    """The system gives no thread any more, as where a strategy of another engine has taken all."""

    def refused(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)


@pytest.mark.without("threads", works="`kill` and `emergency-stop` stop, and latch")
@pytest.mark.usefixtures("without_threads")
@pytest.mark.parametrize("arguments", [["kill", "a"], ["emergency-stop", "a"], ["emergency-stop"]])
def test_a_kill_is_done_and_latched_without_a_thread(accounts, arguments):
    """What bounds a disk that hangs is a thread; without one the disk is waited for."""
    assert main(arguments) == ExitCode.OK
    assert kill_latch.is_engaged(StateDir("a"))


@pytest.mark.usefixtures("without_threads")
def test_a_call_that_is_not_vital_says_that_there_is_no_thread():
    """Whoever must not wait, as the engine's loop, is told at once."""
    with pytest.raises(StorageError, match="no thread could be started for it"):
        Call(lambda: None, "disk").result(1.0)
    assert Call(lambda: 5, "disk", is_vital=True).result(0.0) == 5


def test_one_account_that_hangs_keeps_no_other_waiting(accounts, monkeypatch):
    """Each of three takes half a second: together no more than one of them."""
    done = []

    def slow(state, reason, **options):
        time.sleep(0.5)
        done.append(state.account)
        return kill_switch.Outcome(code=ExitCode.OK, accepted=True, message="killed", is_latched=True)

    monkeypatch.setattr(kill_switch, "kill", slow)
    began = time.monotonic()
    assert main(["emergency-stop"]) == ExitCode.OK
    assert time.monotonic() - began < 1.2
    assert sorted(done) == ["a", "b", "c"]
