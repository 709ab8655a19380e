"""The read model beside a session: complete at the end, and no end waits for it longer than was said."""

import asyncio
import logging
import sqlite3
import time

import pytest

from support.sessions import ListFeed, open_session
from support.tables import rebuilt, rows_of
from tradecore.domain.journal import JournalFolder
from tradecore_api import projection
from tradecore_api.projection import CANCEL_SECONDS_MAX, Projection


def projection_of(tmp_path):
    """Return the projection of the journal in a folder, and the file of its tables."""
    path = tmp_path / "read.sqlite"
    return Projection(JournalFolder(tmp_path / "journal"), str(path)), path


async def projected(tmp_path, *, seconds_max=10.0):
    """Run a session with its projection; tell whether the tables are whole, and how long the end took."""
    kept, _ = projection_of(tmp_path)
    session = open_session(tmp_path / "journal", feed=ListFeed(slices=20))
    kept.start()
    await session.run()
    started = time.monotonic()
    return await kept.finish(seconds_max), time.monotonic() - started


async def test_after_the_end_the_tables_are_those_of_a_rebuild(tmp_path, caplog):
    """A run that is over at once has whole tables, and nothing is logged."""
    is_whole, _ = await projected(tmp_path)

    assert is_whole
    assert caplog.records == []
    found = rows_of(tmp_path / "read.sqlite")
    assert found == await asyncio.to_thread(rebuilt, tmp_path / "journal", tmp_path / "new.sqlite")
    assert found["orders"]
    assert found["sessions"][0]["end_reason"] == "end_of_data"


async def test_a_file_that_another_program_holds_for_a_while_is_waited_for(tmp_path):
    """The end waits, within its bound, for whoever reads the tables just now."""
    kept, path = projection_of(tmp_path)
    await open_session(tmp_path / "journal", feed=ListFeed(slices=5)).run()
    holder = locked(path)
    kept.start()
    finishing = asyncio.create_task(kept.finish(20.0))
    await asyncio.sleep(1.0)
    assert not finishing.done()
    holder.close()

    assert await finishing
    assert rows_of(path)["orders"]


def locked(path):
    """Hold a database for oneself alone."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT)")
    connection.execute("DROP TABLE meta")
    connection.commit()
    connection.execute("BEGIN EXCLUSIVE")
    return connection


async def test_a_file_that_stays_locked_does_not_hold_the_end(tmp_path, caplog):
    """After the bound the end goes on, and the log says what is missing and what completes it."""
    holder = locked(tmp_path / "read.sqlite")
    with caplog.at_level(logging.WARNING):
        is_whole, seconds = await projected(tmp_path, seconds_max=1.0)
    holder.close()

    assert not is_whole
    assert seconds < 1.0 + CANCEL_SECONDS_MAX
    (failed, behind) = caplog.records
    assert (failed.getMessage(), behind.getMessage()) == ("read_model_failed", "read_model_behind")
    assert "locked" in behind.reason
    assert f"db rebuild --journal {tmp_path / 'journal'} {tmp_path / 'read.sqlite'}" in behind.next_step
    repaired, _ = projection_of(tmp_path)
    repaired.start()
    assert await repaired.finish(20.0)


async def test_a_broken_file_does_not_hold_the_end_at_all(tmp_path, caplog):
    """Nothing is waited for that waiting cannot mend."""
    (tmp_path / "read.sqlite").write_bytes(b"not a database" * 100)
    with caplog.at_level(logging.WARNING):
        is_whole, seconds = await projected(tmp_path, seconds_max=30.0)

    assert not is_whole
    assert seconds < 5.0
    assert [entry.getMessage() for entry in caplog.records] == ["read_model_failed", "read_model_behind"]


async def test_tables_that_take_too_long_are_said_to_be_behind(tmp_path, caplog, monkeypatch):
    """Also where nothing failed."""

    async def endless(_self, _ended):
        await asyncio.Event().wait()

    monkeypatch.setattr(projection.Projector, "run", endless)
    with caplog.at_level(logging.WARNING):
        is_whole, seconds = await projected(tmp_path, seconds_max=0.2)

    assert not is_whole
    assert seconds < 0.2 + CANCEL_SECONDS_MAX
    (behind,) = caplog.records
    assert behind.reason == "not done after 0.2 s"


async def test_a_fault_of_the_projection_is_told_at_the_end(tmp_path, caplog, monkeypatch):
    """Tables that stopped for a reason nobody thought of are not taken for whole."""

    async def faulty(_self, _ended):
        raise KeyError("state")

    monkeypatch.setattr(projection.Projector, "run", faulty)
    with caplog.at_level(logging.WARNING):
        is_whole, _ = await projected(tmp_path)

    assert not is_whole
    (behind,) = caplog.records
    assert "KeyError" in behind.reason


@pytest.mark.parametrize("seconds_max", [0.0, 0.01])
async def test_an_end_without_time_is_an_end(tmp_path, seconds_max):
    """A signal can leave no time at all: whole or said to be behind, and over."""
    is_whole, seconds = await projected(tmp_path, seconds_max=seconds_max)

    assert is_whole in (True, False)
    assert seconds < 0.01 + 2 * CANCEL_SECONDS_MAX
