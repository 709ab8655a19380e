"""A group of records: appended, committed, and only then told."""

import pytest

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import encode_session_end
from tradecore.runtime.commit import Commit


class NotedJournal:
    """Notes what is done with it; its disk may fail."""

    records = 0

    def __init__(self, *, fails=False):
        self.done = []
        self._fails = fails

    def append(self, frames):
        """Note it."""
        self.done.append("append")

    def commit(self, is_durable):
        """Note it, or fail."""
        if self._fails:
            raise StorageError("journal", "cannot be synced")
        self.done.append("durable" if is_durable else "written")


def commit_of(journal):
    """Return a commit that notes in the same list what it lets leave."""
    return Commit(
        None, journal, [], interval_seconds=1.0, dispatch=lambda records: journal.done.append("dispatch")
    )


async def test_what_a_group_asks_for_leaves_after_its_durable_commit():
    """And not before: a crash between the two leaves it unsent, which a restart can see."""
    journal = NotedJournal()
    commit_of(journal).publish(encode_session_end(1, "end"))
    assert journal.done == ["append", "durable", "dispatch"]


async def test_nothing_leaves_where_the_disk_says_no():
    """Who sends first has told the venue of an order that no journal knows."""
    journal = NotedJournal(fails=True)
    with pytest.raises(StorageError):
        commit_of(journal).publish(encode_session_end(1, "end"))
    assert journal.done == ["append"]


class MadeAgain:
    """An engine that has made these frames."""

    def __init__(self, frames):
        self._frames = frames

    def take_frames(self):
        """Return them once."""
        frames, self._frames = self._frames, b""
        return frames


async def test_what_the_journal_has_already_is_not_appended_again():
    """A start makes the last records anew, and what a crash cut off; only that is news."""
    known, cut_off, later = (encode_session_end(number, "end") for number in range(3))
    commit = Commit(
        MadeAgain(known + cut_off), NotedJournal(), [], recorded=known + cut_off[:3], interval_seconds=1.0
    )
    assert commit.awaits_recorded
    assert commit.take() == cut_off[3:]
    assert not commit.awaits_recorded
    commit = Commit(MadeAgain(known), NotedJournal(), [], recorded=known + later, interval_seconds=1.0)
    assert commit.take() == b""
    assert commit.awaits_recorded
