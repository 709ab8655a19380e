"""Rows of orders: each record about an order changes one row, by the engine's own table of states."""

from typing import Any

import msgspec

from tradecore.domain.orders import order_state_after, order_states
from tradecore.domain.record import JournalRecord

_TERMINAL = frozenset(name for name, is_terminal in order_states() if is_terminal)
_FIRST_STATE = "pending_new"
# Reports that state a new price and what is open.
_RESTATING = frozenset({"replaced", "restated"})


class OrderRow(msgspec.Struct, kw_only=True):
    """A row of the table `orders`, its fields in the order of the columns.

    `price_ticks` is the limit, else the trigger; `lots` the whole size, `None` while it is a share of
    equity that is not sized yet. `sent_ns` is when it left for the venue, `None` while it has not, and in
    journals of versions of behaviour before 4, which do not say.
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
    def opened(cls, record: JournalRecord) -> "OrderRow":
        """Return the row of an order that risk has just approved."""
        fields: dict[str, Any] = record.fields
        return cls(
            order_id=fields["order_id"],
            seq=record.seq,
            time_ns=record.time_ns,
            strategy=fields["strategy"],
            instrument=fields["instrument"],
            side=fields["side"],
            kind=fields["order_kind"],
            price_ticks=fields.get("price_ticks", fields.get("trigger_ticks")),
            lots=fields.get("lots"),
            time_in_force=fields["time_in_force"],
            details=msgspec.json.encode(fields, enc_hook=str).decode(),
        )

    def take(self, record: JournalRecord) -> None:
        """Change with a record about this order: a link, a size, what is sent, a request or a report."""
        fields = record.fields
        match record.kind:
            case "link":
                self.after_order_id = _whole(fields.get("after"))
                self.oco_order_id = _whole(fields.get("oco"))
            case "sent":
                # Its cancels and amendments are told by the table `requests`.
                if fields["request"] == "new":
                    self.sent_ns = record.time_ns
            case "sized":
                self.lots = _whole(fields["lots"])
            case "report":
                self._take_report(str(fields["report"]), record)
            case "outcome_lost" if self.sent_ns is None:
                pass  # What never left has no outcome.
            case request:
                self._move(request, record)

    def _take_report(self, report: str, record: JournalRecord) -> None:
        fields = record.fields
        lots, price_ticks = _whole(fields.get("lots")), _whole(fields.get("price_ticks"))
        self._move(report, record, fill_lots=lots if report == "fill" else None)
        if report == "fill":
            self.filled_lots += lots or 0
        elif report in _RESTATING:
            # What the report names is what is still open.
            self.lots = self.filled_lots + (lots or 0)
            if self.price_ticks is not None or self.kind == "market_to_limit":
                self.price_ticks = price_ticks
        elif price_ticks is not None:
            self.price_ticks = price_ticks

    def _move(self, what: str, record: JournalRecord, fill_lots: int | None = None) -> None:
        """Go to the next state."""
        open_lots = (self.lots or 0) - self.filled_lots
        before = self.state
        if self.lots is None and fill_lots is not None:
            # A journal of the first version does not say how large a share of equity was: as far as anybody
            # can tell all of it filled, until another record says otherwise.
            open_lots = fill_lots
        if self.lots is None and before == "filled":
            before = "partially_filled"
        self.state = order_state_after(
            before, what, filled_lots=self.filled_lots, open_lots=open_lots, fill_lots=fill_lots or 0
        )
        if self.state in _TERMINAL and before not in _TERMINAL:
            self.closed_ns = record.time_ns
            self.reason = None if (reason := record.fields.get("reason")) is None else str(reason)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
