"""Each limit under amendment, and the release after each kind of halt: one of many may be missing."""

from functools import partial

import pytest

from support import two_metals
from tradecore.domain import (
    EventBatch,
    InstrumentRiskSpec,
    RiskSpec,
    ScopeRiskSpec,
    StrategyRiskSpec,
)
from tradecore.domain.commands import Release

ATTO = 10**18
LIMIT_TICKS = 90


class Does:
    """Does one thing at each quote of gold, and keeps the answers."""

    def __init__(self, *wishes) -> None:
        self.wishes = list(wishes)
        self.answers = []

    def on_quote(self, ctx, quote) -> None:
        """Do the next thing."""
        if self.wishes and quote.instrument_id == 0:
            self.answers.append(self.wishes.pop(0)(ctx, self.answers))

    def on_timer(self, ctx, timer_id) -> None:
        """Do two things, without a quote."""
        self.answers += [self.wishes.pop(0)(ctx, self.answers) for _ in range(2)]


engine_of = partial(two_metals.engine_of, Does)


def quote(engine, time_ns, bid=99):
    """Quote gold and tin, two ticks wide."""
    batch = EventBatch()
    for instrument_id in (0, 1):
        batch.quote(time_ns, instrument_id, bid, 50, bid + 2, 50)
    engine.feed(batch)
    engine.run()


def rest(lots, price=LIMIT_TICKS):
    """Return the wish for an order that rests below the market."""
    return lambda ctx, _: ctx.buy(quantity_lots=lots, limit_ticks=price)


def amend(lots, price=LIMIT_TICKS):
    """Return the wish to amend the first order."""
    return lambda ctx, answers: ctx.replace(answers[0], quantity_lots=lots, price_ticks=price)


def buy(ctx, _):
    """Buy at the market."""
    return ctx.buy(quantity_lots=1)


def sell(ctx, _):
    """Sell at the market."""
    return ctx.sell(quantity_lots=1)


def nothing(_ctx, _answers):
    """Ask for nothing."""


def scoped(**limits):
    """Return the same limits for the account, and for the strategy."""
    return (
        RiskSpec(account=ScopeRiskSpec(**limits)),
        RiskSpec(strategy={"does": StrategyRiskSpec(**limits)}),
    )


def instrument(**limits):
    """Return limits for every instrument, and for gold alone."""
    return RiskSpec(**limits), RiskSpec(instrument={"GOLD": InstrumentRiskSpec(**limits)})


# What breaks each: the size 4 where 3 may be had, or the price 70 where 90 may.
SIZES = {
    "quantity_max": ("3", 3, 4),
    "position_max": ("3", 3, 4),
    "notional_max": ("359", 359 * ATTO, 360 * ATTO),
}
GROSS = {"gross_max": ("399", 399 * ATTO, 400 * ATTO), "net_max": ("399", 399 * ATTO, 400 * ATTO)}
BY_SIZE = [
    *[(risk, name, said) for name, said in SIZES.items() for risk in instrument(**{name: said[0]})],
    *[(risk, name, said) for name, said in (SIZES | GROSS).items() for risk in scoped(**{name: said[0]})],
]
BY_PRICE = [
    *[(risk, "price_collar") for risk in instrument(price_collar_bps="1500")],
    *[(risk, "price_drift") for risk in instrument(price_drift_bps="1500")],
]


@pytest.mark.parametrize(("risk", "rule", "said"), BY_SIZE)
def test_an_amendment_to_a_size_that_no_new_order_may_have_is_refused(risk, rule, said):
    """With the rule, the limit and the value of the new order; the order stays as it was."""
    engine, amends = engine_of(risk, rest(1), amend(4), amend(3))
    _, orders = other = engine_of(risk, rest(4))
    for each in (engine, other[0]):
        for time_ns in (1, 2, 3):
            quote(each, time_ns)

    first, refused, amended = amends.answers
    assert isinstance(first, int)
    assert (refused.rule, refused.limit, refused.value) == (rule, *said[1:])
    assert (orders.answers[0].rule, orders.answers[0].value) == (rule, said[2])
    assert isinstance(amended, int)


@pytest.mark.parametrize(("risk", "rule"), BY_PRICE)
def test_an_amendment_to_a_price_that_no_new_order_may_have_is_refused(risk, rule):
    """Also one that leaves the size as it is."""
    engine, amends = engine_of(risk, rest(1), amend(1, 70), rest(1, 70), amend(1, 89))
    for time_ns in (1, 2, 3, 4):
        quote(engine, time_ns)

    first, refused, new, amended = amends.answers
    assert isinstance(first, int)
    assert refused.rule == new.rule == rule
    assert (refused.limit, refused.value) == (new.limit, new.value)
    assert isinstance(amended, int)


RATES = [
    *[(risk, "order_rate_max") for risk in instrument(order_rate_max=2, order_rate_window_ns=10)],
    *[
        (risk, "message_rate_max")
        for risk in scoped(message_rate_max=3, message_rate_window_ns=10, cancel_reserve=1)
    ],
]


@pytest.mark.parametrize(("risk", "rule"), RATES)
@pytest.mark.parametrize("third", [amend(3), rest(1)], ids=["amendment", "order"])
def test_an_amendment_counts_towards_every_rate(risk, rule, third):
    """An order and an amendment use two up; the next waits for the window to pass, whichever it is."""
    engine, does = engine_of(risk, rest(1), amend(2), third, third)
    for time_ns in (1, 2, 3, 14):
        quote(engine, time_ns)

    *passed, refused, later = does.answers
    assert all(isinstance(answer, int) for answer in (*passed, later))
    assert (refused.rule, refused.limit, refused.value) == (rule, 2, 3)


@pytest.mark.parametrize("risk", [*instrument(open_orders_max=1), *scoped(open_orders_max=1)])
def test_an_amendment_is_no_further_order(risk):
    """At the limit an order can still be amended, and no new one be sent."""
    engine, does = engine_of(risk, rest(1), rest(1), amend(2))
    for time_ns in (1, 2, 3):
        quote(engine, time_ns)

    first, refused, amended = does.answers
    assert isinstance(first, int)
    assert isinstance(amended, int)
    assert refused.rule == "open_orders_max"


@pytest.mark.parametrize("risk", instrument(reference_age_max_ns=5))
def test_an_amendment_needs_a_price_as_fresh_as_a_new_order(risk):
    """The market's last word may be too old for both."""
    engine, does = engine_of(risk, rest(1), lambda ctx, _: ctx.set_timer(ctx.now_ns + 6), amend(2), rest(1))
    quote(engine, 1)
    quote(engine, 2)
    batch = EventBatch()
    batch.clock(20)
    engine.feed(batch)
    engine.run()
    assert [answer.rule for answer in does.answers[2:]] == ["reference_stale", "reference_stale"]


HALTS = {
    "daily loss of the account": ("account", "daily_loss_max", {"daily_loss_max": "50"}),
    "fall of the account": ("account", "drawdown_max", {"drawdown_max": "50"}),
    "daily loss of the strategy": ("strategy:does", "daily_loss_max", {"daily_loss_max": "50"}),
    "fall of the strategy": ("strategy:does", "drawdown_max", {"drawdown_max": "50"}),
    "executions of the strategy": ("strategy:does", "executions_max", {"executions_max": 10}),
}


@pytest.mark.parametrize(("scope", "rule", "limits"), HALTS.values(), ids=HALTS)
def test_each_halt_ends_with_its_own_release_and_with_no_other(scope, rule, limits):
    """Until then nothing opens, and what closes passes."""
    risk = (
        scoped(**limits)[0] if scope == "account" else RiskSpec(strategy={"does": StrategyRiskSpec(**limits)})
    )
    opens = [buy] * (11 if rule == "executions_max" else 10)
    engine, does = engine_of(risk, *opens, nothing, buy, sell, buy, buy, buy)
    for time_ns in range(len(opens)):
        quote(engine, 1 + time_ns)
    quote(engine, 20, bid=90)
    quote(engine, 21, bid=90)
    quote(engine, 22, bid=90)

    halted, sold = does.answers[-2:]
    assert halted.rule == rule
    assert isinstance(sold, int)
    assert engine.summary().halts == {scope: rule}

    other = "strategy:does" if scope == "account" else "account"
    for time_ns, released in ((30, other), (40, scope)):
        engine.command(Release(scope=released, person="Ada"), time_ns)
        quote(engine, time_ns + 1, bid=90)
    still, free = does.answers[-2:]
    assert still.rule == rule
    assert isinstance(free, int)
    assert engine.summary().halts == {}
