"""A venue that knows the instruments of one account alone, in the numbers of an engine with several."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TypeVar

import msgspec

from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import (
    FillSeen,
    Findings,
    Message,
    NotUnderstood,
    OneOrder,
    OrderSeen,
    PositionSeen,
    Question,
    Seen,
)
from tradecore.domain.venue_requests import Answer, Cancel, CancelAllAfter, Replace, Submit
from tradecore.ports.letter_reader import LetterReader
from tradecore.ports.venue import Venue
from tradecore.ports.venue_queries import VenueQueries

_SaidT = TypeVar("_SaidT", Seen, Message)


class _Numbers:
    """Numbers of instruments on both sides: those of the engine, and of the venue's client from 0 on."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._here = tuple(numbers)
        self._there = {here: there for there, here in enumerate(numbers)}

    def there(self, instrument: int) -> int:
        return self._there[instrument]

    def all_here(self, instruments: Iterable[int]) -> frozenset[int]:
        return frozenset(self._here[there] for there in instruments)

    def told(self, said: _SaidT) -> _SaidT:
        """Return what the client says in the numbers of the engine."""
        if isinstance(said, OrderSeen | FillSeen | PositionSeen) and said.instrument is not None:
            return msgspec.structs.replace(said, instrument=self._here[said.instrument])
        return said

    def asked(self, question: Question) -> Question:
        """Return a question in the numbers of the client."""
        if isinstance(question, OneOrder):
            return msgspec.structs.replace(question, instrument=self.there(question.instrument))
        return question


class AccountQueries:
    """The `VenueQueries` of one account of several.

    Parameters
    ----------
    venue : VenueQueries
        Knows the instruments of the account, numbered from 0 on; closed by `aclose`.
    numbers : sequence of int
        The engine's numbers of them, in that order.
    """

    def __init__(self, venue: VenueQueries, numbers: Sequence[int]) -> None:
        self._queries = venue
        self._numbers = _Numbers(numbers)
        can = venue.capabilities
        self._capabilities = msgspec.structs.replace(can, positions=self._numbers.all_here(can.positions))

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue can do."""
        return self._capabilities

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has; raises `VenueError` when no answer came."""
        found = await self._queries.query(self._numbers.asked(question))
        return msgspec.structs.replace(found, seen=tuple(map(self._numbers.told, found.seen)))

    async def aclose(self) -> None:
        """Close the venue."""
        await self._queries.aclose()


class AccountVenue(AccountQueries):
    """The `Venue` of one account of several; parameters as of `AccountQueries`."""

    def __init__(self, venue: Venue, numbers: Sequence[int]) -> None:
        super().__init__(venue, numbers)
        self._venue = venue

    async def submit(self, request: Submit) -> Answer:
        """Ask for a new order."""
        there = self._numbers.there(request.order.instrument)
        order = msgspec.structs.replace(request.order, instrument=there)
        return await self._venue.submit(msgspec.structs.replace(request, order=order))

    async def cancel(self, request: Cancel | CancelAllAfter) -> Answer:
        """Ask for the end of an order, or of all at a later time."""
        if isinstance(request, CancelAllAfter):
            return await self._venue.cancel(request)
        there = self._numbers.there(request.instrument)
        return await self._venue.cancel(msgspec.structs.replace(request, instrument=there))

    async def replace(self, request: Replace) -> Answer:
        """Ask for another price or size of an order."""
        there = self._numbers.there(request.instrument)
        return await self._venue.replace(msgspec.structs.replace(request, instrument=there))

    async def reports(self) -> AsyncIterator[Message]:
        """Yield what the venue tells by itself."""
        async for message in self._venue.reports():
            yield self._numbers.told(message)

    def read_again(self, letter: NotUnderstood) -> list[Message]:
        """Return what a message says; `NotUnderstood` where it still makes no sense, or nobody can try."""
        if not isinstance(self._venue, LetterReader):
            return [letter]
        return [self._numbers.told(message) for message in self._venue.read_again(letter)]
