"""Keltner channel breakout: follows a close outside the channel, leaves at its middle."""

from typing import Annotated

from tradecore import Bar, Bounds, Context


class KeltnerBreakout:
    """Buys a close above the upper band, sells one below the lower band, leaves at the middle."""

    period: Annotated[int, Bounds(ge=2, le=1000)] = 20
    atr_period: Annotated[int, Bounds(ge=2, le=1000)] = 10
    multiple: Annotated[float, Bounds(gt=0, le=20)] = 2.0
    quantity: Annotated[float, Bounds(gt=0)] = 1.0

    def on_start(self, ctx: Context) -> None:
        """Ask for the channel."""
        self._channel = ctx.keltner(self.period, self.atr_period, self.multiple)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Compare the close with the channel."""
        if not self._channel.is_warm:
            return
        upper, middle, lower = self._channel.values
        position_lots = ctx.position_lots()
        if bar.close > upper:
            ctx.target(self.quantity)
        elif bar.close < lower:
            ctx.target(-self.quantity)
        elif (position_lots > 0 and bar.close < middle) or (position_lots < 0 and bar.close > middle):
            ctx.target(0)

    def save_state(self, ctx: Context) -> object:
        """Return nothing: all that it goes by is kept by the engine."""
        return None

    def load_state(self, ctx: Context, state: object) -> None:
        """Ask for the same again after a restart."""
        self.on_start(ctx)
