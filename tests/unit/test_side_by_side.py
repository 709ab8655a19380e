"""Why an order came to something else, which orders are one, and where decisions part."""

import msgspec
import pytest

from support.units import units_in
from tradecore.backtest.compared_run import ComparedRun, Decided, RunFill, RunOrder, gain, worth
from tradecore.backtest.differing import reasons_of
from tradecore.backtest.side_by_side import compare, matched, parting
from tradecore.domain import AccountSpec, EngineSpec, InstrumentSpec, InvalidValueError
from tradecore.domain.spec import InstrumentKind
from tradecore.domain.units import Units

SECOND_NS = 1_000_000_000
NAMES = ("live", "backtest")
UNITS = units_in("USD")


def order(number=1, *, fills=(), decided_ns=SECOND_NS, **changes):
    """Return an order to buy ten at a limit of 100, which left at once."""
    plain = {
        "seq": number,
        "strategy": "one",
        "symbol": "GOLD",
        "account": "main",
        "side": "buy",
        "order_kind": "limit",
        "instrument": 0,
        "price_ticks": 100,
        "lots": 10,
        "reference_ticks": 100,
        "words": f"order {number}",
        "terms": ("buy", "limit", 100),
        "sent_ns": decided_ns,
    }
    return RunOrder(number=number, decided_ns=decided_ns, fills=tuple(fills), **(plain | changes))


def fill(lots=10, price_ticks=100, *, after_ns=1_000_000, **changes):
    """Return a fill."""
    plain = {
        "seq": 9,
        "time_ns": SECOND_NS,
        "venue_time_ns": SECOND_NS + after_ns,
        "fee": 5,
        "fee_currency": "USD",
        "liquidity": "maker",
        "value": 0,
    }
    return RunFill(lots=lots, price_ticks=price_ticks, **(plain | changes))


def why(one, other):
    """Return kinds and words of the reasons why two orders differ."""
    return [(reason.kind, reason.words) for reason in reasons_of(one, other, UNITS, NAMES)]


FILLED = order(fills=[fill()])


def test_orders_that_are_the_same_have_no_reason():
    """Neither with fills nor without."""
    assert why(FILLED, order(fills=[fill()])) == []
    assert why(order(), order()) == []


@pytest.mark.parametrize(
    ("one", "kind", "words"),
    [
        (
            order(refused="unreconciled", refused_words="they are compared", sent_ns=None),
            "refused",
            "live refused it (unreconciled): they are compared",
        ),
        (
            order(was_unknown=True),
            "in doubt",
            "in live the outcome of a request about it was lost for a while",
        ),
        (
            order(ended="rejected", reason="would_take"),
            "rejected",
            "in live the venue rejected it (would_take)",
        ),
        (order(ended="rejected", reason="never_arrived"), "rejected", "in live it never arrived"),
        (order(sent_ns=None), "not sent", "in live it never left"),
        (
            order(fills=[fill(), fill(-10, told="busted")]),
            "told anew",
            "in live a trade of it was busted afterwards",
        ),
        (order(fills=[fill(4)], late_lots=4), "late", "in live 4 of it filled after its end"),
        (order(amended=2), "amended", "in live it was amended 2 times"),
        (
            order(fills=[fill(4)], ended="canceled", reason="requested"),
            "partial",
            "4 of it filled in live, 10 in backtest; in live it was canceled (requested)",
        ),
        (
            order(ended="expired"),
            "queue",
            (
                "0 of it filled in live, 10 in backtest: no trade reached its place in the queue of live; "
                "in live it was expired"
            ),
        ),
        (
            order(price_ticks=None, ended="canceled", reason="no_liquidity"),
            "not filled",
            "0 of it filled in live, 10 in backtest; in live it was canceled (no_liquidity)",
        ),
        (
            order(fills=[fill(price_ticks=99, liquidity="taker")]),
            "maker or taker",
            "it was taker in live, maker in backtest, and traded at 99 in live, 100 in backtest",
        ),
        (
            order(fills=[fill(price_ticks=99, after_ns=5_000_000)]),
            "latency",
            (
                "it traded 5 ms after the decision in live and 1 ms after it in backtest: "
                "at 99 in live, 100 in backtest"
            ),
        ),
        (
            order(fills=[fill(5), fill(5, 99)]),
            "depth",
            "it met another book at the same time: 99.50 in live, 100 in backtest",
        ),
        (
            order(fills=[fill(fee_currency="BNB")]),
            "conversion",
            "its fee was paid in BNB in live and in USD in backtest",
        ),
        (order(fills=[fill(fee=7)]), "fee", "its fee is another one for the same fills"),
        (
            order(fills=[fill(4, fee=7), fill(6, fee=0)]),
            "fee",
            "its fee is another one at the same price, in other parts",
        ),
        (
            order(fills=[fill(4, fee=0, value=1), fill(6, fee=fill().fee)]),
            "last price",
            "it traded at the same price; the runs end at other prices",
        ),
        (order(fills=[fill(value=1)]), "last price", "the fills are the same; the runs end at other prices"),
    ],
)
def test_each_reason_is_told_as_the_first_one_where_it_is_alone(one, kind, words):
    """And the same from the other side, with the names exchanged."""
    assert (kind, words) in why(one, FILLED)
    assert why(one, FILLED)[0][0] == kind
    assert why(FILLED, one)[0][0] == kind


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (order(is_of_others=True), "live took it over from others at the account"),
        (order(is_forced=True), "the venue of live closed a position with it"),
        (order(), "live alone decided it"),
        (order(refused="x", refused_words="no"), "live alone decided it, and refused it: no"),
    ],
)
def test_what_one_run_has_alone_says_where_it_comes_from(one, words):
    """Its own decision, others, or the venue."""
    assert [said for _, said in why(one, None)] == [words]
    assert [said for _, said in why(None, one)] == [words.replace("live", "backtest")]


def pairs(first, second):
    """Return the numbers of the orders that are one."""
    numbers = []
    for one, other in matched(first, second):
        numbers.append((one and one.number, other and other.number))
    return numbers


def test_orders_are_one_by_what_was_decided_and_when():
    """The number does not matter: of two alike the one of the same time, then the nearest."""
    ours = [order(1), order(2, decided_ns=2 * SECOND_NS)]
    theirs = [order(7, decided_ns=2 * SECOND_NS), order(8)]
    assert pairs(ours, theirs) == [(1, 8), (2, 7)]
    near = [order(7, decided_ns=SECOND_NS + 3), order(8, decided_ns=SECOND_NS - 2)]
    assert pairs([order(1)], near) == [(None, 7), (1, 8)] or pairs([order(1)], near) == [(1, 8), (None, 7)]


def test_an_order_at_another_price_is_one_where_all_else_is_the_same():
    """After those that are the same; never across strategies, instruments, sides, kinds or two seconds."""
    ours = [order(1), order(2, terms=("buy", "limit", 101))]
    theirs = [order(7, terms=("buy", "limit", 99)), order(8)]
    assert pairs(ours, theirs) == [(1, 8), (2, 7)]
    for changes in (
        {"strategy": "two"},
        {"symbol": "SILVER"},
        {"side": "sell", "terms": ("sell",)},
        {"order_kind": "market", "terms": ("market",)},
        {"decided_ns": 3 * SECOND_NS + 1},
    ):
        assert (1, 7) not in pairs([order(1)], [order(7, **changes)])
    assert pairs([order(1)], [order(7, decided_ns=3 * SECOND_NS)]) == [(1, 7)]


def test_one_decision_that_was_made_twice_is_matched_twice():
    """In turn, and what is left over is alone."""
    assert pairs([order(1), order(2)], [order(7), order(8), order(9)]) == [(1, 7), (2, 8), (None, 9)]


def decided(seq, *what, heard=""):
    """Return a decision."""
    return Decided(seq=seq, time_ns=seq, what=what, words=" ".join(map(str, what)), heard=heard)


def test_decisions_part_where_the_first_one_is_another_one_and_it_is_said_why():
    """By a refusal, by what the strategy had heard, by nothing that is known, or by an end."""
    alike = [decided(1, "order", "a"), decided(2, "order", "b")]
    assert parting(alike, alike, NAMES) is None
    refused = parting([*alike, decided(3, "refused", "c")], [*alike, decided(3, "order", "c")], NAMES)
    assert (refused.alike, refused.why) == (2, "live refused what the other one approved")
    heard = parting([decided(1, "order", "a", heard="it filled")], [decided(1, "cancel", "a")], NAMES)
    assert "in live it filled; in backtest nothing of its orders" in heard.why
    plain = parting([decided(1, "order", "a")], [decided(1, "order", "b")], NAMES)
    assert "its code" in plain.why
    longer = parting(alike, alike[:1], NAMES)
    assert (longer.alike, longer.first.seq, longer.second) == (1, 2, None)
    assert longer.why == "backtest ends there, or its strategies decided nothing more; live goes on"
    assert parting(alike[:1], alike, NAMES).why.startswith("live ends there")


def run(units=UNITS, **changes):
    """Return a run of nothing."""
    plain = {"orders": (), "decided": (), "flows": {}, "profit": 0, "marks": {}, "records": 0}
    return ComparedRun(units=units, **(plain | changes))


def test_numbers_that_mean_something_else_are_not_compared():
    """Another tick, another currency: the message names the setting and both values."""
    other = Units(EngineSpec(instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.5"),)), ())
    with pytest.raises(InvalidValueError, match=r"is .0\.5. in second: the two cannot be compared"):
        compare(run(), run(other))
    with pytest.raises(InvalidValueError, match=r"account\.currency"):
        compare(run(), run(units_in("EUR")))


def test_what_is_no_order_and_no_flow_is_the_rest():
    """So that all parts are together the difference of the profits."""
    flows = {("one", "GOLD", "funding"): 30}
    told = compare(run(profit=100, flows=flows), run(profit=60))
    assert (told.difference, told.flows, told.rest) == (40, {("funding", "USD"): 30}, 10)


def test_an_inverse_contract_gains_in_coin_what_its_price_loses_in_value():
    """Worked out by hand: 10 contracts of 100 USD, bought at 50 and worth 40 less in coin at 25."""
    spec = InstrumentSpec(
        symbol="COIN", tick_size="1", multiplier="100", kind=InstrumentKind.INVERSE, settlement="BTC"
    )
    units = Units(EngineSpec(instruments=(spec,), account=AccountSpec(currency="BTC")), ())
    assert worth(units, 0, 10, 50) == 20 * 10**18
    assert gain(units, 0, 10, 50, 25) == -20 * 10**18
    assert gain(units, 0, -10, 50, 25) == 20 * 10**18
    assert worth(units, 0, 1, 3) == 33_333_333_333_333_333_333
    assert worth(units, 0, 1, 0) == 0


def test_a_struct_of_a_run_can_be_encoded():
    """Programs read it."""
    assert msgspec.json.decode(msgspec.json.encode(FILLED))["number"] == 1
