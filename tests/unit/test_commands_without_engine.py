"""What commands answer that no engine carried out, for programs: nothing of it is in a journal."""

import json

import pytest

from tradecore_api import state_dir
from tradecore_api.cli import main
from tradecore_api.control import client
from tradecore_api.exit_codes import ExitCode
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import StateDir


@pytest.fixture
def state(tmp_path, monkeypatch):
    """An account that ran once."""
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path))
    known = StateDir("one")
    known.create()
    return known


def told(capsys, *command):
    """Run a command with `--json`; give its exit code, and its answer without the words."""
    code = main([*command, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer.pop("message")
    return code, answer


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("command", ["pause", "resume", "flatten", "stop"])
def test_a_command_for_no_engine_names_no_record(capsys, command):
    """A program that reads `seq` finds no record of that number."""
    nothing = {"account": "one", "accepted": False, "seq": 0}
    assert told(capsys, command, "one") == (ExitCode.NOT_RUNNING, nothing)


@pytest.mark.parametrize("command", ["pause", "flatten", "stop"])
def test_a_command_that_a_dead_engine_left_undone_names_no_record(state, capsys, command):
    """Its last heartbeat names a record, which is none of the command."""
    beat = Heartbeat(pid=1, time_ns=2, phase="running", account="one", mode="paper", journal="j", seq=41)
    beat.write(state.heartbeat)
    undone = {"account": "one", "accepted": False, "seq": 0}
    assert told(capsys, command, "one") == (ExitCode.DEAD, undone)


def test_a_stop_after_the_end_names_the_last_record(state, capsys):
    """What was asked for is so."""
    beat = Heartbeat(pid=1, time_ns=2, phase="ended", account="one", mode="paper", journal="j", seq=41)
    beat.write(state.heartbeat)
    assert told(capsys, "stop", "one") == (ExitCode.OK, {"account": "one", "accepted": True, "seq": 41})


def test_a_command_that_a_silent_engine_left_undone_names_no_record(state, capsys, monkeypatch):
    """The test holds its lock, and nobody answers."""

    def ask(*_, **__):
        raise client.NotAnsweringError("it does not answer")

    monkeypatch.setattr(client, "ask", ask)
    lock = InstanceLock(state.lock, "one")
    lock.acquire()
    try:
        answer = told(capsys, "pause", "one")
    finally:
        lock.release()
    assert answer == (ExitCode.HUNG, {"account": "one", "accepted": False, "seq": 0})


def test_taking_away_a_switch_without_an_engine_names_no_record(state, capsys):
    """It is the next start that writes one."""
    state.journal.touch()
    assert told(capsys, "kill", "--release", "one") == (
        ExitCode.OK,
        {"account": "one", "accepted": True, "seq": 0},
    )
