"""What an account holds, what it has lost, and its closed trades with exact decimals."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from tradecore._core import TradeBook, closed_trades, losses, open_positions
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import Order, OrderTerms, Report
from tradecore.domain.spec import EngineSpec
from tradecore.domain.units import Units, exact_money, trimmed
from tradecore.engine.engine import Engine

__all__ = ["ClosedTrade", "TradesOfFills", "losses", "open_positions", "trades_of"]


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A closed trade: what one lot, or a part of it, was bought and sold for.

    Prices, sizes and money are exact; `side` is `long` or `short`; `pnl` is net of `fees`, which are those of
    entry and exit; times are UTC nanoseconds of the venue.
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
    entry_order: int
    exit_order: int


def trades_of(engine: Engine) -> list[ClosedTrade]:
    """Return the closed trades of an engine, in the order of their exits."""
    units = Units(engine.spec, [binding.name for binding in engine.strategies])
    return _trades(closed_trades(engine.kernel), units)


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

    def take(self, record: JournalRecord) -> None:
        """Take a record in; only orders and fills matter."""
        match record.body:
            case Order() as order:
                self._orders[order.order_id] = order
            case Report(report="fill") as fill:
                self.fill(fill, self._orders[fill.order_id])

    def fill(self, fill: Report, order: OrderTerms) -> None:
        """Book a fill of an order."""
        self._book.fill(
            order_id=fill.order_id,
            strategy_id=order.strategy,
            instrument_id=order.instrument,
            is_buy=order.side == "buy",
            price_ticks=fill.price_ticks or 0,
            lots=fill.lots or 0,
            fee=fill.fee or 0,
            venue_time_ns=fill.venue_time_ns,
            closes=order.closes,
        )

    def trades(self) -> list[ClosedTrade]:
        """Return the closed trades so far, in the order of their exits."""
        return _trades(self._book.trades(), self._units)


def _trades(rows: Iterable[tuple[int, ...]], units: Units) -> list[ClosedTrade]:
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
            entry_order=opened,
            exit_order=closed,
        )
        trades.append(trade)
    return trades
