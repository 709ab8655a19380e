"""Positions on margin against bars, through the whole engine, beside a plain walk along the path."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradecore import (
    AccountSpec,
    BarOrder,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Mode,
    StrategyBinding,
    VenueSpec,
)
from tradecore.backtest import run
from tradecore.domain import MarginMode, MarginSpec, MarginTierSpec

HOUR_NS = 3_600_000_000_000
MAINTENANCE = Fraction(1, 100)
LEVERAGE = 10


class Holds:
    """Opens a position at the first bar, with a target and a stop, and writes down what ended it."""

    def __init__(self, side, exits):
        self.side, self.exits = side, exits
        self.is_sent = False
        self.ends = []

    def on_bar(self, ctx, bar):
        """Open once."""
        if self.is_sent:
            return
        self.is_sent = True
        enter, leave = (ctx.buy, ctx.sell) if self.side > 0 else (ctx.sell, ctx.buy)
        entry = enter(quantity_lots=1)
        assert entry
        for kind in self.exits:
            assert leave(quantity_lots=1, after=entry, reduce_only=True, **kind)

    def on_fill(self, ctx, fill):
        """An exit has ended it."""
        if fill.order_id > 1 and ctx.position_lots() == 0 and not self.ends:
            self.ends.append(("exit", fill.price_ticks))

    def on_liquidation(self, ctx, liquidation):
        """The venue has ended it."""
        self.ends.append(("liquidation", liquidation.price_ticks))


def backtest(bars, side, exits, mode, order, cash, tiers=None):
    """Give what ended the position."""
    opened, high, low, close = (np.array(column) for column in zip(*bars, strict=True))
    times = np.arange(len(bars)) * HOUR_NS
    batch = EventBatch()
    batch.bars(0, times, times + HOUR_NS, opened, high, low, close, np.full(len(bars), 10))
    tiers = tiers or (MarginTierSpec(maintenance_ppm=10_000, leverage_max=LEVERAGE),)
    margin = MarginSpec(mode=mode, leverage=str(LEVERAGE), tiers=tiers)
    strategy = Holds(side, exits)
    run(
        EngineSpec(
            mode=Mode.BACKTEST,
            instruments=(InstrumentSpec(symbol="PERP", tick_size="1", lot_size="1", margin=margin),),
            account=AccountSpec(cash=str(cash)),
            venue=VenueSpec(bar_order=order),
        ),
        [StrategyBinding(name="holds", strategy=strategy)],
        batch,
    )
    return strategy.ends


def ticks(corners):
    """Go from corner to corner, tick by tick."""
    yield corners[0]
    for start, end in pairwise(corners):
        step = 1 if end > start else -1
        yield from range(start + step, end + step, step) if start != end else ()


def walk(bars, side, exits, mode, cash, maintenance=lambda price: price * MAINTENANCE):
    """Give what ends the position, tick by tick: at one price exits come before the margin."""
    entry = bars[1][0]
    behind = Fraction(entry, LEVERAGE) if mode is MarginMode.ISOLATED else Fraction(cash)
    stop = next((kind["stop_ticks"] for kind in exits if "stop_ticks" in kind), None)
    limit = next((kind["limit_ticks"] for kind in exits if "limit_ticks" in kind), None)
    for opened, high, low, close in bars[1:]:
        # What closes a position is there, or the position alone: the price goes to its worse end first.
        worst, best = (low, high) if side > 0 else (high, low)
        for price in ticks([opened, worst, best, close]):
            if stop is not None and side * (stop - price) >= 0:
                return [("exit", price)]
            if limit is not None and side * (price - limit) >= 0:
                return [("exit", price)]
            if behind + side * (price - entry) <= maintenance(price):
                return [("liquidation", price)]
    return []


PRICE = st.integers(850, 1150)
BAR = st.tuples(PRICE, PRICE, st.integers(0, 80), st.integers(0, 80)).map(
    lambda drawn: (drawn[0], max(drawn[:2]) + drawn[2], min(drawn[:2]) - drawn[3], drawn[1])
)
EXITS = st.tuples(st.none() | st.integers(20, 150), st.none() | st.integers(20, 200))


@settings(max_examples=300)
@given(
    bars=st.lists(BAR, min_size=2, max_size=6),
    side=st.sampled_from([1, -1]),
    distances=EXITS,
    mode=st.sampled_from([MarginMode.ISOLATED, MarginMode.CROSS]),
    order=st.sampled_from([BarOrder.TIME, BarOrder.QUEUE]),
    cash=st.integers(140, 400),
)
@example(
    bars=[(1000, 1000, 1000, 1000), (1000, 1000, 1000, 1000), (1000, 1080, 850, 1070)],
    side=1,
    distances=(None, 60),
    mode=MarginMode.ISOLATED,
    order=BarOrder.TIME,
    cash=1_000_000,
)
def test_a_position_ends_where_the_path_ends_it(bars, side, distances, mode, order, cash) -> None:
    """A target that the path reaches only after the price of the liquidation does not save the position.

    The first bar is as calm as the second opens, so that the entry is always affordable.
    """
    start = bars[1][0]
    bars = [(start, start, start, start), *bars[1:]]
    loss, gain = distances
    exits = [] if loss is None else [{"stop_ticks": start - side * loss}]
    exits += [] if gain is None else [{"limit_ticks": start + side * gain}]
    if order is BarOrder.QUEUE and exits:
        # There what an entry brings about comes with the next bar: it gets a calm one.
        bars.insert(2, (start, start, start, start))
        bars[1] = bars[2]
    expected = walk(bars, side, exits, mode, cash)
    assert backtest(bars, side, exits, mode, order, cash) == expected


@settings(max_examples=200)
@given(
    bars=st.lists(BAR, min_size=2, max_size=6),
    side=st.sampled_from([1, -1]),
    mode=st.sampled_from([MarginMode.ISOLATED, MarginMode.CROSS]),
    order=st.sampled_from([BarOrder.TIME, BarOrder.QUEUE]),
    cash=st.integers(140, 400),
    caps=st.tuples(st.integers(900, 1000), st.integers(1001, 1100)),
)
@example(
    bars=[(1000, 1000, 1000, 1000), (1000, 1060, 990, 1000)],
    side=1,
    mode=MarginMode.ISOLATED,
    order=BarOrder.TIME,
    cash=1_000_000,
    caps=(900, 1050),
)
def test_a_step_of_the_maintenance_margin_is_met_on_the_way(bars, side, mode, order, cash, caps) -> None:
    """Where a bracket with a higher rate begins, a long position on its way up loses its margin too."""
    start = bars[1][0]
    bars = [(start, start, start, start), *bars[1:]]
    rates = [Fraction(1, 100), Fraction(4, 100), Fraction(20, 100)]
    tiers = tuple(
        MarginTierSpec(
            notional_max=cap and str(cap),
            maintenance_ppm=int(rate * 10**6),
            leverage_max=LEVERAGE,
            amount="0",
        )
        for rate, cap in zip(rates, (*caps, None), strict=True)
    )

    def maintenance(price):
        return price * next(rate for rate, cap in zip(rates, (*caps, price), strict=True) if price <= cap)

    expected = walk(bars, side, [], mode, cash, maintenance)
    assert backtest(bars, side, [], mode, order, cash, tiers) == expected


@pytest.mark.parametrize("order", [BarOrder.TIME, BarOrder.QUEUE])
def test_a_position_is_not_judged_at_prices_from_before_it(order) -> None:
    """A stop opens a position inside the bar: the low that the price came from cannot liquidate it."""

    class BuysHigher:
        def __init__(self):
            self.told, self.sent = [], False

        def on_bar(self, ctx, bar):
            if not self.sent:
                self.sent = True
                # The oldest order sells: the price goes to the low first.
                assert ctx.sell(quantity_lots=1, limit_ticks=2000)
                assert ctx.buy(quantity_lots=1, stop_ticks=1050)

        def on_fill(self, ctx, fill):
            self.told.append(fill.price_ticks)

        def on_liquidation(self, ctx, liquidation):
            self.told.append("liquidated")

    strategy = BuysHigher()
    bars = [(1000, 1000, 1000, 1000), (1000, 1060, 900, 1055)]
    opened, high, low, close = (np.array(column) for column in zip(*bars, strict=True))
    times = np.arange(len(bars)) * HOUR_NS
    batch = EventBatch()
    batch.bars(0, times, times + HOUR_NS, opened, high, low, close, np.full(len(bars), 10))
    tier = MarginTierSpec(maintenance_ppm=10_000, leverage_max=LEVERAGE)
    margin = MarginSpec(mode=MarginMode.ISOLATED, leverage=str(LEVERAGE), tiers=(tier,))
    run(
        EngineSpec(
            mode=Mode.BACKTEST,
            instruments=(InstrumentSpec(symbol="PERP", tick_size="1", lot_size="1", margin=margin),),
            account=AccountSpec(cash="1000000"),
            venue=VenueSpec(bar_order=order),
        ),
        [StrategyBinding(name="buys", strategy=strategy)],
        batch,
    )
    assert strategy.told == [1050]
