"""Port: who is told what happened."""

from collections.abc import Sequence
from typing import Protocol

from tradecore.domain.record import JournalRecord


class Notifier(Protocol):
    """What the runtime needs from a log, a chat or a pager.

    It only ever hears of records that are in the journal, after the commit. It runs outside the order
    path: when it is slower than the engine, or raises a `TradecoreError` or an `OSError`, notices are
    left out and counted; nothing waits for them and nothing ends.
    """

    async def notify(self, records: Sequence[JournalRecord], /) -> None:
        """Tell about these records, in order. Of market events only lost feeds are among them."""
        ...

    async def aclose(self) -> None:
        """Send what is still waiting and release connections. Calling it twice is harmless."""
        ...
