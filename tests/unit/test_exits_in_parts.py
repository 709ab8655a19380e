"""An entry that fills in parts: each exit that follows is an order of the moment in which it was made."""

from tradecore.domain import EventBatch
from tradecore.domain.spec import EngineSpec, InstrumentSpec, Matching, VenueSpec
from tradecore.engine import Engine
from tradecore.runtime import frames
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="ABC", tick_size="1"),), venue=VenueSpec(matching=Matching.QUOTES)
)


class Entry:
    """Rests one buy order below the market, with an exit above it."""

    def on_quote(self, ctx, quote):
        """Send it."""
        ctx.buy(quantity_lots=10, limit_ticks=95, take_profit_ticks=110)


def test_an_exit_for_a_later_fill_is_decided_at_that_fill():
    """The exit before it has filled, so a further one is sent; its record and the order tell one time."""
    engine = Engine(SPEC, [StrategyBinding(name="entry", strategy=Entry())], recording=True)
    batch = EventBatch()
    batch.quote(100, 0, 99, 50, 101, 50)
    batch.trade(200, 0, 94, 4, buyer_is_aggressor=False)
    batch.trade(300, 0, 111, 4, buyer_is_aggressor=True)
    batch.trade(400, 0, 94, 6, buyer_is_aggressor=False)
    engine.feed(batch)
    engine.run()

    records = frames.scan(engine.take_frames()).records(1)
    orders = [record for record in records if record.kind == "order"]
    assert [(order.time_ns, order.body.lots) for order in orders] == [(100, 10), (200, 4), (400, 6)]
    assert [order.body.decided_ns for order in orders] == [100, 200, 400]
