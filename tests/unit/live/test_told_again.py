"""Long answers of a venue are taken part by part, and what the books have is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.live_desk import LiveDesk
from support.remembered import BuysAndSells, answers, live_engine
from tradecore.domain import EventBatch
from tradecore.domain.venue_findings import Balances, FillsSince, Findings, OpenOrders, Positions
from tradecore.runtime.live.told_again import parts_of, without_known
from tradecore.runtime.live.words import WORDS_MAX, OutcomeLost, Told

SECOND_NS = 1_000_000_000


@given(
    many=st.integers(0, 3 * WORDS_MAX + 1) | st.sampled_from([WORDS_MAX, 2 * WORDS_MAX]),
    is_complete=st.booleans(),
)
def test_a_list_of_trades_is_cut_and_only_its_end_says_that_it_is_whole(many, is_complete):
    """All of it is there once, in its order."""
    findings = Findings(seen=tuple(range(many)), is_complete=is_complete, time_ns=7)
    parts = list(parts_of(FillsSince(time_ns=0), findings))
    assert [each for part in parts for each in part.seen] == list(range(many))
    assert all(len(part.seen) <= WORDS_MAX for part in parts)
    assert [part.is_complete for part in parts] == [False] * (len(parts) - 1) + [is_complete]
    assert {part.time_ns for part in parts} == {7}


@pytest.mark.parametrize("question", [OpenOrders(), Positions(), Balances()])
def test_what_is_absent_of_a_list_of_orders_is_absent_of_all_of_it(question):
    """It is not cut."""
    findings = Findings(seen=tuple(range(3 * WORDS_MAX)), is_complete=True)
    assert list(parts_of(question, findings)) == [findings]


def desk_with_trades():
    """Return a desk whose order lacks a trade, and a list of that one and of trades of old orders."""
    desk = LiveDesk()
    desk.order(1)
    desk.told(desk.seen(filled_lots=4, open_lots=6))
    old = [desk.fill(f"old {number}", 1, order_id=7) for number in range(2 * WORDS_MAX)]
    return desk, [*old[:WORDS_MAX], desk.fill("t1", 4), *old[WORDS_MAX:]]


def test_a_list_says_the_same_in_parts_as_in_one_piece():
    """Words, and what is asked for after it."""
    question, told = FillsSince(time_ns=0), []
    for cuts in (False, True):
        desk, seen = desk_with_trades()
        desk.wait(60)
        findings = Findings(seen=tuple(seen), is_complete=True)
        parts = parts_of(question, findings) if cuts else [findings]
        words = [
            word for part in parts for word in desk.reading.found(question, part, desk.now_ns, desk.now_ns)
        ]
        told.append((words, desk.table.fills_due_ns, desk.reading.asks(desk.now_ns + 60 * SECOND_NS)))
        assert desk.table.orders[1].filled_lots == 4
    assert told[0] == told[1]
    assert len(told[0][0]) == 2 * WORDS_MAX + 1


def engine_with_a_trade():
    """Return an engine that has booked trade `T1` of order 1: one lot at 100."""
    strategy = BuysAndSells()
    engine = live_engine(strategy)
    for number in range(3):
        batch = EventBatch()
        if number == 0:
            batch.agreement(SECOND_NS, 0, True)
        elif number == 1:
            batch.quote(2 * SECOND_NS, 0, 99, 50, 101, 50)
        else:
            answers(batch, 3 * SECOND_NS, strategy.last)
        engine.feed(batch)
        engine.run()
    assert strategy.last == 1
    return engine


def fill(trade_id="T1", **changes):
    """Return what a venue says of a trade."""
    said = {"instrument": 0, "order_id": 1, "report": "fill", "price_ticks": 100, "lots": 1}
    return Told(**(said | {"trade_id": trade_id} | changes))


def test_what_the_books_have_is_left_out_and_nothing_else():
    """Another trade, another number of it, what was told anew and all that is no trade goes on."""
    news = [
        fill("T2"),
        fill(price_ticks=99),
        fill(lots=2),
        fill(order_id=2),
        fill(revision=1),
        fill(report="busted", revision=2, lots=0),
        fill(None),
        fill(report="accepted", trade_id=None, price_ticks=None),
        OutcomeLost(instrument=0, order_id=1),
    ]
    mixed = [word for each in news for word in (fill(), each)]
    assert without_known(engine_with_a_trade(), [*mixed, fill()]) == news


def test_before_there_is_an_engine_all_is_told():
    """Nobody can say what its books have."""
    assert without_known(None, [fill(), fill()]) == [fill(), fill()]
