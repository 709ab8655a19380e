"""The read model belongs to one journal: what is done to its file is found, mended or refused in words."""

import contextlib
import os
import shutil
import signal
import sqlite3
import sys

import pytest

from support.command_line import PAPER, CommandLine
from support.near_desk import NearDesk
from support.tables import rebuilt, rows_of
from tradecore_api.exit_codes import ExitCode

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there"),
]


@pytest.fixture
def shell(tmp_path):
    """A folder with two accounts' configurations of another market each."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER.replace("seconds = 5", "seconds = 1"))
    shell.write("other.toml", PAPER.replace("seconds = 5", "seconds = 2\nseed = 3"))
    return shell


def run(shell, config, journal, *more, code=ExitCode.OK):
    """Run a configuration on a journal, into the tables of the folder; return what was said."""
    settings = (f"journal.path={journal}", "database.path=read.sqlite", "log.level=warning", *more)
    arguments = (part for setting in settings for part in ("--set", setting))
    return shell.run("run", config, "--json", *arguments, code=code)[1]


def cut(path, length):
    """Cut the file while nobody writes to it: the pages of a commit would lie beyond the gap and hide it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        # By its name: whoever closes a file lets go of all locks that the process has on it.
        os.truncate(path, length(path.stat().st_size))


@pytest.mark.without(
    "database",
    works=(
        "trading and journal go on; `status` shows how far the tables are behind, and they follow "
        "as soon as they can"
    ),
)
def test_whatever_happens_to_the_file_the_tables_follow_again(tmp_path, monkeypatch):
    """Locked, deleted, emptied, cut in half, overwritten, of another journal: tried again until it works."""
    shell = CommandLine(tmp_path)
    shell.write("other.toml", PAPER.replace("seconds = 5", "seconds = 2\nseed = 3").replace('"one"', '"two"'))
    run(shell, "other.toml", "other")
    (tmp_path / "read.sqlite").rename(tmp_path / "of_another")
    desk = NearDesk(tmp_path, monkeypatch)
    try:
        process = desk.start()
        path = tmp_path / "state" / "one" / "readmodel.sqlite"

        def follows():
            engine = desk.engine()
            return engine["read_model_lag_records"] < 500 and not engine["read_model_problem"]

        def is_refused(words):
            return lambda: words in desk.engine()["read_model_problem"]

        desk.wait_until(lambda: path.exists() and follows())
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        desk.wait_until(is_refused("locked"))
        assert "locked" in desk.call("status", "one").stdout
        holder.close()
        desk.wait_until(follows)

        path.unlink()
        desk.wait_until(lambda: path.exists() and follows() and rows_of(path)["sessions"])
        cut(path, lambda size: 0)
        desk.wait_until(lambda: path.stat().st_size and follows())
        cut(path, lambda size: size // 2)
        desk.wait_until(lambda: path.with_name("readmodel.sqlite.damaged-1").exists())
        desk.wait_until(lambda: path.exists() and follows())

        path.write_bytes(b"a file of somebody else" * 1000)
        desk.wait_until(is_refused("not a database"))
        lag = desk.engine()["read_model_lag_records"]
        desk.wait_until(lambda: desk.engine()["read_model_lag_records"] > lag)
        assert path.read_bytes().startswith(b"a file of somebody else")
        path.unlink()
        desk.wait_until(lambda: path.exists() and follows())

        shutil.copy(tmp_path / "of_another", path)
        desk.wait_until(is_refused("that of another journal"))
        path.unlink()
        desk.wait_until(lambda: path.exists() and follows())
        desk.wait_until(lambda: "the read model follows the journal again" in desk.logs())

        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        journal = tmp_path / "state" / "one" / "engine.journal"
        assert rows_of(path) == rebuilt(journal, tmp_path / "rebuilt.sqlite")
    finally:
        desk.close()


def test_two_journals_in_turn_never_share_tables(shell, tmp_path):
    """Each start finds the tables of the other journal, or an older copy, and makes its own."""
    for config, journal in (("paper.toml", "a"), ("other.toml", "b"), ("paper.toml", "a")):
        run(shell, config, journal)
        assert rows_of(tmp_path / "read.sqlite") == rebuilt(tmp_path / journal, tmp_path / f"new {config}")
        (tmp_path / f"new {config}").unlink()
        shutil.copy(tmp_path / "read.sqlite", tmp_path / f"copy of {journal}")
    shutil.copy(tmp_path / "copy of b", tmp_path / "read.sqlite")
    run(shell, "paper.toml", "a")
    assert rows_of(tmp_path / "read.sqlite") == rebuilt(tmp_path / "a", tmp_path / "new")


def test_the_information_says_which_journal_and_whether_it_is_of_it(shell, tmp_path):
    """Another journal in its place, and rows of two, are found; the code says so."""
    run(shell, "paper.toml", "a")
    run(shell, "other.toml", "b", "database.enabled=false")
    said = shell.run("db", "info", "read.sqlite")[0]
    assert str(tmp_path / "a") in said
    assert "yes, all of it" in said

    shutil.copy(tmp_path / "b", tmp_path / "a")
    said = shell.run("db", "info", "read.sqlite", code=ExitCode.CHECK_FAILED)[0]
    assert "NO: the tables are of another journal" in said
    shell.run("db", "rebuild", "--journal", "a", "read.sqlite")
    with sqlite3.connect(tmp_path / "read.sqlite") as connection:
        connection.execute("UPDATE meta SET value = 3")
    said = shell.run("db", "info", "read.sqlite", code=ExitCode.CHECK_FAILED)[0]
    assert "are not of the journal whose tables these are" in said
    run(shell, "other.toml", "a")
    assert rows_of(tmp_path / "read.sqlite") == rebuilt(tmp_path / "a", tmp_path / "new")
    assert "yes, all of it" in shell.run("db", "info", "read.sqlite")[0]


def test_what_a_clean_end_leaves_behind_is_caught_up_at_the_next_start(shell, tmp_path):
    """A locked file delays the end by its bound; the next start completes the tables."""
    holder = sqlite3.connect(tmp_path / "read.sqlite", isolation_level=None)
    holder.execute("CREATE TABLE meta (key TEXT)")
    holder.execute("DROP TABLE meta")
    holder.execute("BEGIN EXCLUSIVE")
    assert "read_model_behind" in run(shell, "paper.toml", "a", "database.finish_timeout_ms=300")
    holder.close()
    assert "read_model" not in run(shell, "paper.toml", "a")
    assert rows_of(tmp_path / "read.sqlite") == rebuilt(tmp_path / "a", tmp_path / "new")
