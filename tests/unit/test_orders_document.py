"""The programs in the documents about orders do what the documents say, and so do their single sentences."""

import re
import subprocess
import sys

import pytest

from support.shared import ROOT
from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    MarketRest,
    Matching,
    StrategyBinding,
    VenueSpec,
)

SECOND_NS = 1_000_000_000
# Bid, ask and the size of both, a second apart.
CALM = [(100, 101, 10), (101, 102, 10), (102, 103, 10), (99, 100, 10), (98, 99, 10)]


@pytest.mark.parametrize("page", ["orders.md", "gates.md"])
def test_the_programs_of_the_document_run(page) -> None:
    """The last one ends with an assertion of everything that its strategy is told."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert sum("\nassert " in program for program in programs) == 1
    for program in programs:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


class Acts:
    """Does one thing at each quote and keeps the answers and what it is told."""

    def __init__(self, *actions):
        self.actions = list(actions)
        self.answers, self.told = [], []

    def on_quote(self, ctx, quote):
        """Do the next thing."""
        if self.actions and (action := self.actions.pop(0)):
            self.answers.append(action(ctx))

    def on_order(self, ctx, update):
        """Keep what happened to an order."""
        self.told.append(f"{update.order_id} {update.what} {update.reason}".strip())

    def on_fill(self, ctx, fill):
        """Keep a fill."""
        self.told.append(f"{fill.order_id} {fill.side} {fill.lots} at {fill.price_ticks}")


def play(*actions, quotes=CALM, **venue):
    """Run actions on quotes and return the strategy."""
    strategy = Acts(*actions)
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="100000"),
        venue=VenueSpec(matching=Matching.QUOTES, **venue),
    )
    engine = Engine(spec, [StrategyBinding(name="acts", strategy=strategy)])
    batch = EventBatch()
    for second, (bid, ask, lots) in enumerate(quotes):
        batch.quote(second * SECOND_NS, 0, bid, lots, ask, lots)
    engine.feed(batch)
    engine.run()
    return strategy


@pytest.mark.parametrize(
    "terms",
    [
        {"quantity_lots": 0},
        {"quantity_lots": 5, "limit_ticks": 90, "display_lots": 1, "time_in_force": "ioc"},
        {"quantity_lots": 5, "limit_ticks": 90, "display_lots": 1, "time_in_force": "fok"},
        {"quantity_lots": 5, "to_limit": True, "time_in_force": "fok"},
        {"quantity_lots": 1, "stop_loss_ticks": 100, "take_profit_ticks": 90},
        {"quantity_lots": 1, "post_only": True},
        {"quantity_lots": 1, "after": 77},
    ],
    ids=str,
)
def test_what_cannot_be_right_by_its_numbers_is_refused_as_invalid(terms) -> None:
    """The answer is false in an `if` and names the rule."""
    (answer,) = play(lambda ctx: ctx.buy(**terms)).answers

    assert not answer
    assert answer.rule == "invalid_order"


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"quantity_lots": 1, "quantity": 1},
        {"quantity_lots": 1, "limit": 5, "limit_ticks": 5},
        {"quantity_lots": 1, "stop": 105, "touch": 95},
        {"quantity_lots": 1, "time_in_force": "gtx"},
        {"quantity_lots": 1, "limit_ticks": 90, "time_in_force": "gtd"},
    ],
    ids=str,
)
def test_arguments_that_contradict_each_other_are_a_mistake_of_the_program(terms) -> None:
    """They raise, and nothing is sent."""

    def sends(ctx):
        with pytest.raises(InvalidValueError):
            ctx.buy(**terms)
        return "raised"

    strategy = play(sends)
    assert (strategy.answers, strategy.told) == (["raised"], [])


def test_close_and_target_have_nothing_to_do_when_they_are_there() -> None:
    """`None` says so."""
    assert play(lambda ctx: ctx.close(), lambda ctx: ctx.target(0)).answers == [None, None]


def test_an_amendment_of_a_trailing_stop_is_about_its_size() -> None:
    """A trailing stop has no price of its own; a size alone is taken, with the number it has."""
    strategy = play(
        lambda ctx: ctx.sell(quantity_lots=1, trail_ticks=3),
        lambda ctx: ctx.replace(1, quantity_lots=1, price_ticks=95),
        lambda ctx: ctx.replace(1, quantity_lots=2),
    )

    assert strategy.answers[1].rule == "invalid_order"
    assert strategy.answers[2] == 1
    assert strategy.told == ["1 accepted", "1 replaced", "1 triggered", "1 sell 2 at 99"]


def test_an_order_that_is_held_back_can_be_cancelled_and_not_amended() -> None:
    """It has its number at once; when its entry goes it goes too."""
    strategy = play(
        lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=90),
        lambda ctx: ctx.sell(quantity_lots=1, stop_ticks=80, after=1, reduce_only=True),
        lambda ctx: ctx.replace(2, quantity_lots=1, price_ticks=70),
        lambda ctx: ctx.cancel(1),
    )

    assert strategy.answers[2].rule == "invalid_order"
    assert strategy.answers[1:2] + strategy.answers[3:] == [2, True]
    assert strategy.told == ["1 accepted", "1 canceled requested", "2 canceled linked"]


def test_an_exit_that_fills_in_part_makes_its_partner_smaller() -> None:
    """Two of five lots are sold at the target; the stop sells the other three, and the target goes."""
    thin = [(100, 101, 10), (100, 101, 10), (102, 103, 2), (102, 103, 2), (90, 91, 10)]

    def sends(ctx):
        entry = ctx.buy(quantity_lots=5)
        target = ctx.sell(quantity_lots=5, limit_ticks=102, after=entry, reduce_only=True)
        return ctx.sell(quantity_lots=5, stop_ticks=95, after=entry, oco=target, reduce_only=True)

    assert play(sends, quotes=thin).told[-6:] == [
        "3 accepted",
        "2 sell 2 at 102",
        "3 replaced",
        "3 triggered",
        "3 sell 3 at 90",
        "2 canceled linked",
    ]


def test_a_second_reduce_only_order_for_the_same_lots_is_refused_and_a_close_is_not() -> None:
    """Together they are for no more than the position; the close cuts the one that rests."""
    strategy = play(
        lambda ctx: ctx.buy(quantity_lots=5),
        lambda ctx: ctx.sell(quantity_lots=5, limit_ticks=110, reduce_only=True),
        lambda ctx: ctx.sell(quantity_lots=5, limit_ticks=111, reduce_only=True),
        lambda ctx: ctx.close(),
    )

    assert strategy.answers[2].rule == "reduce_only"
    assert strategy.told[-2:] == ["4 sell 5 at 99", "2 canceled linked"]


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        (MarketRest.CANCEL, ["1 buy 10 at 101", "1 canceled immediate_or_cancel"]),
        (MarketRest.ONE_TICK_WORSE, ["1 buy 10 at 101", "1 buy 5 at 102"]),
    ],
)
def test_the_rest_of_a_market_order_on_quotes(rest, told) -> None:
    """It is cancelled, or trades one tick worse."""
    strategy = play(lambda ctx: ctx.buy(quantity_lots=15), market_rest=rest)

    assert strategy.told[1:3] == told


def test_an_order_expires_at_its_time_before_anything_else_of_that_time() -> None:
    """The quote of that very moment would have filled it."""
    strategy = play(lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=100, expire_ns=3 * SECOND_NS))

    assert strategy.told == ["1 accepted", "1 expired"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("ioc", ["1 accepted", "1 buy 10 at 101", "1 canceled immediate_or_cancel"]),
        ("fok", ["1 rejected cannot_fill_whole"]),
    ],
)
def test_what_must_trade_now_trades_in_part_or_not_at_all(kind, told) -> None:
    """Of fifteen lots ten are there: `ioc` takes them, `fok` takes none."""
    strategy = play(lambda ctx: ctx.buy(quantity_lots=15, limit_ticks=101, time_in_force=kind))

    assert strategy.told == told
