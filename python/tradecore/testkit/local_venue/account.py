"""What one account has: balances, what open orders hold of them, positions, orders and trades."""

from bisect import bisect_left

from tradecore.testkit.local_venue.records import FillRow, PositionRow, VenueOrder


class Account:
    """One account. Money is whole atto units of a currency.

    Parameters
    ----------
    name : str
        Its name.

    Attributes
    ----------
    total_atto, held_atto : dict of str to int
        What it has, and what open orders hold of that, by currency.
    open_orders : dict of int to VenueOrder
        What is open, the oldest first.
    reducing : dict of int to VenueOrder
        Those of them that may only close.
    fills : list of FillRow
        All trades in their order.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.total_atto: dict[str, int] = {}
        self.held_atto: dict[str, int] = {}
        self.open_orders: dict[int, VenueOrder] = {}
        self.reducing: dict[int, VenueOrder] = {}
        self.fills: list[FillRow] = []
        self._by_client: dict[str, list[VenueOrder]] = {}
        # Lots and cost by market and ticket.
        self._positions: dict[tuple[int, int], tuple[int, int]] = {}
        # What clients called the orders that opened tickets.
        self._entries: dict[int, str] = {}

    def free_atto(self, currency: str) -> int:
        """Return what it may still use of a currency."""
        return self.total_atto.get(currency, 0) - self.held_atto.get(currency, 0)

    def add(self, currency: str, amount_atto: int) -> None:
        """Change what it has."""
        self.total_atto[currency] = self.total_atto.get(currency, 0) + amount_atto

    def hold(self, order: VenueOrder, currency: str, amount_atto: int) -> None:
        """Hold so much for an order, in the place of what was held for it."""
        self.held_atto[currency] = self.held_atto.get(currency, 0) + amount_atto - order.held_atto
        order.held_atto = amount_atto

    def remember(self, order: VenueOrder) -> None:
        """Know an order by its client's name, too."""
        if order.client_order_id is not None:
            self._by_client.setdefault(order.client_order_id, []).append(order)
            if order.ticket == order.number:
                self._entries[order.number] = order.client_order_id

    def forget(self, order: VenueOrder) -> None:
        """Know an order no more."""
        if order.client_order_id is not None and (same := self._by_client.get(order.client_order_id)):
            same.remove(order)
            if not same:
                del self._by_client[order.client_order_id]

    def named(self, client_order_id: str) -> list[VenueOrder]:
        """Return the orders of a client's name, the oldest first; there may be several."""
        return self._by_client.get(client_order_id, [])

    def fills_since(self, time_ns: int, after: int, count_max: int) -> tuple[list[FillRow], bool]:
        """Return trades after a cursor (0: all), not older than a time, and whether these are the last."""
        first = max(after, bisect_left(self.fills, time_ns, key=lambda fill: fill.time_ns))
        return self.fills[first : first + count_max], first + count_max >= len(self.fills)

    def position_lots(self, market: int, ticket: int = 0) -> int:
        """Return what it holds of a margin market, of a ticket where positions hedge; short is negative."""
        return self._positions.get((market, ticket), (0, 0))[0]

    def positions(self) -> list[PositionRow]:
        """Return the positions that are not flat."""
        return [
            PositionRow(
                account=self.name,
                market=market,
                lots=lots,
                cost_atto=cost,
                ticket=ticket,
                client_order_id=self._entries.get(ticket),
            )
            for (market, ticket), (lots, cost) in sorted(self._positions.items())
            if lots
        ]

    def trade_position(self, market: int, lots: int, unit_cost_atto: int, ticket: int = 0) -> int:
        """Change a position by signed lots at a cost each, and return the profit of what was closed.

        Where positions hedge, it is that of a ticket (0 where they are netted): what its entry order has
        traded, and what names it, in whatever order.
        What is closed costs its share of the position, cut to whole units towards zero: the cut stays with
        the rest, so that all profits together are exact once the position is flat.
        """
        held, cost = self._positions.get((market, ticket), (0, 0))
        profit = 0
        if held * lots < 0:
            closed = min(abs(held), abs(lots)) * (1 if lots > 0 else -1)
            share = abs(cost) * abs(closed) // abs(held) * (1 if cost > 0 else -1)
            profit = -closed * unit_cost_atto - share
            held, cost, lots = held + closed, cost - share, lots - closed
        self._positions[market, ticket] = (held + lots, cost + lots * unit_cost_atto)
        return profit
