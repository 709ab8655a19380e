"""The small inputs that once showed faults in fills against bars, each with its right answer."""

import json
from itertools import product

import numpy as np
import pytest

from support.command_line import CommandLine
from support.peer_backtest import load
from support.shared import shared_data
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

DAY_NS = 86_400_000_000_000
# Entry and exit prices, and the commission at 1% for a taker and nothing for a maker.
CASES = {
    "through": [(100, 100, 2.0)],
    "touch": [(100, 100, 2.0)],
    "trail_entry": [(5_000, 4_950, 99.5)],
    "trail_tp": [(100, 110, 1.0)],
    "day_limit": [(95, 100, 1.0), (95, 100, 1.0)],
    "take_profit_fee": [(110, 110, 2.2)],
    "post_only": [(100, 103, 1.03)],
}


def test_every_case_comes_out_right(tmp_path):
    """The command says what really can be had of these bars, with either bar order."""
    folder = shared_data("MANIFEST.csv").parents[1] / "cases" / "bars"
    if not folder.exists():
        pytest.skip("no shared/cases beside the repository")
    for name, order in product(CASES, ("time", "queue")):
        answer, _ = CommandLine(tmp_path).run(
            "backtest", folder / f"{name}.toml", "--json", "--set", f"venue.bar_order={order}"
        )
        trades = json.loads(answer)["trades"]

        names = ("entry_price", "exit_price", "commission")
        seen = [tuple(round(float(trade[name]), 9) for name in names) for trade in trades]
        assert seen == expected(name, order), (name, order)


def expected(name, order):
    """Give the answer; in the order of the queue an exit after an entry comes with the next bar."""
    later = {
        "trail_entry": [(5_000, 4_900, 99.0)],
        "trail_tp": CASES["trail_tp"],
        "take_profit_fee": CASES["take_profit_fee"],
    }
    return later.get(name, CASES[name]) if order == "queue" else CASES[name]


class DayLimit:
    """Sends an order for the day at 99% of every close and counts what fills."""

    def __init__(self):
        self.sent, self.filled = [], set()

    def on_bar(self, ctx, bar):
        """Send the next order."""
        order_id = ctx.buy(quantity_lots=1, limit_ticks=bar.close_ticks * 99 // 100, time_in_force="day")
        assert order_id
        self.sent.append(order_id)

    def on_fill(self, ctx, fill):
        """Remember it."""
        self.filled.add(fill.order_id)


@pytest.mark.parametrize("order", list(BarOrder))
def test_every_day_order_on_daily_bars_meets_the_next_session(order):
    """Weekends and holidays included: an order fills if the next bar comes down to it, and only then."""
    bars = load("BTC-USD")
    count = 400
    columns = [getattr(bars, name)[:count] for name in ("open", "high", "low", "close", "volume")]
    batch = EventBatch()
    batch.bars(0, bars.times_ns[:count], bars.times_ns[:count] + DAY_NS, *columns)
    strategy = DayLimit()
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="BTC-USD", tick_size="0.01"),),
        account=AccountSpec(cash="1000000000"),
        venue=VenueSpec(bar_order=order),
    )
    run(spec, [StrategyBinding(name="s", strategy=strategy)], batch)

    limits = bars.close[: count - 1] * 99 // 100
    reached = np.flatnonzero(bars.low[1:count] <= limits)
    assert [strategy.sent.index(number) for number in sorted(strategy.filled)] == reached.tolist()
    assert len(reached) > 150
