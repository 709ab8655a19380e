"""Tickets at a venue that hedges: whatever it does, and whenever the engine dies, each ends the same."""

import asyncio
import random
from decimal import Decimal

import pytest

from support.hedging_venue import BothSides, HedgingVenue
from support.live_session import LIVE, ready, running
from tradecore._core import tickets_at_venue
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import exact_money
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.journal_books import JournalFollower

FATES = ("ok",) * 6 + ("after", "before", "refuse")
LIVES, STEPS = 3, 40
IDS = ClientIds(0, "test")
_ENDS = (VenueOrderState.CANCELED, VenueOrderState.EXPIRED)


class Chance:
    """What happens next at a venue and to an engine, from a seed."""

    def __init__(self, seed, venue, *, revises=False) -> None:
        self.random = random.Random(seed)
        self.venue = venue
        self.more = ("fill", "fill", "revise", "revise") if revises else ()

    async def step(self, live):
        """Do one thing, and let what follows from it begin, or not."""
        venue, draw = self.venue, self.random
        open_ones = [name for name, order in venue.orders.items() if order.state is VenueOrderState.OPEN]
        what = draw.choice(("trade",) * 5 + ("fill",) * 6 + ("end", "lose", "again", *self.more))
        venue.script = [draw.choice(FATES) for _ in range(3)]
        if what == "trade":
            live.feed.trade(
                draw.choice((1, 1, 5, 5, 9, 6, 6, 7, 8, 8, 2, 3) if live.strategy.orders else (1, 5, 9))
            )
        elif what == "fill" and open_ones:
            name = draw.choice(open_ones)
            venue.fill(name, draw.randint(1, venue.orders[name].open_lots), is_told=draw.random() < 0.8)
        elif what == "end" and open_ones:
            venue.end(draw.choice(open_ones), draw.choice(_ENDS))
        elif what == "lose":
            venue.lose_stream()
        elif what == "again" and venue.fills:
            venue.tell(draw.choice(venue.fills))
        elif what == "revise" and venue.fills:
            venue.revise(
                draw.choice(venue.fills).trade_id,
                lots=draw.choice((0, 0, 1, 3, 12)),
                price_ticks=draw.randint(90, 99),
                fee=draw.choice(("0", "0.02", "-0.01")),
                is_told=draw.random() < 0.8,
            )
        for _ in range(draw.choice((0, 1, 3, 20))):
            await asyncio.sleep(0)


def booked(live):
    """Return the tickets of the books as the venue counts them, under its names."""
    names = {IDS.of(number): lots for _, number, lots in tickets_at_venue(live.engine.kernel)}
    return {live.venue.orders[name].venue_order_id: lots for name, lots in names.items()}


def is_same(live):
    """Tell whether books and venue agree on each order and each ticket, with nothing in doubt."""
    if not live.is_reconciled():
        return False
    there = {
        name: (order.open_lots, order.filled_lots)
        for name, order in live.venue.orders.items()
        if order.state is VenueOrderState.OPEN
    }
    here = {
        live.session.outside.name_of(order["order_id"]): (order["open_lots"], order["filled_lots"])
        for order in live.engine.kernel.open_orders()
        if order["is_sent"]
    }
    return here == there and booked(live) == live.venue.tickets()


async def walked(path, venue, chance):
    """Walk over several lives; return the state and the money of the last one."""
    for _ in range(LIVES):
        async with running(
            path, venue, is_killed=True, report_seconds_max=0.05, strategy=BothSides()
        ) as live:
            # What the market said before the end of the journal is passed over.
            live.feed.time_ns = max(live.feed.time_ns, live.engine.now_ns)
            await ready(live)
            for _ in range(STEPS):
                await chance.step(live)
    venue.script = []
    async with running(path, venue, report_seconds_max=0.05, strategy=BothSides()) as live:
        await live.until(lambda: is_same(live), seconds=20)
    # What waited for books and venue to agree may leave after that.
    return live.engine.state_hash(), live.engine.kernel.money()


async def is_replayed(path, state_hash):
    """Tell whether a replay sends nothing and comes to the same state."""
    silent = HedgingVenue()
    async with running(path, silent, strategy=BothSides()) as again:
        found = again.engine.state_hash()
    return silent.submitted == [] and found == state_hash


def paid(venue):
    """Return what all trades cost, fees too."""
    (spec,) = LIVE.instruments
    unit = Decimal(spec.tick_size) * Decimal(spec.lot_size)
    return sum(
        (
            (1 if fill.side == "buy" else -1) * fill.price_ticks * fill.lots * unit + fill.fee
            for fill in venue.standing()
            if fill.lots
        ),
        Decimal(0),
    )


@pytest.mark.parametrize("seed", range(24))
async def test_each_ticket_ends_the_same_on_both_sides(tmp_path, seed):
    """Long and short, closed in parts, over kills: no ticket is closed by what closes another one."""
    venue = HedgingVenue()
    path = tmp_path / "live.journal"
    state_hash, money = await walked(path, venue, Chance(seed, venue))
    assert exact_money(money["cash"]) == Decimal(LIVE.account.cash) - paid(venue)
    assert len(venue.submitted) == len(set(venue.submitted)), "an order went out twice"
    follower = JournalFollower(JournalFolder(path), hedges=True)
    follower.catch_up()
    of_records = {IDS.of(number): lots for (_, number), lots in follower.books.tickets.lots.items()}
    assert {venue.orders[name].venue_order_id: lots for name, lots in of_records.items()} == venue.tickets()
    assert await is_replayed(path, state_hash)


@pytest.mark.parametrize("seed", range(40))
async def test_so_they_do_with_trades_that_are_told_anew(tmp_path, seed):
    """A bust takes lots of a ticket away, or brings them back to it, whatever was closed since."""
    venue = HedgingVenue()
    path = tmp_path / "live.journal"
    state_hash, money = await walked(path, venue, Chance(seed, venue, revises=True))
    assert exact_money(money["cash"]) == Decimal(LIVE.account.cash) - paid(venue)
    assert len(venue.submitted) == len(set(venue.submitted)), "an order went out twice"
    assert await is_replayed(path, state_hash)
