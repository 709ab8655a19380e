"""What a journal says of tickets at a venue that hedges, read from its records alone."""

from tradecore.domain import record_bodies as bodies


class JournalTickets:
    """Follows tickets as their venue counts them: what closes one is a part of it, whatever it opened.

    Attributes
    ----------
    lots : dict
        What is open, by instrument and number of the order that opened it; short is negative.
    names : dict
        Numbers of tickets of others that were taken over, by the venue's names of them.
    """

    def __init__(self) -> None:
        self.lots: dict[tuple[int, int], int] = {}
        self.names: dict[str, int] = {}
        self._tickets: dict[int, int] = {}

    def opened(self, order: bodies.Order, found: bodies.Adopted | None) -> None:
        """Note the ticket of an order: the one that it closes, else its own."""
        number = order.order_id
        self._tickets[number] = (
            number if order.closes is None else self._tickets.get(order.closes, order.closes)
        )
        if found is not None and found.adopted == "position" and found.venue_order_id is not None:
            self.names[found.venue_order_id] = number

    def traded(self, instrument: int, order_id: int, lots: int) -> None:
        """Add signed lots that an order traded, or that were open when the journal began."""
        place = (instrument, self._tickets.get(order_id, order_id))
        lots += self.lots.pop(place, 0)
        if lots:
            self.lots[place] = lots
