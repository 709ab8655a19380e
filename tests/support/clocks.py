"""Clocks for tests of code that waits."""

import asyncio

from tradecore.runtime.system_clock import SystemClock


class JumpingClock:
    """Time passes only by waiting, and waiting takes no time; `waits_ns` remembers each wait."""

    def __init__(self, start_ns: int = 1_000_000_000_000_000_000) -> None:
        self._now_ns = start_ns
        self.waits_ns: list[int] = []

    def now_ns(self) -> int:
        """Return the time; every call takes a microsecond."""
        self._now_ns += 1_000
        return self._now_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Be there at once."""
        self.waits_ns.append(time_ns - self._now_ns)
        self._now_ns = max(self._now_ns, time_ns)
        await asyncio.sleep(0)


class ShiftedClock:
    """The clock of this machine, so many nanoseconds ahead; below 0 it is behind."""

    def __init__(self, ahead_ns: int) -> None:
        self._ahead_ns = ahead_ns
        self._clock = SystemClock()

    def now_ns(self) -> int:
        """Return the time on it."""
        return self._clock.now_ns() + self._ahead_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Wait until it shows a time."""
        await self._clock.sleep_until(time_ns - self._ahead_ns)
