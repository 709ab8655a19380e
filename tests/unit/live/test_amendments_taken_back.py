"""Requests before the end of their order: they are given up, and not in its way."""

from support.live_desk import SECOND_NS, LiveDesk
from tradecore.domain.venue_requests import Cancel, NotDone, Replace, Taken

TAKEN = Taken(venue_order_id="V1")


def open_desk():
    """Return a desk with one order that the venue has."""
    made = LiveDesk()
    made.order()
    assert made.answer(TAKEN) == [("accepted",)]
    return made


def test_an_amendment_that_has_not_left_is_not_in_the_way_of_a_cancel():
    """The end of an order leaves as soon as it can, after a kill above all."""
    desk = open_desk()
    (first,) = desk.sent(1, "replace", price_ticks=97, lots=7)
    assert desk.sent(1, "replace", price_ticks=96, lots=6) == []
    assert desk.sent(1, "cancel") == []
    assert [(word.report, word.reason) for word in desk.words] == [("replace_rejected", "never_arrived")]
    desk.answer(TAKEN)
    assert isinstance(first, Replace)
    assert [type(request) for request in desk.due()] == [Cancel]


def test_an_amendment_that_did_not_leave_is_not_tried_again_before_a_cancel():
    """It is given up where the end of the order waits behind it."""
    desk = open_desk()
    desk.sent(1, "replace", price_ticks=97, lots=7)
    assert desk.sent(1, "cancel") == []
    assert desk.table.is_taken_back(desk.ids.of(1))
    assert desk.answer(NotDone(words="no connection")) == [("replace_rejected", "never_arrived")]
    assert [type(request) for request in desk.due()] == [Cancel]
    assert not desk.table.is_taken_back(desk.ids.of(1))


def test_a_new_order_that_did_not_leave_is_over_as_soon_as_its_end_is_asked_for():
    """Not only once it would be tried again: it counts in all limits until then."""
    desk = LiveDesk()
    desk.order()
    assert desk.answer(NotDone(words="too many requests", retry_after_ns=30 * SECOND_NS)) == []
    assert desk.due() == []
    assert desk.sent(1, "cancel") == []
    assert [(word.report, word.reason) for word in desk.words] == [("rejected", "never_arrived")]
    assert desk.table.orders == {}
