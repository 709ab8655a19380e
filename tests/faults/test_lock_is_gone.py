"""The process is the truth: files that are removed from under an engine hide it from nobody."""

import fcntl
import json
import shutil
import signal
import sys
import time

import pytest

from support.command_line import PAPER, CommandLine
from support.desk import PATIENCE_SECONDS
from support.near_desk import NearDesk
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of abstract sockets are Linux's"),
]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk that leaves no process behind."""
    desk = NearDesk(tmp_path, monkeypatch)
    yield desk
    desk.close()


def account(desk):
    """Return the state directory of the account."""
    return desk.directory / "state" / "one"


def remove_lock(desk):
    """Remove the lock file, as somebody does who takes it for one that was left over."""
    (account(desk) / "engine.lock").unlink()


def move_away(desk):
    """Move the whole state directory."""
    (desk.directory / "state").rename(desk.directory / "moved")


def remove_everything(desk):
    """Leave nothing but the process and its name in the kernel."""
    # In one step: a heartbeat may be written just now.
    account(desk).rename(desk.directory / "gone")
    shutil.rmtree(desk.directory / "gone")


@pytest.mark.parametrize("gone", [remove_lock, remove_everything])
@pytest.mark.without("lock", works="every command finds the engine, and no second one starts beside it")
def test_every_command_still_finds_the_engine(desk, gone):
    """Status, pause, kill and emergency-stop reach it, a second engine is refused, and stop ends it."""
    process = desk.start("--set", f"journal.path={desk.directory / 'journal'}")
    gone(desk)

    found = desk.status()
    if gone is remove_lock:
        assert found["state"] == "running"
    assert found["engine"]["pid"] == process.pid
    refused = desk.call("run", str(desk.config), code=ExitCode.ALREADY_RUNNING)
    assert f"pid {process.pid}" in refused.stderr
    desk.call("pause", "one", code=ExitCode.OK)
    assert desk.call("kill", "one").returncode in (ExitCode.OK, ExitCode.UNLATCHED)
    assert desk.engine()["is_killed"] is True
    desk.call("stop", "one")
    output, _ = process.communicate(timeout=10)
    assert json.loads(output)["is_killed"] is True


@pytest.mark.without("lock", works="`emergency-stop` ends an engine that hangs")
def test_an_engine_that_hangs_is_ended_without_its_lock(desk):
    """The kernel names the process; there is no file that does."""
    process = desk.start("--set", f"journal.path={desk.directory / 'journal'}")
    move_away(desk)
    process.send_signal(signal.SIGSTOP)
    # No account is named: the kernel knows the name of one whose directory is gone.
    desk.call("emergency-stop", code=ExitCode.OK)
    assert process.wait(5) == -signal.SIGKILL
    assert (account(desk) / "kill.latch").exists()


@pytest.mark.without("lock", works="the engine makes the file again and says so")
def test_a_lock_file_that_was_removed_is_made_again(desk):
    """It is held all the time by the lock on the directory, and the log says what happened."""
    desk.start()
    remove_lock(desk)
    desk.wait_until((account(desk) / "engine.lock").exists)
    desk.wait_until(lambda: "it is there again and held all the time" in desk.logs())
    with (account(desk) / "engine.lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("what", ["state", "journal"])
@pytest.mark.without(
    "journal disk",
    works="an engine whose journal was moved or removed pauses and says so; what closes still works",
)
def test_an_engine_whose_directory_or_journal_is_gone_takes_no_new_risk(desk, what):
    """It pauses and says so; when the file is in its place again it says that too, and stays paused."""
    desk.start("--set", f"journal.path={desk.directory / 'journal'}")
    place = desk.directory / what
    place.rename(desk.directory / "moved")
    desk.wait_until(lambda: desk.engine().get("is_paused"))

    assert "was removed or replaced" in desk.engine()["alarms"][0]
    assert "ALARM" in desk.call("status", "one").stdout
    assert "ALARM" in desk.logs()
    (desk.directory / "moved").rename(place)
    desk.wait_until(lambda: not desk.engine()["alarms"])
    assert desk.engine()["is_paused"] is True
    desk.call("resume", "one", code=ExitCode.OK)
    assert desk.engine()["is_paused"] is False


def test_a_journal_that_is_back_does_not_pause_who_was_resumed_without_it(desk):
    """Its operator knows of the alarm and has decided; the file in its place again is no new alarm."""
    desk.start("--set", f"journal.path={desk.directory / 'journal'}")
    (desk.directory / "journal").rename(desk.directory / "moved")
    desk.wait_until(lambda: desk.engine().get("is_paused"))
    desk.call("resume", "one", code=ExitCode.OK)
    (desk.directory / "moved").rename(desk.directory / "journal")
    desk.wait_until(lambda: not desk.engine()["alarms"])
    desk.wait_until(lambda: "is in its place again" in desk.logs())
    time.sleep(0.5)
    assert desk.engine()["is_paused"] is False


def test_a_moved_directory_is_no_way_around_the_lock(desk):
    """The directory itself is locked: whoever starts on the moved one finds it taken."""
    process = desk.start("--set", f"journal.path={desk.directory / 'journal'}")
    move_away(desk)
    desk.environment["TRADECORE_STATE_DIR"] = str(desk.directory / "moved")
    desk.call("run", str(desk.config), code=ExitCode.ALREADY_RUNNING)
    assert process.poll() is None


FORKS = '''
import os
import time


class Forks:
    """Leaves a child behind that outlives the engine."""

    is_done = False

    def on_book(self, ctx, book):
        """Fork once."""
        if not self.is_done:
            self.is_done = True
            if os.fork() == 0:
                time.sleep(4)
                os._exit(0)
'''


def test_a_child_that_a_strategy_forks_does_not_hold_the_account(desk):
    """The locks end with the engine, not with what it left behind."""
    (desk.directory / "forks.py").write_text(FORKS)
    settings = ("--set", f"strategy.class={desk.directory / 'forks.py'}:Forks")
    text = desk.config.read_text().replace("quantity = 0.01\nposition_max = 0.05\n", "")
    desk.config.write_text(text)
    process = desk.start(*settings)
    desk.wait_until(lambda: desk.engine().get("events", 0) > 100)
    process.kill()
    process.wait()
    assert desk.status()["state"] == "dead"


def test_a_journal_that_another_process_writes_is_never_renamed(desk):
    """`--new-journal` takes the lock of the journal first."""
    shell = CommandLine(desk.directory)
    shell.write("other.toml", PAPER.replace('name = "one"', 'name = "other"'))
    journal = desk.directory / "journal"
    desk.start("--set", f"journal.path={journal}")
    new = ("run", "other.toml", "--set", f"journal.path={journal}", "--new-journal")
    shell.refused(*new, code=ExitCode.STORAGE, says=["another process writes this journal"])

    assert not list(desk.directory.glob("journal.2*"))
    before = journal.stat().st_size
    deadline = time.monotonic() + PATIENCE_SECONDS
    while journal.stat().st_size == before:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("content", [b"my only copy of a novel\n" * 10, b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_file_that_is_no_journal_is_never_renamed(tmp_path, content):
    """A slip in `journal.path` costs nobody a file."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER)
    file = shell.write("notes.txt", content)
    new = ("run", "paper.toml", "--set", f"journal.path={file}", "--new-journal")
    shell.refused(*new, code=ExitCode.STORAGE, says=["is not a tradecore journal"])
    assert file.read_bytes() == content
    assert sorted(path.name for path in tmp_path.glob("notes*")) in (
        ["notes.txt"],
        ["notes.txt", "notes.txt.lock"],
    )


def test_a_damaged_journal_is_set_aside(tmp_path):
    """That is what `--new-journal` is for."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER.replace("seconds = 5", "seconds = 1"))
    named = ("run", "paper.toml", "--set", "journal.path=journal", "--set", "log.level=error")
    shell.run(*named)
    content = bytearray((tmp_path / "journal").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "journal").write_bytes(content)
    shell.run(*named, "--new-journal")
    (aside,) = [path for path in tmp_path.glob("journal.2*") if ".snapshot." not in path.name]
    assert aside.read_bytes() == content
    assert next(iter(JournalFolder(tmp_path / "journal").reader()))[2] == "session"
