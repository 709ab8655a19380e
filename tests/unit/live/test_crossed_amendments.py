"""What the engine is told of an order that fills whole while an amendment to more is under way."""

import pytest

from support import records
from support.live_desk import TERMS, LiveDesk
from tradecore.domain.venue_findings import OneOrder, OpenOrders
from tradecore.domain.venue_requests import Lost, Replace, Taken
from tradecore.runtime.live.order_table import OpenOrder


def open_desk():
    """Return a desk whose first order is open at the venue."""
    desk = LiveDesk()
    desk.order()
    desk.answer(Taken(venue_order_id="V1"))
    desk.told(desk.seen())
    return desk


@pytest.mark.parametrize("is_shown", [True, False])
def test_an_amendment_of_what_has_filled_by_then_is_answered(is_shown):
    """The engine asked for it before it heard of the fill, and keeps the order open until it is answered."""
    desk = open_desk()
    desk.told(desk.fill("T1", 10))
    if is_shown:
        desk.told(desk.seen("filled", filled=10))
    assert desk.table.orders == {}
    assert desk.sent(1, "replace", price_ticks=97, lots=20) == []
    assert [(word.report, word.reason) for word in desk.words] == [("replace_rejected", "unknown_order")]
    # It is said once, and nobody amends what was never here.
    assert desk.sent(9, "replace", price_ticks=97, lots=20) == []
    assert list(desk.words) == []


def test_an_order_that_fills_before_its_amendment_leaves_is_kept_until_that_is_over():
    """The engine waits for an answer, and the venue's word that it has filled is one."""
    desk = open_desk()
    desk.sent(1, "replace", price_ticks=97, lots=20)
    assert desk.told(desk.fill("T1", 10)) == [("fill", "T1")]
    assert 1 in desk.table.orders
    assert desk.told(desk.seen("filled", filled=10)) == [("restated",)]
    assert desk.table.orders == {}
    assert desk.due() == []


def test_an_amended_order_that_has_filled_and_is_nowhere_has_filled():
    """Its absence is proved, and nothing was left of it by all that is known."""
    desk = open_desk()
    desk.sent(1, "replace", price_ticks=97, lots=20)
    desk.answer(Lost(words="no answer"))
    desk.told(desk.fill("T1", 10))
    desk.table.doubt(desk.table.orders[1], desk.now_ns)
    desk.wait(60)
    one = OneOrder(client_order_id=desk.ids.of(1), instrument=0)
    for _ in range(2):
        desk.found(OpenOrders())
        said = desk.found(one)
    assert said == [("restated",)]


def test_what_fills_after_an_amendment_was_asked_for_counts_towards_it():
    """The engine has booked three by then; two are told before the request leaves."""
    desk = open_desk()
    desk.told(desk.fill("T1", 3))
    desk.durable("report", order_id=1, report="fill", lots=3)
    desk.durable("replace_request", order_id=1, lots=5)
    desk.told(desk.fill("T2", 2))
    (request,) = desk.sent(1, "replace", lots=5)
    assert (request.open_lots, request.filled_lots) == (5, 3), "eight in all, of which three are left"


def test_a_start_knows_what_was_booked_before():
    """An amendment after it counts from there."""
    desk = LiveDesk()
    known = OpenOrder(
        terms=records.body("order", order_id=1, **TERMS),
        state="partially_filled",
        is_sent=True,
        open_lots=6,
        filled_lots=4,
        price_ticks=97,
        trades=("T1",),
    )
    desk.table.resume([known], desk.now_ns)
    (request,) = desk.sent(1, "replace", lots=5)
    assert isinstance(request, Replace)
    assert (request.open_lots, request.filled_lots) == (5, 4)
