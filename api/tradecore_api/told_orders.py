"""The orders of a journal, each as its records tell it: how far it came, what it traded, what it cost."""

from decimal import Decimal

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.order_life import TERMINAL, OrderLife
from tradecore.domain.order_words import KnownOrder, order_text
from tradecore.domain.record import JournalRecord
from tradecore.domain.units import Units, exact_money, trimmed
from tradecore_api.journal_teller import config_of

# Records that change how far an order is.
_OF_LIFE = (
    bodies.Link,
    bodies.Sized,
    bodies.Sent,
    bodies.CancelRequest,
    bodies.ReplaceRequest,
    bodies.Report,
    bodies.OutcomeLost,
)


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as people and programs read it.

    Attributes
    ----------
    order : int
        Its number.
    time_ns : int
        When risk approved it, UTC nanoseconds; `sent_ns` when it left, `closed_ns` when it ended.
    strategy, symbol, account : str
        Whose it is, in what; the venue account where an engine has several.
    what : str
        The order in words, as it is now.
    state : str
        As docs/orders.md lists them; `reason` why it ended.
    filled : Decimal
        What it traded, as it was told last; `price` is the mean price of that.
    fees : dict of str to Decimal
        What that cost by currency; below 0 is a rebate.
    venue_order_id : str or None
        The venue's own name of it.
    """

    order: int
    time_ns: int
    strategy: str
    symbol: str
    account: str | None = None
    side: str
    what: str
    state: str
    reason: str | None = None
    quantity: Decimal | None = None
    filled: Decimal
    price: Decimal | None = None
    fees: dict[str, Decimal]
    sent_ns: int | None = None
    closed_ns: int | None = None
    venue_order_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state not in TERMINAL


class ToldOrder:
    """An order that changes with each record about it.

    Parameters
    ----------
    record : JournalRecord
        The record of its approval.
    order : Order
        What that says.
    """

    def __init__(self, record: JournalRecord, order: bodies.Order) -> None:
        self.known = KnownOrder.of(order)
        self.lots = 0
        self._life = OrderLife.opened(record, order)
        # Ticks times lots of all trades, and fees by the number of their currency.
        self._worth = 0
        self._fees: dict[int | None, int] = {}
        self._venue_order_id: str | None = None

    def take(self, record: JournalRecord) -> None:
        """Take a record about it in."""
        match record.body:
            case bodies.Report() as report:
                self.known = self.known.after_report(report)
                if report.report == "fill":
                    self._trade(1, report)
            case bodies.Sized() as sized:
                self.known = msgspec.structs.replace(self.known, lots=sized.lots)
            case bodies.Revision() as revision:
                sign = 1 if revision.side == "buy" else -1
                for way, fill in revision.fills():
                    self._trade(sign * way, fill)
            case bodies.VenueReport(venue_order_id=str() as name):
                self._venue_order_id = name
        if isinstance(record.body, _OF_LIFE):
            self._life.take(record)

    def _trade(self, way: int, fill: bodies.Report) -> None:
        """Count a trade, or take one back, whose fee is given back then."""
        lots = way * (fill.lots or 0)
        self.lots += lots
        self._worth += lots * (fill.price_ticks or 0)
        self._fees[fill.fee_currency] = self._fees.get(fill.fee_currency, 0) + (fill.fee or 0)

    def shown(self, units: Units) -> ShownOrder:
        """Return it in names and exact decimals; the mean price has two decimals more than a tick."""
        life, instrument = self._life, self._life.instrument
        price = None
        if self.lots:
            exact = units.price(instrument, self._worth) / self.lots
            decimals = -int(units.price(instrument, 1).as_tuple().exponent)
            price = trimmed(exact.quantize(Decimal(1).scaleb(-decimals - 2)), at_least=decimals)
        fees = {
            units.settlement(instrument) if number is None else units.named_currency(number): exact_money(
                atto
            )
            for number, atto in self._fees.items()
            if atto
        }
        return ShownOrder(
            order=life.order_id,
            time_ns=life.time_ns,
            strategy=units.strategy(life.strategy),
            symbol=units.symbol(instrument),
            account=units.account(instrument) if units.has_accounts else None,
            side=life.side,
            what=order_text(self.known, units),
            state=life.state,
            reason=life.reason,
            quantity=None if self.known.lots is None else units.quantity(instrument, self.known.lots),
            filled=units.quantity(instrument, self.lots),
            price=price,
            fees=fees,
            sent_ns=life.sent_ns,
            closed_ns=life.closed_ns,
            venue_order_id=self._venue_order_id,
        )


class OrderLog:
    """All orders of a journal; takes its records in their order.

    Parameters
    ----------
    where : str
        The journal, for messages.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._units: Units | None = None
        self._orders: dict[int, ToldOrder] = {}

    def take(self, record: JournalRecord) -> None:
        """Take a record in; raises `DataError` where the settings of a session cannot be read."""
        match record.body:
            case bodies.Session() as session:
                config = config_of(session, self._where)
                self._units = Units(config.engine, config.names)
            case bodies.Order() as order:
                self._orders[order.order_id] = ToldOrder(record, order)
            case body if isinstance(body, bodies.OfOrder) and body.order_id in self._orders:
                self._orders[body.order_id].take(record)

    @property
    def strategies(self) -> tuple[str, ...]:
        """The names of the strategies of the last session."""
        return () if self._units is None else self._units.strategies

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the instruments of the last session."""
        return () if self._units is None else self._units.symbols

    def shown(self) -> list[ShownOrder]:
        """Return the orders, the oldest first."""
        units = self._units
        return [] if units is None else [each.shown(units) for each in self._orders.values()]
