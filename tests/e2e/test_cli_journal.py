"""Journals and read models that are missing, foreign, torn or damaged are told apart and left as they are."""

import json
import sqlite3

import pytest

from support.command_line import PAPER, CommandLine
from tradecore_api.exit_codes import ExitCode

RUN = ("run", "paper.toml", "--set", "journal.path=journal", "--set", "log.level=error", "--json")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The bytes of the journal of a short paper session, and its summary."""
    shell = CommandLine(tmp_path_factory.mktemp("recorded"))
    shell.write("paper.toml", PAPER)
    summary = json.loads(shell.run(*RUN)[0])
    return (shell.folder / "journal").read_bytes(), summary


@pytest.fixture
def shell(tmp_path):
    """A folder with the configuration of that session."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER)
    return shell


@pytest.mark.parametrize("command", ["verify", "replay", "tail", "export"])
def test_a_journal_that_is_missing_or_something_else_is_named(shell, command):
    """A missing file, a directory and a text: exit code 74, nothing written."""
    shell.write("text", "hello world " * 100)
    for name, says in (
        ("gone", "no such journal"),
        (".", "no such journal"),
        ("text", "is not a tradecore journal"),
    ):
        shell.refused("journal", command, name, code=ExitCode.STORAGE, says=[name, says])
    assert not (shell.folder / "gone").exists()
    assert (shell.folder / "text").read_text() == "hello world " * 100


def test_a_flipped_bit_is_found_by_every_command_and_changes_nothing(shell, recorded):
    """Verify ends with 1 and names the place; nothing replays, prints or goes on past it."""
    whole, _ = recorded
    for position in (3, 40, len(whole) // 2, len(whole) - 1):
        content = bytearray(whole)
        content[position] ^= 1
        shell.write("journal", bytes(content))
        found = json.loads(shell.run("journal", "verify", "journal", "--json", code=ExitCode.CHECK_FAILED)[0])
        assert found["status"] == "damaged"
        assert "damaged at byte" in found["message"]
    for command in (("journal", "replay", "journal"), ("journal", "tail", "journal"), RUN):
        shell.refused(*command, code=ExitCode.STORAGE, says=["journal", "damaged at byte", "was changed"])
    shell.refused(
        "db", "rebuild", "x.db", "--journal", "journal", code=ExitCode.STORAGE, says=["damaged at byte"]
    )
    assert (shell.folder / "journal").read_bytes() == content


@pytest.mark.parametrize("cut", [1, 10, 1000, 100_000])
def test_a_torn_tail_is_said_and_the_next_run_ends_the_same(shell, recorded, cut):
    """Verify ends with 1 and counts what is whole; the run makes the rest again."""
    whole, summary = recorded
    shell.write("journal", whole[:-cut])
    found = json.loads(shell.run("journal", "verify", "journal", "--json", code=ExitCode.CHECK_FAILED)[0])
    assert found["status"] == "torn"
    assert "the next start cuts them off" in found["message"]
    shell.run("journal", "tail", "journal")
    again = json.loads(shell.run(*RUN)[0])
    for name in ("events", "orders", "fills", "orders_digest", "state_hash"):
        assert again[name] == summary[name]
    assert json.loads(shell.run("journal", "verify", "journal", "--json")[0])["status"] == "intact"


def test_inspect_knows_a_journal(shell, recorded):
    """Records by kind; a torn or damaged one has a problem."""
    whole, summary = recorded
    shell.write("journal", whole)
    found = json.loads(shell.run("data", "inspect", "journal", "--json")[0])
    assert found["format"] == "journal"
    assert found["messages"]["order"] == summary["orders"]
    shell.write("journal", whole[:-9])
    found = json.loads(shell.run("data", "inspect", "journal", "--json", code=ExitCode.CHECK_FAILED)[0])
    assert "left unfinished" in found["problems"][0]


def test_a_read_model_is_made_only_from_a_journal_and_only_in_a_file_of_its_own(shell, recorded):
    """Other databases, other files and the journal itself stay as they are."""
    whole, summary = recorded
    journal = shell.write("journal", whole)
    rebuild = ("db", "rebuild")
    shell.refused(
        *rebuild, "x.db", "--journal", "gone", code=ExitCode.STORAGE, says=["gone", "no such journal"]
    )
    shell.refused(*rebuild, ".", "--journal", "journal", code=ExitCode.STORAGE, says=["cannot be opened"])
    shell.refused(*rebuild, "journal", "--journal", "journal", code=ExitCode.STORAGE, says=["not a database"])
    assert journal.read_bytes() == whole

    with sqlite3.connect(shell.folder / "other.db") as other:
        other.execute("CREATE TABLE orders (mine TEXT)")
        other.execute("INSERT INTO orders VALUES ('precious')")
    other.close()
    for command in (("db", "info", "other.db"), (*rebuild, "other.db", "--journal", "journal")):
        shell.refused(*command, code=ExitCode.STORAGE, says=["other.db", "something else", "left as it is"])
    with sqlite3.connect(shell.folder / "other.db") as other:
        assert other.execute("SELECT mine FROM orders").fetchall() == [("precious",)]
    other.close()

    shell.refused("db", "info", "gone.db", code=ExitCode.STORAGE, says=["gone.db", "db rebuild"])
    built = json.loads(shell.run(*rebuild, "new.db", "--journal", "journal", "--json")[0])
    assert built["rows"]["orders"] == summary["orders"]
    assert built["rows"]["fills"] == summary["fills"]
