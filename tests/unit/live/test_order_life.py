"""An order at a venue outside: sent once, in doubt until there is proof, told once."""

from decimal import Decimal

import msgspec
import pytest

from support import records
from support.live_desk import CAPABILITIES, SECOND_NS, TERMS, LiveDesk
from support.units import units_in
from tradecore.domain.venue_findings import FillsSince, OneOrder, OpenOrders
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Replace, Submit, Taken
from tradecore.runtime.live.allowance import Leave
from tradecore.runtime.live.order_table import OpenOrder
from tradecore.runtime.live.retries import Retries
from tradecore.runtime.live.venue_reading import VenueReading

NOBODY_KNOWS = Lost(words="connection reset")
BUSY = NotDone(words="too many requests")
TAKEN = Taken(venue_order_id="V1")


@pytest.fixture
def desk():
    """Return a desk whose first order went out and was not answered."""
    made = LiveDesk()
    (request,) = made.order()
    assert isinstance(request, Submit)
    assert (request.client_order_id, request.lots) == (made.ids.of(1), 10)
    return made


def open_desk():
    """Return a desk with one order that the venue has."""
    made = LiveDesk()
    made.order()
    assert made.answer(TAKEN) == [("accepted",)]
    return made


def test_a_request_goes_out_once_and_is_told_once(desk):
    """Neither waiting nor what the venue repeats sends or tells it again."""
    desk.wait(3600)
    assert desk.due() == []
    assert desk.answer(TAKEN) == [("accepted",)]
    assert desk.told(desk.seen()) == []
    assert desk.told(desk.seen()) == []
    assert desk.due() == []


def test_what_the_venue_shows_before_it_answers_is_the_answer(desk):
    """The stream may be faster than the response; both say the same."""
    assert desk.told(desk.seen()) == [("accepted",)]
    assert desk.answer(TAKEN) == []


def test_a_fill_before_any_answer_is_told_after_the_order_itself(desk):
    """The engine hears of the order and of the trade, and the late answer changes nothing."""
    assert desk.told(desk.fill("t1", 10)) == [("accepted",), ("fill", "t1")]
    assert desk.answer(TAKEN) == []


def test_an_order_that_has_filled_before_its_answer_is_let_go_with_the_answer(desk):
    """That it has ended may be told nowhere else: the frame that says so may be lost."""
    desk.told(desk.fill("T1", 10))
    assert list(desk.table.orders) == [1], "its answer is awaited"
    desk.answer(TAKEN)
    assert list(desk.table.orders) == []


def test_one_that_has_filled_in_part_before_its_answer_stays(desk):
    """The rest is open."""
    desk.told(desk.fill("T1", 4))
    desk.answer(TAKEN)
    assert list(desk.table.orders) == [1]


def test_a_trade_is_told_once_however_often_the_venue_repeats_it():
    """By the stream and by the answer to a question alike."""
    desk = open_desk()
    assert desk.told(desk.fill("t1", 4)) == [("fill", "t1")]
    assert desk.told(desk.fill("t1", 4)) == []
    question = FillsSince(time_ns=0)
    assert desk.found(question, desk.fill("t1", 4), desk.fill("t2", 1)) == [("fill", "t2")]
    assert desk.table.orders[1].filled_lots == 5


def test_a_trade_that_is_told_anew_is_told_with_its_revision_and_fills_no_order():
    """Corrected and busted, by the stream and by an answer to a question; an older telling is passed over."""
    desk = open_desk()
    assert desk.told(desk.fill("t1", 4)) == [("fill", "t1")]
    assert desk.told(desk.fill("t1", 6, revision=2)) == [("fill", "t1")]
    assert desk.told(desk.fill("t1", 5, revision=1)) == []
    assert desk.found(FillsSince(time_ns=0), desk.fill("t1", 0, revision=3)) == [("busted", "t1")]
    assert desk.told(desk.fill("t1", 4)) == []
    assert desk.table.orders[1].filled_lots == 4
    (word,) = desk.reading.told(desk.fill("t1", 6, revision=4, fee=Decimal("0.5")), desk.now_ns)
    assert (word.revision, word.lots, word.fee_atto, word.filled_lots) == (4, 6, 5 * 10**17, None)


def test_a_bust_that_comes_first_leaves_its_order_waiting_for_the_trade():
    """What filled is what was traded first: the end waits for it, and it is told when it comes."""
    desk = open_desk()
    assert desk.told(desk.fill("t1", 0, revision=1)) == [("busted", "t1")]
    assert desk.told(desk.seen("canceled", filled=4)) == []
    assert desk.told(desk.fill("t1", 4)) == [("fill", "t1"), ("canceled", "requested")]
    assert desk.table.orders == {}
    # The engine knows of the trade what nobody here does any more.
    assert desk.told(desk.fill("t1", 3, revision=2)) == [("fill", "t1")]


def test_a_correction_that_comes_first_counts_as_filled_until_the_trade_comes():
    """And the trade counts the rest."""
    desk = open_desk()
    assert desk.told(desk.fill("t1", 3, revision=1)) == [("fill", "t1")]
    assert desk.table.orders[1].filled_lots == 3
    assert desk.told(desk.fill("t1", 10)) == [("fill", "t1")]
    assert desk.table.orders == {}


@pytest.mark.parametrize(("with_it", "counted"), [(5, 4), (7, 6), (9, 6), (1, 1), (0, 6), (None, 6)])
def test_a_correction_that_comes_first_counts_no_more_than_the_venue_says_of_the_order(with_it, counted):
    """It may have been made larger since; where the venue says nothing that can be, it counts as it is."""
    desk = open_desk()
    desk.told(desk.fill("t0", 1))
    (word,) = desk.reading.told(desk.fill("t1", 6, revision=1, filled_lots=with_it), desk.now_ns)
    assert (word.lots, word.filled_lots) == (6, with_it)
    order = desk.table.orders[1]
    assert (order.filled_lots, order.revised) == (1 + counted, {"t1": (1, counted)})


def test_a_trade_of_others_that_is_told_anew_is_kept_for_people():
    """Nothing of it is booked here, and nothing is passed over in silence."""
    desk = open_desk()
    foreign = desk.fill("t9", 0, revision=1, client_order_id="web-1", venue_order_id="V9")
    assert desk.told(foreign) == []
    (letter,) = desk.table.letters
    assert "t9" in letter.text
    assert "busted" in letter.text


def test_what_nobody_knows_is_never_sent_again_and_never_a_rejection_by_time(desk):
    """A day of questions without an answer ends nothing."""
    assert desk.answer(NOBODY_KNOWS) == [("OutcomeLost",)]
    for _ in range(1_000):
        desk.wait(86.4)
        assert desk.due() == []
        assert {type(question) for question in desk.asks()} == {OneOrder, OpenOrders}
    assert desk.table.unknown == 1


def test_an_order_in_doubt_that_the_venue_has_goes_on(desk):
    """Found in the list of open orders, by itself, or told by the stream."""
    for find in (
        lambda: desk.found(OpenOrders(), desk.seen()),
        lambda: desk.found(OneOrder(client_order_id=desk.ids.of(1), instrument=0), desk.seen()),
        lambda: desk.told(desk.seen()),
    ):
        desk.table.doubt(desk.table.orders[1], desk.now_ns)
        assert find() == [("accepted",)]
        assert desk.table.unknown == 0


def test_absence_is_proved_by_two_endpoints_twice_and_not_before_the_request_is_void(desk):
    """Everything less leaves it in doubt."""
    one = OneOrder(client_order_id=desk.ids.of(1), instrument=0)
    desk.answer(NOBODY_KNOWS)
    # The clock that timed it may be a whole window of 5 seconds ahead of the venue's.
    desk.wait(9.999)
    for _ in range(5):
        assert desk.found(OpenOrders()) == []
        assert desk.found(one) == []
    desk.wait(0.001)
    for _ in range(5):
        assert desk.found(OpenOrders()) == [], "one endpoint is no proof"
    assert desk.found(one) == []
    assert desk.found(one, is_complete=False) == [], "a part is no proof"
    assert desk.found(one) == [("rejected", "never_arrived")]
    assert desk.table.orders == {}


def test_cancels_put_off_no_proof_that_an_order_in_doubt_is_absent(desk):
    """A strategy may ask for its end again and again: the proof counts from what may have made the order."""
    one = OneOrder(client_order_id=desk.ids.of(1), instrument=0)
    desk.answer(NOBODY_KNOWS)
    found = []
    for _ in range(8):
        desk.wait(2)
        assert [type(request) for request in desk.sent(1, "cancel")] == [Cancel]
        # While a cancel is under way, and right after it was sent.
        found += desk.found(OpenOrders()) + desk.found(one)
        if found:
            break
        assert desk.answer(Declined(reason="unknown_order", words="none")) == []
    assert found == [("rejected", "never_arrived")]
    assert desk.now_ns <= (1_000 + 14) * 10**9


def test_an_answer_to_a_question_asked_too_early_proves_nothing(desk):
    """It is the time of the question that counts."""
    one = OneOrder(client_order_id=desk.ids.of(1), instrument=0)
    desk.answer(NOBODY_KNOWS)
    asked_ns = desk.now_ns + 1
    desk.wait(60)
    for _ in range(3):
        assert desk.found(OpenOrders(), asked_ns=asked_ns) == []
        assert desk.found(one, asked_ns=asked_ns) == []


def test_what_provably_did_not_happen_is_sent_again_with_growing_waits(desk):
    """Five times in all; then the venue never had it."""
    waits = []
    for _ in range(Retries().placement.tries_max - 1):
        assert desk.answer(BUSY) == []
        assert desk.due() == []
        due_ns = desk.table.next_due_ns()
        waits.append((due_ns - desk.now_ns) / 1e9)
        desk.now_ns = due_ns - 1
        assert desk.due() == []
        desk.now_ns = due_ns
        (again,) = desk.due()
        assert again.client_order_id == desk.ids.of(1)
    assert desk.answer(BUSY) == [("rejected", "never_arrived")]
    for wait, most in zip(waits, (0.1, 0.2, 0.4, 0.8), strict=True):
        assert most / 2 <= wait <= most


def test_a_venue_that_says_when_to_come_back_is_believed(desk):
    """Retry-After is longer than the wait of ours."""
    desk.answer(NotDone(words="429", retry_after_ns=30_000_000_000))
    assert desk.table.next_due_ns() - desk.now_ns == 30_000_000_000


def test_a_cancel_of_what_was_not_sent_yet_ends_it_here(desk):
    """Nothing goes out, neither the order nor the cancel."""
    desk.answer(BUSY)
    assert desk.sent(1, "cancel") == []
    assert [(word.report, word.reason) for word in desk.words] == [("rejected", "never_arrived")]
    assert desk.table.orders == {}
    desk.wait(60)
    assert desk.due() == []


def test_a_refusal_is_the_venues_word(desk):
    """Its reason is told."""
    assert desk.answer(Declined(reason="insufficient_margin", words="no money")) == [
        ("rejected", "insufficient_margin")
    ]


def test_a_name_that_the_venue_has_already_is_a_doubt_and_no_rejection(desk):
    """The order of that name is ours: an earlier try arrived after all."""
    assert desk.answer(Declined(reason="duplicate_id", words="exists")) == [("OutcomeLost",)]
    assert desk.told(desk.seen()) == [("accepted",)]


def test_requests_of_one_order_go_out_one_after_the_other(desk):
    """A cancel waits for the answer to the order, and overtakes other orders' placements."""
    assert desk.sent(1, "cancel") == []
    desk.durable("order", order_id=2, **TERMS)
    desk.durable("sent", order_id=2, request="new", lots=10)
    desk.answer(TAKEN)
    cancel, new = desk.due()
    assert isinstance(cancel, Cancel)
    assert cancel.venue_order_id == "V1"
    assert isinstance(new, Submit)


def test_a_refused_cancel_is_a_reason_to_ask():
    """The order is open, has ended or filled: only the venue knows."""
    declined = Declined(reason="unknown_order", words="not found")
    for seen, said in (
        ({"state": "open"}, [("cancel_rejected", "unknown_order")]),
        ({"state": "canceled"}, [("canceled", "requested")]),
        ({"state": "expired"}, [("expired",)]),
    ):
        desk = open_desk()
        assert desk.sent(1, "cancel")
        assert desk.answer(declined) == []
        (question,) = desk.asks()
        assert desk.found(question, desk.seen(**seen)) == said


def test_an_end_waits_for_the_fills_before_it():
    """A fill frame that is never sent is asked for, and the end is told after it."""
    desk = open_desk()
    assert desk.told(desk.seen("canceled", filled=4)) == []
    desk.wait(0.3)
    (question,) = desk.asks()
    assert isinstance(question, FillsSince)
    assert desk.found(question) == [], "the list lacks it, too"
    desk.wait(3)
    (question,) = desk.asks()
    assert desk.found(question, desk.fill("t1", 4)) == [("fill", "t1"), ("canceled", "requested")]
    assert desk.table.orders == {}
    desk.wait(3)
    assert desk.asks() == []


def test_a_fill_is_found_though_the_clock_that_the_order_was_decided_by_was_ahead():
    """Set right since: what traded is older than the order then, by the venue's clock."""
    desk = open_desk()
    order = desk.table.orders[1]
    order.terms = msgspec.structs.replace(order.terms, decided_ns=10_000 * SECOND_NS)
    assert desk.told(desk.seen("canceled", filled=4, time_ns=9_000 * SECOND_NS)) == []
    asked_s = []
    while desk.table.orders and len(asked_s) < 6:
        desk.wait(40)
        for question in desk.asks():
            asked_s.append(question.time_ns // SECOND_NS)
            fills = [desk.fill("t1", 4)] if question.time_ns <= 500 * SECOND_NS else []
            desk.found(question, *fills)

    # A little before it was seen, twice a minute before it was decided on, and then all.
    assert asked_s == [8_995, 9_935, 9_935, -5]
    assert desk.table.orders == {}


def test_a_filled_order_is_told_by_its_fills():
    """That it is filled says nothing new, and without its fills it is asked for them."""
    desk = open_desk()
    assert desk.told(desk.seen("filled", filled=10)) == []
    desk.wait(1)
    (question,) = desk.asks()
    assert desk.found(question, desk.fill("t1", 6), desk.fill("t2", 4)) == [("fill", "t1"), ("fill", "t2")]
    assert desk.table.orders == {}


def test_an_amendment_is_told_when_the_venue_shows_it():
    """Its answer alone says that it was taken, not that it happened."""
    desk = open_desk()
    (request,) = desk.sent(1, "replace", price_ticks=97, lots=7)
    assert request == Replace(
        client_order_id=desk.ids.of(1), instrument=0, venue_order_id="V1", price_ticks=97, open_lots=7
    )
    assert desk.told(desk.seen()) == [], "as it was before"
    assert desk.answer(TAKEN) == []
    assert desk.told(desk.seen(lots=7, price_ticks=97)) == [("replaced",)]
    assert desk.told(desk.seen(lots=7, price_ticks=97)) == []
    assert desk.told(desk.seen(lots=5, price_ticks=97)) == [("restated",)]


def test_an_amendment_that_cannot_be_made_leaves_the_order_as_it_was():
    """Refused, or provably never arrived."""
    desk = open_desk()
    desk.sent(1, "replace", price_ticks=97, lots=7)
    assert desk.answer(Declined(reason="would_take", words="post only")) == [
        ("replace_rejected", "would_take")
    ]
    desk.sent(1, "replace", price_ticks=97, lots=7)
    for _ in range(Retries().modification.tries_max - 1):
        desk.answer(BUSY)
        desk.wait(10)
        assert desk.due()
    assert desk.answer(BUSY) == [("replace_rejected", "never_arrived")]


def test_what_the_venue_cannot_do_does_not_go_out():
    """The engine is told at once."""
    for change in ({"order_kind": "market_to_limit"}, {"time_in_force": "fok"}, {"post_only": True}):
        desk = LiveDesk(msgspec.structs.replace(CAPABILITIES, post_only=False))
        assert desk.order(**change) == []
        assert [(word.report, word.reason) for word in desk.words] == [("rejected", "unsupported")]


def test_the_venue_gets_reduce_only_where_one_strategy_trades_the_instrument():
    """Of two with opposite positions the venue knows the difference alone: it would refuse their exits."""
    desk = LiveDesk()
    (one,) = desk.order(1, reduce_only=True)
    assert one.order.reduce_only
    (other,) = desk.order(2, reduce_only=True, strategy=1)
    assert not other.order.reduce_only
    (again,) = desk.order(3, reduce_only=True)
    assert not again.order.reduce_only
    (elsewhere,) = desk.order(4, reduce_only=True, instrument=1)
    assert elsewhere.order.reduce_only


def test_without_room_placements_wait_and_nothing_is_lost():
    """They go out when there is room."""
    desk = LiveDesk()
    desk.durable("order", order_id=1, **TERMS)
    desk.durable("sent", order_id=1, request="new", lots=10)
    assert desk.due(has_room=False) == []
    assert desk.requests.waits_for_room
    assert len(desk.due()) == 1
    assert not desk.requests.waits_for_room


def test_what_waits_for_one_endpoint_keeps_no_other_request_in_line():
    """Only where nothing may leave is the rest of the line not asked for."""
    desk = open_desk()
    desk.durable("sent", order_id=1, request="replace", lots=5, price_ticks=99)
    desk.durable("order", order_id=2, **TERMS)
    desk.durable("sent", order_id=2, request="new", lots=10)
    for no, sent in ((Leave.FULL, []), (Leave.WAIT, [2])):
        asked = []

        def may_send(about, no=no, asked=asked):
            asked.append(about)
            return no if about is Replace else Leave.GO

        sends, words = desk.requests.due(desk.now_ns, may_send)
        assert ([send.order_id for send in sends], words) == (sent, [])
        assert asked == [Replace, Submit][: 1 + len(sent)]
        assert desk.requests.waits_for_room


def test_orders_and_fills_of_others_are_counted_and_not_told():
    """They are not ours; one of a journal before is neither."""
    desk = open_desk()
    for name in (None, "web-1", "t" + "0" * 17):
        assert desk.told(desk.seen(client_order_id=name, venue_order_id=f"X{name}")) == []
        assert desk.told(desk.fill("x", 1, client_order_id=name)) == []
    assert (len(desk.table.foreign), desk.table.foreign_fills) == (3, 3)
    desk.told(desk.seen("canceled", client_order_id=None, venue_order_id="XNone"))
    assert len(desk.table.foreign) == 2


def test_an_order_of_ours_that_ended_and_is_open_there_is_told():
    """The engine says that it is a surprise; it is told once."""
    desk = open_desk()
    desk.durable("report", order_id=1, report="canceled", venue_time_ns=1, reason="requested")
    assert desk.table.orders == {}
    assert desk.told(desk.seen()) == [("accepted",)]
    assert desk.told(desk.seen()) == []


def test_a_fee_in_a_currency_that_the_account_does_not_have_is_kept_for_people():
    """It is not booked as if it were money of the account."""
    desk = open_desk()
    desk.told(desk.fill("t1", 1, fee_currency="BNB"))
    (letter,) = desk.table.letters
    assert "0.25 BNB" in letter.text
    assert "only in USD" in letter.why


def test_a_fee_in_a_third_currency_is_booked_to_its_balance():
    """The engine is told the number of the currency; nothing of the settlement's own, which needs no name."""
    desk = open_desk()
    desk.reading = VenueReading(desk.table, CAPABILITIES, units=units_in("USD", {"BNB": "300", "ETH": "1"}))
    (word,) = desk.reading.told(desk.fill("t1", 1, fee_currency="ETH", fee=Decimal(-2)), desk.now_ns)
    assert (word.fee_currency, word.fee_atto) == (2, -2 * 10**18)
    (word,) = desk.reading.told(desk.fill("t2", 1), desk.now_ns)
    assert (word.fee_currency, word.fee_atto) == (None, 10**18 // 4)
    assert not desk.table.letters


def test_an_order_that_is_shown_after_all_is_not_sent_a_second_time(desk):
    """An answer that seemed to prove that nothing happened was wrong."""
    desk.answer(BUSY)
    assert desk.told(desk.seen()) == [("accepted",)]
    desk.wait(60)
    assert desk.due() == []
    (cancel,) = desk.sent(1, "cancel")
    assert isinstance(cancel, Cancel)


def test_a_price_that_a_venue_shows_of_a_market_order_is_no_news():
    """It states none; a new size of it would be news."""
    desk = LiveDesk()
    desk.order(order_kind="market", price_ticks=None)
    desk.answer(TAKEN)
    assert desk.told(desk.seen(price_ticks=103)) == []
    assert desk.told(desk.seen(price_ticks=103, lots=8)) == [("restated",)]


def test_orders_of_others_that_are_gone_are_forgotten():
    """The list of open orders is what counts."""
    desk = open_desk()
    desk.told(desk.seen(client_order_id=None, venue_order_id="X"))
    desk.found(OpenOrders(), desk.seen(client_order_id=None, venue_order_id="Y"), desk.seen())
    assert list(desk.table.foreign) == ["Y"]


def test_an_absence_is_proved_soon_after_it_can_be(desk):
    """Asked at the moment at which the request is void, and once more shortly after."""
    one = OneOrder(client_order_id=desk.ids.of(1), instrument=0)
    started_ns = desk.now_ns
    desk.answer(NOBODY_KNOWS)
    while desk.table.orders:
        for question in desk.asks():
            desk.found(one if isinstance(question, OneOrder) else question)
        desk.now_ns = desk.table.next_due_ns() or desk.now_ns
    assert 10.0 <= (desk.now_ns - started_ns) / 1e9 < 10.5


def test_what_the_venue_said_last_is_kept_for_people(desk):
    """The venue's own words say more than a reason. They stay, so they say of which order, and when."""
    desk.answer(Declined(reason="not_permitted", words="unknown_key: there is no such key"))
    assert desk.requests.declined == "order 1: unknown_key: there is no such key"


@pytest.mark.parametrize(
    ("reduce_only", "reason", "is_doubt"),
    [
        (True, "unsupported", True),
        (True, "not_permitted", True),
        (True, "would_take", False),
        (True, "cannot_fill_whole", False),
        (False, "unsupported", False),
    ],
)
def test_a_declined_exit_is_a_reason_to_compare(reduce_only, reason, is_doubt):
    """The books may hold more than the venue does. What the market forbids says nothing of that."""
    desk = LiveDesk()
    desk.order(reduce_only=reduce_only)
    desk.answer(Declined(reason=reason, words="there are 0 lots to close"))
    assert desk.requests.has_declined_exit is is_doubt


def test_what_is_overtaken_says_nothing_of_price_and_size():
    """A frame from before an amendment comes after the one that shows it."""
    desk = open_desk()
    desk.sent(1, "replace", price_ticks=97, lots=7)
    desk.answer(TAKEN)
    new, old = desk.seen(lots=7, price_ticks=97, time_ns=600 * 10**9), desk.seen(time_ns=599 * 10**9)
    assert desk.told(new) == [("replaced",)]
    assert desk.told(old) == []
    assert desk.told(new) == []


@pytest.mark.parametrize("what", ["cancel", "replace"])
def test_what_the_venue_took_and_did_not_do_is_told_when_its_time_is_over(what):
    """It is asked, and says that the order is as it was; before that nothing is concluded."""
    desk = open_desk()
    fields = {"price_ticks": 97, "lots": 7} if what == "replace" else {}
    desk.sent(1, what, **fields)
    desk.answer(TAKEN)
    assert desk.found(OpenOrders(), desk.seen()) == [], "it may be under way"
    desk.wait(60)
    (question,) = desk.asks()
    assert desk.found(question, desk.seen()) == [(f"{what}_rejected", "unknown_order")]
    desk.wait(600)
    assert desk.asks() == []


def test_an_order_that_has_filled_in_part_was_there_whatever_is_lost():
    """After a restart its absence is an end, and never a rejection."""
    desk = LiveDesk()
    terms = records.body("order", order_id=1, **TERMS)
    known = OpenOrder(
        terms=terms,
        state="unknown",
        is_sent=True,
        open_lots=6,
        filled_lots=4,
        price_ticks=95,
        trades=("t1",),
    )
    assert desk.table.resume([known], desk.now_ns) == []
    assert desk.told(desk.fill("t1", 4)) == []
    desk.wait(60)
    one = OneOrder(client_order_id=desk.ids.of(1), instrument=0)
    for _ in range(2):
        desk.found(OpenOrders())
        said = desk.found(one)
    assert said == [("canceled", "requested")]


def test_a_fee_is_booked_with_every_digit():
    """Thirty digits are no number for a context of twenty-eight; one that no money has is kept for people."""
    desk = open_desk()
    fill = desk.fill("t1", 1, fee=Decimal("123456789012.123456789012345678"))
    (word,) = desk.reading.told(fill, desk.now_ns)
    assert word.fee_atto == 123456789012123456789012345678
    (word,) = desk.reading.told(desk.fill("t2", 1, fee=Decimal("1e-19")), desk.now_ns)
    assert word.fee_atto == 0
    assert "18 decimals" in [*desk.table.letters][-1].why


@pytest.mark.parametrize("is_end_first", [True, False])
def test_an_order_that_fills_as_small_as_it_was_amended_is_over(desk, is_end_first):
    """The venue never shows it as amended: its next word is that it has filled whole, with less."""
    desk.answer(Taken(venue_order_id="V1"))
    desk.told(desk.seen())
    desk.sent(1, "replace", price_ticks=97, lots=2)
    desk.answer(Taken())
    fill, end = desk.fill("T1", 2), desk.seen("filled", filled=2, price_ticks=97)
    told = [word for each in ((end, fill) if is_end_first else (fill, end)) for word in desk.told(each)]
    assert told == [("fill", "T1"), ("restated",)], "with nothing open"
    assert desk.table.orders == {}


def test_an_amended_order_that_the_venue_filled_whole_is_told_to_be_over():
    """Books may have another size of it, where amendments and fills crossed: they would keep it open."""
    desk = open_desk()
    desk.sent(1, "replace", price_ticks=97, lots=7)
    desk.answer(TAKEN)
    assert desk.told(desk.seen(lots=7, price_ticks=97)) == [("replaced",)]
    assert desk.told(desk.fill("T1", 7)) == [("fill", "T1")]
    assert 1 in desk.table.orders, "until the venue says that it is over"
    (over,) = desk.reading.told(desk.seen("filled", lots=7, filled=7, price_ticks=97), desk.now_ns)
    assert (over.report, over.lots, over.filled_lots) == ("restated", 0, 7)
    assert desk.table.orders == {}
