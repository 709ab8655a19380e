"""Tells journal records in words: symbols, sides, names, decimals and money in the place of numbers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.commands import told
from tradecore.domain.invalid_order import invalid_order_words
from tradecore.domain.market_words import market_words
from tradecore.domain.order_words import KnownOrder, order_text, price_text
from tradecore.domain.orders import order_states
from tradecore.domain.outside_words import adopted_words, surprise_words
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import values_of
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.spec import EngineSpec
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units, exact_money

# Orders that have ended and are still known by name.
ENDED_MAX = 256
# No engine has as many open: beyond it are orders of whose end nobody told, because the queue was full.
OPEN_MAX = 1 << 15
# A tuple, because every record is looked at: a union of types takes four times as long.
_OF_ORDER = (
    bodies.Report,
    bodies.Sent,
    bodies.VenueReport,
    bodies.OutcomeLost,
    bodies.Surprise,
    bodies.CancelRequest,
    bodies.ReplaceRequest,
    bodies.Link,
    bodies.Sized,
    bodies.Liquidation,
    bodies.VenueRevision,
    bodies.Revision,
)
# Reports after which nothing more is heard of an order.
_LAST_WORDS = frozenset(name for name, is_terminal in order_states() if is_terminal)
# What becomes a decimal in `values`: fields that are money, prices or sizes.
_MONEY_FIELDS = frozenset({"fee", "was_fee", "amount", "equity", "maintenance", "received", "rate"})


def opening_lot_words(lot: Mapping[str, Any], units: Units) -> str:
    """Return `2 ACME of trend, entered at 100.50` for a lot of an opening."""
    instrument = lot["instrument"]
    size, price = units.quantity(instrument, lot["lots"]), units.price(instrument, lot["entry_ticks"])
    return f"{size:f} {units.symbol(instrument)} of {units.strategy(lot['strategy'])}, entered at {price:f}"


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A record with what was known of its order when it was noted.

    Attributes
    ----------
    record : JournalRecord
        The record.
    order : KnownOrder or None
        The order that it is about, as it is with this record; `None` when it is about none or one that
        nobody told of.
    """

    record: JournalRecord
    order: KnownOrder | None = None


class Narrator:
    """Knows instruments, strategies and open orders, and says what records mean.

    Records are noted in the order of the journal: a report names its order by its number alone, so the
    narrator keeps the orders that are open, and the last of those that have ended.

    Parameters
    ----------
    spec : EngineSpec
        Instruments and account.
    strategies : sequence of str
        Names of the strategies, by their numbers.
    """

    def __init__(self, spec: EngineSpec, strategies: Sequence[str]) -> None:
        self.units = Units(spec, strategies)
        self._orders: dict[int, KnownOrder] = {}
        # Those that ended last: an answer to a request may come after the end.
        self._ended: dict[int, KnownOrder] = {}

    def know(self, order: KnownOrder) -> None:
        """Take in an order that was open before the first record that is noted."""
        self._orders[order.order_id] = order

    @property
    def known(self) -> tuple[dict[int, KnownOrder], dict[int, KnownOrder]]:
        """The orders that are open and the last of those that have ended, by their numbers."""
        return self._orders, self._ended

    def go_on_from(self, before: "Narrator") -> None:
        """Know the orders that the narrator of the session before knows: a restart ends none of them."""
        self._orders, self._ended = before.known

    def note(self, record: JournalRecord) -> Noted:
        """Take a record in; what is returned can be told at any later time."""
        body = record.body
        if isinstance(body, _OF_ORDER):
            return self._note_of_order(record, body)
        if isinstance(body, bodies.Order):
            order = KnownOrder.of(body)
            self._orders[order.order_id] = order
            if len(self._orders) > OPEN_MAX:
                del self._orders[next(iter(self._orders))]
            return Noted(record=record, order=order)
        return Noted(record=record, order=KnownOrder.of(body) if isinstance(body, bodies.Refused) else None)

    def words(self, noted: Noted) -> str:  # noqa: C901, PLR0911, PLR0912 - one for each kind
        """Return what a record says, as one line of plain words."""
        order = noted.order
        match noted.record.body:
            case bodies.Order() as body:
                return f"{self._of(order, body)} approved{self._about(order)}"
            case bodies.Refused() as body:
                return self._tell_refused(order, body)
            case bodies.CancelRequest() as body:
                # By its strategy, an operator or the engine: the record does not say.
                whose = f"order {body.order_id} of {self.units.strategy(body.strategy)}"
                return f"a cancel of {whose} is asked for{self._about(order)}"
            case bodies.ReplaceRequest() as body:
                return self._tell_replace_request(order, body)
            case bodies.Report() as body:
                return self._tell_report(noted, body)
            case bodies.VenueReport() as body:
                return self._tell_venue_report(order, body)
            case bodies.OutcomeLost() as body:
                lost = f"the outcome of a request about {self._of(order, body)} is lost"
                return f"{lost}: the order counts as open until its venue says more{self._about(order)}"
            case bodies.Surprise() as body:
                waits = "; no new risk is taken until books and venue are compared" if body.halts else ""
                return f"NOT EXPECTED of {self._of(order, body)}: {surprise_words(body.surprise)}{waits}"
            case bodies.Adopted() as body:
                return adopted_words(body, self.units)
            case bodies.VenueRevision() as body:
                now = "never happened" if body.lots is None else "has other numbers"
                return f"the venue says that trade {body.trade_id} of {self._of(order, body)} {now}"
            case bodies.Revision() as body:
                return self._tell_revision(body)
            case bodies.Reconciling() as body:
                where = self._venue_of(body.instrument)
                return f"the books are compared with what {where} has; no new risk is taken until they agree"
            case bodies.Reconciled() as body:
                return f"the books were compared with what {self._venue_of(body.instrument)} has, and agree"
            case bodies.Decision() as body:
                return self._tell_decision(body)
            case bodies.CashFlow() as body:
                return self._tell_cash_flow(body)
            case bodies.Liquidation() as body:
                return self._tell_liquidation(body)
            case bodies.Margin() as body:
                return self._tell_margin(body)
            case bodies.Link() as body:
                ties = [] if body.after is None else [f"waits for the fills of order {body.after}"]
                ties += [] if body.oco is None else [f"and order {body.oco} cancel each other"]
                return f"{self._of(order, body)} {' '.join(ties)}"
            case bodies.Sized() as body:
                return self._tell_sized(order, body)
            case bodies.Sent() as body:
                return self._tell_sent(order, body)
            case bodies.Account() as body:
                return self._tell_account(body)
            case bodies.Command() as body:
                return told(body, self.units)
            case bodies.Session() as body:
                return self._tell_session(body)
            case bodies.SessionEnd() as body:
                return f"session ended: {_ENDS.get(body.reason, body.reason.replace('_', ' '))}"
            case bodies.StateHash() as body:
                return f"hash of the state: {body.hash}"
            case event:
                return market_words(event, self.units)

    def values(self, noted: Noted) -> dict[str, object]:
        """Return what a record says for programs: names and exact decimals, orders and prices by name."""
        values: dict[str, object] = {}
        order, fields = noted.order, values_of(noted.record.body)
        if order is not None:
            values["order_id"] = order.order_id
        strategy = fields.get("strategy", None if order is None else order.strategy)
        instrument = fields.get("instrument", None if order is None else order.instrument)
        if isinstance(strategy, int):
            values["strategy"] = self.units.strategy(strategy)
        if isinstance(instrument, int):
            values["symbol"] = self.units.symbol(instrument)
        if order is not None:
            values["side"] = order.side
        for name, value in fields.items():
            if name not in values and name not in ("strategy", "instrument"):
                values.update(self._value(name, value, instrument))
        return values

    def _value(self, name: str, value: object, instrument: object) -> dict[str, object]:
        if not isinstance(value, int) or isinstance(value, bool):
            return {name: value}
        if name in _MONEY_FIELDS:
            return {name: exact_money(value)}
        if name.endswith("_ns"):
            return {name.removesuffix("_ns"): iso_time(value)}
        if isinstance(instrument, int) and instrument < len(self.units.symbols):
            if name.endswith("_ticks"):
                return {name.removesuffix("_ticks"): self.units.price(instrument, value)}
            if name == "lots":
                return {"quantity": self.units.quantity(instrument, value)}
            if name.endswith("_lots"):
                return {name.removesuffix("_lots"): self.units.quantity(instrument, value)}
        return {name: value}

    def _note_of_order(self, record: JournalRecord, about: bodies.OfOrder) -> Noted:
        number = about.order_id
        order = self._orders.get(number) or self._ended.get(number)
        if order is None:
            return Noted(record=record)
        if isinstance(about, bodies.Report):
            order = order.after_report(about)
        elif isinstance(about, bodies.Sized):
            order = msgspec.structs.replace(order, lots=about.lots)
        has_ended = isinstance(about, bodies.Report) and (about.report in _LAST_WORDS or order.is_filled)
        if has_ended or number in self._ended:
            self._end(order)
        else:
            self._orders[number] = order
        return Noted(record=record, order=order)

    def _end(self, order: KnownOrder) -> None:
        """Keep an order that has ended for a while, in the place of the one that ended first."""
        self._orders.pop(order.order_id, None)
        self._ended[order.order_id] = order
        if len(self._ended) > ENDED_MAX:
            del self._ended[next(iter(self._ended))]

    def _of(self, order: KnownOrder | None, body: bodies.OrderTerms | bodies.OfOrder) -> str:
        """Name an order and its strategy; one that nobody told of has its number alone."""
        number = f"order {body.order_id}"
        return number if order is None else f"{number} of {self.units.strategy(order.strategy)}"

    def _about(self, order: KnownOrder | None) -> str:
        return "" if order is None else f": {order_text(order, self.units)}"

    def _sized(self, instrument: int, lots: int | None) -> str:
        return f"{self.units.quantity(instrument, lots or 0):f} {self.units.symbol(instrument)}"

    def _priced(self, instrument: int, price_ticks: int | None) -> str:
        """Return ` at PRICE`, nothing where the price is 0 or there is none."""
        return f" at {price_text(self.units, instrument, price_ticks)}" if price_ticks else ""

    def _tell_refused(self, order: KnownOrder | None, refused: bodies.Refused) -> str:
        rule, limit, value = refused.rule, refused.limit, refused.value
        if rule == "invalid_order" and order is not None:
            why = invalid_order_words(order, limit, value, self.units)
        else:
            why = refusal_words(rule, limit, value, self.units, refused.instrument)
        strategy = self.units.strategy(refused.strategy)
        return f"refused for {strategy}{self._about(order)}: {rule}: {why}"

    def _venue_of(self, instrument: int) -> str:
        """Name the venue of an instrument, by its account where there are several."""
        units = self.units
        return f"the venue of {units.account(instrument)}" if units.has_accounts else "the venue"

    def _tell_venue_report(self, order: KnownOrder | None, told: bodies.VenueReport) -> str:
        if told.reason == _NEVER_ARRIVED:
            # Nobody there has said so: it follows from what the venue shows, or the order had not left yet.
            return f"the venue never had {self._of(order, told)}{self._about(order)}"
        return f"the venue says that {self._of(order, told)} {self._said(told)}{self._about(order)}"

    def _said(self, told: bodies.VenueReport) -> str:
        """Return what a venue said of an order: of a trade its numbers and name, of a "no" the reason."""
        said = _REPORTS.get(told.report, told.report.replace("_", " "))
        if told.report == "fill":
            size = self._sized(told.instrument, told.lots)
            price = self._priced(told.instrument, told.price_ticks)
            return f"{said} {size}{price}" + (f" (trade {told.trade_id})" if told.trade_id else "")
        return f"{said} ({_reason_words(told.reason)})" if told.reason else said

    def _tell_replace_request(self, order: KnownOrder | None, request: bodies.ReplaceRequest) -> str:
        asked = self._of(order, request)
        if order is None:
            return f"a change of {asked} is asked for"
        price = self._priced(order.instrument, request.price_ticks)
        return f"a change of {asked} is asked for: {self._sized(order.instrument, request.lots)}{price}"

    def _tell_sized(self, order: KnownOrder | None, sized: bodies.Sized) -> str:
        size = "" if order is None else f": {self._sized(order.instrument, sized.lots)}"
        return f"{self._of(order, sized)} has its size{size}"

    def _tell_sent(self, order: KnownOrder | None, sent: bodies.Sent) -> str:
        what = self._of(order, sent)
        asked = what if sent.request == "new" else f"a {_REQUESTS[sent.request]} of {what}"
        size = ""
        if order is not None and sent.lots is not None:
            size = f": {self._sized(order.instrument, sent.lots)}"
            size += self._priced(order.instrument, sent.price_ticks)
        return f"{asked} is sent to the venue{size}"

    def _tell_report(self, noted: Noted, report: bodies.Report) -> str:
        order, what = noted.order, report.report
        if what == "fill":
            return self._tell_fill(noted, report)
        said = _REPORTS.get(what, what.replace("_", " "))
        reason = ""
        if report.reason == _NEVER_ARRIVED:
            said = "never reached the venue"
        elif report.reason is not None:
            reason = f" ({_reason_words(report.reason)})"
        now = ""
        if order is not None and what in ("replaced", "restated"):
            price = self._priced(order.instrument, report.price_ticks)
            now = f" to {self.units.quantity(order.instrument, report.lots or 0):f} open{price}"
        return f"{self._of(order, report)} {said}{now}{reason}{self._about(order)}"

    def _tell_fill(self, noted: Noted, fill: bodies.Report) -> str:
        order, units, fee = noted.order, self.units, fill.fee or 0
        currency = "" if order is None else units.settlement(order.instrument)
        if fill.fee_currency is not None:
            currency = units.named_currency(fill.fee_currency)
        paid = f"rebate {units.money(-fee, currency)}" if fee < 0 else f"fee {units.money(fee, currency)}"
        if order is None:
            return f"{self._of(order, fill)} filled as {fill.liquidity}, {paid}"
        instrument = order.instrument
        done = "bought" if order.side == "buy" else "sold"
        size = self._sized(instrument, fill.lots)
        price = price_text(units, instrument, fill.price_ticks or 0)
        whole = "" if order.lots is None else f" of {units.quantity(instrument, order.lots):f}"
        so_far = f"order {order.order_id}: {units.quantity(instrument, order.filled_lots):f}{whole} filled"
        return (
            f"{units.strategy(order.strategy)} {done} {size} at {price} as {fill.liquidity}, {paid} "
            f"({so_far})"
        )

    def _tell_revision(self, told: bodies.Revision) -> str:
        done = "bought" if told.side == "buy" else "sold"
        whose = f"trade {told.trade_id} of order {told.order_id} ({self.units.strategy(told.strategy)})"
        was = self._traded(told, told.was_lots, told.was_price_ticks, told.was_fee, told.was_fee_currency)
        now = self._traded(told, told.lots, told.price_ticks, told.fee, told.fee_currency)
        if told.revised == "busted":
            return f"BUSTED: the venue takes back {whose}: {done} {was} never happened"
        if told.revised == "restored":
            return f"RESTORED: the venue has {whose} after all: {done} {now}"
        return f"CORRECTED: the venue changes {whose}: {done} {now} instead of {was}"

    def _traded(
        self,
        told: bodies.Revision,
        lots: int | None,
        price_ticks: int | None,
        fee: int | None,
        fee_currency: int | None,
    ) -> str:
        units, fee = self.units, fee or 0
        currency = units.settlement(told.instrument)
        if fee_currency is not None:
            currency = units.named_currency(fee_currency)
        paid = f"rebate {units.money(-fee, currency)}" if fee < 0 else f"fee {units.money(fee, currency)}"
        size = self._sized(told.instrument, lots)
        return f"{size} at {price_text(units, told.instrument, price_ticks or 0)}, {paid}"

    def _tell_account(self, told: bodies.Account) -> str:
        if told.account == "conversion":
            return _conversion_words(told)
        if told.account != "opening":
            amount = told.amount or 0
            what = "came" if amount >= 0 else "went"
            return f"{told.account}: {exact_money(abs(amount)):f} {told.currency} {what}: {told.reason}"
        cash = ", ".join(f"{exact_money(atto):f} {name}" for name, atto in (told.cash or {}).items())
        held = ", ".join(opening_lot_words(lot, self.units) for lot in told.lots or ()) or "no position"
        before = f"; the journal before ends with {told.before[:16]}" if told.before is not None else ""
        changed = f"; {'; '.join(told.changed.splitlines())}" if told.changed else ""
        return f"the account begins with {cash} and {held}{before}{changed}"

    def _tell_decision(self, decision: bodies.Decision) -> str:
        said = []
        for gate in decision.gates:
            verdict = "passed" if gate.passed else "said NO"
            said.append(f"{gate.name} {verdict} ({gate.value:g}, limit {gate.limit:g})")
        about = f"{self.units.strategy(decision.strategy)} on {self.units.symbol(decision.instrument)}"
        gates = f"; gates: {', '.join(said)}" if said else ""
        return f"{about} decided: {decision.reason or 'nothing said'}{gates}"

    def _tell_cash_flow(self, flow: bodies.CashFlow) -> str:
        done = "paid" if flow.amount < 0 else "received"
        what = flow.cash_flow.replace("_", " ")
        whose = f"{self.units.symbol(flow.instrument)} of {self.units.strategy(flow.strategy)}"
        amount = self.units.money(abs(flow.amount), self.units.settlement(flow.instrument))
        return f"{what}: {whose} {done} {amount}, due {iso_time(flow.due_ns)}"

    def _tell_liquidation(self, forced: bodies.Liquidation) -> str:
        units = self.units
        return (
            f"LIQUIDATION: the venue closes {self._sized(forced.instrument, forced.lots)} of "
            f"{units.strategy(forced.strategy)} by force with order {forced.order_id}: at "
            f"{price_text(units, forced.instrument, forced.price_ticks)} equity of "
            f"{units.money(forced.equity)} is not above the maintenance margin of "
            f"{units.money(forced.maintenance)}"
        )

    def _tell_margin(self, margin: bodies.Margin) -> str:
        way = "moved {} to the margin of" if margin.amount >= 0 else "took {} back from the margin of"
        moved = way.format(self.units.money(abs(margin.amount)))
        return f"{self.units.strategy(margin.strategy)} {moved} {self.units.symbol(margin.instrument)}"

    def _tell_session(self, session: bodies.Session) -> str:
        units = self.units
        return (
            f"session began: tradecore {session.engine_version}; instruments {', '.join(units.symbols)}; "
            f"strategies {', '.join(units.strategies) or 'none'}; money in {units.currency}"
        )


# Why an order was rejected that its venue never saw.
_NEVER_ARRIVED = "never_arrived"
_REQUESTS = {"cancel": "cancel", "replace": "change"}
_REPORTS = {
    "fill": "traded",
    "accepted": "is at the venue",
    "rejected": "was rejected by the venue",
    "triggered": "was set off",
    "canceled": "was cancelled",
    "cancel_rejected": "was not cancelled",
    "replaced": "was changed",
    "restated": "was changed by the venue",
    "replace_rejected": "was not changed",
    "expired": "expired",
}
_ENDS = {
    "end_of_data": "the data ended",
    "feed_failed": "the feed failed",
    "stop_command": "`tradecore stop` was called",
    "SIGINT": "Ctrl-C (SIGINT)",
    "SIGHUP": "its terminal was closed (SIGHUP)",
}
_REASONS = {
    "requested": "as asked for",
    "immediate_or_cancel": "what does not trade at once is cancelled",
    "linked": "the order that it is tied to traded or ended",
    "insufficient_margin": "the account cannot pay for it",
    "shadow": "shadow mode: no order is sent",
    "end_of_data": "the data ended",
    "killed": "by the kill switch",
    "halted": "by a halt",
    "self_trade": "it would trade with an own order",
    "liquidation": "before a liquidation",
    "not_taken_anew": "it was ended to be changed, and the venue did not take it anew",
    "would_take": "it was to rest and would have traded at once",
    "cannot_fill_whole": "it was to fill whole at once and cannot",
    "no_liquidity": "nobody takes the other side",
    "unknown_order": "the venue does not know the order",
    "unsupported": "the venue does not know this kind of order",
    "risk_refused": "a limit refused it",
    "not_permitted": "the venue does not let us: look at the key, its rights and the clock",
}


def _reason_words(reason: str) -> str:
    return _REASONS.get(reason, reason.replace("_", " "))


def decimal_text(value: object) -> object:
    """Return exact decimals as text, as JSON lines have them; everything else as it is."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _conversion_words(told: bodies.Account) -> str:
    given, received, rate = (exact_money(amount or 0) for amount in (told.amount, told.received, told.rate))
    fee = exact_money(told.fee or 0)
    paid = f", {'rebate' if fee < 0 else 'fee'} {abs(fee):f} {told.fee_currency}" if fee else ""
    became = f"{given:f} {told.currency} became {received:f} {told.into}"
    return f"conversion: {became}, {rate:f} {told.into} for 1 {told.currency}{paid}: {told.reason}"
