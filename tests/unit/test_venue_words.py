"""The line to a venue, as `status` tells it."""

from decimal import Decimal

import msgspec
import pytest

from tradecore.runtime.live.balances import BalanceDifference
from tradecore.runtime.live.drop_copy_line import DropCopyStatus
from tradecore.runtime.live.link_status import LinkStatus
from tradecore.runtime.live.reconciliation import Difference
from tradecore_api.venue_words import venue_words

WELL = LinkStatus(
    is_connected=True,
    step="agreed",
    differences=(),
    trouble="",
    declined="",
    open_orders=2,
    unknown=0,
    foreign_orders=0,
    letters=0,
)


def words(**changes):
    """Return the words for a line that is not as it should be."""
    return venue_words(msgspec.to_builtins(msgspec.structs.replace(WELL, **changes)))


def test_a_line_that_stands_is_told_in_a_few_words():
    """Without a venue there is nothing to tell."""
    assert venue_words(None) == ""
    assert words() == "connected; books and venue agree; 2 orders are open there"
    assert words(epoch=3) == f"{words()}; orders are named by epoch 3"


def test_what_is_wrong_is_told_with_what_follows_from_it():
    """No new risk is taken while books and venue may differ."""
    lost = words(is_connected=False, step="idle", trouble="a question was not answered: no answer")
    assert lost.startswith(
        "NOT CONNECTED; books and venue are not compared; no new risk is taken; a question"
    )
    difference = Difference(instrument=0, symbol="BTC-USD", venue_lots=2, book_lots=-1)
    said = words(step="differs", differences=(difference,))
    assert "DIFFER; BTC-USD: 2 lots there, -1 in the books; no new risk is taken" in said
    for step in ("asking", "settling", "comparing"):
        assert "being compared" in words(step=step)


def test_what_a_person_has_to_look_into_is_counted():
    """Doubts, orders of others, what was declined, and what nobody understood."""
    said = words(
        unknown=1,
        foreign_orders=3,
        letters=4,
        revisions=2,
        declined="order 7: no",
        declined_ns=1_704_189_600 * 10**9,
    )
    assert said.endswith(
        "2 orders are open there, 1 in doubt, 3 of others; it declined last at 2024-01-02T10:00:00Z: "
        "order 7: no; 2 trades were busted or corrected; 4 messages were not understood"
    )


def test_of_one_thing_it_is_said_as_of_one():
    """An operator reads these lines every day."""
    said = words(open_orders=1, letters=1, revisions=1)
    assert said.endswith(
        "1 order is open there; 1 trade was busted or corrected; 1 message was not understood"
    )


@pytest.mark.parametrize(("other", "is_a_trade"), [("8", False), ("12", True)])
def test_balances_that_differ_both_ways_may_be_a_trade_of_others(other, is_a_trade):
    """Told as two transfers, what it won or lost would be in no profit."""
    balances = (
        BalanceDifference(currency="BTC", venue=Decimal(1), books=Decimal(2)),
        BalanceDifference(currency="USD", venue=Decimal(other), books=Decimal(9)),
    )
    said = words(step="differs", balances=balances)
    assert "`tradecore transfer BTC -1 REASON --by PERSON`" in said
    assert ("if others traded one for the other, say so: `tradecore convert CURRENCY" in said) == is_a_trade


def copied(step="agrees", **changes):
    """Return words about a line with a second reader."""
    told = {"is_answering": True, "trouble": "", "findings": (), "booked": 0, "looks": 3, **changes}
    where = "doubted" if step in ("proved", "contradicts") else "agreed"
    return words(step=where, drop_copy=DropCopyStatus(step=step, **told))


def test_the_second_reader_is_told_with_what_follows_from_it():
    """That it agrees; that it is of no use, which halts nothing; and both sides of a contradiction."""
    assert "; the drop copy agrees; 2 orders" in copied()
    assert "drop copy" not in copied(looks=0)
    down = copied(trouble="no answer")
    assert "the drop copy is OF NO USE NOW, which halts nothing: no answer" in down
    assert "no new risk" not in down
    said = copied("contradicts", findings=("has trade T1", "has 3 lots"), booked=2)
    assert said.startswith("connected; books and venue agree where orders go; no new risk is taken; ")
    assert "VENUE AND DROP COPY CONTRADICT EACH OTHER: it has trade T1; it has 3 lots" in said
    assert "it found 2 trades that nobody had told" in said
    for step in ("doubts", "proving", "proved"):
        assert "drop copy show" in copied(step, findings=("has trade T1",))


def test_what_a_stranger_says_cannot_draw_on_the_terminal():
    """Escape sequences are shown as such, line breaks are spaces, and it is not endless."""
    said = words(declined="no\n\x1b[2Jfake " + "x" * 500)
    assert "\x1b" not in said
    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.parametrize("step", ["idle", "asking", "settling", "comparing", "agreed", "differs", "later"])
def test_no_risk_is_taken_until_the_books_agree(step):
    """Whatever step it stands at, one of a later version included."""
    assert ("no new risk is taken" in words(step=step)) == (step != "agreed")
