"""The exchange of the local venue, without sockets: what it takes, refuses, holds and tells."""

import msgspec
import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.testkit.local_venue import (
    AccountSetting,
    FeeSetting,
    LimitSetting,
    LocalExchange,
    MarketSetting,
    NewOrder,
    Refusal,
    VenueSettings,
)
from tradecore.testkit.local_venue.money import ATTO, atto_of, part_of
from tradecore.testkit.local_venue.records import BalanceRow, FillRow, OrderRow, VenueOrder

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
SPOT = MarketSetting(
    instrument=InstrumentSpec(symbol="BTC-USD", tick_size="0.5", lot_size="0.01"),
    base="BTC",
    quote="USD",
    has_agents=False,
)
MARGIN = msgspec.structs.replace(SPOT, is_margin=True, leverage=2)
RICH = {"USD": "1000", "BTC": "1"}


def venue(market: MarketSetting = SPOT, **changes) -> LocalExchange:
    """Make an exchange of two accounts without agents."""
    plain = {
        "markets": (market,),
        "accounts": tuple(AccountSetting(name=name, balances=RICH) for name in ("one", "two")),
        "fees": FeeSetting(maker_bps="0", taker_bps="0"),
    }
    return LocalExchange(VenueSettings(**(plain | changes)), start_ns=START_NS)


def order(
    name: str = "a", *, is_buy: bool = True, price: int | None = 100, lots: int = 10, **more
) -> NewOrder:
    """Make a wish: a limit order, or a market order without a price."""
    kind = "limit" if price is not None else "market"
    plain = {"client_order_id": name, "symbol": "BTC-USD", "is_buy": is_buy, "kind": kind, "lots": lots}
    return NewOrder(price_ticks=price, **(plain | more))


def free(exchange: LocalExchange, currency: str, account: str = "one") -> int:
    """Return what is free, in hundredths."""
    return exchange.accounts[account].free_atto(currency) * 100 // ATTO


def code(answer: VenueOrder | Refusal) -> str:
    """Return why something was refused; `taken` for what was not."""
    return answer.code if isinstance(answer, Refusal) else "taken"


@pytest.mark.parametrize(
    ("rule", "while_open", "after_its_end", "names"),
    [
        (DuplicateIds.REFUSED, "duplicate_id", "duplicate_id", ["a"]),
        (DuplicateIds.REFUSED_WHILE_OPEN, "duplicate_id", "taken", ["a", "a"]),
        (DuplicateIds.ACCEPTED, "taken", "taken", ["a", "a", "a"]),
        (DuplicateIds.NONE, "taken", "taken", [None, None, None]),
    ],
)
def test_an_id_that_was_seen_before_is_treated_as_stated(rule, while_open, after_its_end, names):
    """While the first order is open, and after all have ended; another account may use the same id."""
    exchange = venue(duplicate_ids=rule)

    assert code(exchange.submit("one", order(), START_NS)) == "taken"
    assert code(exchange.submit("one", order(), START_NS)) == while_open
    assert code(exchange.submit("two", order(), START_NS)) == "taken"
    for number in list(exchange.accounts["one"].open_orders):
        assert code(exchange.cancel("one", START_NS, number=number)) == "taken"
    assert code(exchange.submit("one", order(), START_NS)) == after_its_end
    opened = [row for row in exchange.truth if isinstance(row, OrderRow) and row.account == "one"]
    assert [row.client_order_id for row in opened if row.state is VenueOrderState.OPEN] == names


def test_an_order_without_an_id_of_its_client_is_nobodys_duplicate():
    """An empty id is none."""
    exchange = venue()

    assert [code(exchange.submit("one", order(""), START_NS)) for _ in range(2)] == ["taken", "taken"]


def test_a_cancel_by_a_name_of_several_orders_ends_the_oldest_that_is_open():
    """Each cancel ends one; the cancel is done when all have ended."""
    exchange = venue(duplicate_ids=DuplicateIds.ACCEPTED)
    for _ in range(2):
        exchange.submit("one", order(), START_NS)

    ended = [exchange.cancel("one", START_NS, client_order_id="a") for _ in range(3)]

    assert [getattr(each, "number", None) for each in ended] == [1, 2, None]
    assert code(ended[2]) == "unknown_order"


def test_nobody_sees_or_ends_the_orders_of_another_account():
    """A number that was guessed is an unknown order."""
    exchange = venue()
    exchange.submit("one", order(), START_NS)

    assert exchange.find("two", number=1) == []
    assert code(exchange.cancel("two", START_NS, number=1)) == "unknown_order"
    assert code(exchange.replace("two", START_NS, number=1, lots=1)) == "unknown_order"


def test_orders_hold_what_they_may_cost_and_give_it_back():
    """A buy holds its price with the fee, a sell what it sells; the end of an order frees it."""
    exchange = venue(fees=FeeSetting(maker_bps="10", taker_bps="20"))
    exchange.submit("one", order("buy"), START_NS)
    exchange.submit("one", order("sell", is_buy=False, price=200, lots=30), START_NS)

    # 10 lots of 0.01 at 50 are 5, with 20 bps of fee.
    assert (free(exchange, "USD"), free(exchange, "BTC")) == (100_000 - 501, 100 - 30)
    exchange.replace("one", START_NS, client_order_id="buy", price_ticks=120, lots=20)
    assert free(exchange, "USD") == int(100_000 - 1200 * 1.002)
    for name in ("buy", "sell"):
        exchange.cancel("one", START_NS, client_order_id=name)
    assert (free(exchange, "USD"), free(exchange, "BTC")) == (100_000, 100)


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (order(lots=2001), "insufficient_margin"),
        (order(is_buy=False, lots=101), "insufficient_margin"),
        (order(price=None), "no_liquidity"),
        (order(time_in_force="fok"), "cannot_fill_whole"),
        (order(lots=0), "unsupported"),
        (order(price=0), "unsupported"),
        (order(time_in_force="day"), "unsupported"),
        (order(time_in_force="gtd"), "unsupported"),
        (order(time_in_force="gtd", expire_ns=START_NS), "unsupported"),
        (order(expire_ns=START_NS + SECOND_NS), "unsupported"),
        (order(post_only=True, time_in_force="ioc"), "unsupported"),
        (order(price=None, post_only=True), "unsupported"),
        (order(reduce_only=True), "unsupported"),
        (msgspec.structs.replace(order(), kind="stop"), "unsupported"),
        (msgspec.structs.replace(order(), symbol="DOGE-USD"), "unsupported"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(wish, why):
    """A refusal says which of the reasons of a rejected order it is."""
    exchange = venue()
    before = msgspec.json.encode(exchange.truth)

    answer = exchange.submit("one", wish, START_NS)

    assert code(answer) == why
    assert answer.words
    assert msgspec.json.encode(exchange.truth) == before
    assert (free(exchange, "USD"), free(exchange, "BTC")) == (100_000, 100)


def test_two_accounts_trade_at_the_price_of_the_one_who_waited():
    """Both are told, the maker as maker, and money and fees change hands exactly."""
    exchange = venue(fees=FeeSetting(maker_bps="-1", taker_bps="3"))
    exchange.follow("one")
    exchange.submit("two", order("s", is_buy=False, price=100, lots=10), START_NS)
    taken = exchange.submit("one", order("b", price=150, lots=4), START_NS + 5)

    fills = [row for row in exchange.truth if isinstance(row, FillRow)]
    assert taken.state is VenueOrderState.FILLED
    assert [(row.account, row.is_maker, row.price_ticks, row.lots) for row in fills] == [
        ("two", True, 100, 4),
        ("one", False, 100, 4),
    ]
    # 4 lots of 0.01 at 50 are 2.
    assert [row.fee_atto for row in fills] == [-2 * ATTO // 10_000, 2 * ATTO * 3 // 10_000]
    assert exchange.accounts["one"].total_atto["USD"] == 998 * ATTO - fills[1].fee_atto
    assert exchange.accounts["two"].total_atto["USD"] == 1002 * ATTO - fills[0].fee_atto
    assert exchange.accounts["one"].total_atto["BTC"] == ATTO + 4 * ATTO // 100
    news = exchange.take_news("one")
    assert [type(row) for row in news] == [OrderRow, FillRow, OrderRow, BalanceRow, BalanceRow]
    assert exchange.take_news("one") == []


def test_an_account_never_trades_with_itself():
    """Its older orders that would be met are ended; those out of reach stay."""
    exchange = venue()
    exchange.submit("two", order("s", is_buy=False, price=101, lots=5), START_NS)
    for name, price in (("near", 100), ("far", 300)):
        exchange.submit("one", order(name, is_buy=False, price=price, lots=5), START_NS)

    bought = exchange.submit("one", order("b", price=101, lots=5), START_NS)

    states = {each.client_order_id: (each.state.value, each.reason) for each in exchange._orders.values()}
    assert bought.filled_lots == 5
    assert states["near"] == ("canceled", "self_trade")
    assert states["far"] == ("open", "")
    fills = [row for row in exchange.truth if isinstance(row, FillRow)]
    assert {row.account for row in fills} == {"one", "two"}


def test_own_orders_are_no_liquidity_for_what_must_fill():
    """A fill-or-kill or market order that only meets the account's own orders is refused, and ends none."""
    exchange = venue()
    exchange.submit("one", order("s", is_buy=False, price=100, lots=5), START_NS)

    assert code(exchange.submit("one", order("b", price=None, lots=5), START_NS)) == "no_liquidity"
    assert (
        code(exchange.submit("one", order("c", time_in_force="fok", lots=5), START_NS)) == "cannot_fill_whole"
    )
    assert list(exchange.accounts["one"].open_orders) == [1]


def test_what_is_left_of_an_order_that_may_not_wait_is_cancelled():
    """Immediate-or-cancel and market orders never rest."""
    exchange = venue()
    exchange.submit("two", order("s", is_buy=False, price=100, lots=3), START_NS)

    taken = exchange.submit("one", order("b", time_in_force="ioc", lots=10), START_NS)

    assert (taken.state.value, taken.filled_lots, taken.reason) == ("canceled", 3, "immediate_or_cancel")
    assert exchange.book(0).best() == (0, 0, 0, 0)
    assert free(exchange, "USD") == 100_000 - 150


def test_an_order_that_would_take_is_refused_where_it_may_only_make():
    """A post-only order, when it comes and when it is amended."""
    exchange = venue()
    exchange.submit("two", order("s", is_buy=False, price=100, lots=3), START_NS)

    assert code(exchange.submit("one", order("b", post_only=True), START_NS)) == "would_take"
    exchange.submit("one", order("c", price=99, post_only=True), START_NS)
    answer = exchange.replace("one", START_NS, client_order_id="c", price_ticks=100, lots=10)
    assert code(answer) == "would_take"
    assert exchange.find("one", client_order_id="c")[0].price_ticks == 99


def test_orders_expire_at_their_time_and_not_before():
    """Whenever somebody looks; the time of the end is that of the order."""
    exchange = venue()
    exchange.submit("one", order(time_in_force="gtd", expire_ns=START_NS + SECOND_NS), START_NS)

    exchange.advance(START_NS + SECOND_NS - 1)
    assert exchange.find("one", number=1)[0].state is VenueOrderState.OPEN
    exchange.advance(START_NS + 5 * SECOND_NS)
    (ended,) = exchange.find("one", number=1)
    assert (ended.state, ended.time_ns) == (VenueOrderState.EXPIRED, START_NS + SECOND_NS)
    assert free(exchange, "USD") == 100_000


def test_an_amendment_counts_what_has_filled():
    """The size that is asked for is all of it; one that has filled already is refused."""
    exchange = venue()
    exchange.submit("one", order("b", lots=10), START_NS)
    exchange.submit("two", order("s", is_buy=False, lots=4), START_NS)

    assert code(exchange.replace("one", START_NS, client_order_id="b", lots=4)) == "unsupported"
    changed = exchange.replace("one", START_NS, client_order_id="b", lots=6)
    assert (changed.open_lots, changed.filled_lots) == (2, 4)
    assert exchange.book(0).best() == (100, 2, 0, 0)


def test_a_venue_that_amends_nothing_says_so():
    """It is one of its capabilities."""
    exchange = venue(replaces=False)
    exchange.submit("one", order(), START_NS)

    assert code(exchange.replace("one", START_NS, number=1, lots=5)) == "unsupported"
    assert not exchange.capabilities.replaces


def test_a_margin_market_holds_positions_and_lends_as_much_as_it_says():
    """Selling what is not owned is possible up to the leverage; profit comes with what is closed."""
    exchange = venue(MARGIN)
    assert (
        code(exchange.submit("one", order("s", is_buy=False, lots=4001), START_NS)) == "insufficient_margin"
    )
    exchange.submit("one", order("s", is_buy=False, lots=100), START_NS)
    exchange.submit("two", order("b", lots=100), START_NS)
    (short,) = exchange.accounts["one"].positions()
    assert (short.lots, short.cost_atto) == (-100, -50 * ATTO)

    exchange.submit("two", order("s2", is_buy=False, price=90, lots=40), START_NS)
    exchange.submit("one", order("b2", price=90, lots=40), START_NS)

    # 40 lots of 0.01 were sold at 50 and bought back at 45.
    assert exchange.accounts["one"].total_atto["USD"] == 1002 * ATTO
    assert exchange.accounts["two"].total_atto["USD"] == 998 * ATTO
    assert [row.lots for row in exchange.accounts["one"].positions()] == [-60]
    assert exchange.accounts["one"].total_atto["BTC"] == ATTO


def test_reduce_only_orders_never_open_anything():
    """Neither when they come, nor after the position has become smaller than they are."""
    exchange = venue(MARGIN)
    assert code(exchange.submit("one", order("r", is_buy=False, reduce_only=True), START_NS)) == "unsupported"
    exchange.submit("two", order("s", is_buy=False, lots=10), START_NS)
    exchange.submit("one", order("b", lots=10), START_NS)
    exchange.submit("one", order("r", is_buy=False, price=200, lots=10, reduce_only=True), START_NS)
    exchange.submit("two", order("b2", price=90, lots=1), START_NS)

    exchange.submit("one", order("x", is_buy=False, price=90, lots=1), START_NS)

    (ended,) = exchange.find("one", client_order_id="r")
    assert (ended.state.value, ended.reason) == ("canceled", "linked")


def test_reduce_only_orders_open_nothing_when_one_order_meets_all_of_them():
    """Neither two of them, nor one beside a plain order; the newest one gives way."""
    exchange = venue(MARGIN)
    exchange.submit("two", order("s", is_buy=False, lots=10), START_NS)
    exchange.submit("one", order("b", lots=10), START_NS)
    first = order("r1", is_buy=False, price=200, lots=6, reduce_only=True)
    second = order("r2", is_buy=False, price=201, lots=4, reduce_only=True)
    third = order("r3", is_buy=False, price=202, lots=1, reduce_only=True)
    assert [code(exchange.submit("one", wish, START_NS)) for wish in (first, second, third)] == [
        "taken",
        "taken",
        "unsupported",
    ]
    assert code(exchange.replace("one", START_NS, client_order_id="r1", lots=7)) == "unsupported"
    assert code(exchange.replace("one", START_NS, client_order_id="r1", lots=5)) == "taken"
    exchange.submit("one", order("plain", is_buy=False, price=210, lots=3), START_NS)
    ended = exchange.find("one", client_order_id="r2")[0]
    assert (ended.state.value, ended.reason) == ("canceled", "linked")

    exchange.submit("two", order("all", price=300, lots=50), START_NS)

    assert [row.lots for row in exchange.accounts["one"].positions()] == [2]
    assert exchange.accounts["one"].reducing == {}


def test_two_reduce_only_orders_that_trade_together_close_the_position():
    """Both trades are booked before anything is ended."""
    exchange = venue(MARGIN)
    exchange.submit("two", order("s", is_buy=False, lots=10), START_NS)
    exchange.submit("one", order("b", lots=10), START_NS)
    for name, price in (("r1", 200), ("r2", 201)):
        exchange.submit("one", order(name, is_buy=False, price=price, lots=5, reduce_only=True), START_NS)

    exchange.submit("two", order("all", price=300, lots=50), START_NS)

    assert exchange.accounts["one"].positions() == []
    assert {row.state.value for row in exchange.accounts["one"].named("r1")} == {"filled"}
    assert {row.state.value for row in exchange.accounts["one"].named("r2")} == {"filled"}


def test_trades_are_read_on_from_a_cursor_page_by_page():
    """The last page says that it is the last one; a time leaves out what was before it."""
    exchange = venue()
    exchange.submit("two", order("s", is_buy=False, lots=10), START_NS)
    for number in range(5):
        exchange.submit("one", order(f"b{number}", lots=1), START_NS + number)
    owner = exchange.accounts["one"]

    first, is_all = owner.fills_since(0, 0, 3)
    rest, is_rest = owner.fills_since(0, first[-1].cursor, 3)
    late, _ = owner.fills_since(START_NS + 3, 0, 10)

    assert ([row.cursor for row in first], is_all) == ([1, 2, 3], False)
    assert ([row.cursor for row in rest], is_rest) == ([4, 5], True)
    assert [row.time_ns for row in late] == [START_NS + 3, START_NS + 4]


def test_trades_of_several_markets_are_booked_in_the_order_of_time():
    """However long nobody looked: a question since any time finds every trade since then."""
    exchange = LocalExchange(VenueSettings(), start_ns=START_NS)
    exchange.advance(START_NS + SECOND_NS)
    for market, symbol in enumerate(("BTC-USD", "ETH-USD")):
        bid, _, ask, _ = exchange.book(market).best()
        for step in range(40):
            for is_buy in (True, False):
                price = bid - step if is_buy else ask + step
                name = f"{symbol}-{step}-{is_buy}"
                wish = order(name, is_buy=is_buy, price=price, lots=1, symbol=symbol, post_only=True)
                exchange.submit("demo", wish, START_NS + SECOND_NS)
    exchange.advance(START_NS + 10 * SECOND_NS)
    fills = exchange.accounts["demo"].fills
    times = [fill.time_ns for fill in fills]

    assert {fill.market for fill in fills} == {0, 1}
    assert len(set(times)) > 10
    assert times == sorted(times)
    for time_ns in times:
        found, _ = exchange.accounts["demo"].fills_since(time_ns, 0, len(fills))
        assert found == [fill for fill in fills if fill.time_ns >= time_ns]


def test_the_oldest_closed_orders_are_forgotten_and_open_ones_never():
    """A long run has bounds; what was forgotten is as if it had never been there."""
    exchange = venue(history_orders_max=3)
    exchange.submit("one", order("stays", price=1), START_NS)
    for number in range(6):
        exchange.submit("one", order(f"o{number}"), START_NS)
        exchange.cancel("one", START_NS, client_order_id=f"o{number}")

    assert [len(exchange.find("one", client_order_id=f"o{number}")) for number in range(6)] == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]
    assert len(exchange.find("one", client_order_id="stays")) == 1
    assert code(exchange.submit("one", order("o0"), START_NS)) == "taken"


def test_an_account_has_so_many_open_orders_and_no_more():
    """The one too many is refused."""
    exchange = venue(open_orders_max=2)
    answers = [code(exchange.submit("one", order(f"o{number}", price=1), START_NS)) for number in range(3)]

    assert answers == ["taken", "taken", "unsupported"]


def test_the_book_that_is_shown_is_the_book_that_is_traded():
    """Snapshot and changes lead to the same levels as the whole book, and their ids follow each other."""
    exchange = LocalExchange(VenueSettings(), start_ns=START_NS)
    book = exchange.book(0)
    book.take_news(START_NS)
    first = book.snapshot(START_NS)
    levels = {0: dict(first.bids), 1: dict(first.asks)}
    last = first.last_id
    trades = 0
    for step in range(1, 200):
        exchange.advance(START_NS + step * 20_000_000)
        news = book.take_news(START_NS)
        if news is None:
            continue
        assert (news.first_id, news.prev_id) == (last + 1, last)
        last = news.last_id
        trades += len(news.trades)
        for side, rows in ((0, news.bids), (1, news.asks)):
            levels[side] |= dict(rows)
    whole = book.snapshot(START_NS)

    assert trades > 50
    for side, rows in ((0, whole.bids), (1, whole.asks)):
        assert {price: lots for price, lots in levels[side].items() if lots} == dict(rows)
    assert (whole.bids[0], whole.asks[0]) == (whole.best[:2], whole.best[2:])


@pytest.mark.parametrize(
    "make",
    [
        lambda: MarketSetting(instrument=SPOT.instrument, base="USD", quote="USD"),
        lambda: msgspec.structs.replace(SPOT, leverage=0),
        lambda: MarketSetting(instrument=InstrumentSpec(symbol="A", tick_size="1e-19"), base="A", quote="B"),
        lambda: FeeSetting(maker_bps="0.000001"),
        lambda: FeeSetting(taker_bps="nan"),
        lambda: FeeSetting(currency="FEE", prices={"USD": "0"}),
        lambda: LimitSetting(burst=0),
        lambda: LimitSetting(weights={"fills": -1}),
        lambda: AccountSetting(name="", balances={}),
        lambda: AccountSetting(name="a", balances={"USD": "-1"}),
        lambda: AccountSetting(name="a", balances={"USD": "1e99"}),
        lambda: VenueSettings(markets=(SPOT, SPOT)),
        lambda: VenueSettings(accounts=()),
        lambda: VenueSettings(page_max=0),
        lambda: VenueSettings(open_orders_max=1_000_001),
        lambda: VenueSettings(fees=FeeSetting(currency="FEE")),
    ],
)
def test_settings_that_make_no_sense_are_refused(make):
    """At once, with the value and the rule."""
    with pytest.raises(InvalidValueError):
        make()


def test_money_is_exact_and_a_half_is_rounded_away_from_zero():
    """Amounts with more than 18 decimals are refused rather than rounded."""
    assert atto_of("x", "0.000000000000000001") == 1
    assert atto_of("x", "123456789012345678901234567890.5") == 1234567890123456789012345678905 * ATTO // 10
    with pytest.raises(InvalidValueError, match="18 decimals"):
        atto_of("x", "0.0000000000000000015")
    assert [part_of(amount, 1, 2) for amount in (1, -1, 3, 4)] == [1, -1, 2, 2]
