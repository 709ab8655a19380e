"""Long answers: put together page by page, of the time of the first one."""

import pytest

from tradecore.domain.venue_findings import FillsSince, Findings, OpenOrders
from tradecore.runtime.live.pages import PAGES_MAX, Answered, Pages, whole

FIRST = FillsSince(time_ns=7)


def page(*seen, rest="", time_ns=1, is_complete=True):
    """Return what a venue answers."""
    return Findings(seen=seen, is_complete=is_complete and not rest, time_ns=time_ns, rest=rest)


def answers_of(*pages):
    """Return who answers with one page after the other, and what was asked."""
    left, asked = list(pages), []

    async def ask(question):
        asked.append(question)
        return left.pop(0)

    return ask, asked


async def test_pages_are_asked_for_until_the_last_one_and_make_one_answer():
    """Each after the cursor of the one before; the answer is as old as the first of them."""
    ask, asked = answers_of(page("a", "b", rest="2"), page("c", rest="3", time_ns=5), page("d", time_ns=9))
    assert await whole(FIRST, ask) == page("a", "b", "c", "d")
    assert asked == [FIRST, FillsSince(time_ns=7, cursor="2"), FillsSince(time_ns=7, cursor="3")]


@pytest.mark.parametrize(
    ("pages", "answer"),
    [
        ((page("a", rest="2"), None), None),
        ((page("a", rest="2"), page("b", is_complete=False)), page("a", "b", is_complete=False)),
        ((page("a", rest="2"), page("b", rest="2")), page("a", "b", is_complete=False)),
    ],
    ids=["a page does not come", "the last one is cut", "a cursor that stands still"],
)
async def test_what_is_not_all_is_not_complete(pages, answer):
    """Nothing follows from what is absent in it."""
    ask, _ = answers_of(*pages)
    assert await whole(FIRST, ask) == answer


async def test_a_list_that_never_ends_is_not_followed_for_ever():
    """A venue whose cursor always goes on is left alone after so many pages."""
    count = 0

    async def ask(question):
        nonlocal count
        count += 1
        return page(rest=str(count))

    found = await whole(FIRST, ask)
    assert (count, found.is_complete) == (PAGES_MAX, False)


def test_each_page_waits_for_its_own_turn():
    """Meanwhile the question is not asked beside itself, and the answer has the time of the first page."""
    pages = Pages()
    assert pages.add(FIRST, Answered(100, 3, page("a", rest="2"))) is None
    (second,) = pages.wanted()
    assert (second, pages.wanted(), pages.is_reading(FIRST)) == (FillsSince(time_ns=7, cursor="2"), [], True)
    assert pages.add(second, Answered(200, 9, page("b", time_ns=8))) == (
        FIRST,
        Answered(100, 3, page("a", "b")),
    )
    assert not pages.is_reading(FIRST)


def test_what_misses_a_page_is_asked_for_anew_from_the_first_one():
    """And what has one page is an answer as it is."""
    pages = Pages()
    pages.add(FIRST, Answered(100, 3, page("a", rest="2")))
    (second,) = pages.wanted()
    pages.drop(second)
    assert not pages.is_reading(FIRST)
    alone = Answered(300, 4, page("a"))
    assert pages.add(OpenOrders(), alone) == (OpenOrders(), alone)
