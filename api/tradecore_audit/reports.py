"""Rules about what venues say of orders: reports, fills, trades that are told anew."""

from tradecore_audit import records as r
from tradecore_audit.approvals import Approvals
from tradecore_audit.ground import Ground
from tradecore_audit.orders import ENDS, AuditedOrder

# Ends and sizes that an engine gives an order that no venue has seen.
_MADE_HERE = frozenset({"canceled", "rejected", "expired", "restated"})
_LATE_ANSWERS = frozenset({"cancel_rejected", "replace_rejected"})
_SAID_LATE = frozenset({"late_fill", "overfill", "impossible"})
# Since this version an order that filled whole stays open while an amendment to more is under way outside.
_KEEPS_AMENDED = 5
_HALTS = frozenset({"unknown_order", "impossible", "overfill", "forgotten_order", "forgotten_trade"})


class Reports:
    """Follows the life of orders, and books what they traded."""

    def __init__(self, ground: Ground, approvals: Approvals) -> None:
        self._ground = ground
        self._approvals = approvals
        # Fills after the end of their order, and beyond its size: the engine must say so in the same group.
        self._late: dict[int, int] = {}
        self._over: dict[int, int] = {}
        # Orders of which it did, before it booked the fill or after it.
        self._said: set[int] = set()
        self._last_venue_order: int | None = None
        # Whether it came with a name of the venue's: what the link says for a venue has none.
        self._is_shown = False

    def begin(self, seq: int, said: r.Record) -> None:
        """Begin with the next input."""
        self._ground.told.begin(seq, said)
        self._last_venue_order, self._is_shown = None, True
        if isinstance(said, r.VenueReport):
            self._last_venue_order = said.said.order_id
            self._is_shown = said.venue_order_id != ""
            self._heard(said.said)

    def settle(self) -> None:
        """Check what the last input must have brought by now."""
        ground = self._ground
        ground.told.end()
        for number in self._said:
            self._late.pop(number, None)
            self._over.pop(number, None)
        for number, seq in self._late.items():
            ground.fail("ended_order", seq, f"order {number} has ended, and filled later without a word")
        for number, seq in self._over.items():
            order = ground.orders.find(number)
            words = "" if order is None else f": {order.filled} of {order.lots} lots"
            ground.fail("fill_size", seq, f"order {number} filled more than it was for{words}")
        self._late.clear()
        self._over.clear()
        self._said.clear()

    def _heard(self, said: r.Report) -> None:
        """Take the end at a venue that amends nothing for its word: the engine goes on with the order."""
        ground = self._ground
        order = ground.orders.open.get(said.order_id)
        if order is not None and order.replaces and said.report in ENDS:
            renews = ground.settings.accounts[ground.account(order)].renews_amended
            order.is_unknown = order.is_unknown and not renews

    def outcome_lost(self, body: r.OutcomeLost) -> None:
        """Note that an order is unknown: it counts as open."""
        order = self._ground.orders.open.get(body.order_id)
        if order is not None:
            order.is_unknown = True

    def report(self, seq: int, body: r.Report) -> None:
        """Take in what a venue said about an order."""
        ground = self._ground
        order = ground.known(seq, body.order_id, f"a report ({body.report})")
        if order is None:
            return
        if order.end and body.report in _LATE_ANSWERS:
            # The answer to a request that crossed the end changes nothing.
            return
        is_fill = body.traded is not None
        what = f"order {body.order_id} has ended ({order.end}), and it is told: {body.report}"
        ground.check("ended_order", seq, is_fill or not order.end, what)
        if order.end and not is_fill:
            return
        if order.is_unknown:
            is_proof = self._last_venue_order == body.order_id or order.end != ""
            what = f"order {body.order_id} is unknown, and {body.report} without a word of its venue"
            ground.check("unknown", seq, is_proof, what)
            order.is_unknown = False
        # Live, an engine answers for the orders that it watches the market for until they leave.
        is_of_venue = ground.settings.mode != "live" or is_fill or self._last_venue_order == body.order_id
        if body.report not in _MADE_HERE and is_of_venue:
            order.is_shown = order.is_shown or self._is_shown
            self._approvals.check_sent(seq, order, body.report)
        if is_fill:
            self._filled(seq, order, body)
        else:
            self._changed(order, body)

    def revision(self, seq: int, body: r.Revision) -> None:
        """Take in a trade that was told anew."""
        ground = self._ground
        ground.check_place(body.strategy, body.instrument)
        order = ground.known(seq, body.order_id, "a trade was told anew")
        ground.told.revised(seq, body)
        sign, place = 1 if body.is_buy else -1, (body.strategy, body.instrument)
        if order is not None:
            is_same = (order.place, order.terms.sign) == (place, sign)
            what = f"order {body.order_id} is of another side or place than its trade"
            ground.check("venue_trade", seq, is_same, what)
        ground.books.revise(place, sign, body.was, body.now, order_id=body.order_id, closes=body.closes)

    def surprise(self, body: r.Surprise) -> None:
        """Take in that the engine did not expect what a venue said: some of it halts new risk."""
        ground = self._ground
        ground.told.surprised(body)
        if body.surprise in _SAID_LATE:
            self._said.add(body.order_id)
        if body.surprise in _HALTS:
            order = ground.orders.find(body.order_id)
            everywhere = range(len(ground.settings.accounts))
            ground.stops.unreconciled |= set(everywhere) if order is None else {ground.account(order)}

    def _changed(self, order: AuditedOrder, body: r.Report) -> None:
        orders = self._ground.orders
        if body.report in ENDS:
            orders.close(order, self._ground.account(order), body.report)
            return
        if body.report in ("replaced", "replace_rejected"):
            order.replaces = max(order.replaces - 1, 0)
            order.asked = order.asked if order.replaces else 0
        if body.report in ("replaced", "restated"):
            order.amended(body)
        orders.recount(order)
        if body.report == "replace_rejected" and not order.asked:
            self._close_filled(order)

    def _filled(self, seq: int, order: AuditedOrder, body: r.Report) -> None:
        ground, traded, number = self._ground, body.traded, body.order_id
        if traded is None:
            return
        if ground.settings.mode == "live":
            ground.told.booked(seq, body)
        elif not order.is_forced:
            self._check_fee(seq, order, traded)
        ground.check("fill_size", seq, traded.lots > 0, f"a fill of order {number} of {traded.lots} lots")
        what = f"order {number} filled at {traded.price_ticks} ticks, its price is {order.worst_ticks}"
        ground.check("fill_price", seq, not order.is_worse(traded.price_ticks), what)
        if order.end:
            self._late[number] = seq
        order.filled += traded.lots
        if order.lots is not None and order.filled > order.lots:
            self._over[number] = seq
        order.asked = max(order.asked - traded.lots, 0)
        ground.books.fill(order.place, order.terms.sign, traded, order_id=number, closes=order.terms.closes)
        ground.orders.recount(order)
        if not self._may_be_larger(order):
            self._close_filled(order)

    def _may_be_larger(self, order: AuditedOrder) -> bool:
        """Tell whether a venue may have made an order larger that it has not told of yet."""
        settings = self._ground.settings
        if settings.mode != "live" or settings.behaviour < _KEEPS_AMENDED:
            return False
        return order.asked > 0 and not settings.accounts[self._ground.account(order)].renews_amended

    def _close_filled(self, order: AuditedOrder) -> None:
        if order.lots is not None and 0 < order.filled >= order.lots:
            self._ground.orders.close(order, self._ground.account(order), "filled")

    def _check_fee(self, seq: int, order: AuditedOrder, traded: r.Traded) -> None:
        """Check a fee of the simulated venue by its terms."""
        instrument = self._ground.instrument(order.terms.instrument)
        fees = self._ground.settings.accounts[instrument.account].fees
        if not fees.is_plain:
            self._ground.findings.leave("fee", "fees with tiers or in a token depend on volumes and prices")
            return
        value = abs(instrument.value(traded.price_ticks, traded.lots))
        fee = fees.fee(value, is_maker=traded.is_maker)
        what = f"the fee of order {order.terms.order_id} is {traded.fee}, its terms give {fee}"
        self._ground.check("fee", seq, fee == traded.fee, what)
