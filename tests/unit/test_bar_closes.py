"""`bar_fill = "close"` with several instruments: which close an order fills at."""

import pytest

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

HOUR_NS = 3_600_000_000_000


class BuysAll:
    """Buys one lot of everything when the first bar of one instrument closes."""

    def __init__(self, decides_on):
        self.decides_on = decides_on
        self.filled = {}
        self.told = {}

    def on_bar(self, ctx, bar):
        if bar.instrument_id == self.decides_on and bar.time_ns == HOUR_NS:
            for instrument in range(3):
                ctx.buy(quantity_lots=1, instrument_id=instrument)

    def on_fill(self, ctx, fill):
        self.filled[fill.instrument_id] = fill.price_ticks
        self.told[fill.instrument_id] = ctx.now_ns / HOUR_NS


def bars_of(instrument, first, hours):
    """Give bars whose prices name their hour: open 10, close 19 in the first, 20 and 29 in the second."""
    batch = EventBatch()
    for hour in range(first, 4, hours):
        prices = [[price + 100 * instrument] for price in (10 * hour + 10, 10 * hour + 19, 10 * hour + 10)]
        end = hour + hours
        close = [10 * end + 9 + 100 * instrument]
        batch.bars(instrument, [hour * HOUR_NS], [end * HOUR_NS], prices[0], close, prices[2], close, [9])
    return batch


@pytest.mark.parametrize("decides_on", [0, 1])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_an_order_fills_at_the_close_of_its_own_instrument_at_that_moment(decides_on, order):
    """Two bars close together: it does not matter which of them the engine is told first."""
    strategy = BuysAll(decides_on)
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in "ABC"),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(bar_fill=BarFill.CLOSE, bar_order=BarOrder.TIME),
    )
    # The third has a bar of two hours under way: its first price that is known is that bar's close.
    batches = {0: bars_of(0, 0, 1), 1: bars_of(1, 0, 1), 2: bars_of(2, 0, 2)}
    sources = [batches[instrument] for instrument in order]
    run(spec, [StrategyBinding(name="s", strategy=strategy, instruments=(0, 1, 2))], *sources)

    assert strategy.filled == {0: 19, 1: 119, 2: 229}
    assert strategy.told == {0: 1, 1: 1, 2: 2}


def test_an_order_fills_at_the_next_open_where_no_bar_closes_or_is_under_way():
    """An instrument without a bar at that moment has its first price when its next bar opens."""
    strategy = BuysAll(0)
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in "ABC"),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(bar_fill=BarFill.CLOSE),
    )
    sources = [bars_of(0, 0, 1), bars_of(1, 2, 1), bars_of(2, 1, 1)]
    run(spec, [StrategyBinding(name="s", strategy=strategy, instruments=(0, 1, 2))], *sources)

    assert strategy.filled == {0: 19, 1: 130, 2: 220}
    assert strategy.told == {0: 1, 1: 2, 2: 1}
