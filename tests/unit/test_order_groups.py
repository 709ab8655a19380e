"""Orders that depend on each other: one cancels the other, one triggers the other, brackets of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding


class Script:
    """Does one thing at each quote or bar and writes down what it is told, positions included."""

    def __init__(self, *steps) -> None:
        self.steps = list(steps)
        self.answers = []
        self.told = []
        self.positions = []

    def step(self, ctx) -> None:
        """Do the next thing, if there is one."""
        if self.steps:
            self.answers.append(self.steps.pop(0)(ctx))
        self.positions.append(ctx.position_lots())

    def on_quote(self, ctx, quote) -> None:
        """Go on."""
        self.step(ctx)

    def on_bar(self, ctx, bar) -> None:
        """Go on."""
        self.step(ctx)

    def on_fill(self, ctx, fill) -> None:
        """Write it down."""
        self.told.append((fill.order_id, "fill", fill.lots))
        self.positions.append(ctx.position_lots())

    def on_order(self, ctx, update) -> None:
        """Write it down."""
        reason = f" {update.reason}" if update.reason else ""
        self.told.append((update.order_id, update.what + reason))


def engine_of(script, matching=Matching.QUOTES, **venue):
    """Build an engine with one instrument, tick 1 and lot 1."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=matching, **venue),
    )
    return Engine(spec, [StrategyBinding(name="script", strategy=script)], recording=True)


def quotes(script, *mids, lots=10, **venue):
    """Show quotes one tick around these prices and return the engine."""
    engine = engine_of(script, **venue)
    batch = EventBatch()
    for number, mid in enumerate(mids):
        batch.quote(1_000 * (number + 1), 0, mid - 1, lots, mid + 1, lots)
    engine.feed(batch)
    engine.run()
    return engine


def bars(script, *rows, **venue):
    """Show bars of open, high, low and close."""
    engine = engine_of(script, Matching.BARS, **venue)
    batch = EventBatch()
    columns = np.ascontiguousarray(np.array(rows, dtype=np.int64).T)
    times = np.arange(len(rows), dtype=np.int64) * 10
    batch.bars(0, times, times + 10, *columns, np.ones(len(rows), dtype=np.int64))
    engine.feed(batch)
    engine.run()
    return engine


def bracket(**entry):
    """Return a step that sends an entry and two exits after it that cancel each other."""

    def send(ctx):
        first = ctx.buy(quantity_lots=8, **entry)
        exit_ = {"quantity_lots": 8, "after": first, "reduce_only": True}
        loss = ctx.sell(stop_ticks=95, **exit_)
        return first, loss, ctx.sell(limit_ticks=105, oco=loss, **exit_)

    return send


def test_exits_wait_for_their_entry_and_one_cancels_the_other() -> None:
    """Nothing is sent before the entry has filled; the exit that fills cancels the other one."""
    script = Script(bracket(limit_ticks=99))
    quotes(script, 100, 100, 98, 98, 107, 90)
    assert script.told == [
        (1, "accepted"), (1, "fill", 8), (2, "accepted"), (3, "accepted"), (3, "fill", 8),
        (2, "canceled linked"),
    ]  # fmt: skip
    assert set(script.positions) == {0, 8}


def test_an_exit_is_no_larger_than_what_filled() -> None:
    """Five of eight lots fill, the rest is cancelled: both exits become orders for five."""
    script = Script(bracket(time_in_force="ioc", limit_ticks=101))
    quotes(script, 100, 100, 107, lots=5)
    assert (2, "restated") in script.told
    assert (3, "restated") in script.told
    assert [told for told in script.told if told[1] == "fill"] == [(1, "fill", 5), (3, "fill", 5)]
    assert script.positions[-1] == 0


def test_an_order_after_one_that_never_filled_is_cancelled() -> None:
    """So are those that cancel each other with it."""
    script = Script(bracket(limit_ticks=90), lambda ctx: ctx.cancel(1))
    engine = quotes(script, 100, 100, 100, 100)
    assert sorted(script.told) == [
        (1, "accepted"), (1, "canceled requested"), (2, "canceled linked"), (3, "canceled linked"),
    ]  # fmt: skip
    assert engine.summary().orders == 3


def test_an_order_that_waits_for_another_can_be_cancelled_and_expires() -> None:
    """No venue has seen it, and it ends all the same; it cannot be amended."""

    def send(ctx):
        first = ctx.buy(quantity_lots=1, limit_ticks=90)
        second = ctx.buy(quantity_lots=1, limit_ticks=90, after=first)
        assert not ctx.replace(second, quantity_lots=1, price_ticks=91)
        return second, ctx.buy(quantity_lots=1, limit_ticks=90, after=first, expire_ns=2_500)

    script = Script(send, lambda ctx: ctx.cancel(2))
    quotes(script, 100, 100, 100, 89)
    assert script.answers[0] == (2, 3)
    assert script.told == [
        (1, "accepted"), (2, "canceled requested"), (3, "expired"), (1, "fill", 1),
    ]  # fmt: skip


def test_a_partial_fill_makes_the_other_order_smaller() -> None:
    """Two entries, of which only one is meant to happen: what one has filled the other loses."""

    def send(ctx):
        low = ctx.buy(quantity_lots=8, limit_ticks=98)
        return low, ctx.buy(quantity_lots=8, stop_ticks=110, oco=low)

    script = Script(send)
    quotes(script, 100, 96, 112, 112, lots=3)
    assert script.told[:5] == [
        (1, "accepted"), (2, "accepted"), (1, "fill", 3), (2, "replaced"), (2, "triggered"),
    ]  # fmt: skip
    assert script.told[5] == (2, "fill", 3)
    assert script.positions[-1] <= 8


def test_exits_of_a_position_that_cancel_each_other_count_once() -> None:
    """A stop and a limit for the whole position are no more than it; only one of them can close it."""

    def exits(ctx):
        loss = ctx.sell(quantity_lots=5, stop_ticks=95, reduce_only=True)
        assert ctx.sell(quantity_lots=5, limit_ticks=105, reduce_only=True).rule == "reduce_only"
        return ctx.sell(quantity_lots=5, limit_ticks=105, reduce_only=True, oco=loss)

    script = Script(lambda ctx: ctx.buy(quantity_lots=5), lambda ctx: None, exits)
    quotes(script, 100, 100, 100, 100, 107)
    assert script.answers[2] == 4
    assert (4, "fill", 5) in script.told
    assert (2, "canceled linked") in script.told


def test_exits_follow_what_is_left_of_their_entry() -> None:
    """Three of eight lots are sold by hand: the exits close five."""
    script = Script(bracket(), lambda ctx: None, lambda ctx: ctx.sell(quantity_lots=3))
    quotes(script, 100, 100, 100, 100, 107)
    assert script.positions[-1] == 0
    assert (3, "fill", 5) in script.told


def test_against_bars_the_exit_that_fills_cancels_the_other_within_the_bar() -> None:
    """A bar that reaches both exits fills the worse one; the other one is cancelled before it is tried."""
    script = Script(bracket())
    bars(script, (100, 101, 99, 100), (100, 101, 99, 100), (100, 110, 90, 100), (100, 110, 90, 100))
    fills = [told for told in script.told if told[1] == "fill"]
    assert fills == [(1, "fill", 8), (2, "fill", 8)]
    assert (3, "canceled linked") in script.told


@pytest.mark.parametrize("links", [{"after": 7}, {"oco": 7}, {"after": 1, "oco": 9}])
def test_an_order_cannot_depend_on_one_that_is_not_open(links) -> None:
    """It is refused with the number it named."""
    script = Script(
        lambda ctx: (ctx.buy(quantity_lots=1, limit_ticks=90), ctx.buy(quantity_lots=1, **links))[1]
    )
    quotes(script, 100)
    assert script.answers[0].rule == "invalid_order"
    assert script.answers[0].value == max(links.values())


def test_an_exit_larger_than_its_entry_is_refused() -> None:
    """As is one on the side of its entry: an exit can only close what the entry opens."""

    def send(ctx):
        first = ctx.buy(quantity_lots=2, limit_ticks=90)
        large = ctx.sell(quantity_lots=3, limit_ticks=110, after=first, reduce_only=True)
        return large, ctx.buy(quantity_lots=2, limit_ticks=80, after=first, reduce_only=True)

    script = Script(send)
    quotes(script, 100)
    assert [(answer.rule, answer.limit, answer.value) for answer in script.answers[0]] == [
        ("reduce_only", 2, 3), ("reduce_only", 2, 2),
    ]  # fmt: skip


def test_links_are_in_the_journal() -> None:
    """The record names the order, the one before it and the one it cancels."""
    engine = quotes(Script(bracket(limit_ticks=90)), 100)
    links = [fields for kind, _, fields in decode_frames(engine.take_frames()) if kind == "link"]
    assert links == [{"order_id": 2, "after": 1}, {"order_id": 3, "after": 1, "oco": 2}]


def read_frames(frames):
    """Add up the fills of every order, and list the links."""
    filled: dict[int, int] = {}
    links = {}
    for kind, _, fields in decode_frames(frames):
        if kind == "link":
            links[fields["order_id"]] = fields
        elif kind == "report" and fields["report"] == "fill":
            filled[fields["order_id"]] = filled.get(fields["order_id"], 0) + fields["lots"]
    return filled, links


PRICES = st.lists(st.integers(92, 108), min_size=6, max_size=40)
WISHES = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(94, 106)), max_size=12)
MARKETS = st.sampled_from([("quotes", 0), ("quotes", 1_500), ("bars", 0)])


@settings(max_examples=300)
@given(prices=PRICES, wishes=WISHES, market=MARKETS, lots=st.integers(1, 12))
def test_a_bracket_closes_what_its_entry_opened_and_never_more(prices, wishes, market, lots) -> None:
    """Whatever prices, sizes, latencies and other orders of the strategy do, exits end flat or on the way.

    The strategy only buys, so where nothing but exits sells a position below 0 would be an exit that closed
    more than there was. With latency, or when the strategy closes while an exit fills, two orders can fill
    before one hears of the other, and what they opened is closed at once.
    """
    kind, latency_ns = market
    wishes = list(wishes)
    alone = all(what in {0, 1, 2, 4} for what, _, _ in wishes)

    def send(ctx):
        if not wishes:
            return None
        what, quantity_lots, price = wishes.pop()
        order = {"quantity_lots": quantity_lots}
        if what < 3:
            entry = ctx.buy(**order, **({"limit_ticks": price} if what else {}))
            if not entry:
                return None
            exit_ = {**order, "after": entry, "reduce_only": True}
            loss = ctx.sell(stop_ticks=price - 4, **exit_)
            return ctx.sell(limit_ticks=price + 4, oco=loss, **exit_)
        if what == 3:
            return ctx.close()
        if what == 4:
            return [ctx.cancel(order_id) for order_id in range(1, quantity_lots + 1)]
        return ctx.sell(**order, trail_ticks=2, reduce_only=True)

    script = Script(*[send] * len(prices))
    if kind == "bars":
        rows = [(price, price + 2, price - 2, price + 1) for price in prices]
        engine = bars(script, *rows)
    else:
        venue = {"order_latency_ns": latency_ns, "report_latency_ns": latency_ns}
        engine = quotes(script, *prices, lots=lots, **venue)
    if latency_ns == 0 and alone:
        assert min(script.positions) >= 0
    filled, links = read_frames(engine.take_frames())
    for order_id, link in links.items():
        if latency_ns == 0 and "oco" in link:
            together = filled.get(order_id, 0) + filled.get(link["oco"], 0)
            assert together <= filled.get(link["after"], 0)
