"""A strategy that keeps a diary, and the equity that a plain walk through it gives."""

import json
from fractions import Fraction
from pathlib import Path

CASH = 100_000


class Diary:
    """Trades in turn, and writes down each fill and each price that the account is valued at.

    `path` is a file that the notes go into when the data end.
    """

    lots: int = 3
    every: int = 2
    path: str = ""

    def __init__(self) -> None:
        self.seen = 0
        self.notes = []

    def on_book(self, ctx, book) -> None:
        """Note the price halfway between the best two, and trade at each so many."""
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if bid is not None and ask is not None:
            self.look(ctx, ctx.now_ns, (bid + ask) // 2)

    def on_fill(self, ctx, fill) -> None:
        """Note what was paid."""
        self.notes.append((fill.time_ns, "fill", fill.signed_lots, fill.price_ticks, fill.fee_atto))

    def look(self, ctx, time_ns: int, mark_ticks: int) -> None:
        """Note the price and perhaps trade."""
        self.notes.append((time_ns, "mark", mark_ticks, 0, 0))
        self.seen += 1
        if self.seen % self.every == 0:
            (ctx.buy if self.seen // self.every % 3 else ctx.sell)(quantity_lots=self.lots)

    def on_stop(self, ctx) -> None:
        """Write the notes into the file."""
        if self.path:
            Path(self.path).write_text(json.dumps(self.notes))


class QuoteDiary(Diary):
    """A diary of quotes, where these are what orders meet and the account is valued at."""

    def on_quote(self, ctx, quote) -> None:
        """Note the price halfway between, and trade at each so many."""
        self.look(ctx, quote.time_ns, (quote.bid_ticks + quote.ask_ticks) // 2)


def equity_at(notes, time_ns: int, tick, lot) -> Fraction:
    """Walk through the notes up to a time, from `CASH` on."""
    cash, position, mark = Fraction(CASH), 0, 0
    for noted_ns, what, number, price, fee_atto in notes:
        if noted_ns > time_ns:
            break
        if what == "fill":
            position += number
            cash -= number * price * tick * lot + Fraction(fee_atto, 10**18)
        else:
            mark = number
    return cash + position * mark * tick * lot


def diary_of(kind=QuoteDiary, *, lots: int, every: int):
    """Return a diary that trades so many lots at each so many prices."""
    diary = kind()
    diary.lots, diary.every = lots, every
    return diary
