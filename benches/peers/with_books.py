"""sortedcontainers and order-book on a million changes of price levels, one call each."""

import sys
from collections.abc import Callable

from measured import Answer, Once, Workload, main, seconds_of
from order_book import OrderBook
from sortedcontainers import SortedDict

from workloads import level_changes

Change = tuple[int, int, int]


def in_sorted_dicts(changes: list[Change]) -> Answer:
    """Keep a sorted dictionary for each side."""
    sides = SortedDict(), SortedDict()
    for side, price, lots in changes:
        if lots:
            sides[side][price] = lots
        else:
            sides[side].pop(price, None)
    (bid, bid_lots), (ask, ask_lots) = sides[0].peekitem(-1), sides[1].peekitem(0)
    return {"bid": bid, "bid_lots": bid_lots, "ask": ask, "ask_lots": ask_lots}


def in_order_book(changes: list[Change]) -> Answer:
    """Keep the C book."""
    book = OrderBook()
    sides = book.bids, book.asks
    for side, price, lots in changes:
        if lots:
            sides[side][price] = lots
        elif price in sides[side]:
            del sides[side][price]
    (bid, bid_lots), (ask, ask_lots) = book.bids.index(0), book.asks.index(0)
    return {"bid": bid, "bid_lots": bid_lots, "ask": ask, "ask_lots": ask_lots}


def on_levels(apply: Callable[[list[Change]], Answer]):
    """Order book."""

    def prepare(count: int) -> Once:
        columns = (column.tolist() for column in level_changes(count))
        changes = list(zip(*columns, strict=True))
        return lambda: seconds_of(lambda: apply(changes))

    return prepare


LIBRARIES = {"sortedcontainers": in_sorted_dicts, "order_book": in_order_book}

if __name__ == "__main__":
    library = sys.argv.pop(1)
    sys.exit(main(library, {"book": Workload(on_levels(LIBRARIES[library]))}))
