"""A trade is booked once, also one that was told so many trades ago that nobody remembers it."""

from support.remembered import STEP_NS, live_engine
from tradecore.domain import EventBatch

TRADES_MAX = 1 << 16


class BuysMany:
    """Buys 70,000 lots at each of two quotes."""

    def on_start(self, ctx):
        """Have sent nothing."""
        self.sent = 0

    def on_quote(self, ctx, quote):
        """Send."""
        self.sent += 1
        assert ctx.buy(quantity_lots=70_000, limit_ticks=1) == self.sent


def test_a_trade_that_is_forgotten_is_not_booked_again_while_its_order_is_remembered():
    """An order that has ended is remembered for 1,024 orders, and a trade for 65,536 trades."""
    engine, now_ns = live_engine(BuysMany()), STEP_NS

    def feed(fill_batch):
        nonlocal now_ns
        now_ns += STEP_NS
        batch = EventBatch()
        fill_batch(batch)
        engine.feed(batch)
        engine.run()
        engine.take_frames()

    def fills(batch, order_id, numbers):
        for number in numbers:
            name = {"trade_id": f"T{number}", "venue_order_id": f"V{order_id}"}
            batch.venue_report(now_ns, 0, order_id, "fill", price_ticks=1, lots=1, **name)

    feed(lambda batch: batch.agreement(now_ns, 0, True))
    for _ in range(2):
        feed(lambda batch: batch.quote(now_ns, 0, 99, 50, 101, 50))
    feed(lambda batch: fills(batch, 1, range(5)))
    feed(lambda batch: batch.venue_report(now_ns, 0, 1, "canceled", reason="requested"))
    for begin in range(0, TRADES_MAX, 4096):
        feed(lambda batch, begin=begin: fills(batch, 2, range(begin, begin + 4096)))
    before = engine.kernel.position_total_lots(0)
    feed(lambda batch: fills(batch, 1, range(5)))
    assert engine.kernel.position_total_lots(0) == before == TRADES_MAX + 5
