"""Several live feeds as one, each of the instruments of one venue account."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from tradecore._core import join_events
from tradecore.domain import EventBatch
from tradecore.domain.errors import InvalidValueError
from tradecore.ports.market_feed import MarketFeed
from tradecore.runtime.warm_feed import is_loss


class FeedPart(msgspec.Struct, frozen=True):
    """A live feed that numbers its instruments from 0 on, and the engine's numbers of them in that order."""

    feed: MarketFeed
    numbers: tuple[int, ...]


class JoinedFeed:
    """Yields what several live feeds bring, as it comes, in the numbers of the engine.

    Times never fall: what has waited behind another feed has the time of that one at least. A feed that is
    slow or cut off holds up no other. One that ends for good ends the whole, as its error does.

    Parameters
    ----------
    parts : sequence of FeedPart
        At least one; no instrument is in two of them.
    begins_together : bool
        Bring nothing before all of them are connected, and then all that they brought: whoever puts the past
        before it has to know that no feed lacks what comes after.

    Raises
    ------
    InvalidValueError
        When there is none, or an instrument is in two of them.
    """

    def __init__(self, parts: Sequence[FeedPart], *, begins_together: bool = False) -> None:
        numbers = [number for part in parts for number in part.numbers]
        if not parts or len(set(numbers)) < len(numbers):
            raise InvalidValueError("parts", numbers, "must be feeds of different instruments")
        self._parts = tuple(parts)
        self._begins_together = begins_together
        self._of_instruments = {
            number: (part.feed, there) for part in parts for there, number in enumerate(part.numbers)
        }

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield what comes in; live feeds skip nothing.

        Raises
        ------
        DataError, VenueError
            As of the feed that raised it.
        """
        readers = [aiter(part.feed.batches()) for part in self._parts]
        waiting = {asyncio.ensure_future(anext(reader)): at for at, reader in enumerate(readers)}
        unconnected = set(range(len(readers))) if self._begins_together else set()
        held: list[tuple[int, EventBatch]] = []
        last_ns = 0
        try:
            while True:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                ended = {waiting.pop(task): error for task in done if (error := task.exception())}
                came = {waiting.pop(task): task.result() for task in done if task in waiting}
                read_on = set(came)
                if unconnected:
                    held += came.items()
                    unconnected -= {at for at, batch in came.items() if not is_loss(batch)}
                    # One that is connected is not read on, so that little is held however long another takes.
                    read_on = read_on & unconnected if unconnected else {at for at, _ in held}
                    came = {}
                if not unconnected:
                    for at, batch in sorted([*held, *came.items()], key=_first_time_ns):
                        join_events(batch, list(self._parts[at].numbers), last_ns)
                        last_ns = batch.last_time_ns or last_ns
                        yield batch
                    held.clear()
                under_way = set(waiting.values())
                for at in sorted(read_on - under_way):
                    waiting[asyncio.ensure_future(anext(readers[at]))] = at
                for error in ended.values():
                    if isinstance(error, StopAsyncIteration):
                        return
                    raise error
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Ask the feed of an instrument for a fresh snapshot."""
        feed, there = self._of_instruments.get(instrument_id, (None, 0))
        return feed is not None and await feed.request_snapshot(there)

    async def aclose(self) -> None:
        """Close all feeds; one that fails keeps none of the others open."""
        closed = await asyncio.gather(*(part.feed.aclose() for part in self._parts), return_exceptions=True)
        for error in closed:
            if isinstance(error, BaseException):
                raise error


def _first_time_ns(came: tuple[int, EventBatch]) -> int:
    return came[1].first_time_ns or 0
