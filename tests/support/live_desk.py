"""Orders at a venue outside on a clock of the test: what is sent, asked and told, without any venue."""

from decimal import Decimal

from support.records import record
from support.units import units_in
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_findings import FillSeen, Findings, OrderSeen, VenueOrderState
from tradecore.runtime.live.allowance import Leave
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.order_table import OrderTable
from tradecore.runtime.live.requests import Requests
from tradecore.runtime.live.venue_reading import VenueReading

SECOND_NS = 1_000_000_000
CAPABILITIES = VenueCapabilities(
    order_kinds=frozenset({"market", "limit"}),
    times_in_force=frozenset({"gtc", "ioc"}),
    replaces=True,
    post_only=True,
    reduce_only=True,
    positions=frozenset({0}),
    duplicate_ids=DuplicateIds.REFUSED,
    validity_window_ns=5 * SECOND_NS,
    requests_per_second=100.0,
)
TERMS = {
    "strategy": 0,
    "instrument": 0,
    "side": "buy",
    "order_kind": "limit",
    "price_ticks": 95,
    "lots": 10,
    "time_in_force": "gtc",
    "post_only": False,
    "reduce_only": False,
    "reference_ticks": 100,
}


class LiveDesk:
    """The synchronous half of a line to a venue."""

    def __init__(self, capabilities=CAPABILITIES) -> None:
        self.table = OrderTable()
        self.table.ids = self.ids = ClientIds(3, "journal")
        self.requests = Requests(self.table, capabilities)
        self.reading = VenueReading(self.table, capabilities, units=units_in("USD"))
        self.now_ns = 1_000 * SECOND_NS

    def order(self, order_id=1, **terms):
        """Make an order durable, approved and sent; return what goes out."""
        self.durable("order", order_id=order_id, **(TERMS | terms))
        return self.sent(order_id, "new", lots=terms.get("lots", 10))

    def durable(self, kind, **fields):
        """Take in one durable record."""
        self.requests.take([record(kind, 1, 1, **fields)])

    def sent(self, order_id, request, **fields):
        """Make a request durable; return what goes out."""
        self.durable("sent", order_id=order_id, request=request, **fields)
        return self.due()

    def due(self, *, has_room=True):
        """Return the requests that go out now; words of the manager itself are kept."""
        sends, self.words = self.requests.due(self.now_ns, lambda about: Leave.GO if has_room else Leave.WAIT)
        return [send.request for send in sends]

    def wait(self, seconds):
        """Let time pass."""
        self.now_ns += int(seconds * SECOND_NS)

    def answer(self, answer, order_id=1):
        """Answer the request that is under way."""
        return said(self.requests.answered(order_id, answer, self.now_ns))

    def told(self, message):
        """Tell what the venue tells by itself."""
        return said(self.reading.told(message, self.now_ns))

    def asks(self):
        """Return what is asked now."""
        return self.reading.asks(self.now_ns)

    def found(self, question, *seen, is_complete=True, asked_ns=None):
        """Answer a question that was asked now."""
        findings = Findings(seen=seen, is_complete=is_complete)
        asked_ns = self.now_ns if asked_ns is None else asked_ns
        return said(self.reading.found(question, findings, asked_ns, self.now_ns))

    def seen(self, state="open", filled=0, lots=10, order_id=1, **changes):
        """Return an order as the venue has it."""
        values = {
            "client_order_id": self.ids.of(order_id),
            "venue_order_id": f"V{order_id}",
            "instrument": 0,
            "symbol": "GOLD",
            "side": "buy",
            "state": VenueOrderState(state),
            "price_ticks": 95,
            "open_lots": lots - filled if state == "open" else 0,
            "filled_lots": filled,
            "time_ns": 500 * SECOND_NS,
        }
        return OrderSeen(**(values | changes))

    def fill(self, trade_id, lots, order_id=1, **changes):
        """Return a trade as the venue tells it."""
        values = {
            "client_order_id": self.ids.of(order_id),
            "venue_order_id": f"V{order_id}",
            "instrument": 0,
            "symbol": "GOLD",
            "side": "buy",
            "trade_id": trade_id,
            "price_ticks": 95,
            "lots": lots,
            "liquidity": "maker",
            "fee": Decimal("0.25"),
            "fee_currency": "USD",
            "time_ns": 500 * SECOND_NS,
        }
        return FillSeen(**(values | changes))


def said(words):
    """Return words to the engine, short: the report, and what it says besides."""
    out = []
    for word in words:
        name = getattr(word, "report", type(word).__name__)
        rest = [getattr(word, field, None) for field in ("reason", "trade_id")]
        out.append((name, *[value for value in rest if value]))
    return out
