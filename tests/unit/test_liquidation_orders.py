"""What a liquidation does with the open orders: none of them trades any more, wherever it is."""

import numpy as np
import pytest

from tradecore.domain import (
    AccountSpec,
    BarFill,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    MarginMode,
    MarginSpec,
    MarginTierSpec,
    Matching,
    SlippageSpec,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding


class Follows:
    """Does at each bar or quote what a list says and writes down what it is told."""

    def __init__(self, *steps) -> None:
        self.steps = list(steps)
        self.told = []

    def step(self, ctx) -> None:
        """Do the next thing, if there is one."""
        if self.steps and (action := self.steps.pop(0)):
            assert all(action(ctx))

    def on_bar(self, ctx, bar) -> None:
        """Go on."""
        self.step(ctx)

    def on_quote(self, ctx, quote) -> None:
        """Go on."""
        self.step(ctx)

    def on_fill(self, ctx, fill) -> None:
        """Write it down."""
        self.told.append((fill.order_id, "fill"))

    def on_order(self, ctx, update) -> None:
        """Write down why it ended."""
        if update.what == "canceled":
            self.told.append((update.order_id, update.reason))

    def on_liquidation(self, ctx, liquidation) -> None:
        """Write it down."""
        self.told.append((liquidation.order_id, "liquidated"))


def engine_of(strategy, mode, **venue):
    """Give an engine for a perpetual with twenty times leverage."""
    tier = MarginTierSpec(maintenance_ppm=30_000, leverage_max=20)
    margin = MarginSpec(mode=mode, leverage="20", tiers=(tier,))
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="PERP", tick_size="1", margin=margin),),
        account=AccountSpec(cash="100"),
        venue=VenueSpec(**venue),
    )
    return Engine(spec, [StrategyBinding(name="follows", strategy=strategy)])


def test_an_order_of_the_same_moment_does_not_open_what_was_just_closed_by_force() -> None:
    """A buy at the close pays slippage and is liquidated; one that was sent with it has not arrived yet."""
    strategy = Follows(lambda ctx: [ctx.buy(quantity_lots=1), ctx.buy(quantity_lots=2)])
    engine = engine_of(
        strategy,
        MarginMode.ISOLATED,
        matching=Matching.BARS,
        bar_fill=BarFill.CLOSE,
        slippage=SlippageSpec(ticks=3),
    )
    batch = EventBatch()
    times = np.array([0, 10, 20])
    rows = [np.array([price] * 3) for price in (100, 110, 90, 100, 50)]
    batch.bars(0, times, times + 10, *rows)
    engine.feed(batch)
    engine.run()
    assert sorted(strategy.told) == [(1, "fill"), (2, "liquidation"), (3, "fill"), (3, "liquidated")]


@pytest.mark.parametrize("mode", [MarginMode.CROSS, MarginMode.ISOLATED])
@pytest.mark.parametrize("latency_ns", [0, 15])
def test_a_liquidation_takes_no_time_to_cancel_what_rests_and_what_is_on_its_way(latency_ns, mode) -> None:
    """One order rests below the market, one was sent just before the liquidation: the fall fills neither."""
    strategy = Follows(
        lambda ctx: [ctx.buy(quantity_lots=15), ctx.buy(quantity_lots=1, limit_ticks=80)],
        *[None] * 4,
        lambda ctx: [ctx.buy(quantity_lots=1, limit_ticks=70)],
    )
    engine = engine_of(
        strategy,
        mode,
        matching=Matching.QUOTES,
        order_latency_ns=latency_ns,
        report_latency_ns=latency_ns,
    )
    batch = EventBatch()
    for step, bid in enumerate([100, 100, 100, 100, 100, 100, 85, 60, 60, 60, 60, 60, 60, 60]):
        batch.quote(step * 10, 0, bid, 1_000, bid + 1, 1_000)
    engine.feed(batch)
    engine.run()
    ended = [told for told in strategy.told if told[0] in (2, 3)]
    assert sorted(ended) == [(2, "liquidation"), (3, "liquidation")]
    assert (4, "liquidated") in strategy.told
