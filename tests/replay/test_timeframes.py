"""Bars of several lengths on paper, in a backtest of the journal, in its replay and after a restart."""

import numpy as np

from replay.test_one_engine import tradecore
from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, VenueSpec
from tradecore.domain.journal import JournalFolder, events_from_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

HOUR_NS = 3_600_000_000_000
MINUTE_NS = HOUR_NS // 60

STRATEGY = '''
class Trend:
    """Buys in a second that ends above the average of the last five-second bars, and closes below it."""

    def on_start(self, ctx):
        self.slow = ctx.sma(2, bars="5s")

    def on_bar(self, ctx, bar):
        if bar.timeframe != "1s" or not self.slow.is_warm:
            return
        if bar.close > self.slow.value and ctx.position_lots() == 0:
            ctx.buy(quantity_lots=10)
        elif bar.close < self.slow.value and ctx.position_lots() > 0:
            ctx.close()
'''
CONFIG = """
mode = "paper"
[account]
cash = 1_000_000
[feed]
kind = "simulated"
seed = 11
seconds = 60
virtual = true
[[instruments]]
symbol = "BTC-USD"
tick_size = 0.01
lot_size = 0.0001
[strategy]
class = "trend.py:Trend"
bars = ["1s", "5s"]
first_bar = "whole"
history = 3
"""


def test_a_session_its_backtest_its_replay_and_its_restart_are_the_same(tmp_path):
    """The journal names the lengths as they were written, and what is built from them comes out alike."""
    (tmp_path / "trend.py").write_text(STRATEGY, encoding="utf-8")
    config = tmp_path / "run.toml"
    config.write_text(CONFIG, encoding="utf-8")
    ran = tradecore(tmp_path, "run", str(config))
    tested = tradecore(tmp_path, "backtest", str(config), "--set", f"data.path={ran['journal']}")
    replayed = tradecore(tmp_path, "journal", "replay", str(ran["journal"]))
    again = tradecore(tmp_path, "run", str(config), "--set", f"journal.path={ran['journal']}")

    assert ran["orders"] > 4
    assert ran["orders_digest"] == tested["orders_digest"] == replayed["orders_digest"]
    assert ran["state_hash"] == replayed["state_hash"] == again["state_hash"]
    start = next(
        fields for _, _, _, fields in JournalFolder(ran["journal"]).reader() if "Trend" in str(fields)
    )
    assert '"bars":["1s","5s"]' in str(start).replace(" ", "").replace("'", '"')


class OnHours:
    """Trades on bars of a quarter of an hour by what the last hour and the last day were."""

    def on_bar(self, ctx, bar):
        """Turn around with the hour."""
        hours, days = (ctx.history("close", 2, bars=length) for length in ("1h", "1d"))
        if bar.timeframe == "15m" and len(hours) == 2 and len(days):
            ctx.target(1 if hours[1] > hours[0] else -1)


def test_an_engine_on_given_bars_gives_the_same_frames_from_what_it_recorded():
    """Gaps included, and from the recorded events alone."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(day_end_ns=22 * HOUR_NS),
    )
    rng = np.random.default_rng(5)
    starts = np.arange(0, 5 * 24 * HOUR_NS, 15 * MINUTE_NS, dtype=np.int64)
    starts = starts[rng.random(len(starts)) < 0.8]
    closes = 1_000 + np.cumsum(rng.integers(-5, 6, len(starts)))
    opens = np.concatenate([closes[:1], closes[:-1]])
    high, low = np.maximum(opens, closes) + 2, np.minimum(opens, closes) - 2
    batch = EventBatch()
    batch.bars(0, starts, starts + 15 * MINUTE_NS, opens, high, low, closes, np.ones_like(starts))

    def engine():
        bars = ("15m", "1h", "1d")
        return Engine(
            spec, [StrategyBinding(name="hours", strategy=OnHours(), bars=bars, history=2)], recording=True
        )

    first = engine()
    first.feed(batch)
    first.run()
    frames = first.take_frames()
    assert first.summary().orders > 20

    recorded = EventBatch()
    events_from_frames(frames, recorded)
    second = engine()
    second.feed(recorded)
    second.run()
    assert second.take_frames() == frames
    assert second.state_hash() == first.state_hash()
