"""A venue in the process of the test, which does to each request what a script says."""

import asyncio
from decimal import Decimal

import msgspec

from support.live_desk import CAPABILITIES
from tradecore.domain.errors import VenueError
from tradecore.domain.venue_findings import (
    FillSeen,
    FillsSince,
    Findings,
    OneOrder,
    OpenOrders,
    OrderSeen,
    PositionSeen,
    StreamLost,
    StreamReady,
    VenueOrderState,
)
from tradecore.domain.venue_requests import Declined, Lost, NotDone, Taken

QUICK = msgspec.structs.replace(CAPABILITIES, validity_window_ns=20_000_000, requests_per_second=100_000.0)


class ScriptedVenue:
    """Has orders and trades of its own, which outlive every line to it.

    `script` says what happens to each request in turn: `ok`, `busy` (nothing happens), `before` (lost before
    it has an effect), `after` (it has its effect and the answer is lost), `refuse`; `ok` when it is used up.
    """

    def __init__(self, script=(), capabilities=QUICK) -> None:
        self.capabilities = capabilities
        self.script = list(script)
        self.orders = {}
        self.fills = []
        self.submitted = []
        self.is_silent = False
        # The venue's own time of its answers.
        self.time_ns = 0
        self.answers_questions = True
        # Whether it shows no names of clients, as venues do that know none.
        self.hides_names = False
        # A position from before all trades.
        self.held_lots = 0
        self.before_submit = lambda request: None
        self._lines = set()

    # The port.

    async def submit(self, request):
        """Take a new order, unless the script says otherwise."""
        self.before_submit(request)
        self.submitted.append(request.client_order_id)
        if request.client_order_id in self.orders:
            return Declined(reason="duplicate_id", words="exists")
        return await self._done(lambda: self._open(request), lambda: self.orders[request.client_order_id])

    async def cancel(self, request):
        """Cancel an order."""
        (order,) = self._called(request) or [None]
        if order is None or order.state is not VenueOrderState.OPEN:
            return Declined(reason="unknown_order", words="not open")
        return await self._done(lambda: self.end(order.client_order_id), lambda: order)

    async def replace(self, request):
        """Amend an order."""
        order = self.orders.get(request.client_order_id)
        if order is None or order.state is not VenueOrderState.OPEN:
            return Declined(reason="unknown_order", words="not open")
        price = order.price_ticks if request.price_ticks is None else request.price_ticks
        change = {"price_ticks": price, "open_lots": request.open_lots}

        def amend():
            # It may have traded, or ended, since it was asked.
            now = self.orders[request.client_order_id]
            if now.state is VenueOrderState.OPEN:
                self._change(now, **change)

        return await self._done(amend, lambda: order)

    async def reports(self):
        """Tell what happens from here on."""
        line = asyncio.Queue()
        self._lines.add(line)
        try:
            yield StreamReady()
            while (message := await line.get()) is not None:
                yield message
        finally:
            self._lines.discard(line)

    async def query(self, question):
        """Show what there is."""
        await asyncio.sleep(0)
        if not self.answers_questions:
            raise VenueError("no answer")
        match question:
            case OpenOrders():
                seen = [order for order in self.orders.values() if order.state is VenueOrderState.OPEN]
            case OneOrder():
                seen = self._called(question)
            case FillsSince():
                seen = [fill for fill in self.fills if fill.time_ns >= question.time_ns]
            case _:
                lots = self.held_lots + self.position()
                seen = [PositionSeen(instrument=0, symbol="BTC-USD", lots=lots)] if lots else []
        if self.hides_names:
            has_name = OrderSeen | FillSeen
            seen = [
                msgspec.structs.replace(each, client_order_id=None) if isinstance(each, has_name) else each
                for each in seen
            ]
        return Findings(seen=tuple(seen), is_complete=True, time_ns=self.time_ns)

    async def aclose(self):
        """End every stream."""
        for line in self._lines:
            line.put_nowait(None)

    def _called(self, asked):
        """Return the order that a request or a question is about, by our name of it or by the venue's."""
        if asked.client_order_id:
            return [self.orders[name] for name in [asked.client_order_id] if name in self.orders]
        return [each for each in self.orders.values() if each.venue_order_id == asked.venue_order_id]

    # What the test does.

    def by_hand(self, lots, *, side="buy", price_ticks=95):
        """Open an order of somebody else, as from a web page; return its name here."""
        name = f"web-{len(self.orders) + 1}"
        self.orders[name] = order = OrderSeen(
            client_order_id=name,
            venue_order_id=f"V{len(self.orders) + 1}",
            instrument=0,
            symbol="BTC-USD",
            side=side,
            state=VenueOrderState.OPEN,
            price_ticks=price_ticks,
            open_lots=lots,
            filled_lots=0,
            time_ns=1_767_225_600_000_000_000,
        )
        self.tell(order)
        return name

    def standing(self):
        """Return the trades as they are now."""
        return list({fill.trade_id: fill for fill in self.fills}.values())

    def position(self):
        """Return the position by the venue's own trades."""
        return sum(fill.lots if fill.side == "buy" else -fill.lots for fill in self.standing())

    def revise(self, trade_id, *, lots, price_ticks=95, fee="0.01", is_told=True):
        """Tell a trade anew; without lots it never happened."""
        last = {fill.trade_id: fill for fill in self.fills}[trade_id]
        fill = msgspec.structs.replace(
            last, lots=lots, price_ticks=price_ticks, fee=Decimal(fee), revision=last.revision + 1
        )
        self.fills.append(fill)
        if is_told:
            self.tell(fill)

    def fill(self, client_order_id, lots, *, is_told=True):
        """Let an order trade."""
        order = self.orders[client_order_id]
        self._traded(order, lots, is_told=is_told)
        left = order.open_lots - lots
        state = VenueOrderState.OPEN if left else VenueOrderState.FILLED
        self._change(order, open_lots=left, filled_lots=order.filled_lots + lots, state=state)

    def _traded(self, order, lots, *, is_told):
        fill = FillSeen(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            instrument=0,
            symbol="BTC-USD",
            side=order.side,
            trade_id=f"T{len(self.fills) + 1}",
            price_ticks=order.price_ticks,
            lots=lots,
            liquidity="maker",
            fee=Decimal("0.01"),
            fee_currency="USD",
            time_ns=order.time_ns,
        )
        self.fills.append(fill)
        if is_told:
            self.tell(fill)

    def fill_late(self, client_order_id, lots, *, is_told=True):
        """Let an order trade that has ended: the trade crossed its end."""
        order = self.orders[client_order_id]
        self._traded(order, lots, is_told=is_told)
        self._change(order, filled_lots=order.filled_lots + lots)

    def end(self, client_order_id, state=VenueOrderState.CANCELED):
        """End an order."""
        self._change(self.orders[client_order_id], state=state, open_lots=0)

    def lose_stream(self, *, is_ready_again=True):
        """Break the stream of reports."""
        self.tell(StreamLost(words="reset"))
        if is_ready_again:
            self.tell(StreamReady())

    def tell(self, message):
        """Put a message on the stream."""
        if not self.is_silent:
            for line in self._lines:
                line.put_nowait(message)

    def _open(self, request):
        self.orders[request.client_order_id] = order = OrderSeen(
            client_order_id=request.client_order_id,
            venue_order_id=f"V{len(self.orders) + 1}",
            instrument=0,
            symbol="BTC-USD",
            side=request.order.side,
            state=VenueOrderState.OPEN,
            price_ticks=request.order.price_ticks,
            open_lots=request.lots,
            filled_lots=0,
            time_ns=request.order.decided_ns or 1_767_225_600_000_000_000,
        )
        self.tell(order)

    def _change(self, order, **changes):
        changed = msgspec.structs.replace(order, **changes)
        self.orders[order.client_order_id] = changed
        self.tell(changed)

    async def _done(self, take_effect, named):
        what = self.script.pop(0) if self.script else "ok"
        await asyncio.sleep(0)
        match what:
            case "busy":
                return NotDone(words="busy")
            case "refuse":
                return Declined(reason="insufficient_margin", words="no money")
            case "before":
                return Lost(words="reset before")
        take_effect()
        if what == "after":
            return Lost(words="reset after")
        # Two requests may be under way at once: the name is that of the order as it came to be.
        return Taken(venue_order_id=named().venue_order_id)
