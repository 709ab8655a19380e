"""Balances of the local venue are what a plain walk through its deeds makes of them, to the last unit."""

from collections import defaultdict
from decimal import Decimal, localcontext
from random import Random

import msgspec
import pytest

from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.testkit.local_venue import (
    AccountSetting,
    FeeSetting,
    LocalExchange,
    MarketSetting,
    NewOrder,
    VenueSettings,
)
from tradecore.testkit.local_venue.records import DepositRow, FillRow, OrderRow, VenueOrder

START_NS = 1_700_000_000_000_000_000
STEP_NS = 5_000_000
ORDERS = 10_000
SYMBOLS = ("BTC-USD", "ETH-EUR", "XRP-USD")


def settings(seed: int, fees: FeeSetting) -> VenueSettings:
    """Make a venue with two spot markets and a margin one, and two accounts that meet there."""
    spot = MarketSetting(
        instrument=InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001"),
        base="BTC",
        quote="USD",
    )
    other = MarketSetting(
        instrument=InstrumentSpec(symbol="ETH-EUR", tick_size="0.05", lot_size="0.003"),
        base="ETH",
        quote="EUR",
        start_ticks=60_000,
    )
    margin = MarketSetting(
        instrument=InstrumentSpec(symbol="XRP-USD", tick_size="0.0001", lot_size="1", multiplier="10"),
        base="XRP",
        quote="USD",
        is_margin=True,
        leverage=3,
        start_ticks=5_000,
        lots_mean=50,
    )
    balances = {"USD": "50000.123456789012345678", "EUR": "40000", "BTC": "2", "ETH": "20", "FEE": "0.5"}
    return VenueSettings(
        seed=seed,
        markets=(spot, other, margin),
        accounts=tuple(AccountSetting(name=name, balances=balances) for name in ("one", "two")),
        fees=fees,
        open_orders_max=200,
    )


class PlainVenue:
    """Walks through the deeds with exact decimals and nothing of the exchange's own arithmetic."""

    def __init__(self, settings: VenueSettings) -> None:
        self.settings = settings
        self.balances = defaultdict(Decimal)
        self.positions = defaultdict(int)
        self.filled = defaultdict(int)
        self.trades = defaultdict(list)
        self.spent = defaultdict(Decimal)

    def take(self, deed) -> None:
        """Do what a deed says."""
        match deed:
            case DepositRow():
                self.balances[deed.account, deed.currency] += Decimal(deed.amount_atto).scaleb(-18)
            case OrderRow():
                assert deed.filled_lots == self.filled[deed.number]
            case FillRow():
                self._fill(deed)

    def _fill(self, fill: FillRow) -> None:
        market = self.settings.markets[fill.market]
        spec = market.instrument
        size = Decimal(spec.lot_size) * fill.lots
        worth = Decimal(spec.tick_size) * fill.price_ticks * size * Decimal(spec.multiplier)
        sign = 1 if fill.is_buy else -1
        self.filled[fill.order] += fill.lots
        assert fill.filled_lots == self.filled[fill.order]
        if market.is_margin:
            self.positions[fill.account] += sign * fill.lots
            self.spent[fill.account] += sign * worth
        else:
            self.balances[fill.account, market.base] += sign * size
            self.balances[fill.account, market.quote] -= sign * worth
        fee = Decimal(fill.fee_atto).scaleb(-18)
        rate = Decimal(self.settings.fees.maker_bps if fill.is_maker else self.settings.fees.taker_bps)
        price = self.settings.fees.prices.get(market.quote, "1") if fill.fee_currency == "FEE" else "1"
        assert abs(fee - worth * rate / 10_000 / Decimal(price)) <= Decimal("1.5e-18")
        self.balances[fill.account, fill.fee_currency] -= fee
        self.trades[fill.market, fill.trade].append((fill.is_buy, fill.price_ticks, fill.lots, fill.is_maker))


def wish(draw: Random, exchange: LocalExchange, number: int) -> NewOrder:
    """Draw an order near the market, of any kind."""
    symbol = draw.choice(SYMBOLS)
    bid, _, ask, _ = exchange.book(exchange.market(symbol)).best()
    is_market = draw.random() < 0.2
    is_buy = draw.random() < 0.5
    spread = max(ask - bid, 1)
    price = draw.choice((bid, ask)) + draw.randint(-5 * spread, 5 * spread)
    in_force = draw.choice(("gtc", "gtc", "gtc", "ioc", "fok", "gtd"))
    return NewOrder(
        client_order_id=f"order-{number}",
        symbol=symbol,
        is_buy=is_buy,
        kind="market" if is_market else "limit",
        lots=draw.choice((1, 7, 50, 400, 3_000)),
        price_ticks=None if is_market else max(price, 1),
        time_in_force="gtc" if is_market else in_force,
        expire_ns=exchange.now_ns + draw.randint(1, 10**9) if in_force == "gtd" and not is_market else None,
        post_only=not is_market and in_force == "gtc" and draw.random() < 0.3,
        reduce_only=symbol == "XRP-USD" and draw.random() < 0.3,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "fees",
    [
        FeeSetting(maker_bps="-0.12345", taker_bps="4.99999"),
        FeeSetting(maker_bps="1", taker_bps="5", currency="FEE", prices={"USD": "3", "EUR": "7"}),
    ],
    ids=["rebate", "third currency"],
)
def test_balances_are_exact_after_ten_thousand_random_orders(fees):
    """Orders, cancels and amendments of two accounts that also meet each other; nothing is lost or made."""
    draw = Random(f"money {fees.currency}")
    exchange = LocalExchange(settings(3, fees), start_ns=START_NS)
    now_ns, taken = START_NS, 0
    for number in range(ORDERS):
        now_ns += draw.randint(0, STEP_NS)
        account = draw.choice(("one", "two"))
        owner = exchange.accounts[account]
        taken += isinstance(exchange.submit(account, wish(draw, exchange, number), now_ns), VenueOrder)
        if owner.open_orders and draw.random() < 0.5:
            order = draw.choice(list(owner.open_orders.values()))
            if draw.random() < 0.5:
                exchange.cancel(account, now_ns, number=order.number)
            else:
                lots, price = order.lots + draw.randint(-20, 20), order.price_ticks + draw.randint(-9, 9)
                exchange.replace(account, now_ns, number=order.number, price_ticks=price, lots=lots)
        if number % 100 == 0:
            check_holds(exchange)

    assert taken > ORDERS // 2
    with localcontext() as context:
        context.prec = 60
        plain = PlainVenue(exchange.settings)
        for deed in exchange.truth:
            plain.take(deed)
        check(exchange, plain)


def check_holds(exchange: LocalExchange) -> None:
    """What is held is the sum over the open orders, and no spot balance is below 0."""
    for owner in exchange.accounts.values():
        held = defaultdict(int)
        for order in owner.open_orders.values():
            market = exchange.settings.markets[order.market]
            currency = market.base if not market.is_margin and not order.is_buy else market.quote
            held[currency] += order.held_atto
        assert {name: amount for name, amount in owner.held_atto.items() if amount} == {
            name: amount for name, amount in held.items() if amount
        }
        assert all(owner.free_atto(name) >= 0 for name in ("BTC", "ETH", "EUR"))


def check(exchange: LocalExchange, plain: PlainVenue) -> None:
    """Compare the accounts with the plain walk."""
    assert exchange.truth
    fees = {row.fee_currency for row in exchange.truth if isinstance(row, FillRow)}
    assert fees == {"USD", "EUR"} if not exchange.settings.fees.currency else {"FEE", "USD", "EUR"}
    assert {row.is_maker for row in exchange.truth if isinstance(row, FillRow)} == {True, False}
    for name in exchange.accounts:
        flat(exchange, plain, name)
        for row in exchange.balances(name):
            assert plain.balances[name, row.currency] == Decimal(row.total_atto).scaleb(-18), row
        (position,) = exchange.accounts[name].positions() or [None]
        assert (position.lots if position else 0) == plain.positions[name]
    both = [rows for rows in plain.trades.values() if len(rows) == 2]
    assert both, "the two accounts never met"
    for first, second in both:
        assert first[1:3] == second[1:3]
        assert (first[0], first[3]) == (not second[0], not second[3])
    closed = {VenueOrderState.FILLED, VenueOrderState.CANCELED, VenueOrderState.EXPIRED}
    assert closed <= {row.state for row in exchange.truth if isinstance(row, OrderRow)}


def flat(exchange: LocalExchange, plain: PlainVenue, name: str) -> None:
    """Add the profit of the margin market: what was paid less what the position cost."""
    cost = sum(row.cost_atto for row in exchange.accounts[name].positions())
    plain.balances[name, "USD"] += Decimal(cost).scaleb(-18) - plain.spent[name]


def test_the_same_questions_at_the_same_times_get_the_same_answers():
    """Neither the steps in which time passes nor another venue in the process changes anything."""
    fees = FeeSetting()
    truths = []
    for steps in (1, 7):
        draw = Random("same")
        exchange = LocalExchange(settings(5, fees), start_ns=START_NS)
        now_ns = START_NS
        for number in range(300):
            for _ in range(steps):
                now_ns += 7 * STEP_NS // steps
                exchange.advance(now_ns)
            exchange.submit("one", wish(draw, exchange, number), now_ns)
        truths.append(msgspec.json.encode(exchange.truth))

    assert truths[0] == truths[1]
