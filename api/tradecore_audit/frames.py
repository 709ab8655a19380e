"""Frames of a journal as records: a decoder of its own, made after the table in docs/journal.md.

A frame is its length, the code of its kind, its time, and the values of the kind. Frames of market data are
passed over; those of kinds that nobody knows are an error.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from tradecore_audit import records as r
from tradecore_audit.errors import DamagedError

_HEAD = struct.Struct("<IBq")
_TRADED = struct.Struct("<qqB")
_INTENT = struct.Struct("<QHIBBBBBqqqqQq")
_FLAGS_AT = 17
_MORE = struct.Struct("<qqq")
_ORDER_KINDS = {
    1: "market", 2: "limit", 3: "stop", 4: "stop_limit", 5: "market_if_touched", 6: "limit_if_touched",
    7: "trailing_stop", 8: "trailing_stop_limit", 9: "market_to_limit", 10: "iceberg", 11: "trailing_percent",
}  # fmt: skip
_SECOND_IS_PRICE = frozenset({4, 6})
_FIRST_IS_PRICE = frozenset({2, 3, 5, 10})
_LAST_SHORT_KIND = 3
_REDUCE_ONLY, _CLOSES, _HAS_MORE = 2, 16, 32
_REPORTS = {
    1: "accepted", 2: "rejected", 3: "triggered", 4: "fill", 5: "canceled", 6: "cancel_rejected",
    7: "replaced", 8: "replace_rejected", 9: "expired", 10: "restated", 11: "triggered", 12: "fill",
}  # fmt: skip
_SURPRISES = {
    1: "unknown_order", 2: "impossible", 3: "overfill", 4: "late_fill", 5: "forgotten_order",
    6: "exit_refused", 7: "forgotten_trade", 8: "exit_missing",
}  # fmt: skip
_FLOWS = {1: "funding", 2: "borrow", 3: "liquidation_fee", 4: "insurance"}
_COMMANDS = {
    1: "pause", 2: "resume", 3: "flatten", 4: "kill", 5: "release_kill", 6: "set_limit", 7: "release",
    8: "set_limit", 9: "permit", 10: "cancel_all", 12: "cancel", 13: "consent", 14: "flatten", 15: "pause",
}  # fmt: skip
_WITHIN, _BY_LIMIT, _SAFETY_PAUSE = 11, 14, 15
_SCOPES = {1: "account", 2: "strategy", 3: "instrument", 4: "portfolio"}
LIMITS = {
    1: "quantity_max", 2: "notional_max", 3: "position_max", 4: "open_orders_max", 5: "order_rate_max",
    6: "price_collar_bps", 7: "reference_age_max_ns", 8: "price_drift_bps", 9: "gross_max", 10: "net_max",
    11: "message_rate_max", 12: "cancel_reserve", 13: "daily_loss_max", 14: "drawdown_max",
    15: "executions_max", 16: "identical_window_ns", 17: "order_rate_window_ns", 18: "price_drift_window_ns",
    19: "message_rate_window_ns", 20: "executions_window_ns", 21: "self_trade",
}  # fmt: skip
# Market data, the time, decisions and hashes of a state: nothing here counts them.
_PASSED_OVER = frozenset({3, 16, 17, 18, 19, 20, 21, 23, 24, 37, 40})


class Taken(NamedTuple):
    """A record with its number and its time."""

    seq: int
    time_ns: int
    body: r.Record


class Cursor:
    """Takes values from the bytes of a frame, one after the other."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def number(self, size: int, *, signed: bool = False) -> int:
        """Take an integer of so many bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def price(self) -> int | None:
        """Take a price; 0 is none."""
        return self.number(8, signed=True) or None

    def money(self) -> int:
        """Take an amount of money."""
        return self.number(16, signed=True)

    def short_text(self) -> str:
        """Take text behind a length of one byte."""
        return self.take(self.number(1)).decode()

    def text(self) -> str:
        """Take text behind a length of four bytes."""
        return self.take(self.number(4)).decode()

    def take(self, size: int) -> bytes:
        """Take so many bytes."""
        end = self.at + size
        if end > len(self.data):
            raise ValueError("the frame is too short")
        taken = self.data[self.at : end]
        self.at = end
        return taken


def records_of(first_seq: int, frames: list[bytes]) -> list[Taken]:
    """Return the records of frames that count; market data are left out.

    Raises
    ------
    DamagedError
        When a frame has another form than its kind.
    """
    found = []
    for seq, frame in enumerate(frames, first_seq):
        kind = frame[4]
        if kind in _PASSED_OVER:
            continue
        _, _, time_ns = _HEAD.unpack_from(frame)
        cursor = Cursor(frame, _HEAD.size)
        try:
            found.append(Taken(seq, time_ns, _READERS[kind](cursor)))
        except (KeyError, ValueError, struct.error) as error:
            what = f"record {seq}, a frame of kind {kind}, cannot be read: {error}"
            raise DamagedError("journal", what) from error
        if cursor.at != len(frame):
            raise DamagedError("journal", f"record {seq}, a frame of kind {kind}, is longer than its kind")
    return found


def _session(c: Cursor) -> r.Record:
    c.number(4)
    return r.Session(engine_version=c.text(), config=c.take(c.number(4)))


def _command(c: Cursor) -> r.Record:
    c.number(4)
    code = c.number(1)
    match code:
        case 6 | 8:
            scope, limit = _scope(c), LIMITS[c.number(1)]
            is_set, mantissa, decimals = c.number(1), c.number(8, signed=True), c.number(1)
            if code == 8:
                c.short_text()
            value = (mantissa, decimals) if is_set else None
            return r.Command(name="set_limit", scope=scope, limit=limit, value=value)
        case 7:
            scope = _scope(c)
            c.short_text()
            return r.Command(name="release", scope=scope)
        case 9:
            scope, instrument = r.Scope("strategy", c.number(2)), c.number(4)
            is_allowed = bool(c.number(1))
            c.short_text()
            return r.Command(name="permit", scope=scope, instrument=instrument, is_allowed=is_allowed)
        case 12:
            return r.Command(name="cancel", order_id=c.number(8))
        case 13:
            order_id, is_allowed = c.number(8), bool(c.number(1))
            c.short_text()
            return r.Command(name="consent", order_id=order_id, is_allowed=is_allowed)
        case _ if code == _WITHIN:
            return r.Command(name=_COMMANDS[c.number(1)], scope=_scope(c))
        case _ if code == _BY_LIMIT:
            c.take(12)
            return r.Command(name="flatten", scope=_scope(c) if c.number(1) else None)
        case _ if code == _SAFETY_PAUSE:
            c.take(17)
            return r.Command(name="pause")
        case _:
            return r.Command(name=_COMMANDS[code])


def _scope(c: Cursor) -> r.Scope:
    return r.Scope(_SCOPES[c.number(1)], c.number(4))


def _account(c: Cursor) -> r.Record:
    c.number(4)
    match c.number(1):
        case 1:
            return _opening(c)
        case 2 | 3 as code:
            change = r.CashChange(
                change="adjustment" if code == 2 else "transfer", currency=c.text(), amount=c.money()
            )
            c.text()
            return change
        case 4:
            currency, amount, into, received = c.text(), c.money(), c.text(), c.money()
            c.money()
            fee_currency, fee = c.text(), c.money()
            c.text()
            return r.Conversion(
                currency=currency,
                amount=amount,
                into=into,
                received=received,
                fee=fee,
                fee_currency=fee_currency,
            )
        case code:
            raise ValueError(f"an account event of code {code}")


def _opening(c: Cursor) -> r.Record:
    last_order_id = c.number(8)
    c.number(8)
    brought = c.money() if c.number(1) else None
    if c.number(1):
        c.take(32)
    c.text()
    cash = tuple((c.text(), c.money()) for _ in range(c.number(4)))
    lots = [_opening_lot(c) for _ in range(c.number(4))]
    for _ in range(c.number(4)):
        c.take(12)
    halted = tuple(scope for scope in (_guard(c) for _ in range(c.number(4))) if scope is not None)
    if c.at < len(c.data):
        costs = [c.money() if c.number(1) else None for _ in lots]
        lots = [
            r.OpeningLot(
                strategy=lot.strategy,
                instrument=lot.instrument,
                entry_order=lot.entry_order,
                entry_ticks=lot.entry_ticks,
                lots=lot.lots,
                cost=cost,
            )
            for lot, cost in zip(lots, costs, strict=True)
        ]
    return r.Opening(cash=cash, brought=brought, lots=tuple(lots), last_order_id=last_order_id, halted=halted)


def _opening_lot(c: Cursor) -> r.OpeningLot:
    strategy, instrument, entry_order = c.number(2), c.number(4), c.number(8)
    c.number(8)
    entry_ticks, lots = c.number(8, signed=True), c.number(8, signed=True)
    c.money()
    return r.OpeningLot(
        strategy=strategy, instrument=instrument, entry_order=entry_order, entry_ticks=entry_ticks, lots=lots
    )


def _guard(c: Cursor) -> r.Scope | None:
    scope = _scope(c)
    c.take(64)
    if c.number(1):
        c.number(8)
    if c.number(1):
        c.take(33)
        return scope
    return None


def _report(c: Cursor) -> r.Report:
    venue_time_ns, order_id, code = c.number(8, signed=True), c.number(8), c.number(1)
    traded, price_ticks, lots = None, None, None
    match code:
        case 4 | 12:
            traded = _traded(c, has_currency=code == 12)
        case 7 | 10:
            price_ticks, lots = c.price(), c.number(8, signed=True)
        case 11:
            price_ticks = c.price()
        case 2 | 5 | 6 | 8:
            c.number(1)
    return r.Report(
        order_id=order_id,
        venue_time_ns=venue_time_ns,
        report=_REPORTS[code],
        traded=traded,
        price_ticks=price_ticks,
        lots=lots,
    )


def _traded(c: Cursor, *, has_currency: bool) -> r.Traded:
    price_ticks, lots, liquidity = _TRADED.unpack(c.take(_TRADED.size))
    if liquidity not in (1, 2):
        raise ValueError(f"a liquidity of code {liquidity}")
    fee = c.money()
    return r.Traded(
        price_ticks=price_ticks,
        lots=lots,
        is_maker=liquidity == 1,
        fee=fee,
        fee_currency=c.number(1) if has_currency else None,
    )


def _maybe_traded(c: Cursor) -> r.Traded | None:
    code = c.number(1)
    return _traded(c, has_currency=code == 2) if code else None


def _venue_report(c: Cursor) -> r.Record:
    instrument, said = c.number(4), _report(c)
    venue_order_id, trade_id = c.short_text(), c.short_text()
    c.take(9)
    return r.VenueReport(instrument=instrument, said=said, venue_order_id=venue_order_id, trade_id=trade_id)


def _venue_revision(c: Cursor) -> r.Record:
    instrument = c.number(4)
    c.number(8)
    order_id, revision, traded = c.number(8), c.number(8), _maybe_traded(c)
    said = r.VenueRevision(
        instrument=instrument,
        order_id=order_id,
        revision=revision,
        traded=traded,
        trade_id=c.short_text(),
        venue_order_id=c.short_text(),
    )
    if c.at < len(c.data):
        # What had filled of the order with it, where the venue says so.
        c.number(8)
    return said


def _revision(c: Cursor) -> r.Record:
    c.number(8)
    order_id, strategy, instrument, side = c.number(8), c.number(2), c.number(4), c.number(1)
    closes, revision = c.number(8) or None, c.number(8)
    return r.Revision(
        order_id=order_id,
        strategy=strategy,
        instrument=instrument,
        is_buy=_is_buy(side),
        closes=closes,
        revision=revision,
        was=_maybe_traded(c),
        now=_maybe_traded(c),
        trade_id=c.short_text(),
    )


def _adopted(c: Cursor) -> r.Record:
    instrument, strategy, side = c.number(4), c.number(2), c.number(1)
    lots = c.number(8, signed=True)
    c.number(8)
    code, price_ticks = c.number(1), c.price()
    fee = c.money() if code > 1 else 0
    fee_currency = c.number(1) if code == 3 else None
    c.short_text()
    c.short_text()
    return r.Adopted(
        instrument=instrument,
        strategy=strategy,
        is_buy=_is_buy(side),
        lots=lots,
        is_position=code > 1,
        price_ticks=price_ticks,
        fee=fee,
        fee_currency=fee_currency,
    )


def _order(c: Cursor) -> r.Record:
    size = _INTENT.size + (_MORE.size if c.data[c.at + _FLAGS_AT] & _HAS_MORE else 0)
    return _terms(c, int.from_bytes(c.data[c.at + size : c.at + size + 8], "little", signed=True), 8)


def _terms(c: Cursor, reference_ticks: int, behind: int = 0) -> r.Order:
    """Take the terms of an order, and so many bytes behind them."""
    (
        order_id, strategy, instrument, side, kind, time_in_force, flags, size_kind, price, size, _, _,
        closes, decided_ns,
    ) = _INTENT.unpack(c.take(_INTENT.size))  # fmt: skip
    second = 0
    if flags & _HAS_MORE:
        second, _, _ = _MORE.unpack(c.take(_MORE.size))
    if size_kind not in (1, 2) or not 1 <= time_in_force <= 5:
        raise ValueError(f"an order with size {size_kind} and time in force {time_in_force}")
    c.take(behind)
    stated = second if kind in _SECOND_IS_PRICE else price if kind in _FIRST_IS_PRICE else None
    return r.Order(
        order_id=order_id,
        strategy=strategy,
        instrument=instrument,
        is_buy=_is_buy(side),
        kind=_ORDER_KINDS[kind],
        price_ticks=stated,
        lots=size if size_kind == 1 else None,
        buying_power_ppm=size if size_kind == 2 else None,
        reduce_only=bool(flags & _REDUCE_ONLY),
        closes=closes if flags & _CLOSES else None,
        decided_ns=decided_ns,
        reference_ticks=reference_ticks,
    )


def _refused(c: Cursor) -> r.Record:
    terms = _terms(c, 0)
    rule, limit, value = c.number(1), c.number(16, signed=True), c.number(16, signed=True)
    return r.Refused(terms=terms, rule=rule, limit=limit, value=value)


def _is_buy(code: int) -> bool:
    if code not in (1, 2):
        raise ValueError(f"a side of code {code}")
    return code == 1


def _cash_flow(c: Cursor) -> r.Record:
    c.number(8)
    return r.CashFlow(
        strategy=c.number(2), instrument=c.number(4), flow=_FLOWS[c.number(1)], amount=c.money()
    )


def _liquidation(c: Cursor) -> r.Record:
    found = r.Liquidation(c.number(2), c.number(4), c.number(8))
    c.take(48)
    return found


def _cancel_request(c: Cursor) -> r.Record:
    order_id = c.number(8)
    c.number(2)
    return r.CancelRequest(order_id)


def _sent(c: Cursor) -> r.Record:
    order_id, code = c.number(8), c.number(1)
    price_ticks, lots = None, None
    match code:
        case 1:
            lots = c.number(8, signed=True)
        case 4:
            price_ticks, lots = c.price(), c.number(8, signed=True)
        case 2 | 3:
            pass
        case _:
            raise ValueError(f"a request of code {code}")
    request = {1: "new", 2: "new", 3: "cancel", 4: "replace"}[code]
    return r.Sent(order_id=order_id, request=request, price_ticks=price_ticks, lots=lots)


_READERS: dict[int, Callable[[Cursor], r.Record]] = {
    1: _session,
    2: lambda c: r.SessionEnd(c.text()),
    22: _command,
    25: lambda c: r.Mark(c.number(4), c.number(8, signed=True)),
    26: lambda c: r.Funding(c.number(4), c.number(8, signed=True), c.number(8, signed=True)),
    27: _account,
    28: lambda c: r.Reconciling(c.number(4)),
    29: _venue_report,
    30: lambda c: r.OutcomeLost(c.number(4), c.number(8)),
    31: lambda c: r.Reconciled(c.number(4)),
    32: _order,
    33: _refused,
    34: _cancel_request,
    35: lambda c: r.ReplaceRequest(c.number(8), c.price(), c.number(8, signed=True)),
    36: _report,
    38: _cash_flow,
    39: _liquidation,
    41: lambda c: r.Link(c.number(8), c.number(8) or None, c.number(8) or None),
    42: lambda c: r.Sized(c.number(8), c.number(8, signed=True)),
    43: _sent,
    44: lambda c: r.Surprise(c.number(8), _SURPRISES[c.number(1)]),
    45: _adopted,
    46: _venue_revision,
    47: _revision,
}
