"""A process that is killed while it carries an account over loses nothing, at whichever step."""

import json
import signal
import subprocess
import sys

import pytest

from support.command_line import PAPER, CommandLine
from support.preloaded import CAN_PRELOAD, REASON, build
from tradecore.domain.journal import JournalFolder

pytestmark = pytest.mark.skipif(not CAN_PRELOAD, reason=REASON)

RUN = ("run", "paper.toml", "--json", "--set", "journal.path=files/j", "--set", "log.level=error")
FIRST = ("--set", "feed.seconds=0.3")
# What `tradecore run --carry-over` does before its session begins.
CARRY = """
import os, sys
from pathlib import Path
from tradecore.domain.journal import JournalFolder
from tradecore_api.config import read
from tradecore_api.wiring import sessions
options = ["feed.seconds=0.5", "strategy.quantity=0.02"]
sessions.open_session(
    read.load(Path("paper.toml"), options=options), JournalFolder("files/j"), is_carry_over=True
)
os._exit(0)
"""
# More calls than carrying over makes: after them the run goes on as any other.
STEPS_MAX = 60


@pytest.fixture
def shell(tmp_path):
    """Return a command line in a folder with a paper account that has a position."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER)
    (tmp_path / "files").mkdir()
    shell.run(*RUN, *FIRST)
    return shell


def carried(shell, **environment):
    """Carry the account over in a process of its own; return how it ended."""
    return subprocess.run(
        [sys.executable, "-c", CARRY],
        cwd=shell.folder,
        env={**shell.environment, **environment},
        timeout=30,
        check=False,
    ).returncode


def account_at_start(path):
    """Return the opening that a journal begins with, `None` where it begins with none."""
    second = [record for record, _ in zip(JournalFolder(path).reader(), range(2), strict=False)][-1]
    return second[3] if second[2] == "account" else None


@pytest.mark.timeout(180)
def test_a_kill_at_any_step_leaves_the_old_journal_or_a_new_one_with_the_account(shell, tmp_path_factory):
    """And the start after it goes on with the same account, whichever of the two it found."""
    library = build("watched_calls", tmp_path_factory.mktemp("watcher"))
    files, journal = shell.folder / "files", shell.folder / "files" / "j"
    old, head = journal.read_bytes(), JournalFolder(journal).verify().head
    watched = {"LD_PRELOAD": str(library), "TRACE_UNDER": str(files.resolve())}
    watched["TRACE_FILE"] = str(shell.folder / "notes")
    found, openings = [], []
    for step in range(1, STEPS_MAX):
        for path in files.iterdir():
            path.unlink()
        journal.write_bytes(old)
        ended = carried(shell, **watched, TRACE_DIE_AT=str(step))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        found.append("old" if journal.read_bytes() == old else "new")
        if found[-1] == "new":
            assert [path.read_bytes() for path in files.glob("j.2*")] == [old], step
            openings.append(account_at_start(journal))
        assert carried(shell) == 0
        openings.append(account_at_start(journal))
        assert [path.read_bytes() for path in files.glob("j.2*")] == [old], step
        assert not (files / "j.next").exists()

    assert ended == 0, "every step was tried"
    assert found == sorted(found, reverse=True), "once the new one is in place it stays there"
    assert set(found) == {"old", "new"}
    assert found.count("old") >= 4
    assert {opening["before"] for opening in openings} == {head}
    assert len({json.dumps(opening, sort_keys=True, default=str) for opening in openings}) == 1
    shell.run(*RUN, "--set", "feed.seconds=0.5", "--set", "strategy.quantity=0.02")
