"""Port: where market data comes from."""

from collections.abc import AsyncIterator
from typing import Protocol

from tradecore.domain import EventBatch


class MarketFeed(Protocol):
    """What the runtime needs from a source of market data: live, recorded or simulated.

    `tradecore.testkit.MarketFeedContract` states the same promises as tests.
    """

    def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield batches with at least one event each, times never falling.

        A batch belongs to the reader once it was yielded: the feed fills another one for what comes next.

        A recorded or simulated feed delivers the same events on every call and leaves out the first
        `skip_events` of them, so that a restarted run goes on where its journal ends. A live feed
        ignores `skip_events` and starts with a feed-lost event per instrument: books stay invalid
        until the first snapshot.

        Raises `DataError` for input that cannot be used and `VenueError` when the source is gone for good.
        """
        ...

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Ask for a fresh book snapshot, which then arrives in the stream; `False` if the source has none."""
        ...

    async def aclose(self) -> None:
        """Release sockets and files; `batches` ends. Calling it twice is harmless."""
        ...
