"""A feed from some time on: an account that was carried over has lived through what was before."""

from collections.abc import AsyncIterator

from tradecore.domain import EventBatch
from tradecore.ports.market_feed import MarketFeed


class LaterFeed:
    """Another feed from some time on.

    Parameters
    ----------
    feed : MarketFeed
        The feed.
    time_ns : int
        Events before it are left out, UTC nanoseconds.
    """

    def __init__(self, feed: MarketFeed, time_ns: int) -> None:
        self._feed = feed
        self._time_ns = time_ns

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield the events in order; `skip_events` counts those that are not before the time."""
        async for batch in self._feed.batches():
            batch.skip_before(self._time_ns)
            count = len(batch)
            batch.skip(skip_events)
            skip_events -= count - len(batch)
            if len(batch):
                yield batch

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Ask for a fresh book snapshot, as of the feed."""
        return await self._feed.request_snapshot(instrument_id)

    async def aclose(self) -> None:
        """Close the feed behind it: nothing of its own is open."""
        await self._feed.aclose()
