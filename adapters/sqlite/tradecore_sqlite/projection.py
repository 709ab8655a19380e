"""Turns journal records into rows: what each kind of record becomes, or why it becomes none."""

from collections.abc import Iterable

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.record import JournalRecord
from tradecore_sqlite.order_rows import OrderRow
from tradecore_sqlite.readable import Readable, money, readable_of

Row = tuple[object, ...]

# Records that change an order, by the number in `order_id`.
_OF_ORDERS = (
    bodies.Order
    | bodies.Link
    | bodies.Sized
    | bodies.Sent
    | bodies.CancelRequest
    | bodies.ReplaceRequest
    | bodies.Report
    | bodies.OutcomeLost
)
_MARKET = "market data: large, and the journal itself is its history"
# Kinds of records that are in no table, and why.
LEFT_OUT = {
    **dict.fromkeys(("bar", "quote", "trade", "book", "checked_book", "flow", "feed", "mark"), _MARKET),
    "funding": "market data; what each position paid or received is in `cash_flows`",
    "clock": "time alone changes nothing that people ask for",
    "state_hash": "a check of the engine for itself; a replay compares it",
    "venue_revision": "what the venue said as it came; what was booked of it is a `revision`",
    "venue_report": "what the venue said as it came; what was booked of it is a `report`",
    "reconciling": "begins a halt that `reconciled` ends; both are read from the journal",
    "reconciled": "ends a halt that `surprise` or `reconciling` began; both are read from the journal",
    "adopted": "what was found at the account; the order that was made of it is an `order`",
    "surprise": "what a person has to look into is read from the journal; what was booked is a `report`",
}
# Where the others go.
PROJECTED = {
    "session": ("sessions",),
    "session_end": ("sessions",),
    "command": ("commands",),
    "account": ("account_events", "opening_lots"),
    "order": ("orders",),
    "refused": ("refusals",),
    "cancel_request": ("requests", "orders"),
    "replace_request": ("requests", "orders"),
    "report": ("fills", "orders"),
    "revision": ("revisions",),
    "decision": ("decisions",),
    "cash_flow": ("cash_flows",),
    "liquidation": ("liquidations",),
    "margin": ("margin_changes",),
    "link": ("orders",),
    "sized": ("orders",),
    "sent": ("orders",),
    "outcome_lost": ("orders",),
}
# What an open lot says before its fee, in the order of the columns.
_LOT = ("strategy", "instrument", "entry_order", "entry_time_ns", "entry_ticks", "lots")


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
        if isinstance(begun := record.body, bodies.Session):
            self._keep_session()
            config = _text(begun.config)
            self._session = SessionRow(record.seq, record.time_ns, begun.engine_version, config)
        elif self._session is not None:
            self._project_session(self._session, record)
        if isinstance(record.body, _OF_ORDERS):
            self._project_order(record, record.body)
        elif isinstance(record.body, bodies.Account):
            self._project_account(record, record.body)
        if (row := _row(record.body, self._readable)) is not None:
            table, values = row
            self._add(table, (record.seq, record.time_ns, *values))

    def rows(self) -> dict[str, list[Row]]:
        """Return the rows to be written, each in the place of one with its key."""
        self._keep_session()
        if self._orders:
            self._rows["orders"] = [msgspec.structs.astuple(order) for order in self._orders.values()]
        return self._rows

    @property
    def _readable(self) -> Readable:
        return readable_of("" if self._session is None else self._session.config)

    def _project_session(self, session: SessionRow, record: JournalRecord) -> None:
        """Note the end of a session, and its start where its mark has no time: the time of what came next."""
        if session.started_ns == 0:
            session.started_ns = record.time_ns
        if isinstance(record.body, bodies.SessionEnd):
            session.ended_ns, session.end_reason = record.time_ns, record.body.reason

    def _project_order(self, record: JournalRecord, body: bodies.Order | bodies.OfOrder) -> None:
        if isinstance(body, bodies.Order):
            order = self._orders[body.order_id] = OrderRow.opened(record, body)
            order.make_readable(self._readable)
            return
        known = self._orders.get(body.order_id)
        if isinstance(body, bodies.Report) and body.report == "fill":
            self._add("fills", _fill(record, body, known, self._readable))
        if known is not None:
            known.take(record)
            known.make_readable(self._readable)

    def _project_account(self, record: JournalRecord, told: bodies.Account) -> None:
        row: Row
        side: Row = (None,) * 5
        if told.account != "opening":
            row = (told.currency, str(told.amount), told.reason, None)
            if told.account == "conversion":
                amounts = (str(told.received), str(told.rate), str(told.fee))
                side = (told.into, *amounts, told.fee_currency)
        else:
            # An account has one balance.
            (currency, cash), *_ = (told.cash or {}).items()
            row = (currency, str(cash), told.changed, told.before)
            for place, lot in enumerate(told.lots or ()):
                cost = str(lot["cost"]) if "cost" in lot else None
                account = self._readable.account(lot["instrument"])
                values = (*(lot[name] for name in _LOT), str(lot["fee"]), cost, account)
                self._add("opening_lots", (record.seq, place, *values))
        account = self._readable.account_with(row[0])
        self._add("account_events", (record.seq, record.time_ns, told.account, *row, *side, account))

    def _keep_session(self) -> None:
        if self._session is not None:
            self._add("sessions", msgspec.structs.astuple(self._session))

    def _add(self, table: str, row: Row) -> None:
        self._rows.setdefault(table, []).append(row)


def order_of(record: JournalRecord) -> int | None:
    """Return the number of the order whose row a record changes; `None` for every other record."""
    return record.body.order_id if isinstance(record.body, _OF_ORDERS) else None


def _fill(record: JournalRecord, fill: bodies.Report, order: OrderRow | None, readable: Readable) -> Row:
    strategy, instrument, side = (
        (None, None, None) if order is None else (order.strategy, order.instrument, order.side)
    )
    return (
        record.seq,
        record.time_ns,
        fill.venue_time_ns,
        fill.order_id,
        strategy,
        instrument,
        side,
        fill.price_ticks,
        fill.lots,
        fill.liquidity,
        str(fill.fee),
        *readable.names(strategy, instrument),
        readable.price(instrument, fill.price_ticks),
        readable.quantity(instrument, fill.lots),
        money(fill.fee),
        readable.fee_currency(instrument, fill.fee_currency),
        readable.account(instrument),
    )


def _row(body: bodies.AnyBody, readable: Readable) -> tuple[str, Row] | None:
    """Return a row that needs nothing but its record: the table, and what follows `seq` and `time_ns`."""
    match body:
        case bodies.Refused():
            told = (body.order_id, body.strategy, body.instrument, body.rule)
            names = readable.names(body.strategy, body.instrument)
            account = readable.account(body.instrument)
            return "refusals", (*told, str(body.limit), str(body.value), *names, account)
        case bodies.Decision():
            gates = msgspec.json.encode(body.gates).decode()
            names = readable.names(body.strategy, body.instrument)
            judged = (body.strategy, body.instrument, body.action, body.reason, gates)
            return "decisions", (*judged, *names, readable.account(body.instrument))
        case bodies.Revision():
            return "revisions", _revision(body, readable)
        case bodies.CashFlow():
            flow = (body.due_ns, body.strategy, body.instrument, body.cash_flow)
            names = readable.names(body.strategy, body.instrument)
            account = readable.account(body.instrument)
            return "cash_flows", (*flow, str(body.amount), *names, money(body.amount), account)
        case bodies.Liquidation():
            forced = (body.order_id, body.strategy, body.instrument, body.price_ticks, body.lots)
            meant = (
                *readable.names(body.strategy, body.instrument),
                readable.price(body.instrument, body.price_ticks),
                readable.quantity(body.instrument, body.lots),
                money(body.equity),
                money(body.maintenance),
                readable.account(body.instrument),
            )
            return "liquidations", (*forced, str(body.equity), str(body.maintenance), *meant)
        case bodies.Margin():
            names = readable.names(body.strategy, body.instrument)
            moved = (body.strategy, body.instrument, str(body.amount))
            account = readable.account(body.instrument)
            return "margin_changes", (*moved, *names, money(body.amount), account)
        case bodies.CancelRequest():
            return "requests", (body.order_id, "cancel", None, None)
        case bodies.ReplaceRequest():
            return "requests", (body.order_id, "replace", body.price_ticks, body.lots)
        case bodies.Command():
            said = (body.scope, body.scope_id, body.limit, _value(body), body.instrument, body.person)
            return "commands", (body.command, *said)
        case _:
            return None


def _value(said: bodies.Command) -> str | None:
    """Return what a command says beside its name, in the column for that: it never says two such things."""
    if said.order_id is not None:
        return str(said.order_id)
    if said.within_bps is not None:
        return f"within {said.within_bps} bps, then market after {said.then_market_ns} ns"
    if said.cause is not None:
        return f"{said.cause}: {said.seen}, allowed {said.bound}"
    return said.value if isinstance(said.value, str) else None


def _revision(told: bodies.Revision, readable: Readable) -> Row:
    number = told.instrument
    was_fee_currency = fee_currency = None
    if told.was_lots is not None:
        was_fee_currency = readable.fee_currency(number, told.was_fee_currency)
    if told.lots is not None:
        fee_currency = readable.fee_currency(number, told.fee_currency)
    return (
        told.venue_time_ns,
        told.order_id,
        told.strategy,
        number,
        told.side,
        told.closes,
        told.trade_id,
        told.revision,
        told.revised,
        told.was_price_ticks,
        told.was_lots,
        None if told.was_fee is None else str(told.was_fee),
        told.price_ticks,
        told.lots,
        None if told.fee is None else str(told.fee),
        *readable.names(told.strategy, number),
        readable.price(number, told.was_price_ticks),
        readable.quantity(number, told.was_lots),
        money(told.was_fee),
        was_fee_currency,
        readable.price(number, told.price_ticks),
        readable.quantity(number, told.lots),
        money(told.fee),
        fee_currency,
        readable.account(number),
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
