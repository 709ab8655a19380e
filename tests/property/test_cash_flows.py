"""Funding and interest on shorts against plain fractions, and their replay from the journal."""

from hypothesis import given, settings
from hypothesis import strategies as st

from support.plain_money import DAY_NS, PlainAccount, atto
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
from tradecore.domain.journal import decode_frames, events_from_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

CASH = "1000000000"
UNITS = [10**16, 10**18]
BORROW_PPM = [0, 250_000]
SPEC = EngineSpec(
    mode=Mode.BACKTEST,
    instruments=(
        InstrumentSpec(symbol="PERP", tick_size="0.01"),
        InstrumentSpec(symbol="STOCK", tick_size="1", borrow_ppm=BORROW_PPM[1]),
    ),
    account=AccountSpec(cash=CASH),
    fees=FeesSpec(maker_bps="-0.3", taker_bps="4.7"),
    venue=VenueSpec(matching=Matching.QUOTES),
)


class Follows:
    """Sends what a list says, by the number of its quotes, and tells a plain account of its fills."""

    def __init__(self, strategy_id, wishes, plain=None) -> None:
        self.strategy_id = strategy_id
        self.wishes = iter(wishes)
        self.plain = plain
        self.flows = []

    def on_quote(self, ctx, quote) -> None:
        """Send the next wish."""
        lots = next(self.wishes)[self.strategy_id]
        if lots:
            send = ctx.buy if lots > 0 else ctx.sell
            send(quantity_lots=abs(lots), instrument_id=quote.instrument_id)

    def on_fill(self, ctx, fill) -> None:
        """Book it."""
        if self.plain is not None:
            signed = fill.signed_lots
            self.plain.fill(self.strategy_id, fill.instrument_id, signed, fill.price_ticks, fill.fee_atto)

    def on_cash_flow(self, ctx, flow) -> None:
        """Keep it."""
        self.flows.append((flow.time_ns, flow.kind, self.strategy_id, flow.instrument_id, flow.amount_atto))


def engine_of(wishes, plain=None):
    """Return an engine with two strategies that follow the wishes."""
    strategies = [Follows(strategy_id, wishes, plain) for strategy_id in range(2)]
    bindings = [
        StrategyBinding(name=f"follows-{index}", strategy=strategy, instruments=(0, 1))
        for index, strategy in enumerate(strategies)
    ]
    return Engine(SPEC, bindings, recording=True), strategies


instruments = st.integers(0, 1)
prices = st.integers(1, 20_000)
gaps = st.one_of(st.integers(0, 10**9), st.integers(0, 3 * DAY_NS), st.sampled_from([DAY_NS, DAY_NS // 2]))
wish = st.tuples(st.integers(-40, 40), st.integers(-40, 40))
steps = st.one_of(
    st.tuples(st.just("quote"), gaps, instruments, prices, wish),
    st.tuples(st.just("mark"), gaps, instruments, prices, st.none()),
    st.tuples(st.just("funding"), gaps, instruments, st.integers(-(10**7), 10**7), st.integers(0, 20_000)),
    st.tuples(st.just("clock"), gaps, instruments, st.none(), st.none()),
)


def fed(engine, kind, now_ns, instrument, value, extra):
    """Feed one step and run it."""
    batch = EventBatch()
    if kind == "quote":
        batch.quote(now_ns, instrument, value, 1_000, value + 2, 1_000)
    elif kind == "mark":
        batch.mark(now_ns, instrument, value)
    elif kind == "funding":
        batch.funding(now_ns, instrument, value, extra)
    else:
        batch.clock(now_ns)
    engine.feed(batch)
    engine.run()


@settings(max_examples=150)
@given(script=st.lists(steps, min_size=1, max_size=50))
def test_every_funding_and_all_interest_are_exact(script):
    """Amounts, their order, cash and equity are those of fractions, after every single event."""
    wishes = [step[4] for step in script if step[0] == "quote"]
    plain = PlainAccount(atto(CASH), UNITS, BORROW_PPM)
    engine, strategies = engine_of(wishes, plain)
    now_ns = 0
    for kind, gap_ns, instrument, value, extra in script:
        now_ns += gap_ns
        plain.advance(now_ns)
        if kind == "quote":
            plain.learn(instrument, value + 1, is_mark=False)
        elif kind == "mark":
            plain.learn(instrument, value, is_mark=True)
        elif kind == "funding":
            plain.fund(now_ns, instrument, value, extra)
        fed(engine, kind, now_ns, instrument, value, extra)
        money = engine.kernel.money()
        assert money["cash"] == plain.cash
        assert money["equity"] == plain.equity()
        engine.kernel.check()
    engine.finish()
    plain.charge(now_ns)

    assert engine.kernel.money()["cash"] == plain.cash
    told = [flow for strategy in strategies for flow in strategy.flows]
    assert sorted(told) == sorted(plain.flows)
    for kind in ("funding", "borrow"):
        assert engine.kernel.money()[kind] == sum(flow[4] for flow in plain.flows if flow[1] == kind)
        for strategy_id in range(2):
            for instrument_id in range(2):
                own = [f[4] for f in plain.flows if f[1:4] == (kind, strategy_id, instrument_id)]
                assert engine.kernel.received(strategy_id, instrument_id, kind) == sum(own)


@settings(max_examples=40)
@given(script=st.lists(steps, min_size=1, max_size=30))
def test_a_replay_of_the_input_gives_the_same_bytes(script):
    """Fundings, marks and what they cost are the same frames and the same state when they are replayed."""
    wishes = [step[4] for step in script if step[0] == "quote"]
    engine, _ = engine_of(wishes)
    now_ns = 0
    for kind, gap_ns, instrument, value, extra in script:
        now_ns += gap_ns
        fed(engine, kind, now_ns, instrument, value, extra)
    frames = engine.take_frames()

    again, _ = engine_of(wishes)
    batch = EventBatch()
    events_from_frames(frames, batch)
    again.feed(batch)
    again.run()
    assert again.take_frames() == frames
    assert again.state_hash() == engine.state_hash()


def test_a_funding_is_in_the_journal_as_input_and_as_payment():
    """A long of 10 at a mark price of 100 and a rate of 1 basis point pays 0.1."""
    engine, strategies = engine_of([(10, 0)])
    fed(engine, "quote", 1, 0, 9_999, None)
    fed(engine, "funding", 2, 0, 100_000, 10_000)
    kinds = [kind for kind, _, _ in decode_frames(engine.take_frames())]
    assert strategies[0].flows == [(2, "funding", 0, 0, -(10**17))]
    assert kinds[-2:] == ["funding", "cash_flow"]
