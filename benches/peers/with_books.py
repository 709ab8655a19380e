"""Order books on a million changes of price levels, one call each."""

import sys
from collections.abc import Callable, Iterable

import numpy as np
from measured import Answer, Once, Workload, clocked, main, seconds_of

from workloads import level_changes

# Side (0 bids, 1 asks), price, lots.
Change = tuple[int, int, int]


def in_sorted_dicts(changes: Iterable[Change]) -> Answer:
    """sortedcontainers: a sorted dictionary for each side."""
    from sortedcontainers import SortedDict

    sides = SortedDict(), SortedDict()
    for side, price, lots in changes:
        if lots:
            sides[side][price] = lots
        else:
            sides[side].pop(price, None)
    return best(sides[0].peekitem(-1), sides[1].peekitem(0))


def in_sorted_dicts_with_best(changes: Iterable[Change]) -> Answer:
    """As above, and the best prices are looked at after each change, once both sides are there."""
    from sortedcontainers import SortedDict

    sides = bids, asks = SortedDict(), SortedDict()
    found = None
    for side, price, lots in changes:
        if lots:
            sides[side][price] = lots
        else:
            sides[side].pop(price, None)
        if bids and asks:
            found = bids.peekitem(-1), asks.peekitem(0)
    return best(*found)


def in_order_book(changes: Iterable[Change]) -> Answer:
    """order-book: a book in C."""
    from order_book import OrderBook

    book = OrderBook()
    sides = book.bids, book.asks
    for side, price, lots in changes:
        if lots:
            sides[side][price] = lots
        elif price in sides[side]:
            del sides[side][price]
    return best(sides[0].index(0), sides[1].index(0))


def in_order_book_with_best(changes: Iterable[Change]) -> Answer:
    """As above, and the best prices are looked at after each change, once both sides are there."""
    from order_book import OrderBook

    book = OrderBook()
    sides = bids, asks = book.bids, book.asks
    found = None
    for side, price, lots in changes:
        if lots:
            sides[side][price] = lots
        elif price in sides[side]:
            del sides[side][price]
        if len(bids) and len(asks):
            found = bids.index(0), asks.index(0)
    return best(*found)


def in_ccxt(changes: Iterable[Change]) -> Answer:
    """ccxt: the sides of its order book, as its web socket clients keep them."""
    from ccxt.async_support.base.ws.order_book_side import Asks, Bids

    sides = Bids(), Asks()
    stores = sides[0].store, sides[1].store
    for side, price, lots in changes:
        stores[side](price, lots)
    return best(tuple(sides[0][0]), tuple(sides[1][0]))


def best(bid: tuple[int, int], ask: tuple[int, int]) -> Answer:
    """Name the best prices and their sizes."""
    return {"bid": bid[0], "bid_lots": bid[1], "ask": ask[0], "ask_lots": ask[1]}


def change_rows(count: int) -> list[Change]:
    """Make the changes as rows."""
    return list(zip(*(column.tolist() for column in level_changes(count)), strict=True))


def on_levels(apply: Callable[[Iterable[Change]], Answer]) -> Workload:
    """Order book."""

    def prepare(count: int) -> Once:
        changes = change_rows(count)
        return lambda: seconds_of(lambda: apply(changes))

    def delays(count: int) -> list[int]:
        delays_ns: list[int] = []
        apply(clocked(change_rows(count), delays_ns))
        return delays_ns

    return Workload(prepare, delays)


def top_of_sorted_dicts(count: int) -> Once:
    """sortedcontainers: the best ten levels of both sides into one array, again and again."""
    from sortedcontainers import SortedDict

    sides = bids, asks = SortedDict(), SortedDict()
    for side, price, lots in change_rows(FILLED):
        if lots:
            sides[side][price] = lots
        else:
            sides[side].pop(price, None)
    out = np.zeros((2, 10, 2), np.int64)

    def work() -> Answer:
        for _ in range(count):
            out[0] = bids.items()[:-11:-1]
            out[1] = asks.items()[:10]
        return {"prices": int(out[:, :, 0].sum()), "lots": int(out[:, :, 1].sum())}

    return lambda: seconds_of(work)


# Changes that fill a book before its top is asked for.
FILLED = 20_000
LIBRARIES = {
    "sortedcontainers": {
        "book": on_levels(in_sorted_dicts),
        "book best": on_levels(in_sorted_dicts_with_best),
        "book top": Workload(top_of_sorted_dicts),
    },
    "order_book": {"book": on_levels(in_order_book), "book best": on_levels(in_order_book_with_best)},
    "ccxt": {"book": on_levels(in_ccxt)},
}

if __name__ == "__main__":
    library = sys.argv.pop(1)
    sys.exit(main(library, LIBRARIES[library]))
