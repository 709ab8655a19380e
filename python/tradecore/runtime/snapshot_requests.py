"""Asks a feed for the snapshots that an engine's books need."""

import asyncio
from collections.abc import Iterable

from tradecore.domain.errors import TradecoreError
from tradecore.ports.market_feed import MarketFeed


class SnapshotRequests:
    """Asks for each snapshot that is needed, again only after a while or after it had come.

    Parameters
    ----------
    feed : MarketFeed
        Who is asked.
    retry_seconds : float
        How long an answer may take before the feed is asked again.
    """

    def __init__(self, feed: MarketFeed, retry_seconds: float) -> None:
        self._feed = feed
        self._retry_seconds = retry_seconds
        self._asked_at: dict[int, float] = {}
        self._cannot: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, needed: Iterable[int], group: asyncio.TaskGroup) -> None:
        """Ask for the snapshots of these instruments; the answers come with the feed."""
        needed = list(needed)
        if not needed and not self._asked_at:
            return
        now = asyncio.get_running_loop().time()
        for instrument_id in [known for known in self._asked_at if known not in needed]:
            del self._asked_at[instrument_id]
        for instrument_id in needed:
            asked_at = self._asked_at.get(instrument_id)
            is_due = asked_at is None or now - asked_at >= self._retry_seconds
            if is_due and instrument_id not in self._cannot:
                self._asked_at[instrument_id] = now
                task = group.create_task(self._request(instrument_id), name="snapshot")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """Wait for no answer any more: the session is at its end."""
        for task in self._tasks:
            task.cancel()

    async def _request(self, instrument_id: int) -> None:
        try:
            can_give = await self._feed.request_snapshot(instrument_id)
        except (TradecoreError, OSError):
            # Asked again after a while; a feed that is gone for good says so itself.
            return
        if not can_give:
            # The book comes back when the stream itself brings a snapshot; asking again is useless.
            self._cannot.add(instrument_id)
