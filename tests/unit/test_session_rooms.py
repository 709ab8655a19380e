"""The rooms of a session at their edges: its last instant, notices cut short, a feed that cannot answer."""

import asyncio

import pytest

from support.sessions import ListFeed, open_session
from tradecore.domain.commands import Pause
from tradecore.domain.errors import DataError, VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.runtime import session as session_module


class Slow:
    """A notifier that takes its time for each group, and remembers what it has told to the end."""

    def __init__(self, seconds) -> None:
        self.seconds = seconds
        self.told = []

    async def notify(self, told, /):
        """Send, which takes a while."""
        await asyncio.sleep(self.seconds)
        self.told += [record.seq for record in told]

    async def aclose(self):
        """Nothing is held."""


def effects(path):
    """Return the numbers of the records that notifiers are told of."""
    kinds = ("flow", "trade", "book", "clock", "session")
    return [seq for seq, _, kind, _ in JournalFolder(path).reader() if kind not in kinds]


async def test_what_a_notifier_is_at_when_the_session_ends_is_told_to_the_end(tmp_path):
    """None is lost, and the last word among them is that the session ended."""
    slow, feed = Slow(0.02), ListFeed(slices=8, pause=lambda _: asyncio.sleep(0.005))
    await open_session(tmp_path / "journal", feed=feed, notifiers=[slow]).run()

    assert slow.told == effects(tmp_path / "journal")


async def test_what_a_notifier_has_no_time_for_at_the_end_is_counted(tmp_path, monkeypatch):
    """Told and left out together are all there was."""
    monkeypatch.setattr(session_module, "NOTICE_SECONDS_MAX", 0.2)
    slow = Slow(0.15)
    session = open_session(tmp_path / "journal", feed=ListFeed(slices=8), notifiers=[slow])
    await session.run()

    (queue,) = session._notices
    assert queue.dropped > 0
    assert len(slow.told) + queue.dropped == len(effects(tmp_path / "journal"))


async def test_a_command_to_a_session_that_has_nothing_left_to_do_is_answered(tmp_path):
    """Whoever asks before it runs hears that it was not taken, and does not wait for ever."""
    await open_session(tmp_path / "journal").run()
    again = open_session(tmp_path / "journal")
    asked = asyncio.create_task(again.command(Pause()))
    await asyncio.sleep(0)
    await again.run()

    with pytest.raises(VenueError, match="not taken"):
        async with asyncio.timeout(1):
            await asked


@pytest.mark.parametrize("error", [VenueError("busy"), DataError("x", "bad"), OSError()])
async def test_a_feed_that_fails_to_answer_ends_nothing(tmp_path, monkeypatch, error):
    """Its books stay invalid until it can; everything else goes on."""
    feed = ListFeed(slices=8, pause=lambda _: asyncio.sleep(0.001))

    async def failing(instrument_id):
        feed.asked.append(instrument_id)
        raise error

    feed.request_snapshot = failing
    session = open_session(tmp_path / "journal", feed=feed)
    monkeypatch.setattr(session.engine, "snapshot_requests", lambda: [0])
    await session.run()

    assert feed.asked
    assert JournalFolder(tmp_path / "journal").verify().status == "intact"
