"""An event loop whose time passes only by waiting, and where waiting takes no time."""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

from tradecore.domain.errors import TradecoreError

_SECOND_NS = 1_000_000_000


class StandstillError(TradecoreError):
    """Everybody waits, and nothing is due: what is simulated would wait for ever."""


class _Nothing(selectors.BaseSelector):
    """Knows of no readiness; where the loop would wait, it moves the loop's time instead."""

    def __init__(self) -> None:
        self._keys: dict[Any, selectors.SelectorKey] = {}
        self.now_ns = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[fileobj] = key = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 - as the base class has it
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StandstillError("nothing is due any more, and somebody still waits")
        if timeout > 0:
            # At least a nanosecond: a wait that is shorter must end, too.
            self.now_ns += max(round(timeout * _SECOND_NS), 1)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop of the standard library with no sockets and no clock: it begins at time 0."""

    def __init__(self) -> None:
        self._nothing = _Nothing()
        super().__init__(self._nothing)
        # What the base class takes from the machine: two waits are alike on each of them.
        self._clock_resolution = 1e-9

    @property
    def now_ns(self) -> int:
        """Return its time, nanoseconds since its beginning."""
        return self._nothing.now_ns

    def time(self) -> float:
        """Return its time in seconds."""
        return self._nothing.now_ns / _SECOND_NS


class VirtualClock:
    """A `Clock` that shows the time of a virtual loop.

    Parameters
    ----------
    loop : VirtualLoop
        Whose time it shows.
    start_ns : int
        What it shows at the loop's beginning, UTC nanoseconds.
    """

    def __init__(self, loop: VirtualLoop, start_ns: int) -> None:
        self._loop = loop
        self._start_ns = start_ns

    def now_ns(self) -> int:
        """Return UTC nanoseconds."""
        return self._start_ns + self._loop.now_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Return once it shows a time."""
        while (left_ns := time_ns - self.now_ns()) > 0:  # noqa: ASYNC110 - it is time alone
            await asyncio.sleep(left_ns / _SECOND_NS)
