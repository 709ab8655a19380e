"""What a strategy may ask of its context, and what it is told when that makes no sense."""

import pytest

from tradecore._core import OrderDesk
from tradecore.decision import Cooldown, GateVerdict, MaxSpread
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    RiskSpec,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

NO_LIMITS = RiskSpec()


class Asks:
    """Runs one function at every quote and keeps what it returns."""

    def __init__(self, ask) -> None:
        self.ask = ask
        self.answers = []

    def on_quote(self, ctx, quote) -> None:
        """Ask."""
        self.answers.append(self.ask(ctx))


def quoted(ask, *, quotes=1, gates=(), risk=NO_LIMITS, recording=False):
    """Run a strategy against quotes of 99 to 101 in two instruments; it sees the first alone."""
    spec = EngineSpec(
        instruments=(
            InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),
            InstrumentSpec(symbol="TIN", tick_size="1"),
        ),
        account=AccountSpec(cash="100000"),
        venue=VenueSpec(matching=Matching.QUOTES),
        risk=risk,
    )
    strategy = Asks(ask)
    engine = Engine(spec, [StrategyBinding(name="asks", strategy=strategy)], gates=gates, recording=recording)
    batch = EventBatch()
    for number in range(quotes):
        batch.quote(1_000 + number, 0, 198, 50, 202, 50)
    engine.feed(batch)
    engine.run()
    return engine, strategy.answers


NONSENSE = {
    "no size": ("quantity", {}),
    "two sizes": ("quantity", {"quantity": 1.0, "quantity_lots": 10}),
    "two limits": ("limit", {"quantity_lots": 1, "limit": 100.0, "limit_ticks": 200}),
    "a stop and a touch": ("touch", {"quantity_lots": 1, "touch_ticks": 200, "stop_ticks": 201}),
    "two stop-losses": ("stop_loss", {"quantity_lots": 1, "stop_loss": 90.0, "stop_loss_ticks": 180}),
    "an unknown time in force": ("time_in_force", {"quantity_lots": 1, "time_in_force": "week"}),
    "a yes for a size": ("quantity", {"quantity": True}),
    "a yes for lots": ("quantity_lots", {"quantity_lots": True}),
    "a yes for a share": ("fraction", {"fraction": True}),
    "text for a price": ("limit", {"quantity_lots": 1, "limit": "100"}),
    "a stop-loss in ticks and in percent": (
        "stop_loss_pct",
        {"quantity_lots": 1, "stop_loss_ticks": 180, "stop_loss_pct": 2},
    ),
    "a trail in ticks and in percent": ("trail_pct", {"quantity_lots": 1, "trail_ticks": 2, "trail_pct": 2}),
    "an instrument of others": ("instrument_id", {"quantity_lots": 1, "instrument_id": 1}),
}


@pytest.mark.parametrize(("field", "arguments"), NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_arguments_that_make_no_sense_name_their_field_and_send_nothing(side, field, arguments):
    """The caller's mistake is an `InvalidValueError`, never an order and never another exception."""

    def ask(ctx):
        with pytest.raises(InvalidValueError) as caught:
            getattr(ctx, side)(**arguments)
        return caught.value.field

    engine, answers = quoted(ask)
    assert answers == [field]
    assert engine.summary().orders == engine.summary().refusals == 0


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_number_without_a_name_is_no_order(side):
    """Sizes and prices are told apart by their names alone, and an unknown name is not passed over."""

    def ask(ctx):
        send = getattr(ctx, side)
        with pytest.raises(TypeError, match=f"{side} takes its arguments by name"):
            send(1)
        with pytest.raises(TypeError, match=f"{side} takes its arguments by name"):
            send(1, quantity_lots=1)
        with pytest.raises(TypeError, match=f"{side} takes its arguments by name"):
            send(None, quantity_lots=1)
        with pytest.raises(TypeError, match="unexpected keyword argument 'lots'"):
            send(quantity_lots=1, lots=1)

    engine, _ = quoted(ask)
    assert engine.summary().orders == engine.summary().refusals == 0


def test_none_is_as_good_as_nothing_given():
    """A caller may pass on what it does not have."""

    def ask(ctx):
        return ctx.buy(
            quantity_lots=1, limit=None, stop_ticks=None, fraction=None, after=None, expire_ns=None
        )

    engine, [answer] = quoted(ask)
    assert answer == 1
    assert engine.summary().fills == 1


def test_a_refusal_is_false_and_says_rule_limit_and_value():
    """`if ctx.buy(...)` reads right: a refused order is false, an approved one is its number."""
    engine, [answer] = quoted(lambda ctx: ctx.buy(quantity_lots=11), risk=RiskSpec(quantity_max="1"))
    assert not answer
    assert (answer.rule, answer.limit, answer.value) == ("quantity_max", 10, 11)
    assert engine.summary().refusals == 1

    _, [answer] = quoted(lambda ctx: ctx.buy(quantity_lots=10), risk=RiskSpec(quantity_max="1"))
    assert answer
    assert isinstance(answer, int)


def test_target_brings_the_position_to_a_size_and_is_silent_when_it_is_there():
    """One market order for the difference, `None` for no difference."""

    def ask(ctx):
        return ctx.target(2.0), ctx.position()

    engine, answers = quoted(ask, quotes=3)
    assert [position for _, position in answers] == [0.0, 2.0, 2.0]
    assert [answer is None for answer, _ in answers] == [False, True, True]
    assert engine.summary().positions == {"GOLD": "2"}


def test_a_cancel_of_an_order_that_is_not_there_is_false():
    """Unknown numbers, also of others, are answered and not raised."""
    _, [answer] = quoted(lambda ctx: (ctx.cancel(12345), ctx.is_open(12345)))
    assert answer == (False, False)


def test_gates_refuse_and_their_verdicts_are_in_the_journal():
    """Every decision leaves its gates, their limits and values, and comes before the order or refusal."""
    engine, answers = quoted(
        lambda ctx: ctx.buy(quantity_lots=1),
        quotes=2,
        gates=(MaxSpread(ticks=4), Cooldown(seconds=60)),
        recording=True,
    )
    assert isinstance(answers[0], int)
    assert not answers[1]
    assert answers[1].rule == "decision_gate"
    records = decode_frames(engine.take_frames())
    kinds = [kind for kind, _, _ in records]
    assert kinds.index("decision") < kinds.index("order")
    decisions = [fields for kind, _, fields in records if kind == "decision"]
    assert len(decisions) == 2
    assert "max_spread" in str(decisions[0])
    assert "cooldown" in str(decisions[0])
    assert str(decisions[0]) != str(decisions[1])
    assert kinds.count("refused") == kinds.count("order") == 1


@pytest.mark.parametrize(
    "send",
    [
        lambda ctx: ctx.sell(quantity_lots=1),
        lambda ctx: ctx.buy(quantity=0.1, limit=99.0),
        lambda ctx: ctx.target(-1.0),
        lambda ctx: OrderDesk.buy(ctx, quantity_lots=1),
    ],
    ids=["a plain order", "an order with more to it", "a target", "the method of the class"],
)
def test_no_order_goes_past_the_gates(send):
    """Whatever a strategy calls, every gate says its word first."""
    engine, [answer] = quoted(send, gates=(MaxSpread(ticks=3),))

    assert answer.rule == "decision_gate"
    assert engine.summary().orders == 0


def test_notes_become_part_of_the_next_decision_and_of_no_other():
    """`trace` then `hold` is one record; the notes do not leak into the next one."""

    def ask(ctx):
        if ctx.now_ns == 1_000:
            ctx.trace("momentum", limit=2.0, value=1.0, passed=False)
        ctx.hold("waiting")

    engine, _ = quoted(ask, quotes=2, recording=True)
    first, second = (f for kind, _, f in decode_frames(engine.take_frames()) if kind == "decision")
    assert "momentum" in str(first)
    assert "waiting" in str(first)
    assert "momentum" not in str(second)


def test_nothing_is_traced_when_nothing_is_recorded():
    """Notes and holds cost nothing and keep nothing without a journal."""

    def ask(ctx):
        ctx.trace("momentum", limit=2.0, value=1.0)
        ctx.hold("waiting")

    engine, _ = quoted(ask, quotes=50)
    assert engine.take_frames() == b""


def test_a_gate_of_ones_own_is_a_plain_object():
    """Anything with `check(view)` is a gate."""

    class OnlyBuys:
        def check(self, view, /):
            return GateVerdict("only_buys", 1.0, float(view.is_buy), view.is_buy)

    _, answers = quoted(
        lambda ctx: (bool(ctx.buy(quantity_lots=1)), bool(ctx.sell(quantity_lots=1))), gates=(OnlyBuys(),)
    )
    assert answers == [(True, False)]
