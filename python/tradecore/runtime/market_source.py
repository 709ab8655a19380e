"""The feed of a session: batches into a bounded queue, and how it ended."""

import asyncio
from collections import deque
from collections.abc import Iterator

from tradecore.domain import EventBatch
from tradecore.domain.errors import TradecoreError
from tradecore.ports.market_feed import MarketFeed

# Events in one group, or a little more: what a command may have to wait for.
GROUP_EVENTS_MAX = 4096


class MarketSource:
    """Reads a feed ahead of the engine, a few batches at most.

    Parameters
    ----------
    feed : MarketFeed
        Where events come from.
    batches_max : int
        Batches that may wait.
    wake : asyncio.Event
        Set when there is something new.
    """

    def __init__(self, feed: MarketFeed, batches_max: int, wake: asyncio.Event) -> None:
        self._feed = feed
        self._batches_max = batches_max
        self._wake = wake
        self._batches: deque[EventBatch] = deque()
        self._room = asyncio.Event()
        self._heard_at: float | None = None
        # Whether nothing more comes; and why, where the feed failed.
        self.is_over = False
        self.error: TradecoreError | None = None

    @property
    def has_batches(self) -> bool:
        """Whether something waits for the engine."""
        return bool(self._batches)

    @property
    def has_begun(self) -> bool:
        """Whether the feed has brought anything yet: until then it may begin with what is past."""
        return self._heard_at is not None

    @property
    def is_empty(self) -> bool:
        """Whether the feed is over and everything that it brought is taken."""
        return self.is_over and not self._batches

    @property
    def first_time_ns(self) -> int | None:
        """Time of the first event that waits, `None` where there is none."""
        return self._batches[0].first_time_ns if self._batches else None

    def age_seconds(self) -> float | None:
        """Return how long ago the feed brought something; `None` before the first time."""
        return None if self._heard_at is None else asyncio.get_running_loop().time() - self._heard_at

    async def read(self, skip_events: int) -> None:
        """Move batches into the queue until the feed ends; one that fails has ended after its last batch."""
        try:
            async for batch in self._feed.batches(skip_events=skip_events):
                while len(self._batches) >= self._batches_max:
                    self._room.clear()
                    await self._room.wait()
                self._batches.append(batch)
                self._heard_at = asyncio.get_running_loop().time()
                self._wake.set()
        except TradecoreError as error:
            self.error = error
        self.is_over = True
        self._wake.set()

    def take(self) -> Iterator[EventBatch]:
        """Yield what waits, as much as makes one group."""
        events = 0
        while self._batches and events < GROUP_EVENTS_MAX:
            batch = self._batches.popleft()
            events += len(batch)
            yield batch
        self._room.set()

    async def close(self, seconds_max: float) -> None:
        """Let the feed go; one that hangs is left behind after a while."""
        try:
            async with asyncio.timeout(seconds_max):
                await self._feed.aclose()
        except (TimeoutError, TradecoreError, OSError):
            return
