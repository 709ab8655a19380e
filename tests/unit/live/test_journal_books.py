"""What follows from the records of a journal alone: which tellings of a trade are in the books."""

import pytest

from support.records import body as record_body
from tradecore.domain import record_bodies as bodies
from tradecore.domain.record import JournalRecord
from tradecore.runtime.live.journal_books import JournalBooks, TradeName

T1 = TradeName(0, "", "T1")


def told_anew(revision):
    """Return what the venue says of a trade of order 5."""
    return bodies.VenueRevision(
        instrument=0, order_id=5, venue_time_ns=70, trade_id="T1", revision=revision, price_ticks=90, lots=2
    )


BOOKED = bodies.Revision(
    order_id=5,
    strategy=0,
    instrument=0,
    side="buy",
    closes=None,
    venue_time_ns=70,
    trade_id="T1",
    revision=1,
    revised="corrected",
    was_price_ticks=100,
    was_lots=2,
    was_liquidity="taker",
    was_fee=0,
    price_ticks=90,
    lots=2,
    liquidity="taker",
    fee=0,
)


def books(*told):
    """Return what follows from these records."""
    read = JournalBooks()
    for seq, body in enumerate(told):
        read.take(JournalRecord(seq=seq, time_ns=seq, body=body))
    return read


def test_a_telling_that_the_engine_could_not_book_is_not_in_the_books():
    """A surprise about its order follows it at once."""
    surprise = bodies.Surprise(order_id=5, surprise="impossible", halts=True)
    assert books(told_anew(1), surprise).revisions == {}
    assert books(told_anew(1), BOOKED, told_anew(3), surprise).revisions == {T1: 1}


@pytest.mark.parametrize("order_id", [4, 6])
def test_a_surprise_about_another_order_says_nothing_of_a_telling(order_id):
    """Neither about an earlier one, nor about a later one."""
    surprise = bodies.Surprise(order_id=order_id, surprise="impossible", halts=True)
    assert books(told_anew(1), surprise).revisions == {T1: 1}


def test_a_telling_that_was_booked_stays_in_the_books_whatever_surprises_later():
    """The record of the booking ends what a surprise could take back."""
    surprise = bodies.Surprise(order_id=5, surprise="impossible", halts=True)
    assert books(told_anew(1), BOOKED, surprise).revisions == {T1: 1}


ORDER = {
    "order_id": 5,
    "side": "buy",
    "order_kind": "limit",
    "time_in_force": "gtc",
    "lots": 10,
    "price_ticks": 90,
}
LAST_FILL = ("report", {"order_id": 5, "report": "fill", "price_ticks": 90, "lots": 10})


def amended(*sizes):
    """Return what asks for larger or smaller open sizes."""
    return [("sent", {"order_id": 5, "request": "replace", "lots": lots}) for lots in sizes]


def answered(report, **fields):
    """Return the answer to an amendment."""
    return ("report", {"order_id": 5, "report": report, **fields})


@pytest.mark.parametrize(
    ("told", "open_lots"),
    [
        ([LAST_FILL], None),
        ([*amended(5), LAST_FILL], None),
        ([*amended(20), LAST_FILL], 0),
        ([*amended(20), LAST_FILL, answered("replace_rejected")], None),
        ([*amended(20), LAST_FILL, answered("replaced", lots=10)], 10),
        ([*amended(20), LAST_FILL, answered("canceled")], None),
        ([*amended(20, 15), LAST_FILL, answered("replace_rejected")], 0),
        ([*amended(20, 15), LAST_FILL, *[answered("replace_rejected")] * 2], None),
        ([*amended(20), answered("replace_rejected"), LAST_FILL], None),
    ],
)
def test_an_order_that_has_filled_is_open_while_its_venue_may_have_made_it_larger(told, open_lots):
    """The engine keeps it until the last amendment is answered."""
    started = [("order", ORDER), ("sent", {"order_id": 5, "request": "new", "lots": 10})]
    read = books(*(record_body(kind, **fields) for kind, fields in [*started, *told]))
    assert {number: order.open_lots for number, order in read.orders.items()} == (
        {} if open_lots is None else {5: open_lots}
    )


def test_where_a_venue_amends_nothing_what_has_filled_is_over():
    """Its end was asked for, and nothing else."""
    read = JournalBooks(renews_amended=True)
    told = [("order", ORDER), ("sent", {"order_id": 5, "request": "cancel"}), LAST_FILL]
    for seq, (kind, fields) in enumerate(told):
        read.take(JournalRecord(seq=seq, time_ns=seq, body=record_body(kind, **fields)))
    assert read.orders == {}
