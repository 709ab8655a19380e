"""Decision gates that a user brings: what they are shown, and what happens when they go wrong."""

import gc
import weakref

import pytest

from tradecore.decision import Cooldown, GateVerdict, MaxSpread, TradingHours
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    GateError,
    InstrumentSpec,
    Matching,
    StrategyError,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames, events_from_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
    account=AccountSpec(cash="100000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)


class Acts:
    """Does the next of several things at every quote, and keeps what came of it."""

    def __init__(self, *acts):
        self.acts = list(acts)
        self.answers = []

    def on_quote(self, ctx, quote):
        """Do the next thing."""
        if self.acts:
            self.answers.append(self.acts.pop(0)(ctx))


class Keeps:
    """Keeps every view and answers by a function of it."""

    def __init__(self, judge=lambda view: True):
        self.judge = judge
        self.views = []

    def check(self, view, /):
        """Judge."""
        self.views.append(view)
        return GateVerdict("keeps", 1.0, 0.0, self.judge(view))


def engine_of(strategy, *gates):
    """Build an engine that keeps its frames."""
    return Engine(SPEC, [StrategyBinding(name="acts", strategy=strategy)], recording=True, gates=gates)


def quoted(engine, quotes=8):
    """Feed quotes of 100 to 101, ten lots each, and trades at 94 between them."""
    batch = EventBatch()
    for second in range(quotes):
        batch.quote(second * 1_000_000_000, 0, 100, 10, 101, 10)
        batch.trade(second * 1_000_000_000 + 500, 0, 94, 2, False)
    engine.feed(batch)
    engine.run()


def test_a_gate_is_shown_every_kind_of_request_as_it_will_be():
    """New orders, amendments, what is armed and what grows; not what takes risk away."""
    gate = Keeps()
    strategy = Acts(
        lambda ctx: ctx.buy(quantity_lots=6, limit_ticks=95),
        lambda ctx: ctx.buy(quantity_lots=6, limit_ticks=90, after=1),
        lambda ctx: ctx.replace(1, quantity_lots=5, price_ticks=96),
        lambda ctx: ctx.replace(1, quantity_lots=1),
        lambda ctx: ctx.sell(quantity_lots=2, limit_ticks=120),
        lambda ctx: ctx.sell(quantity_lots=9, limit_ticks=120),
        lambda ctx: ctx.close(),
    )
    engine = engine_of(strategy, gate)
    quoted(engine)
    seen = [
        (view.request, view.is_buy, view.quantity_lots, view.price_ticks, view.position_lots, view.is_closing)
        for view in gate.views
    ]
    assert seen == [
        ("new", True, 6, 95, 0, False),
        ("new", True, 6, 90, 2, False),
        ("arm", True, 2, 90, 2, False),
        ("grow", True, 4, 90, 4, False),
        ("amend", True, 5, 96, 4, False),
        ("grow", True, 6, 90, 6, False),
        ("new", False, 2, 120, 7, True),
        ("new", False, 9, 120, 7, False),
    ], seen
    first = gate.views[0]
    assert (first.strategy, first.now_ns, first.last_entry_ns) == ("acts", 0, None)
    assert (first.best_bid_ticks, first.best_ask_ticks, first.instrument_id) == (100, 101, 0)
    assert gate.views[1].last_entry_ns == 0


def test_what_is_closing_passes_a_gate_that_says_no_and_ends_with_the_position():
    """A position is never trapped, and the order that passed for that can never open another one."""
    gate = Keeps(lambda view: view.request == "new" and view.is_buy)
    strategy = Acts(
        lambda ctx: ctx.buy(quantity_lots=5),
        lambda ctx: (ctx.sell(quantity_lots=9), ctx.sell(quantity_lots=5, limit_ticks=120)),
        lambda ctx: ctx.close(),
    )
    engine = engine_of(strategy, gate)
    quoted(engine)
    refused, resting = strategy.answers[1]
    assert (refused.rule, bool(resting)) == ("decision_gate", True)
    orders = [fields for kind, _, fields in decode_frames(engine.take_frames()) if kind == "order"]
    assert [order["reduce_only"] for order in orders] == [False, True, True]
    assert engine.summary().positions == {}
    assert engine.summary().open_orders == 0


class Fails:
    """Raises, or answers with something else than a verdict."""

    def __init__(self, answer):
        self.answer = answer

    def check(self, view, /):
        """Fail."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (ValueError("no idea"), r"ValueError: no idea \(test_gates_of_users.py line \d+\)"),
        (None, "TypeError: check must return a GateVerdict, not NoneType"),
        (True, "TypeError: check must return a GateVerdict, not bool"),
        (GateVerdict("g", "wide", 0.0, True), "ValueError: could not convert string to float"),
    ],
    ids=["it raises", "it says nothing", "it says yes in another way", "its limit is no number"],
)
def test_a_gate_that_fails_ends_the_run_and_is_named(answer, what):
    """The author of the gate must act: the strategy only asked."""
    engine = engine_of(Acts(lambda ctx: ctx.buy(quantity_lots=1)), Fails(answer))
    with pytest.raises(GateError, match=what) as caught:
        quoted(engine)
    assert isinstance(caught.value, StrategyError)
    assert (caught.value.gate, caught.value.strategy, caught.value.time_ns) == ("Fails", "acts", 0)
    assert str(caught.value).startswith("decision gate 'Fails' failed to judge a request of strategy 'acts'")
    assert engine.summary().orders == 0


def test_a_strategy_cannot_swallow_the_failure_of_a_gate():
    """What a gate did not judge is not sent, and the run ends before anything else happens."""

    def ask(ctx):
        with pytest.raises(GateError):
            ctx.buy(quantity_lots=1)
        with pytest.raises(GateError):
            ctx.buy(quantity_lots=2)

    later = []
    strategy = Acts(ask, later.append)
    engine = engine_of(strategy, Fails(ValueError("no idea")))
    with pytest.raises(GateError, match="no idea"):
        quoted(engine)
    assert (engine.summary().orders, later) == (0, [])
    with pytest.raises(GateError, match="no idea"):
        engine.run()


def test_a_gate_that_fails_while_orders_follow_fills_ends_the_run_too():
    """No strategy is being called then."""

    def judge(view):
        if view.request == "arm":
            raise LookupError("not this one")
        return True

    strategy = Acts(
        lambda ctx: ctx.buy(quantity_lots=6, limit_ticks=95),
        lambda ctx: ctx.buy(quantity_lots=6, limit_ticks=90, after=1),
    )
    with pytest.raises(GateError, match="LookupError: not this one"):
        quoted(engine_of(strategy, Keeps(judge)))


def test_an_interrupt_in_a_gate_stays_one():
    """Who presses Ctrl-C is not told about a gate."""
    engine = engine_of(Acts(lambda ctx: ctx.buy(quantity_lots=1)), Fails(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        quoted(engine)


ASKED = {
    "an order": lambda ctx, engine: ctx.buy(quantity_lots=1),
    "a special order": lambda ctx, engine: ctx.buy(quantity_lots=1, time_in_force="day"),
    "a cancel": lambda ctx, engine: ctx.cancel(1),
    "an amendment": lambda ctx, engine: ctx.replace(1, quantity_lots=2),
    "a close": lambda ctx, engine: ctx.close(),
    "the position": lambda ctx, engine: ctx.position_lots(),
    "the prices": lambda ctx, engine: ctx.best_ticks(),
    "the time": lambda ctx, engine: ctx.now_ns,
    "an order's state": lambda ctx, engine: ctx.is_open(1),
    "a run": lambda ctx, engine: engine.run(),
    "a summary": lambda ctx, engine: engine.summary(),
    "frames": lambda ctx, engine: engine.take_frames(),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_an_engine_answers_nothing_while_it_waits_for_a_gate(ask):
    """Nothing is re-entrant: a gate judges by its view, whatever else it can reach."""
    reached = []

    def judge(view):
        ask(*reached)
        return True

    def buy(ctx):
        reached[:] = [ctx, engine]
        return ctx.buy(quantity_lots=1)

    engine = engine_of(Acts(buy), Keeps(judge))
    with pytest.raises(GateError) as caught:
        quoted(engine)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert engine.summary().orders == 0


def test_equal_events_give_equal_frames_with_gates_of_every_kind():
    """A replay of the recorded events asks the gates the same and writes the same bytes."""

    def run(batch=None):
        strategy = Acts(
            lambda ctx: ctx.buy(quantity_lots=6, limit_ticks=95, stop_loss_ticks=80),
            lambda ctx: ctx.buy(quantity_lots=6, limit_ticks=90, after=1),
            lambda ctx: ctx.replace(1, quantity_lots=8, price_ticks=96),
            lambda ctx: ctx.sell(quantity_lots=2),
            lambda ctx: ctx.sell(quantity_lots=60),
            lambda ctx: ctx.close(),
        )
        small = Keeps(lambda view: view.quantity_lots < 8)
        hours = TradingHours(start=0.0, end=17.0)
        engine = engine_of(strategy, small, MaxSpread(ticks=1), hours, Cooldown(seconds=1.0))
        if batch is None:
            quoted(engine)
        else:
            engine.feed(batch)
            engine.run()
        return engine.take_frames(), engine.state_hash(), small.views

    frames, state, views = run()
    batch = EventBatch()
    events_from_frames(frames, batch)
    assert run(batch) == (frames, state, views)
    kinds = [kind for kind, _, _ in decode_frames(frames)]
    assert {"decision", "refused", "order"} <= set(kinds)
    assert len(views) >= 6


def test_an_engine_that_its_gate_knows_is_freed_with_it():
    """A gate may keep the engine or a context: the garbage collector sees through both."""
    gate = Keeps()
    strategy = Acts(gate.views.append)
    engine = engine_of(strategy, gate)
    gate.engine = engine
    quoted(engine)
    gone = weakref.ref(gate)
    del gate, engine, strategy
    gc.collect()
    assert gone() is None


def test_a_gate_derived_from_a_built_in_one_is_asked_itself():
    """Its class may judge otherwise."""
    base = MaxSpread

    class Never(base, frozen=True, tag="never"):
        """Lets nothing pass."""

        def check(self, view, /):
            """Say no."""
            return GateVerdict("never", 0.0, 1.0, False)

    strategy = Acts(lambda ctx: ctx.buy(quantity_lots=1))
    quoted(engine_of(strategy, Never(ticks=100)))
    assert strategy.answers[0].rule == "decision_gate"
