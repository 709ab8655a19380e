"""RSI mean reversion: buys weakness and sells strength, with a stop-loss on every entry."""

from typing import Annotated

from tradecore import Bar, Bounds, Context


class RsiReversion:
    """Buys when the RSI falls below `low` and leaves above `exit`; the mirror image for shorts."""

    period: Annotated[int, Bounds(ge=2, le=1000)] = 14
    low: Annotated[float, Bounds(gt=0, lt=50)] = 30.0
    high: Annotated[float, Bounds(gt=50, lt=100)] = 70.0
    exit: Annotated[float, Bounds(gt=0, lt=100)] = 50.0
    stop_loss_pct: Annotated[float, Bounds(gt=0, lt=100)] = 5.0
    quantity: Annotated[float, Bounds(gt=0)] = 1.0

    def on_start(self, ctx: Context) -> None:
        """Ask for the index."""
        self._rsi = ctx.rsi(self.period)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Enter at an extreme, leave at the middle."""
        if not self._rsi.is_warm:
            return
        rsi = self._rsi.value
        position_lots = ctx.position_lots()
        ctx.trace("rsi", limit=self.low if rsi < self.exit else self.high, value=rsi)
        if position_lots == 0 and rsi < self.low:
            ctx.buy(quantity=self.quantity, stop_loss_ticks=self._stop(bar, -1))
        elif position_lots == 0 and rsi > self.high:
            ctx.sell(quantity=self.quantity, stop_loss_ticks=self._stop(bar, 1))
        elif (position_lots > 0 and rsi > self.exit) or (position_lots < 0 and rsi < self.exit):
            ctx.close()

    def save_state(self, ctx: Context) -> object:
        """Return nothing: all that it goes by is kept by the engine."""
        return None

    def load_state(self, ctx: Context, state: object) -> None:
        """Ask for the same again after a restart."""
        self.on_start(ctx)

    def _stop(self, bar: Bar, direction: int) -> int:
        return round(bar.close_ticks * (1 + direction * self.stop_loss_pct / 100))
