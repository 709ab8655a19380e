"""What follows from what a second reader is shown: a step at a time, and for any order of things."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.units import units_in
from tradecore.domain.venue_findings import BalanceSeen, FillSeen, Findings, PositionSeen
from tradecore.runtime.live import drop_copy
from tradecore.runtime.live.drop_copy import Act, CopiedBooks, CopyStep, DropCopy, Look

SECOND_NS = 1_000_000_000
INTERVAL_NS = 5 * SECOND_NS


def trade(
    name,
    *,
    time_ns=SECOND_NS,
    lots=4,
    revision=0,
    price_ticks=95,
    instrument=0,
    symbol="BTC-USD",
    order="V1",
):
    """Return a trade."""
    return FillSeen(
        client_order_id="a",
        venue_order_id=order,
        instrument=instrument,
        symbol=symbol,
        side="buy",
        trade_id=name,
        price_ticks=price_ticks,
        lots=lots,
        liquidity="maker",
        fee=Decimal("0.01"),
        fee_currency="USD",
        time_ns=time_ns,
        revision=revision,
    )


def copy_of(*heard, currencies=frozenset(), fills_kept_ns=None):
    """Return what has heard of these trades."""
    copy = DropCopy(
        units_in("USD"),
        {0: "BTC-USD"},
        positions=frozenset({0}),
        currencies=currencies,
        names={},
        interval_ns=INTERVAL_NS,
        fills_kept_ns=fills_kept_ns,
    )
    for fill in heard:
        copy.hear(fill)
    return copy


def look(*fills, time_ns=2 * SECOND_NS, is_complete=True, **more):
    """Return what is shown at a time."""
    shown = Findings(seen=fills, is_complete=is_complete, time_ns=time_ns)
    return Look(fills=shown, since_ns=more.pop("since_ns", 0), **more)


def books(lots=0, **balances):
    """Return what the books have."""
    return CopiedBooks({0: lots}, {name: amount * 10**18 for name, amount in balances.items()})


def held(lots):
    """Return an answer about positions."""
    seen = (PositionSeen(instrument=0, symbol="BTC-USD", lots=lots),) if lots else ()
    return Findings(seen=seen, is_complete=True, time_ns=2 * SECOND_NS)


def test_what_is_found_once_is_looked_at_again_and_found_twice_is_asked_about():
    """One look holds nothing: the stream may be a moment behind."""
    copy = copy_of()
    assert copy.looked(look(trade("T1"))) is Act.NOTHING
    assert (copy.step, copy.holds) == (CopyStep.DOUBTS, False)
    assert copy.looked(look(trade("T1"))) is Act.PROVE
    assert copy.step is CopyStep.PROVING
    copy.hear(trade("T1"))
    (about,) = copy.proved()
    assert about.startswith("trade T1 (buy ")
    assert (copy.step, copy.booked, copy.findings) == (CopyStep.AGREES, 1, {})


@pytest.mark.parametrize("second", [trade("T1", lots=5), trade("T1", price_ticks=96)])
def test_one_trade_with_two_sets_of_numbers_is_a_contradiction(second):
    """Proof does not change what is shown here: two looks after it say so."""
    copy = copy_of(trade("T1"))
    acts = [copy.looked(look(second)) for _ in range(2)]
    assert acts == [Act.NOTHING, Act.PROVE]
    assert copy.proved() == ()
    assert (copy.step, copy.holds) == (CopyStep.PROVED, True)
    assert copy.looked(look(second)) is Act.NOTHING
    assert copy.step is CopyStep.PROVED
    assert copy.looked(look(second)) is Act.NOTHING
    assert copy.step is CopyStep.CONTRADICTS
    # An answer that is not all, or beside books that move, ends nothing.
    assert copy.looked(look(trade("T1"))) is Act.NOTHING
    assert copy.looked(look(trade("T1"), is_complete=False, books=books())) is Act.NOTHING
    assert copy.looked(look(trade("T1"), books=books())) is Act.LET_GO
    assert copy.step is CopyStep.AGREES


def test_a_trade_told_anew_counts_by_its_last_telling_on_both_sides():
    """What is behind here is no finding, and what is ahead is one until it is told."""
    copy = copy_of(trade("T1"), trade("T1", lots=3, revision=1))
    assert copy.looked(look(trade("T1"))) is Act.NOTHING
    assert copy.step is CopyStep.AGREES
    ahead = look(trade("T1"), trade("T1", lots=3, revision=1), trade("T1", lots=0, revision=2))
    assert [copy.looked(ahead), copy.looked(ahead)] == [Act.NOTHING, Act.PROVE]
    copy.hear(trade("T1", lots=0, revision=2))
    assert copy.proved() == ("trade T1 of BTC-USD (busted)",)


def test_a_trade_is_lacking_when_the_list_is_whole_and_younger_by_two_intervals():
    """Not before, not from an answer that is not all, and not where the venue shows it no more."""
    young, old = SECOND_NS + 2 * INTERVAL_NS - 1, SECOND_NS + 2 * INTERVAL_NS
    for shown, step in (
        (look(time_ns=young), CopyStep.AGREES),
        (look(time_ns=old, is_complete=False), CopyStep.AGREES),
        (look(time_ns=old, since_ns=SECOND_NS + 1), CopyStep.AGREES),
        (look(time_ns=old), CopyStep.DOUBTS),
    ):
        copy = copy_of(trade("T1"))
        copy.looked(shown)
        assert copy.step is step, shown
    copy = copy_of(trade("T1"), fills_kept_ns=INTERVAL_NS)
    copy.looked(look(time_ns=old))
    assert copy.step is CopyStep.AGREES


def test_positions_and_balances_are_compared_beside_books_that_stand_still():
    """Without books there is nothing to compare them with."""
    money = Findings(
        seen=(BalanceSeen(currency="USD", total=Decimal(7), free=Decimal(7)),), is_complete=True, time_ns=1
    )
    copy = copy_of(currencies=frozenset({"USD"}))
    copy.looked(look(positions=held(3), balances=money))
    assert copy.step is CopyStep.AGREES
    copy.looked(look(positions=held(3), balances=money, books=books(3, USD=7)))
    assert copy.step is CopyStep.AGREES
    copy.looked(look(is_complete=False, positions=held(3), balances=money, books=books(2, USD=8)))
    assert copy.step is CopyStep.AGREES
    copy.looked(look(positions=held(3), balances=money, books=books(2, USD=8)))
    assert [each.words for each in copy.findings.values()] == [
        "has 3 lots of BTC-USD, and the books have 2",
        "has 7 USD, and the books have 8",
    ]


def test_trades_of_one_name_in_two_markets_or_of_two_orders_are_two():
    """Venues count trades by market, and two orders that meet each other have one."""
    alike = (
        trade("7"),
        trade("7", order="V2", lots=1),
        trade("7", instrument=None, symbol="ETH-USD", price_ticks=9),
    )
    copy = copy_of(*alike)
    for _ in range(2):
        assert copy.looked(look(*reversed(alike))) is Act.NOTHING
        assert (copy.step, copy.findings) == (CopyStep.AGREES, {})
    # One that nobody told is found, though another of its name was told.
    for untold in alike:
        copy = copy_of(*(each for each in alike if each is not untold))
        assert copy.looked(look(*alike)) is Act.NOTHING
        assert copy.looked(look(*alike)) is Act.PROVE
        copy.hear(untold)
        assert len(copy.proved()) == 1


def test_tickets_of_one_instrument_count_together():
    """Where positions hedge the venue shows each of them; the books have their sum here."""
    tickets = Findings(
        seen=tuple(
            PositionSeen(instrument=0, symbol="BTC-USD", lots=lots, ticket=name)
            for name, lots in (("A", 5), ("B", -3), ("C", 1))
        ),
        is_complete=True,
    )
    copy = copy_of()
    copy.looked(look(positions=tickets, books=books(3)))
    assert copy.step is CopyStep.AGREES
    copy.looked(look(positions=tickets, books=books(1)))
    assert [each.words for each in copy.findings.values()] == ["has 3 lots of BTC-USD, and the books have 1"]


def test_a_sum_that_differs_by_a_trade_on_its_way_is_no_finding():
    """Each look of a busy account may meet one: the trade itself is what is looked at again."""
    copy = copy_of()
    for number in range(1, 9):
        seen = [trade(f"T{each}") for each in range(1, number + 1)]
        act = copy.looked(look(*seen, positions=held(4 * number), books=books(4 * (number - 1))))
        assert act is Act.NOTHING
        assert [what for what, *_ in copy.findings] == ["trade"]
        copy.hear(seen[-1])


def test_that_it_does_not_answer_lets_go_what_only_it_holds_but_no_contradiction():
    """What was found and is not repeated is dropped; what was repeated stands until it is taken back."""
    copy = copy_of()
    for _ in range(2):
        copy.looked(look(trade("T9")))
    copy.proved()
    assert copy.failed() is Act.LET_GO
    assert copy.step is CopyStep.AGREES
    for _ in range(2):
        copy.looked(look(trade("T9")))
    copy.proved()
    for _ in range(2):
        copy.looked(look(trade("T9")))
    assert copy.failed() is Act.NOTHING
    assert copy.holds


def test_what_is_remembered_has_an_end_and_what_is_forgotten_is_compared_no_more(monkeypatch):
    """While the second reader is away for long, nothing grows without end."""
    monkeypatch.setattr(drop_copy, "HEARD_MAX", 3)
    heard = [trade(f"T{number}", time_ns=SECOND_NS + number) for number in range(9)]
    copy = copy_of(*heard)
    assert len(copy._heard) == 3
    assert copy.since_ns == SECOND_NS + 6
    copy.looked(look(*heard, since_ns=copy.since_ns))
    assert copy.step is CopyStep.AGREES


STEPS = st.lists(
    st.tuples(st.sampled_from(["told", "untold", "late", "look", "busted"]), st.integers(0, 7)), max_size=60
)


@given(steps=STEPS, has_phantom=st.booleans())
def test_all_that_an_honest_venue_did_is_heard_in_the_end_and_an_invented_trade_never_is(steps, has_phantom):
    """For any order of trades, tellings and looks: two looks and a proof find what is missing."""
    copy, venue, heard, now_ns = copy_of(), {}, {}, SECOND_NS

    def tell(name):
        heard[name] = venue[name]
        copy.hear(venue[name])

    def look_once():
        shown = [*venue.values(), *([trade("PHANTOM", time_ns=now_ns)] if has_phantom else [])]
        lots = sum(fill.lots for fill in shown)
        here = books(sum(fill.lots for fill in heard.values()))
        act = copy.looked(
            look(*shown, time_ns=now_ns, since_ns=copy.since_ns, positions=held(lots), books=here)
        )
        if act is Act.PROVE:
            # The venue is asked where orders go: it shows all that there is.
            for name in venue:
                tell(name)
            copy.proved()

    for what, number in steps:
        now_ns += SECOND_NS
        name = f"T{number}"
        if what == "look":
            look_once()
        elif what == "late" and name in venue:
            tell(name)
        elif what == "busted" and name in venue:
            last = venue[name]
            venue[name] = trade(name, time_ns=now_ns, lots=0, revision=last.revision + 1)
        elif what in ("told", "untold") and name not in venue:
            venue[name] = trade(name, time_ns=now_ns)
            if what == "told":
                tell(name)
        assert "PHANTOM" not in heard
    for _ in range(12):
        now_ns += SECOND_NS
        look_once()
    assert heard == venue
    assert copy.step is (CopyStep.CONTRADICTS if has_phantom else CopyStep.AGREES)


def test_a_long_list_of_what_was_compared_leaves_nothing_behind():
    """A question about a minute is answered with thousands of trades that nobody asks about again."""
    copy = copy_of()
    agreed_ns = 1_000 * SECOND_NS
    assert copy.looked(look(time_ns=agreed_ns)) is Act.NOTHING
    for number in range(5_000):
        copy.hear(trade(f"old {number}", time_ns=(900 + number % 60) * SECOND_NS))
    assert len(copy._heard) == 0
    # At the edge a venue's two lists may differ by a moment.
    near = trade("near", time_ns=copy.since_ns - 1)
    late = trade("late", time_ns=agreed_ns)
    copy.hear(near)
    copy.hear(late)
    assert list(copy._heard.values()) == [near, late]


def test_what_is_told_again_in_the_same_words_takes_no_place_of_its_own():
    """Only another telling does: what came first lies where old things lie, and goes with them."""
    first, again = trade("t1"), trade("t1")
    copy = copy_of(first, again)
    (kept,) = copy._heard.values()
    assert kept is first
    anew = trade("t1", lots=3, revision=1)
    copy.hear(anew)
    copy.hear(again)
    (kept,) = copy._heard.values()
    assert kept is anew
