"""Port: what a watchdog needs from a venue: to see what is open there, and to end it."""

from typing import Protocol

from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, Question
from tradecore.domain.venue_requests import Answer, Cancel


class VenueCancels(Protocol):
    """The side of a `Venue` that opens nothing: for a watchdog.

    Every `Venue` is one. What is made of a `WatchdogKey` has no other side. Instruments have the numbers in
    which its client was given them.
    """

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue can do; the same for as long as the adapter lives."""
        ...

    async def cancel(self, request: Cancel) -> Answer:
        """Ask for the end of an order; `Declined` with `unknown_order` where the venue has none open."""
        ...

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has.

        Raises `VenueError` when no answer came; that is no evidence of anything.
        """
        ...

    async def aclose(self) -> None:
        """Release sockets. Calling it twice is harmless."""
        ...
