"""A kill of a name that no engine had: it is latched, it is no success, and the name stays unknown."""

import json
import os
import sys

import pytest

from tradecore_api import kill_latch, state_dir
from tradecore_api.cli import main
from tradecore_api.exit_codes import ExitCode
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.state_dir import StateDir


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A state directory with one account that ran."""
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path))
    known = StateDir("desk")
    known.create()
    known.journal.touch()
    return tmp_path


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("command", ["kill", "emergency-stop"])
def test_a_mistyped_kill_is_latched_but_no_success(command, capsys):
    """Whoever means another engine must hear that it trades on; the second time as well."""
    for _ in range(2):
        assert main([command, "dsk"]) == ExitCode.NOT_RUNNING
        said = capsys.readouterr()
        assert said.out == ""
        assert "dsk: no engine runs, so NOTHING WAS STOPPED: CHECK THE NAME" in said.err
        assert "no engine of it ever ran here, known are: desk; the kill switch is latched" in said.err
        assert "`tradecore kill --release dsk` takes the switch away" in said.err.splitlines()[-1]
    assert kill_latch.is_engaged(StateDir("dsk"))
    assert state_dir.known_accounts() == ["desk"]
    # One that is known is a success, and what is meant without a name is the known one.
    assert main([command]) == ExitCode.OK
    assert kill_latch.is_engaged(StateDir("desk"))


@pytest.mark.usefixtures("state")
def test_the_switch_of_a_mistyped_name_is_taken_away(capsys):
    """With its directory, so that nothing is left of the slip; a name that has none is told so."""
    main(["kill", "dsk", "--json"])
    assert json.loads(capsys.readouterr().out)["accepted"] is False
    assert main(["kill", "--release", "dsk"]) == ExitCode.OK
    assert "the kill switch of this name is taken away" in capsys.readouterr().out
    assert state_dir.accounts() == ["desk"]
    assert main(["kill", "--release", "dsk"]) == ExitCode.NOT_RUNNING
    assert "nothing was done: no engine of it ever ran here" in capsys.readouterr().err


def test_a_directory_that_cannot_be_read_is_no_sign_that_nothing_runs(tmp_path, monkeypatch, capsys):
    """Every engine was to be stopped: code 74, not the 3 of a machine without accounts."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path / "file"))
    assert main(["emergency-stop"]) == ExitCode.STORAGE
    assert "file: cannot be read: Not a directory" in capsys.readouterr().err
    monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, str(tmp_path / "none"))
    assert main(["emergency-stop"]) == ExitCode.NOT_RUNNING


SMALL = [
    "heartbeat.json",
    "last_words.json",
    "failed_start.json",
    "control.json",
    "engine.lock",
    "kill.latch",
]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in directories")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", SMALL)
def test_a_pipe_in_the_place_of_a_small_file_holds_no_command(name, state):
    """Nobody ever writes into it: whoever waited for that could neither look at an engine nor kill it."""
    place = StateDir("desk").path / name
    os.mkfifo(place)
    assert main(["status", "desk"]) == ExitCode.NOT_RUNNING
    assert main(["stop", "desk"]) in {ExitCode.OK, ExitCode.NOT_RUNNING}
    assert main(["kill", "desk"]) == ExitCode.OK
    assert main(["emergency-stop"]) == ExitCode.OK
    assert kill_latch.is_engaged(StateDir("desk"))


def test_a_kill_of_a_live_account_says_that_it_is_live(state, capsys):
    """As every other answer does, whoever reads it at night."""
    beat = Heartbeat(pid=1, time_ns=0, phase="ended", account="desk", mode="live", journal="j")
    beat.write(StateDir("desk").heartbeat)
    assert main(["kill", "desk"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("desk (LIVE): ")
