"""Holds a long ticket for the long run, and hedges it with a short one while prices fall."""

from typing import Annotated

from tradecore import Bar, Bounds, Context


class HedgedHolder:
    """Buys `quantity` once, and is short of `share` of it, too, while the fast average is below the slow one.

    The short ticket has a stop `stop_pct` percent above its entry. The long one is never touched, so its
    profit and that of each hedge stay apart.
    """

    fast: Annotated[int, Bounds(ge=1, le=1000)] = 10
    slow: Annotated[int, Bounds(ge=2, le=1000)] = 30
    quantity: Annotated[float, Bounds(gt=0)] = 0.1
    share: Annotated[float, Bounds(gt=0, le=1)] = 0.5
    stop_pct: Annotated[float, Bounds(gt=0, le=50)] = 10.0

    def on_start(self, ctx: Context) -> None:
        """Ask for the two averages; nothing is held yet."""
        self._fast = ctx.ema(self.fast)
        self._slow = ctx.ema(self.slow)
        self._has_bought = False

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Buy once; open the hedge as prices begin to fall, and close it as they rise again."""
        if not self._has_bought:
            self._has_bought = bool(ctx.buy(quantity=self.quantity))
        hedges = [ticket for ticket in ctx.tickets() if ticket.lots < 0]
        if not hedges and self._slow.crossed_above(self._fast):
            size = ctx.round_quantity(self.quantity * self.share)
            ctx.sell(quantity=size, stop_loss_pct=self.stop_pct)
        elif self._fast.crossed_above(self._slow):
            for hedge in hedges:
                ctx.close(ticket=hedge.number)

    def save_state(self, ctx: Context) -> object:
        """Return what a snapshot is to keep: whether it has bought."""
        return self._has_bought

    def load_state(self, ctx: Context, state: bool) -> None:
        """Go on from a snapshot, in place of `on_start`."""
        self.on_start(ctx)
        self._has_bought = state
