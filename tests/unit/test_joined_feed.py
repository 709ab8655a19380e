"""Several live feeds as one: numbers and times of the engine, and none that waits for another."""

import asyncio

import pytest

from tradecore.domain import DataError, EventBatch, InvalidValueError
from tradecore.domain.feeds import read_events
from tradecore.domain.past import Past, TradesAfter
from tradecore.runtime.joined_feed import FeedPart, JoinedFeed
from tradecore.runtime.joined_history import HistoryPart, JoinedHistory


class Hand:
    """A feed that a test fills; `None` ends it, an error breaks it."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.asked, self.is_closed = [], False

    async def batches(self, *, skip_events=0):
        """Yield what is put."""
        while (each := await self.queue.get()) is not None:
            if isinstance(each, Exception):
                raise each
            yield each

    async def request_snapshot(self, instrument_id):
        """Note it."""
        self.asked.append(instrument_id)
        return True

    async def aclose(self):
        """End."""
        self.is_closed = True
        self.queue.put_nowait(None)

    def trade(self, time_ns, instrument=0):
        """Let it trade."""
        batch = EventBatch()
        batch.trade(time_ns, instrument, 100, 1, True)
        self.queue.put_nowait(batch)

    def lose(self, time_ns):
        """Let the connection go."""
        batch = EventBatch()
        batch.feed_lost(time_ns, 0)
        self.queue.put_nowait(batch)


def joined(one, two, **options):
    """Return both as one: the engine has the instruments of the second at 0 and 2, and of the first at 1."""
    return JoinedFeed([FeedPart(one, (1,)), FeedPart(two, (0, 2))], **options)


def told(batch):
    """Return time and instrument of each event."""
    return [(event[1], event[2]) for event in read_events(batch)]


async def next_of(batches):
    """Return what comes next, or fail."""
    return told(await asyncio.wait_for(anext(batches), 5))


async def test_what_comes_has_the_engines_numbers_and_a_time_that_never_falls():
    """An event that waited behind another feed has the time of that one, at least."""
    one, two = Hand(), Hand()
    batches = joined(one, two).batches()
    two.trade(10, 1)
    assert await next_of(batches) == [(10, 2)]
    one.trade(5)
    assert await next_of(batches) == [(10, 1)]
    two.trade(7)
    two.trade(30)
    assert [await next_of(batches), await next_of(batches)] == [[(10, 0)], [(30, 0)]]
    await batches.aclose()


async def test_of_what_waits_the_older_comes_first():
    """Whichever feed was looked at first."""
    one, two = Hand(), Hand()
    one.trade(20)
    two.trade(10)
    batches = joined(one, two).batches()
    assert [await next_of(batches), await next_of(batches)] == [[(10, 0)], [(20, 1)]]
    await batches.aclose()


async def test_a_feed_that_brings_nothing_holds_up_no_other():
    """A hundred batches of the one, while the other is silent."""
    one, two = Hand(), Hand()
    batches = joined(one, two).batches()
    for time_ns in range(100):
        one.trade(time_ns)
        assert await next_of(batches) == [(time_ns, 1)]
    await batches.aclose()


async def test_a_feed_that_fails_ends_all_after_what_came():
    """Its error is that of the whole; what another brought at once is not lost."""
    one, two = Hand(), Hand()
    one.queue.put_nowait(DataError("line 1", "bad"))
    two.trade(10)
    batches = joined(one, two).batches()
    assert await next_of(batches) == [(10, 0)]
    with pytest.raises(DataError, match="bad"):
        await next_of(batches)


async def test_it_ends_with_the_first_that_ends():
    """A feed ends where it is closed, and all are closed together."""
    one, two = Hand(), Hand()
    feed = joined(one, two)
    batches = feed.batches()
    one.trade(1)
    assert await next_of(batches) == [(1, 1)]
    await feed.aclose()
    assert [batch async for batch in batches] == []
    assert one.is_closed
    assert two.is_closed


async def test_with_a_past_nothing_comes_before_all_are_connected():
    """A loss is no connection; the one that stands is read no further, so that little is held."""
    one, two = Hand(), Hand()
    batches = joined(one, two, begins_together=True).batches()
    one.lose(1)
    one.trade(2)
    one.trade(3)
    two.lose(1)
    waiting = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    assert one.queue.qsize() == 1, "the second trade was not taken"
    two.trade(4)
    came = [told(await asyncio.wait_for(waiting, 5)), *[await next_of(batches) for _ in range(4)]]
    assert sorted(came[:2]) == [[(1, 0)], [(1, 1)]]
    assert came[2:] == [[(2, 1)], [(4, 0)], [(4, 1)]]
    one.trade(9)
    assert await next_of(batches) == [(9, 1)]
    await batches.aclose()


async def test_a_snapshot_is_asked_of_the_feed_of_the_instrument():
    """By the number that it has there."""
    one, two = Hand(), Hand()
    feed = joined(one, two)
    assert [await feed.request_snapshot(number) for number in (1, 2, 3)] == [True, True, False]
    assert (one.asked, two.asked) == ([0], [1])


def test_an_instrument_has_one_feed():
    """Two of them would each be half of its market."""
    with pytest.raises(InvalidValueError, match="different instruments"):
        JoinedFeed([FeedPart(Hand(), (0,)), FeedPart(Hand(), (0, 1))])
    with pytest.raises(InvalidValueError):
        JoinedFeed([])


async def test_a_number_that_a_feed_does_not_have_is_named():
    """It is the feed's fault, and no event of it is taken."""
    one, two = Hand(), Hand()
    one.trade(1, 4)
    with pytest.raises(InvalidValueError, match="must be below 1"):
        await next_of(joined(one, two).batches())


class Past1:
    """A source that says which instrument it was asked about."""

    def __init__(self):
        self.asked, self.is_closed = [], False

    async def query(self, question):
        """Note it."""
        self.asked.append(question.instrument)
        return Past()

    async def aclose(self):
        """End."""
        self.is_closed = True


async def test_the_past_is_asked_of_the_source_of_the_instrument():
    """By the number that it has there; all are closed together."""
    one, two = Past1(), Past1()
    history = JoinedHistory([HistoryPart(one, (1,)), HistoryPart(two, (0, 2))])
    for number in (0, 1, 2):
        await history.query(TradesAfter(instrument=number, from_ns=0, after_id=0))
    assert (one.asked, two.asked) == ([0], [0, 1])
    with pytest.raises(InvalidValueError, match="engine's table"):
        await history.query(TradesAfter(instrument=3, from_ns=0, after_id=0))
    await history.aclose()
    assert one.is_closed
    assert two.is_closed
