"""How fast does a book take in changes, in batches and one by one, and answer for its best prices?"""

import numpy as np

from tradecore.domain.book import L2Book
from workloads import level_changes

BATCH = 256


def plain_books(changes):
    """Keep two dictionaries, and look for the best prices once at the end."""
    books = ({}, {})
    for side, price, lots in zip(*(column.tolist() for column in changes), strict=True):
        if lots:
            books[side][price] = lots
        else:
            books[side].pop(price, None)
    best_bid, best_ask = max(books[0]), min(books[1])
    return best_bid, books[0][best_bid], best_ask, books[1][best_ask]


def in_batches(changes):
    """Hand over 256 changes a call."""
    book = L2Book()
    for start in range(0, len(changes.side), BATCH):
        part = slice(start, start + BATCH)
        book.apply(changes.side[part], changes.price[part], changes.lots[part])
    return tuple(book.best())


def one_by_one(changes):
    """Hand over one change a call."""
    book = L2Book()
    for side, price, lots in zip(*(column.tolist() for column in changes), strict=True):
        book.set(side, price, lots)
    return tuple(book.best())


def bench_level_changes_in_batches(compare):
    """How many changes of a level a second, in batches of 256?"""
    changes = level_changes(compare.size(1_000_000, 20_000))

    ours, plain = compare(
        "book, batches of 256",
        lambda: in_batches(changes),
        lambda: plain_books(changes),
        amount=len(changes.side),
        unit="updates/s",
        plain="dict",
        goal=100e6,
        first_line=20e6,
    )

    assert ours == plain


def bench_level_changes_one_by_one(compare):
    """How many changes of a level a second, one call each?"""
    changes = level_changes(compare.size(1_000_000, 20_000))

    ours, plain = compare(
        "book, one call each",
        lambda: one_by_one(changes),
        lambda: plain_books(changes),
        amount=len(changes.side),
        unit="updates/s",
        plain="dict",
        goal=1e9 / 60,
    )

    assert ours == plain


def bench_best_prices(compare):
    """How often a second can the best prices be asked for?"""
    changes = level_changes(20_000)
    book = L2Book()
    book.apply(*(np.ascontiguousarray(column) for column in changes))
    amount = compare.size(1_000_000, 1_000)
    top = {"bid": book.best()}

    def ask(answer):
        for _ in range(amount):
            found = answer()
        return tuple(found)

    ours, plain = compare(
        "book, best prices",
        lambda: ask(book.best),
        lambda: ask(lambda: top["bid"]),
        amount=amount,
        unit="calls/s",
        plain="Python function",
        goal=1e9 / 65,
    )

    assert ours == plain == plain_books(changes)
