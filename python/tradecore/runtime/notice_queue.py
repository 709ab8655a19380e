"""Hands notices of committed records to a notifier, outside the order path."""

import asyncio
from collections import deque

from tradecore.domain.errors import TradecoreError
from tradecore.ports.notifier import Notifier
from tradecore.runtime.frames import FrameScan

GROUPS_MAX = 1024


class NoticeQueue:
    """A bounded queue in front of a notifier.

    When the notifier is slower than the engine the oldest groups are left out, and so are one that it
    fails to tell and those that it has not told when its time at the end is over; their records are counted
    in `dropped`. The journal has them all.

    Parameters
    ----------
    notifier : Notifier
        Who is told.
    """

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._groups: deque[tuple[int, FrameScan]] = deque()
        self._ready = asyncio.Event()
        self.dropped = 0

    def put(self, first_seq: int, scanned: FrameScan) -> None:
        """Queue the effects of one committed group; never waits."""
        if not scanned.effect_offsets:
            return
        if len(self._groups) >= GROUPS_MAX:
            _, oldest = self._groups.popleft()
            self.dropped += len(oldest.effect_offsets)
        self._groups.append((first_seq, scanned))
        self._ready.set()

    async def run(self) -> None:
        """Hand every group to the notifier, in order, until the task is cancelled."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            await self.flush()

    async def flush(self) -> None:
        """Deliver everything that waits now."""
        while self._groups:
            first_seq, scanned = self._groups.popleft()
            try:
                await self._notifier.notify(scanned.records(first_seq))
            except (TradecoreError, OSError):
                self.dropped += len(scanned.effect_offsets)
            except asyncio.CancelledError:
                # The session ends while the notifier is at it: told again by `close`, rather than not at all.
                self._groups.appendleft((first_seq, scanned))
                raise

    async def close(self, seconds_max: float) -> None:
        """Deliver what waits and let the notifier go; one that hangs or fails is left behind."""
        try:
            async with asyncio.timeout(seconds_max):
                await self.flush()
                await self._notifier.aclose()
        except (TimeoutError, TradecoreError, OSError):
            self.dropped += sum(len(scanned.effect_offsets) for _, scanned in self._groups)
            self._groups.clear()
