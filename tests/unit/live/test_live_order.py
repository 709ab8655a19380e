"""One order at a venue outside: what is known of a new one, and what follows from what the venue shows."""

import msgspec
import pytest

from support.live_desk import CAPABILITIES, TERMS, LiveDesk
from tradecore.domain import record_bodies as bodies
from tradecore.domain.venue_requests import Cancel, Replace, Submit
from tradecore.runtime.live.live_order import CANCEL, NEW, REPLACE, Doubt, LiveOrder, Wanted, stated_price


def terms(**changes):
    """Return the terms of an order."""
    return msgspec.convert(TERMS | {"order_id": 1, "decided_ns": 1} | changes, bodies.OrderTerms)


def order(**changes):
    """Return an order of ten lots that nothing is known of."""
    return LiveOrder(1, 0, "t1", 10, terms(**changes))


SEEN = LiveDesk().seen


def test_of_a_new_order_nothing_is_known_but_its_terms():
    """It has no past: nothing was asked, shown, told or declined, and nothing waits."""
    made = order()
    known = {"order_id": 1, "instrument": 0, "client_order_id": "t1", "lots": 10, "price_ticks": 95}
    assert {name: getattr(made, name) for name in known} == known
    assert made.terms == terms()
    others = set(LiveOrder.__slots__) - known.keys() - {"terms"}
    assert {name for name in others if getattr(made, name)} == set()
    assert (made.open_lots, made.has_cancel, made.lacks_fills, made.is_doubled) == (10, False, False, False)
    assert made.name_to_end() is None
    wanted, doubt = Wanted(NEW, 7, 3), Doubt(5)
    assert (wanted.tries, wanted.not_before_ns, wanted.sent_ns) == (0, 0, 0)
    assert (doubt.since_ns, doubt.next_ask_ns, doubt.asks, doubt.is_absent) == (5, 5, 0, False)


@pytest.mark.parametrize("in_list", [0, 1, 2, 3])
@pytest.mark.parametrize("itself", [0, 1, 2, 3])
def test_absence_is_proved_by_two_answers_of_each_kind(in_list, itself):
    """Of the list and about the order itself; many of one kind prove nothing."""
    doubt = Doubt(0)
    doubt.absent_in_list, doubt.absent_itself = in_list, itself
    assert doubt.is_absent == (min(in_list, itself) >= 2)


@pytest.mark.parametrize(("filled", "is_open"), [(0, 10), (9, 1), (10, 0), (11, 0)])
def test_what_is_open_is_what_has_not_filled(filled, is_open):
    """Never less than nothing, whatever the venue says."""
    made = order()
    made.filled_lots = filled
    assert made.open_lots == is_open


@pytest.mark.parametrize(("told", "filled", "lacks"), [(4, 4, False), (5, 4, True), (3, 4, False)])
def test_fills_lack_where_the_venue_has_shown_more(told, filled, lacks):
    """To the lot."""
    made = order()
    made.told_lots, made.filled_lots = told, filled
    assert made.lacks_fills is lacks


def test_a_cancel_waits_or_is_under_way():
    """Another request is none."""
    made = order()
    made.waiting.append(Wanted(REPLACE, 1, 1))
    assert not made.has_cancel
    made.waiting.append(Wanted(CANCEL, None, 0))
    assert made.has_cancel
    made.waiting.clear()
    made.under_way = Wanted(NEW, 1, 1)
    assert not made.has_cancel
    made.under_way = Wanted(CANCEL, None, 0)
    assert made.has_cancel


@pytest.mark.parametrize(
    ("changes", "at_once"),
    [
        ({}, False),
        ({"order_kind": "market"}, True),
        ({"time_in_force": "ioc"}, True),
        ({"time_in_force": "fok"}, True),
        ({"time_in_force": "day"}, False),
    ],
)
def test_an_order_rests_unless_it_acts_as_it_arrives(changes, at_once):
    """A market order, and what is not to rest."""
    assert order(**changes).acts_at_once is at_once


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({"price_ticks": 95}, 95),
        ({"price_ticks": 0, "trigger_ticks": 90}, 0),
        ({"price_ticks": None, "trigger_ticks": 90}, 90),
        ({"price_ticks": None}, None),
    ],
)
def test_the_price_that_an_order_states_is_its_limit_or_else_its_trigger(changes, price):
    """A limit of 0 is one."""
    assert stated_price(terms(**changes)) == price


def test_one_order_of_the_venue_is_taken_as_it_is_shown():
    """The newest that it shows counts while it is open; what has ended stays ended."""
    made = order()
    assert made.merged(SEEN(filled=3)) == SEEN(filled=3)
    assert made.merged(SEEN("canceled", filled=4)) == SEEN("canceled", filled=4)
    made.merged(SEEN(filled=1))
    assert made.there["V1"] == SEEN("canceled", filled=4)


def test_several_orders_of_one_name_are_as_large_as_all_of_them():
    """They are open while one of them is; what filled is of all, and the newest time counts."""
    made = order()
    made.merged(SEEN(filled=3, time_ns=7))
    both = made.merged(SEEN(filled=2, venue_order_id="V2", time_ns=5))
    assert (both.state.value, both.open_lots, both.filled_lots, both.time_ns) == ("open", 15, 5, 7)
    assert made.is_doubled
    assert made.name_to_end() == "V1"
    one = made.merged(SEEN("canceled", filled=3, time_ns=9))
    assert (one.state.value, one.venue_order_id, one.open_lots, one.filled_lots) == ("open", "V2", 8, 5)
    assert not made.is_doubled
    assert made.name_to_end() == "V2"
    none = made.merged(SEEN("filled", filled=10, venue_order_id="V2"))
    assert (none.state.value, none.open_lots, none.filled_lots) == ("canceled", 0, 13)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (("filled", "canceled"), "canceled"),
        (("expired", "filled"), "filled"),
        (("rejected", "expired"), "expired"),
        (("rejected", "rejected"), "rejected"),
    ],
)
def test_of_several_ends_one_is_told(states, told):
    """A cancel comes before a fill, that before an expiry, and a refusal is the last."""
    made = order()
    for number, state in enumerate(states, 1):
        found = made.merged(SEEN(state, venue_order_id=f"V{number}"))
    assert found.state.value == told


def test_a_request_has_what_the_venue_is_to_be_told():
    """A new order with its size, a cancel and an amendment with the venue's name of it."""
    made = order()
    assert made.request(Wanted(NEW, 95, 8), CAPABILITIES, with_reduce_only=True) == Submit(
        client_order_id="t1", order=terms(), lots=8
    )
    # What has filled since the engine asked for it counts towards what is to be open.
    made.venue_order_id, made.filled_lots = "V1", 4
    amendment = Wanted(REPLACE, 96, 5)
    amendment.filled_lots = 3
    assert made.request(amendment, CAPABILITIES, with_reduce_only=True) == Replace(
        client_order_id="t1", instrument=0, venue_order_id="V1", price_ticks=96, open_lots=5, filled_lots=3
    )
    made.merged(SEEN(venue_order_id="V9"))
    assert made.request(Wanted(CANCEL, None, 0), CAPABILITIES, with_reduce_only=True) == Cancel(
        client_order_id="t1", instrument=0, venue_order_id="V9"
    )
    assert made.ending == "V9"


@pytest.mark.parametrize(("with_reduce_only", "is_sent"), [(True, True), (False, False)])
def test_reduce_only_is_sent_where_the_venue_keeps_it(with_reduce_only, is_sent):
    """Else the engine keeps it."""
    made = order(reduce_only=True)
    found = made.request(Wanted(NEW, 95, 8), CAPABILITIES, with_reduce_only=with_reduce_only)
    assert found.order.reduce_only is is_sent


def test_an_order_that_was_watched_is_sent_as_what_it_has_become():
    """Its trigger is behind it."""
    made = order(order_kind="stop", price_ticks=None, trigger_ticks=90)
    found = made.request(Wanted(NEW, None, 8), CAPABILITIES, with_reduce_only=True)
    assert (found.order.order_kind, found.order.trigger_ticks) == ("market", None)
