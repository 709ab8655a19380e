"""Exponential moving-average cross with a fixed size."""

from typing import Annotated

from tradecore import Bar, Bounds, Context


class EmaCross:
    """Holds `quantity` long while the fast average is above the slow one, short while below."""

    fast: Annotated[int, Bounds(ge=1, le=1000)] = 10
    slow: Annotated[int, Bounds(ge=2, le=1000)] = 20
    quantity: Annotated[float, Bounds(gt=0)] = 1.0

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
        """Return nothing: all that it goes by is kept by the engine."""
        return None

    def load_state(self, ctx: Context, state: object) -> None:
        """Ask for the same again after a restart."""
        self.on_start(ctx)
