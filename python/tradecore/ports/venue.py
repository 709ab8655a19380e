"""Port: a venue outside, which trades with real or played money."""

from collections.abc import AsyncIterator
from typing import Protocol

from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, Message, Question
from tradecore.domain.venue_requests import Answer, Cancel, Replace, Submit


class Venue(Protocol):
    """What the order manager needs from a venue.

    `tradecore.testkit.VenueContract` states the same promises as tests.

    - A request is sent once. An adapter never sends again by itself: who retries has to know what is proved.
    - What is raised is a fault of ours: whatever a venue or a network does comes back as an `Answer`. An
      adapter that is not sure says `Lost`; `NotDone` and `Declined` are proofs.
    - A cancelled call counts as `Lost`.
    - Where positions hedge (`capabilities.hedging`), each order without a ticket opens one under the venue's
      name of that order, and one with a ticket closes no more than there is of it. A ticket is the sum of
      what its entry and what names it have traded, corrections and busts included.
    - A trade that the venue corrects or busts comes again under its name with a higher `revision`, from
      `reports` and from a query of fills since then. A trade that is missing from an answer is not busted.
    """

    @property
    def capabilities(self) -> VenueCapabilities:
        """What it can do; the same for as long as the adapter lives."""
        ...

    async def submit(self, request: Submit) -> Answer:
        """Ask for a new order."""
        ...

    async def cancel(self, request: Cancel) -> Answer:
        """Ask for the end of an order; `Declined` with `unknown_order` where the venue has none open."""
        ...

    async def replace(self, request: Replace) -> Answer:
        """Ask for another price or size of an order."""
        ...

    def reports(self) -> AsyncIterator[Message]:
        """Yield what the venue tells by itself, for as long as the adapter lives.

        A connection that breaks yields `StreamLost`, one that stands again `StreamReady`; it starts with one
        of them. Nothing is yielded twice on purpose, but a venue may repeat itself. Ends after `aclose`.
        """
        ...

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has.

        Raises `VenueError` when no answer came; that is no evidence of anything.
        """
        ...

    async def aclose(self) -> None:
        """Release sockets; `reports` ends and what is under way is `Lost`. Calling it twice is harmless."""
        ...
