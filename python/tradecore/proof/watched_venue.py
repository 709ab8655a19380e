"""A venue whose requests somebody sees before they leave."""

from collections.abc import AsyncIterator, Callable

from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, Message, NotUnderstood, Question
from tradecore.domain.venue_requests import Answer, Cancel, CancelAllAfter, Replace, Submit
from tradecore.ports.letter_reader import LetterReader
from tradecore.ports.venue import Venue

Request = Submit | Replace | Cancel | CancelAllAfter


class WatchedVenue:
    """A `Venue` that shows each request about orders to somebody, and lets all pass.

    Parameters
    ----------
    venue : Venue
        Does the work; closed by `aclose`.
    on_request : callable
        Told of each request that leaves.
    """

    def __init__(self, venue: Venue, on_request: Callable[[Request], None]) -> None:
        self._venue = venue
        self._on_request = on_request

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue can do."""
        return self._venue.capabilities

    async def submit(self, request: Submit) -> Answer:
        """Ask for a new order."""
        self._on_request(request)
        return await self._venue.submit(request)

    async def cancel(self, request: Cancel | CancelAllAfter) -> Answer:
        """Ask for the end of an order, or of all later."""
        self._on_request(request)
        return await self._venue.cancel(request)

    async def replace(self, request: Replace) -> Answer:
        """Ask for another price or size."""
        self._on_request(request)
        return await self._venue.replace(request)

    def reports(self) -> AsyncIterator[Message]:
        """Yield what the venue tells by itself."""
        return self._venue.reports()

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has."""
        return await self._venue.query(question)

    def read_again(self, letter: NotUnderstood) -> list[Message]:
        """Return what a message says."""
        return self._venue.read_again(letter) if isinstance(self._venue, LetterReader) else [letter]

    async def aclose(self) -> None:
        """Close the venue."""
        await self._venue.aclose()
