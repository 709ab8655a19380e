"""Whatever a venue does, and whenever the engine dies: books and venue end the same."""

import asyncio
import contextlib
import random
from decimal import Decimal

import msgspec
import pytest

from support.live_session import LIVE, ready, running
from support.scripted_venue import QUICK, ScriptedVenue
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import exact_money
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.client_ids import ClientIds

FATES = ("ok",) * 6 + ("after", "before", "refuse")
LIVES, STEPS = 3, 25
# What an order that has ended fills late at most.
LATE_MAX = 3
IDS = ClientIds(0, "test")


class Chance:
    """What happens next at a venue and to an engine, from a seed."""

    def __init__(self, seed, venue, *, has_others=False, revises=False, amends=0, lates=0, trades=0) -> None:
        self.random = random.Random(seed)
        self.venue = venue
        self.more = (
            *(("hand", "hand") if has_others else ()),
            *(("fill", "fill", "revise", "revise", "revise") if revises else ()),
            *("amend",) * amends,
            *("late",) * lates,
            *("trade",) * trades,
        )

    async def step(self, live):
        """Do one thing, and let what follows from it begin, or not."""
        open_ones = [name for name, order in self.venue.orders.items() if order.state is VenueOrderState.OPEN]
        what = self.random.choice(
            ("trade", "trade", "cancel", "amend", "fill", "fill", "end", "lose", "again", *self.more)
        )
        self.venue.script = [self.random.choice(FATES) for _ in range(3)]
        if what == "trade":
            live.feed.trade()
        elif what == "hand":
            self.order_by_hand()
        elif what == "cancel" and live.strategy.orders:
            live.feed.trade(2)
        elif what == "amend" and live.strategy.orders:
            live.feed.trade(3)
        elif what == "fill" and open_ones:
            name = self.random.choice(open_ones)
            most = self.venue.orders[name].open_lots
            self.venue.fill(name, self.random.randint(1, most), is_told=self.random.random() < 0.8)
        elif what == "late":
            self.fill_late()
        elif what == "end" and open_ones:
            self.venue.end(self.random.choice(open_ones), self.random.choice(_ENDS))
        elif what == "lose":
            self.venue.lose_stream()
        elif what == "revise" and self.venue.fills:
            self.venue.revise(
                self.random.choice(self.venue.fills).trade_id,
                lots=self.random.choice((0, 0, 1, 3, 12)),
                price_ticks=self.random.randint(90, 99),
                fee=self.random.choice(("0", "0.02", "-0.01")),
                is_told=self.random.random() < 0.8,
            )
        elif what == "again" and self.venue.fills:
            self.venue.tell(self.random.choice(self.venue.fills))
        for _ in range(self.random.choice((0, 1, 3, 20))):
            await asyncio.sleep(0)

    def order_by_hand(self):
        """Let somebody else make an order, which may be seen, or trade before anybody sees it."""
        self.venue.is_silent = self.random.random() < 0.5
        name = self.venue.by_hand(self.random.randint(1, 9), side=self.random.choice(("buy", "sell")))
        if self.random.random() < 0.5:
            self.venue.fill(name, self.venue.orders[name].open_lots)
        self.venue.is_silent = False

    def fill_late(self):
        """Let a part of an order trade that was not filled when it ended, as a cancel crosses a trade."""
        open_numbers = {
            IDS.order_id(name)
            for name, order in self.venue.orders.items()
            if order.state is VenueOrderState.OPEN
        }
        names = [
            name
            for name, order in self.venue.orders.items()
            if order.state is VenueOrderState.CANCELED
            and order.filled_lots < LATE_MAX
            and (IDS.order_id(name) in open_numbers or self.random.random() < 0.1)
        ]
        if names:
            name = self.random.choice(names)
            self.venue.fill_late(name, self.random.randint(1, 2), is_told=self.random.random() < 0.8)


_ENDS = (VenueOrderState.CANCELED, VenueOrderState.EXPIRED)


def is_same(live, venue):
    """Tell whether books and venue agree on what is open and what was traded, with nothing in doubt."""
    if not live.is_reconciled():
        return False
    there = {
        name: (order.open_lots, order.filled_lots)
        for name, order in venue.orders.items()
        if order.state is VenueOrderState.OPEN
    }
    here = {
        live.session.outside.name_of(order["order_id"]): (order["open_lots"], filled_under_its_name(order))
        for order in live.engine.kernel.open_orders()
    }
    return here == there and live.position == venue.held_lots + venue.position()


def filled_under_its_name(order):
    """Return what filled of an order since it was sent anew last, where its venue amends nothing."""
    return order["filled_lots"] - (order["renewal"] or {"past_lots": 0})["past_lots"]


@pytest.mark.parametrize("seed", range(24))
async def test_books_and_venue_end_the_same(tmp_path, seed):
    """Each trade is booked once, each order is there once, and a replay of the journal says the same."""
    venue = ScriptedVenue()
    chance = Chance(seed, venue)
    path = tmp_path / "live.journal"
    for _ in range(LIVES):
        async with running(path, venue, is_killed=True, report_seconds_max=0.05) as live:
            await ready(live)
            for _ in range(STEPS):
                await chance.step(live)
    venue.script = []
    async with running(path, venue, report_seconds_max=0.05) as live:
        await live.until(lambda: is_same(live, venue), seconds=20)
        state_hash = live.engine.state_hash()
    booked = [
        fields["lots"]
        for _, _, kind, fields in JournalFolder(path).reader()
        if kind == "report" and fields["report"] == "fill"
    ]
    assert sum(booked) == sum(fill.lots for fill in venue.fills)
    assert len(venue.submitted) == len(set(venue.submitted)), "an order went out twice"
    async with running(path, ScriptedVenue()) as again:
        assert again.engine.state_hash() == state_hash


@pytest.mark.parametrize("seed", range(24))
async def test_so_they_do_with_others_at_the_account(tmp_path, seed):
    """Their orders and positions are taken over once, whatever is told, and a replay has them too."""
    venue = ScriptedVenue()
    chance = Chance(seed, venue, has_others=True)
    venue.held_lots = chance.random.choice((-5, 0, 3))
    path = tmp_path / "live.journal"
    settings = {"owners": Owners(rest=1), "report_seconds_max": 0.05}
    for _ in range(LIVES):
        async with running(path, venue, is_killed=True, **settings) as live:
            await ready(live)
            for _ in range(STEPS):
                await chance.step(live)
    venue.script = []
    async with running(path, venue, **settings) as live:
        await live.until(lambda: is_same(live, venue), seconds=20)
        state_hash = live.engine.state_hash()
    theirs = [fill for fill in venue.fills if fill.client_order_id.startswith("web")]
    own = sum(fill.lots for fill in venue.fills if fill not in theirs)
    assert live.engine.kernel.position_lots(0, 0) == own, "nothing of theirs is the strategy's"
    assert len(venue.submitted) == len(set(venue.submitted)), "an order went out twice"
    async with running(path, ScriptedVenue(), **settings) as again:
        assert again.engine.state_hash() == state_hash


@pytest.mark.parametrize("seed", range(40))
async def test_so_they_do_with_trades_that_are_told_anew(tmp_path, seed):
    """Busted, corrected, untold, told again: position and cash are those of the last word on each trade."""
    venue = ScriptedVenue()
    chance = Chance(seed, venue, revises=True)
    path = tmp_path / "live.journal"
    for _ in range(LIVES):
        async with running(path, venue, is_killed=True, report_seconds_max=0.05) as live:
            await ready(live)
            for _ in range(STEPS):
                await chance.step(live)
    venue.script = []
    async with running(path, venue, report_seconds_max=0.05) as live:
        await live.until(lambda: is_same(live, venue), seconds=20)
        state_hash = live.engine.state_hash()
        money = live.engine.kernel.money()
    standing = [fill for fill in venue.standing() if fill.lots]
    (spec,) = LIVE.instruments
    unit = Decimal(spec.tick_size) * Decimal(spec.lot_size)
    paid = sum((fill.price_ticks * fill.lots * unit + fill.fee for fill in standing), Decimal(0))
    assert exact_money(money["cash"]) == Decimal(LIVE.account.cash) - paid
    kinds = [kind for _, _, kind, _ in JournalFolder(path).reader()]
    assert ("venue_revision" in kinds) == any(fill.revision for fill in venue.fills)
    async with running(path, ScriptedVenue()) as again:
        assert again.engine.state_hash() == state_hash


class Twins:
    """Looks at each order as it arrives at a venue: none of the same number may be open there."""

    def __init__(self, venue) -> None:
        self.venue = venue
        self.found = []
        venue.before_submit = self.look

    def look(self, request):
        """Note an order beside which an earlier one of the same number is open."""
        number = IDS.order_id(request.client_order_id)
        self.found += [
            (name, request.client_order_id)
            for name, order in self.venue.orders.items()
            if IDS.order_id(name) == number and order.state is VenueOrderState.OPEN
        ]


@pytest.mark.parametrize("seed", range(48))
async def test_so_they_do_where_an_amended_order_is_ended_and_sent_anew(tmp_path, seed):
    """At no moment the venue has two open orders of one number, and no name goes out twice."""
    venue = ScriptedVenue(capabilities=msgspec.structs.replace(QUICK, replaces=False))
    twins = Twins(venue)
    chance = Chance(seed, venue, amends=4)
    path = tmp_path / "live.journal"
    for _ in range(LIVES):
        async with running(path, venue, is_killed=True, report_seconds_max=0.05) as live:
            await ready(live)
            for _ in range(STEPS):
                await chance.step(live)
    venue.script = []
    async with running(path, venue, report_seconds_max=0.05) as live:
        await live.until(lambda: is_same(live, venue), seconds=20)
        state_hash = live.engine.state_hash()
    records = [(kind, fields) for _, _, kind, fields in JournalFolder(path).reader()]
    booked = [each["lots"] for kind, each in records if kind == "report" and each["report"] == "fill"]
    assert sum(booked) == sum(fill.lots for fill in venue.fills)
    assert len(venue.submitted) == len(set(venue.submitted)), "an order went out twice"
    assert twins.found == []
    halting = [each for kind, each in records if kind == "surprise" and each["halts"]]
    assert halting == []
    async with running(path, ScriptedVenue(capabilities=venue.capabilities)) as again:
        assert again.engine.state_hash() == state_hash


@pytest.mark.parametrize("seed", range(64))
async def test_so_they_do_where_trades_of_what_was_sent_anew_are_late_and_told_anew(tmp_path, seed):
    """What fills of an order after it was sent anew, and what is told anew of that, leaves the new one."""
    venue = ScriptedVenue(capabilities=msgspec.structs.replace(QUICK, replaces=False))
    chance = Chance(seed, venue, revises=True, amends=6, lates=4, trades=4)
    path = tmp_path / "live.journal"
    for _ in range(LIVES):
        async with running(path, venue, is_killed=True, report_seconds_max=0.05) as live:
            await ready(live)
            for _ in range(STEPS):
                await chance.step(live)
                if chance.random.random() < 0.5:
                    # Where books and venue do not agree, nothing is sent.
                    with contextlib.suppress(TimeoutError):
                        await live.until(live.is_reconciled, seconds=1)
    venue.script = []
    async with running(path, venue, report_seconds_max=0.05) as live:
        await live.until(lambda: is_open_alike(live, venue), seconds=20)
    # What waited for books and venue to agree may leave after that.
    state_hash, money = live.engine.state_hash(), live.engine.kernel.money()
    standing = [fill for fill in venue.standing() if fill.lots]
    (spec,) = LIVE.instruments
    unit = Decimal(spec.tick_size) * Decimal(spec.lot_size)
    paid = sum((fill.price_ticks * fill.lots * unit + fill.fee for fill in standing), Decimal(0))
    assert exact_money(money["cash"]) == Decimal(LIVE.account.cash) - paid
    assert len(venue.submitted) == len(set(venue.submitted)), "an order went out twice"
    async with running(path, ScriptedVenue(capabilities=venue.capabilities)) as again:
        assert again.engine.state_hash() == state_hash


def is_open_alike(live, venue):
    """Tell whether books and venue agree on what is open and on the position, with nothing in doubt."""
    if not live.is_reconciled():
        return False
    there = {
        name: order.open_lots for name, order in venue.orders.items() if order.state is VenueOrderState.OPEN
    }
    here = {
        live.session.outside.name_of(order["order_id"]): order["open_lots"]
        for order in live.engine.kernel.open_orders()
    }
    return here == there and live.position == venue.held_lots + venue.position()
