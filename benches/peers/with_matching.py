"""Matching engines on a million orders and cancels, one call each.

Each is used as its interface is meant. What it can tell differs: fills, or only what rests at the end.
"""

import sys
from collections.abc import Callable, Iterable

from measured import Answer, Once, Workload, clocked, main, seconds_of

from workloads import order_flow

# Operation (0 buys, 1 sells, 2 cancels), order id, price, lots.
Row = tuple[int, int, int, int]
CANCEL = 2


def through_ctypes(rows: Iterable[Row]) -> Answer:
    """limit-order-book: C++ through ctypes; cancelling an order that is gone would end the process."""
    from limit_order_book import LimitOrderBook

    book = LimitOrderBook()
    limit, has, cancel = book.limit, book.has, book.cancel
    for operation, order_id, price, lots in rows:
        if operation == CANCEL:
            if has(order_id):
                cancel(order_id)
        else:
            limit(operation == 0, order_id, lots, price)
    bid, ask = book.best_buy(), book.best_sell()
    return {
        "resting": book.count(),
        "bid": bid,
        "ask": ask,
        "bid_lots": book.volume_buy(bid),
        "ask_lots": book.volume_sell(ask),
    }


def in_pyorderbook(rows: Iterable[Row]) -> Answer:
    """pyorderbook: heaps of levels in Python; prices become Decimals when an order is made."""
    from pyorderbook import Book, ask, bid

    book, make = Book(), (bid, ask)
    orders: dict = {}
    fills = volume = 0
    for operation, order_id, price, lots in rows:
        if operation == CANCEL:
            order = orders.pop(order_id)
            if order.quantity:
                book.cancel(order)
            continue
        order = orders[order_id] = make[operation]("X", price, lots)
        for trade in book.match(order).trades:
            fills += 1
            volume += trade.fill_quantity
    return {"fills": fills, "volume": volume}


def in_lightmatchingengine(rows: Iterable[Row]) -> Answer:
    """lightmatchingengine: dictionaries of levels in Python; cancelling an order that traded is an error."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side

    engine, sides = LightMatchingEngine(), (Side.BUY, Side.SELL)
    orders: dict = {}
    fills = volume = 0
    for operation, order_id, price, lots in rows:
        if operation == CANCEL:
            order = orders.pop(order_id)
            if order.leaves_qty:
                engine.cancel_order(order.order_id, "X")
            continue
        side = sides[operation]
        orders[order_id], trades = engine.add_order("X", price, lots, side)
        for trade in trades:
            # The taker's own record sums up those of a level.
            if trade.trade_side != side:
                fills += 1
                volume += trade.trade_qty
    return {"fills": fills, "volume": volume}


def in_liquibook(rows: Iterable[Row]) -> Answer:
    """liquibook: C++ through SWIG; its listener is in Python and has to tell both orders of their fill."""
    import liquibook

    class Listener(liquibook.OrderListener):
        """Counts fills."""

        fills = volume = 0

        def on_accept(self, order):
            """Do nothing."""

        def on_cancel(self, order):
            """Do nothing."""

        def on_fill(self, passive, aggressive, lots, cost):
            """Fill both orders, as the readme of the package does."""
            passive.fill(lots, cost, 0)
            aggressive.fill(lots, cost, 0)
            self.fills += 1
            self.volume += lots

    book, listener, make = liquibook.DepthOrderBook(), Listener(), liquibook.SimpleOrder
    book.set_order_listener(listener)
    orders: dict = {}
    for operation, order_id, price, lots in rows:
        if operation == CANCEL:
            order = orders.pop(order_id)
            if order.open_qty():
                book.cancel(order)
            continue
        order = orders[order_id] = make(operation == 0, price, lots)
        book.add(order)
    return {"fills": listener.fills, "volume": listener.volume}


def order_rows(count: int) -> list[Row]:
    """Make the flow as rows."""
    return list(zip(*(column.tolist() for column in order_flow(count)), strict=True))


def on_orders(handle: Callable[[Iterable[Row]], Answer]) -> Workload:
    """Matching."""

    def prepare(count: int) -> Once:
        rows = order_rows(count)
        return lambda: seconds_of(lambda: handle(rows))

    def delays(count: int) -> list[int]:
        delays_ns: list[int] = []
        handle(clocked(order_rows(count), delays_ns))
        return delays_ns

    return Workload(prepare, delays)


LIBRARIES = {
    "limit_order_book": through_ctypes,
    "pyorderbook": in_pyorderbook,
    "lightmatchingengine": in_lightmatchingengine,
    "liquibook": in_liquibook,
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    sys.exit(main(name, {"matching": on_orders(LIBRARIES[name])}))
