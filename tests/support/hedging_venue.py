"""A venue in the process of the test where positions hedge, and a strategy that is long and short there."""

import msgspec

from support.scripted_venue import QUICK, ScriptedVenue
from tradecore.domain.venue_findings import Positions, PositionSeen, VenueOrderState
from tradecore.domain.venue_requests import Declined

HEDGING = msgspec.structs.replace(QUICK, hedging=True)
_ANY_PRICE = 100


class HedgingVenue(ScriptedVenue):
    """Each entry order opens a ticket, and what closes names one: it closes no more than there is of it."""

    def __init__(self, script=(), capabilities=HEDGING) -> None:
        super().__init__(script, capabilities)
        # The ticket of each order, by its client's name: that which it closes, else the one that it opens.
        self.ticket_of = {}
        # Tickets of others from before all trades, lots by name.
        self.held = {}
        # What was refused because its ticket has not so much.
        self.refused = []

    async def submit(self, request):
        """Take a new order; one that closes more than there is of its ticket is refused."""
        is_new = request.client_order_id not in self.orders
        if is_new and request.ticket is not None and request.lots > self.closable(request):
            self.submitted.append(request.client_order_id)
            self.refused.append(request.client_order_id)
            return Declined(reason="unknown_order", words="no such ticket, or not so much of it")
        assert request.order.reduce_only == (request.ticket is not None)
        return await super().submit(request)

    async def query(self, question):
        """Show what there is: positions ticket by ticket."""
        found = await super().query(question)
        return (
            msgspec.structs.replace(found, seen=self.positions())
            if isinstance(question, Positions)
            else found
        )

    # What the test asks and does.

    def tickets(self):
        """Return lots by ticket, from the trades as they are now: what a plain sum says."""
        lots = dict(self.held)
        for fill in self.standing():
            ticket = self.ticket_of[fill.client_order_id]
            lots[ticket] = lots.get(ticket, 0) + (fill.lots if fill.side == "buy" else -fill.lots)
        return {ticket: held for ticket, held in lots.items() if held}

    def positions(self):
        """Return the tickets as they are answered."""
        names = {order.venue_order_id: order.client_order_id for order in self.orders.values()}
        return tuple(
            PositionSeen(
                instrument=0,
                symbol="BTC-USD",
                lots=lots,
                entry_ticks=97,
                ticket=ticket,
                client_order_id=names.get(ticket),
            )
            for ticket, lots in self.tickets().items()
        )

    def closable(self, request):
        """Return how much of a ticket an order could close beside those that rest."""
        held = self.tickets().get(request.ticket, 0)
        resting = sum(
            order.open_lots
            for order in self.closing(request.ticket)
            if order.price_ticks != _ANY_PRICE or request.order.price_ticks is not None
        )
        return (held if request.order.side == "sell" else -held) - resting

    def closing(self, ticket):
        """Return the open orders that close a ticket."""
        named = [name for name, of in self.ticket_of.items() if of == ticket]
        orders = [self.orders[name] for name in named if self.orders[name].venue_order_id != ticket]
        return [order for order in orders if order.state is VenueOrderState.OPEN]

    def fill(self, client_order_id, lots, *, is_told=True):
        """Let an order trade, one that closes no more than there is; cut what rests and closes too much."""
        order, ticket = self.orders[client_order_id], self.ticket_of[client_order_id]
        if order.venue_order_id != ticket:
            held = self.tickets().get(ticket, 0)
            lots = min(lots, max(held if order.side == "sell" else -held, 0))
        if lots:
            super().fill(client_order_id, lots, is_told=is_told)
        self.cut(ticket)

    def revise(self, trade_id, **changes):
        """Tell a trade anew."""
        super().revise(trade_id, **changes)
        last = {fill.trade_id: fill for fill in self.fills}[trade_id]
        self.cut(self.ticket_of[last.client_order_id])

    def cut(self, ticket):
        """Make what closes a ticket as small as that, the newest first."""
        held = self.tickets().get(ticket, 0)
        for order in reversed(self.closing(ticket)):
            of_side = [each for each in self.closing(ticket) if each.side == order.side]
            room = (held if order.side == "sell" else -held) - sum(each.open_lots for each in of_side)
            if room < 0 < order.open_lots + room:
                self._change(order, open_lots=order.open_lots + room)
            elif room < 0:
                self.end(order.client_order_id)

    def _open(self, request):
        if request.order.price_ticks is None:
            terms = msgspec.structs.replace(request.order, price_ticks=_ANY_PRICE)
            request = msgspec.structs.replace(request, order=terms)
        self.ticket_of[request.client_order_id] = request.ticket or f"V{len(self.orders) + 1}"
        super()._open(request)

    def by_hand(self, lots, **terms):
        """Open an order of somebody else, which opens a ticket."""
        name = f"web-{len(self.orders) + 1}"
        self.ticket_of[name] = f"V{len(self.orders) + 1}"
        return super().by_hand(lots, **terms)


class BothSides:
    """Buys and sells beside each other, closes in part and in whole: the size of a trade says which."""

    def __init__(self) -> None:
        self.orders = []
        self.refused = []

    def on_trade(self, ctx, trade):
        """Do what the size of the trade says."""
        answer = self._do(ctx, trade.lots)
        if answer is not None:
            (self.orders if answer else self.refused).append(answer or answer.rule)

    def _do(self, ctx, what):
        tickets = ctx.tickets()
        match what:
            case 1:
                return ctx.buy(quantity_lots=10, limit_ticks=95)
            case 2:
                ctx.cancel(self.orders[-1])
            case 3:
                ctx.replace(self.orders[-1], quantity_lots=7, price_ticks=96)
            case 5:
                return ctx.sell(quantity_lots=8, limit_ticks=106)
            case 6 if tickets:
                lots = min(3, abs(tickets[0].lots))
                return ctx.close(ticket=tickets[0].number, quantity=lots * 0.0001)
            case 7 if tickets:
                return ctx.close(ticket=tickets[-1].number)
            case 8 if tickets:
                ticket = tickets[len(tickets) // 2]
                trade = ctx.sell if ticket.lots > 0 else ctx.buy
                return trade(quantity_lots=2, limit_ticks=99, after=ticket.number, reduce_only=True)
            case 9:
                return ctx.buy(quantity_lots=6, limit_ticks=95, take_profit_ticks=130)
        return None
