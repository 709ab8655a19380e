"""A strategy that does everything that can be done with orders, as a number says that grows by itself."""

from tradecore._core import Fill, OrderUpdate, Quote
from tradecore.engine.context import Context

_MULTIPLIER, _INCREMENT, _BITS = 6364136223846793005, 1442695040888963407, (1 << 64) - 1


class Wanderer:
    """Quotes, takes, amends and cancels by turns; its choices depend on its events and its number alone.

    Parameters
    ----------
    number : int
        Where its choices begin.
    open_max : int
        Orders that it has open at most.
    position_max : int
        Lots beyond which it only closes.
    acts_in : int
        Of so many quotes it acts on one.
    """

    def __init__(self, number: int, *, open_max: int, position_max: int, acts_in: int) -> None:
        self._number = number
        self._open_max = open_max
        self._position_max = position_max
        self._acts_in = acts_in
        self._open: dict[int, tuple[int, int]] = {}

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Do something, or nothing."""
        draw = self._draw()
        if draw % self._acts_in:
            return
        draw //= self._acts_in
        instrument, what = quote.instrument_id, draw % 16
        if self._open and (what < 6 or len(self._open) >= self._open_max):
            self._change(ctx, list(self._open)[(draw >> 4) % len(self._open)], draw >> 12)
            return
        self._order(ctx, quote, instrument, draw >> 4)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Forget an order that is used up."""
        if fill.open_lots == 0:
            self._open.pop(fill.order_id, None)

    def on_order(self, ctx: Context, update: OrderUpdate) -> None:
        """Forget an order that is over."""
        if update.is_closed:
            self._open.pop(update.order_id, None)

    def save_state(self, ctx: Context) -> object:
        """Keep the number and what is open."""
        return [self._number, [[order, *at] for order, at in self._open.items()]]

    def load_state(self, ctx: Context, state: list) -> None:  # type: ignore[type-arg]
        """Go on with them."""
        self._number = state[0]
        self._open = {order: (instrument, side) for order, instrument, side in state[1]}

    def _draw(self) -> int:
        self._number = (self._number * _MULTIPLIER + _INCREMENT) & _BITS
        return self._number >> 20

    def _change(self, ctx: Context, order: int, draw: int) -> None:
        instrument, side = self._open[order]
        if draw % 3:
            ctx.cancel(order)
            return
        bid, ask = ctx.best_ticks(instrument)
        if bid is not None and ask is not None:
            away = (draw >> 2) % 6 - 1
            ctx.replace(
                order,
                quantity_lots=1 + (draw >> 6) % 9,
                price_ticks=max(bid - away, 1) if side > 0 else ask + away,
            )

    def _order(self, ctx: Context, quote: Quote, instrument: int, draw: int) -> None:
        position = ctx.position_lots(instrument)
        side = 1 if draw & 1 else -1
        if abs(position) > self._position_max:
            side = -1 if position > 0 else 1
        lots = 1 + (draw >> 1) % 9
        kind, away = (draw >> 8) % 12, (draw >> 12) % 6 - 1
        limit = max(quote.bid_ticks - away, 1) if side > 0 else quote.ask_ticks + away
        send = ctx.buy if side > 0 else ctx.sell
        if kind == 0:
            answer = send(quantity_lots=lots, instrument_id=instrument)
        elif kind == 1:
            answer = send(
                quantity_lots=lots, limit_ticks=limit, time_in_force="ioc", instrument_id=instrument
            )
        elif kind == 2:
            answer = send(quantity_lots=lots, limit_ticks=limit, reduce_only=True, instrument_id=instrument)
        elif kind < 6:
            answer = send(quantity_lots=lots, limit_ticks=limit, post_only=True, instrument_id=instrument)
        else:
            answer = send(quantity_lots=lots, limit_ticks=limit, instrument_id=instrument)
        if isinstance(answer, int):
            self._open[answer] = (instrument, side)
