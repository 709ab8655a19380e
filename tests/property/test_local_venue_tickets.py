"""Tickets of the local venue are what a plain sum of its trades makes of them, to the last unit."""

from collections import defaultdict
from decimal import Decimal
from random import Random

import pytest

from tradecore.domain.spec import InstrumentSpec
from tradecore.testkit.local_venue import (
    AccountSetting,
    LocalExchange,
    MarketSetting,
    NewOrder,
    Refusal,
    VenueSettings,
)
from tradecore.testkit.local_venue.records import FillRow, VenueOrder

START_NS = 1_700_000_000_000_000_000
STEPS = 2_500
SPEC = InstrumentSpec(symbol="XRP-USD", tick_size="0.0001", lot_size="1", multiplier="10")
SETTINGS = VenueSettings(
    seed=3,
    markets=(
        MarketSetting(
            instrument=SPEC,
            base="XRP",
            quote="USD",
            is_margin=True,
            leverage=3,
            start_ticks=5_000,
            lots_mean=50,
        ),
    ),
    accounts=tuple(AccountSetting(name=name, balances={"USD": "50000.1234567"}) for name in ("one", "two")),
    open_orders_max=100,
    hedging=True,
)


class Trader:
    """Opens on both sides and closes tickets in every way, from a seed."""

    def __init__(self, seed, *, revises) -> None:
        self.random = Random(seed)
        self.exchange = LocalExchange(SETTINGS, start_ns=START_NS)
        self.revises = revises
        self.now_ns = START_NS
        # Tickets of orders by the number of the order, as they were asked for.
        self.tickets = {}
        self.refused = []

    def step(self, number):
        """Do one thing."""
        draw, exchange = self.random, self.exchange
        self.now_ns += draw.randint(0, 5_000_000)
        account = draw.choice(("one", "two"))
        owner = exchange.accounts[account]
        what = draw.random()
        if what < 0.1 and owner.open_orders:
            exchange.cancel(account, self.now_ns, number=draw.choice(list(owner.open_orders)))
        elif what < 0.2 and owner.open_orders:
            order = draw.choice(list(owner.open_orders.values()))
            lots, price = order.lots + draw.randint(-20, 20), order.price_ticks + draw.randint(-9, 9)
            exchange.replace(account, self.now_ns, number=order.number, lots=max(lots, 1), price_ticks=price)
        elif what < 0.3 and self.revises and owner.fills:
            fill = draw.choice(owner.fills)
            lots, price = draw.choice((0, fill.lots, 7)), fill.price_ticks + draw.randint(-3, 3)
            exchange.revise(
                account, self.now_ns, number=fill.order, trade=fill.trade, lots=lots, price_ticks=price
            )
        else:
            self._ask(account, owner, number)

    def _ask(self, account, owner, number):
        draw, exchange = self.random, self.exchange
        bid, _, ask, _ = exchange.book(0).best()
        held = owner.positions()
        ticket = draw.choice(held) if held and draw.random() < 0.6 else None
        is_buy = draw.random() < 0.5 if ticket is None or draw.random() < 0.05 else ticket.lots < 0
        is_market = draw.random() < 0.5
        most = abs(ticket.lots) if ticket is not None else 400
        wish = NewOrder(
            client_order_id=f"order-{number}",
            symbol="XRP-USD",
            is_buy=is_buy,
            kind="market" if is_market else "limit",
            lots=draw.randint(1, most + (2 if ticket is not None else 0)),
            price_ticks=None if is_market else max(draw.choice((bid, ask)) + draw.randint(-20, 20), 1),
            time_in_force="gtc" if is_market else draw.choice(("gtc", "ioc")),
            reduce_only=ticket is not None,
            ticket=0 if ticket is None else ticket.ticket,
        )
        found = exchange.submit(account, wish, self.now_ns)
        if isinstance(found, VenueOrder):
            self.tickets[found.number] = wish.ticket or found.number
        elif isinstance(found, Refusal) and ticket is not None:
            self.refused.append(found.code)


def standing(fills):
    """Return the trades as they were told last."""
    return {(fill.order, fill.trade): fill for fill in fills}.values()


def check(trader):
    """Hold tickets and money against a plain walk through the trades."""
    exchange = trader.exchange
    fills = [deed for deed in exchange.truth if isinstance(deed, FillRow)]
    worth = Decimal(SPEC.tick_size) * Decimal(SPEC.lot_size) * Decimal(SPEC.multiplier)
    for name, owner in exchange.accounts.items():
        # A trade of the account with itself there is none: it has one row for each order.
        own = list(standing(fill for fill in fills if fill.account == name))
        lots, cash = defaultdict(int), Decimal("50000.1234567")
        for fill in own:
            sign = 1 if fill.is_buy else -1
            assert fill.ticket == trader.tickets[fill.order]
            lots[fill.ticket] += sign * fill.lots
            cash -= sign * fill.lots * fill.price_ticks * worth + Decimal(fill.fee_atto).scaleb(-18)
        assert {row.ticket: row.lots for row in owner.positions()} == {t: n for t, n in lots.items() if n}
        cost = sum(row.cost_atto for row in owner.positions())
        assert Decimal(owner.total_atto["USD"] - cost).scaleb(-18) == cash


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_ticket_is_on_the_side_of_its_entry_and_never_closed_by_more_than_it_has(seed):
    """Orders that rest, trade at once, are amended and meet other accounts: no close opens anything."""
    trader = Trader(seed, revises=False)
    for number in range(STEPS):
        trader.step(number)
        for account, owner in trader.exchange.accounts.items():
            for row in owner.positions():
                entry = next(iter(trader.exchange.find(account, number=row.ticket)))
                assert (row.lots > 0) is entry.is_buy
    check(trader)
    assert {"unsupported", "unknown_order"} <= set(trader.refused)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_tickets_and_money_are_the_sum_of_trades_that_are_told_anew(seed):
    """A bust takes lots off a ticket or brings them back, whatever was closed since."""
    trader = Trader(seed, revises=True)
    for number in range(STEPS):
        trader.step(number)
    check(trader)
    assert any(fill.revision for fill in trader.exchange.truth if isinstance(fill, FillRow))
