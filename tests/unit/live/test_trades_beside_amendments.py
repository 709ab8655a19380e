"""Trades that are told late or anew, of orders that a venue does not amend and that were sent anew."""

import msgspec
import pytest

from support.live_desk import CAPABILITIES, TERMS, LiveDesk
from tradecore.domain import record_bodies as bodies
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Submit, Taken
from tradecore.runtime.live.order_table import Named, OpenOrder, Renewal

CAN = msgspec.structs.replace(CAPABILITIES, replaces=False)


def left_anew(*, has_room=True, **can):
    """Return a desk whose order of 10 filled 3, was ended to be amended, and is sent anew with 7."""
    desk = LiveDesk(msgspec.structs.replace(CAN, **can))
    desk.order()
    desk.answer(Taken(venue_order_id="V1"))
    desk.told(desk.seen())
    desk.told(desk.fill("T1", 3))
    desk.durable("replace_request", order_id=1, price_ticks=97, lots=7)
    desk.sent(1, "cancel")
    desk.answer(Taken())
    desk.told(desk.seen("canceled", filled=3))
    if (question := next(iter(desk.asks()), None)) is not None:
        desk.found(question, desk.seen("canceled", filled=3))
    desk.durable("sent", order_id=1, request="replace", price_ticks=97, lots=7)
    sends = desk.due(has_room=has_room)
    assert [type(each) for each in sends] == ([Submit] if has_room else [])
    return desk


def second(desk, state="open", **changes):
    """Return the order as the venue has it under its second name."""
    values = {"client_order_id": desk.ids.of(1, 1), "venue_order_id": "V2", "price_ticks": 97, "lots": 7}
    return desk.seen(state, **(values | changes))


def test_a_trade_that_is_told_anew_is_no_proof_of_the_order_that_is_sent_anew():
    """It waits for room while a trade from before is busted: it leaves, and nobody says that it is there."""
    desk = left_anew(has_room=False)
    assert desk.told(desk.fill("T1", 0, revision=1)) == [("busted", "T1")]
    (request,) = desk.due()
    assert isinstance(request, Submit)
    assert request.client_order_id == desk.ids.of(1, 1)
    assert desk.answer(Declined(reason="insufficient_margin", words="no")) == [
        ("rejected", "insufficient_margin")
    ]


def test_a_trade_that_is_told_anew_ends_no_doubt_about_what_is_sent_anew():
    """Nobody knows whether the venue has the new one, and a trade of the old one says nothing of that."""
    desk = left_anew()
    assert desk.answer(Lost(words="reset")) == [("OutcomeLost",)]
    assert desk.told(desk.fill("T1", 2, revision=1)) == [("fill", "T1")]
    assert desk.table.unknown == 1
    assert desk.told(second(desk)) == [("replaced",)]


@pytest.mark.parametrize("first_lots", [None, 2])
def test_a_late_trade_that_is_told_in_a_later_telling_makes_no_order_smaller(first_lots):
    """What took the place of the order stays as large, also once the first telling of the trade comes."""
    desk = left_anew()
    desk.answer(Taken(venue_order_id="V2"))
    desk.told(second(desk))
    assert desk.told(desk.fill("T2", 1, revision=1)) == [("restated",), ("fill", "T2")]
    if first_lots is not None:
        assert desk.told(desk.fill("T2", first_lots)) == [("restated",), ("fill", "T2")]
    order = desk.table.orders[1]
    assert (order.open_lots, order.filled_lots) == (7, 3 + (first_lots or 1))
    assert desk.told(second(desk, time_ns=502 * 10**9)) == []


def test_what_has_filled_with_a_trade_that_is_told_anew_is_of_the_whole_order():
    """What filled before it was sent anew is added; of one of several parts nothing is said."""
    desk = left_anew()
    desk.answer(Taken(venue_order_id="V2"))
    desk.told(second(desk))
    names = {"client_order_id": desk.ids.of(1, 1), "venue_order_id": "V2", "revision": 1}
    (word,) = desk.reading.told(desk.fill("T2", 5, filled_lots=2, **names), desk.now_ns)
    assert (word.filled_lots, desk.table.orders[1].filled_lots) == (5, 5)
    (_, old) = desk.reading.told(desk.fill("T3", 1, filled_lots=4, revision=1), desk.now_ns)
    assert old.filled_lots is None
    desk = doubled()
    (word,) = desk.reading.told(desk.fill("T2", 5, filled_lots=2, **names), desk.now_ns)
    assert word.filled_lots is None


def test_a_late_trade_gives_an_order_no_name_that_it_has_no_more():
    """The answer to the new one is lost: its end is asked for by the name that it was sent with."""
    desk = left_anew()
    desk.answer(Lost(words="reset"))
    assert desk.told(desk.fill("T2", 1)) == [("restated",), ("fill", "T2")]
    desk.durable("cancel_request", order_id=1, strategy=0)
    (request,) = desk.sent(1, "cancel")
    assert isinstance(request, Cancel)
    assert (request.client_order_id, request.venue_order_id) == (desk.ids.of(1, 1), None)


def doubled():
    """Return a desk whose order is open under its second name, and still under its first one."""
    desk = left_anew(duplicate_ids=DuplicateIds.ACCEPTED)
    desk.answer(Taken(venue_order_id="V2"))
    desk.told(second(desk))
    desk.told(desk.seen(venue_order_id="V9"))
    desk.asks()
    assert desk.told(second(desk)) == [("restated",)]
    (request,) = desk.due()
    assert request.venue_order_id == "V9"
    return desk


def test_the_end_of_an_order_is_asked_for_while_that_of_its_double_is_under_way():
    """The one request ends what is open beside the order, the other one the order."""
    desk = doubled()
    desk.durable("cancel_request", order_id=1, strategy=0)
    assert desk.sent(1, "cancel") == [], "one at a time"
    desk.answer(Taken())
    (request,) = desk.due()
    assert (request.client_order_id, request.venue_order_id) == (desk.ids.of(1, 1), "V2")


@pytest.mark.parametrize("answer", [NotDone(words="busy"), Lost(words="reset")])
def test_the_end_of_a_double_is_asked_for_until_it_is_heard(answer):
    """One that was not heard leaves it open: it counts until it has ended."""
    desk = doubled()
    assert desk.answer(answer) == []
    desk.wait(1)
    for question in desk.asks():
        desk.found(question, second(desk))
    assert desk.table.orders[1].open_lots == 17
    desk.wait(10)
    (request,) = desk.due()
    assert (request.client_order_id, request.venue_order_id) == (desk.ids.of(1), "V9")
    assert desk.answer(Declined(reason="unknown_order", words="gone")) == []
    (question,) = desk.asks()
    assert desk.found(question, second(desk)) == [("restated",)]
    assert desk.table.orders[1].open_lots == 7


def started(step="resting", **changes):
    """Return a desk that starts with an order of which 3 filled before it was sent anew with 7.

    One more of the old one filled late, so that the books have 4 filled and 7 open.
    """
    desk = LiveDesk(CAN)
    renewal = {
        "revision": 1,
        "step": step,
        "price_ticks": 97,
        "lots": 7,
        "past_lots": 3,
        "is_answered": True,
        "is_set_off": False,
    }
    known = OpenOrder(
        terms=msgspec.convert(TERMS | {"order_id": 1, "decided_ns": 1}, bodies.OrderTerms),
        state="partially_filled",
        is_sent=True,
        open_lots=7,
        filled_lots=4,
        price_ticks=97,
        trades=("T1", "T2"),
        named=Named(venue_order_id="V1"),
        renewal=Renewal(**(renewal | changes)),
    )
    desk.table.resume([known], desk.now_ns)
    return desk


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_late_trade_before_a_start_makes_no_order_smaller(is_answered):
    """The venue has 7 open of what it was sent: so have the books, whenever more of the old one filled."""
    desk = started("resting" if is_answered else "leaving", is_answered=is_answered)
    assert desk.told(second(desk)) == ([] if is_answered else [("replaced",)])
    order = desk.table.orders[1]
    assert (order.open_lots, order.filled_lots, order.past_lots) == (7, 4, 4)
    assert desk.told(second(desk, filled=2)) == []
    assert desk.told(desk.fill("T3", 2, client_order_id=desk.ids.of(1, 1), venue_order_id="V2")) == [
        ("fill", "T3")
    ]
    assert (order.open_lots, order.lacks_fills) == (5, False)


def test_a_start_ends_an_order_by_the_name_that_it_has():
    """The venue's name that the books heard last may be that of the old one, of which a trade came late."""
    desk = started("ending")
    (request,) = desk.due()
    assert isinstance(request, Cancel)
    assert (request.client_order_id, request.venue_order_id) == (desk.ids.of(1, 1), None)
