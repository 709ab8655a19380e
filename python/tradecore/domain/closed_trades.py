"""Closed trades with exact decimals, and how they are made of the fills of a journal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tradecore._core import TradeBook
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import Account, Order, OrderTerms, Report, Revision
from tradecore.domain.spec import EngineSpec
from tradecore.domain.units import Units, exact_money, trimmed


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A closed trade: what one lot, or a part of it, was bought and sold for.

    Prices, sizes and money are exact; `side` is `long` or `short`; `pnl` is net of `fees`, which are those of
    entry and exit; both are in `currency`, which the instrument is settled in, and a fee in another currency
    is no part of them. Times are UTC nanoseconds of the venue. `account` is the venue account of an engine
    that has several.
    """

    symbol: str
    strategy: str
    side: str
    quantity: Decimal
    entry_time_ns: int
    exit_time_ns: int
    entry_price: Decimal
    exit_price: Decimal
    pnl: Decimal
    fees: Decimal
    currency: str
    entry_order: int
    exit_order: int
    account: str | None = None


class OtherFee(msgspec.Struct, frozen=True, kw_only=True):
    """A fee in another currency than its instrument is settled in: it is no part of a closed trade.

    `amount` above 0 was paid; one below 0 is a rebate, or is given back by a trade that was told anew.
    """

    venue_time_ns: int
    currency: str
    amount: Decimal


class OpenTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry order has opened and nobody has closed, where positions hedge; `ticket` is its number.

    Sizes and money are exact, a short `quantity` is below 0. `entry_price` is the mean of what is open,
    `fees` those of its entry, `realised` the profit of what is closed of it; money is in `currency`.
    """

    ticket: int
    symbol: str
    strategy: str
    quantity: Decimal
    entry_time_ns: int
    entry_price: Decimal
    fees: Decimal
    realised: Decimal
    currency: str


class TradesOfFills:
    """Closed trades made again of the records of a journal, by the ledger of the engine.

    Parameters
    ----------
    spec : EngineSpec
        Instruments and account.
    strategies : list of str
        Names of the strategies, by their numbers.
    """

    def __init__(self, spec: EngineSpec, strategies: list[str]) -> None:
        self._units = Units(spec, strategies)
        self._book = TradeBook(spec, len(strategies))
        self._orders: dict[int, OrderTerms] = {}
        # Fees that are no part of any trade.
        self.other_fees: list[OtherFee] = []

    def take(self, record: JournalRecord) -> None:
        """Take a record in; only orders, fills, their revisions and the lots of an opening matter."""
        match record.body:
            case Order() as order:
                self._orders[order.order_id] = order
            case Report(report="fill") as fill:
                self.fill(fill, self._orders[fill.order_id])
            case Revision() as revision:
                self.revise(revision)
            case Account(account="opening", lots=lots):
                self.open(lots or ())

    def open(self, lots: Iterable[Mapping[str, Any]]) -> None:
        """Begin with the lots of an opening, as the journal has them, before the first fill."""
        self._book.open(
            [
                (
                    lot["strategy"],
                    lot["instrument"],
                    lot["entry_order"],
                    lot["entry_time_ns"],
                    lot["entry_ticks"],
                    lot["lots"],
                    lot["fee"],
                    lot.get("cost"),
                )
                for lot in lots
            ]
        )

    def fill(self, fill: Report, order: OrderTerms) -> None:
        """Book a fill of an order."""
        self._note_fee(fill.venue_time_ns, fill.fee, fill.fee_currency)
        self._book.fill(
            order_id=fill.order_id,
            strategy_id=order.strategy,
            instrument_id=order.instrument,
            is_buy=order.side == "buy",
            price_ticks=fill.price_ticks or 0,
            lots=fill.lots or 0,
            # A fee in another currency is no part of the result of a trade.
            fee=fill.fee or 0 if fill.fee_currency is None else 0,
            venue_time_ns=fill.venue_time_ns,
            closes=order.closes,
        )

    def tickets(self) -> list[OpenTicket]:
        """Return the open tickets, by strategy and instrument, the oldest first."""
        units = self._units
        return [
            OpenTicket(
                ticket=ticket,
                symbol=units.symbol(number),
                strategy=units.strategy(strategy),
                quantity=units.quantity(number, lots),
                entry_time_ns=entry_ns,
                entry_price=units.entry_price(number, lots, cost),
                fees=trimmed(exact_money(fees)),
                realised=trimmed(exact_money(realised)),
                currency=units.settlement(number),
            )
            for strategy, number, ticket, lots, entry_ns, cost, fees, realised in self._book.tickets()
        ]

    def revise(self, told: Revision) -> None:
        """Book a trade that was told anew."""
        self._note_fee(told.venue_time_ns, -(told.was_fee or 0), told.was_fee_currency)
        self._note_fee(told.venue_time_ns, told.fee, told.fee_currency)
        was_fee = told.was_fee or 0 if told.was_fee_currency is None else 0
        fee = told.fee or 0 if told.fee_currency is None else 0
        was = None if told.was_lots is None else (told.was_price_ticks, told.was_lots, was_fee)
        self._book.revise(
            order_id=told.order_id,
            strategy_id=told.strategy,
            instrument_id=told.instrument,
            is_buy=told.side == "buy",
            venue_time_ns=told.venue_time_ns,
            before=was,
            after=None if told.lots is None else (told.price_ticks, told.lots, fee),
            closes=told.closes,
        )

    def _note_fee(self, time_ns: int, fee: int | None, currency: int | None) -> None:
        if fee and currency is not None:
            name = self._units.named_currency(currency)
            paid = OtherFee(venue_time_ns=time_ns, currency=name, amount=trimmed(exact_money(fee)))
            self.other_fees.append(paid)

    def trades(self) -> list[ClosedTrade]:
        """Return the closed trades so far, in the order of their exits."""
        return trades_in(self._book.trades(), self._units)


def trades_in(rows: Iterable[tuple[int, ...]], units: Units) -> list[ClosedTrade]:
    """Return the rows of a ledger as closed trades, in their order."""
    trades = []
    for strategy, number, side, lots, entry_ns, exit_ns, entry, leave, opened, closed, pnl, fees in rows:
        trade = ClosedTrade(
            symbol=units.symbol(number),
            strategy=units.strategy(strategy),
            side="long" if side > 0 else "short",
            quantity=units.quantity(number, lots),
            entry_time_ns=entry_ns,
            exit_time_ns=exit_ns,
            entry_price=units.price(number, entry),
            exit_price=units.price(number, leave),
            pnl=trimmed(exact_money(pnl)),
            fees=trimmed(exact_money(fees)),
            currency=units.settlement(number),
            entry_order=opened,
            exit_order=closed,
            account=units.account(number) if units.has_accounts else None,
        )
        trades.append(trade)
    return trades
