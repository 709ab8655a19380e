"""Snapshots from the command line: a start goes on from one, copies have them, a new journal does not."""

import json

import pytest

from support.command_line import PAPER, CommandLine
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

RUN = ("run", "paper.toml", "--json", "--set", "journal.path=a.journal", "--set", "log.json=true")


@pytest.fixture
def shell(tmp_path):
    """Return a folder with a paper account in it, and the command."""
    (tmp_path / "paper.toml").write_text(PAPER)
    return CommandLine(tmp_path)


def ran(shell, *options):
    """Run the account; return its summary and what it said of its journal at the start."""
    out, talk = shell.run(*RUN, *options)
    said = [json.loads(line) for line in talk.splitlines() if line.startswith("{")]
    (start,) = [line for line in said if line["event"] == "start_journal"]
    return json.loads(out), start


def test_a_start_goes_on_from_the_snapshot_of_a_clean_end(shell):
    """It replays nothing, is where the run was, and says so; `--from-start` replays all and is there too."""
    first, begun = ran(shell)
    assert begun["from_snapshot"] == 0
    again, resumed = ran(shell)
    assert resumed["from_snapshot"] > 0
    assert resumed["replayed"] == 0
    whole, replayed = ran(shell, "--from-start")
    assert (replayed["from_snapshot"], replayed["replayed"] > 1_000) == (0, True)
    for name in ("state_hash", "orders_digest", "events", "orders", "fills", "pnl", "positions"):
        assert first[name] == again[name] == whole[name], name
    shell.run("journal", "replay", "a.journal")


def test_a_backup_has_the_snapshots_and_a_new_journal_leaves_them_with_the_old_one(shell):
    """Whoever restores the copy goes on from there; whoever begins afresh begins from nothing."""
    first, _ = ran(shell)
    shell.run("journal", "backup", "a.journal", "copy")
    restored, begun = ran(shell, "--set", "journal.path=copy/a.journal")
    assert begun["from_snapshot"] > 0
    assert restored["state_hash"] == first["state_hash"]
    _, fresh = ran(shell, "--new-journal")
    assert (fresh["from_snapshot"], fresh["records"]) == (0, 0)
    (old,) = JournalFolder(shell.folder / "a.journal").older()
    assert len(old.snapshots.paths()) == 1


def test_no_snapshots_are_made_where_none_are_wanted_or_a_strategy_cannot_be_kept(shell):
    """The start then replays the whole journal, as ever."""
    _, _ = ran(shell, "--set", "journal.snapshot_events=0")
    assert JournalFolder(shell.folder / "a.journal").snapshots.paths() == []
    begin = PAPER.index("[strategy]")
    shell.write("paper.toml", PAPER[:begin] + '[strategy]\nclass = "taker.py:Taker"\n')
    first, _ = ran(shell, "--set", "journal.path=b.journal")
    again, begun = ran(shell, "--set", "journal.path=b.journal")
    assert JournalFolder(shell.folder / "b.journal").snapshots.paths() == []
    assert begun["replayed"] > 1_000
    assert first["state_hash"] == again["state_hash"]


def test_a_start_that_fails_without_its_snapshots_says_why_they_were_not_used(shell):
    """Else nobody looks for the one that could be fetched from a backup."""
    ran(shell)
    (newest, *_) = JournalFolder(shell.folder / "a.journal").snapshots.paths()
    newest.write_bytes(newest.read_bytes() + b"x")
    _, talk = shell.run(*RUN, "--set", "account.cash=5", code=ExitCode.CONFIG)
    (said,) = [json.loads(line) for line in talk.splitlines() if "snapshot_passed_over" in line]
    assert said["words"].startswith(f"a snapshot was not used: {newest.name}: is damaged")
