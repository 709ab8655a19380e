"""Cash and carry: owns a coin at one venue and is short of its perpetual at another, for the funding."""

from typing import Annotated, Any

from tradecore import Bar, Bounds, CashFlow, Context


class CashAndCarry:
    """Buys `lots` of the first instrument, sells as many of the second, and holds both to the end."""

    lots: Annotated[int, Bounds(ge=1, le=1_000_000)] = 10

    def on_start(self, ctx: Context) -> None:
        """Start without a position; nothing is received yet."""
        self._is_entered = dict.fromkeys((instrument.instrument_id for instrument in ctx.instruments), False)
        self.received = 0.0

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Enter each leg at its first bar."""
        leg = bar.instrument_id
        if self._is_entered[leg]:
            return
        self._is_entered[leg] = True
        if leg == ctx.instruments[0].instrument_id:
            ctx.buy(quantity_lots=self.lots, instrument_id=leg)
        else:
            ctx.sell(quantity_lots=self.lots, instrument_id=leg)

    def on_cash_flow(self, ctx: Context, flow: CashFlow) -> None:
        """Add up the funding."""
        self.received += flow.amount

    def save_state(self, ctx: Context) -> object:
        """Return what a snapshot is to keep: the legs it has entered, and what it received."""
        entered = [leg for leg, is_entered in self._is_entered.items() if is_entered]
        return {"entered": entered, "received": self.received}

    def load_state(self, ctx: Context, state: dict[str, Any]) -> None:
        """Go on from a snapshot, in place of `on_start`."""
        self.on_start(ctx)
        self._is_entered.update(dict.fromkeys(state["entered"], True))
        self.received = state["received"]
