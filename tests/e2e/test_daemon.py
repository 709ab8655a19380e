"""A real daemon in a real process: one per account, visible, and always stoppable."""

import json
import signal
import sys
import time

import pytest

from support.desk import PATIENCE_SECONDS, Desk
from tradecore_api.exit_codes import ExitCode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def desk(tmp_path):
    """A desk that leaves no process behind."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def stopped_by(process, number):
    """Send a signal and return the summary and how long the end took."""
    started = time.monotonic()
    process.send_signal(number)
    output, _ = process.communicate(timeout=10)
    return json.loads(output), time.monotonic() - started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_cleanly_within_five_seconds(desk, number):
    """The summary is printed, the journal verified, the account free for the next run."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("orders", 0) > 0)
    summary, seconds = stopped_by(process, number)

    assert seconds < 5
    assert process.returncode == ExitCode.OK
    assert summary["journal_verified"] is True
    assert summary["events"] > 0
    assert desk.status()["state"] == "not running"
    assert desk.call("status", "one").returncode == ExitCode.NOT_RUNNING


def test_a_second_run_for_the_same_account_is_refused_and_names_the_pid(desk):
    """One engine per account, whatever the configuration file."""
    first = desk.start()
    refused = desk.call("run", str(desk.config), code=ExitCode.ALREADY_RUNNING)

    assert f"pid {first.pid}" in refused.stderr
    assert first.poll() is None


def test_commands_reach_the_running_engine_from_any_directory(desk, tmp_path):
    """Pause, resume, kill and release are journalled and seen by `status`."""
    desk.start()
    for command, key, value in (("pause", "is_paused", True), ("resume", "is_paused", False)):
        desk.call(command, "one", code=ExitCode.OK)
        assert desk.engine()[key] is value
    desk.call("flatten", code=ExitCode.OK)
    desk.call("kill", code=ExitCode.OK)
    status = desk.status()
    assert status["engine"]["is_killed"] is True
    assert status["is_kill_latched"] is True
    desk.call("kill", "--release", code=ExitCode.OK)
    status = desk.status()
    assert status["engine"]["is_killed"] is False
    assert status["is_kill_latched"] is False

    told = desk.call("journal", "export", str(StateDirOf(desk).journal)).stdout
    commands = [
        record["command"] for record in map(json.loads, told.splitlines()) if record["kind"] == "command"
    ]
    assert commands == ["pause", "resume", "flatten", "kill", "release_kill"]


class StateDirOf:
    """Where the files of the desk's account are."""

    def __init__(self, desk) -> None:
        directory = desk.directory / "state" / "one"
        self.journal = directory / "engine.journal"
        self.database = directory / "readmodel.sqlite"


def test_a_killed_daemon_is_reported_dead_and_goes_on_where_it_ended(desk):
    """`kill -9` loses nothing: the restart replays, continues and counts on."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("orders", 0) > 0)
    process.kill()
    process.wait()

    dead = desk.call("status", "one", "--json", code=ExitCode.DEAD)
    before = json.loads(dead.stdout)
    assert before["state"] == "dead"
    assert before["heartbeat_age_seconds"] >= 0
    assert desk.call("pause", "one").returncode == ExitCode.DEAD

    again = desk.start()
    assert desk.engine()["events"] >= before["heartbeat"]["events"]
    summary, _ = stopped_by(again, signal.SIGTERM)
    assert summary["journal_verified"] is True
    assert summary["orders"] >= before["heartbeat"]["orders"]


@pytest.mark.parametrize(
    ("journal", "options", "goes_on"),
    [("", (), True), ("/elsewhere/journal", (), False), ("", ("--new-journal",), False)],
)
def test_the_profit_of_the_day_goes_on_with_its_journal_alone(desk, journal, options, goes_on):
    """The heartbeat that an engine of another journal left behind says nothing of this one's day."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("orders", 0) > 0)
    stopped_by(process, signal.SIGTERM)
    (path,) = desk.directory.glob("state/**/heartbeat.json")
    left = json.loads(path.read_text())
    path.write_text(json.dumps({**left, "journal": journal or left["journal"], "day_profit": "1.5"}))

    process = desk.start(*options)
    beat = json.loads(path.read_text())
    assert beat["pid"] == process.pid
    assert (beat["day_profit"] == "1.5") == goes_on


def test_a_start_that_is_refused_leaves_the_status_as_it_was(desk):
    """Settings that do not fit the journal are an error of the start, not the death of an engine."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("orders", 0) > 0)
    summary, _ = stopped_by(process, signal.SIGTERM)

    refused = desk.start("--set", "account.cash=5", until_running=False)
    assert refused.wait(PATIENCE_SECONDS) == ExitCode.CONFIG

    status = json.loads(desk.call("status", "one", "--json", code=ExitCode.NOT_RUNNING).stdout)
    assert status["state"] == "not running"
    assert status["heartbeat"]["orders"] == summary["orders"]


def test_a_hung_daemon_is_reported_and_emergency_stop_ends_it(desk):
    """SIGSTOP stands for any hang: status says so, and the kill switch is latched before the process ends."""
    process = desk.start()
    process.send_signal(signal.SIGSTOP)
    desk.wait_until(lambda: desk.status()["state"] == "hung")
    assert desk.call("status", "one").returncode == ExitCode.HUNG
    refused = desk.call("pause", "one", code=ExitCode.HUNG)
    assert "emergency-stop" in refused.stderr

    started = time.monotonic()
    stopped = desk.call("emergency-stop", code=ExitCode.OK)
    assert time.monotonic() - started < 5
    assert f"ended pid {process.pid}" in stopped.stdout
    assert process.wait(5) == -signal.SIGKILL

    shown = desk.call("status", "one", code=ExitCode.DEAD).stdout
    assert "`tradecore emergency-stop` ended its process by force" in shown
    assert "did not answer within 1 s" in shown
    desk.start()
    assert desk.engine()["is_killed"] is True
    desk.call("kill", "--release", code=ExitCode.OK)
    assert desk.engine()["is_killed"] is False


def test_emergency_stop_of_a_healthy_daemon_leaves_it_running_and_killed(desk):
    """An engine that answers is killed, not ended: it still cancels and reports."""
    process = desk.start()
    desk.call("emergency-stop", "one", code=ExitCode.OK)
    assert desk.engine()["is_killed"] is True
    assert process.poll() is None


def test_the_kill_switch_works_while_no_engine_runs(desk):
    """Latched while stopped, the next start is killed; released while stopped, the next one is free."""
    # Of a name that never ran too, but that is no success: it may be mistyped.
    desk.call("kill", "one", code=ExitCode.NOT_RUNNING)
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("is_killed"))
    stopped_by(process, signal.SIGTERM)
    desk.call("kill", "one", code=ExitCode.OK)

    desk.call("kill", "one", "--release", code=ExitCode.OK)
    desk.start()
    desk.wait_until(lambda: desk.engine().get("is_killed") is False)
    assert desk.status()["is_kill_latched"] is False


def test_other_settings_refuse_the_old_journal_and_say_the_ways_out(desk):
    """A journal goes on only with the settings it was written with; `--new-journal` keeps the old one."""
    stopped_by(desk.start(), signal.SIGTERM)
    refused = desk.call("run", str(desk.config), "--set", "account.cash=5", code=ExitCode.CONFIG)
    assert "engine.account.cash was '100000', is '5'" in refused.stderr
    assert "--new-journal" in refused.stderr
    assert "--carry-over" in refused.stderr

    stopped_by(desk.start("--set", "account.cash=5000", "--new-journal"), signal.SIGTERM)
    kept = StateDirOf(desk).journal.parent.glob("engine.journal.2*")
    names = [path.name for path in kept if ".snapshot." not in path.name]
    assert len(names) == 1
    files = StateDirOf(desk)
    records = json.loads(desk.call("journal", "verify", str(files.journal), "--json").stdout)["records"]
    tables = json.loads(desk.call("db", "info", str(files.database), "--json").stdout)
    assert tables["next_seq"] == records
    assert tables["rows"]["sessions"] == 1


def test_a_hung_feed_cannot_keep_the_daemon(desk, tmp_path):
    """A strategy that blocks the process for ever still ends within five seconds of SIGTERM."""
    (tmp_path / "stuck.py").write_text(
        "import time\n\n\nclass Stuck:\n    quantity: float = 1.0\n    position_max: float = 1.0\n\n"
        "    def on_book(self, ctx, book):\n        time.sleep(3600)\n"
    )
    process = desk.start("--set", f"strategy.class={tmp_path / 'stuck.py'}:Stuck", until_running=False)
    time.sleep(0.1)
    desk.wait_until((desk.directory / "state" / "one" / "heartbeat.json").exists, process)
    time.sleep(1.5)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=8)
    assert time.monotonic() - started < 5.5
    assert process.returncode == ExitCode.UNAVAILABLE


def test_the_read_model_of_a_run_equals_its_rebuild(desk):
    """What was projected while it ran is what the journal gives."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    summary, _ = stopped_by(process, signal.SIGTERM)
    files = StateDirOf(desk)
    live = json.loads(desk.call("db", "info", str(files.database), "--json", code=ExitCode.OK).stdout)
    other = str(desk.directory / "other.sqlite")
    rebuilt = json.loads(desk.call("db", "rebuild", other, "--journal", str(files.journal), "--json").stdout)

    assert live["rows"] == rebuilt["rows"]
    assert live["positions"] == rebuilt["positions"]
    assert live["next_seq"] == rebuilt["next_seq"]
    assert live["rows"]["fills"] == summary["fills"]


def test_status_without_any_engine_says_so(desk):
    """No account is no error: the code tells."""
    done = desk.call("status", "--json", code=ExitCode.NOT_RUNNING)
    assert json.loads(done.stdout) == []
