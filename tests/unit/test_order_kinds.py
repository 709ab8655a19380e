"""Every kind of order and time in force, from a strategy's call to what it is told."""

import numpy as np
import pytest

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    MarginMode,
    MarginSpec,
    MarginTierSpec,
    Matching,
    SelfTradePrevention,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class Plan:
    """Does one thing at each quote, bar or book and writes down what it is told."""

    def __init__(self, *steps) -> None:
        self.steps = list(steps)
        self.answers = []
        self.told = []

    def step(self, ctx) -> None:
        """Do the next thing, if there is one."""
        if self.steps:
            action = self.steps.pop(0)
            self.answers.append(action(ctx) if action else None)

    def on_quote(self, ctx, quote) -> None:
        """Go on."""
        self.step(ctx)

    def on_bar(self, ctx, bar) -> None:
        """Go on."""
        self.step(ctx)

    def on_book(self, ctx, book) -> None:
        """Go on."""
        self.step(ctx)

    def on_fill(self, ctx, fill) -> None:
        """Write it down."""
        self.told.append((fill.order_id, "fill", fill.lots, fill.price_ticks))

    def on_order(self, ctx, update) -> None:
        """Write it down."""
        reason = f" {update.reason}" if update.reason else ""
        self.told.append((update.order_id, update.what + reason))


def engine_of(plan, matching=Matching.QUOTES, **venue):
    """Build an engine with one instrument, tick 1 and lot 1, and keep its journal frames."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=matching, **venue),
    )
    return Engine(spec, [StrategyBinding(name="plan", strategy=plan)], recording=True)


def quotes(plan, *mids, times_ns=None, **venue):
    """Show quotes one tick around these prices, ten lots a side, and return what was told."""
    engine = engine_of(plan, **venue)
    batch = EventBatch()
    for number, mid in enumerate(mids):
        time_ns = times_ns[number] if times_ns else SECOND_NS * (number + 1)
        batch.quote(time_ns, 0, mid - 1, 10, mid + 1, 10)
    engine.feed(batch)
    engine.run()
    return engine, plan.told


def send(side="buy", **order):
    """Return a step that sends an order of three lots."""
    return lambda ctx: getattr(ctx, side)(**{"quantity_lots": 3, **order})


CASES = {
    "a stop-limit becomes a limit order when the ask is at its stop": (
        send(stop_ticks=105, limit_ticks=106),
        (100, 103, 104, 104),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 105)],
    ),
    "a stop-limit behind the market waits at its limit": (
        send(stop_ticks=105, limit_ticks=103),
        (100, 106, 104, 102),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 103)],
    ),
    "a market-if-touched buy waits for a lower ask": (
        send(touch_ticks=97),
        (100, 98, 96, 96),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 97)],
    ),
    "a limit-if-touched sell waits for a higher bid, then at its limit": (
        send("sell", touch_ticks=104, limit_ticks=106),
        (100, 105, 106, 108),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 106)],
    ),
    "a trailing sell follows the bid up and not down": (
        send("sell", trail_ticks=3),
        (100, 104, 102, 101, 100),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 100)],
    ),
    "a trailing stop with an activation price sleeps until it is touched": (
        send("sell", trail_ticks=3, activation_ticks=104),
        (100, 96, 105, 101, 101),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 100)],
    ),
    "a trailing stop-limit waits at its limit beyond the trigger": (
        send("sell", trail_ticks=3, trail_limit_ticks=1),
        (100, 104, 90, 102),
        [(1, "accepted"), (1, "triggered"), (1, "fill", 3, 99)],
    ),
    "a market-to-limit order takes the best price and waits there with the rest": (
        send(quantity_lots=14, to_limit=True),
        (100, 100, 99),
        [(1, "accepted"), (1, "fill", 10, 101), (1, "restated"), (1, "fill", 4, 101)],
    ),
}


@pytest.mark.parametrize(("order", "mids", "told"), CASES.values(), ids=CASES)
def test_an_order_does_what_its_prices_say(order, mids, told) -> None:
    """Against quotes a dormant order watches the best opposite price as long as there is no trade."""
    _, heard = quotes(Plan(order), *mids)
    assert heard == told


def test_an_iceberg_shows_a_part_at_a_time() -> None:
    """On a simulated exchange each part queues behind those who came while the one before was shown."""
    plan = Plan(None, send(quantity_lots=5, limit_ticks=100, display_lots=2))
    engine = engine_of(plan, Matching.EXCHANGE)
    batch = EventBatch()
    for flow_id, price in ((1, 99), (2, 102)):
        batch.flow_limit(SECOND_NS * flow_id, 0, flow_id, price == 99, price, 1)
    engine.feed(batch)
    engine.run()
    after = EventBatch()
    after.flow_limit(5 * SECOND_NS, 0, 3, True, 100, 4)
    after.flow_market(6 * SECOND_NS, 0, False, 3)
    after.flow_market(7 * SECOND_NS, 0, False, 4)
    engine.feed(after)
    engine.run()
    assert plan.told == [(1, "accepted"), (1, "fill", 2, 100), (1, "fill", 1, 100)]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (SelfTradePrevention.CANCEL_OLDEST, [(1, "canceled self_trade"), (2, "accepted")]),
        (SelfTradePrevention.CANCEL_NEWEST, [(2, "accepted"), (2, "canceled self_trade")]),
        (
            SelfTradePrevention.CANCEL_BOTH,
            [(2, "accepted"), (1, "canceled self_trade"), (2, "canceled self_trade")],
        ),
        (SelfTradePrevention.DECREMENT, [(2, "accepted"), (1, "restated"), (2, "canceled self_trade")]),
    ],
)
def test_two_orders_of_an_account_never_trade_with_each_other(mode, told) -> None:
    """`venue.self_trade` says which of them gives way, and the reports say that it did."""
    plan = Plan(None, send(quantity_lots=5, limit_ticks=100), send("sell", limit_ticks=100))
    engine = engine_of(plan, Matching.EXCHANGE, self_trade=mode)
    batch = EventBatch()
    for flow_id, price in ((1, 99), (2, 102)):
        batch.flow_limit(SECOND_NS * flow_id, 0, flow_id, price == 99, price, 1)
    engine.feed(batch)
    engine.run()
    assert plan.told[0] == (1, "accepted")
    assert sorted(plan.told[1:]) == sorted(told)


def test_an_order_expires_before_anything_else_of_its_time() -> None:
    """A quote at the very time of the expiry that would fill the order comes too late."""
    plan = Plan(send(limit_ticks=98, expire_ns=3 * SECOND_NS))
    engine, told = quotes(plan, 100, 100, 96, times_ns=(SECOND_NS, 2 * SECOND_NS, 3 * SECOND_NS))
    assert told == [(1, "accepted"), (1, "expired")]
    orders = [f for kind, _, f in decode_frames(engine.take_frames()) if kind == "order"]
    assert (orders[0]["time_in_force"], orders[0]["expire_ns"]) == ("gtd", 3 * SECOND_NS)


@pytest.mark.parametrize(("day_end_ns", "now_ns", "end_ns"), [(0, 5, DAY_NS), (7, 5, 7), (7, 7, DAY_NS + 7)])
def test_a_day_order_lives_until_the_end_of_the_session(day_end_ns, now_ns, end_ns) -> None:
    """`venue.day_end_ns` after midnight UTC ends the session; an order of that very time is of the next."""
    plan = Plan(send(limit_ticks=98, time_in_force="day"))
    _, told = quotes(plan, 100, 96, times_ns=(now_ns, end_ns), day_end_ns=day_end_ns)
    assert told == [(1, "accepted"), (1, "expired")]


def test_an_order_against_bars_expires_within_a_bar() -> None:
    """The range of a bar proves nothing about the time before the expiry: the order does not fill in it."""
    plan = Plan(send(limit_ticks=95, expire_ns=25), None)
    engine = engine_of(plan, Matching.BARS)
    batch = EventBatch()
    times = np.array([0, 10, 20])
    flat = np.array([100] * 3)
    batch.bars(0, times, times + 10, flat, flat + 1, np.array([99, 96, 90]), flat, flat)
    engine.feed(batch)
    engine.run()
    assert plan.told == [(1, "accepted"), (1, "expired")]


def test_an_order_whose_time_is_up_on_its_way_never_reaches_the_book() -> None:
    """Latency can outlast an order: it then expires on arrival."""
    plan = Plan(send(limit_ticks=102, expire_ns=SECOND_NS + 5))
    _, told = quotes(plan, 100, 100, order_latency_ns=10)
    assert told == [(1, "expired")]


def test_the_size_of_a_trailing_stop_can_change_and_its_distance_cannot() -> None:
    """A new size keeps the trigger where it is; a price is refused, for the order states none."""
    plan = Plan(
        send("sell", trail_ticks=3),
        lambda ctx: ctx.replace(1, quantity_lots=1, price_ticks=5),
        lambda ctx: ctx.replace(1, quantity_lots=1),
    )
    _, told = quotes(plan, 100, 104, 104, 101)
    assert plan.answers[1].rule == "invalid_order"
    assert told == [(1, "accepted"), (1, "replaced"), (1, "triggered"), (1, "fill", 1, 100)]


def test_the_limit_of_a_stop_limit_can_change_while_it_sleeps() -> None:
    """The price of an amendment is the limit of an order that has one; its trigger stays."""
    plan = Plan(
        send(stop_ticks=105, limit_ticks=103), lambda ctx: ctx.replace(1, quantity_lots=2, price_ticks=106)
    )
    _, told = quotes(plan, 100, 100, 104)
    assert told == [(1, "accepted"), (1, "replaced"), (1, "triggered"), (1, "fill", 2, 105)]


REFUSED = {
    "an iceberg that shows more than it has": ({"limit_ticks": 99, "display_lots": 4}, 3, 4),
    "an iceberg that shows nothing": ({"limit_ticks": 99, "display_lots": 0}, 1, 0),
    "an iceberg that may not wait": ({"limit_ticks": 99, "display_lots": 1, "time_in_force": "ioc"}, 0, 1),
    "a market-to-limit order that may not wait": ({"to_limit": True, "time_in_force": "fok"}, 0, 1),
    "a post-only stop-limit": ({"stop_ticks": 105, "limit_ticks": 105, "post_only": True}, 0, 1),
    "an expiry that is past": ({"limit_ticks": 99, "expire_ns": SECOND_NS}, SECOND_NS, SECOND_NS),
    "a trailing stop without distance": ({"trail_ticks": 0}, 1, 0),
    "a limit on the wrong side of a trigger that trails": (
        {"trail_ticks": 1, "trail_limit_ticks": -1},
        0,
        -1,
    ),
    "a trigger below 1": ({"stop_ticks": 0, "limit_ticks": 5}, 1, 0),
}


@pytest.mark.parametrize(("order", "limit", "value"), REFUSED.values(), ids=REFUSED)
def test_an_order_that_contradicts_itself_is_refused_with_the_number(order, limit, value) -> None:
    """The refusal names the rule `invalid_order`, the bound and the number that broke it."""
    plan = Plan(send(**order))
    quotes(plan, 100)
    refused = plan.answers[0]
    assert (refused.rule, refused.limit, refused.value) == ("invalid_order", limit, value)


NONSENSE = {
    "stop and touch": {"stop_ticks": 1, "touch_ticks": 1},
    "trail and limit": {"trail_ticks": 1, "limit_ticks": 1},
    "activation without trail": {"activation_ticks": 1},
    "limit offset without trail": {"trail_limit_ticks": 1, "stop_ticks": 1},
    "display without limit": {"display_lots": 1},
    "to limit with a limit": {"to_limit": True, "limit_ticks": 1},
    "gtd without a time": {"time_in_force": "gtd"},
    "a time with ioc": {"time_in_force": "ioc", "expire_ns": 5},
    "display twice": {"limit_ticks": 1, "display": 1, "display_lots": 1},
}


@pytest.mark.parametrize("order", NONSENSE.values(), ids=NONSENSE)
def test_prices_that_make_no_kind_of_order_are_an_error_of_the_caller(order) -> None:
    """They raise `InvalidValueError` and send nothing."""

    def ask(ctx):
        with pytest.raises(InvalidValueError):
            ctx.buy(quantity_lots=3, **order)
        return True

    plan = Plan(ask)
    quotes(plan, 100)
    assert plan.answers == [True]


class ClosesWhenTriggered(Plan):
    """Closes its position at the moment at which it hears that its stop was set off."""

    def on_order(self, ctx, update) -> None:
        """Close."""
        super().on_order(ctx, update)
        if update.what == "triggered":
            self.answers.append(ctx.close())


@pytest.mark.parametrize("latency_ns", [0, 10])
@pytest.mark.parametrize("kind", [{"stop_ticks": 98}, {"trail_ticks": 2}])
def test_a_stop_that_was_set_off_closes_already(kind, latency_ns) -> None:
    """Closing once more, between that news and the fill, would sell the position twice."""
    plan = ClosesWhenTriggered(send(), send("sell", reduce_only=True, **kind))
    _, told = quotes(
        plan, 100, 100, 100, 97, 97, 97, order_latency_ns=latency_ns, report_latency_ns=latency_ns
    )
    assert plan.answers[2].rule == "reduce_only"
    assert [line for line in told if line[1] == "fill"] == [(1, "fill", 3, 101), (2, "fill", 3, 96)]


@pytest.mark.parametrize("mode", ["paid in full", "cross", "isolated"])
@pytest.mark.parametrize("lots", [20, 18, 15])
def test_a_fok_order_that_turns_a_position_fills_whole_or_not_at_all(mode, lots) -> None:
    """The open is above the price it was judged at: what cannot be paid closes nothing either."""
    tier = MarginTierSpec(maintenance_ppm=10_000, leverage_max=1)
    margin = (
        None if mode == "paid in full" else MarginSpec(mode=MarginMode(mode), leverage="1", tiers=(tier,))
    )
    plan = Plan(send("sell", quantity_lots=5), send(quantity_lots=lots, time_in_force="fok"))
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1", lot_size="1", margin=margin),),
        account=AccountSpec(cash="1500"),
        venue=VenueSpec(matching=Matching.BARS),
    )
    engine = Engine(spec, [StrategyBinding(name="plan", strategy=plan)])
    batch = EventBatch()
    times = np.array([0, 10, 20])
    prices = np.array([100, 100, 110])
    batch.bars(0, times, times + 10, prices, prices, prices, prices, np.array([100] * 3))
    engine.feed(batch)
    engine.run()
    filled = [line[2] for line in plan.told if line[0] == 2 and line[1] == "fill"]
    # The loss of 5 times 10 leaves 1450, which pays 13 at 110.
    assert filled == ([5, lots - 5] if lots - 5 <= 13 else []), plan.told
