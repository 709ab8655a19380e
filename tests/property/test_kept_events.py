"""What a strategy keeps of its events stays what it saw, although objects are handed out again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    Matching,
    Mode,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

QUOTE = ("time_ns", "instrument_id", "bid_ticks", "bid_lots", "ask_ticks", "ask_lots")
TRADE = ("time_ns", "instrument_id", "price_ticks", "lots", "aggressor", "trade_id")
FILL = ("time_ns", "instrument_id", "order_id", "side", "price_ticks", "lots", "open_lots", "fee_atto")


class Keeper:
    """Reads every event at once, keeps some of them, and sends an order at each quote."""

    def __init__(self, keeps: list[bool]) -> None:
        self.keeps = keeps
        self.calls = 0
        self.seen: list[tuple] = []
        self.kept: list[tuple] = []

    def note(self, event, names: tuple[str, ...]) -> None:
        """Remember what the event says, and sometimes the event."""
        values = tuple(getattr(event, name) for name in names)
        self.seen.append(values)
        if self.keeps[self.calls % len(self.keeps)]:
            self.kept.append((event, names, values))
        self.calls += 1

    def on_quote(self, ctx, quote) -> None:
        """Keep it or not, and trade."""
        self.note(quote, QUOTE)
        (ctx.buy if self.calls & 1 else ctx.sell)(quantity_lots=1, instrument_id=quote.instrument_id)

    def on_trade(self, ctx, trade) -> None:
        """Keep it or not."""
        self.note(trade, TRADE)

    def on_fill(self, ctx, fill) -> None:
        """Keep it or not."""
        self.note(fill, FILL)


def engine(strategy: Keeper, fee_bps: str = "0") -> Engine:
    """Build an engine of two instruments that matches against quotes."""
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="0.01") for symbol in ("A", "B")),
        account=AccountSpec(cash="1000000"),
        fees=FeesSpec(maker_bps="0", taker_bps=fee_bps),
        venue=VenueSpec(matching=Matching.QUOTES),
    )
    return Engine(spec, [StrategyBinding(name="keeper", strategy=strategy, instruments=(0, 1))])


@given(
    steps=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 50), st.booleans()), min_size=1, max_size=40),
    keeps=st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_a_kept_event_still_says_what_it_said(steps, keeps):
    """An event that a strategy keeps is never rewritten; one that it lets go reads right in its call."""
    strategy = Keeper(keeps)
    runner = engine(strategy)
    batch, expected = EventBatch(), []
    for number, (instrument_id, move, is_buy) in enumerate(steps, 1):
        bid, time_ns = 10_000 + move, number * 10
        batch.quote(time_ns, instrument_id, bid, 5, bid + 2, 6)
        batch.trade(time_ns + 1, instrument_id, bid, move, is_buy, number)
        expected.append((time_ns, instrument_id, bid, 5, bid + 2, 6))
        expected.append((time_ns + 1, instrument_id, bid, move, "buy" if is_buy else "sell", number))

    runner.feed(batch)
    runner.run()

    for event, names, values in strategy.kept:
        assert tuple(getattr(event, name) for name in names) == values
    market = [values for values in strategy.seen if len(values) == len(QUOTE)]
    assert market == expected
    fills = [values for values in strategy.seen if len(values) == len(FILL)]
    assert [fill[2] for fill in fills] == list(range(1, len(steps) + 1))
    prices = [
        step[1] + 10_000 + (2 if fill[3] == "buy" else 0) for step, fill in zip(steps, fills, strict=True)
    ]
    assert [fill[4] for fill in fills] == prices


@given(keeps=st.lists(st.booleans(), min_size=1, max_size=5), fee_bps=st.sampled_from(["-0.5", "0.7"]))
def test_fees_of_both_signs_survive_the_way_through_an_event(keeps, fee_bps):
    """A fee is 128 bits wide; a rebate is below zero."""
    strategy = Keeper(keeps)
    runner = engine(strategy, fee_bps)
    batch = EventBatch()
    for number in range(1, 9):
        batch.quote(number, 0, 10_000, 5, 10_002, 5)
    runner.feed(batch)
    runner.run()

    fees = sum(values[7] for values in strategy.seen if len(values) == len(FILL))
    assert fees == runner.kernel.money()["fees"]
    assert (fees < 0) == fee_bps.startswith("-")


@given(closes=st.lists(st.integers(1, 10**6), min_size=1, max_size=30), keep=st.booleans())
def test_kept_bars_are_the_bars_that_were_fed(closes, keep):
    """A list of bars that a strategy collects is the history."""
    seen: list[tuple[int, int]] = []
    kept: list[object] = []

    class Collector:
        """Notes every close, and keeps the bars."""

        def on_bar(self, ctx, bar) -> None:
            """Note it."""
            seen.append((bar.time_ns, bar.close_ticks))
            if keep:
                kept.append(bar)

    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="A", tick_size="0.01"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.BARS),
    )
    runner = Engine(spec, [StrategyBinding(name="collector", strategy=Collector())])
    batch = EventBatch()
    times, ticks = np.arange(len(closes), dtype=np.int64) * 10, np.array(closes, dtype=np.int64)
    batch.bars(0, times, times + 10, ticks, ticks, ticks, ticks, ticks)
    runner.feed(batch)
    runner.run()

    assert seen == list(zip((times + 10).tolist(), closes, strict=True))
    assert not keep or [(bar.time_ns, bar.close_ticks) for bar in kept] == seen
