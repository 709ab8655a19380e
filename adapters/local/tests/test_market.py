"""The feed of the local venue: an engine sees the books that its orders meet."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from support.local_venue import CALM, DEMO, serving, terms
from tradecore.domain import DataError
from tradecore.domain.feeds import read_events
from tradecore.domain.spec import AccountSpec, EngineSpec, Matching, Mode, VenueSpec
from tradecore.domain.venue_requests import Submit
from tradecore.engine import Engine
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule
from tradecore_local.market_feed import LocalMarketFeed


def feed_of(ground, instruments=None, **options) -> LocalMarketFeed:
    """Return a feed that waits shortly."""
    waits = {"backoff_first_ns": 1_000_000, "backoff_last_ns": 10_000_000}
    return LocalMarketFeed(
        ground.server.url, instruments or ground.instruments, ground.clock, **waits, **options
    )


async def read(feed: LocalMarketFeed, is_enough) -> list[tuple]:
    """Read events until there are enough."""
    events = []
    async with asyncio.timeout(20), aclosing(feed.batches()) as batches:
        async for batch in batches:
            events += read_events(batch)
            if is_enough(events):
                break
    return events


def kinds(events) -> list[str]:
    """Return what the events are."""
    return [event[0] for event in events]


async def test_an_engine_has_the_venues_book_and_trades():
    """Every message joins the one before it: the book is valid, and its best prices are the venue's."""
    async with serving() as ground:
        feed = feed_of(ground)
        spec = EngineSpec(
            mode=Mode.SHADOW,
            account=AccountSpec(),
            instruments=tuple(ground.instruments),
            venue=VenueSpec(matching=Matching.BOOK),
        )
        engine = Engine(spec, [])
        trades = updates = 0
        async with asyncio.timeout(20), aclosing(feed.batches()) as batches:
            async for batch in batches:
                events = kinds(read_events(batch))
                trades += events.count("trade")
                updates += events.count("book")
                engine.feed(batch)
                engine.run()
                if trades >= 20 and updates >= 60:
                    break
        for number in (0, 1):
            counts = engine.kernel.book_counts(number)
            assert not engine.kernel.needs_snapshot(number), counts
            bid, ask = engine.kernel.best_ticks(number)
            levels = ground.server.exchange.book(number)
            assert bid < ask
            assert abs(bid - levels.best()[0]) < 1_000
        await feed.aclose()


async def test_a_snapshot_that_is_asked_for_comes_in_the_stream():
    """And its ids join the changes that follow."""
    async with serving() as ground:
        feed = feed_of(ground)
        events = []
        has_asked = False
        async with asyncio.timeout(20), aclosing(feed.batches()) as batches:
            async for batch in batches:
                events += [event for event in read_events(batch) if event[0] == "book"]
                if events and not has_asked:
                    has_asked = await feed.request_snapshot(1)
                if len([event for event in events if event[2] == 1 and event[3]]) == 2 and len(events) > 20:
                    break
        last = None
        for event in [event for event in events if event[2] == 1]:
            is_snapshot, first_id, last_id = event[3:6]
            assert last is None or first_id == (last if is_snapshot else last + 1)
            last = last_id
        await feed.aclose()
        assert await feed.request_snapshot(7) is False


async def test_our_own_orders_change_the_book_that_we_see():
    """A level appears with an order, and the trade with an own order is shown as everybody's."""
    async with serving(CALM) as ground:
        feed = feed_of(ground)
        client = await ground.client()
        reader = asyncio.create_task(read(feed, lambda events: "trade" in kinds(events)))
        await asyncio.sleep(0.2)
        exchange = ground.server.exchange
        await client.submit(Submit(client_order_id="a", order=terms(price_ticks=100), lots=10))
        await asyncio.sleep(0.1)
        # Another account of the venue would do this; here the book itself does it.
        exchange.book(0).flow_market(exchange.now_ns, 0, False, 4)
        events = await reader
        await feed.aclose()
        await client.aclose()

    books = [event for event in events if event[0] == "book" and event[2] == 0]
    assert [level for event in books for level in event[7]] == [(100, 10), (100, 6)]
    (trade,) = [event for event in events if event[0] == "trade"]
    assert trade[2:5] == (0, 100, 4)


@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT, FaultKind.SILENCE])
async def test_a_market_stream_that_breaks_is_a_lost_feed_and_begins_anew(kind):
    """With the whole books."""
    fault = FaultRule(kind=kind, endpoint=Endpoint.MARKET, counts=(1,))
    async with serving(DEMO, fault) as ground:
        feed = feed_of(ground, silence_seconds_max=1.0)
        events = await read(feed, lambda events: kinds(events).count("feed_lost") == 4 and len(events) > 50)
        await feed.aclose()

    first = kinds(events)
    assert first[:2] == ["feed_lost", "feed_lost"]
    again = first.index("feed_lost", 2)
    after = [event for event in events[again:] if event[0] == "book"]
    assert all(event[3] for event in after[:2])
    assert {event[2] for event in after[:2]} == {0, 1}


async def test_markets_that_the_engine_does_not_have_are_left_out():
    """Instruments are numbered by the engine's table."""
    async with serving() as ground:
        feed = feed_of(ground, ground.instruments[1:])
        events = await read(feed, lambda events: len(events) > 30)
        await feed.aclose()

    assert {event[2] for event in events} == {0}


async def test_a_price_off_the_grid_of_the_engine_is_an_error_with_its_place():
    """A tick that is coarser than the venue's would make other prices of it."""
    async with serving() as ground:
        coarse = msgspec.structs.replace(ground.instruments[0], tick_size="7")
        feed = feed_of(ground, [coarse])
        with pytest.raises(DataError, match=r"message 1 .* must be a multiple of 7"):
            await read(feed, lambda _: False)
        await feed.aclose()
