"""Read from its records: an order that filled whole while an amendment to more was under way."""

import pytest

from support import records
from tradecore.domain.order_life import OrderLife

OPENED = records.record(
    "order", order_id=5, side="buy", order_kind="limit", time_in_force="gtc", lots=10, price_ticks=90
)


def life(*told):
    """Return the order after its last lots have filled, and after these reports."""
    order = OrderLife.opened(OPENED, OPENED.body)
    filled = ("fill", {"price_ticks": 90, "lots": 10})
    order.take(records.record("replace_request", 1, 1, order_id=5, lots=20))
    for seq, (report, fields) in enumerate([filled, *told], start=2):
        order.take(records.record("report", seq, seq, order_id=5, report=report, **fields))
    return order


@pytest.mark.parametrize(
    ("told", "state", "closed_ns", "open_lots"),
    [
        ([], "filled", 2, 0),
        ([("replace_rejected", {})], "filled", 2, 0),
        ([("replaced", {"lots": 10})], "partially_filled", None, 10),
        ([("restated", {"lots": 10}), ("fill", {"price_ticks": 90, "lots": 10})], "filled", 4, 0),
        ([("canceled", {"reason": "requested"})], "canceled", 3, 0),
    ],
)
def test_what_comes_after_its_last_fill_says_whether_it_was_over(told, state, closed_ns, open_lots):
    """A venue outside tells late that it had made the order larger before."""
    order = life(*told)
    assert (order.state, order.closed_ns, order.lots - order.filled_lots) == (state, closed_ns, open_lots)
