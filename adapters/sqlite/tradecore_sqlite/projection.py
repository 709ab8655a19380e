"""Turns journal records into rows: what each kind of record becomes, or why it becomes none."""

from collections.abc import Callable, Iterable
from typing import cast

import msgspec

from tradecore.domain.record import JournalRecord
from tradecore_sqlite.order_rows import OrderRow

Row = tuple[object, ...]

# Kinds of records that change an order, by the number in `order_id`.
OF_ORDERS = frozenset(
    {"order", "link", "sized", "sent", "cancel_request", "replace_request", "report", "outcome_lost"}
)
_MARKET = "market data: large, and the journal itself is its history"
# Kinds of records that are in no table, and why.
LEFT_OUT = {
    **dict.fromkeys(("bar", "quote", "trade", "book", "checked_book", "flow", "feed", "mark"), _MARKET),
    "funding": "market data; what each position paid or received is in `cash_flows`",
    "clock": "time alone changes nothing that people ask for",
    "state_hash": "a check of the engine for itself; a replay compares it",
    "venue_report": "what the venue said as it came; what was booked of it is a `report`",
    "reconciled": "ends a halt that `surprise` began; both are read from the journal",
    "surprise": "what a person has to look into is read from the journal; what was booked is a `report`",
}
# Where the others go.
PROJECTED = {
    "session": ("sessions",),
    "session_end": ("sessions",),
    "command": ("commands",),
    "order": ("orders",),
    "refused": ("refusals",),
    "cancel_request": ("requests", "orders"),
    "replace_request": ("requests", "orders"),
    "report": ("fills", "orders"),
    "decision": ("decisions",),
    "cash_flow": ("cash_flows",),
    "liquidation": ("liquidations",),
    "margin": ("margin_changes",),
    "link": ("orders",),
    "sized": ("orders",),
    "sent": ("orders",),
    "outcome_lost": ("orders",),
}
# What a command can say beside its name, in the order of the columns.
_ARGUMENTS = ("scope", "scope_id", "limit", "value", "instrument", "person")


class SessionRow(msgspec.Struct):
    """A row of the table `sessions`, its fields in the order of the columns."""

    seq: int
    started_ns: int
    engine_version: str
    config: str
    ended_ns: int | None = None
    end_reason: str | None = None


class Changes:
    """What records make of the tables: rows to be written, by table.

    Parameters
    ----------
    orders : iterable of OrderRow
        Rows of the orders that the records are about, as they are before them.
    session : SessionRow or None
        The newest session before them.
    """

    def __init__(self, orders: Iterable[OrderRow] = (), session: SessionRow | None = None) -> None:
        self._orders = {order.order_id: order for order in orders}
        self._session = session
        self._rows: dict[str, list[Row]] = {}

    def take(self, record: JournalRecord) -> None:
        """Take a record in; records come in the order of their numbers."""
        if record.kind in LEFT_OUT:
            return
        if record.kind == "session":
            fields = record.fields
            self._keep_session()
            self._session = SessionRow(
                record.seq, record.time_ns, _text(fields["engine_version"]), _text(fields["config"])
            )
        elif self._session is not None:
            self._take_in_session(self._session, record)
        if record.kind in OF_ORDERS:
            self._take_of_order(record)
        if (row := _ROWS.get(record.kind)) is not None:
            table, values = row
            self._add(table, (record.seq, record.time_ns, *values(record.fields)))

    def rows(self) -> dict[str, list[Row]]:
        """Return the rows to be written, each in the place of one with its key."""
        self._keep_session()
        if self._orders:
            self._rows["orders"] = [msgspec.structs.astuple(order) for order in self._orders.values()]
        return self._rows

    def _take_in_session(self, session: SessionRow, record: JournalRecord) -> None:
        """Note the end of a session, and its start where its mark has no time: the time of what came next."""
        if session.started_ns == 0:
            session.started_ns = record.time_ns
        if record.kind == "session_end":
            session.ended_ns, session.end_reason = record.time_ns, _text(record.fields["reason"])

    def _take_of_order(self, record: JournalRecord) -> None:
        order_id = order_of(record)
        if record.kind == "order":
            self._orders[order_id] = OrderRow.opened(record)
            return
        order = self._orders.get(order_id)
        if record.kind == "report" and record.fields["report"] == "fill":
            self._add("fills", _fill(record, order))
        if order is not None:
            order.take(record)

    def _keep_session(self) -> None:
        if self._session is not None:
            self._add("sessions", msgspec.structs.astuple(self._session))

    def _add(self, table: str, row: Row) -> None:
        self._rows.setdefault(table, []).append(row)


def order_of(record: JournalRecord) -> int:
    """Return the number of the order that a record is about."""
    return cast("int", record.fields["order_id"])


def _fill(record: JournalRecord, order: OrderRow | None) -> Row:
    fields = record.fields
    of_order = (None, None, None) if order is None else (order.strategy, order.instrument, order.side)
    return (
        record.seq,
        record.time_ns,
        fields["venue_time_ns"],
        fields["order_id"],
        *of_order,
        fields["price_ticks"],
        fields["lots"],
        fields["liquidity"],
        str(fields["fee"]),
    )


def _refusal(fields: dict[str, object]) -> Row:
    told = (fields["order_id"], fields["strategy"], fields["instrument"], fields["rule"])
    return (*told, str(fields["limit"]), str(fields["value"]))


def _decision(fields: dict[str, object]) -> Row:
    told = (fields["strategy"], fields["instrument"], fields["action"], fields["reason"])
    return (*told, msgspec.json.encode(fields["gates"]).decode())


def _cash_flow(fields: dict[str, object]) -> Row:
    told = (fields["due_ns"], fields["strategy"], fields["instrument"], fields["cash_flow"])
    return (*told, str(fields["amount"]))


def _liquidation(fields: dict[str, object]) -> Row:
    names = ("order_id", "strategy", "instrument", "price_ticks", "lots")
    return (*(fields[name] for name in names), str(fields["equity"]), str(fields["maintenance"]))


# Rows that need nothing but their record: the table, and what comes after `seq` and `time_ns`.
_ROWS: dict[str, tuple[str, Callable[[dict[str, object]], Row]]] = {
    "refused": ("refusals", _refusal),
    "decision": ("decisions", _decision),
    "cash_flow": ("cash_flows", _cash_flow),
    "liquidation": ("liquidations", _liquidation),
    "margin": (
        "margin_changes",
        lambda fields: (fields["strategy"], fields["instrument"], str(fields["amount"])),
    ),
    "cancel_request": ("requests", lambda fields: (fields["order_id"], "cancel", None, None)),
    # An amendment to price 0 keeps the price.
    "replace_request": (
        "requests",
        lambda fields: (fields["order_id"], "replace", fields["price_ticks"] or None, fields["lots"]),
    ),
    "command": (
        "commands",
        lambda fields: (fields["command"], *(fields.get(name) for name in _ARGUMENTS)),
    ),
}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
