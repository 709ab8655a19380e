"""One name and several orders of the venue, trades that are corrected, and venues without our names."""

import msgspec
import pytest

from support.live_desk import CAPABILITIES, LiveDesk
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import OneOrder, OpenOrders
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Taken


def open_desk(capabilities=CAPABILITIES):
    """Return a desk with one order that the venue has."""
    made = LiveDesk(capabilities)
    made.order()
    assert made.answer(Taken(venue_order_id="V1")) == [("accepted",)]
    return made


def test_what_was_doubled_on_the_way_counts_as_both():
    """The engine hears of an order of twice the size, so that every limit counts what can trade."""
    desk = open_desk()
    assert desk.told(desk.seen()) == []
    assert desk.told(desk.seen(venue_order_id="V2")) == [("restated",)]
    assert desk.table.orders[1].open_lots == 20
    assert "several open orders under the name of order 1" in desk.table.trouble
    assert OneOrder in {type(question) for question in desk.asks()}
    assert desk.told(desk.fill("t1", 10)) == [("fill", "t1")]
    assert desk.told(desk.fill("t2", 4, venue_order_id="V2")) == [("fill", "t2")]
    assert desk.told(desk.seen("filled", filled=10)) == []
    assert 1 in desk.table.orders
    assert desk.told(desk.seen("canceled", filled=4, venue_order_id="V2")) == [("canceled", "requested")]
    assert 1 not in desk.table.orders


def test_a_cancel_is_done_when_all_of_them_have_ended():
    """Each is asked for by the venue's own name of it, one after the other; the engine asked once."""
    desk = open_desk()
    desk.told(desk.seen())
    desk.told(desk.seen(venue_order_id="V2"))
    (first,) = desk.sent(1, "cancel")
    assert (type(first), first.venue_order_id) == (Cancel, "V1")
    assert desk.answer(Taken(venue_order_id="V1")) == []
    assert desk.told(desk.seen("canceled")) == [("restated",)]
    (second,) = desk.due()
    assert (type(second), second.venue_order_id) == (Cancel, "V2")
    assert desk.answer(Taken(venue_order_id="V2")) == []
    assert desk.told(desk.seen("canceled")) == []
    assert desk.due() == []
    assert desk.told(desk.seen("canceled", venue_order_id="V2")) == [("canceled", "requested")]


def test_a_refusal_of_the_second_one_does_not_end_the_first():
    """Some venues tell of a request that came twice as of a rejected order of the same name."""
    desk = open_desk()
    desk.told(desk.seen())
    assert desk.told(desk.seen("rejected", venue_order_id="V2")) == []
    assert desk.table.orders[1].open_lots == 10
    assert desk.told(desk.seen("canceled")) == [("canceled", "requested")]


def test_an_amendment_that_changes_the_venues_name_is_no_second_order():
    """Nothing tells of the end of the first; the answer about the order has it no more."""
    desk = open_desk()
    desk.told(desk.seen())
    assert desk.told(desk.seen(venue_order_id="V2")) == [("restated",)]
    (about,) = [question for question in desk.asks() if isinstance(question, OneOrder)]
    assert desk.found(about, desk.seen(venue_order_id="V2")) == [("restated",)]
    order = desk.table.orders[1]
    assert (order.open_lots, list(order.there), desk.table.trouble) == (10, ["V2"], "")


def test_a_trade_that_is_told_again_in_other_numbers_is_told_to_the_engine_once():
    """It cannot follow, which is a surprise that halts; what was told before stays as it was booked."""
    desk = open_desk()
    assert desk.told(desk.fill("t1", 4)) == [("fill", "t1")]
    assert desk.told(desk.fill("t1", 3)) == [("fill", "t1")]
    assert desk.told(desk.fill("t1", 3)) == []
    assert desk.table.orders[1].filled_lots == 4


def test_a_venue_that_knows_no_names_of_ours_is_understood_by_its_own():
    """Orders and trades are found by the number that it answered; what it did not answer stays in doubt."""
    desk = open_desk(msgspec.structs.replace(CAPABILITIES, duplicate_ids=DuplicateIds.NONE))
    nameless = {"client_order_id": None}
    assert desk.told(desk.seen(**nameless)) == []
    assert desk.told(desk.fill("t1", 4, **nameless)) == [("fill", "t1")]
    assert desk.found(OpenOrders(), desk.seen(filled=4, **nameless)) == []
    assert desk.table.orders[1].doubt is None
    assert desk.table.foreign == {}
    desk.told(desk.seen(venue_order_id="V9", **nameless))
    assert list(desk.table.foreign) == ["V9"]
    assert desk.told(desk.seen("canceled", filled=4, **nameless)) == [("canceled", "requested")]
    assert desk.told(desk.fill("t2", 1, **nameless)) == [("fill", "t2")], "a late fill is of its order"
    desk.order(2)
    assert desk.answer(Lost(words="reset"), order_id=2) == [("OutcomeLost",)]


def test_a_cancel_that_did_not_arrive_is_sent_again_until_its_order_ends():
    """A hundred times without a connection; then it arrives."""
    desk = open_desk()
    desk.told(desk.seen())
    (cancel,) = desk.sent(1, "cancel")
    for _ in range(100):
        assert desk.answer(NotDone(words="no connection")) == []
        assert desk.due() == []
        desk.wait(3)
        assert desk.due() == [cancel]
    assert desk.answer(Taken(venue_order_id="V1")) == []
    assert desk.told(desk.seen("canceled")) == [("canceled", "requested")]


def test_a_cancel_that_is_wanted_again_while_one_is_on_its_way_goes_out_once():
    """An order in doubt can be cancelled again and again; the venue hears of it once at a time."""
    desk = LiveDesk()
    desk.order()
    assert desk.answer(Lost(words="reset")) == [("OutcomeLost",)]
    (cancel,) = desk.sent(1, "cancel")
    for _ in range(5):
        assert desk.sent(1, "cancel") == []
    assert desk.answer(NotDone(words="no connection")) == []
    assert desk.sent(1, "cancel") == []
    desk.wait(3)
    assert desk.due() == [cancel]
    assert desk.answer(Taken()) == []
    assert desk.due() == []


@pytest.mark.parametrize("command", ["kill", "flatten", "pause"])
def test_an_operator_who_wants_everything_ended_takes_no_refusal(command):
    """The venue declines and shows the order as open: asked again each second, after a kill or a flatten."""
    desk = open_desk()
    desk.told(desk.seen())
    desk.durable("command", command=command)
    desk.sent(1, "cancel")
    for _ in range(3):
        assert desk.answer(Declined(reason="unknown_order", words="")) == []
        (about,) = desk.asks()
        said = desk.found(about, desk.seen())
        if command == "pause":
            assert said == [("cancel_rejected", "unknown_order")]
            return
        assert said == []
        assert desk.due() == []
        desk.wait(1)
        (again,) = desk.due()
        assert isinstance(again, Cancel)


def test_of_a_venue_with_names_an_order_without_one_is_of_others():
    """Whatever number it has there."""
    desk = open_desk()
    assert desk.told(desk.fill("t1", 4, client_order_id=None)) == []
    assert desk.table.foreign_fills == 1


def test_a_declined_cancel_of_the_first_is_asked_about_like_any_other():
    """It may have ended meanwhile."""
    desk = open_desk()
    desk.told(desk.seen())
    desk.told(desk.seen(venue_order_id="V2"))
    desk.sent(1, "cancel")
    assert desk.answer(Declined(reason="unknown_order", words="")) == []
    (about,) = [question for question in desk.asks() if isinstance(question, OneOrder)]
    told = desk.found(about, desk.seen("canceled"), desk.seen(venue_order_id="V2"))
    assert ("restated",) in told
    (again,) = desk.due()
    assert again.venue_order_id == "V2"
