"""Trades that the local venue busts and corrects: money, positions, rows and the script that asks for it."""

from random import Random

import msgspec
import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.spec import InstrumentSpec
from tradecore.testkit.local_venue import (
    AccountSetting,
    Endpoint,
    FaultKind,
    FaultRule,
    Faults,
    FaultScript,
    FeeSetting,
    LocalExchange,
    MarketSetting,
    NewOrder,
    Refusal,
    VenueSettings,
)
from tradecore.testkit.local_venue.money import ATTO
from tradecore.testkit.local_venue.records import BalanceRow, FillRow, OrderRow
from tradecore_local.server.revisions import Revisions

START_NS = 1_700_000_000_000_000_000
MS_NS = 1_000_000
SPOT = MarketSetting(
    instrument=InstrumentSpec(symbol="BTC-USD", tick_size="0.5", lot_size="0.01"),
    base="BTC",
    quote="USD",
    has_agents=False,
)
MARGIN = msgspec.structs.replace(SPOT, is_margin=True, leverage=2)
# What a tick costs for a lot, in atto units.
UNIT = ATTO // 200


def venue(market=SPOT, **fees) -> LocalExchange:
    """Make an exchange of two accounts without agents."""
    balances = {"USD": "10000", "BTC": "5", "FEE": "7"}
    settings = VenueSettings(
        markets=(market,),
        accounts=tuple(AccountSetting(name=name, balances=balances) for name in ("one", "two")),
        fees=FeeSetting(**({"maker_bps": "0", "taker_bps": "10"} | fees)),
    )
    return LocalExchange(settings, start_ns=START_NS)


def trade(exchange, lots=10, price=100, *, buyer="one"):
    """Let two accounts trade; return the row of the buyer, who takes."""
    seller = "two" if buyer == "one" else "one"
    for account, is_buy in ((seller, False), (buyer, True)):
        wish = NewOrder(
            client_order_id="",
            symbol="BTC-USD",
            is_buy=is_buy,
            kind="limit",
            lots=lots,
            price_ticks=price,
        )
        answer = exchange.submit(account, wish, exchange.now_ns)
        assert not isinstance(answer, Refusal), answer
    return exchange.accounts[buyer].fills[-1]


def revise(exchange, fill, **changes):
    """Tell a trade anew."""
    return exchange.revise(
        fill.account, exchange.now_ns, number=fill.order, trade=fill.trade, **({"lots": 0} | changes)
    )


def worth(exchange, account="one"):
    """Return what an account has of each currency, what its positions cost taken off; and its position."""
    owner = exchange.accounts[account]
    cost = sum(row.cost_atto for row in owner.positions())
    total = dict(owner.total_atto)
    total["USD"] -= cost
    return total, owner.position_lots(0)


@pytest.mark.parametrize("market", [SPOT, MARGIN])
@pytest.mark.parametrize("fees", [{}, {"currency": "FEE", "prices": {"USD": "2"}}])
def test_a_bust_leaves_what_there_was_before_the_trade(market, fees):
    """Money in each currency, fees too, and the position; of this account alone."""
    exchange = venue(market, **fees)
    before = worth(exchange)
    fill = trade(exchange)
    other = worth(exchange, "two")
    assert worth(exchange) != before
    busted = revise(exchange, fill)
    assert (busted.lots, busted.revision, busted.trade, busted.cursor) == (0, 1, fill.trade, 2)
    assert worth(exchange) == before
    assert worth(exchange, "two") == other


@pytest.mark.parametrize("market", [SPOT, MARGIN])
@pytest.mark.parametrize("fees", [{}, {"currency": "FEE", "prices": {"USD": "2"}}])
def test_a_correction_leaves_what_a_trade_of_these_numbers_would_have(market, fees):
    """Whatever came before: corrected twice, busted and brought back."""
    chance = Random(3)
    exchange, plain = venue(market, **fees), venue(market, **fees)
    fill = trade(exchange)
    for _ in range(20):
        revise(exchange, fill, lots=chance.randrange(12), price_ticks=chance.randint(90, 110))
    last = revise(exchange, fill, lots=7, price_ticks=104)
    assert last.revision == 21
    wanted = trade(plain, lots=7, price=104)
    assert worth(exchange) == worth(plain)
    assert (last.fee_atto, last.fee_currency) == (wanted.fee_atto, wanted.fee_currency)


def test_profit_of_a_margin_position_is_exact_after_trades_that_were_closed_since():
    """An entry that is corrected after its exit, and an exit that is busted."""
    exchange = venue(MARGIN, taker_bps="0")
    entry = trade(exchange, lots=10, price=100)
    leave = trade(exchange, lots=10, price=120, buyer="two")
    (leave,) = [fill for fill in exchange.accounts["one"].fills if fill.trade == leave.trade]
    revise(exchange, entry, lots=10, price_ticks=110)
    total, lots = worth(exchange)
    assert (total["USD"], lots) == (10_000 * ATTO + 10 * 10 * UNIT, 0)
    revise(exchange, leave)
    total, lots = worth(exchange)
    assert (total["USD"], lots) == (10_000 * ATTO - 10 * 110 * UNIT, 10)


def test_who_follows_is_told_and_pages_of_trades_have_it_after_the_cursor():
    """The row of a trade and the balances it changes; no order changes."""
    exchange = venue()
    fill = trade(exchange)
    exchange.follow("one")
    busted = revise(exchange, fill)
    news = exchange.take_news("one")
    assert news[0] == busted == exchange.truth[-1]
    assert {type(row) for row in news[1:]} == {BalanceRow}
    assert exchange.accounts["one"].fills_since(0, fill.cursor, 10) == ([busted], True)
    (order,) = exchange.find("one", number=fill.order)
    assert (order.filled_lots, order.lots) == (10, 10)
    assert not any(isinstance(row, OrderRow) for row in news)


def test_a_trade_that_is_not_there_or_makes_no_sense_changes_nothing():
    """Of another order, of another account, with less than nothing."""
    exchange = venue()
    fill = trade(exchange)
    before = worth(exchange)
    for account, number, number_of_trade, lots, price in (
        ("one", fill.order, fill.trade + 1, 0, None),
        ("one", fill.order + 5, fill.trade, 0, None),
        ("two", fill.order, fill.trade, 0, None),
        ("one", fill.order, fill.trade, -1, None),
        ("one", fill.order, fill.trade, 3, 0),
    ):
        answer = exchange.revise(
            account, START_NS, number=number, trade=number_of_trade, lots=lots, price_ticks=price
        )
        assert isinstance(answer, Refusal)
    assert worth(exchange) == before


def test_an_order_that_may_only_close_ends_when_its_position_is_busted():
    """It could open something now."""
    exchange = venue(MARGIN)
    fill = trade(exchange)
    wish = NewOrder(
        client_order_id="",
        symbol="BTC-USD",
        is_buy=False,
        kind="limit",
        lots=10,
        price_ticks=200,
        reduce_only=True,
    )
    order = exchange.submit("one", wish, START_NS)
    revise(exchange, fill)
    assert (order.state.value, order.reason) == ("canceled", "linked")


def test_a_script_says_which_trades_are_told_anew_and_when():
    """By their counts at the endpoint `trade`; the same script tells the same ones."""
    rules = (
        FaultRule(kind=FaultKind.TRADE_BUSTED, endpoint=Endpoint.TRADE, counts=(1,), delay_ms=100),
        FaultRule(kind=FaultKind.TRADE_CORRECTED, endpoint=Endpoint.TRADE, counts=(4,), ticks=-3, lots=-20),
    )
    exchange = venue()
    faults = Faults(FaultScript(rules=rules))
    revisions = Revisions(exchange, faults)
    for _ in range(2):
        trade(exchange)
    revisions.advance(START_NS + 99 * MS_NS)
    told = [row for row in exchange.truth if isinstance(row, FillRow) and row.revision]
    assert [(row.lots, row.price_ticks, row.revision) for row in told] == [(1, 97, 1)]
    revisions.advance(START_NS + 101 * MS_NS)
    revisions.advance(START_NS + 500 * MS_NS)
    told = [row for row in exchange.truth if isinstance(row, FillRow) and row.revision]
    assert [(row.lots, row.revision) for row in told] == [(1, 1), (0, 1)]
    assert [seen.count for seen in faults.seen] == [1, 4]


def test_what_happens_to_trades_happens_nowhere_else():
    """And nothing else happens to trades."""
    for kind, endpoint in (
        (FaultKind.TRADE_BUSTED, Endpoint.SUBMIT),
        (FaultKind.TRADE_CORRECTED, Endpoint.STREAM_FILL),
        (FaultKind.ANSWER_LOST, Endpoint.TRADE),
        (FaultKind.FRAME_LOST, Endpoint.TRADE),
    ):
        with pytest.raises(InvalidValueError):
            FaultRule(kind=kind, endpoint=endpoint, counts=(1,))
