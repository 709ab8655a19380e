"""Port: what may be asked of a venue by who may not trade there."""

from typing import Protocol

from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, Question


class VenueQueries(Protocol):
    """The side of a `Venue` that changes nothing: for an auditor, and for whoever compares.

    Every `Venue` is one. What is made of a `QueryKey` has no other side.
    """

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue can do; the same for as long as the adapter lives."""
        ...

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has.

        Raises `VenueError` when no answer came; that is no evidence of anything.
        """
        ...

    async def aclose(self) -> None:
        """Release sockets. Calling it twice is harmless."""
        ...
