"""Fees by traded volume against a plain sum over all fills, and slippage as a user sets it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plain_money import DAY_NS, PlainFees
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    FeeTierSpec,
    FeeWindow,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    SlippageSpec,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

TIERS = (
    FeeTierSpec(volume_min="5000", maker_bps="0.5", taker_bps="3"),
    FeeTierSpec(volume_min="20000", maker_bps="-1", taker_bps="1.5"),
)


class Trades:
    """Sends at each quote what a list says and keeps every fill."""

    def __init__(self, wishes) -> None:
        self.wishes = iter(wishes)
        self.fills = []
        self.quotes = 0

    def on_quote(self, ctx, quote) -> None:
        """Send the next wish."""
        self.quotes += 1
        lots, is_limit = next(self.wishes)
        send = ctx.buy if lots > 0 else ctx.sell
        if lots:
            send(quantity_lots=abs(lots), limit_ticks=quote.bid_ticks if is_limit else None)

    def on_fill(self, ctx, fill) -> None:
        """Keep it."""
        # Resting orders fill together at a quote, takers one by one.
        event = self.quotes if fill.is_maker else -fill.order_id
        self.fills.append((fill.time_ns, fill.price_ticks * fill.lots, fill.is_maker, event, fill.fee_atto))


def engine_of(fees, wishes, venue=None):
    """Return an engine on one instrument with a tick of 0.01 and the strategy."""
    strategy = Trades(wishes)
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.01"),),
        account=AccountSpec(cash="100000000"),
        fees=fees,
        venue=venue or VenueSpec(matching=Matching.QUOTES),
    )
    return Engine(spec, [StrategyBinding(name="trades", strategy=strategy)], recording=True), strategy


@settings(max_examples=80)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 9 * DAY_NS), st.integers(9_000, 11_000), st.integers(-60, 60), st.booleans()
        ),
        min_size=1,
        max_size=60,
    ),
    window=st.sampled_from(FeeWindow),
)
def test_every_fill_pays_the_rates_of_the_volume_before_it(steps, window):
    """Tier, rounding and window are those of a sum over all fills, made anew at every event."""
    fees = FeesSpec(maker_bps="2", taker_bps="5", window=window, tiers=TIERS)
    engine, strategy = engine_of(fees, [step[2:] for step in steps])
    now_ns = 0
    for gap_ns, price, _, _ in steps:
        batch = EventBatch()
        now_ns += gap_ns
        batch.quote(now_ns, 0, price, 1_000, price + 3, 1_000)
        engine.feed(batch)
        engine.run()

    plain = PlainFees(fees)
    expected, last_event = [], None
    for time_ns, notional, is_maker, event, _ in strategy.fills:
        is_same = event == last_event
        fee = plain.fee(time_ns, notional * 10**16, is_maker=is_maker, is_same_event=is_same)
        expected.append(fee)
        last_event = event
    assert [fill[-1] for fill in strategy.fills] == expected
    assert engine.kernel.money()["fees"] == sum(expected)


@pytest.mark.parametrize("volumes", [("0",), ("5", "5"), ("7", "6")])
def test_volumes_that_do_not_rise_are_refused(volumes):
    """Tiers must rise from above 0."""
    tiers = tuple(FeeTierSpec(volume_min=volume, maker_bps="0", taker_bps="0") for volume in volumes)
    with pytest.raises(InvalidValueError, match="volume_min"):
        engine_of(FeesSpec(tiers=tiers), [])


class BuysAtTheFirstBar:
    """Buys 100 lots at the first bar and keeps its fills."""

    def __init__(self) -> None:
        self.fills = []

    def on_bar(self, ctx, bar) -> None:
        """Buy once."""
        if bar.open_time_ns == 0:
            ctx.buy(quantity_lots=100)

    def on_fill(self, ctx, fill) -> None:
        """Keep price and size."""
        self.fills.append((fill.price_ticks, fill.lots))


def test_slippage_and_the_share_of_a_bar_reach_the_strategy():
    """A market order of 100 lots takes 40% of each bar of 100, 2 ticks and 1% worse than the open."""
    strategy = BuysAtTheFirstBar()
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(slippage=SlippageSpec(ticks=2, ppm=10_000, volume_ppm=400_000)),
    )
    engine = Engine(spec, [StrategyBinding(name="buys", strategy=strategy)])
    batch = EventBatch()
    opens = np.arange(5, dtype=np.int64) * 60
    price = np.full(5, 1_000, dtype=np.int64)
    volume = np.full(5, 100, dtype=np.int64)
    batch.bars(0, opens, opens + 60, price, price + 50, price - 50, price, volume)
    engine.feed(batch)
    engine.run()
    assert strategy.fills == [(1_012, 40), (1_012, 40), (1_012, 20)]
