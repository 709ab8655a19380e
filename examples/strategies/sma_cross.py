"""Moving-average cross: long while the fast average is above the slow one, short while below."""

from typing import Annotated

from tradecore import Bar, Bounds, Context


class SmaCross:
    """Turns the whole position around at every cross of two simple moving averages of the close."""

    fast: Annotated[int, Bounds(ge=1, le=1000)] = 10
    slow: Annotated[int, Bounds(ge=2, le=1000)] = 30
    fraction: Annotated[float, Bounds(gt=0, le=1)] = 1.0
    long_only: bool = False

    def on_start(self, ctx: Context) -> None:
        """Ask for the two averages."""
        self._fast = ctx.sma(self.fast)
        self._slow = ctx.sma(self.slow)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Turn around on a cross."""
        if self._fast.crossed_above(self._slow):
            ctx.close()
            ctx.buy(fraction=self.fraction)
        elif self._slow.crossed_above(self._fast):
            ctx.close()
            if not self.long_only:
                ctx.sell(fraction=self.fraction)

    def save_state(self, ctx: Context) -> object:
        """Return nothing: all that it goes by is kept by the engine."""
        return None

    def load_state(self, ctx: Context, state: object) -> None:
        """Ask for the same again after a restart."""
        self.on_start(ctx)
