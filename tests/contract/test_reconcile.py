"""`tradecore reconcile` without sockets: what a journal and a venue do not agree on, told and not touched."""

import hashlib

import msgspec
import pytest

from support.live_session import LIVE, ready, running
from support.scripted_venue import ScriptedVenue
from tradecore.domain.errors import VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import Units
from tradecore.domain.venue_findings import Findings
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.comparison import Comparer
from tradecore.runtime.live.journal_books import JournalFollower


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


async def compared(path, venue, between=None, pause_seconds=0.001, **settings):
    """Compare a journal with a venue; `between` happens whenever the venue is asked."""
    follower = JournalFollower(JournalFolder(path))

    def catch_up():
        follower.catch_up()
        if between is not None:
            between()

    comparer = Comparer(
        venue,
        catch_up,
        follower.books,
        ids=ClientIds(0, "test"),
        units=Units(LIVE, ["buyer"]),
        pause_seconds=pause_seconds,
        **settings,
    )
    return await comparer.compared()


async def traded(path, venue):
    """Let a session leave an order that is open, one with a part filled, and one that filled whole."""
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        for count in (1, 2, 3):
            live.feed.trade()
            await live.until(lambda count=count: len(venue.orders) == count)
        first, second, _ = venue.orders
        venue.fill(first, 10)
        venue.fill(second, 4)
        await live.until(lambda: live.position == 14)
    return [*venue.orders]


def kinds(found):
    """Return the kinds and subjects of what was found."""
    return [(each.kind.value, each.subject) for each in found.findings]


async def test_where_nothing_differs_it_says_so_and_touches_nothing(path):
    """The journal has the same bytes, nothing appeared beside it, and the venue was asked alone."""
    venue = ScriptedVenue()
    await traded(path, venue)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    beside = sorted(entry.name for entry in path.parent.iterdir())
    submitted, there = list(venue.submitted), dict(venue.orders)
    venue.submit = venue.cancel = venue.replace = venue.reports = None
    found = await compared(path, venue)
    assert (found.verdict, found.findings, found.rounds) == ("agree", (), 1)
    assert (found.open_orders, found.venue_open_orders, found.positions) == (2, 2, {"BTC-USD": 14})
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == beside
    assert (venue.submitted, venue.orders) == (submitted, there)


async def test_everything_that_happened_meanwhile_is_named(path):
    """A trade that is not booked, an order that ended, one of another size, a position, orders of others."""
    venue = ScriptedVenue()
    _, second, third = await traded(path, venue)
    venue.fill(second, 6)
    foreign = msgspec.structs.replace(venue.orders[third], client_order_id="web", venue_order_id="W")
    venue.orders["web"] = foreign
    venue.orders["old"] = msgspec.structs.replace(
        foreign, client_order_id=ClientIds(0, "before").of(1), venue_order_id="V0"
    )
    venue.orders[third] = msgspec.structs.replace(venue.orders[third], open_lots=7)
    found = await compared(path, venue)
    assert found.verdict == "differ"
    assert sorted(kinds(found)) == [
        ("changed_there", "3"),
        ("fill_not_booked", "T3"),
        ("not_open_there", "2"),
        ("order_of_others", "V0"),
        ("order_of_others", "W"),
        ("position", "BTC-USD"),
    ]
    said = {each.subject: each.words for each in found.findings}
    assert "filled" in said["2"]
    assert "of another journal of tradecore" in said["V0"]
    assert said["BTC-USD"] == "BTC-USD: the venue has 0.002, the books have 0.0014"


async def test_trades_of_two_orders_with_one_name_are_two(path):
    """Two orders of ours that meet have one trade, and markets number theirs alike: what lacks is named."""
    venue = ScriptedVenue()
    _, second, _ = await traded(path, venue)
    venue.fill(second, 6, is_told=False)
    venue.fills[-1] = msgspec.structs.replace(venue.fills[-1], trade_id=venue.fills[0].trade_id)
    found = await compared(path, venue)

    assert ("fill_not_booked", "T1") in kinds(found)


async def test_a_trade_that_was_told_anew_meanwhile_is_named_until_the_books_have_it(path):
    """A correction that changes no position too, and a bust; after the next start nothing differs."""
    venue = ScriptedVenue()
    await traded(path, venue)
    venue.revise("T1", lots=10, price_ticks=94)
    found = await compared(path, venue)
    assert kinds(found) == [("fill_not_booked", "T1")]
    assert "was told anew, and the books do not have it: buy 0.001 BTC-USD at 0.94" in found.findings[0].words
    venue.revise("T2", lots=0)
    found = await compared(path, venue)
    assert sorted(kinds(found)) == [
        ("fill_not_booked", "T1"),
        ("fill_not_booked", "T2"),
        ("position", "BTC-USD"),
    ]
    (bust,) = [each.words for each in found.findings if each.subject == "T2"]
    assert bust.endswith("it never happened")
    async with running(path, venue) as live:
        await ready(live)
        assert live.position == 10
    assert (await compared(path, venue)).findings == ()


async def test_a_trade_told_anew_that_no_books_can_hold_is_named_after_the_engine_heard_it(path):
    """The engine was told and said that it cannot be: the books have it as it was, and so it is said."""
    venue = ScriptedVenue()
    await traded(path, venue)
    venue.revise("T1", lots=2**63 - 1)
    async with running(path, venue, is_killed=True) as live:
        await live.until(lambda: "surprise" in live.kinds())
        assert live.position == 14
    found = await compared(path, venue)
    assert ("fill_not_booked", "T1") in kinds(found)


async def test_what_a_running_engine_books_between_two_rounds_is_no_difference(path):
    """The venue is ahead in the first round, and the journal has caught up in the second."""
    venue = ScriptedVenue()
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        calls = []

        def ahead():
            calls.append(1)
            if len(calls) == 1:
                venue.is_silent = True
                venue.fill(name, 3)
                venue.is_silent = False
            elif len(calls) == 2:
                venue.lose_stream()

        found = await compared(path, venue, between=ahead, pause_seconds=0.5)
        assert (found.verdict, found.findings, found.rounds) == ("agree", (), 2)
        assert live.position == 3


async def test_nothing_at_all_is_asked_twice_and_half_a_list_proves_nothing(path):
    """An empty list may be a fault of the venue's: the second answer shows the order."""
    venue = ScriptedVenue()
    await traded(path, venue)
    answers, asked = [], venue.query

    async def empty_once(question):
        answers.append(type(question).__name__)
        return Findings(is_complete=True) if len(answers) <= 4 else await asked(question)

    venue.query = empty_once
    found = await compared(path, venue)
    assert (found.verdict, found.findings, found.rounds) == ("agree", (), 2)

    async def half(question):
        shown = await asked(question)
        return msgspec.structs.replace(shown, seen=(), is_complete=False)

    venue.query = half
    found = await compared(path, venue)
    assert (found.verdict, found.findings) == ("undecided", ())
    assert "did not show all open orders" in found.troubles[0]


async def test_an_order_in_doubt_is_named_with_what_the_venue_shows_of_it(path):
    """Sent and never answered: there, or nowhere."""
    for fate, says in (("after", "the venue shows buy BTC-USD"), ("before", "neither among open orders")):
        venue, place = ScriptedVenue([fate]), path.with_name(f"{fate}.journal")
        venue.is_silent = True
        async with running(place, venue, is_killed=True) as live:
            await ready(live)
            venue.answers_questions = False
            live.feed.trade()
            await live.until(lambda live=live: live.states() == {1: "unknown"})
        venue.answers_questions = True
        found = await compared(place, venue)
        (finding,) = found.findings
        assert (finding.kind.value, finding.subject) == ("in_doubt", "1")
        assert says in finding.words


async def test_a_venue_that_does_not_answer_is_an_error_and_no_finding(path):
    """Nobody may take it for an account without orders."""
    venue = ScriptedVenue()
    await traded(path, venue)
    venue.answers_questions = False
    with pytest.raises(VenueError, match="no answer"):
        await compared(path, venue)


async def test_its_questions_are_taken_out_of_the_budget_that_an_engine_shares(path):
    """And where nothing is left it says so instead of taking what the engine needs."""
    venue = ScriptedVenue()
    await traded(path, venue)
    budget = RequestBudget(BudgetRules(per_second=0.001, burst=20.0))
    assert (await compared(path, venue, budget=budget)).verdict == "agree"
    left = [budget.take(1, is_cancel=True) for _ in range(20)].count(True)
    assert left == 16, "four questions were asked"
    with pytest.raises(VenueError, match="use up all requests"):
        await compared(path, venue, budget=budget, room_seconds_max=0.05)


async def test_what_was_taken_over_from_others_is_no_difference(path):
    """By the venue's name of it, whatever they called it."""
    venue = ScriptedVenue()
    venue.held_lots = 3
    async with running(path, venue, owners=Owners(rest=1), is_killed=True) as live:
        await ready(live)
        name = venue.by_hand(5)
        await live.until(lambda: live.states() == {2: "new"})
        venue.fill(name, 2)
        await live.until(lambda: live.position == 5)
    found = await compared(path, venue)
    assert (found.verdict, kinds(found), found.open_orders) == ("agree", [], 1)
    venue.end(name)
    assert kinds(await compared(path, venue)) == [("not_open_there", "2")]
