"""The life of an order that a venue does not amend: what is sent, and what follows from what is told."""

import msgspec
import pytest

from support.live_desk import CAPABILITIES, LiveDesk
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import OneOrder
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Submit, Taken

CAN = msgspec.structs.replace(CAPABILITIES, replaces=False)


def amending(**can):
    """Return a desk whose one order rests, and is to be amended."""
    desk = LiveDesk(msgspec.structs.replace(CAN, **can))
    desk.order()
    desk.answer(Taken(venue_order_id="V1"))
    desk.told(desk.seen())
    desk.durable("replace_request", order_id=1, price_ticks=97, lots=7)
    (request,) = desk.sent(1, "cancel")
    assert isinstance(request, Cancel)
    assert request.client_order_id == desk.ids.of(1)
    return desk


def anew(desk, *, price_ticks=97, lots=7):
    """Make durable that what is left of it leaves anew; return what goes out."""
    return desk.sent(1, "replace", price_ticks=price_ticks, lots=lots)


def second(desk, state="open", **changes):
    """Return the order as the venue has it under its second name."""
    values = {"client_order_id": desk.ids.of(1, 1), "venue_order_id": "V2", "price_ticks": 97, "lots": 7}
    return desk.seen(state, **(values | changes))


@pytest.mark.parametrize(
    "answer",
    [
        Taken(),
        Declined(reason="unknown_order", words="gone"),
        Lost(words="reset"),
        NotDone(words="busy"),
    ],
)
def test_an_end_that_is_told_before_the_answer_is_the_end(answer):
    """Whatever the answer says then, it says of what has ended: the new one is not in doubt."""
    desk = amending()
    assert desk.told(desk.seen("canceled")) == [("canceled", "requested")]
    assert anew(desk) == []
    assert desk.answer(answer) == []
    (request,) = desk.due()
    assert isinstance(request, Submit)
    assert (request.client_order_id, request.lots) == (desk.ids.of(1, 1), 7)
    assert request.order.price_ticks == 97
    assert desk.answer(Taken(venue_order_id="V2")) == [("replaced",)]
    assert desk.told(second(desk)) == []
    assert desk.table.unknown == 0
    desk.wait(120)
    assert desk.asks() == []


def test_what_is_told_again_of_what_has_ended_changes_nothing():
    """Streams repeat and are late: the old name is no news, whatever its state was."""
    desk = amending()
    desk.answer(Taken())
    desk.told(desk.seen("canceled", filled=0))
    late = [desk.seen(), desk.seen("canceled")]
    assert [desk.told(each) for each in late] == [[], []]
    anew(desk)
    assert [desk.told(each) for each in late] == [[], []]
    desk.answer(Taken(venue_order_id="V2"))
    assert [desk.told(each) for each in late] == [[], []]
    assert list(desk.table.orders) == [1]


def test_a_fill_that_the_end_knows_of_is_waited_for():
    """Nothing is said of the end before all fills of it are told: what is left depends on them."""
    desk = amending()
    desk.answer(Taken())
    assert desk.told(desk.seen("canceled", filled=3)) == []
    assert desk.told(desk.fill("T1", 3)) == [("fill", "T1"), ("canceled", "requested")]


def test_what_never_left_is_not_ended_there():
    """It waits for room, and is amended meanwhile: the venue has nothing of it."""
    desk = LiveDesk(CAN)
    desk.durable("order", order_id=1, **_terms())
    desk.durable("sent", order_id=1, request="new", lots=10)
    assert desk.due(has_room=False) == []
    desk.durable("replace_request", order_id=1, price_ticks=97, lots=7)
    assert desk.sent(1, "cancel") == []
    assert [word.report for word in desk.words] == ["canceled"]
    (request,) = anew(desk)
    assert request.client_order_id == desk.ids.of(1, 1)


def test_one_that_nobody_knew_of_counts_and_is_ended():
    """An order that was doubled on the way turns up beside what took its place."""
    desk = amending(duplicate_ids=DuplicateIds.ACCEPTED)
    desk.answer(Taken())
    assert desk.told(desk.seen("canceled")) == [], "the venue may have more under this name"
    (question,) = desk.asks()
    assert desk.found(question, desk.seen("canceled")) == [("canceled", "requested")]
    anew(desk)
    desk.answer(Taken(venue_order_id="V2"))
    desk.told(second(desk))
    twin = desk.seen(venue_order_id="V9")
    assert desk.told(twin) == []
    assert isinstance(desk.asks()[0], OneOrder)
    assert desk.told(second(desk)) == [("restated",)]
    assert desk.table.orders[1].open_lots == 17
    (request,) = desk.due()
    assert (request.client_order_id, request.venue_order_id) == (desk.ids.of(1), "V9")
    assert desk.answer(Taken()) == []
    ended = desk.seen("canceled", venue_order_id="V9", time_ns=501 * 10**9)
    assert desk.told(ended) == [("restated",)]
    assert desk.table.orders[1].open_lots == 7


def _terms():
    from support.live_desk import TERMS

    return TERMS


def test_a_cancel_of_what_is_sent_anew_is_not_lost_behind_that_of_what_was_before():
    """The end of the first is told before its answer, and the second is to be ended before it leaves."""
    desk = amending()
    assert desk.told(desk.seen("canceled")) == [("canceled", "requested")]
    assert anew(desk) == []
    desk.durable("cancel_request", order_id=1, strategy=0)
    assert desk.sent(1, "cancel") == []
    assert desk.answer(Taken()) == []
    assert desk.due() == []
    assert [(word.report, word.reason) for word in desk.words] == [("canceled", "requested")]
    assert desk.table.orders == {}
