"""A projector in a process of its own follows journals that grow, several at once, and ends when told to."""

import asyncio
import signal
import sqlite3
import sys
import time

import pytest

from support.command_line import CommandLine
from support.sessions import ListFeed, open_session
from support.tables import rebuilt, rows_of
from tradecore_api.exit_codes import ExitCode

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="a console's signals are others there"),
]


@pytest.fixture
def follower(tmp_path):
    """Follow two journals that are not there yet, in a process of its own."""
    process = CommandLine(tmp_path).start("db", "follow", "one=one.sqlite", "two=two.sqlite")
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


async def until(condition, seconds=30.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def orders_of(path):
    """Return how many orders the tables have; none while there are no tables."""
    try:
        return len(rows_of(path)["orders"]) if path.exists() else 0
    except sqlite3.OperationalError:
        # They are being made, or filled, just now.
        return 0


async def test_journals_that_grow_are_followed_in_a_process_of_its_own(tmp_path, follower):
    """The tables follow while sessions write, and are those of a rebuild after a clean end."""
    go_on = asyncio.Event()

    async def wait_in_the_middle(number):
        if number == 20:
            await go_on.wait()

    feed = ListFeed(slices=40, pause=wait_in_the_middle)
    grows = asyncio.create_task(open_session(tmp_path / "one", feed=feed).run())
    await open_session(tmp_path / "two", feed=ListFeed(slices=10)).run()
    tables = [tmp_path / "one.sqlite", tmp_path / "two.sqlite"]
    await until(lambda: all(map(orders_of, tables)))
    assert not grows.done()
    before = orders_of(tables[0])
    go_on.set()
    await grows
    await until(lambda: orders_of(tables[0]) > before)
    follower.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(follower.wait, 30) == ExitCode.OK
    for journal, path in zip(("one", "two"), tables, strict=True):
        whole = await asyncio.to_thread(rebuilt, tmp_path / journal, tmp_path / f"{journal}.new")
        assert rows_of(path) == whole


async def test_another_journal_in_the_place_of_the_first_has_its_own_tables(tmp_path, follower):
    """As after `--new-journal`: nobody has to start the projector again."""
    await open_session(tmp_path / "one", feed=ListFeed(slices=20)).run()
    await until(lambda: orders_of(tmp_path / "one.sqlite"))
    (tmp_path / "one").rename(tmp_path / "one.before")
    await open_session(tmp_path / "one", feed=ListFeed(slices=5)).run()
    whole = await asyncio.to_thread(rebuilt, tmp_path / "one", tmp_path / "new.sqlite")

    await until(lambda: orders_of(tmp_path / "one.sqlite") == len(whole["orders"]))
    follower.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(follower.wait, 30) == ExitCode.OK
    assert rows_of(tmp_path / "one.sqlite") == whole


def test_two_journals_cannot_share_tables(tmp_path):
    """A read model is of one journal."""
    shell = CommandLine(tmp_path)
    for pairs in (["a=x", "b=x"], ["a=x", "b=./x"], ["a"], ["=x"]):
        assert "JOURNAL=TABLES" in shell.run("db", "follow", *pairs, code=ExitCode.CONFIG)[1]


async def test_what_goes_wrong_is_said_with_file_and_reason(tmp_path):
    """In words on stderr: there is no configuration that says how to log, and others go on meanwhile."""
    await open_session(tmp_path / "one", feed=ListFeed(slices=5)).run()
    (tmp_path / "taken.sqlite").write_text("notes of mine, no tables")
    (tmp_path / "two").write_text("no journal")
    process = CommandLine(tmp_path).start(
        "db", "follow", "one=taken.sqlite", "two=two.sqlite", "one=one.sqlite"
    )
    await until(lambda: orders_of(tmp_path / "one.sqlite"))
    process.send_signal(signal.SIGTERM)
    _, said = await asyncio.to_thread(process.communicate, timeout=60)

    assert process.returncode == ExitCode.UNAVAILABLE
    for path, reason in (("taken.sqlite", "not a database"), ("two", "not a tradecore journal")):
        assert any(path in line and reason in line for line in said.splitlines()), said
    assert (tmp_path / "taken.sqlite").read_text() == "notes of mine, no tables"
