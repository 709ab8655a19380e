"""Tickets at a venue that hedges: how it calls them, and where books and venue have not the same of one."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from tradecore._core import Kernel, tickets_at_venue
from tradecore.domain.venue_findings import PositionSeen
from tradecore.runtime.live.reconciliation import Difference

# Names that are remembered; the oldest go first, and a venue's list of positions says those of open tickets.
NAMES_MAX = 100_000


class TicketNames:
    """Knows the venue's names of tickets: that of the order that opened one, unless the venue says another.

    A ticket has the number of the order that opened it. What an order opened that was to close one is a part
    of that one at the venue, whatever number the books have it under.

    Parameters
    ----------
    number_of : callable
        Returns the number of an order of ours by the client's name of it; `None` for one of others.
    """

    def __init__(self, number_of: Callable[[str | None], int | None]) -> None:
        self._number_of = number_of
        self._names: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        # Returns the number of the ticket there that an order closes, else of the one that it opens.
        self.at_venue: Callable[[int], int] = int

    def note(self, number: int, name: str) -> None:
        """Note how the venue calls an order, and so the ticket that it opens."""
        if number in self._names:
            return
        self._names[number], self._numbers[name] = name, number
        if len(self._names) > NAMES_MAX:
            oldest = next(iter(self._names))
            self._numbers.pop(self._names.pop(oldest), None)

    def name_to_close(self, closes: int) -> str | None:
        """Return the venue's name of the ticket that an order is to close; `None` where it is not known."""
        return self._names.get(self.at_venue(closes))

    def number(self, seen: PositionSeen) -> int | None:
        """Return the number of a ticket that the venue shows; `None` for one of others."""
        number = self._number_of(seen.client_order_id)
        if number is not None and seen.ticket is not None:
            self.note(number, seen.ticket)
        return self._numbers.get(seen.ticket or "") if number is None else number


def differing_tickets(
    kernel: Kernel, symbols: Mapping[int, str], tickets: TicketNames, seen: Iterable[PositionSeen]
) -> Iterator[Difference]:
    """Give the tickets of which the venue has not what the books have, of the instruments that are named."""
    books = {(at, number): lots for at, number, lots in tickets_at_venue(kernel) if at in symbols}
    yield from ticket_differences(seen, books, symbols, tickets.number)


def ticket_differences(
    seen: Iterable[PositionSeen],
    books: Mapping[tuple[int, int], int],
    symbols: Mapping[int, str],
    number_of: Callable[[PositionSeen], int | None],
) -> Iterator[Difference]:
    """Give the tickets of which venue and books have not the same, in lots; long and short never make up.

    Parameters
    ----------
    seen : iterable of PositionSeen
        What the venue has.
    books : mapping
        What the books have, by instrument and number.
    symbols : mapping
        Names of instruments.
    number_of : callable
        Returns the number of a ticket that the venue shows; `None` for one that the books do not have.
    """
    there: dict[tuple[int, int], int] = {}
    others: list[PositionSeen] = []
    for each in seen:
        number = number_of(each)
        if number is None or each.instrument is None:
            others.append(each)
        else:
            place = (each.instrument, number)
            there[place] = there.get(place, 0) + each.lots
    for instrument, number in sorted({*there, *books}):
        venue_lots, book_lots = there.get((instrument, number), 0), books.get((instrument, number), 0)
        if venue_lots != book_lots:
            yield Difference(
                instrument=instrument,
                symbol=symbols.get(instrument, str(instrument)),
                venue_lots=venue_lots,
                book_lots=book_lots,
                ticket=number,
            )
    for each in others:
        known = None if each.instrument is None else symbols.get(each.instrument)
        yield Difference(
            instrument=each.instrument,
            symbol=known or each.symbol,
            venue_lots=each.lots,
            book_lots=0,
            venue_ticket=each.ticket,
            entry_ticks=each.entry_ticks,
        )
