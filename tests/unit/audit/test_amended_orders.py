"""The auditor follows an order that filled whole while an amendment to more was under way outside."""

import msgspec
import pytest

from support.audited import GOLDEN, audited, edited, inserted, records, rules
from tradecore_audit import records as r

LIVE = records(GOLDEN / "live.journal")


def said(report, number, **fields):
    """Return what a venue says of an order, and what is booked of it."""
    body = r.Report(order_id=number, venue_time_ns=0, report=report, **fields)
    return [r.VenueReport(instrument=0, said=body, venue_order_id="", trade_id=""), body]


def last_fill(taken):
    """Return the place of the first fill that leaves nothing open of its order, and the order's number."""
    open_lots = {}
    for at, each in enumerate(taken):
        match each.body:
            case r.Order(order_id=number, lots=int(lots)):
                open_lots[number] = lots
            case r.Report(order_id=number, traded=r.Traded(lots=lots)):
                open_lots[number] -= lots
                if not open_lots[number]:
                    return at, number
            case _:
                pass
    raise AssertionError


def crossed(*told, behaviour=5, lots=1_000):
    """Return a journal in which an order is amended before its last fill, and what comes after that."""
    said_first = msgspec.json.decode(LIVE[0].body.config)
    said_first["behaviour"] = behaviour
    taken = edited(LIVE, 0, config=msgspec.json.encode(said_first))
    at, number = last_fill(taken)
    after = [body for report, fields in told for body in said(report, number, **fields)]
    for body in reversed(after):
        taken = inserted(taken, at + 1, body)
    venue_report = at - 1
    request = r.ReplaceRequest(number, None, lots)
    sent = r.Sent(order_id=number, request="replace", price_ticks=None, lots=lots)
    for body in (sent, request):
        taken = inserted(taken, venue_report, body)
    return taken, number


def is_open(taken, number):
    """Tell whether an order is open by an audit."""
    return number in audited(taken).ground.orders.open


def test_it_is_open_until_the_amendment_is_answered():
    """As the engine has it, so that limits and snapshots are held against the same."""
    taken, number = crossed()
    assert is_open(taken, number)
    taken, number = crossed(("replace_rejected", {}))
    assert not is_open(taken, number)
    assert "ended_order" not in rules(taken)


@pytest.mark.parametrize("changes", [{"behaviour": 4}, {"lots": 1}])
def test_it_is_over_where_nothing_may_have_made_it_larger(changes):
    """Engines before this version ended it, and an amendment to less makes nothing larger."""
    taken, number = crossed(**changes)
    assert not is_open(taken, number)
    taken, _ = crossed(("replaced", {"lots": 5}), **changes)
    assert "ended_order" in rules(taken)


def test_what_comes_after_its_end_is_found():
    """What the venue says of the amendment is no fault, and after the answer it is one."""
    for told in ([("replaced", {"lots": 5})], [("canceled", {})]):
        taken, _ = crossed(*told)
        assert "ended_order" not in rules(taken)
    taken, _ = crossed(("replace_rejected", {}), ("replaced", {"lots": 5}))
    assert "ended_order" in rules(taken)
