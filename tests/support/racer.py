"""A strategy that asks for all that its limits leave, at each book, beside others that do the same."""

import random
from typing import Annotated

from tradecore import Bounds


class Racer:
    """Opens, closes, amends and cancels as a seed says, long (`sign` 1) or short (-1) alone.

    The same seed does the same again.
    """

    seed: Annotated[int, Bounds(ge=0, le=1_000_000)] = 0
    sign: Annotated[int, Bounds(ge=-1, le=1)] = 1
    lots_max: Annotated[int, Bounds(ge=1, le=1_000)] = 30

    def on_start(self, ctx):
        """Draw from a generator of its own."""
        self.random = random.Random(self.seed)
        self.orders = []

    def on_book(self, ctx, book):
        """Do one thing in two books."""
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if bid is None or ask is None or self.random.random() < 0.5:
            return
        # One lot fits where nothing else does any more.
        lots = self.random.choice((1, self.random.randint(1, self.lots_max)))
        buys = self.sign > 0
        enter, leave = (ctx.buy, ctx.sell) if buys else (ctx.sell, ctx.buy)
        through, back = (ask + 100, bid - 100) if buys else (bid - 100, ask + 100)
        what = self.random.choice(("take", "take", "take", "rest", "close", "amend", "cancel"))
        if what == "take":
            self._keep(enter(quantity_lots=lots, limit_ticks=through, time_in_force="ioc"))
        elif what == "rest":
            self._keep(enter(quantity_lots=lots, limit_ticks=bid - 50 if buys else ask + 50))
        elif what == "close":
            leave(quantity_lots=lots, limit_ticks=back, time_in_force="ioc", reduce_only=True)
        elif self.orders and what == "amend":
            ctx.replace(self.random.choice(self.orders), quantity_lots=lots, price_ticks=(bid + ask) // 2)
        elif self.orders:
            ctx.cancel(self.random.choice(self.orders))

    def _keep(self, answer):
        if isinstance(answer, int):
            self.orders = [*self.orders[-5:], answer]
