"""In which order events are taken: by time, then by source, and never from before."""

import pytest

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, InvalidValueError, RiskSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(
    instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in ("GOLD", "TIN")),
    account=AccountSpec(cash="1000"),
    risk=RiskSpec(),
)


class Sees:
    """Notes of which instrument each quote was."""

    def __init__(self):
        self.seen = []

    def on_quote(self, ctx, quote):
        """Note it."""
        self.seen.append((ctx.now_ns, quote.instrument_id))

    def save_state(self, ctx):
        """Keep nothing."""

    def load_state(self, ctx, state):
        """Need nothing."""


def engine_of():
    """Return a recording engine and its strategy."""
    strategy = Sees()
    binding = StrategyBinding(name="sees", strategy=strategy, instruments=(0, 1))
    return Engine(SPEC, [binding], recording=True), strategy


def quotes(instrument_id, *times):
    """Return quotes of an instrument."""
    batch = EventBatch()
    for time_ns in times:
        batch.quote(time_ns, instrument_id, 99, 1, 101, 1)
    return batch


def test_of_events_at_one_time_those_of_the_lower_source_come_first():
    """Whichever was fed first."""
    engine, strategy = engine_of()
    engine.feed(quotes(1, 5, 7), source=1)
    engine.feed(quotes(0, 5, 6, 7), source=0)
    engine.run()
    assert strategy.seen == [(5, 0), (5, 1), (6, 0), (7, 0), (7, 1)]


def test_an_engine_that_goes_on_from_a_snapshot_takes_nothing_from_before():
    """What each source was fed is part of the state: time falls for nobody."""
    engine, _ = engine_of()
    engine.feed(quotes(0, 5, 9))
    engine.run()
    engine.take_frames()
    kept = engine.keep()
    again, strategy = engine_of()
    again.go_on(kept.body, kept.states)
    with pytest.raises(InvalidValueError, match="times must not fall"):
        again.feed(quotes(0, 8))
    again.feed(quotes(0, 9))
    again.run()
    assert strategy.seen == [(9, 0)]
