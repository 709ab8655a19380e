"""Two-sided quoting: rests a bid and an ask in the book and leans against its position."""

from typing import Annotated

from tradecore import Book, Bounds, Context, Fill, OrderUpdate


class Quoter:
    """Keeps one post-only bid and one post-only ask near the touch.

    `notional` is the value of one quote and `position_max` that of the position at which the side that
    would add to it stays out, both in the currency of the price. `offset_ticks` is the distance from
    the best price of the own side; quotes move only when they are more than `tolerance_ticks` off.
    """

    notional: Annotated[float, Bounds(gt=0)] = 100.0
    position_max: Annotated[float, Bounds(gt=0)] = 1000.0
    offset_ticks: Annotated[int, Bounds(ge=0, le=100_000)] = 0
    tolerance_ticks: Annotated[int, Bounds(ge=0, le=100_000)] = 0

    def on_start(self, ctx: Context) -> None:
        """Begin without quotes; sizes are known with the first price."""
        self._lots = self._position_lots_max = 0
        self._bid = self._ask = 0
        self._bid_ticks = self._ask_ticks = 0

    def on_book(self, ctx: Context, book: Book) -> None:
        """Follow the touch."""
        best_bid_ticks, best_ask_ticks = book.best_bid_ticks, book.best_ask_ticks
        if best_bid_ticks is None or best_ask_ticks is None:
            return
        if not self._lots:
            self._lots = ctx.instrument.lots_worth(self.notional, best_bid_ticks)
            self._position_lots_max = ctx.instrument.lots_worth(self.position_max, best_bid_ticks)
        position_lots = ctx.position_lots()
        self._quote_bid(ctx, best_bid_ticks - self.offset_ticks, position_lots)
        self._quote_ask(ctx, best_ask_ticks + self.offset_ticks, position_lots)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Forget a quote that is used up; the next book event renews it."""
        if fill.open_lots == 0:
            self._forget(fill.order_id)

    def on_order(self, ctx: Context, update: OrderUpdate) -> None:
        """Forget a quote that is closed."""
        if update.is_closed:
            self._forget(update.order_id)

    def save_state(self, ctx: Context) -> object:
        """Return what a snapshot is to keep: sizes and quotes."""
        return [self._lots, self._position_lots_max, self._bid, self._ask, self._bid_ticks, self._ask_ticks]

    def load_state(self, ctx: Context, state: list[int]) -> None:
        """Go on from a snapshot, in place of `on_start`."""
        self._lots, self._position_lots_max, self._bid, self._ask, self._bid_ticks, self._ask_ticks = state

    def _quote_bid(self, ctx: Context, ticks: int, position_lots: int) -> None:
        wanted = position_lots + self._lots <= self._position_lots_max
        if self._bid and (not wanted or abs(ticks - self._bid_ticks) > self.tolerance_ticks):
            ctx.cancel(self._bid)
        elif wanted and not self._bid:
            order = ctx.buy(quantity_lots=self._lots, limit_ticks=ticks, post_only=True)
            self._bid, self._bid_ticks = (order if isinstance(order, int) else 0), ticks

    def _quote_ask(self, ctx: Context, ticks: int, position_lots: int) -> None:
        wanted = position_lots - self._lots >= -self._position_lots_max
        if self._ask and (not wanted or abs(ticks - self._ask_ticks) > self.tolerance_ticks):
            ctx.cancel(self._ask)
        elif wanted and not self._ask:
            order = ctx.sell(quantity_lots=self._lots, limit_ticks=ticks, post_only=True)
            self._ask, self._ask_ticks = (order if isinstance(order, int) else 0), ticks

    def _forget(self, order_id: int) -> None:
        if order_id == self._bid:
            self._bid = 0
        elif order_id == self._ask:
            self._ask = 0
