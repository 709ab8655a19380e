"""What follows from the records of a journal alone: which tellings of a trade are in the books."""

import pytest

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
