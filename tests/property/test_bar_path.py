"""An entry and its exit against bars, through the whole engine, beside a plain walk along the path."""

from itertools import pairwise

import numpy as np
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

HOUR_NS = 3_600_000_000_000
PRICES = st.integers(80, 120)
WAYS = ("before", "after", "on_fill")


class EntryAndExit:
    """Enters with a market order at the first bar and sends its exit in one of three ways."""

    def __init__(self, side, kind, way):
        self.side, self.kind, self.way = side, kind, way
        self.sent = False
        self.rejected = []

    def send_exit(self, ctx, **more):
        """Send the exit and say what was answered."""
        leave = ctx.sell if self.side > 0 else ctx.buy
        return leave(quantity_lots=1, **self.kind, **more)

    def on_bar(self, ctx, bar):
        """Enter once."""
        if self.sent:
            return
        self.sent = True
        enter = ctx.buy if self.side > 0 else ctx.sell
        entry = enter(quantity_lots=1)
        if self.way == "after":
            assert self.send_exit(ctx, after=entry, reduce_only=True)
        elif self.way == "before":
            self.send_exit(ctx)

    def on_fill(self, ctx, fill):
        """Leave because of the entry."""
        if self.way == "on_fill" and ctx.position_lots() != 0:
            assert self.send_exit(ctx, reduce_only=True)


def walk(bars, side, kind, order, way):
    """Give the price of the exit, tick by tick; `None` when there is none.

    The exit is there when the price stands at the open of the entry. With the bar order "queue" what the
    entry's fill brings about comes with the next bar, because the whole bar is tried at its close.
    """
    starts = 1 if order is BarOrder.TIME or way == "before" else 2
    sign = -side  # of the exit: +1 buys
    stop, touch, limit, trail = (kind.get(f"{name}_ticks") for name in ("stop", "touch", "limit", "trail"))
    activation, best = kind.get("activation_ticks", 0), None
    awake = stop is None and touch is None and trail is None
    for opened, high, low, close in bars[starts:]:
        corners = [opened, low, high, close] if sign < 0 else [opened, high, low, close]
        rests = True
        for step, price in enumerate(ticks(corners)):
            if not awake:
                if stop is not None:
                    awake = sign * (price - stop) >= 0
                elif touch is not None:
                    awake = sign * (touch - price) >= 0
                elif best is None:
                    is_active = not activation or sign * (activation - price) >= 0
                    best = price if is_active else None
                else:
                    awake = sign * (price - best) >= trail
                    best = min(best, price) if sign > 0 else max(best, price)
                if not awake:
                    continue
                # What is set off inside a bar and cannot trade there waits for the next bar.
                rests = step == 0 or limit is None or sign * (limit - price) >= 0
            if rests and (limit is None or sign * (limit - price) >= 0):
                return price
    return None


def ticks(corners):
    """Give every price on the way."""
    yield corners[0]
    for start, end in pairwise(corners):
        step = 1 if end > start else -1
        yield from range(start + step, end + step, step)


def backtest(bars, strategy, order):
    """Run a strategy over bars of an hour."""
    batch = EventBatch()
    times_ns = np.arange(len(bars), dtype=np.int64) * HOUR_NS
    columns = [np.array(column, dtype=np.int64) for column in zip(*bars, strict=True)]
    batch.bars(0, times_ns, times_ns + HOUR_NS, *columns, np.full(len(bars), 1_000, dtype=np.int64))
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="X", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(bar_order=order),
    )
    return run(spec, [StrategyBinding(name="s", strategy=strategy)], batch)


@st.composite
def histories(draw):
    """Draw bars that are possible."""
    bars = []
    for _ in range(draw(st.integers(3, 8))):
        opened, close = draw(PRICES), draw(PRICES)
        up, down = draw(st.integers(0, 15)), draw(st.integers(0, 15))
        bars.append((opened, max(opened, close) + up, min(opened, close) - down, close))
    return bars


KINDS = st.one_of(
    st.builds(lambda price: {"limit_ticks": price}, PRICES),
    st.builds(lambda price: {"stop_ticks": price}, PRICES),
    st.builds(lambda stop, limit: {"stop_ticks": stop, "limit_ticks": limit}, PRICES, PRICES),
    st.builds(lambda price: {"touch_ticks": price}, PRICES),
    st.builds(lambda touch, limit: {"touch_ticks": touch, "limit_ticks": limit}, PRICES, PRICES),
    st.builds(lambda trail: {"trail_ticks": trail}, st.integers(1, 30)),
    st.builds(
        lambda trail, price: {"trail_ticks": trail, "activation_ticks": price}, st.integers(1, 30), PRICES
    ),
)


@settings(max_examples=600)
@given(
    bars=histories(),
    side=st.sampled_from([1, -1]),
    kind=KINDS,
    way=st.sampled_from(WAYS),
    order=st.sampled_from(list(BarOrder)),
)
@example(
    bars=[(100, 100, 100, 100), (100, 101, 99, 100), (100, 100, 100, 100)],
    side=1,
    kind={"stop_ticks": 120, "limit_ticks": 1},
    way="after",
    order=BarOrder.TIME,
)
def test_an_exit_fills_where_a_walk_along_the_path_fills_it(bars, side, kind, way, order):
    """Whatever the kind, the side, the way of arriving and the bar order: the price is that of the walk."""
    result = backtest(bars, EntryAndExit(side, kind, way), order)

    # An order that waits since before the open may trade before the entry where queues are in that order.
    expected = walk(bars, side, kind, order, way)
    trades = result.trades
    assert [int(price) for price in trades["exit_price"]] == ([] if expected is None else [expected])
    if expected is not None:
        assert int(trades["entry_price"][0]) == bars[1][0]
        assert any(low <= expected <= high for _, high, low, _ in bars[1:])
