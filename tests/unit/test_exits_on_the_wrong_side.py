"""Exits that the market has passed already close at once; what is wrong by its numbers is refused."""

import pytest

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding


class Once:
    """Trades once, with these exits, and keeps the answer."""

    def __init__(self, side, exits):
        self.side = side
        self.exits = exits
        self.answer = None
        self.fills = []

    def on_quote(self, ctx, quote):
        """Trade."""
        if self.answer is None:
            self.answer = getattr(ctx, self.side)(quantity_lots=1, **self.exits)

    def on_fill(self, ctx, fill):
        """Note the price."""
        self.fills.append(fill.price_ticks)


def played(side, exits):
    """Return a strategy that traded in a market of 99 to 101, and what it holds in the end."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="100000"),
        venue=VenueSpec(matching=Matching.QUOTES),
    )
    strategy = Once(side, exits)
    engine = Engine(spec, [StrategyBinding(name="once", strategy=strategy)])
    batch = EventBatch()
    for time_ns in (1_000, 2_000):
        batch.quote(time_ns, 0, 99, 50, 101, 50)
    engine.feed(batch)
    engine.run()
    return strategy, engine.summary().positions


@pytest.mark.parametrize(
    ("side", "exits", "fills"),
    [
        ("buy", {"stop_loss_ticks": 150}, [101, 99]),
        ("buy", {"take_profit_ticks": 50}, [101, 99]),
        ("sell", {"stop_loss_ticks": 50}, [99, 101]),
        ("sell", {"take_profit_ticks": 150}, [99, 101]),
    ],
)
def test_an_exit_that_is_passed_already_closes_at_once(side, exits, fills):
    """As every stop and every limit does that the market has passed; nothing stays open."""
    strategy, positions = played(side, exits)
    assert (strategy.fills, positions) == (fills, {})


@pytest.mark.parametrize("exits", [{"stop_loss_ticks": 60, "take_profit_ticks": 50}, {"stop_loss_pct": -5}])
def test_exits_that_cannot_be_right_are_refused(exits):
    """Against each other, whatever the market is."""
    strategy, _ = played("buy", exits)
    assert not strategy.answer
    assert strategy.answer.rule == "invalid_order"
