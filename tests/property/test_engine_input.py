"""Whatever is fed to an engine, it is taken or it is one error; the split into batches changes nothing."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    VenueSpec,
)
from tradecore.domain.errors import BrokenInvariantError
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

numbers = st.one_of(
    st.integers(90, 110), st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1]), st.integers(-(2**63), 2**63 - 1)
)
calls = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), numbers, numbers, numbers, numbers, numbers),
        st.tuples(st.just("trade"), numbers, numbers, numbers, st.booleans()),
        st.tuples(st.just("clock"), numbers),
        st.tuples(st.just("feed_lost"), numbers),
    ),
    max_size=20,
)
prices = st.lists(
    st.tuples(st.integers(0, 3), st.integers(90, 110), st.integers(1, 5)), min_size=1, max_size=40
)


class Turns:
    """Buys and sells in turn, with exits."""

    def __init__(self) -> None:
        self.side = 1

    def on_quote(self, ctx, quote) -> None:
        """Turn around."""
        send = ctx.buy if self.side > 0 else ctx.sell
        send(quantity_lots=2, stop_loss_ticks=100 - 5 * self.side, take_profit_ticks=100 + 5 * self.side)
        self.side = -self.side


def engine_of(matching, **latencies):
    """Return an engine with one strategy."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="100000"),
        venue=VenueSpec(matching=matching, **latencies),
    )
    return Engine(spec, [StrategyBinding(name="turns", strategy=Turns())], recording=True)


@given(calls=calls, matching=st.sampled_from([Matching.QUOTES, Matching.BOOK, Matching.BARS]))
@settings(max_examples=150)
def test_any_numbers_are_taken_or_are_one_error(calls, matching):
    """No number stops the process: the batch is refused whole, or the engine says that it stopped."""
    engine = engine_of(matching)
    for name, time_ns, *rest in calls:
        batch = EventBatch()
        arguments = (time_ns,) if name == "clock" else (time_ns, 0, *rest)
        getattr(batch, name)(*arguments)
        try:
            engine.feed(batch)
        except InvalidValueError:
            assert engine.run() == 0
            continue
        with contextlib.suppress(BrokenInvariantError):
            engine.run()
            continue
        return


@given(
    prices=prices, cuts=st.sets(st.integers(0, 40)), delays=st.tuples(st.integers(0, 3), st.integers(0, 3))
)
@settings(max_examples=100)
def test_the_split_into_batches_changes_no_frame(prices, cuts, delays):
    """One batch or forty: the same bytes, the same digest, the same state."""

    def play(cuts):
        engine = engine_of(Matching.QUOTES, order_latency_ns=delays[0], report_latency_ns=delays[1])
        batch, time_ns = EventBatch(), 0
        for index, (wait_ns, bid_ticks, lots) in enumerate(prices):
            time_ns += wait_ns
            batch.quote(time_ns, 0, bid_ticks, lots, bid_ticks + 1, lots)
            if index in cuts:
                engine.feed(batch)
                engine.run()
                batch = EventBatch()
        engine.feed(batch)
        engine.run()
        return engine.take_frames(), engine.orders_digest(), engine.state_hash()

    assert play(cuts) == play(set())
