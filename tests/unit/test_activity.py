"""A run without trades says why."""

import numpy as np
import pytest

from tradecore import backtest
from tradecore.decision import DecisionView, GateVerdict
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    RiskSpec,
    StrategyError,
    StrategyWarning,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import BarSource, StrategyBinding

MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_040_000_000_000


class Buys:
    """Buys so many units at each bar."""

    def __init__(self, quantity=1, **order) -> None:
        self.order = {"quantity": quantity, **order}

    def on_bar(self, ctx, bar) -> None:
        """Buy."""
        ctx.buy(**self.order)


class Waits:
    """Waits for a slow average that never comes."""

    def on_start(self, ctx) -> None:
        """Ask for it."""
        self.slow = ctx.sma(200)

    def on_bar(self, ctx, bar) -> None:
        """Trade once it is warm."""
        if self.slow.is_warm:
            ctx.buy(quantity=1)


class Closed:
    """A gate that lets nothing pass."""

    def check(self, view: DecisionView) -> GateVerdict:
        """Say no."""
        return GateVerdict(gate="closed", limit=1, value=0, passed=False)


def spec(*symbols, **more):
    """Return an engine of such instruments, with a tick and a lot of 1."""
    instruments = tuple(
        InstrumentSpec(symbol=symbol, tick_size="1", lot_size="1") for symbol in symbols or ["ABC"]
    )
    return EngineSpec(instruments=instruments, account=AccountSpec(cash="100000"), **more)


def bars(count=20):
    """Return minutes of a market that stands still."""
    batch, closes = EventBatch(), np.arange(1, count + 1) * MINUTE_NS + START_NS
    price = np.full(count, 100)
    batch.bars(0, closes - MINUTE_NS, closes, price, price + 1, price - 1, price, price)
    return batch


def reasons(strategy, batch=None, *, specification=None, gates=(), **binding):
    """Run a strategy and return why it has no trades."""
    binding = StrategyBinding(name="mine", strategy=strategy, **binding)
    result = backtest.run(specification or spec(), [binding], batch or bars(), gates=gates)
    assert len(result.trades) == 0
    found = result.activity.reasons()
    assert all(reason in repr(result) for reason in found)
    return found


def test_a_refused_order_is_told_with_rule_count_time_limit_and_value():
    """What stands in the way is the limit, and the first order that met it shows how far it is."""
    found = reasons(Buys(5), specification=spec(risk=RiskSpec(quantity_max="4")))

    assert found == [
        (
            "strategy mine: quantity_max refused 20 orders; the first at 2023-11-14T22:15:00Z: "
            "the size is 5 ABC, allowed are 4 ABC"
        )
    ]


def test_an_indicator_that_never_got_warm_is_told_with_the_bars_it_saw():
    """A slow average over few bars is the most frequent reason of all."""
    found = reasons(Waits())

    assert found == [
        "strategy mine: sma(200) of ABC never got warm: it saw 20 of the 200 bars that it needs",
        "strategy mine: it asked for no order; on_start ran once, on_bar 20 times",
    ]


def test_orders_that_nobody_met_are_told_by_what_became_of_them():
    """Limits far from the market stay open, fill-or-kill orders are rejected."""
    assert reasons(Buys(limit=1)) == ["strategy mine: of 20 orders sent, 20 still open"]
    assert reasons(Buys(limit=1, time_in_force="fok"))[0].startswith("strategy mine: of 20 orders sent, ")


def test_a_position_that_is_still_open_is_no_trade_yet():
    """Who buys and never sells is told what makes a trade of it."""
    found = reasons(Buys())

    assert "20 filled whole" in found[0] or "19 filled whole" in found[0]
    assert "a trade counts once its position is closed" in found[1]


def test_a_gate_that_refuses_everything_is_named():
    """The rule alone is `decision_gate`; which gate it was stands beside it."""
    found = reasons(Buys(), gates=[Closed()])

    assert "decision_gate refused 20 orders" in found[0]
    assert found[1] == (
        "decision gate closed refused every one of 20 requests; "
        "the first at 2023-11-14T22:15:00Z: limit 1, value 0"
    )


def test_an_instrument_without_data_is_named():
    """A second instrument for which no file was given is no silent half of a strategy."""
    found = reasons(Buys(limit=1), specification=spec("ABC", "XYZ"), instruments=(0, 1))

    assert found[0] == "XYZ had no data at all: no bar, quote, trade or book came"


@pytest.mark.parametrize(
    ("bars_text", "kinds", "says"),
    [
        ("input", "quotes", ['bars = "input"', "given as input", "only quotes", 'write bars = "1m:quotes"']),
        (
            "input",
            "trades",
            ['bars = "input"', "only trades", 'write bars = "1m" for bars built from trades'],
        ),
        ("5m:quotes", "trades", ["built from quotes", "only trades", 'write bars = "5m"']),
        ("5m", "quotes", ["built from bars or trades", "only quotes", 'write bars = "5m:quotes"']),
        ("100tick", "quotes", ["built from trades", 'write bars = "1m:quotes"']),
        ("1d", "trades", ["no bar of ABC has ended", "shorter than one bar"]),
    ],
)
def test_bars_that_nothing_feeds_say_what_to_write(bars_text, kinds, says):
    """The bars of a strategy are made of one kind of data, and another kind came."""
    batch = EventBatch()
    for step in range(1, 10):
        if kinds == "quotes":
            batch.quote(START_NS + step, 0, 99, 5, 101, 5)
        else:
            batch.trade(START_NS + step, 0, 100, 5, True)
    found = reasons(
        Buys(),
        batch,
        specification=spec(venue=VenueSpec(matching=Matching.QUOTES)),
        bars=BarSource.parse(bars_text),
    )

    for words in says:
        assert words in found[0], found
    assert found[-1] == "strategy mine: it asked for no order; on_bar never ran"


def test_a_callback_for_data_that_never_came_is_told():
    """`on_quote` over bars alone cannot run."""

    class Quoted:
        def on_quote(self, ctx, quote):
            """Never called here."""

    assert reasons(Quoted())[0] == "strategy mine: on_quote cannot run for ABC: it had no quotes, only bars"


def test_a_method_that_nothing_calls_is_a_warning_before_the_run():
    """A slip of the pen in a name is found with the name that was meant."""

    class Slip:
        def on_barr(self, ctx, bar):
            """Be never called."""

    with pytest.warns(StrategyWarning) as told:
        found = reasons(Slip())

    assert "did you mean on_bar?" in str(told[0].message)
    assert "did you mean on_bar?" in found[0]
    assert "it has no callback such as on_bar" in found[1]


def test_an_indicator_made_in_a_callback_is_an_error_that_says_where_it_belongs():
    """Made anew at each bar it would never get warm, and nothing would say so."""

    class Late:
        def on_bar(self, ctx, bar):
            """Make it too late."""
            ctx.macd(3, 6, 2)

    with pytest.raises(StrategyError, match=r"made in on_start .*self.macd = ctx.macd\(3, 6, 2\).*line \d"):
        reasons(Late())


def test_history_that_is_not_kept_is_an_error_that_says_what_to_write():
    """An empty array, or one that stays too short, is a strategy that waits for ever."""

    class Looks:
        def on_bar(self, ctx, bar):
            """Look back."""
            ctx.history("close", 50)

    with pytest.raises(StrategyError, match=r"keeps no bars .*write history = 50 in \[strategy\]"):
        reasons(Looks())
    with pytest.raises(StrategyError, match=r"keeps 20 bars .*write history = 50"):
        reasons(Looks(), history=20)
    reasons(Looks(), history=50)


@pytest.mark.parametrize("count", [-1, 1.5, 2.0, "2", None, np.nan])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_count_of_history_that_is_none_is_named(count, kept):
    """Whether the engine keeps bars or not, and in words rather than those of a comparison."""

    class Looks:
        def on_bar(self, ctx, bar):
            """Look back."""
            ctx.history("close", count)

    with pytest.raises(StrategyError, match=r"InvalidValueError: count .*: must "):
        reasons(Looks(), history=kept)


def test_a_count_of_history_may_be_of_numpy():
    """A window that was computed is a number of numpy."""
    lengths = []

    class Looks:
        def on_bar(self, ctx, bar):
            """Look back."""
            lengths.append(len(ctx.history("close", np.int64(2))))

    reasons(Looks(), history=2)
    assert lengths[:3] == [1, 2, 2]


@pytest.mark.parametrize(
    ("order", "cause"),
    [
        ({"fraction": 1.5}, "`fraction` must be at most 1, which is the whole buying power, and is 1.5"),
        ({"fraction": 0}, "a size, price, percentage or fraction of it is 0"),
        ({"quantity": -1}, "a size, price, percentage or fraction of it is negative"),
        (
            {"quantity": 1, "stop_loss_pct": 100},
            "a percentage below the market must be below 100, and is 100",
        ),
    ],
)
def test_a_size_that_makes_no_sense_is_told_with_what_it_may_be(order, cause):
    """Its bound alone, 1000000, is a riddle to who wrote a fraction of 1.5."""

    class Wrong:
        def on_bar(self, ctx, bar):
            """Ask for too much or too little."""
            ctx.buy(**order)

    assert any(cause in reason for reason in reasons(Wrong()))


def test_news_are_told_once_and_refusals_once_for_each_rule():
    """A flood of refusals is one line; what does not come is said after a minute of the engine's time."""

    class Quoted(Buys):
        def on_quote(self, ctx, quote):
            """Never called here."""

        def on_quotes(self, ctx, quote):
            """Be never called."""

    limits = spec("ABC", "XYZ", risk=RiskSpec(quantity_max="4"))
    binding = StrategyBinding(name="mine", strategy=Quoted(5), instruments=(0, 1))
    engine = Engine(limits, [binding])
    watch, quiet = engine.watch(), engine.watch(has_refusals=False)

    assert [note for note in watch.news() if "did you mean on_quote?" in note] != []
    quiet.news()
    engine.feed(bars(1))
    engine.run()
    assert watch.news() == [
        (
            "strategy mine: quantity_max refused an order of ABC at 2023-11-14T22:15:00Z: "
            "the size is 5 ABC, allowed are 4 ABC"
        )
    ]
    assert quiet.news() == []
    engine.feed(bars_after(engine.now_ns, 3))
    engine.run()
    late = [
        "XYZ has had no data so far: no bar, quote, trade or book came",
        "strategy mine: on_quote cannot run for ABC: it had no quotes, only bars",
    ]
    assert watch.news() == quiet.news() == late
    assert watch.news() == quiet.news() == []


def bars_after(time_ns, count):
    """Return minutes that follow a time."""
    batch, closes = EventBatch(), np.arange(1, count + 1) * MINUTE_NS + time_ns
    price = np.full(count, 100)
    batch.bars(0, closes - MINUTE_NS, closes, price, price + 1, price - 1, price, price)
    return batch


def test_what_fails_before_the_first_event_has_no_time():
    """The engine has no time yet, and 1970 would be none either."""

    class Fails:
        def on_start(self, ctx):
            """Fail."""
            raise KeyError("x")

        def on_bar(self, ctx, bar):
            """Be never called."""

    with pytest.raises(StrategyError, match=r"failed in on_start before the first event: KeyError"):
        reasons(Fails())


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda ctx: ctx.buy(1), r"buy takes its arguments by name: ctx.buy\(quantity=1\)"),
        (lambda ctx: ctx.sell(2, 3), r"sell takes its arguments by name: ctx.sell\(quantity=2\)"),
        (lambda ctx: ctx.replace(7, 5), r"by name: ctx.replace\(order_id, quantity_lots=5\)"),
        (lambda ctx: ctx.replace(7), r"by name: ctx.replace\(order_id, quantity_lots=\.\.\.\)"),
        (lambda ctx: ctx.cancel(None), r"order_id must be the number of an order.*not NoneType"),
        (lambda ctx: ctx.cancel(-1), r"order_id must be the number of an order.*that is none"),
        (lambda ctx: ctx.cancel(ctx.buy(quantity=9)), r"that order was refused \(quantity_max\)"),
    ],
)
def test_a_wrong_call_of_an_order_is_answered_in_words(call, says):
    """The message has the call as it should be."""

    class Calls:
        def on_bar(self, ctx, bar):
            """Call it."""
            with pytest.raises(TypeError, match=says):
                call(ctx)
            with pytest.raises(InvalidValueError, match="must be a number"):
                ctx.target("x")

    reasons(Calls(), specification=spec(risk=RiskSpec(quantity_max="8")))


def test_an_error_about_a_time_shows_it_as_people_read_it():
    """Nanoseconds since 1970 are no time to anybody; the value stays beside it."""
    engine = Engine(spec(), [StrategyBinding(name="mine", strategy=Buys())])
    batch = EventBatch()
    batch.trade(START_NS, 0, 100, 1, True)
    batch.trade(START_NS - 5, 0, 100, 1, True)
    says = (
        r"time_ns 1700000039999999995 \(2023-11-14T22:13:59.999999995Z\): times must not fall; .* 5 ns later"
    )
    with pytest.raises(InvalidValueError, match=says):
        engine.feed(batch)
    assert str(InvalidValueError("time_ns", "noon", "must be a number")) == "time_ns 'noon': must be a number"
