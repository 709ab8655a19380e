"""Where a replay parts from its journal: the message is what somebody starts to search from."""

import pytest

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.domain.errors import DivergenceError
from tradecore.engine import Engine
from tradecore.runtime.divergence import raise_divergence
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),),
    account=AccountSpec(cash="1000000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)
SECOND_NS = 10**9


class Buys:
    """Buys at each quote; rests at a price, where it has one."""

    def __init__(self, lots=2, limit_ticks=None, from_ns=0) -> None:
        self.lots = lots
        self.limit_ticks = limit_ticks
        self.from_ns = from_ns

    def on_quote(self, ctx, quote) -> None:
        """Buy."""
        if ctx.now_ns >= self.from_ns:
            ctx.buy(quantity_lots=self.lots, limit_ticks=self.limit_ticks)


def engine_of(strategy):
    """Return a recording engine with a strategy."""
    return Engine(SPEC, [StrategyBinding(name="trend", strategy=strategy)], recording=True)


def frames_of(strategy, bids=(198, 200)):
    """Return what an engine records of a quote a second."""
    engine, batch = engine_of(strategy), EventBatch()
    for second, bid in enumerate(bids, start=1):
        batch.quote(second * SECOND_NS, 0, bid, 90, bid + 2, 90)
    engine.feed(batch)
    engine.run()
    return engine.take_frames()


def told(recorded, regenerated):
    """Return the message of two sides that part."""
    with pytest.raises(DivergenceError) as caught:
        raise_divergence(recorded, regenerated, engine_of(Buys()))
    said = str(caught.value)
    assert said.startswith(caught.value.where + ". ")
    assert "--carry-over" in said
    assert "--new-journal" in said
    return caught.value.where


def test_an_order_of_another_price_is_named_with_both_prices():
    """Time, order and strategy, and the values that differ, as people write them."""
    said = told(frames_of(Buys(limit_ticks=190)), frames_of(Buys(limit_ticks=191)))

    assert said.startswith("the replay parts from the journal at 1970-01-01T00:00:01Z: ")
    assert "the journal has order (order 1 of trend approved: buy 0.2 GOLD limit at 95.0" in said
    assert "the replay makes order (order 1 of trend approved: buy 0.2 GOLD limit at 95.5" in said
    assert said.endswith("different: price was 95.0, is 95.5")


def test_an_order_of_another_size_is_named_with_both_sizes():
    """Later than the first second as well: what was the same before is passed over."""
    same = frames_of(Buys(from_ns=9 * SECOND_NS))
    assert same in frames_of(Buys(from_ns=9 * SECOND_NS), bids=(198, 200, 202))
    said = told(frames_of(Buys(2, from_ns=2 * SECOND_NS)), frames_of(Buys(3, from_ns=2 * SECOND_NS)))

    assert "at 1970-01-01T00:00:02Z" in said
    assert "different: quantity was 0.2, is 0.3" in said


def test_two_kinds_of_record_are_both_told():
    """Where the one side trades and the other does not there is nothing to compare value by value."""
    said = told(frames_of(Buys()), frames_of(Buys(from_ns=2 * SECOND_NS)))

    assert (
        "the journal has decision (trend on GOLD decided: buy" in said or "order 1 of trend approved" in said
    )
    assert "the replay makes quote (" in said
    assert "different" not in said


@pytest.mark.parametrize("is_recorded_longer", [False, True])
def test_where_one_side_has_an_end_its_end_is_named(is_recorded_longer):
    """All records that both have are equal: they part where the shorter one ends."""
    whole, part = frames_of(Buys()), frames_of(Buys(), bids=(198,))
    assert whole.startswith(part)
    said = told(whole, part) if is_recorded_longer else told(part, whole)

    assert "at 1970-01-01T00:00:02Z" in said
    assert f"the {'replay makes' if is_recorded_longer else 'journal has'} nothing that can be read" in said
