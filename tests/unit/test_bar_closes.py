"""`bar_fill = "close"` with several instruments: which close an order fills at."""

import numpy as np
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


class InAndOut:
    """Buys one lot of the first instrument at its first bar and is out again after the third."""

    def __init__(self):
        self.bars = 0

    def on_bar(self, ctx, bar):
        """Count the bars of the first instrument."""
        if bar.instrument_id == 0:
            self.bars += 1
            if self.bars == 1:
                ctx.buy(quantity_lots=1)
            elif self.bars == 3:
                ctx.close()


class BuysAll:
    """Buys one lot of everything when the bar of one instrument closes at three."""

    def __init__(self, decides_on):
        self.decides_on = decides_on
        self.filled = {}
        self.told = {}

    def on_bar(self, ctx, bar):
        """Buy at three."""
        if bar.instrument_id == self.decides_on and bar.time_ns == 3 * HOUR_NS:
            for instrument in range(3):
                ctx.buy(quantity_lots=1, instrument_id=instrument)

    def on_fill(self, ctx, fill):
        """Remember price and hour."""
        self.filled[fill.instrument_id] = fill.price_ticks
        self.told[fill.instrument_id] = ctx.now_ns / HOUR_NS


def bars_of(instrument, *hours):
    """Give bars from hour to hour whose prices name their times: 100 * instrument + 10 * hour, closes + 9."""
    batch = EventBatch()
    for start, end in hours:
        opened, closed = 10 * start + 100 * instrument, 10 * end + 9 + 100 * instrument
        times_ns = (start * HOUR_NS, end * HOUR_NS)
        columns = [np.array([value]) for value in (*times_ns, opened, closed, opened, closed, 9)]
        batch.bars(instrument, *columns)
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
    hourly = [(hour, hour + 1) for hour in range(4)]
    batches = {0: bars_of(0, *hourly), 1: bars_of(1, *hourly), 2: bars_of(2, (0, 2), (2, 4))}
    sources = [batches[instrument] for instrument in order]
    run(spec, [StrategyBinding(name="s", strategy=strategy, instruments=(0, 1, 2))], *sources)

    assert strategy.filled == {0: 39, 1: 139, 2: 249}
    assert strategy.told == {0: 3, 1: 3, 2: 4}


def test_an_order_fills_at_the_next_open_where_no_bar_closes_or_is_under_way():
    """An instrument without a bar at that moment has its first price when its next bar opens."""
    strategy = BuysAll(0)
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in "ABC"),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(bar_fill=BarFill.CLOSE),
    )
    sources = [bars_of(0, (2, 3)), bars_of(1, (0, 1), (4, 5)), bars_of(2, (0, 1), (3, 4))]
    run(spec, [StrategyBinding(name="s", strategy=strategy, instruments=(0, 1, 2))], *sources)

    assert strategy.filled == {0: 39, 1: 140, 2: 230}
    assert strategy.told == {0: 3, 1: 4, 2: 3}


@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_bought_at_an_open_is_no_part_of_another_close_of_that_moment(is_first):
    """An instrument that is never traded changes no row of the equity, whichever source comes first."""

    def equity(*others):
        prices = np.array([100, 100, 100, 50, 50, 50])
        opens = np.arange(6) * HOUR_NS
        traded = EventBatch()
        traded.bars(0, opens, opens + HOUR_NS, prices, prices, prices, prices, prices)
        flat = EventBatch()
        flat.bars(1, opens, opens + HOUR_NS, *[np.full(6, 7)] * 5)
        spec = EngineSpec(
            mode=Mode.BACKTEST,
            instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in "AB"),
            account=AccountSpec(cash="1000"),
        )
        sources = [traded, *[flat for _ in others]]
        sources = sources if is_first else sources[::-1]
        binding = StrategyBinding(name="s", strategy=InAndOut(), instruments=(0, 1))
        return run(spec, [binding], *sources).equity.tolist()

    assert equity("B") == equity() == [1_000, 1_000, 1_000, 950, 950, 950]
