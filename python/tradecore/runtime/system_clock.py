"""The clock of the machine."""

import asyncio
import time
from collections.abc import Callable


class SystemClock:
    """A `Clock` on the machine's own time that never runs backwards.

    It follows the monotonic clock from where it was made, so a step of the wall clock neither
    repeats nor skips time.

    Parameters
    ----------
    wall_ns, monotonic_ns : callable, optional
        The clock that people set, asked once, and the one that nobody sets (default: those of the machine).
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] | None = None,
        monotonic_ns: Callable[[], int] | None = None,
    ) -> None:
        self._monotonic_ns = monotonic_ns or time.monotonic_ns
        self._offset_ns = (wall_ns or time.time_ns)() - self._monotonic_ns()

    def now_ns(self) -> int:
        """Return UTC nanoseconds since 1970."""
        return self._monotonic_ns() + self._offset_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Return once `now_ns` has reached `time_ns`."""
        left_ns = time_ns - self.now_ns()
        if left_ns > 0:
            # Rounded up to the next microsecond, so that no second sleep is needed.
            await asyncio.sleep((left_ns + 1000) / 1e9)
