"""Rules about what was approved and what was sent."""

import msgspec

from tradecore_audit import records as r
from tradecore_audit.ground import Ground
from tradecore_audit.orders import AuditedOrder

# From this version of behaviour on a journal says what was sent.
_SAYS_SENT = 4


class Approvals:
    """Holds approvals, amendments and requests that left against stops and limits."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._forced: set[int] = set()
        # An order that was approved while killed: the next record may say that its venue closes by force.
        self._unforced: tuple[int, int] | None = None

    def order(self, seq: int, terms: r.Order, *, is_adopted: bool) -> None:
        """Take in an order that risk approved, or one of others that was taken over."""
        ground, number = self._ground, terms.order_id
        known = ground.orders.find(number)
        ground.check("order_number", seq, known is None, f"order {number} was approved twice")
        has_place = terms.instrument < len(ground.settings.instruments)
        if not has_place or terms.strategy >= len(ground.settings.strategies):
            what = f"order {number} is of a strategy or an instrument that is not there"
            ground.fail("order_number", seq, what)
            return
        order = AuditedOrder(terms, seq)
        order.is_forced = number in self._forced
        self._forced.discard(number)
        order.is_adopted = is_adopted
        if not is_adopted and not order.is_forced:
            self._check_stops(seq, order)
            self._check_exit(seq, terms)
            self._check_closing(seq, terms)
        if known is not None:
            ground.orders.close(known, ground.account(known), "approved again")
        ground.orders.add(order, ground.account(order))

    def liquidation(self, body: r.Liquidation) -> None:
        """Note that a venue closes a position by force with an order."""
        order = self._ground.orders.find(body.order_id)
        if order is not None:
            order.is_forced = True
        else:
            self._forced.add(body.order_id)

    def settle(self, body: r.Record | None) -> None:
        """Say that an order was approved while killed, unless this record says that it closes by force."""
        if self._unforced is None:
            return
        seq, number = self._unforced
        self._unforced = None
        if not (isinstance(body, r.Liquidation) and body.order_id == number):
            self._ground.findings.add("kill", seq, f"order {number} was approved while killed")

    def replace_request(self, seq: int, body: r.ReplaceRequest) -> None:
        """Take in an amendment that was approved."""
        order = self._ground.known(seq, body.order_id, "an amendment was asked for")
        if order is None or order.end:
            return
        if not order.terms.is_bound and not order.is_adopted and body.lots > order.stake:
            self._check_amended(seq, order, body.lots, body.price_ticks or order.price_ticks)
        order.replaces += 1
        order.asked = max(order.asked, body.lots)
        order.ask_price(body.price_ticks)
        self._ground.orders.recount(order)

    def link(self, body: r.Link) -> None:
        """Note that an order waits for another one."""
        order = self._ground.orders.find(body.order_id)
        if order is not None and body.after is not None:
            order.after = body.after

    def sized(self, seq: int, body: r.Sized) -> None:
        """Take in the size of an order that was a share of buying power."""
        order = self._ground.known(seq, body.order_id, "its size was told")
        if order is not None:
            order.lots = body.lots
            self._ground.orders.recount(order)

    def sent(self, seq: int, body: r.Sent) -> None:
        """Check a request that left for the venue."""
        ground, number, request = self._ground, body.order_id, body.request
        order = ground.orders.find(number)
        what = f"a {request} of order {number}, which was not approved"
        ground.check("sent_unapproved", seq, order is not None, what)
        is_shadow = ground.settings.mode == "shadow"
        ground.check("shadow", seq, not is_shadow, f"a {request} of order {number} was sent in shadow mode")
        if order is None:
            return
        if order.end:
            ground.fail("ended_order", seq, f"a {request} of order {number} was sent, which has ended")
        elif request == "new":
            self._sent_new(seq, order, body)
        else:
            self.check_sent(seq, order, f"a {request} was sent")
            if request == "replace":
                self._sent_replace(seq, order, body)

    def check_sent(self, seq: int, order: AuditedOrder, what: str) -> None:
        """Check that an order that a venue answers was sent, unless the venue makes it by itself."""
        settings = self._ground.settings
        if settings.behaviour < _SAYS_SENT or order.is_adopted or order.is_forced:
            return
        is_of_venue = settings.mode != "live" and order.terms.closes is not None
        is_sent = order.sent_seq is not None or is_of_venue or settings.mode == "shadow"
        self._ground.check("unsent", seq, is_sent, f"order {order.terms.order_id}: {what}, and it never left")

    def _sent_new(self, seq: int, order: AuditedOrder, body: r.Sent) -> None:
        ground, number = self._ground, body.order_id
        once = f"order {number} was sent before, by record {order.sent_seq}"
        ground.check("sent_twice", seq, order.sent_seq is None, once)
        order.sent_seq = seq
        ground.orders.sent += 1
        is_stopped = not order.terms.is_bound and ground.stops.is_killed(ground.place(order))
        ground.check("kill", seq, not is_stopped, f"order {number} was sent after a kill")
        if body.lots is None:
            return
        # An engine amends by itself what it still keeps back.
        approved = order.lots
        is_within = approved is None or body.lots <= approved
        what = f"order {number} was sent for {body.lots} lots, approved are {approved}"
        ground.check("sent_size", seq, is_within, what)
        if order.after is None:
            return
        # A child is held against its limits once more when it leaves.
        parent = ground.orders.find(order.after)
        filled = 0 if parent is None else parent.filled
        what = (
            f"order {number} leaves for {body.lots} lots, and order {order.after} before it filled {filled}"
        )
        ground.check("child", seq, body.lots <= filled, what)
        if not order.terms.is_bound:
            self._check_amended(seq, order, body.lots, order.price_ticks)
        order.lots = body.lots
        ground.orders.recount(order)

    def _sent_replace(self, seq: int, order: AuditedOrder, body: r.Sent) -> None:
        ground, lots = self._ground, body.lots or 0
        if lots > order.stake:
            is_stopped = not order.terms.is_bound and ground.stops.is_killed(ground.place(order))
            ground.check("kill", seq, not is_stopped, f"order {body.order_id} grew after a kill")
        order.asked = max(order.asked, lots)
        ground.orders.recount(order)

    def _check_stops(self, seq: int, order: AuditedOrder) -> None:
        """Hold an approval against stops and limits."""
        ground, terms = self._ground, order.terms
        place, number = ground.place(order), order.terms.order_id
        ground.findings.checked["kill"] += 1
        if ground.stops.is_killed(place) and not (terms.is_bound and ground.stops.is_closing):
            self._unforced = (seq, number)
        if terms.is_bound:
            return
        is_paused = ground.stops.is_paused(place)
        ground.check("pause", seq, not is_paused, f"order {number} was approved while paused")
        is_compared = place[2] not in ground.stops.unreconciled
        what = f"order {number} adds risk before books and venue were compared"
        ground.check("compared", seq, is_compared, what)
        self._check_limits(seq, terms, terms.lots or 0)
        ground.limits.note(terms)

    def _check_exit(self, seq: int, terms: r.Order) -> None:
        """Check that an exit is no larger than the order that it closes, and on the other side."""
        entry = self._ground.orders.find(terms.closes) if terms.closes is not None else None
        if entry is None or terms.lots is None:
            return
        most = max(entry.lots or 0, entry.filled)
        what = f"order {terms.order_id} of {terms.lots} lots closes order {terms.closes} of {most}"
        # After a trade was busted what an entry left may be on the other side of it.
        held = self._ground.books.of_entry(entry.place, terms.closes or 0)
        is_on_its_side = held * terms.sign < 0 if held else terms.is_buy != entry.terms.is_buy
        is_exit = (entry.lots is None or terms.lots <= most) and is_on_its_side
        self._ground.check("child", seq, is_exit, what)

    def _check_closing(self, seq: int, terms: r.Order) -> None:
        """Check that an order that passes every limit, because it only closes, has something to close."""
        if not terms.reduce_only or terms.closes is not None:
            return
        held = -self._ground.books.positions.get((terms.strategy, terms.instrument), 0) * terms.sign
        what = (
            f"order {terms.order_id} of {terms.lots} lots is to only close, and {max(held, 0)} can be closed"
        )
        self._ground.check("closing", seq, held > 0 and (terms.lots or 0) <= held, what)

    def _check_amended(self, seq: int, order: AuditedOrder, lots: int, price_ticks: int | None) -> None:
        """Hold an order against limits as it will be; the market's price then is in no record."""
        place = order.place
        held = self._ground.books.positions.get(place, 0)
        if 0 < lots <= -held * order.terms.sign:
            # It only closes, and an order that was approved before cannot be marked so any more.
            return
        terms = msgspec.structs.replace(order.terms, price_ticks=price_ticks, reference_ticks=0)
        self._check_limits(seq, terms, lots, order)

    def _check_limits(
        self, seq: int, terms: r.Order, lots: int, replaced: AuditedOrder | None = None
    ) -> None:
        findings = self._ground.findings
        findings.checked["limit"] += 1
        for breach in self._ground.limits.breaches(terms, lots, replaced=replaced):
            findings.add("limit", seq, f"order {terms.order_id} of {lots} lots: {breach.words}")
