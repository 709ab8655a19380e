"""A wrong name in a strategy is answered with the name that was meant."""

import numpy as np
import pytest

from tradecore import EngineSpec, EventBatch, InstrumentSpec, Mode, StrategyBinding
from tradecore.backtest import run
from tradecore.domain import StrategyError

SPEC = EngineSpec(mode=Mode.BACKTEST, instruments=(InstrumentSpec(symbol="A", tick_size="1"),))


class Own:
    """Has a name of its own, and does what a test says."""

    def __init__(self, does) -> None:
        self.threshold = 1
        self.does = does

    def on_bar(self, ctx, bar) -> None:
        """Do it."""
        self.does(self, ctx, bar)


@pytest.mark.parametrize(
    ("does", "name"),
    [
        (lambda _, ctx, bar: ctx.smma(3), "sma"),
        (lambda _, ctx, bar: ctx.positions, "position"),
        (lambda _, ctx, bar: ctx.now, "now_ns"),
        (lambda _, ctx, bar: bar.Close, "close"),
        (lambda _, ctx, bar: bar.time, "time_ns"),
        (lambda own, ctx, bar: own.treshold, "threshold"),
        (lambda own, ctx, bar: own.buy(), "ctx.buy"),
        (lambda _, ctx, bar: ctx.buy(qty=1), "quantity"),
        (lambda _, ctx, bar: ctx.buy(quantity=1, tif="gtc"), "time_in_force"),
        (lambda _, ctx, bar: ctx.sell(quantity=1, stoploss=1), "stop_loss"),
        (lambda _, ctx, bar: ctx.close(symbol="A"), "instrument_id"),
        (lambda _, ctx, bar: ctx.target(1, price=3), None),
        (lambda _, ctx, bar: ctx.portfolio, None),
        (lambda own, ctx, bar: own.does.rows, None),
        (lambda _, ctx, bar: None.nothing, None),
        (lambda _, ctx, bar: len(bar=bar), None),
    ],
)
def test_a_wrong_name_is_answered_with_the_one_that_was_meant(does, name):
    """As Python's own traceback would, and for names that other programs use; else nothing is guessed."""
    bars = EventBatch()
    one = np.ones(1, np.int64)
    bars.bars(0, one - 1, one * 60, one, one, one, one, one)
    with pytest.raises(StrategyError) as caught:
        run(SPEC, [StrategyBinding(name="own", strategy=Own(does))], bars)
    text = str(caught.value)
    assert "\n" not in text
    assert f"; did you mean {name}? (test_meant.py line " in text if name else "did you mean" not in text
