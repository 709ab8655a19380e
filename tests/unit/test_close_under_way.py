"""`ctx.close()` beside orders that close a part of the position at once and are on their way."""

import numpy as np
import pytest

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Matching,
    SlippageSpec,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding


class Follows:
    """Does at each bar or quote what a list says; keeps answers and fills."""

    def __init__(self, *steps) -> None:
        self.steps = list(steps)
        self.answers = []
        self.fills = []

    def step(self, ctx) -> None:
        """Do the next thing, if there is one."""
        if self.steps:
            action = self.steps.pop(0)
            self.answers.append(action(ctx) if action else None)

    def on_bar(self, ctx, bar) -> None:
        """Go on."""
        self.step(ctx)

    def on_quote(self, ctx, quote) -> None:
        """Go on."""
        self.step(ctx)

    def on_fill(self, ctx, fill) -> None:
        """Keep it."""
        self.fills.append((fill.order_id, fill.signed_lots))


def engine_of(strategy, **venue):
    """Give an engine for one instrument."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="100000"),
        venue=VenueSpec(**venue),
    )
    return Engine(spec, [StrategyBinding(name="follows", strategy=strategy)])


def thin_bars(strategy):
    """Run bars: the one that falls to 94 and the one after it have one lot for orders, the others many."""
    many, few = 1_000, 2
    rows = [(100, 100, 100, 100, many)] * 3
    rows += [(100, 100, 100, 100, few), (99, 99, 94, 96, few), (96, 97, 96, 96, few)]
    rows += [(96, 96, 96, 96, many)] * 2
    engine = engine_of(strategy, matching=Matching.BARS, slippage=SlippageSpec(volume_ppm=500_000))
    batch = EventBatch()
    times = np.arange(len(rows)) * 10
    columns = (np.array(column) for column in zip(*rows, strict=True))
    batch.bars(0, times, times + 10, *columns)
    engine.feed(batch)
    engine.run()
    return engine


def test_close_takes_the_other_entry_while_the_exit_of_one_is_on_its_way() -> None:
    """The exit of the first five is set off and waits for volume; `close` sells the other five, once."""
    strategy = Follows(
        lambda ctx: ctx.buy(quantity_lots=5, stop_loss_ticks=95),
        lambda ctx: ctx.buy(quantity_lots=5),
        None,
        None,
        lambda ctx: ctx.close(),
        lambda ctx: ctx.close(),
    )
    thin_bars(strategy)
    assert strategy.answers[4] == 4
    assert strategy.answers[5].rule == "reduce_only"
    # The bars have one lot for all, then enough. The oldest exit keeps what is its own.
    sold = [(order, lots) for order, lots in strategy.fills if lots < 0]
    assert sum(lots for _, lots in sold) == -10
    assert sum(lots for order, lots in sold if order == 4) == -5


@pytest.mark.parametrize("stop", [{"stop_ticks": 95}, {"trail_ticks": 5}])
def test_close_takes_what_a_stop_that_is_set_off_leaves(stop) -> None:
    """A stop for five of ten is set off and waits for volume: `close` sells the other part at once."""
    strategy = Follows(
        lambda ctx: ctx.buy(quantity_lots=10),
        lambda ctx: ctx.sell(quantity_lots=5, reduce_only=True, **stop),
        None,
        None,
        lambda ctx: ctx.close(),
    )
    thin_bars(strategy)
    assert strategy.answers[4] == 3
    assert sum(lots for _, lots in strategy.fills) == 0
    assert all(sum(lots for _, lots in strategy.fills[: n + 1]) >= 0 for n in range(len(strategy.fills)))


@pytest.mark.parametrize("lots", [5, 10])
def test_close_sells_what_a_market_order_on_its_way_leaves(lots) -> None:
    """Of ten, five or all are on their way: `close` sends the other five, or is refused."""
    strategy = Follows(
        lambda ctx: ctx.buy(quantity_lots=10),
        None,
        None,
        lambda ctx: ctx.sell(quantity_lots=lots, reduce_only=True) and ctx.close(),
        lambda ctx: ctx.close(),
    )
    latency_ns = 10
    engine = engine_of(
        strategy, matching=Matching.QUOTES, order_latency_ns=latency_ns, report_latency_ns=latency_ns
    )
    batch = EventBatch()
    for step in range(10):
        batch.quote(step * 10, 0, 100, 1_000, 101, 1_000)
    engine.feed(batch)
    engine.run()
    answer = strategy.answers[3]
    assert answer == 3 if lots == 5 else answer.rule == "reduce_only"
    assert strategy.answers[4].rule == "reduce_only", "all of it is on its way"
    assert strategy.fills == ([(1, 10), (2, -5), (3, -5)] if lots == 5 else [(1, 10), (2, -10)])
