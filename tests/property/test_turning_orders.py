"""A `fok` order that turns a position against bars, beside an `ioc` order in the same place.

Both meet the same account. So a `fok` order fills where the `ioc` order fills whole, and nothing elsewhere.
"""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradecore import (
    AccountSpec,
    BarFill,
    BarOrder,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Mode,
    StrategyBinding,
    VenueSpec,
)
from tradecore.backtest import run
from tradecore.domain import FeesSpec, MarginMode, MarginSpec, MarginTierSpec, SlippageSpec

HOUR_NS = 3_600_000_000_000
BARS = 5


class Sends:
    """Sends what is planned for each bar of the first instrument and counts what the last order fills."""

    def __init__(self, plan):
        self.plan = plan
        self.bars, self.last_id, self.filled = 0, None, 0

    def on_bar(self, ctx, bar):
        """Send."""
        if bar.instrument_id != 0:
            return
        for instrument, lots, tif in self.plan.get(self.bars, ()):
            send = ctx.buy if lots > 0 else ctx.sell
            sent = send(quantity_lots=abs(lots), instrument_id=instrument, time_in_force=tif)
            if tif != "gtc":
                self.last_id = sent or None
        self.bars += 1

    def on_fill(self, ctx, fill):
        """Count."""
        if fill.order_id == self.last_id:
            self.filled += fill.signed_lots


def filled(case, tif):
    """Give what the last order fills."""
    spec, bars, before, (who, lots) = case
    plans = [{}, {}]
    for step, strategy, instrument, signed in before:
        plans[strategy].setdefault(step, []).append((instrument, signed, "gtc"))
    plans[who].setdefault(BARS - 2, []).append((0, lots, tif))
    batch = EventBatch()
    for step, of_step in enumerate(bars):
        start = step * HOUR_NS
        for instrument, (opened, close) in enumerate(of_step):
            ends = (opened, max(opened, close), min(opened, close), close)
            batch.bars(instrument, *(np.array([each]) for each in (start, start + HOUR_NS, *ends, 10)))
    strategies = [Sends(plan) for plan in plans]
    bindings = [
        StrategyBinding(name=f"s{index}", strategy=strategy, instruments=(0, 1))
        for index, strategy in enumerate(strategies)
    ]
    run(spec, bindings, batch)
    return strategies[who].filled


def margin_of(mode, leverage):
    """Give margin rules, or none."""
    tier = MarginTierSpec(maintenance_ppm=1_000, leverage_max=10)
    return mode and MarginSpec(mode=mode, leverage=str(leverage), tiers=(tier,))


def spec_of(modes, leverage, cash, fee, ticks, order, fill):
    """Give an engine with two instruments."""
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(
            InstrumentSpec(symbol=f"P{index}", tick_size="1", margin=margin_of(mode, leverage))
            for index, mode in enumerate(modes)
        ),
        account=AccountSpec(cash=str(cash), leverage=str(leverage)),
        fees=FeesSpec(taker_bps=str(fee)),
        venue=VenueSpec(bar_order=order, bar_fill=fill, slippage=SlippageSpec(ticks=ticks)),
    )


MODE = st.sampled_from([None, MarginMode.CROSS, MarginMode.ISOLATED, MarginMode.ISOLATED])
SPECS = st.builds(
    spec_of,
    modes=st.tuples(MODE, MODE),
    leverage=st.sampled_from([1, 2, 5]),
    cash=st.sampled_from([1_000, 2_000, 4_000]),
    fee=st.sampled_from([0, 50, -50]),
    ticks=st.sampled_from([0, 1]),
    order=st.sampled_from(list(BarOrder)),
    fill=st.sampled_from(list(BarFill)),
)
PRICE = st.integers(90, 110)
ROW = st.tuples(st.tuples(PRICE, PRICE), st.tuples(PRICE, PRICE))
LOTS = st.integers(-20, 20).filter(bool)
BEFORE = st.lists(
    st.tuples(st.integers(0, BARS - 3), st.integers(0, 1), st.sampled_from([0, 0, 1]), LOTS), max_size=4
)
LAST = st.tuples(st.integers(0, 1), st.integers(-60, 60).filter(bool))
ISOLATED = spec_of((MarginMode.ISOLATED, None), 5, 200, 0, 0, order=BarOrder.TIME, fill=BarFill.NEXT_OPEN)
FLAT = [((100, 100), (100, 100))]


@settings(max_examples=400)
@given(
    case=st.tuples(SPECS, st.lists(ROW, min_size=BARS, max_size=BARS), BEFORE, LAST),
)
# One strategy is short at 100, the other long at 110; the price of the turn is 110.
@example(
    case=(ISOLATED, [*FLAT * 2, ((110, 110), (100, 100)), *FLAT * 2], [(0, 0, 0, -5), (1, 1, 0, 5)], (0, 9))
)
@example(
    case=(ISOLATED, [*FLAT * 2, ((110, 110), (100, 100)), *FLAT * 2], [(0, 0, 0, -5), (1, 1, 0, 5)], (0, 14))
)
@example(
    case=(ISOLATED, [*FLAT * 2, ((110, 110), (100, 100)), *FLAT * 2], [(0, 0, 0, -5), (1, 1, 0, 5)], (1, -9))
)
def test_a_fok_order_fills_where_an_ioc_order_fills_whole(case) -> None:
    """Several strategies on one account, paid in full, cross and isolated."""
    wanted = case[3][1]
    at_once = filled(case, "ioc")
    assert filled(case, "fok") == (wanted if at_once == wanted else 0)
