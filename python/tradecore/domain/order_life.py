"""The life of one order, as the records of a journal tell it, by the engine's own table of states."""

from typing import Self

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.orders import order_state_after, order_states
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import values_of

STATES = tuple(name for name, _ in order_states())
TERMINAL = frozenset(name for name, is_terminal in order_states() if is_terminal)
_FIRST_STATE = "pending_new"
# Reports that state a new price and what is open.
_RESTATING = frozenset({"replaced", "restated"})


class OrderLife(msgspec.Struct, kw_only=True):
    """An order as it is now; each record about it changes it.

    `details` are its terms as JSON. `price_ticks` is the limit, else the trigger; `lots` the whole size,
    `None` while it is a share of equity that is not sized yet. `sent_ns` is when it left for the venue,
    `None` while it has not, and in journals of versions of behaviour before 4, which do not say.
    """

    order_id: int
    seq: int
    time_ns: int
    strategy: int
    instrument: int
    side: str
    kind: str
    price_ticks: int | None
    lots: int | None
    time_in_force: str
    state: str = _FIRST_STATE
    filled_lots: int = 0
    reason: str | None = None
    closed_ns: int | None = None
    details: str
    after_order_id: int | None = None
    oco_order_id: int | None = None
    sent_ns: int | None = None

    @classmethod
    def opened(cls, record: JournalRecord, order: bodies.Order) -> Self:
        """Return an order that risk has just approved."""
        return cls(
            order_id=order.order_id,
            seq=record.seq,
            time_ns=record.time_ns,
            strategy=order.strategy,
            instrument=order.instrument,
            side=order.side,
            kind=order.order_kind,
            price_ticks=order.trigger_ticks if order.price_ticks is None else order.price_ticks,
            lots=order.lots,
            time_in_force=order.time_in_force,
            details=msgspec.json.encode(values_of(order)).decode(),
        )

    def take(self, record: JournalRecord) -> None:
        """Change with a record about this order: a link, a size, what is sent, a request or a report."""
        match record.body:
            case bodies.Link() as link:
                self.after_order_id, self.oco_order_id = link.after, link.oco
            case bodies.Sent() as sent:
                if sent.request == "new":
                    self.sent_ns = record.time_ns
            case bodies.Sized() as sized:
                self.lots = sized.lots
            case bodies.Report() as report:
                self._change_by(report, record)
            case bodies.OutcomeLost() if self.sent_ns is None:
                pass  # What never left has no outcome.
            case _:
                self._move(record.kind, record)

    def _change_by(self, told: bodies.Report, record: JournalRecord) -> None:
        report, lots, price_ticks = told.report, told.lots, told.price_ticks
        self._move(report, record, fill_lots=lots if report == "fill" else None)
        if report == "fill":
            self.filled_lots += lots or 0
        elif report in _RESTATING:
            # What the report names is what is still open.
            self.lots = self.filled_lots + (lots or 0)
            has_price = self.price_ticks is not None or self.kind == "market_to_limit"
            if has_price and price_ticks is not None:
                self.price_ticks = price_ticks
        elif price_ticks is not None:
            self.price_ticks = price_ticks

    def _move(self, what: str, record: JournalRecord, fill_lots: int | None = None) -> None:
        """Go to the next state."""
        open_lots = (self.lots or 0) - self.filled_lots
        before = self.state
        if self.lots is None and fill_lots is not None:
            # A journal of the first version does not say how large a share of buying power was: as far as one
            # can tell all of it filled, until another record says otherwise.
            open_lots = fill_lots
        if self.lots is None and before == "filled":
            before = "partially_filled"
        self.state = order_state_after(
            before, what, filled_lots=self.filled_lots, open_lots=open_lots, fill_lots=fill_lots or 0
        )
        if self.state not in TERMINAL:
            # A venue outside may turn out to have made it larger before it filled whole.
            self.closed_ns = None
        elif self.state != before:
            self.closed_ns = record.time_ns
            self.reason = record.body.reason if isinstance(record.body, bodies.Report) else None
