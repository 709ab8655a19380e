"""Records in words: every kind, every rule, exact decimals, and no memory of what has ended."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import records
from support.sessions import SPEC, open_session
from support.tree import names_in_tables
from tradecore.domain.journal import JournalFolder, record_kinds
from tradecore.domain.narrator import ENDED_MAX, Narrator
from tradecore.domain.outside_words import SURPRISES
from tradecore.domain.record_bodies import values_of
from tradecore.domain.refusal_words import knows, refusal_words
from tradecore.domain.spec import EngineSpec, InstrumentKind, InstrumentSpec
from tradecore.domain.times import iso_time, span_text
from tradecore.domain.units import Units, exact_money, money_text, shown_money, trimmed

OF_VENUE = {"instrument": 0, "order_id": 7, "venue_time_ns": 3}
RULES = names_in_tables("rust/types/src/refusal.rs")
ATTO = 10**18
UNITS = Units(SPEC, ["quoter"])
# What an operator must never have to read.
RAW = re.compile(r"ticks|lots|atto|_ns|\bNone\b|=")
# Words that stand for a code have to be known.
_SAID = {
    "sent": {"request": "cancel"},
    "report": {"report": "accepted"},
    "link": {"after": 3},
    "command": {"command": "pause"},
}


def record(kind, **fields):
    """Make a record of 2026-11-28."""
    return records.record(kind, 1, 1_795_888_800_000_000_000, **fields)


def order(order_id=7, **changes):
    """Make the record of a limit order."""
    fields = {
        "order_id": order_id,
        "strategy": 0,
        "instrument": 0,
        "side": "buy",
        "order_kind": "limit",
        "price_ticks": 6_123_450,
        "lots": 500,
        "time_in_force": "gtc",
        "post_only": True,
        "reduce_only": False,
        "decided_ns": 5,
    }
    return record("order", **{**fields, **changes})


def report(what, order_id=7, **fields):
    """Make a report about an order."""
    return record("report", order_id=order_id, venue_time_ns=3, report=what, **fields)


def fill(lots, order_id=7, fee=31 * ATTO // 100):
    """Make the report of a fill."""
    return report("fill", order_id, price_ticks=6_123_450, lots=lots, liquidity="maker", fee=fee)


def revision(revised, *, was=None, now=None):
    """Make the record of a trade that was told anew, from its prices, lots and fees."""
    fields = {}
    for prefix, numbers in (("was_", was), ("", now)):
        if numbers is not None:
            names = ("price_ticks", "lots", "fee")
            fields |= {prefix + name: number for name, number in zip(names, numbers, strict=True)}
    return record(
        "revision",
        order_id=7,
        strategy=0,
        instrument=0,
        side="buy",
        venue_time_ns=3,
        trade_id="t1",
        revision=1,
        revised=revised,
        **fields,
    )


def told(*records):
    """Return the words of the last of some records."""
    narrator = Narrator(SPEC, ["quoter"])
    noted = [narrator.note(entry) for entry in records]
    return narrator.words(noted[-1])


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([order()], "order 7 of quoter approved: buy 0.05 BTC-USD limit at 61234.50 gtc post-only"),
        (
            [order(), fill(100)],
            "quoter bought 0.01 BTC-USD at 61234.50 as maker, fee 0.31 USD (order 7: 0.01 of 0.05 filled)",
        ),
        ([fill(100, fee=-ATTO)], "order 7 filled as maker, rebate 1.00 USD"),
        (
            [order(), report("canceled", reason="killed")],
            (
                "order 7 of quoter was cancelled (by the kill switch): "
                "buy 0.05 BTC-USD limit at 61234.50 gtc post-only"
            ),
        ),
        (
            [
                record(
                    "command",
                    command="set_limit",
                    scope="strategy",
                    scope_id=0,
                    limit="net_max",
                    person="ann",
                )
            ],
            "limit net_max of strategy quoter is off now, by ann",
        ),
        (
            [record("command", command="forbid", scope="strategy", scope_id=0, instrument=0, person="ann")],
            "strategy quoter may no longer trade BTC-USD, by ann",
        ),
        (
            [record("cash_flow", due_ns=0, strategy=0, instrument=0, cash_flow="funding", amount=-ATTO // 4)],
            "funding: BTC-USD of quoter paid 0.25 USD, due 1970-01-01T00:00:00Z",
        ),
        (
            [record("feed", instrument=0, state="lost")],
            "FEED LOST for BTC-USD: orders are refused until the market is known again; cancels work",
        ),
        ([record("session_end", reason="end_of_data")], "session ended: the data ended"),
        (
            [order(), revision("busted", was=(6_123_450, 100, ATTO))],
            (
                "BUSTED: the venue takes back trade t1 of order 7 (quoter): bought 0.01 BTC-USD at 61234.50, "
                "fee 1.00 USD never happened"
            ),
        ),
        (
            [order(), revision("corrected", was=(6_123_450, 100, ATTO), now=(6_123_400, 50, -ATTO))],
            (
                "CORRECTED: the venue changes trade t1 of order 7 (quoter): bought 0.005 BTC-USD at "
                "61234.00, rebate 1.00 USD instead of 0.01 BTC-USD at 61234.50, fee 1.00 USD"
            ),
        ),
        (
            [order(), revision("restored", now=(6_123_450, 100, ATTO))],
            (
                "RESTORED: the venue has trade t1 of order 7 (quoter) after all: bought 0.01 BTC-USD at "
                "61234.50, fee 1.00 USD"
            ),
        ),
        (
            [
                order(),
                record(
                    "venue_revision", instrument=0, order_id=7, venue_time_ns=3, trade_id="t1", revision=1
                ),
            ],
            "the venue says that trade t1 of order 7 of quoter never happened",
        ),
        (
            [
                order(),
                record(
                    "venue_report", **OF_VENUE, report="fill", price_ticks=6_123_450, lots=300, trade_id="t1"
                ),
            ],
            (
                "the venue says that order 7 of quoter traded 0.03 BTC-USD at 61234.50 (trade t1): "
                "buy 0.05 BTC-USD limit at 61234.50 gtc post-only"
            ),
        ),
        (
            [order(), record("venue_report", **OF_VENUE, report="rejected", reason="would_take")],
            (
                "the venue says that order 7 of quoter was rejected by the venue (it was to rest and would "
                "have traded at once): buy 0.05 BTC-USD limit at 61234.50 gtc post-only"
            ),
        ),
        (
            [order(), record("sent", order_id=7, request="new", lots=300)],
            "order 7 of quoter is sent to the venue: 0.03 BTC-USD",
        ),
        (
            [order(lots=None, buying_power_ppm=250_000), record("sent", order_id=7, request="new")],
            "order 7 of quoter is sent to the venue",
        ),
        (
            [order(), record("sent", order_id=7, request="cancel")],
            "a cancel of order 7 of quoter is sent to the venue",
        ),
        (
            [order(), record("sent", order_id=7, request="replace", price_ticks=6_000_000, lots=100)],
            "a change of order 7 of quoter is sent to the venue: 0.01 BTC-USD at 60000.00",
        ),
        (
            [order(), record("sent", order_id=7, request="replace", price_ticks=0, lots=100)],
            "a change of order 7 of quoter is sent to the venue: 0.01 BTC-USD",
        ),
        (
            [record("sent", order_id=7, request="replace", price_ticks=5, lots=100)],
            "a change of order 7 is sent to the venue",
        ),
        (
            [
                order(
                    order_kind="stop",
                    price_ticks=None,
                    trigger_ticks=6_000_000,
                    lots=None,
                    buying_power_ppm=250_000,
                )
            ],
            (
                "order 7 of quoter approved: "
                "buy 25% of the buying power in BTC-USD stop set off at 60000.00 gtc post-only"
            ),
        ),
    ],
)
def test_a_record_is_told_in_words(records, words):
    """Names, symbols, decimals and money in the place of numbers, ticks, lots and atto units."""
    assert told(*records) == words


def test_a_liquidation_says_what_is_closed_and_which_amounts_met():
    """Equity and maintenance margin are money, the price a decimal."""
    fields = {"order_id": 9, "strategy": 0, "instrument": 0, "price_ticks": 6_100_000, "lots": -5000}
    words = told(record("liquidation", **fields, equity=100 * ATTO, maintenance=105 * ATTO))

    assert words.startswith("LIQUIDATION: the venue closes -0.5 BTC-USD of quoter by force with order 9")
    assert "at 61000.00 equity of 100.00 USD is not above the maintenance margin of 105.00 USD" in words


def test_every_surprise_says_what_it_means_for_the_books():
    """Whoever reads it has to know whether it was booked, and whether a position has lost its exit."""
    kinds = names_in_tables("rust/types/src/venue_event.rs")

    assert kinds == list(SURPRISES)
    for kind in kinds:
        narrator = Narrator(SPEC, ["quoter"])
        narrator.note(order())
        surprise = record("surprise", order_id=7, surprise=kind, halts=False)
        words = narrator.words(narrator.note(surprise))
        assert words == f"NOT EXPECTED of order 7 of quoter: {SURPRISES[kind]}"
    assert [kind for kind in kinds if "WITHOUT" in SURPRISES[kind]] == ["exit_refused", "exit_missing"]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_risk_has_words_for_operators(rule):
    """A new rule is told in words, or this fails: limit and value in their units, no raw numbers."""
    assert len(RULES) >= 26
    assert knows(rule)
    words = refusal_words(rule, 40_000, 50_000, UNITS, 0)
    assert words
    assert not RAW.search(words)


@pytest.mark.parametrize(
    ("rule", "limit", "value", "words"),
    [
        ("position_max", 400, 500, "the position could become 0.05 BTC-USD, allowed are 0.04 BTC-USD"),
        ("notional_max", 1000 * ATTO, 3061 * ATTO, "the order is worth 3061.00 USD, allowed are 1000.00 USD"),
        (
            "notional_max",
            ATTO,
            2**127 - 1,
            "the order is worth more than can be counted, allowed are 1.00 USD",
        ),
        ("price_collar", 20_000, 51_234, "the price is 5.1234% away from the market, allowed are 2%"),
        ("reference_stale", 5 * 10**9, 7_500_000_000, "the last market price is 7.5 s old, allowed are 5 s"),
        ("self_trade", 6_000_001, 6_000_000, "at 60000.00 it would trade with an own order at 60000.01"),
        (
            "invalid_order",
            1_000_000,
            50_000_000,
            "`fraction` must be at most 1, which is the whole buying power, and is 50",
        ),
        (
            "invalid_order",
            999_999,
            1_000_000,
            "a percentage below the market must be below 100, and is 100",
        ),
        (
            "invalid_order",
            1,
            -100_000,
            (
                "a size, price, percentage or fraction of it is negative, and must be above 0: "
                "-100000 in lots or ticks, -10 in percent, -0.1 as a fraction"
            ),
        ),
        (
            "invalid_order",
            1,
            0,
            "a size, price, percentage or fraction of it is 0 or rounds to 0, and must be above 0",
        ),
    ],
)
def test_a_refusal_has_its_limit_and_value_in_units(rule, limit, value, words):
    """Sizes by symbol, money with its currency, shares in percent, spans and prices as they are read."""
    assert refusal_words(rule, limit, value, UNITS, 0) == words


@pytest.mark.parametrize(("rule", "way"), [("kill_latch", "kill --release"), ("paused", "resume")])
def test_a_refusal_by_a_stop_of_a_part_says_how_that_ends(rule, way):
    """A word about everything ends no stop of a part, so that alone would send people the wrong way."""
    words = refusal_words(rule, 0, 1, UNITS, 0)
    assert f"`tradecore {way}`, with that part," in words
    assert "a part that `tradecore status` names" in words


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        (0, 1, "its kind, time in force and flags do not fit, or it is tied to order 1, "),
        (0, 99, "it is tied to order 99, which is not an open order of its strategy"),
        (2**63 - 1, 10**30, "a size or price of it is beyond what the engine can count"),
        (-(2**63), -(2**70), "a size or price of it is beyond what the engine can count"),
        (2 * 10**18, 10**18, "it would expire at 2001-09-09T01:46:40Z, which is not after its own time, "),
        (60, 61, "a price or size of it is on the wrong side of its bound: 0.61 against 0.60 as prices, "),
    ],
)
def test_an_order_that_makes_no_sense_is_told_in_words_where_only_its_numbers_are_known(limit, value, words):
    """The end of a backtest has the two numbers of a refusal, and not the order."""
    assert refusal_words("invalid_order", limit, value, UNITS, 0).startswith(words)


@pytest.mark.parametrize(
    ("changes", "limit", "value", "words"),
    [
        ({"lots": 0}, 1, 0, "its size is 0, and must be above 0"),
        ({"price_ticks": -5}, 1, -5, "`at -0.05` is too low: the least is 0.01"),
        (
            {"stop_loss_ticks": 6_200_000, "take_profit_ticks": 6_190_000},
            6_190_000,
            6_200_000,
            "`stop-loss 62000.00` is on the wrong side of 61900.00",
        ),
        ({"display_lots": 900}, 500, 900, "it would show 0.09, which is more than its size of 0.05"),
        (
            {"expire_ns": 10**9},
            2 * 10**9,
            10**9,
            (
                "it would expire at 1970-01-01T00:00:01Z, which is not after its own time, "
                "1970-01-01T00:00:02Z"
            ),
        ),
        ({}, 0, 12, "it is tied to order 12, which is not an open order of its strategy and instrument"),
        ({}, 0, 1, "its kind, time in force and flags do not fit together: see docs/orders.md"),
    ],
)
def test_an_order_that_makes_no_sense_is_told_by_the_value_at_fault(changes, limit, value, words):
    """The bare numbers of the refusal are found again among those of the order."""
    terms = values_of(order(**changes).body)
    del terms["reference_ticks"]
    refused = terms | {"rule": "invalid_order", "limit": limit, "value": value}
    assert told(record("refused", **refused)).endswith(f"invalid_order: {words}")


def test_every_kind_of_record_has_words_of_its_own():
    """A new kind is told in words, or this fails."""
    words = {kind.name: told(record(kind.name, **_SAID.get(kind.name, {}))) for kind in record_kinds()}
    assert all(words.values())
    # A book with a checksum is told as one without.
    assert len(set(words.values())) == len(words) - 1


async def test_nothing_in_a_whole_session_is_told_in_ticks_lots_or_numbers(tmp_path):
    """Every record of a session of a quoting strategy, market events too."""
    await open_session(tmp_path / "journal").run()
    narrator = Narrator(SPEC, ["quoter"])
    kinds = set()
    for seq, time_ns, kind, fields in JournalFolder(tmp_path / "journal").reader():
        noted = narrator.note(records.record(kind, seq, time_ns, **fields))
        words = narrator.words(noted)
        kinds.add(kind)
        assert not RAW.search(words), words
        assert "\n" not in words
        values = narrator.values(noted)
        assert not [name for name in values if name.endswith(("_ticks", "_lots", "_ns"))], values
    assert {"session", "order", "report", "flow", "session_end"} <= kinds


def test_orders_that_have_ended_are_forgotten():
    """A run of months keeps the open orders, and the last of the others for late answers."""
    narrator = Narrator(SPEC, ["quoter"])
    for number in range(1, 400):
        for last in (
            [fill(200, number), fill(300, number)],
            [report("canceled", number, reason="requested")],
            [report("rejected", number, reason="would_take")],
            [report("expired", number)],
        ):
            for entry in (order(number), *last):
                narrator.note(entry)
    narrator.note(order(1000))

    assert list(narrator._orders) == [1000]
    assert len(narrator._ended) <= ENDED_MAX
    late = narrator.note(report("cancel_rejected", 397, reason="unknown_order"))
    assert narrator.words(late).startswith("order 397 of quoter was not cancelled (the venue does not know")


def test_orders_of_whose_end_nobody_told_are_forgotten_too(monkeypatch):
    """A queue of notices that is full leaves out the oldest, and so the ends of orders."""
    monkeypatch.setattr("tradecore.domain.narrator.OPEN_MAX", 100)
    narrator = Narrator(SPEC, ["quoter"])
    for number in range(500):
        narrator.note(order(number))

    assert list(narrator._orders) == list(range(400, 500))


@given(st.integers(-(2**126) + 1, 2**126 - 1))
def test_money_is_exact_however_much_it_is(atto):
    """All 38 digits come through, and nothing is rounded to a context."""
    amount = exact_money(atto)
    assert Fraction(amount) == Fraction(atto, ATTO)
    assert abs(Fraction(Decimal(money_text(atto))) - Fraction(atto, ATTO)) <= Fraction(1, 2 * 10**8)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e9, max_value=1e9))
def test_trimmed_is_the_same_number(value):
    """Zeros at the end go, the value stays."""
    assert trimmed(value) == value
    assert not re.search(r"\.\d*0$|E", f"{trimmed(value)}")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("-0.000000001", "0.00"),
        ("1234.5", "1234.50"),
        ("-0.0769", "-0.0769"),
        ("1E+3", "1000.00"),
    ],
)
def test_money_is_shown_with_two_decimals_or_as_many_as_it_has(amount, text):
    """Never `-0.00`, never an exponent."""
    assert shown_money(Decimal(amount)) == text


def test_the_mean_entry_price_of_linear_and_inverse_positions():
    """It is what the position cost over what it is; an inverse one the other way round."""
    inverse = InstrumentSpec(symbol="XBTUSD", tick_size="0.5", kind=InstrumentKind.INVERSE, multiplier="100")
    linear = InstrumentSpec(symbol="ETH", tick_size="0.01", lot_size="0.1", multiplier="2")
    units = Units(EngineSpec(instruments=(linear, inverse)), [])

    # 10 lots of 0.1 x 2 at 100 and 10 at 103; short 4 contracts of 100 at 50000.
    assert units.entry_price(0, 20, 406 * ATTO) == Decimal("101.50")
    assert units.entry_price(1, -4, ATTO * 400 // 50_000) == Decimal("50000.0")


@pytest.mark.parametrize(
    ("time_ns", "decimals", "text"),
    [
        (1_795_888_800_000_000_000, None, "2026-11-28T18:00:00Z"),
        (1_795_888_800_120_000_000, None, "2026-11-28T18:00:00.12Z"),
        (1_795_888_800_120_000_000, 3, "2026-11-28T18:00:00.120Z"),
        (1_795_888_800_120_000_000, 0, "2026-11-28T18:00:00Z"),
        (-1, 9, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_times_are_iso_8601_in_utc(time_ns, decimals, text):
    """As many decimals as it takes, or as many as are asked for, cut and not rounded."""
    assert iso_time(time_ns, decimals) == text


def test_spans_are_in_their_largest_unit():
    """Half a minute is seconds, a day and a half days."""
    assert [span_text(ns) for ns in (5, 250_000_000, 30 * 10**9, 129_600 * 10**9, 0)] == [
        "5 ns",
        "250 ms",
        "30 s",
        "1.5 d",
        "0 ns",
    ]


@pytest.mark.parametrize(
    ("fee", "words"), [(ATTO // 100, ", fee 0.01 BNB"), (-ATTO // 4, ", rebate 0.25 BNB"), (0, "")]
)
def test_a_conversion_says_both_sides_the_rate_and_what_it_cost(fee, words):
    """And its values are decimals."""
    narrator = Narrator(SPEC, ["quoter"])
    noted = narrator.note(
        record(
            "account",
            account="conversion",
            currency="BTC",
            amount=ATTO // 2,
            into="USD",
            received=30_000 * ATTO,
            rate=60_000 * ATTO,
            fee=fee,
            fee_currency="BNB",
            reason="dust",
        )
    )
    expected = f"conversion: 0.5 BTC became 30000 USD, 60000 USD for 1 BTC{words}: dust"
    assert narrator.words(noted) == expected
    values = narrator.values(noted)
    assert (values["amount"], values["received"], values["rate"]) == (Decimal("0.5"), 30_000, 60_000)


def test_money_that_comes_and_goes_is_told_with_its_reason():
    """A transfer and an adjustment."""
    taken = {"account": "transfer", "currency": "USD", "amount": -ATTO * 5 // 4, "reason": "rent"}
    gained = {"account": "adjustment", "currency": "USD", "amount": ATTO, "reason": "rebate of the month"}
    assert told(record("account", **taken)) == "transfer: 1.25 USD went: rent"
    assert told(record("account", **gained)) == "adjustment: 1 USD came: rebate of the month"


@pytest.mark.parametrize(
    "changed",
    [
        report("replaced", price_ticks=6_200_000, lots=300),
        report("restated", price_ticks=6_200_000, lots=300),
        report("triggered", price_ticks=6_200_000),
        record("sized", order_id=7, lots=300),
    ],
    ids=lambda each: each.kind if each.kind == "sized" else each.body.report,
)
def test_a_record_tells_of_the_order_as_it_was_then(changed):
    """Also when it is told after the order has changed, as `journal tail` does with the records it keeps."""
    narrator = Narrator(SPEC, ["quoter"])
    approved = narrator.note(order())
    at_once = narrator.words(approved)
    values = narrator.values(approved)
    after = narrator.note(changed)

    assert narrator.words(approved) == at_once
    assert narrator.values(approved) == values
    assert approved.order != after.order
    assert narrator.words(narrator.note(report("canceled"))).endswith(
        narrator.words(after).rpartition(": ")[2] if changed.kind == "report" else ""
    )


def test_an_order_that_never_arrived_was_rejected_by_nobody():
    """The venue said nothing of it, and nobody may read that it did."""
    narrator = Narrator(SPEC, ["quoter"])
    narrator.note(order())
    said = record("venue_report", **OF_VENUE, report="rejected", reason="never_arrived")
    ended = report("rejected", reason="never_arrived")
    words = [narrator.words(narrator.note(each)) for each in (said, ended)]

    assert words[0].startswith("the venue never had order 7 of quoter: buy ")
    assert words[1].startswith("order 7 of quoter never reached the venue: buy ")
    assert not [each for each in words if "says" in each or "rejected" in each]
