"""A number that an instrument does not have refuses an order and ends no strategy."""

import math
from decimal import Decimal

import numpy as np
import pytest

from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Matching,
    StrategyBinding,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),),
    account=AccountSpec(cash="100000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)
HUGE = 2**63
LAST = HUGE - 1


class Asks:
    """Asks for the same at every quote."""

    def __init__(self, ask) -> None:
        self._ask = ask
        self.answers = []

    def on_quote(self, ctx, quote) -> None:
        """Ask."""
        self.answers.append(self._ask(ctx))


def asked(ask, quotes=1):
    """Return the answers of a strategy, and its engine, which keeps frames."""
    strategy = Asks(ask)
    engine = Engine(SPEC, [StrategyBinding(name="asks", strategy=strategy)], recording=True)
    batch = EventBatch()
    for number in range(quotes):
        batch.quote(1_000 + number, 0, 198, 50, 202, 50)
    engine.feed(batch)
    engine.run()
    return strategy.answers, engine


ONE = {"quantity_lots": 1}
REFUSED = {
    "a size off the lot": ({"quantity": 0.14}, "off_lot", 1, 2),
    "a size nearer to the lot above": ({"quantity": Decimal("0.16")}, "off_lot", 2, 1),
    "a size of numpy": ({"quantity": np.float64(0.14)}, "off_lot", 1, 2),
    "less than a lot": ({"quantity": 0.04}, "off_lot", 0, 1),
    "no size": ({"quantity": 0}, "invalid_order", 1, 0),
    "a negative size": ({"quantity": -0.2}, "invalid_order", 1, -2),
    "a size that is no number": ({"quantity": math.nan}, "not_a_number", 0, 0),
    "an infinite size": ({"quantity": -math.inf}, "not_a_number", 0, -1),
    "a size beyond 64 bits": ({"quantity": 1e300}, "invalid_order", LAST, 2**127 - 1),
    "lots beyond 64 bits": ({"quantity_lots": HUGE}, "invalid_order", LAST, HUGE),
    "lots far beyond 64 bits": ({"quantity_lots": 10**60}, "invalid_order", LAST, 2**127 - 1),
    "a share above all": ({"fraction": 1.5}, "invalid_order", 1_000_000, 1_500_000),
    "a share of nothing": ({"fraction": 0.0}, "invalid_order", 1, 0),
    "a share below a millionth": ({"fraction": 1e-9}, "invalid_order", 1, 0),
    "a share that is no number": ({"fraction": math.nan}, "not_a_number", 0, 0),
    "a limit off the tick": ({**ONE, "limit": 100.3}, "off_tick", 201, 200),
    "a limit of Decimal": ({**ONE, "limit": Decimal("100.0000001")}, "off_tick", 200, 201),
    "an infinite limit": ({**ONE, "limit": math.inf}, "not_a_number", 0, 1),
    "a limit of ticks beyond 64 bits": ({**ONE, "limit_ticks": -HUGE - 1}, "invalid_order", -HUGE, -HUGE - 1),
    "a stop off the tick": ({**ONE, "stop": 100.1}, "off_tick", 200, 201),
    "a touch off the tick": ({**ONE, "touch": 100.1}, "off_tick", 200, 201),
    "a trail off the tick": ({**ONE, "trail": 0.6}, "off_tick", 1, 2),
    "a trail of no percent": ({**ONE, "trail_pct": 0}, "invalid_order", 1, 0),
    "a trail of a hundred percent": ({**ONE, "trail_pct": 100}, "invalid_order", 999_999, 1_000_000),
    "a trail that is no number": ({**ONE, "trail_pct": math.nan}, "not_a_number", 0, 0),
    "a part off the lot": ({**ONE, "limit": 100, "display": 0.16}, "off_lot", 2, 1),
    "a stop-loss off the tick": ({**ONE, "stop_loss": 90.2}, "off_tick", 180, 181),
    "a take-profit off the tick": ({**ONE, "take_profit": 110.2}, "off_tick", 220, 221),
    "a stop-loss of all": ({**ONE, "stop_loss_pct": 100}, "invalid_order", 999_999, 1_000_000),
    "a stop-loss that is no number": ({**ONE, "stop_loss_pct": math.nan}, "not_a_number", 0, 0),
    "a negative take-profit": ({**ONE, "take_profit_pct": -1}, "invalid_order", 1, -10_000),
    "two numbers, the first of which is told": ({"quantity": 0.14, "limit": 100.3}, "off_tick", 201, 200),
}


@pytest.mark.parametrize(("arguments", "rule", "limit", "value"), REFUSED.values(), ids=REFUSED)
def test_a_number_that_the_instrument_does_not_have_is_refused(arguments, rule, limit, value):
    """The strategy goes on, and the journal has the refusal with its rule and numbers, each time anew."""
    answers, engine = asked(lambda ctx: ctx.buy(**arguments), quotes=2)
    assert [(answer.rule, answer.limit, answer.value) for answer in answers] == [(rule, limit, value)] * 2
    records = [fields for kind, _, fields in decode_frames(engine.take_frames()) if kind == "refused"]
    assert [(fields["rule"], fields["limit"], fields["value"]) for fields in records] == [
        (rule, limit, value)
    ] * 2
    assert engine.summary().refusals == 2
    assert engine.summary().orders == 0


def test_the_same_numbers_are_refused_with_the_same_bytes():
    """A replay asks the strategy again and finds what is recorded."""

    def run():
        _, engine = asked(lambda ctx: ctx.buy(quantity=0.14, limit=100.3, stop_loss_pct=2), quotes=3)
        return engine.take_frames(), engine.orders_digest(), engine.state_hash()

    assert run() == run()


def test_a_refusal_says_in_words_what_would_be_right():
    """The nearest valid price is the answer that a person needs."""
    [refused], _ = asked(lambda ctx: ctx.buy(quantity=1, limit=100.3))
    assert refused.message == (
        "limit 100.3: must be a multiple of the tick size 0.5; the nearest is 100.5: "
        "give that, or use round_price"
    )
    [refused], _ = asked(lambda ctx: ctx.buy(quantity_lots=1, limit_ticks=-1))
    assert refused.message == "invalid_order: limit 1, value -1"


def test_what_is_rounded_is_taken():
    """`round_price` and `round_quantity` give what an order takes."""

    def ask(ctx):
        return ctx.buy(quantity=ctx.round_quantity(0.17), limit=ctx.round_price(100.3, "down"))

    [answer], engine = asked(ask)
    assert answer == 1
    order = next(fields for kind, _, fields in decode_frames(engine.take_frames()) if kind == "order")
    assert (order["lots"], order["price_ticks"]) == (1, 200)


@pytest.mark.parametrize("quantity", [0.14, -0.14, math.nan, 1e300])
def test_a_target_that_is_no_whole_number_of_lots_is_refused(quantity):
    """It is an order like every other one."""
    [answer], engine = asked(lambda ctx: ctx.target(quantity))
    assert answer.rule in ("off_lot", "not_a_number", "invalid_order")
    assert engine.summary().refusals == 1


def test_an_amendment_beyond_64_bits_is_refused_and_recorded():
    """The order stays as it was."""

    def ask(ctx):
        order = ctx.buy(quantity_lots=1, limit_ticks=150)
        return ctx.replace(order, quantity_lots=HUGE), ctx.replace(order, quantity_lots=1, price_ticks=HUGE)

    [(lots, price)], engine = asked(ask)
    assert (lots.rule, lots.value, price.rule, price.value) == ("invalid_order", HUGE) * 2
    assert engine.summary().refusals == 2
    assert engine.kernel.open_orders()[0]["price_ticks"] == 150
