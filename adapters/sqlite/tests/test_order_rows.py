"""Rows of orders alone: those that no size is known of, as journals of the first version have them."""

import pytest

from support.records import record
from tradecore_sqlite.order_rows import OrderRow

OPENED = {
    "order_id": 1,
    "strategy": 0,
    "instrument": 0,
    "side": "buy",
    "order_kind": "limit",
    "price_ticks": 100,
    "time_in_force": "gtc",
}


def opened(**terms):
    """Return the row of an order that was approved."""
    approved = record("order", 1, 1, **terms)
    return OrderRow.opened(approved, approved.body)


def reported(row, time_ns, report, **fields):
    """Let a report change a row."""
    row.take(record("report", time_ns, time_ns, report=report, **fields))
    return row.state


@pytest.mark.parametrize("lots", [None, 5])
def test_an_order_of_unknown_size_goes_the_way_of_any_other_until_it_trades(lots):
    """It waits, is open and ends; nothing of it counts as filled."""
    for report, state in (("canceled", "canceled"), ("expired", "expired"), ("rejected", "rejected")):
        row = opened(**{**OPENED, "lots": lots})
        assert row.state == "pending_new"
        assert reported(row, 2, "accepted") == "new"
        assert (row.filled_lots, row.closed_ns) == (0, None)
        assert reported(row, 3, report, reason="requested") == state
        assert (row.filled_lots, row.closed_ns, row.reason) == (0, 3, "requested")


def test_a_fill_of_an_order_of_unknown_size_fills_it_until_the_next_record_says_otherwise():
    """As far as anybody can tell; another fill or a cancel shows that something was left."""
    for report, fields, state in (
        ("fill", {"lots": 2}, "filled"),
        ("canceled", {"reason": "requested"}, "canceled"),
    ):
        row = opened(**OPENED)
        reported(row, 2, "accepted")
        assert reported(row, 3, "fill", lots=3) == "filled"
        assert (row.filled_lots, row.closed_ns) == (3, 3)
        assert reported(row, 4, report, **fields) == state
        assert row.filled_lots == 3 + fields.get("lots", 0)
        assert row.closed_ns == 4


def test_an_order_whose_size_is_told_later_is_filled_by_all_of_it_alone():
    """A part leaves it open."""
    row = opened(**OPENED)
    row.take(record("sized", 2, 2, lots=5))
    reported(row, 3, "accepted")

    assert reported(row, 4, "fill", lots=3) == "partially_filled"
    assert reported(row, 5, "fill", lots=2) == "filled"
    assert (row.filled_lots, row.closed_ns) == (5, 5)
