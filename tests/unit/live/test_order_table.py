"""The orders of a journal at a venue: what a restart takes over, what is due next, and what is in trouble."""

import msgspec
import pytest

from support.live_desk import CAPABILITIES, TERMS, LiveDesk
from tradecore.domain import record_bodies as bodies
from tradecore.domain.venue_findings import OrderSeen, VenueOrderState
from tradecore.domain.venue_requests import Cancel, Taken
from tradecore.runtime.live import order_table
from tradecore.runtime.live.budget import BudgetRules
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.live_order import CANCEL, NEW, LiveOrder, Wanted
from tradecore.runtime.live.order_table import FILLS_TRIES_QUIET, OpenOrder, OrderTable
from tradecore.runtime.live.words import OutcomeLost

S = 1_000_000_000


def terms(order_id):
    """Return the terms of an order."""
    return msgspec.convert(TERMS | {"order_id": order_id, "decided_ns": 1}, bodies.OrderTerms)


def known(order_id, state="new", *, is_sent=True, filled_lots=0, trades=()):
    """Return an order that is open by the books."""
    return OpenOrder(
        terms=terms(order_id),
        state=state,
        is_sent=is_sent,
        open_lots=7,
        filled_lots=filled_lots,
        price_ticks=101,
        trades=trades,
    )


@pytest.fixture
def table():
    """Return a table with names, and no orders."""
    made = OrderTable()
    made.ids = ClientIds(0, "journal")
    return made


def order_in(table, order_id):
    """Put an order into a table."""
    table.orders[order_id] = made = LiveOrder(order_id, 0, table.ids.of(order_id), 10, terms(order_id))
    return made


@pytest.mark.parametrize(
    ("state", "filled_lots", "is_taken", "is_doubted", "is_told"),
    [
        ("new", 0, True, False, False),
        ("partially_filled", 3, True, False, False),
        ("pending_new", 0, False, True, True),
        ("pending_new", 1, True, True, True),
        ("pending_cancel", 0, True, True, True),
        ("pending_replace", 0, True, True, True),
        ("unknown", 0, False, True, False),
        ("unknown", 1, True, True, False),
    ],
)
def test_a_restart_doubts_what_was_sent_and_not_answered(
    table, state, filled_lots, is_taken, is_doubted, is_told
):
    """The engine is told once; what it doubts already is no news."""
    words = table.resume([known(5, state, filled_lots=filled_lots, trades=("T1",))], 77)
    order = table.orders[5]
    assert (order.lots, order.filled_lots, order.price_ticks) == (7 + filled_lots, filled_lots, 101)
    assert (order.is_taken, order.doubt is not None) == (is_taken, is_doubted)
    assert order.trades == {"T1": None}
    assert words == ([OutcomeLost(instrument=0, order_id=5)] if is_told else [])
    assert table.unknown == is_doubted
    if is_doubted:
        assert (order.doubt.since_ns, order.doubt.next_ask_ns, order.sent_ns) == (77, 77, 77)
        assert table.next_due_ns() == 77


def test_a_restart_keeps_the_terms_of_what_was_not_sent(table):
    """It may be sent; no order at the venue stands for it."""
    assert table.resume([known(5, is_sent=False)], 0) == []
    assert (table.orders, table.terms) == ({}, {5: terms(5)})


def test_the_next_thing_that_is_due_is_the_earliest_of_all(table):
    """Fills, doubts, reports that did not come, and requests that wait; one under way is waited for."""
    assert table.next_due_ns() is None
    order = order_in(table, 1)
    order.waiting.append(Wanted(NEW, 101, 10))
    order.waiting[0].not_before_ns = 40
    assert table.next_due_ns() is None, "nobody has noted a time for it"
    table.timed[1] = None
    assert table.next_due_ns() == 40
    order.under_way = order.waiting[0]
    assert table.next_due_ns() is None
    table.ask_at(order, 50)
    assert table.next_due_ns() == 50
    table.doubt(order, 45)
    assert table.next_due_ns() == 45
    table.want_fills(100 * S, 0)
    assert table.next_due_ns() == 45
    order.doubt = order.ask_ns = None
    assert table.next_due_ns() == 250_000_000
    table.forget(1)
    assert (table.orders, table.timed) == ({}, {})


def test_a_doubt_is_as_old_as_its_beginning(table):
    """A second reason to doubt makes it no younger; the time of what was sent last does."""
    order = order_in(table, 1)
    table.doubt(order, 10)
    table.doubt(order, 20)
    assert (order.doubt.since_ns, order.sent_ns) == (10, 20)
    table.doubt(order, 5)
    assert order.sent_ns == 20


def test_fills_are_asked_for_once_from_the_earliest_time_on(table):
    """With five seconds more, as clocks of a venue may differ; a quarter of a second later."""
    table.want_fills(100 * S, 1_000)
    table.want_fills(90 * S, 2_000)
    table.want_fills(95 * S, 3_000)
    assert (table.fills_since_ns, table.fills_due_ns) == (85 * S, 250_001_000)
    assert not table.is_settled


@pytest.mark.parametrize("what", ["end", "missing", "lacks", "nothing"])
def test_a_table_is_settled_when_no_order_waits_for_anything(table, what):
    """For fills, or for why a list lacked it."""
    order = order_in(table, 1)
    order.end = object() if what == "end" else None
    order.is_missing = what == "missing"
    order.told_lots = 1 if what == "lacks" else 0
    assert table.is_settled == (what == "nothing")


def seen(name, state=VenueOrderState.OPEN):
    """Return what a venue shows of an order."""
    return OrderSeen(
        client_order_id="c",
        venue_order_id=name,
        instrument=0,
        symbol="BTC-USD",
        side="buy",
        state=state,
        price_ticks=101,
        open_lots=5,
        filled_lots=0,
        time_ns=1,
    )


@pytest.mark.parametrize(
    ("count", "tries", "names"),
    [
        (0, FILLS_TRIES_QUIET, None),
        (1, FILLS_TRIES_QUIET - 1, None),
        (1, FILLS_TRIES_QUIET, "1"),
        (5, FILLS_TRIES_QUIET + 1, "1, 2, 3, 4, 5"),
        (6, FILLS_TRIES_QUIET, "1, 2, 3, 4, 5 and more"),
    ],
)
def test_fills_that_are_not_shown_for_long_are_told(table, count, tries, names):
    """After five answers without them; at most five orders are named."""
    for order_id in range(1, count + 1):
        order_in(table, order_id).told_lots = 1
    table.fills_tries = tries
    whole = f"the venue says that more has filled of order {names} than the trades that it shows"
    assert table.trouble == ("" if names is None else whole)
    assert FILLS_TRIES_QUIET == 5


def test_an_order_that_was_doubled_is_told_first(table):
    """Two that are open under one name; one that has ended counts no more."""
    for order_id in range(1, 8):
        order = order_in(table, order_id)
        order.there = {"A": seen("A"), "B": seen("B", VenueOrderState.CANCELED)}
    assert table.trouble == ""
    for order in table.orders.values():
        order.there["B"] = seen("B")
    assert table.trouble == "the venue has several open orders under the name of order 1, 2, 3, 4, 5"


def test_the_last_names_of_a_venue_are_remembered(table, monkeypatch):
    """As many as are kept; only where it knows no ids of clients do they say whose an order is."""
    monkeypatch.setattr(order_table, "_NAMES_MAX", 3)
    for table.knows_no_ids in (False, True):
        for number in range(1, 5):
            table.note_name(number, f"V{number}")
        if not table.knows_no_ids:
            assert table.number_of(None, "V4") is None
            assert table._numbers == {}, "nobody asks for them, so none is kept"
    assert [table.number_of(None, f"V{number}") for number in range(1, 5)] == [None, 2, 3, 4]
    assert table.number_of(table.ids.of(9), "V4") == 9
    assert table.number_of("web", "V4") is None


def test_an_order_whose_next_request_is_a_cancel_is_noted_so(table):
    """It may leave where no other has room; the note goes when the cancel is no longer the next."""
    order = order_in(table, 1)
    table.make_ready(order)
    assert (list(table.ready), list(table.ready_cancels)) == ([1], [])
    order.waiting.append(Wanted(CANCEL, None, 0))
    table.make_ready(order)
    assert (list(table.ready), list(table.ready_cancels)) == ([1], [1])
    order.waiting.appendleft(Wanted(NEW, 1, 1))
    table.make_ready(order)
    assert list(table.ready_cancels) == []
    order.waiting.popleft()
    table.make_ready(order)
    table.not_ready(1)
    assert (list(table.ready), list(table.ready_cancels)) == ([], [])


@pytest.mark.parametrize(
    ("per_second", "burst", "holds"),
    [(20.0, None, 20.0), (20.0, 5.0, 5.0), (0.5, None, 1.0), (20.0, 0.5, 1.0)],
)
def test_a_bucket_holds_what_the_venue_says_or_else_a_second(per_second, burst, holds):
    """But at least one request."""
    can = msgspec.structs.replace(CAPABILITIES, requests_per_second=per_second, requests_burst=burst)
    rules = BudgetRules.of(can)
    assert (rules.per_second, rules.burst) == (per_second, holds)


def test_a_restart_knows_what_was_told_anew_and_not_first():
    """Its order counts it as filled already: neither telling of it fills the order a second time."""
    desk = LiveDesk()
    order = msgspec.structs.replace(known(5, "partially_filled", filled_lots=3), revised=(("T1", 2, 3),))
    desk.table.resume([order], desk.now_ns)
    again = desk.fill("T1", 3, 5, revision=2)
    assert desk.told(again) == [("fill", "T1")]
    assert desk.table.orders[5].filled_lots == 3
    assert desk.told(desk.fill("T1", 4, 5)) == [("fill", "T1")]
    assert desk.table.orders[5].filled_lots == 4
    assert desk.told(desk.fill("T1", 4, 5)) == []


def test_what_is_over_in_the_books_and_open_there_is_ended():
    """Fills and amendments crossed: the books had it filled whole, and the venue has more of it open."""
    desk = LiveDesk()
    desk.order()
    desk.answer(Taken(venue_order_id="V1"))
    desk.told(desk.seen())
    desk.table.insist_on_lost({1})
    assert desk.due() == []
    desk.table.insist_on_lost(set())
    desk.table.insist_on_lost(set())
    assert [type(request) for request in desk.due()] == [Cancel]
    desk.answer(Taken())
    assert desk.told(desk.seen("canceled")) == [("canceled", "requested")]
    assert desk.table.orders == {}


def test_an_order_from_before_a_restart_that_has_filled_whole_stays_until_its_venue_says_so(table):
    """Books that made it larger for an amendment before that would keep what the venue never had."""
    table.resume([known(1, "partially_filled", filled_lots=3)], 1)
    order = table.orders[1]
    order.filled_lots = order.lots
    assert not table.forget_filled(order)
    assert table.orders == {1: order}
    order.is_gone = True
    assert table.forget_filled(order), "it has ended there, and was to be sent anew"
    assert table.orders == {}
