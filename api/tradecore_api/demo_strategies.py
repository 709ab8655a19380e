"""The strategies of `tradecore demo` and of the built-in configurations."""

from typing import Annotated, Any

from tradecore import Bar, Book, Bounds, Context, Fill, OrderUpdate


class Quoter:
    """Rests one post-only bid and one post-only ask at the touch and stops adding at `position_max`.

    A refused quote is not tried again for `retry_ms`.
    """

    quantity: Annotated[float, Bounds(gt=0)] = 0.001
    position_max: Annotated[float, Bounds(gt=0)] = 0.01
    offset_ticks: Annotated[int, Bounds(ge=0, le=100_000)] = 0
    tolerance_ticks: Annotated[int, Bounds(ge=0, le=100_000)] = 0
    retry_ms: Annotated[int, Bounds(ge=0, le=60_000)] = 500

    def on_start(self, ctx: Context) -> None:
        """Turn sizes into lots once."""
        self._lots = ctx.instrument.quantity_lots(self.quantity)
        self._position_lots_max = ctx.instrument.quantity_lots(self.position_max)
        # Per side (+1 bid, -1 ask): number and price of the resting order.
        self._resting = {1: (0, 0), -1: (0, 0)}
        self._cancelling: set[int] = set()
        self._retry_ns = 0

    def on_book(self, ctx: Context, book: Book) -> None:
        """Keep a bid and an ask at their distance from the best prices, which have changed."""
        bid_ticks, ask_ticks = book.best_bid_ticks, book.best_ask_ticks
        if bid_ticks is None or ask_ticks is None:
            return
        self._quote(ctx, 1, bid_ticks - self.offset_ticks)
        self._quote(ctx, -1, ask_ticks + self.offset_ticks)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Forget a quote that is used up."""
        if fill.open_lots == 0:
            self._forget(fill.order_id)

    def on_order(self, ctx: Context, update: OrderUpdate) -> None:
        """Forget a quote that is closed."""
        if update.is_closed:
            self._forget(update.order_id)

    def save_state(self, ctx: Context) -> object:
        """Keep the numbers of what rests, and until when nothing is tried again."""
        return [self._resting[1], self._resting[-1], sorted(self._cancelling), self._retry_ns]

    def load_state(self, ctx: Context, state: list[Any]) -> None:
        """Go on with the quotes that rest."""
        self.on_start(ctx)
        bid, ask, cancelling, self._retry_ns = state
        self._resting = {1: tuple(bid), -1: tuple(ask)}
        self._cancelling = set(cancelling)

    def _quote(self, ctx: Context, sign: int, ticks: int) -> None:
        order_id, resting_ticks = self._resting[sign]
        wanted = ctx.position_lots() * sign + self._lots <= self._position_lots_max
        if order_id and (not wanted or abs(ticks - resting_ticks) > self.tolerance_ticks):
            if order_id not in self._cancelling:
                self._cancelling.add(order_id)
                ctx.cancel(order_id)
        elif wanted and not order_id and ctx.now_ns >= self._retry_ns:
            send = ctx.buy if sign > 0 else ctx.sell
            answer = send(quantity_lots=self._lots, limit_ticks=ticks, post_only=True)
            if isinstance(answer, int):
                self._resting[sign] = (answer, ticks)
            else:
                self._retry_ns = ctx.now_ns + self.retry_ms * 1_000_000

    def _forget(self, order_id: int) -> None:
        self._cancelling.discard(order_id)
        for sign, (resting, _) in self._resting.items():
            if resting == order_id:
                self._resting[sign] = (0, 0)


class Trend:
    """Holds `quantity` on the side of a fast over a slow exponential average of its bars."""

    fast: Annotated[int, Bounds(ge=1, le=1000)] = 3
    slow: Annotated[int, Bounds(ge=2, le=1000)] = 8
    quantity: Annotated[float, Bounds(gt=0)] = 0.05

    def on_start(self, ctx: Context) -> None:
        """Ask for the two averages."""
        self._fast = ctx.ema(self.fast)
        self._slow = ctx.ema(self.slow)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Move the position to the side of the cross."""
        if self._fast.crossed_above(self._slow):
            ctx.target(self.quantity)
        elif self._slow.crossed_above(self._fast):
            ctx.target(-self.quantity)

    def save_state(self, ctx: Context) -> object:
        """Keep nothing: averages and position are the engine's."""
        return None

    def load_state(self, ctx: Context, state: object) -> None:
        """Ask for the two averages again, which have kept their values."""
        self.on_start(ctx)
