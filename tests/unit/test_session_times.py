"""The times of a session: what it tells the engine, what it marks, and how long it waits to ask again."""

import asyncio

import pytest

from support.sessions import START_NS, FakeClock, ListFeed, open_session
from tradecore.domain import EventBatch
from tradecore.domain.journal import JournalFolder
from tradecore.runtime import SessionSettings

HOUR_NS = 3_600_000_000_000


def times_of(path, *kinds):
    """Return the times of records of some kinds, in order."""
    return [time_ns for _, time_ns, kind, _ in JournalFolder(path).reader() if kind in kinds]


@pytest.mark.parametrize("lag_ns", [20_000_000, 35_000_000])
async def test_a_quiet_market_is_told_the_time_of_one_interval_ago(tmp_path, lag_ns):
    """An event on its way for less than the interval is not late; the first time is that of the start."""
    clock = FakeClock(START_NS - 1)

    async def quiet(number):
        if number == 3:
            clock.time_ns = START_NS + HOUR_NS
            await asyncio.sleep(0.2)

    settings = SessionSettings(is_live=True, clock_interval_seconds=lag_ns / 1e9)
    feed = ListFeed(slices=3, pause=quiet)
    await open_session(tmp_path / "journal", feed=feed, clock=clock, settings=settings).run()

    told = times_of(tmp_path / "journal", "clock")
    assert told[0] == START_NS - 1
    assert told[-1] == START_NS + HOUR_NS - lag_ns
    assert told == sorted(told)


async def test_the_marks_of_a_session_have_the_time_of_its_feed(tmp_path):
    """The data of the past is marked with its own first and last time, whatever the clock says."""
    session = open_session(tmp_path / "journal", clock=FakeClock(START_NS + 500 * HOUR_NS))
    await session.run()

    first = next(
        time_ns for _, time_ns, kind, _ in JournalFolder(tmp_path / "journal").reader() if kind != "session"
    )
    assert times_of(tmp_path / "journal", "session", "session_end") == [first, session.engine.now_ns]


@pytest.mark.parametrize("is_live", [False, True])
async def test_a_session_without_any_event_has_the_time_of_the_clock(tmp_path, is_live):
    """So has one of now."""
    clock = FakeClock(START_NS + 500 * HOUR_NS)
    settings = SessionSettings(is_live=is_live)
    await open_session(tmp_path / "journal", feed=ListFeed(slices=0), clock=clock, settings=settings).run()

    assert times_of(tmp_path / "journal", "session", "session_end") == [clock.time_ns] * 2


async def test_the_age_of_the_feed_counts_from_what_it_brought_last(tmp_path):
    """Before the first time nobody knows it; then it is seconds, and each batch makes it young again."""
    ages = []

    async def note(number):
        if number == 2:
            # As if the batch before this one had come three seconds ago.
            session._market._heard_at -= 3.0
        ages.append(session.feed_age_seconds())

    session = open_session(tmp_path / "journal", feed=ListFeed(slices=3, pause=note))
    await session.run()

    assert ages[0] is None
    assert 3.0 <= ages[1] < 30.0
    assert 0.0 <= ages[2] < 3.0


class Ticking(ListFeed):
    """A feed whose batches keep a session awake, ten of them."""

    async def batches(self, *, skip_events=0):
        """Yield one clock event at a time."""
        for _ in range(10):
            batch = EventBatch()
            batch.clock(START_NS)
            yield batch
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("retry_seconds", "can_snapshot", "asked"),
    [(900.0, True, range(1, 2)), (0.0, True, range(5, 100)), (0.0, False, range(1, 2))],
)
async def test_a_snapshot_is_asked_for_again_when_its_time_has_come(
    tmp_path, monkeypatch, retry_seconds, can_snapshot, asked
):
    """Not before, and never of a feed that has none to give."""
    feed = Ticking(can_snapshot=can_snapshot)
    settings = SessionSettings(snapshot_retry_seconds=retry_seconds)
    session = open_session(tmp_path / "journal", feed=feed, settings=settings)
    monkeypatch.setattr(session.engine, "snapshot_requests", lambda: [0])
    await session.run()

    assert len(feed.asked) in asked


async def test_a_snapshot_that_came_and_is_needed_again_is_asked_for_at_once(tmp_path, monkeypatch):
    """The wait is for an answer that does not come; each instrument has its own."""
    feed = Ticking(can_snapshot=True)
    session = open_session(
        tmp_path / "journal", feed=feed, settings=SessionSettings(snapshot_retry_seconds=900.0)
    )
    needs = iter([[0], [0, 1], [1], [0, 1]])
    monkeypatch.setattr(session.engine, "snapshot_requests", lambda: next(needs, []))
    await session.run()

    assert feed.asked == [0, 1, 0]
