"""Limits of money hold to the last unit, and what is under way counts in them."""

from decimal import Decimal

import pytest

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentRiskSpec,
    InstrumentSpec,
    Matching,
    RiskSpec,
    ScopeRiskSpec,
    StrategyRiskSpec,
    VenueSpec,
)
from tradecore.domain.commands import Kill, Pause, Resume
from tradecore.domain.opening import LossState, Opening
from tradecore.domain.spec import CanarySpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

ATTO = 10**18
HOUR_NS = 3_600 * 10**9
# What four lots are worth at 1.00, and one atto unit less.
WHOLE, LESS = "4", "3.999999999999999999"


class Asks:
    """Asks for one thing after the other at each quote."""

    def __init__(self, *wishes):
        self._wishes = list(wishes)
        self.answers = []

    def on_quote(self, ctx, quote):
        """Ask for the next thing."""
        if self._wishes:
            self.answers.append(self._wishes.pop(0)(ctx))

    def on_book(self, ctx, book):
        """Ask for the next thing, whatever the book is worth."""
        self.on_quote(ctx, book)


def engine_of(risk, *wishes, opening=None, matching=Matching.QUOTES, **more):
    """Return an engine with gold and tin whose strategy asks these things, and the strategy."""
    spec = EngineSpec(
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="0.01") for symbol in ("GOLD", "TIN")),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=matching),
        risk=risk,
        **more,
    )
    strategy = Asks(*wishes)
    binding = StrategyBinding(name="asks", strategy=strategy, instruments=(0, 1))
    return Engine(spec, [binding], opening=opening), strategy


def quote(engine, time_ns, bid=99):
    """Quote gold two ticks wide."""
    batch = EventBatch()
    batch.quote(time_ns, 0, bid, 50, bid + 2, 50)
    engine.feed(batch)
    engine.run()


def asked(risk, *wishes, **more):
    """Return what a strategy was answered that asks these things of gold at 0.99 to 1.01."""
    engine, strategy = engine_of(risk, *wishes, **more)
    for time_ns in range(100, 100 + len(wishes)):
        quote(engine, time_ns)
    return strategy.answers


def canary(value):
    """Return a profile that bounds the value of an order."""
    return CanarySpec(
        account="paper",
        instruments=("GOLD",),
        order_value_max=value,
        orders_a_day_max=9,
        position_value_max="100000",
    )


def by_instrument(value):
    """Bound the orders of gold."""
    return RiskSpec(instrument={"GOLD": InstrumentRiskSpec(notional_max=value)}), ()


def by_strategy(value):
    """Bound the orders of the strategy."""
    return RiskSpec(strategy={"asks": StrategyRiskSpec(notional_max=value)}), ()


def by_account(value):
    """Bound what the account holds."""
    return RiskSpec(account=ScopeRiskSpec(gross_max=value)), ()


def by_canary(value):
    """Bound the orders of the account for good."""
    return RiskSpec(), (canary(value),)


@pytest.mark.parametrize("bound", [by_instrument, by_strategy, by_account, by_canary])
def test_an_order_is_worth_as_much_as_it_may_and_not_one_atto_unit_more(bound):
    """At the limit it passes; with a limit of one unit less it does not."""
    answers = []
    for value in (WHOLE, LESS):
        risk, canaries = bound(value)
        answers += asked(risk, lambda ctx: ctx.buy(quantity_lots=4), canaries=canaries)
    approved, refused = answers
    assert isinstance(approved, int)
    assert (refused.limit, refused.value) == (4 * ATTO - 1, 4 * ATTO)


def buy(ctx):
    """Buy a lot at the market."""
    return ctx.buy(quantity_lots=1)


def rest(lots):
    """Return the wish to buy far below the market."""
    return lambda ctx: ctx.buy(quantity_lots=lots, limit_ticks=90)


def test_orders_under_way_count_in_a_position_limit():
    """Two orders that rest fill the limit; the third one would be beyond it if both filled."""
    answers = asked(RiskSpec(position_max="5"), rest(2), rest(3), rest(1))
    assert [isinstance(answer, int) for answer in answers] == [True, True, False]
    assert (answers[2].rule, answers[2].limit, answers[2].value) == ("position_max", 5, 6)


def test_without_a_price_of_the_market_nothing_passes_a_collar():
    """Tin has no quote yet, so nobody can say how far a price of it is from the market."""
    (answer,) = asked(
        RiskSpec(price_collar_bps="100"), lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=1, instrument_id=1)
    )
    assert (answer.rule, answer.limit, answer.value) == ("reference_missing", 1, 0)


def test_nothing_passes_on_a_book_that_is_invalid():
    """The last price is still known; whether it is true nobody knows."""
    engine, strategy = engine_of(RiskSpec(), buy, buy, matching=Matching.BOOK)
    batch = EventBatch()
    batch.book(1, 0, True, 1, 1, 0, [(99, 9)], [(101, 9)])
    batch.feed_lost(2, 0)
    batch.quote(3, 0, 99, 9, 101, 9)
    engine.feed(batch)
    engine.run()
    approved, refused = strategy.answers
    assert isinstance(approved, int)
    assert (refused.rule, refused.limit, refused.value) == ("book_invalid", 0, 1)


def test_as_many_orders_are_open_as_may_be():
    """One more is refused, with what it would have made."""
    answers = asked(RiskSpec(open_orders_max=2), rest(1), rest(1), rest(1))
    assert [isinstance(answer, int) for answer in answers] == [True, True, False]
    assert (answers[2].rule, answers[2].limit, answers[2].value) == ("open_orders_max", 2, 3)


def test_the_same_order_does_not_pass_twice_in_a_moment():
    """The second one is taken for the first, sent again; another size is another order."""
    risk = RiskSpec(strategy={"asks": StrategyRiskSpec(identical_window_ns=10)})
    first, doubled, other = asked(risk, buy, buy, lambda ctx: ctx.buy(quantity_lots=2))
    assert isinstance(first, int)
    assert (doubled.rule, doubled.limit, doubled.value) == ("identical_order", 10, 1)
    assert isinstance(other, int)


def test_a_loss_counts_until_the_day_of_the_account_ends():
    """That day begins at six: what was lost before midnight and what is lost after it are one loss."""
    risk = RiskSpec(account=ScopeRiskSpec(daily_loss_max="0.5"), day_start_ns=6 * HOUR_NS)
    halts = []
    for then in (25 * HOUR_NS, 31 * HOUR_NS):
        engine, _ = engine_of(risk, buy)
        for time_ns, bid in ((20 * HOUR_NS, 99), (21 * HOUR_NS, 60), (then, 40)):
            quote(engine, time_ns, bid)
        halts.append(engine.summary().halts)
    assert halts == [{"account": "daily_loss_max"}, {}]


def test_a_loss_counts_on_in_a_new_journal_and_so_does_a_halt():
    """What the account had lost of its day before is lost in the new journal, too."""
    risk = RiskSpec(account=ScopeRiskSpec(daily_loss_max="0.5"))
    cash = Decimal(1_000_000)

    def halts(**more):
        lost = LossState(scope="account", cash=cash, last=cash, peak=cash, day=0, **more)
        opening = Opening(cash={"USD": cash}, losses=(lost,))
        engine, _ = engine_of(risk, buy, opening=opening)
        quote(engine, 100)
        quote(engine, 101, 80)
        return engine.summary().halts

    assert halts(day_start=cash) == {}
    assert halts(day_start=cash + Decimal("0.4")) == {"account": "daily_loss_max"}
    assert halts(day_start=cash, halt="drawdown_max", halt_limit=1) == {"account": "drawdown_max"}


def test_a_strategy_that_was_killed_asks_in_vain():
    """The kill of a part is about that part, until an operator takes it back."""
    engine, strategy = engine_of(RiskSpec(), buy, buy)
    quote(engine, 100)
    engine.command(Kill(scope="strategy:asks"), 101)
    quote(engine, 102)
    first, second = strategy.answers
    assert isinstance(first, int)
    assert second.rule == "kill_latch"


def test_a_kill_ends_every_order_and_a_pause_that_ends_takes_it_back_from_nobody():
    """Only the release of a kill lets new orders pass again."""
    engine, strategy = engine_of(RiskSpec(), rest(1), rest(2), buy, buy)
    quote(engine, 100)
    quote(engine, 101)
    assert engine.summary().open_orders == 2
    engine.command(Kill(), 102)
    quote(engine, 103)
    assert engine.summary().open_orders == 0
    engine.command(Pause(), 104)
    engine.command(Resume(), 105)
    quote(engine, 106)
    assert [answer.rule for answer in strategy.answers[2:]] == ["kill_latch", "kill_latch"]
