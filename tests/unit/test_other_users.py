"""An engine of another user: who asks is told whom it obeys, and not to end what he cannot end."""

import os
import sys

import pytest

from tradecore_api import kill_switch, standing, state_dir
from tradecore_api.exit_codes import ExitCode
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import StateDir

if sys.platform == "win32":
    pytest.skip("users of POSIX", allow_module_level=True)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """An account whose engine, which answers nobody, is that of another user than who asks."""
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path))
    state = StateDir("desk")
    state.create()
    lock = InstanceLock(state.lock, "desk")
    lock.acquire()
    ours = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: ours + 4_711)
    yield state
    lock.release()


def test_who_may_ask_is_named(state, monkeypatch):
    """For the owner himself and for root there is nothing to say; a user without a name has a number."""
    owner = state.path.stat().st_uid
    assert f"the user {state_dir._user_name(owner)} alone: ask as that user" in state_dir.owner_words(state)
    assert state_dir._user_name(2**31 - 7) == f"#{2**31 - 7}"
    for user in (0, owner):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert state_dir.owner_words(state) == ""


def test_status_and_kill_send_to_the_owner(state):
    """Emergency-stop could not end a process of another user either."""
    found = standing.look("desk")
    assert (found.state, found.next_step) == (standing.HUNG, state_dir.owner_words(state))
    killed = kill_switch.kill(state, "test", seconds_max=0.2, ends_process=False)
    assert (killed.code, killed.next_step) == (ExitCode.HUNG, state_dir.owner_words(state))
