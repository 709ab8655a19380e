"""Against bars nothing fills at a price from before it was asked for, and what may not wait does not."""

import numpy as np
import pytest

from tradecore import (
    AccountSpec,
    BarFill,
    BarOrder,
    Engine,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Mode,
    StrategyBinding,
    VenueSpec,
)
from tradecore.domain import Finalize, SlippageSpec

HOUR_NS = 3_600_000_000_000
HALF_NS = HOUR_NS // 2


class Plan:
    """Does at each time what a plan says: a time in half hours, then what to do with the context."""

    def __init__(self, *steps):
        self.steps = dict(steps)
        self.fills, self.updates = [], []

    def on_bar(self, ctx, bar):
        """Ask for a call half an hour later, and do what is planned for the close."""
        ctx.set_timer(ctx.now_ns + HALF_NS)
        self.do(ctx)

    def on_timer(self, ctx, timer_id):
        """Do what is planned inside a bar."""
        self.do(ctx)

    def do(self, ctx):
        """Do it once."""
        step = self.steps.pop(ctx.now_ns / HOUR_NS, None)
        if step:
            step(ctx)

    def on_fill(self, ctx, fill):
        """Note price and size."""
        self.fills.append((fill.price_ticks, fill.lots))

    def on_order(self, ctx, update):
        """Note what became of it."""
        self.updates.append(update.what)


def run(plan, bars, *, volume=1_000, **venue):
    """Run a plan over bars of an hour: hour, open, high, low, close, perhaps volume."""
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="X", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(**venue),
    )
    engine = Engine(spec, [StrategyBinding(name="plan", strategy=plan)])
    batch = EventBatch()
    for hour, opened, high, low, close, *lots in bars:
        times = (hour * HOUR_NS, (hour + 1) * HOUR_NS)
        columns = (*times, opened, high, low, close, *(lots or (volume,)))
        batch.bars(0, *(np.array([value]) for value in columns))
    engine.feed(batch)
    engine.finish()
    return engine


@pytest.mark.parametrize("order", list(BarOrder))
@pytest.mark.parametrize(
    "change",
    [
        {"quantity_lots": 1, "price_ticks": 102},
        {"quantity_lots": 1, "price_ticks": 97},
        {"quantity_lots": 4, "price_ticks": None},
    ],
)
def test_a_limit_that_was_amended_inside_a_bar_waits_for_the_next(order, change):
    """Its new price, or size, was not there at the open nor, for all that is known, at the low."""
    plan = Plan(
        (1, lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=96 if change["price_ticks"] is None else 90)),
        (1.5, lambda ctx: ctx.replace(1, **change)),
    )
    bars = [(0, 100, 101, 99, 100), (1, 100, 103, 95, 103), (2, 95, 96, 95, 96)]
    run(plan, bars, bar_order=order)
    assert plan.fills == [(95, change["quantity_lots"])]


@pytest.mark.parametrize("order", list(BarOrder))
@pytest.mark.parametrize(("trigger", "price"), [(98, 98), (102, 99)])
def test_a_stop_that_was_amended_inside_a_bar_goes_on_but_not_at_its_open(order, trigger, price):
    """It protects for the rest of the bar; where the open was through it already, so is the next."""
    plan = Plan(
        (1, lambda ctx: ctx.sell(quantity_lots=1, stop_ticks=90)),
        (1.5, lambda ctx: ctx.replace(1, quantity_lots=1, price_ticks=trigger)),
    )
    run(plan, [(0, 100, 101, 99, 100), (1, 100, 103, 95, 101), (2, 99, 99, 99, 99)], bar_order=order)
    assert plan.fills == [(price, 1)]


@pytest.mark.parametrize("order", list(BarOrder))
@pytest.mark.parametrize("kind", [{}, {"limit_ticks": 105}, {"stop_ticks": 100}, {"touch_ticks": 105}])
@pytest.mark.parametrize(("time_in_force", "fills"), [("ioc", [(101, 2)]), ("fok", [])])
def test_what_may_not_wait_ends_with_what_the_volume_allows(order, kind, time_in_force, fills):
    """A bar has 2 lots to give and 5 are wanted: no kind of order keeps the rest for later."""
    plan = Plan((1, lambda ctx: ctx.buy(quantity_lots=5, time_in_force=time_in_force, **kind)))
    bars = [(0, 100, 101, 99, 100), (1, 101, 101, 101, 101), (2, 101, 101, 101, 101)]
    run(plan, bars, volume=10, bar_order=order, slippage=SlippageSpec(volume_ppm=200_000))
    assert plan.fills == fills
    assert plan.updates[-1] == "canceled"


def test_a_share_of_equity_may_be_fill_or_kill():
    """Its size is known when it trades: 10% of the cash, all of it or nothing."""
    for volume_ppm, fills in ((None, [(100, 1_000)]), (1_000_000, [])):
        plan = Plan((1, lambda ctx: ctx.buy(fraction=0.1, time_in_force="fok")))
        bars = [(0, 100, 100, 100, 100), (1, 100, 100, 100, 100), (2, 100, 100, 100, 100)]
        run(plan, bars, volume=999, slippage=SlippageSpec(volume_ppm=volume_ppm, range_ppm=1))
        assert plan.fills == fills


@pytest.mark.parametrize("order", list(BarOrder))
def test_a_stop_that_is_hit_where_no_volume_is_left_is_set_off_all_the_same(order):
    """The price turns back, but the stop was hit: it trades as soon as there is volume."""
    plan = Plan((1, lambda ctx: ctx.sell(quantity_lots=3, stop_ticks=95)))
    bars = [
        (0, 100, 100, 100, 100),
        (1, 100, 100, 90, 100, 0),
        (2, 101, 101, 101, 101),
        (3, 102, 102, 102, 102),
    ]
    run(plan, bars, bar_order=order, slippage=SlippageSpec(volume_ppm=500_000))
    # At an open it is the bar before that has volume to give; where a bar is tried whole, the bar itself.
    assert plan.fills == [(102 if order is BarOrder.TIME else 101, 3)]
    assert plan.updates == ["accepted", "triggered"]


@pytest.mark.parametrize("order", list(BarOrder))
def test_no_order_fills_at_a_close_that_was_before_it(order):
    """Sent half an hour after a close, with no bar under way: its first price is the next open."""
    plan = Plan((1.5, lambda ctx: ctx.buy(quantity_lots=1)))
    run(plan, [(0, 100, 100, 100, 100), (5, 107, 108, 106, 107)], bar_order=order, bar_fill=BarFill.CLOSE)
    assert plan.fills == [(107, 1)]


@pytest.mark.parametrize("order", list(BarOrder))
def test_a_stop_in_a_gap_fills_at_the_open_behind_it(order):
    """No bar has a price between a close of 100 and an open of 109."""
    plan = Plan((1, lambda ctx: ctx.buy(quantity_lots=1, stop_ticks=105)))
    run(plan, [(0, 100, 100, 100, 100), (1, 109, 110, 108, 109)], bar_order=order, bar_fill=BarFill.CLOSE)
    assert plan.fills == [(109, 1)]


class Reenters(Plan):
    """Sends an order because of each fill."""

    def on_fill(self, ctx, fill):
        """Buy once more."""
        super().on_fill(ctx, fill)
        ctx.buy(quantity_lots=1)


@pytest.mark.parametrize("bar_fill", list(BarFill))
def test_what_is_sent_because_the_data_ended_neither_trades_nor_waits(bar_fill):
    """The last lot is closed at the last close; the answer to that fill finds no market any more."""
    plan = Reenters((2, lambda ctx: ctx.buy(quantity_lots=1)))
    bars = [(hour, 100, 100, 100, 100) for hour in range(4)]
    engine = run(plan, bars, bar_fill=bar_fill, finalize=Finalize.CLOSE)
    assert engine.summary().positions == {}
    assert engine.kernel.open_orders() == []
    assert plan.updates[-2:] == ["accepted", "canceled"]


@pytest.mark.parametrize("order", list(BarOrder))
def test_a_last_bar_that_counts_once_more_has_its_volume_once_more(order):
    """Two lots of the last bar were taken by an entry; the order that closes them gets two as well."""
    plan = Plan((2, lambda ctx: ctx.buy(quantity_lots=2)))
    bars = [(hour, 100, 100, 100, 100) for hour in range(3)]
    slippage = SlippageSpec(volume_ppm=200_000)
    engine = run(plan, bars, volume=10, bar_order=order, slippage=slippage, finalize=Finalize.LAST_OPEN)
    assert engine.summary().positions == {}
