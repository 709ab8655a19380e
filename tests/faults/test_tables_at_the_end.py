"""Whatever ends a run, its tables are what a rebuild makes of its journal; a start repairs what was left."""

import json
import signal
import sqlite3
import sys
import time
from contextlib import suppress

import pytest

from support.command_line import CAPTURE, PAPER, SECONDS_MAX, CommandLine, capture_lines
from support.tables import rebuilt, rows_of
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

pytestmark = [pytest.mark.timeout(180)]
LONG = PAPER.replace("seconds = 5", "seconds = 600").replace("virtual = true", "virtual = false")
# A disk that hangs, as a share on a network does: no call to the database comes back.
HANGS = """
import sqlite3
import time


def connect(*_arguments, **_options):
    time.sleep(120)


sqlite3.connect = connect
"""
RAISES = '''
class Taker:
    """Buys at every trade until it has had enough."""

    seen: int = 0

    def on_trade(self, ctx, trade):
        """Take, and give up at the hundredth."""
        self.seen += 1
        ctx.buy(quantity=0.001)
        if self.seen == 100:
            raise ValueError("enough")
'''
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def shell(tmp_path):
    """Return a folder with configurations of markets, and the command."""
    line = CommandLine(tmp_path)
    line.write("paper.toml", PAPER)
    line.write("long.toml", LONG)
    line.write("capture.toml", CAPTURE)
    line.write("capture", "\n".join(capture_lines(900)) + "\n")
    return line


def run(config, *more):
    """Name the command that runs a configuration, its journal and tables in the folder."""
    settings = ("journal.path=journal", "database.path=read.sqlite", "log.level=error", *more)
    return ("run", config, "--json", *(part for setting in settings for part in ("--set", setting)))


def tables(shell):
    """Return the tables as the run left them; the test fails when a rebuild makes others."""
    found = rows_of(shell.folder / "read.sqlite")
    assert found == rebuilt(shell.folder / "journal", shell.folder / "rebuilt.sqlite")
    (shell.folder / "rebuilt.sqlite").unlink()
    assert all(row["started_ns"] > 0 for row in found["sessions"])
    return found


@pytest.mark.parametrize("turn", range(4))
def test_when_the_data_end(shell, turn):
    """As fast as the machine can: also a run that is over before its projector had a turn."""
    shell.write("paper.toml", PAPER.replace("seconds = 5", f"seconds = {0.1 + turn}"))
    shell.run(*run("paper.toml"))

    found = tables(shell)
    assert found["sessions"][-1]["end_reason"] == "end_of_data"
    assert found["orders"]
    assert found["fills"] or turn == 0


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_when_a_signal_ends_it_and_when_it_is_started_again(shell, number):
    """The session's end is in the tables; the next session comes after it."""
    for sessions in (1, 2):
        process = shell.start(*run("long.toml"))
        wait_until_longer(shell, process)
        process.send_signal(number)
        _, talk = process.communicate(timeout=SECONDS_MAX)

        assert process.returncode == ExitCode.OK, talk
        ended = [row["end_reason"] for row in tables(shell)["sessions"]]
        assert ended == [number.name] * sessions


def wait_until_longer(shell, process, more_bytes=20_000):
    """Wait until the journal has grown by so much."""
    path = shell.folder / "journal"
    length = path.stat().st_size if path.exists() else 0
    deadline = time.monotonic() + SECONDS_MAX
    while not path.exists() or path.stat().st_size < length + more_bytes:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_when_a_strategy_raises(shell):
    """What was journalled before is in the tables; the group that it happened in is in neither."""
    shell.write("taker.py", RAISES)
    shell.run(*run("capture.toml"), code=ExitCode.STRATEGY)

    assert tables(shell)["sessions"][0]["end_reason"] is None


def test_when_the_data_cannot_be_used_any_further(shell):
    """Everything before the damage is processed, journalled and in the tables."""
    shell.write("capture", "\n".join([*capture_lines(900), "1723161253937085768 {broken"]) + "\n")
    shell.run(*run("capture.toml"), code=ExitCode.DATA)

    found = tables(shell)
    assert found["sessions"][0]["end_reason"] == "feed_failed"
    assert found["orders"]


@posix
def test_when_it_is_killed_and_started_again(shell):
    """`kill -9` leaves tables behind their journal; the next start brings them to its end."""
    for _ in range(3):
        process = shell.start(*run("long.toml"))
        wait_until_longer(shell, process)
        process.kill()
        process.communicate()
    process = shell.start(*run("long.toml"))
    wait_until_longer(shell, process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS_MAX)

    found = tables(shell)
    assert [row["end_reason"] for row in found["sessions"]] == [None, None, None, "SIGTERM"]


def test_a_start_on_a_finished_journal_repairs_tables_that_are_gone_or_of_another(shell):
    """There is nothing left to run, and still the tables are whole afterwards."""
    shell.run(*run("paper.toml"))
    whole = tables(shell)
    (shell.folder / "read.sqlite").unlink()
    shell.run(*run("paper.toml"))
    assert tables(shell) == whole

    with sqlite3.connect(shell.folder / "read.sqlite") as connection:
        connection.execute("UPDATE journal SET head = 'of another'")
        connection.execute("DELETE FROM orders")
    shell.run(*run("paper.toml"))
    assert tables(shell) == whole


def test_a_new_journal_has_tables_of_its_own(shell):
    """No row of the journal that was set aside stays."""
    shell.run(*run("paper.toml"))
    shell.write("paper.toml", PAPER.replace("seconds = 5", "seconds = 1"))
    shell.run(*run("paper.toml"), "--new-journal")

    assert len(tables(shell)["sessions"]) == 1


def test_a_locked_database_delays_the_end_by_its_bound_and_changes_no_exit_code(shell):
    """The run says what is missing and what completes it; doing that completes it."""
    shell.run(*run("paper.toml"))
    holder = sqlite3.connect(shell.folder / "read.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    settings = ("database.finish_timeout_ms=500", "log.level=warning")
    _, talk = shell.run(*run("paper.toml", *settings), "--new-journal")
    holder.close()

    (behind,) = [line for line in talk.splitlines() if "read_model_behind" in line]
    assert "locked" in behind
    repair = f"tradecore db rebuild --journal {shell.folder / 'journal'} {shell.folder / 'read.sqlite'}"
    assert repair in behind
    shell.run("db", "rebuild", "--json", "--journal", "journal", "read.sqlite")
    assert len(tables(shell)["sessions"]) == 1


def test_an_end_that_waits_for_its_tables_keeps_its_heartbeat(shell):
    """Whoever looks sees an engine that lives, not one that hangs."""
    shell.run(*run("paper.toml"))
    holder = sqlite3.connect(shell.folder / "read.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    settings = ("database.finish_timeout_ms=4000", "daemon.heartbeat_interval_ms=100")
    process = shell.start(*run("paper.toml", *settings), "--new-journal")
    path = shell.folder / "state" / "one" / "heartbeat.json"
    last_ns = 0
    while process.poll() is None:
        with suppress(FileNotFoundError):
            beat = json.loads(path.read_bytes())
            if beat["phase"] == "running":
                last_ns = beat["time_ns"]
        time.sleep(0.02)
    ended_ns = time.time_ns()
    _, talk = process.communicate()
    holder.close()

    assert process.returncode == ExitCode.OK, talk
    # The tables were waited for until shortly before.
    assert ended_ns - last_ns < 2_500_000_000


def test_the_journal_is_never_taken_for_the_tables(shell):
    """One path for both is refused; a file that is no database is not to be removed at a word of ours."""
    says = ["database.path", "is journal.path too"]
    same = ("--set", "journal.path=both", "--set", "database.path=./both")
    shell.refused("run", "paper.toml", *same, code=ExitCode.CONFIG, says=says)
    assert not (shell.folder / "both").exists()

    shell.run(*run("paper.toml"))
    before = (shell.folder / "journal").read_bytes()
    rebuild = ("db", "rebuild", "journal", "--journal", "journal")
    talk = shell.refused(*rebuild, code=ExitCode.STORAGE, says=["not a database", "name another file"])
    assert "remove" not in str(talk)
    assert (shell.folder / "journal").read_bytes() == before


@pytest.mark.parametrize("is_signalled", [False, True])
@posix
@pytest.mark.without("database", works="a run ends in time, and its end is in the journal")
def test_a_disk_that_hangs_holds_no_end(shell, is_signalled):
    """With a signal and without one the process is gone soon after its bounds; the end is journalled."""
    (shell.folder / "hangs").mkdir()
    shell.write("hangs/sitecustomize.py", HANGS)
    bounds = ("database.finish_timeout_ms=200", "daemon.stop_timeout_ms=2000")
    environment = {"PYTHONPATH": str(shell.folder / "hangs")}
    process = shell.start(
        *run("long.toml" if is_signalled else "paper.toml", *bounds), environment=environment
    )
    if is_signalled:
        wait_until_longer(shell, process)
        process.send_signal(signal.SIGTERM)
    output, talk = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == ExitCode.OK, talk
    assert "ended by force" in talk
    assert json.loads(output)["journal_verified"]
    *_, last = JournalFolder(shell.folder / "journal").reader()
    assert last[2] == "session_end"


def test_a_broken_database_holds_nobody(shell):
    """It is said once that the tables failed and once what to do; the run ends as it would."""
    (shell.folder / "read.sqlite").write_bytes(b"not a database" * 100)
    _, talk = shell.run(*run("paper.toml", "log.level=warning"))

    assert [line.split()[2] for line in talk.splitlines()] == ["read_model_failed", "read_model_behind"]
