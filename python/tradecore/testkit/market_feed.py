"""What every market feed promises, as tests: derive a test class and give it a fixture `feed`."""

# ruff: noqa: S101 - contracts are tests

import asyncio
from contextlib import aclosing
from typing import Any

from tradecore.domain import EventBatch
from tradecore.domain.feeds import read_events
from tradecore.ports.market_feed import MarketFeed

EVENTS_MAX = 5_000


class MarketFeedContract:
    """The promises of the `MarketFeed` port; a subclass has a pytest fixture `feed`, new for every test."""

    async def test_batches_hold_events_and_their_times_never_fall(self, feed: MarketFeed) -> None:
        """At least one event a batch, in the order of time."""
        last_ns = 0
        count = 0
        async with aclosing(_batches(feed)) as batches:
            async for events in batches:
                assert events
                for event in events:
                    assert event[1] >= last_ns
                    last_ns = event[1]
                count += len(events)
                if count >= EVENTS_MAX:
                    break
        assert count > 0

    async def test_a_batch_that_was_yielded_is_not_changed_any_more(self, feed: MarketFeed) -> None:
        """It waits in a queue while the next one is filled: each is a batch of its own."""
        seen: list[tuple[EventBatch, list[tuple[Any, ...]]]] = []
        async with aclosing(_yielded(feed)) as batches:
            async for batch in batches:
                seen.append((batch, read_events(batch)))
                if sum(len(events) for _, events in seen) >= EVENTS_MAX:
                    break
        assert all(read_events(batch) == events for batch, events in seen)

    async def test_closing_ends_the_stream_and_may_be_repeated(self, feed: MarketFeed) -> None:
        """After `aclose` the stream ends within a second, and no event follows."""
        async with aclosing(_batches(feed)) as batches:
            await anext(batches)
            await feed.aclose()
            await feed.aclose()
            async with asyncio.timeout(1):
                assert len([events async for events in batches]) <= 1

    async def test_a_snapshot_can_be_asked_for_at_any_time(self, feed: MarketFeed) -> None:
        """The answer says whether the source can give one."""
        assert await feed.request_snapshot(0) in {True, False}
        await feed.aclose()


class RecordedFeedContract(MarketFeedContract):
    """The promises of a recorded or simulated feed besides."""

    async def test_every_call_delivers_the_same_events(self, feed: MarketFeed) -> None:
        """A replay is a replay."""
        assert await _all(feed, 0) == await _all(feed, 0)

    async def test_a_restart_leaves_out_what_it_has(self, feed: MarketFeed) -> None:
        """`skip_events` leaves out exactly the first events, wherever batches begin."""
        whole = await _all(feed, 0)
        for count in (1, len(whole) // 3, len(whole) - 1, len(whole), len(whole) + 1):
            assert await _all(feed, count) == whole[count:]


class LiveFeedContract(MarketFeedContract):
    """The promises of a live feed besides."""

    async def test_the_stream_begins_with_the_loss_of_the_feed(self, feed: MarketFeed) -> None:
        """Books are invalid until their first snapshot, so nobody trades on what was before."""
        async with aclosing(_batches(feed)) as batches:
            assert (await anext(batches))[0][0] == "feed_lost"


async def _batches(feed: MarketFeed, skip_events: int = 0) -> Any:  # noqa: ANN401 - an async generator of event lists
    async for batch in feed.batches(skip_events=skip_events):
        yield read_events(batch)


async def _yielded(feed: MarketFeed) -> Any:  # noqa: ANN401 - an async generator of batches
    async for batch in feed.batches():
        yield batch


async def _all(feed: MarketFeed, skip_events: int) -> list[tuple[Any, ...]]:
    return [event async for events in _batches(feed, skip_events) for event in events]
