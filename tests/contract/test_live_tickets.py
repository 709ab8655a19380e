"""Tickets at a venue that hedges: what closes names one, others' are told apart, and none is closed twice."""

import pytest

from support.hedging_venue import BothSides, HedgingVenue
from support.live_session import CONFIG, LIVE, quote, ready, running
from tradecore._core import tickets, tickets_at_venue
from tradecore.domain import ConfigError
from tradecore.domain.commands import Flatten
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import Units
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.runtime.carry_over import carry_over
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.comparison import Comparer
from tradecore.runtime.live.journal_books import JournalFollower

BUY, CANCEL, SELL, CLOSE_THREE, CLOSE_NEWEST, EXIT, WITH_TARGET = 1, 2, 5, 6, 7, 8, 9
EXTERNAL = 1


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


def session(path, venue, **settings):
    """Run a session whose strategy is long and short at once."""
    return running(path, venue, strategy=BothSides(), **settings)


def booked(live):
    """Return lots by number of ticket."""
    return {number: lots for _, number, lots in tickets_at_venue(live.engine.kernel)}


def of(live, kind):
    """Return the records of a kind."""
    return [fields for _, _, each, fields in JournalFolder(live.path).reader() if each == kind]


def open_names(venue):
    """Return the client's names of what is open at the venue."""
    return [name for name, order in venue.orders.items() if order.state is VenueOrderState.OPEN]


def price(live):
    """Let the market say a price after a start; what it said before the end of the journal is passed over."""
    live.feed.time_ns = live.engine.now_ns
    live.feed.queue.put_nowait(quote(live.feed))


async def opened(live, *whats):
    """Open tickets, each filled whole before the next one."""
    await ready(live)
    for what in whats:
        before = len(booked(live))
        live.feed.trade(what)
        await live.until(lambda: open_names(live.venue))
        (name,) = open_names(live.venue)
        live.venue.fill(name, live.venue.orders[name].open_lots)
        await live.until(lambda before=before: len(booked(live)) == before + 1)


async def test_what_closes_a_ticket_says_the_venues_name_of_it(path):
    """Long and short at once; a part of the oldest is closed, and the other one stays as it is."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, BUY, SELL)
        assert (booked(live), venue.tickets()) == ({1: 10, 2: -8}, {"V1": 10, "V2": -8})
        live.feed.trade(CLOSE_THREE)
        await live.until(lambda: open_names(venue))
        (name,) = open_names(venue)
        assert venue.ticket_of[name] == "V1"
        venue.fill(name, 3)
        await live.until(lambda: booked(live) == {1: 7, 2: -8})
        assert venue.tickets() == {"V1": 7, "V2": -8}


async def test_a_start_knows_the_names_of_its_tickets(path):
    """What closes leaves before books and venue were compared, by the name that the journal has."""
    venue = HedgingVenue()
    async with session(path, venue, is_killed=True) as live:
        await opened(live, BUY, SELL)
    venue.answers_questions = False
    async with session(path, venue) as live:
        price(live)
        live.feed.trade(CLOSE_NEWEST)
        await live.until(lambda: open_names(venue))
        (name,) = open_names(venue)
        assert (venue.ticket_of[name], live.is_reconciled()) == ("V2", False)
        venue.answers_questions = True
        venue.fill(name, 8)
        await live.until(lambda: live.is_reconciled() and booked(live) == {1: 10})


async def test_one_that_is_gone_there_is_not_closed_by_opening_the_other_side(path):
    """The venue refuses it, the books say so, and nothing was opened."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, BUY)
        # Somebody else has closed it, and nobody has told of that.
        venue.held["V1"] = -10
        live.feed.trade(CLOSE_NEWEST)
        await live.until(lambda: venue.refused)
        await live.until(lambda: of(live, "surprise"))
        assert [each["surprise"] for each in of(live, "surprise")] == ["exit_refused"]
        assert (venue.tickets(), booked(live)) == ({}, {1: 10})


async def test_a_flatten_closes_each_ticket_once_and_leaves_out_what_is_in_doubt(path):
    """An exit that rests ends first; what an order in doubt may have closed is not closed beside it."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, BUY, SELL)
        venue.script, venue.is_silent, venue.answers_questions = ["after"], True, False
        live.feed.trade(CLOSE_THREE)
        await live.until(lambda: "unknown" in live.states().values())
        await live.session.command(Flatten())
        # Its end is asked for, and nobody knows of it yet.
        await live.until(lambda: len(open_names(venue)) == 2)
        closing = {venue.ticket_of[name]: venue.orders[name].open_lots for name in open_names(venue)}
        assert closing == {"V1": 7, "V2": 8}
        venue.is_silent, venue.answers_questions = False, True
        for name in open_names(venue):
            venue.fill(name, venue.orders[name].open_lots)
        await live.until(lambda: booked(live) == {1: 3} and not live.states())
        price(live)
        await live.until(lambda: open_names(venue))
        (name,) = open_names(venue)
        venue.fill(name, 3)
        await live.until(lambda: not booked(live) and live.is_reconciled())
        assert (venue.tickets(), venue.refused) == ({}, [])


async def test_a_take_profit_closes_its_own_ticket(path):
    """It rests at the venue under the ticket of its entry, and shrinks as that is closed in part."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, SELL, WITH_TARGET)
        await live.until(lambda: open_names(venue))
        (target,) = open_names(venue)
        assert (venue.ticket_of[target], venue.orders[target].open_lots) == ("V2", 6)
        venue.fill(target, 6)
        await live.until(lambda: booked(live) == {1: -8})
        assert venue.tickets() == {"V1": -8}


async def test_a_ticket_of_others_differs_and_says_its_name(path):
    """Long and short that make up in sum are two differences, and no new risk is taken."""
    venue = HedgingVenue()
    venue.held = {"V70": 4, "V71": -4}
    async with session(path, venue) as live:
        live.feed.trade(BUY)
        await live.until(lambda: live.session.outside.status.differences)
        found = live.session.outside.status.differences
        assert [(each.name, each.venue_lots, each.book_lots) for each in found] == [
            ("BTC-USD, its ticket V70", 4, 0),
            ("BTC-USD, its ticket V71", -4, 0),
        ]
        assert live.strategy.refused == ["unreconciled"]


async def test_tickets_of_others_are_taken_over_and_can_be_closed(path):
    """Each is a ticket here at the venue's entry price, once, and a flatten names it as the venue does."""
    venue = HedgingVenue()
    venue.held = {"V70": 4, "V71": -5}
    owners = Owners(rest=EXTERNAL)
    async with session(path, venue, owners=owners, is_killed=True) as live:
        await ready(live)
        assert sorted(booked(live).values()) == [-5, 4]
        rows = tickets(live.engine.kernel, EXTERNAL, 0)
        assert [row["tick_lots"] // abs(row["lots"]) for row in rows] == [97, 97]
    async with session(path, venue, owners=owners) as live:
        await live.until(live.is_reconciled)
        assert len(of(live, "adopted")) == 2
        price(live)
        await live.session.command(Flatten())
        await live.until(lambda: len(open_names(venue)) == 2)
        assert sorted(venue.ticket_of[name] for name in open_names(venue)) == ["V70", "V71"]
        for name in open_names(venue):
            venue.fill(name, venue.orders[name].open_lots)
        await live.until(lambda: not booked(live) and live.is_reconciled())
        assert venue.tickets() == {}


async def test_a_ticket_of_ours_that_others_have_closed_in_part_is_never_taken_over(path):
    """It may be a lost fill of our own: it differs until somebody has looked."""
    venue = HedgingVenue()
    async with session(path, venue, owners=Owners(rest=EXTERNAL), check_seconds=0.05) as live:
        await opened(live, BUY)
        venue.held["V1"] = -3
        await live.until(lambda: live.session.outside.status.differences)
        (found,) = live.session.outside.status.differences
        assert (found.name, found.venue_lots, found.book_lots) == ("BTC-USD, ticket 1", 7, 10)
        assert of(live, "adopted") == []


async def test_a_bust_takes_lots_off_the_ticket_of_its_trade(path):
    """The entry in part, then what closed it: the lots come back to the ticket, and so at the venue."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, BUY, SELL)
        live.feed.trade(CLOSE_THREE)
        await live.until(lambda: open_names(venue))
        venue.fill(open_names(venue)[0], 3)
        await live.until(lambda: booked(live) == {1: 7, 2: -8})
        venue.revise("T3", lots=0)
        await live.until(lambda: booked(live) == {1: 10, 2: -8})
        venue.revise("T2", lots=0)
        await live.until(lambda: booked(live) == {1: 10})
        await live.until(live.is_reconciled)
        assert venue.tickets() == {"V1": 10}
        assert [each for each in of(live, "surprise") if each["halts"]] == []


async def test_an_account_with_open_tickets_is_not_carried_over(path):
    """The names that they have at the venue are in this journal alone."""
    async with session(path, HedgingVenue()) as live:
        await opened(live, BUY)
    with pytest.raises(ConfigError, match="tradecore flatten"):
        carry_over(JournalFolder(path), CONFIG, "test", ["x"])


async def test_what_a_closing_order_opened_too_much_is_closed_under_the_ticket_it_has_there(path):
    """A bust is told before the trade that closed: here that opens six; there it is a part of the ticket."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, BUY)
        live.feed.trade(CLOSE_NEWEST)
        await live.until(lambda: open_names(venue))
        venue.is_silent = True
        venue.fill(open_names(venue)[0], 10)
        closed = venue.fills[-1]
        venue.is_silent = False
        venue.revise("T1", lots=4)
        await live.until(lambda: booked(live) == {1: 4})
        venue.tell(closed)
        await live.until(lambda: booked(live) == {1: -6} and open_names(venue))
        (back,) = open_names(venue)
        assert (venue.ticket_of[back], venue.orders[back].side) == ("V1", "buy")
        venue.fill(back, 6)
        await live.until(lambda: not booked(live) and live.is_reconciled())
        assert (venue.tickets(), venue.refused) == ({}, [])


async def test_reconcile_names_the_ticket_that_differs(path):
    """Beside an engine, from the journal alone: what makes up in sum does not make up ticket by ticket."""
    venue = HedgingVenue()
    async with session(path, venue) as live:
        await opened(live, BUY, SELL)
        live.feed.trade(CLOSE_THREE)
        await live.until(lambda: open_names(venue))
        venue.fill(open_names(venue)[0], 3)
        await live.until(lambda: booked(live) == {1: 7, 2: -8})
    follower = JournalFollower(JournalFolder(path), hedges=True)
    comparer = Comparer(
        venue,
        follower.catch_up,
        follower.books,
        ids=ClientIds(0, "test"),
        units=Units(LIVE, ["buyer"]),
        pause_seconds=0.001,
    )
    assert (await comparer.compared()).verdict == "agree"
    venue.held = {"V1": -2, "V2": 2, "V9": 1}
    found = await comparer.compared()
    assert [(each.subject, each.words) for each in found.findings] == [
        ("BTC-USD, ticket 1", "BTC-USD, ticket 1: the venue has 0.0005, the books have 0.0007"),
        ("BTC-USD, ticket 2", "BTC-USD, ticket 2: the venue has -0.0006, the books have -0.0008"),
        ("BTC-USD, its ticket V9", "BTC-USD, its ticket V9: the venue has 0.0001, the books have 0"),
    ]
    assert (found.verdict, found.positions) == ("differ", {"BTC-USD": 0})
