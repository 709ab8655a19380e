"""Margin of two sides at the local venue is what a plain sum of tickets and open orders makes of it."""

from random import Random

import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.spec import HedgedMargin, InstrumentSpec
from tradecore.testkit.local_venue import (
    AccountSetting,
    FeeSetting,
    LocalExchange,
    MarketSetting,
    NewOrder,
    Refusal,
    VenueSettings,
)
from tradecore.testkit.local_venue.records import VenueOrder

START_NS = 1_700_000_000_000_000_000
STEPS = 1_500
LEVERAGE = 3
SPEC = InstrumentSpec(symbol="XRP-USD", tick_size="0.0001", lot_size="1", multiplier="10")
# A tick times a lot, in atto units.
UNIT_ATTO = 10**15
# Five basis points, what a taker pays.
FEE_PARTS, FEE_OF = 5, 10_000


def settings(rule, *, hedging=True):
    """Make a venue with one market and one account."""
    market = MarketSetting(
        instrument=SPEC,
        base="XRP",
        quote="USD",
        is_margin=True,
        leverage=LEVERAGE,
        start_ticks=5_000,
        lots_mean=50,
    )
    return VenueSettings(
        seed=3,
        markets=(market,),
        accounts=(AccountSetting(name="one", balances={"USD": "4000.1234567"}),),
        fees=FeeSetting(maker_bps="1", taker_bps="5"),
        open_orders_max=100,
        hedging=hedging,
        hedged_margin=rule,
    )


def part(amount, parts, of):
    """Return a share of an amount, rounded up."""
    return -(-amount * parts // of)


def needed(rule, owner, *, wished=None, instead_of=None):
    """Return what tickets and orders need of the money of an account, with one more order, in atto units."""
    sides, fees = {True: 0, False: 0}, 0
    for row in owner.positions():
        sides[row.lots > 0] += part(abs(row.cost_atto), 1, LEVERAGE)
    open_orders = [
        (order.is_buy, order.price_ticks, order.open_lots, order.reduce_only)
        for order in owner.open_orders.values()
        if order is not instead_of
    ]
    for is_buy, price_ticks, lots, closes in [*open_orders, *([wished] if wished else [])]:
        value = price_ticks * lots * UNIT_ATTO
        fees += part(value, FEE_PARTS, FEE_OF)
        sides[is_buy] += 0 if closes else part(value, 1, LEVERAGE)
    return fees + (max(sides.values()) if rule is HedgedMargin.LARGER else sum(sides.values()))


class Trader:
    """Opens on both sides, closes tickets and amends, from a seed; counts what came of it."""

    def __init__(self, rule, seed) -> None:
        self.rule, self.random = rule, Random(seed)
        self.exchange = LocalExchange(settings(rule), start_ns=START_NS)
        self.owner = self.exchange.accounts["one"]
        self.now_ns = START_NS
        self.taken, self.too_dear, self.spared = 0, 0, 0

    def step(self, number):
        """Do one thing, and hold the answer against the sum."""
        self.now_ns += self.random.randint(0, 5_000_000)
        # What the agents do until then counts already.
        self.exchange.advance(self.now_ns)
        what, orders = self.random.random(), list(self.owner.open_orders.values())
        if what < 0.15 and orders:
            self.exchange.cancel("one", self.now_ns, number=self.random.choice(orders).number)
        elif what < 0.35 and orders:
            self._amend(self.random.choice(orders))
        else:
            self._ask(number)

    def _amend(self, order):
        lots = max(order.lots + self.random.randint(-30, 60), order.filled_lots + 1)
        price_ticks = order.price_ticks + self.random.randint(-9, 9)
        wished = (order.is_buy, price_ticks, lots - order.filled_lots, order.reduce_only)
        needs = needed(self.rule, self.owner, wished=wished, instead_of=order)
        has = self.owner.total_atto["USD"]
        self._judge(
            self.exchange.replace(
                "one", self.now_ns, number=order.number, lots=lots, price_ticks=price_ticks
            ),
            needs,
            has,
        )

    def _ask(self, number):
        draw = self.random
        bid, _, ask, _ = self.exchange.book(0).best()
        held = self.owner.positions()
        ticket = draw.choice(held) if held and draw.random() < 0.3 else None
        wish = NewOrder(
            client_order_id=f"order-{number}",
            symbol="XRP-USD",
            is_buy=draw.random() < 0.5 if ticket is None else ticket.lots < 0,
            kind="limit",
            lots=draw.randint(1, 400 if ticket is None else abs(ticket.lots)),
            price_ticks=draw.choice((bid, ask)) + draw.randint(-20, 20),
            time_in_force=draw.choice(("gtc", "ioc")),
            reduce_only=ticket is not None,
            ticket=0 if ticket is None else ticket.ticket,
        )
        wished = (wish.is_buy, wish.price_ticks, wish.lots, wish.reduce_only)
        needs, has = needed(self.rule, self.owner, wished=wished), self.owner.total_atto["USD"]
        self.spared += needs <= has < needed(HedgedMargin.BOTH, self.owner, wished=wished)
        self._judge(self.exchange.submit("one", wish, self.now_ns), needs, has)

    def _judge(self, answer, needs, has):
        if isinstance(answer, VenueOrder):
            assert needs <= has
            self.taken += 1
        elif isinstance(answer, Refusal) and answer.code == "insufficient_margin":
            assert needs > has
            self.too_dear += 1


@pytest.mark.slow
@pytest.mark.parametrize("rule", HedgedMargin)
@pytest.mark.parametrize("seed", range(3))
def test_an_order_is_taken_exactly_when_tickets_and_orders_leave_enough_for_it(rule, seed):
    """New orders and amendments, by both sides and by the larger one."""
    trader = Trader(rule, seed)
    for number in range(STEPS):
        trader.step(number)
    assert trader.taken > 100
    assert trader.too_dear > 100
    assert (trader.spared > 10) is (rule is HedgedMargin.LARGER)


def test_a_venue_that_nets_has_no_margin_of_two_sides():
    """There is one side there."""
    assert settings(HedgedMargin.BOTH, hedging=False).hedged_margin is HedgedMargin.BOTH
    with pytest.raises(InvalidValueError, match="must be both without `hedging`"):
        settings(HedgedMargin.LARGER, hedging=False)
