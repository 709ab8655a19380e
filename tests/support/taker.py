"""A strategy that trades by the clock alone: what it is told, or not told, of its fills changes nothing."""

PERIOD_NS = 300_000_000


class Taker:
    """Buys and sells in turn, at once and at the market."""

    def on_start(self, ctx):
        """Begin with nothing."""
        self.next_ns = self.turns = 0

    def on_book(self, ctx, book):
        """Take the touch, every now and then."""
        if book.best_bid_ticks is None or book.best_ask_ticks is None or ctx.now_ns < self.next_ns:
            return
        self.next_ns = ctx.now_ns + PERIOD_NS
        self.turns += 1
        send = ctx.buy if self.turns % 3 else ctx.sell
        send(quantity_lots=1 + self.turns % 4)
