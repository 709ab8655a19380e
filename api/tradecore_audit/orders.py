"""Orders as records say them, and what of them works in the market."""

from collections import Counter

from tradecore_audit.records import Order, Report

# So many orders are remembered after their end, the newest: one may be told of late.
ENDED_MAX = 100_000
# Kinds whose only price is their limit.
_PRICED = frozenset({"limit", "iceberg"})
ENDS = frozenset({"rejected", "canceled", "expired"})


class AuditedOrder:
    """One order: as it was approved, and as it is now.

    `lots` is its whole size, `None` while that is a share of buying power; `asked` is the largest open size
    that an amendment without an answer asks for; `end` is what ended it, and empty while it is open;
    `worst_ticks` is the worst price that was asked for.
    """

    __slots__ = (
        "after",
        "asked",
        "counted",
        "end",
        "filled",
        "is_adopted",
        "is_forced",
        "is_shown",
        "is_unknown",
        "lots",
        "price_ticks",
        "replaces",
        "sent_seq",
        "seq",
        "terms",
        "worst_ticks",
    )

    def __init__(self, terms: Order, seq: int) -> None:
        self.terms = terms
        self.seq = seq
        self.lots = terms.lots
        self.price_ticks = terms.price_ticks
        # An answer may be on its way, so each price that was ever asked for counts.
        self.worst_ticks = terms.price_ticks if terms.kind in _PRICED else None
        self.filled = 0
        self.asked = 0
        self.replaces = 0
        self.after: int | None = None
        self.end = ""
        self.sent_seq: int | None = None
        self.is_adopted = False
        self.is_forced = False
        self.is_unknown = False
        self.is_shown = False
        self.counted = 0

    @property
    def place(self) -> tuple[int, int]:
        """Its strategy and its instrument."""
        return self.terms.strategy, self.terms.instrument

    @property
    def open_lots(self) -> int:
        """What is open of it; 0 while its size is not known."""
        return 0 if self.lots is None else max(self.lots - self.filled, 0)

    @property
    def stake(self) -> int:
        """What may still trade of it: what is open, or what an amendment on its way asks for."""
        return 0 if self.end else max(self.open_lots, self.asked)

    def amended(self, report: Report) -> None:
        """Take in an amendment or another change of price and size."""
        self.lots = self.filled + (report.lots or 0)
        if report.price_ticks is not None and self.price_ticks is not None:
            self.price_ticks = report.price_ticks
            self.ask_price(report.price_ticks)

    def ask_price(self, price_ticks: int | None) -> None:
        """Note a price that is asked for: it may trade there."""
        if price_ticks is not None and self.worst_ticks is not None:
            self.worst_ticks = (max if self.terms.is_buy else min)(self.worst_ticks, price_ticks)

    def is_worse(self, price_ticks: int) -> bool:
        """Tell whether it may not trade at a price."""
        sign = self.terms.sign
        return self.worst_ticks is not None and price_ticks * sign > self.worst_ticks * sign


class Orders:
    """All orders that are open, the newest that have ended, and the lots that work.

    Attributes
    ----------
    open, ended : dict
        Orders by number.
    working : Counter
        Open lots by strategy, instrument and sign; what can only close is not among them.
    working_in : Counter
        The same by instrument and sign.
    counts : Counter
        Open orders by scope: `("instrument", number)` and so on.
    approved, sent : int
        Orders that risk approved, and those that left for a venue.
    """

    def __init__(self) -> None:
        self.open: dict[int, AuditedOrder] = {}
        self.ended: dict[int, AuditedOrder] = {}
        self.working: Counter[tuple[int, int, int]] = Counter()
        self.working_in: Counter[tuple[int, int]] = Counter()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.approved = 0
        self.sent = 0

    def find(self, number: int) -> AuditedOrder | None:
        """Return an order that is open, or remembered."""
        return self.open.get(number) or self.ended.get(number)

    def add(self, order: AuditedOrder, account: int) -> None:
        """Count a new order."""
        number = order.terms.order_id
        self.approved += not order.is_adopted
        self.open[number] = order
        self._count(order, account, 1)
        self.recount(order)

    def close(self, order: AuditedOrder, account: int, end: str) -> None:
        """Count the end of an order."""
        if order.end:
            return
        order.end = end
        self.recount(order)
        self._count(order, account, -1)
        number = order.terms.order_id
        self.open.pop(number, None)
        self.ended[number] = order
        if len(self.ended) > ENDED_MAX:
            self.ended.pop(next(iter(self.ended)))

    def recount(self, order: AuditedOrder) -> None:
        """Count what works of an order, after it changed."""
        lots = 0 if order.terms.is_bound else order.stake
        if lots == order.counted:
            return
        strategy, instrument = order.place
        self.working[strategy, instrument, order.terms.sign] += lots - order.counted
        self.working_in[instrument, order.terms.sign] += lots - order.counted
        order.counted = lots

    def _count(self, order: AuditedOrder, account: int, change: int) -> None:
        strategy, instrument = order.place
        scopes = (("instrument", instrument), ("strategy", strategy), ("account", account), ("portfolio", 0))
        for scope in scopes:
            self.counts[scope] += change
