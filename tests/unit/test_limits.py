"""Limits as Python sees them: in a specification, at run time, and out of reach of strategies."""

import json
from functools import partial

import pytest

from support import two_metals
from support.sessions import CONFIG
from tradecore._core import canary_orders
from tradecore.domain import (
    ConfigError,
    EngineSpec,
    EventBatch,
    InstrumentRiskSpec,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    RiskSpec,
    ScopeRiskSpec,
    SelfTrade,
    StrategyRiskSpec,
    VenueSpec,
)
from tradecore.domain.commands import Release, command_of
from tradecore.domain.errors import StrategyError
from tradecore.domain.spec import CanarySpec
from tradecore.engine import Engine, LimitChange
from tradecore.strategy import StrategyBinding

ATTO = 10**18


class Asks:
    """Does at each quote what it was told, and keeps the answers."""

    def __init__(self, *wishes) -> None:
        self.wishes = list(wishes)
        self.answers = []

    def on_quote(self, ctx, quote) -> None:
        """Ask for the next thing."""
        if self.wishes:
            self.answers.append(self.wishes.pop(0)(ctx))


engine_of = partial(two_metals.engine_of, Asks)


def play(engine, *times):
    """Quote gold and tin at 99 to 101 at these times."""
    batch = EventBatch()
    for time_ns in times:
        for instrument_id in (0, 1):
            batch.quote(time_ns, instrument_id, 99, 50, 101, 50)
    engine.feed(batch)
    engine.run()


def buy(lots, instrument_id=0):
    """Return the wish to buy at the market."""
    return lambda ctx: ctx.buy(quantity_lots=lots, instrument_id=instrument_id)


def refusal(answer):
    """Return what a refusal says."""
    return answer.rule, answer.limit, answer.value


@pytest.mark.parametrize(
    ("risk", "said"),
    [
        (RiskSpec(account=ScopeRiskSpec(gross_max="300")), ("gross_max", 300 * ATTO, 400 * ATTO)),
        (RiskSpec(account=ScopeRiskSpec(net_max="399.5")), ("net_max", 3995 * ATTO // 10, 400 * ATTO)),
        (RiskSpec(strategy={"asks": StrategyRiskSpec(quantity_max="3")}), ("quantity_max", 3, 4)),
        (
            RiskSpec(strategy={"asks": StrategyRiskSpec(message_rate_max=2, cancel_reserve=2)}),
            ("message_rate_max", 0, 1),
        ),
        (
            RiskSpec(strategy={"asks": StrategyRiskSpec(instruments=("TIN",))}),
            ("instrument_not_allowed", 1, 0),
        ),
    ],
)
def test_limits_of_a_specification_refuse_with_rule_limit_and_value(risk, said):
    """The order that is one too much is answered at once; without the limit it is approved."""
    limited, refused = engine_of(risk, lambda _: None, buy(4))
    free, approved = engine_of(RiskSpec(), lambda _: None, buy(4))
    for engine in (limited, free):
        play(engine, 100)

    assert refusal(refused.answers[1]) == said
    assert isinstance(approved.answers[1], int)


def test_a_limit_that_is_set_while_it_runs_counts_from_the_next_order_on():
    """The command comes after the events of its time; the limits say what counts now."""
    engine, strategy = engine_of(RiskSpec(quantity_max="9.5"), *[buy(2)] * 6)
    play(engine, 100)
    engine.command(
        command_of("set_limit", scope="strategy:asks", limit="quantity_max", value="1.5", person="Ada"), 100
    )
    play(engine, 101)
    engine.command(
        command_of("set_limit", scope="strategy:asks", limit="quantity_max", value=None, person="Bo"), 101
    )
    play(engine, 102)

    assert [isinstance(answer, int) for answer in strategy.answers] == [True, True, False, False, True, True]
    assert refusal(strategy.answers[2]) == ("quantity_max", 1, 2)
    assert engine.limits("instrument:GOLD")["quantity_max"] == "9"
    shown = engine.limits("strategy:asks")
    assert {name for name, value in shown.items() if value} == {
        "message_rate_window_ns",
        "executions_window_ns",
    }
    assert engine.limits("account").keys() - shown.keys() == {"self_trade"}
    (change,) = engine.summary().changes
    said = LimitChange(
        time_ns=101, command="set_limit", scope="strategy:asks", limit="quantity_max", person="Bo"
    )
    assert change == said


@pytest.mark.parametrize(
    ("scope", "limit", "value"),
    [
        ("instrument:GOLD", "quantity_max", "2"),
        ("instrument:GOLD", "notional_max", "2.5"),
        ("instrument:GOLD", "position_max", "3"),
        ("instrument:GOLD", "open_orders_max", "4"),
        ("instrument:GOLD", "order_rate_max", "5"),
        ("instrument:GOLD", "order_rate_window_ns", "6"),
        ("instrument:GOLD", "price_collar_bps", "7.25"),
        ("instrument:GOLD", "price_drift_bps", "8.25"),
        ("instrument:GOLD", "price_drift_window_ns", "9"),
        ("instrument:GOLD", "reference_age_max_ns", "10"),
        *[
            (scope, limit, value)
            for scope in ("account", "strategy:asks")
            for limit, value in (
                ("quantity_max", "2"),
                ("notional_max", "2.5"),
                ("position_max", "3"),
                ("open_orders_max", "4"),
                ("gross_max", "5"),
                ("net_max", "6"),
                ("message_rate_max", "7"),
                ("message_rate_window_ns", "8"),
                ("cancel_reserve", "9"),
                ("daily_loss_max", "10"),
                ("drawdown_max", "11"),
            )
        ],
        ("account", "self_trade", "block"),
        ("strategy:asks", "executions_max", "12"),
        ("strategy:asks", "executions_window_ns", "13"),
        ("strategy:asks", "identical_window_ns", "14"),
    ],
)
def test_every_limit_of_a_scope_can_be_set_while_it_runs(scope, limit, value):
    """What was set is what counts and what is shown, beside nothing else, and says who set it."""
    engine, _ = engine_of(RiskSpec())
    before = engine.limits(scope)
    engine.command(command_of("set_limit", scope=scope, limit=limit, value=value, person="Ada"), 100)
    engine.run()

    assert engine.limits(scope) == before | {limit: value}
    assert [(change.limit, change.value, change.person) for change in engine.summary().changes] == [
        (limit, value, "Ada")
    ]


def test_a_strategy_can_be_forbidden_an_instrument_and_allowed_it_again():
    """What it has there can still be closed; the permission is one of its limits."""
    wishes = [buy(2), buy(1, 1), buy(1), buy(1, 1), lambda ctx: ctx.sell(quantity_lots=2), buy(1), buy(1)]
    engine, strategy = engine_of(RiskSpec(), *wishes)
    play(engine, 100)
    shown = []
    for time_ns, kind in ((101, "forbid"), (104, "allow")):
        engine.command(command_of(kind, scope="strategy:asks", instrument="GOLD", person="Ada"), time_ns)
        play(engine, time_ns + 1, time_ns + 2)
        shown.append(engine.limits("strategy:asks")["instruments"])

    assert shown == ["TIN", None]
    refused = [answer for answer in strategy.answers if not isinstance(answer, int)]
    assert [strategy.answers.index(answer) for answer in refused] == [2, 5]
    assert refusal(refused[0]) == ("instrument_not_allowed", 1, 0)
    assert engine.summary().changes == (
        LimitChange(time_ns=104, command="allow", scope="strategy:asks", instrument="GOLD", person="Ada"),
    )


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"scope": "strategy:asks", "instrument": "IRON", "person": "Ada"}, "instrument"),
        ({"scope": "strategy:bert", "instrument": "GOLD", "person": "Ada"}, "scope"),
        ({"scope": "account", "instrument": "GOLD", "person": "Ada"}, "scope"),
        ({"scope": "strategy:asks", "instrument": "GOLD", "person": " "}, "person"),
    ],
)
def test_a_permission_that_makes_no_sense_names_the_field(arguments, field):
    """Nothing is queued, and nothing changes."""
    engine, _ = engine_of(RiskSpec())
    for kind in ("allow", "forbid"):
        with pytest.raises(InvalidValueError) as caught:
            engine.command(command_of(kind, **arguments), 0)
        assert caught.value.field == field


def test_self_trades_can_be_prevented_from_a_moment_on():
    """Orders that rested before are seen too; what is prevented can be let go again."""
    wishes = [
        lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=98),
        lambda ctx: ctx.sell(quantity_lots=1, limit_ticks=98),
    ]
    engine, strategy = engine_of(RiskSpec(), wishes[0], *[wishes[1]] * 2, lambda _: None, wishes[1])
    play(engine, 100)
    for time_ns, value in ((101, "block"), (103, "allow")):
        engine.command(
            command_of("set_limit", scope="account", limit="self_trade", value=value, person="Ada"), time_ns
        )
        play(engine, time_ns + 1)

    first, sold, refused, _, sold_again = strategy.answers
    assert all(isinstance(answer, int) for answer in (first, sold, sold_again))
    assert refusal(refused) == ("self_trade", 98, 98)


def test_a_halt_stands_in_the_summary_until_a_person_releases_it():
    """The reader sees what is halted and by which rule."""
    limits = StrategyRiskSpec(executions_max=1)
    engine, strategy = engine_of(RiskSpec(strategy={"asks": limits}), buy(1), buy(1), buy(1))
    play(engine, 100, 101)

    assert engine.summary().halts == {"strategy:asks": "executions_max"}
    assert refusal(strategy.answers[2]) == ("executions_max", 1, 2)
    engine.command(Release(scope="strategy:asks", person="Ada"), 102)
    engine.run()
    assert engine.summary().halts == {}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"scope": "account", "limit": "gross_max", "value": "-1"}, "gross_max"),
        ({"scope": "account", "limit": "executions_max", "value": "1"}, "limit"),
        ({"scope": "account", "limit": "nothing", "value": "1"}, "limit"),
        ({"scope": "account:x", "limit": "gross_max", "value": "1"}, "scope"),
        ({"scope": "strategy:bert", "limit": "gross_max", "value": "1"}, "scope"),
        ({"scope": "instrument:IRON", "limit": "quantity_max", "value": "1"}, "scope"),
        ({"scope": "instrument:GOLD", "limit": "open_orders_max", "value": "1.5"}, "open_orders_max"),
        ({"scope": "account", "limit": "gross_max", "value": "1", "person": ""}, "person"),
        ({"scope": "account", "limit": "self_trade", "value": "always"}, "self_trade"),
        ({"scope": "strategy:asks", "limit": "self_trade", "value": "block"}, "limit"),
        ({"scope": "account", "limit": "executions_window_ns", "value": "1"}, "limit"),
        (
            {"scope": "instrument:GOLD", "limit": "order_rate_window_ns", "value": None},
            "order_rate_window_ns",
        ),
        (
            {"scope": "instrument:GOLD", "limit": "price_drift_window_ns", "value": "0"},
            "price_drift_window_ns",
        ),
        ({"scope": "account", "limit": "message_rate_max", "value": "1"}, "message_rate_max"),
        ({"scope": "strategy:asks", "limit": "cancel_reserve", "value": "0"}, "cancel_reserve"),
    ],
)
def test_a_limit_that_cannot_be_set_names_the_field_and_changes_nothing(arguments, field):
    """The check before the queue says the same as the queue."""
    engine, _ = engine_of(RiskSpec())
    before = engine.state_hash()
    for attempt in (engine.check_command, lambda command: engine.command(command, 0)):
        with pytest.raises(InvalidValueError) as caught:
            attempt(command_of("set_limit", **{"person": "Ada", **arguments}))
        assert caught.value.field == field
    engine.run()

    assert engine.state_hash() == before


@pytest.mark.parametrize(
    ("risk", "field"),
    [
        (RiskSpec(strategy={"bert": StrategyRiskSpec()}), "risk.strategy.bert"),
        (
            RiskSpec(strategy={"asks": StrategyRiskSpec(instruments=("IRON",))}),
            "risk.strategy.asks.instruments",
        ),
        (RiskSpec(instrument={"IRON": InstrumentRiskSpec()}), "risk.instrument.IRON"),
        (
            RiskSpec(instrument={"TIN": InstrumentRiskSpec(quantity_max="-1")}),
            "risk.instrument.TIN.quantity_max",
        ),
        (RiskSpec(account=ScopeRiskSpec(net_max="-1")), "risk.account.net_max"),
        (RiskSpec(price_drift_bps="0.001"), "risk.price_drift_bps"),
        (RiskSpec(account=ScopeRiskSpec(message_rate_max=0)), "risk.account.message_rate_max"),
        (
            RiskSpec(strategy={"asks": StrategyRiskSpec(message_rate_max=1)}),
            "risk.strategy.asks.message_rate_max",
        ),
        (
            RiskSpec(account=ScopeRiskSpec(message_rate_max=9, cancel_reserve=0)),
            "risk.account.cancel_reserve",
        ),
    ],
)
def test_limits_that_make_no_sense_are_no_engine(risk, field):
    """A slip in a name or a number is told before the first event."""
    with pytest.raises(InvalidValueError) as caught:
        engine_of(risk)
    assert caught.value.field == field


def test_an_instrument_has_limits_of_its_own():
    """What its table states holds for it alone; what that leaves out is as for every instrument."""
    own = InstrumentRiskSpec(quantity_max="5", order_rate_window_ns=7)
    risk = RiskSpec(quantity_max="3", open_orders_max=9, order_rate_max=4, instrument={"TIN": own})
    engine, strategy = engine_of(risk, buy(4), buy(4, 1), buy(6, 1))
    play(engine, 100, 200)

    gold, tin, more_tin = strategy.answers
    assert refusal(gold) == ("quantity_max", 3, 4)
    assert tin > 0
    assert refusal(more_tin) == ("quantity_max", 5, 6)
    shown = [engine.limits(f"instrument:{symbol}") for symbol in ("GOLD", "TIN")]
    assert [limits["quantity_max"] for limits in shown] == ["3", "5"]
    assert [limits["open_orders_max"] for limits in shown] == ["9", "9"]


class Stubborn:
    """Sends again what the venue does not take, at the moment it hears of it."""

    def __init__(self) -> None:
        self.rejections = 0

    def on_quote(self, ctx, quote) -> None:
        """Offer to sell at the bid without taking."""
        ctx.sell(quantity_lots=1, limit_ticks=99, post_only=True)

    def on_order(self, ctx, update) -> None:
        """Try the same again."""
        if update.what == "rejected":
            self.rejections += 1
            self.on_quote(ctx, None)


def test_a_strategy_that_answers_itself_without_end_is_stopped_and_named():
    """The error names strategy, time and setting; a replay stops at the same call."""

    def run(calls_max):
        spec = EngineSpec(
            instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
            venue=VenueSpec(matching=Matching.QUOTES),
            risk=RiskSpec(calls_max=calls_max),
        )
        strategy = Stubborn()
        bindings = [
            StrategyBinding(name="calm", strategy=Asks(), instruments=(0,)),
            StrategyBinding(name="stubborn", strategy=strategy, instruments=(0,)),
        ]
        engine = Engine(spec, bindings, recording=True)
        batch = EventBatch()
        batch.quote(100, 0, 99, 50, 101, 50)
        engine.feed(batch)
        with pytest.raises(StrategyError) as caught:
            engine.run()
        assert (caught.value.strategy, caught.value.time_ns) == ("stubborn", 100)
        assert "risk.calls_max" in str(caught.value)
        return strategy.rejections, engine.take_frames()

    once, again = run(500), run(500)
    assert once == again
    # One call is that of the quote.
    assert once[0] == 499
    assert run(1)[0] == 0


def test_calls_are_counted_for_one_moment_only():
    """Any number of events at one time, and any number of timers later, are no reason to stop."""

    class Patient:
        def __init__(self) -> None:
            self.calls = 0

        def on_quote(self, ctx, quote) -> None:
            self.calls += 1
            if self.calls == 10:
                ctx.set_timer(101)

        def on_timer(self, ctx, timer_id) -> None:
            self.calls += 1
            ctx.set_timer(ctx.now_ns + 1, 0)

    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        venue=VenueSpec(matching=Matching.QUOTES),
        risk=RiskSpec(calls_max=1),
    )
    strategy = Patient()
    engine = Engine(spec, [StrategyBinding(name="patient", strategy=strategy, instruments=(0,))])
    batch = EventBatch()
    for _ in range(10):
        batch.quote(100, 0, 99, 50, 101, 50)
    engine.feed(batch)
    engine.run()
    later = EventBatch()
    later.clock(120)
    engine.feed(later)
    engine.run()
    assert strategy.calls == 10 + 20


def test_a_strategy_cannot_change_its_limits():
    """Even with the native engine in hand, a strategy that is called feeds nothing, commands least of all."""

    def loosen(ctx):
        batch = EventBatch()
        batch.command(ctx._kernel.now_ns, "set_limit", scope="strategy", limit="quantity_max", person="asks")
        ctx._kernel.feed(batch, 1)

    engine, _ = engine_of(RiskSpec(strategy={"asks": StrategyRiskSpec(quantity_max="1")}), loosen)
    with pytest.raises(StrategyError) as caught:
        play(engine, 100)

    assert "strategies feed no events" in str(caught.value.__cause__)
    assert engine.limits("strategy:asks")["quantity_max"] == "1"
    play(engine, 101)


def test_an_order_that_would_meet_an_own_order_is_blocked_or_wins():
    """Both ways of preventing a trade with oneself, and none."""
    expected = {SelfTrade.ALLOW: [98, 110], SelfTrade.BLOCK: [98, 110], SelfTrade.CANCEL_OLDEST: [110]}
    for how, open_orders in expected.items():
        engine, strategy = engine_of(
            RiskSpec(self_trade=how),
            lambda _: None,
            lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=98),
            lambda _: None,
            lambda ctx: ctx.sell(quantity_lots=1, limit_ticks=110),
            lambda ctx: ctx.sell(quantity_lots=1, limit_ticks=98),
        )
        play(engine, 100, 101, 102)
        resting = [order["price_ticks"] for order in engine.kernel.open_orders()]
        assert isinstance(strategy.answers[4], int) is (how is not SelfTrade.BLOCK)
        if how is SelfTrade.BLOCK:
            assert refusal(strategy.answers[4]) == ("self_trade", 98, 98)
        assert resting == open_orders, how


def test_a_journal_of_before_a_setting_was_known_still_goes_on():
    """What an old journal does not name had its default; what it names must be the same."""
    old = json.loads(CONFIG.encoded())
    for name in ("account", "strategy", "self_trade", "day_start_ns", "price_drift_window_ns"):
        del old["engine"]["risk"][name]

    CONFIG.check_same(json.dumps(old).encode(), "old.journal")
    old["engine"]["risk"]["quantity_max"] = "5"
    with pytest.raises(ConfigError) as caught:
        CONFIG.check_same(json.dumps(old).encode(), "old.journal")
    assert caught.value.key == "engine.risk.quantity_max"


def test_a_canary_profile_refuses_with_its_rule_and_no_limit_lifts_it():
    """It is of the specification; what is used of its day is shown."""
    canary = CanarySpec(
        account="paper",
        instruments=("GOLD",),
        order_value_max="500",
        orders_a_day_max=2,
        position_value_max="800",
    )
    wishes = (buy(6), buy(1, 1), buy(5), buy(5), buy(1), buy(1))
    engine, asks = engine_of(RiskSpec(), lambda _: None, *wishes, canaries=(canary,))
    lifted = {"scope": "account", "limit": "notional_max", "value": "1000000", "person": "Bob"}
    play(engine, 100)
    engine.command(command_of("set_limit", **lifted), 100)
    for time_ns in (200, 300, 400):
        play(engine, time_ns)

    refused = [
        (answer.rule, answer.limit, answer.value) for answer in asks.answers if hasattr(answer, "rule")
    ]
    assert ("canary_order_value", 500 * ATTO, 600 * ATTO) in refused
    assert ("canary_instrument", 1, 0) in refused
    assert ("canary_position_value", 800 * ATTO, 1_000 * ATTO) in refused
    assert ("canary_orders_a_day", 2, 3) in refused
    assert canary_orders(engine.kernel) == 2
    assert canary_orders(engine.kernel, 1) is None
