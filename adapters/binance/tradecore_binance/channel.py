"""A bounded queue between tasks of one event loop, with an end."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """Holds up to `items_max` items in the order they were made; who puts waits while it is full.

    Parameters
    ----------
    items_max : int
        Items it holds at most.
    """

    def __init__(self, items_max: int) -> None:
        self._items: deque[T] = deque()
        self._items_max = items_max
        self._turn = asyncio.Lock()
        self._has_room = asyncio.Event()
        self._has_item = asyncio.Event()
        self._is_closed = False
        self._error: BaseException | None = None

    async def put(self, make: Callable[[], T]) -> None:
        """Wait for room, then make the item and put it; after the end nothing is made."""
        async with self._turn:
            while len(self._items) >= self._items_max and not self._is_closed:
                self._has_room.clear()
                await self._has_room.wait()
            if not self._is_closed:
                self._items.append(make())
                self._has_item.set()

    async def take(self, count_max: int) -> list[T]:
        """Wait for an item, then take what is there, `count_max` at most; nothing once the end is reached.

        Raises the error the channel was closed with, after the last item.
        """
        while not self._items:
            if self._is_closed:
                if self._error is not None:
                    raise self._error
                return []
            self._has_item.clear()
            await self._has_item.wait()
        taken = [self._items.popleft() for _ in range(min(count_max, len(self._items)))]
        self._has_room.set()
        return taken

    def close(self, error: BaseException | None = None) -> None:
        """End it; what is in it can still be taken, then `error` is raised. Only the first call counts."""
        if not self._is_closed:
            self._is_closed = True
            self._error = error
        self._has_room.set()
        self._has_item.set()
