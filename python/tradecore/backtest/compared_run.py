"""What one run decided and what came of it, read from the records of its journal alone."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

import msgspec

from tradecore._core import AccountFollower
from tradecore.domain import record_bodies as bodies
from tradecore.domain.order_words import KnownOrder, order_text
from tradecore.domain.record import JournalRecord
from tradecore.domain.refusal_words import refusal_words
from tradecore.domain.spec import EngineSpec, InstrumentKind
from tradecore.domain.units import Units

_ATTO = 10**18
_DIGITS = Context(prec=100, rounding=ROUND_HALF_UP)
# What makes an order the same one in two runs; its number, its strategy and its instrument are told by name.
_TERMS = (
    "side", "order_kind", "price_ticks", "trigger_ticks", "trail_ticks", "trail_ppm", "limit_offset_ticks",
    "activation_ticks", "display_lots", "lots", "buying_power_ppm", "time_in_force", "expire_ns", "post_only",
    "reduce_only", "stop_loss_ticks", "take_profit_ticks", "stop_loss_ppm", "take_profit_ppm",
)  # fmt: skip
_ENDS = frozenset({"rejected", "canceled", "expired"})


class RunFill(msgspec.Struct, frozen=True, kw_only=True):
    """One fill as it was booked.

    Attributes
    ----------
    seq, time_ns : int
        Number and time of its record.
    venue_time_ns : int
        When it traded.
    lots : int
        How much; below 0 is sold.
    price_ticks : int
        At what price.
    fee : int
        In atto units of `fee_currency`.
    fee_currency : str
        By the name of the balance.
    liquidity : str
        `maker` or `taker`.
    value : int
        What it is worth at the run's last price, in atto units of the settlement currency, before its fee.
    slippage : int
        What its price cost beyond the reference at which its order was decided, in the same unit; below 0
        it was better than that.
    told : str
        `corrected`, `busted` or `restored` where it is part of a trade that was told anew; else empty.
    """

    seq: int
    time_ns: int
    venue_time_ns: int
    lots: int
    price_ticks: int
    fee: int
    fee_currency: str
    liquidity: str
    value: int = 0
    slippage: int = 0
    told: str = ""


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy asked for, and what became of it.

    Attributes
    ----------
    number, seq, decided_ns : int
        Its number in the run, its record, and when it was decided.
    strategy, symbol, account, side, order_kind : str
        Whose it is and of what.
    price_ticks, lots, reference_ticks : int or None
        Its stated price, its size, and the price that it was judged at.
    words : str
        All of it in words.
    terms : tuple
        What makes it the same order in another run.
    refused : str
        The rule by which it was refused here, and `refused_words` why; empty for one that was approved.
    sent_ns, accepted_ns : int or None
        When it left, and when the venue had it.
    ended, reason : str
        How it ended: `rejected`, `canceled` or `expired`, and why; empty while it is open or has filled.
    ended_ns : int or None
        When it ended.
    was_unknown : bool
        Whether the outcome of a request about it was lost at any time.
    is_of_others : bool
        Whether it was taken over from others.
    is_forced : bool
        Whether the venue closed a position with it.
    amended : int
        How often it was amended.
    late_lots : int
        How much filled after its end.
    fills : tuple of RunFill
        Its fills, in their order.
    """

    number: int
    seq: int
    decided_ns: int
    strategy: str
    symbol: str
    account: str
    side: str
    order_kind: str
    instrument: int
    price_ticks: int | None
    lots: int | None
    reference_ticks: int | None
    words: str
    terms: tuple[object, ...]
    refused: str = ""
    refused_words: str = ""
    sent_ns: int | None = None
    accepted_ns: int | None = None
    ended: str = ""
    reason: str = ""
    ended_ns: int | None = None
    was_unknown: bool = False
    is_of_others: bool = False
    is_forced: bool = False
    amended: int = 0
    late_lots: int = 0
    fills: tuple[RunFill, ...] = ()

    @property
    def filled_lots(self) -> int:
        """How much has filled, whatever its side."""
        return abs(sum(fill.lots for fill in self.fills))

    @property
    def is_filled(self) -> bool:
        """Whether nothing of it is left."""
        return self.lots is not None and self.filled_lots >= self.lots > 0


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a strategy decided: `what` is the same in two runs where the decision is.

    `heard` is the record of the last fill, refusal or end of an order that its strategy could know of.
    """

    seq: int
    time_ns: int
    what: tuple[object, ...]
    words: str
    heard: str


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is compared.

    Attributes
    ----------
    units : Units
        What its numbers mean.
    orders : tuple of RunOrder
        Orders in the order in which they were decided.
    decided : tuple of Decided
        Decisions in their order: orders, amendments, cancels, and what a strategy said that it decided.
    flows : dict
        Money that came or went without a fill, in atto units, by strategy, symbol and kind.
    profit : int
        What the account is worth at the last prices, less what its owner brought: atto units.
    marks : dict
        The last price of each instrument in ticks, by its symbol; without one it is not there.
    records : int
        How many records it has.
    """

    units: Units
    orders: tuple[RunOrder, ...]
    decided: tuple[Decided, ...]
    flows: dict[tuple[str, str, str], int]
    profit: int
    marks: dict[str, int]
    records: int


class RunReader:
    """Follows the records of a run, whatever made them; `run` is what they come to.

    Parameters
    ----------
    spec : EngineSpec
        Instruments and account.
    strategies : list of str
        Names of the strategies, by their numbers.
    """

    def __init__(self, spec: EngineSpec, strategies: list[str]) -> None:
        self._units = Units(spec, strategies)
        self._follower = AccountFollower(spec, strategies)
        self._orders: list[RunOrder] = []
        # Places of approved orders by their numbers: what was refused leaves its number to another one.
        self._known: dict[int, int] = {}
        self._decided: list[Decided] = []
        self._flows: dict[tuple[str, str, str], int] = {}
        self._heard: dict[str, str] = {}
        self._adopted = False
        self._records = 0

    def take(self, frames: bytes, records: Iterable[JournalRecord], count: int) -> None:
        """Take whole frames: as they are, and those of them that are no market data, read.

        Raises `InvalidValueError` or `BrokenInvariantError` when a record does not fit those before it.
        """
        self._follower.take(frames)
        for record in records:
            self._take(record)
        self._records += count

    def run(self) -> ComparedRun:
        """Return all that was read so far, at the prices of now."""
        units, opening = self._units, self._follower.opening()
        marks = {price["instrument"]: price["price_ticks"] for price in opening["prices"]}
        orders = tuple(
            msgspec.structs.replace(
                order,
                fills=tuple(
                    _valued(units, order, fill, marks.get(order.instrument, order.reference_ticks))
                    for fill in order.fills
                ),
            )
            for order in self._orders
        )
        return ComparedRun(
            units=units,
            orders=orders,
            decided=tuple(self._decided),
            flows=dict(self._flows),
            profit=self._follower.equity() - opening["brought"],
            marks={units.symbol(number): ticks for number, ticks in marks.items()},
            records=self._records,
        )

    def _take(self, record: JournalRecord) -> None:
        was_adopted, self._adopted = self._adopted, False
        match record.body:
            case bodies.Adopted():
                self._adopted = True
            case bodies.Order() as body:
                self._known[body.order_id] = len(self._orders)
                order = _order_of(self._units, record, body)
                order = msgspec.structs.replace(
                    order, reference_ticks=body.reference_ticks, is_of_others=was_adopted
                )
                self._orders.append(order)
                if not was_adopted:
                    self._decide(record, order.strategy, ("order", *_what(order)), order.words)
            case bodies.Refused() as body:
                self._refused(record, body)
            case bodies.CancelRequest() as body:
                self._asked(record, body.order_id, "cancel")
            case bodies.ReplaceRequest() as body:
                self._asked(record, body.order_id, "amend", body.price_ticks, body.lots)
            case bodies.Decision() as body:
                what = ("decision", body.action, body.reason, *(gate.passed for gate in body.gates))
                name = self._units.strategy(body.strategy)
                self._decide(record, name, (*what, self._units.symbol(body.instrument)), body.reason)
            case bodies.CashFlow() as body:
                whose = self._units.strategy(body.strategy), self._units.symbol(body.instrument)
                key = (*whose, body.cash_flow)
                self._flows[key] = self._flows.get(key, 0) + body.amount
            case bodies.Revision() as body:
                self._revised(record, body)
            case _:
                self._about_order(record)

    def _about_order(self, record: JournalRecord) -> None:
        body = record.body
        order = self._order(body.order_id) if isinstance(body, bodies.OfOrder) else None
        if order is None:
            return
        match body:
            case bodies.Sized():
                self._change(order, lots=body.lots)
            case bodies.Sent(request="new"):
                self._change(order, sent_ns=record.time_ns, lots=body.lots or order.lots)
            case bodies.OutcomeLost():
                self._change(order, was_unknown=True)
            case bodies.Liquidation():
                self._change(order, is_forced=True)
            case bodies.Report():
                self._reported(record, body, order)
            case _:
                pass

    def _order(self, number: int) -> RunOrder | None:
        """Return an approved order as it is now."""
        place = self._known.get(number)
        return None if place is None else self._orders[place]

    def _change(self, order: RunOrder, **changes: object) -> None:
        self._orders[self._known[order.number]] = msgspec.structs.replace(order, **changes)

    def _refused(self, record: JournalRecord, body: bodies.Refused) -> None:
        words = refusal_words(body.rule, body.limit, body.value, self._units, body.instrument)
        known = self._order(body.order_id)
        if known is not None:
            # An amendment or a cancel of it.
            what = ("refused", known.strategy, known.symbol, body.rule)
            self._decide(record, known.strategy, what, f"a request about {known.words} was refused: {words}")
            return
        order = _order_of(self._units, record, body)
        order = msgspec.structs.replace(order, refused=body.rule, refused_words=words)
        self._orders.append(order)
        decided = ("refused", *_what(order), body.rule)
        self._decide(record, order.strategy, decided, f"{order.words} was refused: {words}")
        self._heard[order.strategy] = f"{order.words} was refused ({body.rule})"

    def _asked(self, record: JournalRecord, number: int, what: str, *more: object) -> None:
        order = self._order(number)
        if order is not None:
            words = f"{what} {order.words}"
            self._decide(record, order.strategy, (what, *_what(order), *more), words)

    def _decide(self, record: JournalRecord, strategy: str, what: tuple[object, ...], words: str) -> None:
        heard = self._heard.get(strategy, "")
        made = Decided(seq=record.seq, time_ns=record.time_ns, what=what, words=words, heard=heard)
        self._decided.append(made)

    def _reported(self, record: JournalRecord, body: bodies.Report, order: RunOrder) -> None:
        match body.report:
            case "fill":
                sign = 1 if order.side == "buy" else -1
                fills = (*order.fills, self._fill(record, body, order.instrument, sign))
                late = (body.lots or 0) if order.ended else 0
                self._change(order, fills=fills, late_lots=order.late_lots + late)
                size = self._units.quantity(order.instrument, body.lots or 0)
                said = f"filled {size:f} at {self._units.price(order.instrument, body.price_ticks or 0):f}"
            case "accepted":
                self._change(order, accepted_ns=order.accepted_ns or body.venue_time_ns)
                return
            case "replaced" | "restated":
                amended = order.amended + (body.report == "replaced")
                self._change(order, amended=amended, lots=order.filled_lots + (body.lots or 0))
                said = body.report
            case how if how in _ENDS:
                self._change(order, ended=how, reason=body.reason or "", ended_ns=record.time_ns)
                said = f"{how} {body.reason or ''}".strip()
            case how:
                said = f"{how} {body.reason or ''}".strip()
        self._heard[order.strategy] = f"{order.words}: {said}"

    def _revised(self, record: JournalRecord, body: bodies.Revision) -> None:
        order = self._order(body.order_id)
        if order is None:
            return
        made = [self._fill(record, fill, body.instrument, sign) for sign, fill in body.fills()]
        told = (msgspec.structs.replace(each, told=body.revised) for each in made)
        self._change(order, fills=(*order.fills, *told))
        self._heard[order.strategy] = f"{order.words}: a trade was {body.revised}"

    def _fill(self, record: JournalRecord, body: bodies.Report, instrument: int, sign: int) -> RunFill:
        units = self._units
        paid_in = units.balance(instrument, units.settlement(instrument))
        if body.fee_currency is not None:
            paid_in = units.named_currency(body.fee_currency)
        return RunFill(
            seq=record.seq,
            time_ns=record.time_ns,
            venue_time_ns=body.venue_time_ns,
            lots=sign * (body.lots or 0),
            price_ticks=body.price_ticks or 0,
            fee=body.fee or 0,
            fee_currency=paid_in,
            liquidity=body.liquidity or "",
        )


def _order_of(units: Units, record: JournalRecord, body: bodies.OrderTerms) -> RunOrder:
    """Return an order as it was asked for."""
    return RunOrder(
        number=body.order_id,
        seq=record.seq,
        decided_ns=body.decided_ns,
        strategy=units.strategy(body.strategy),
        symbol=units.symbol(body.instrument),
        account=units.account(body.instrument),
        side=body.side,
        order_kind=body.order_kind,
        instrument=body.instrument,
        price_ticks=body.price_ticks,
        lots=body.lots,
        reference_ticks=None,
        words=order_text(KnownOrder.of(body), units),
        terms=tuple(getattr(body, name) for name in _TERMS),
    )


def _what(order: RunOrder) -> tuple[object, ...]:
    return (order.strategy, order.symbol, *order.terms)


def _valued(units: Units, order: RunOrder, fill: RunFill, mark: int | None) -> RunFill:
    """Return a fill with what it is worth at a price, and what it cost beyond the reference of its order."""
    at = order.instrument
    # What was told anew takes back a fill of the other sign: its slippage is taken back with it.
    value = 0 if mark is None else gain(units, at, fill.lots, fill.price_ticks, mark)
    slippage = 0
    if order.reference_ticks is not None:
        slippage = gain(units, at, fill.lots, order.reference_ticks, fill.price_ticks)
    return msgspec.structs.replace(fill, value=value, slippage=slippage)


def gain(units: Units, instrument: int, lots: int, from_ticks: int, to_ticks: int) -> int:
    """Return what so many lots gain between two prices, in atto units of the settlement currency."""
    before, after = (worth(units, instrument, abs(lots), ticks) for ticks in (from_ticks, to_ticks))
    rise = before - after if _is_inverse(units, instrument) else after - before
    return rise if lots > 0 else -rise


def worth(units: Units, instrument: int, lots: int, price_ticks: int) -> int:
    """Return the value of so many lots at a price, in atto units; half an atto unit is rounded up."""
    if not price_ticks and _is_inverse(units, instrument):
        return 0
    with localcontext(_DIGITS):
        size = units.quantity(instrument, lots) * units.multiplier(instrument)
        price = units.price(instrument, price_ticks)
        value = size / price if _is_inverse(units, instrument) else size * price
        return int((value * _ATTO).quantize(Decimal(1)))


def _is_inverse(units: Units, instrument: int) -> bool:
    return units.spec.instruments[instrument].kind is InstrumentKind.INVERSE
