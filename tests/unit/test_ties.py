"""What happens at one and the same instant, and what has one and the same price: the order is stated."""

import itertools

import pytest

from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Matching,
    RiskSpec,
    SelfTrade,
    VenueSpec,
)
from tradecore.domain.commands import SetLimit
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

SENT_NS, LATENCY_NS = 1_000, 100
ARRIVES_NS = SENT_NS + LATENCY_NS


class Diary:
    """Sends one order at the first quote, and perhaps takes it back; writes down what it is told."""

    def __init__(self, order, *, cancel_at=None) -> None:
        self.order = order
        self.cancel_at = cancel_at
        self.number = None
        self.lines = []

    def on_quote(self, ctx, quote) -> None:
        """Send the order, then set a timer for its end."""
        if self.number is None:
            self.number = ctx.buy(quantity_lots=1, **self.order)
            if self.cancel_at is not None:
                ctx.set_timer(self.cancel_at)

    def on_timer(self, ctx, timer_id) -> None:
        """Take the order back."""
        ctx.cancel(self.number)

    def on_fill(self, ctx, fill) -> None:
        """Write it down."""
        self.lines.append(("filled", ctx.now_ns, fill.price_ticks))

    def on_order(self, ctx, update) -> None:
        """Write it down, but for the acceptance."""
        if update.what != "accepted":
            self.lines.append((update.what, ctx.now_ns))


def told(order, *quotes, cancel_at=None, latency_ns=LATENCY_NS):
    """Return the diary of one order: quoted at 99 to 101 when it is sent, later as given, (time, bid)."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.QUOTES, order_latency_ns=latency_ns),
    )
    strategy = Diary(order, cancel_at=cancel_at)
    engine = Engine(spec, [StrategyBinding(name="diary", strategy=strategy)])
    batch = EventBatch()
    for time_ns, bid in ((SENT_NS, 99), *quotes):
        batch.quote(time_ns, 0, bid, 5, bid + 2, 5)
    batch.clock(10_000)
    engine.feed(batch)
    engine.run()
    return strategy.lines


@pytest.mark.parametrize(
    ("expire_ns", "says"),
    [
        (ARRIVES_NS - 1, [("expired", ARRIVES_NS)]),
        (ARRIVES_NS, [("expired", ARRIVES_NS)]),
        (ARRIVES_NS + 1, [("filled", ARRIVES_NS, 101)]),
    ],
)
@pytest.mark.parametrize("quoted_ns", [ARRIVES_NS - 1, ARRIVES_NS, ARRIVES_NS + 1])
def test_an_order_that_ends_when_it_arrives_never_lived(expire_ns, says, quoted_ns):
    """An end comes before anything else of its time, the arrival of its own order included."""
    assert told({"limit_ticks": 101, "expire_ns": expire_ns}, (quoted_ns, 99)) == says


def test_an_order_that_ends_with_the_quote_it_waits_for_does_not_meet_it():
    """A nanosecond later it does."""
    waits = {"limit_ticks": 95}
    fall = (2_000, 90)
    assert told(waits | {"expire_ns": 2_000}, fall) == [("expired", 2_000)]
    assert told(waits | {"expire_ns": 2_001}, fall) == [("filled", 2_000, 95)]


@pytest.mark.parametrize(
    ("quoted_ns", "price"), [(ARRIVES_NS - 1, 111), (ARRIVES_NS, 101), (ARRIVES_NS + 1, 101)]
)
def test_what_arrives_with_a_quote_arrives_before_it(quoted_ns, price):
    """The order meets the market as it stood until then."""
    assert told({}, (quoted_ns, 109)) == [("filled", ARRIVES_NS, price)]


@pytest.mark.parametrize(
    ("cancel_at", "says"),
    [
        (1_899, [("canceled", 1_999)]),
        (1_900, [("canceled", 2_000)]),
        (1_901, [("filled", 2_000, 95)]),
    ],
)
def test_a_cancel_that_arrives_with_the_quote_comes_before_it(cancel_at, says):
    """As an order does; a nanosecond later it is too late."""
    assert told({"limit_ticks": 95}, (2_000, 90), cancel_at=cancel_at) == says


def test_what_arrives_together_arrives_in_the_order_of_sending():
    """Of two orders for the same lots the one that was sent first has them, whatever their numbers say."""

    class Both:
        def __init__(self, prices) -> None:
            self.prices = prices
            self.filled = []

        def on_quote(self, ctx, quote) -> None:
            """Send all at the first quote."""
            prices, self.prices = self.prices, ()
            for price in prices:
                ctx.buy(quantity_lots=5, limit_ticks=price, time_in_force="ioc")

        def on_fill(self, ctx, fill) -> None:
            """Keep whose fill it was."""
            self.filled.append(fill.order_id)

    for prices in itertools.permutations((101, 102, 103)):
        spec = EngineSpec(
            instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
            account=AccountSpec(cash="1000000"),
            venue=VenueSpec(matching=Matching.QUOTES, order_latency_ns=LATENCY_NS),
        )
        strategy = Both(prices)
        engine = Engine(spec, [StrategyBinding(name="both", strategy=strategy)])
        batch = EventBatch()
        batch.quote(SENT_NS, 0, 99, 5, 101, 5)
        batch.clock(10_000)
        engine.feed(batch)
        engine.run()
        assert strategy.filled == [1], prices


OWN = [(95, 1), (98, 2), (97, 3), (98, 4)]


@pytest.mark.parametrize("order", list(itertools.permutations(OWN)))
@pytest.mark.parametrize("when", ["from the start", "while they rest"])
def test_each_of_several_own_orders_is_seen_and_the_oldest_that_would_be_met_is_named(order, when):
    """Whether the prevention of self-trades was on when they came, or was switched on later."""

    class Rests:
        def __init__(self) -> None:
            self.answers = []

        def on_quote(self, ctx, quote) -> None:
            """Rest at first, then try to meet what rests: through it, at it, above it."""
            if quote.time_ns == 1:
                for price, lots in order:
                    ctx.buy(quantity_lots=lots, limit_ticks=price)
            elif quote.time_ns == 3:
                self.answers = [ctx.sell(quantity_lots=1, limit_ticks=price) for price in (97, 98, 99)]

    block = SelfTrade.BLOCK if when == "from the start" else SelfTrade.ALLOW
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.QUOTES),
        risk=RiskSpec(self_trade=block),
    )
    strategy = Rests()
    engine = Engine(spec, [StrategyBinding(name="rests", strategy=strategy)])
    for time_ns in (1, 2, 3):
        batch = EventBatch()
        batch.quote(time_ns, 0, 99, 50, 101, 50)
        engine.feed(batch)
        engine.run()
        if time_ns == 1 and block is SelfTrade.ALLOW:
            engine.command(SetLimit(scope="account", limit="self_trade", value="block", person="Ada"), 1)
            engine.run()

    through, at, above = strategy.answers
    oldest = next(price for price, _ in order if price >= 97)
    assert [(each.rule, each.limit, each.value) for each in (through, at)] == [
        ("self_trade", oldest, 97),
        ("self_trade", 98, 98),
    ]
    assert isinstance(above, int)
