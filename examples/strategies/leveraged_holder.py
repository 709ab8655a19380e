"""Buys a perpetual once and holds it: what funding costs, and how a liquidation reaches a strategy."""

from typing import Annotated

from tradecore import Bar, Bounds, CashFlow, Context, Liquidation


class LeveragedHolder:
    """Buys `lots` at the first bar and does nothing more; a liquidated position is not opened again."""

    lots: Annotated[int, Bounds(ge=1, le=1_000_000)] = 10

    def on_start(self, ctx: Context) -> None:
        """Start without a position."""
        self.is_entered = False
        self.paid = 0.0

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Buy once."""
        if not self.is_entered:
            self.is_entered = True
            ctx.buy(quantity_lots=self.lots)

    def on_cash_flow(self, ctx: Context, flow: CashFlow) -> None:
        """Add up what holding costs."""
        self.paid -= flow.amount

    def on_liquidation(self, ctx: Context, liquidation: Liquidation) -> None:
        """Leave a trace of what was lost by force."""
        ctx.trace("liquidated_lots", limit=0.0, value=float(liquidation.position_lots), passed=False)
        ctx.hold("liquidated")

    def save_state(self, ctx: Context) -> object:
        """Return what a snapshot is to keep: whether it has bought, and what it paid."""
        return [self.is_entered, self.paid]

    def load_state(self, ctx: Context, state: tuple[bool, float]) -> None:
        """Go on from a snapshot, in place of `on_start`."""
        self.is_entered, self.paid = state
