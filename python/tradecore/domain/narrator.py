"""Tells journal records in words: symbols, sides, names, decimals and money in the place of numbers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from tradecore.domain.invalid_order import invalid_order_words
from tradecore.domain.market_words import MARKET_WORDS
from tradecore.domain.order_words import KnownOrder, order_text, price_text
from tradecore.domain.orders import order_states
from tradecore.domain.record import JournalRecord
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.spec import EngineSpec
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units, exact_money

# Orders that have ended and are still known by name.
ENDED_MAX = 256
# Reports after which nothing more is heard of an order.
_LAST_WORDS = frozenset(name for name, is_terminal in order_states() if is_terminal)
# What becomes a decimal in `values`: fields that are money, prices or sizes.
_MONEY_FIELDS = frozenset({"fee", "amount", "equity", "maintenance"})
_COMMANDS = {
    "pause": "an operator paused trading: no new risk is taken, cancels and closing orders still work",
    "resume": "an operator ended the pause",
    "flatten": "an operator flattens: every order is cancelled and every position is closed",
    "kill": "KILL SWITCH engaged: every order is cancelled and new ones are refused until it is released",
    "release_kill": "the kill switch was released",
}


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
        The order that it is about; `None` when it is about none or one that nobody told of.
    filled_lots : int
        How much of the order is filled, this record included.
    """

    record: JournalRecord
    order: KnownOrder | None = None
    filled_lots: int = 0


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

    def note(self, record: JournalRecord) -> Noted:
        """Take a record in; what is returned can be told at any later time."""
        fields: dict[str, Any] = record.fields
        match record.kind:
            case "order":
                order = KnownOrder.of(fields)
                self._orders[order.order_id] = order
                return Noted(record=record, order=order)
            case "refused":
                return Noted(record=record, order=KnownOrder.of(fields))
            case "sized" | "sent" | "report" | "cancel_request" | "replace_request" | "link" | "liquidation":
                return self._note_of_order(record, fields)
            case _:
                return Noted(record=record)

    def words(self, noted: Noted) -> str:
        """Return what a record says, as one line of plain words."""
        record = noted.record
        fields: dict[str, Any] = record.fields
        if (words := MARKET_WORDS.get(record.kind)) is not None:
            return words(fields, self.units)
        if (tell := getattr(self, f"_tell_{record.kind}", None)) is not None:
            return str(tell(noted, fields))
        return " ".join(f"{name}={value}" for name, value in fields.items())

    def values(self, noted: Noted) -> dict[str, object]:
        """Return what a record says for programs: names and exact decimals, orders and prices by name."""
        told: dict[str, object] = {}
        order, fields = noted.order, noted.record.fields
        if order is not None:
            told["order_id"] = order.order_id
        strategy = fields.get("strategy", None if order is None else order.strategy)
        instrument = fields.get("instrument", None if order is None else order.instrument)
        if isinstance(strategy, int):
            told["strategy"] = self.units.strategy(strategy)
        if isinstance(instrument, int):
            told["symbol"] = self.units.symbol(instrument)
        if order is not None:
            told["side"] = order.side
        for name, value in fields.items():
            if name not in told and name not in ("strategy", "instrument"):
                told.update(self._value(name, value, instrument))
        return told

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

    def _note_of_order(self, record: JournalRecord, fields: Mapping[str, Any]) -> Noted:
        order = self._orders.get(fields["order_id"]) or self._ended.get(fields["order_id"])
        if order is None:
            return Noted(record=record)
        if record.kind == "sized":
            order.lots = fields["lots"]
        elif record.kind == "report":
            order.take_report(fields)
            if fields["report"] in _LAST_WORDS or order.is_filled:
                self._end(order)
        return Noted(record=record, order=order, filled_lots=order.filled_lots)

    def _end(self, order: KnownOrder) -> None:
        """Keep an order that has ended for a while, in the place of the one that ended first."""
        self._orders.pop(order.order_id, None)
        self._ended[order.order_id] = order
        if len(self._ended) > ENDED_MAX:
            del self._ended[next(iter(self._ended))]

    def _of(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        """Name an order and its strategy; one that nobody told of has its number alone."""
        order = noted.order
        number = f"order {fields['order_id']}"
        return number if order is None else f"{number} of {self.units.strategy(order.strategy)}"

    def _about(self, noted: Noted) -> str:
        return "" if noted.order is None else f": {order_text(noted.order, self.units)}"

    def _tell_order(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        return f"{self._of(noted, fields)} approved{self._about(noted)}"

    def _tell_refused(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        limit, value = fields["limit"], fields["value"]
        if fields["rule"] == "invalid_order" and noted.order is not None:
            why = invalid_order_words(noted.order, limit, value, self.units)
        else:
            why = refusal_words(fields["rule"], limit, value, self.units, fields["instrument"])
        strategy = self.units.strategy(fields["strategy"])
        return f"refused for {strategy}{self._about(noted)}: {fields['rule']}: {why}"

    def _tell_cancel_request(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        strategy = self.units.strategy(fields["strategy"])
        return f"{strategy} asks to cancel order {fields['order_id']}{self._about(noted)}"

    def _tell_replace_request(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        asked = self._of(noted, fields)
        if noted.order is None:
            return f"a change of {asked} is asked for"
        instrument = noted.order.instrument
        price = (
            f" at {price_text(self.units, instrument, fields['price_ticks'])}"
            if fields["price_ticks"]
            else ""
        )
        size = self.units.quantity(instrument, fields["lots"])
        return f"a change of {asked} is asked for: {size:f} {self.units.symbol(instrument)}{price}"

    def _tell_link(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        ties = [f"waits for the fills of order {fields['after']}"] if "after" in fields else []
        ties += [f"and order {fields['oco']} cancel each other"] if "oco" in fields else []
        return f"{self._of(noted, fields)} {' '.join(ties)}"

    def _tell_sized(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        if noted.order is None:
            return f"{self._of(noted, fields)} has its size"
        instrument = noted.order.instrument
        size = self.units.quantity(instrument, fields["lots"])
        return f"{self._of(noted, fields)} has its size: {size:f} {self.units.symbol(instrument)}"

    def _tell_sent(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        request, what = fields["request"], self._of(noted, fields)
        asked = what if request == "new" else f"a {_REQUESTS[request]} of {what}"
        size = ""
        if noted.order is not None and "lots" in fields:
            instrument = noted.order.instrument
            lots, symbol = self.units.quantity(instrument, fields["lots"]), self.units.symbol(instrument)
            price = fields.get("price_ticks")
            at = f" at {price_text(self.units, instrument, price)}" if price else ""
            size = f": {lots:f} {symbol}{at}"
        return f"{asked} is sent to the venue{size}"

    def _tell_report(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        report = fields["report"]
        if report == "fill":
            return self._tell_fill(noted, fields)
        said = _REPORTS.get(report, report.replace("_", " "))
        reason = ""
        if "reason" in fields:
            reason = f" ({_REASONS.get(fields['reason'], str(fields['reason']).replace('_', ' '))})"
        now = ""
        if noted.order is not None and report in ("replaced", "restated"):
            instrument = noted.order.instrument
            price = (
                f" at {price_text(self.units, instrument, fields['price_ticks'])}"
                if fields["price_ticks"]
                else ""
            )
            now = f" to {self.units.quantity(instrument, fields['lots']):f} open{price}"
        return f"{self._of(noted, fields)} {said}{now}{reason}{self._about(noted)}"

    def _tell_fill(self, noted: Noted, fields: Mapping[str, Any]) -> str:
        order, units = noted.order, self.units
        fee = fields["fee"]
        paid = f"rebate {units.money(-fee)}" if fee < 0 else f"fee {units.money(fee)}"
        if order is None:
            return f"{self._of(noted, fields)} filled as {fields['liquidity']}, {paid}"
        instrument = order.instrument
        done = "bought" if order.side == "buy" else "sold"
        size = units.quantity(instrument, fields["lots"])
        price = price_text(units, instrument, fields["price_ticks"])
        whole = "" if order.lots is None else f" of {units.quantity(instrument, order.lots):f}"
        so_far = f"order {order.order_id}: {units.quantity(instrument, noted.filled_lots):f}{whole} filled"
        return (
            f"{units.strategy(order.strategy)} {done} {size:f} {units.symbol(instrument)} at {price} "
            f"as {fields['liquidity']}, {paid} ({so_far})"
        )

    def _tell_account(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        if fields["account"] != "opening":
            what = "came" if fields["amount"] >= 0 else "went"
            amount = exact_money(abs(fields["amount"]))
            return f"{fields['account']}: {amount:f} {fields['currency']} {what}: {fields['reason']}"
        cash = ", ".join(f"{exact_money(atto):f} {name}" for name, atto in fields["cash"].items())
        held = ", ".join(opening_lot_words(lot, self.units) for lot in fields["lots"]) or "no position"
        before = f"; the journal before ends with {fields['before'][:16]}" if "before" in fields else ""
        changed = f"; {'; '.join(fields['changed'].splitlines())}" if fields["changed"] else ""
        return f"the account begins with {cash} and {held}{before}{changed}"

    def _tell_decision(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        said = []
        for gate in fields["gates"]:
            verdict = "passed" if gate["passed"] else "said NO"
            said.append(f"{gate['name']} {verdict} ({gate['value']:g}, limit {gate['limit']:g})")
        about = f"{self.units.strategy(fields['strategy'])} on {self.units.symbol(fields['instrument'])}"
        gates = f"; gates: {', '.join(said)}" if said else ""
        return f"{about} decided: {fields['reason'] or 'nothing said'}{gates}"

    def _tell_cash_flow(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        amount = fields["amount"]
        done = "paid" if amount < 0 else "received"
        what = str(fields["cash_flow"]).replace("_", " ")
        whose = f"{self.units.symbol(fields['instrument'])} of {self.units.strategy(fields['strategy'])}"
        return f"{what}: {whose} {done} {self.units.money(abs(amount))}, due {iso_time(fields['due_ns'])}"

    def _tell_liquidation(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        units, instrument = self.units, fields["instrument"]
        size = units.quantity(instrument, fields["lots"])
        return (
            f"LIQUIDATION: the venue closes {size:f} {units.symbol(instrument)} of "
            f"{units.strategy(fields['strategy'])} by force with order {fields['order_id']}: at "
            f"{price_text(units, instrument, fields['price_ticks'])} equity of "
            f"{units.money(fields['equity'])} is not above the maintenance margin of "
            f"{units.money(fields['maintenance'])}"
        )

    def _tell_margin(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        amount = fields["amount"]
        way = "moved {} to the margin of" if amount >= 0 else "took {} back from the margin of"
        strategy = self.units.strategy(fields["strategy"])
        moved = way.format(self.units.money(abs(amount)))
        return f"{strategy} {moved} {self.units.symbol(fields['instrument'])}"

    def _tell_command(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        command, person = fields["command"], fields.get("person")
        by = f", by {person}" if person else ""
        if command in _COMMANDS:
            return f"{_COMMANDS[command]}{by}"
        scope = self._scope(fields)
        match command:
            case "set_limit":
                value = fields.get("value")
                now = "is off now" if value is None else f"is {value} now"
                return f"limit {fields['limit']} of {scope} {now}{by}"
            case "release":
                return f"{scope} may trade again: its halt was released{by}"
            case "allow" | "forbid":
                may = "may trade" if command == "allow" else "may no longer trade"
                return f"{scope} {may} {self.units.symbol(fields['instrument'])}{by}"
            case _:
                return f"command {command}{by}"

    def _scope(self, fields: Mapping[str, Any]) -> str:
        scope, number = fields.get("scope", ""), fields.get("scope_id", 0)
        match scope:
            case "strategy":
                return f"strategy {self.units.strategy(number)}"
            case "instrument":
                return f"instrument {self.units.symbol(number)}"
            case _:
                return str(scope)

    def _tell_session(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        units = self.units
        return (
            f"session began: tradecore {fields['engine_version']}; instruments {', '.join(units.symbols)}; "
            f"strategies {', '.join(units.strategies) or 'none'}; money in {units.currency}"
        )

    def _tell_session_end(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        return f"session ended: {_ENDS.get(fields['reason'], str(fields['reason']).replace('_', ' '))}"

    def _tell_state_hash(self, _noted: Noted, fields: Mapping[str, Any]) -> str:
        return f"hash of the state: {fields['hash']}"


_REQUESTS = {"cancel": "cancel", "replace": "change"}
_REPORTS = {
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
    "would_take": "it was to rest and would have traded at once",
    "cannot_fill_whole": "it was to fill whole at once and cannot",
    "no_liquidity": "nobody takes the other side",
    "unknown_order": "the venue does not know the order",
    "unsupported": "the venue does not know this kind of order",
    "risk_refused": "a limit refused it",
}


def decimal_text(value: object) -> object:
    """Return exact decimals as text, as JSON lines have them; everything else as it is."""
    return f"{value:f}" if isinstance(value, Decimal) else value
