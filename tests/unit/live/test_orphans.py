"""The orders of an engine that is gone are ended, whatever the venue does, and nobody else's are."""

import msgspec
import pytest

from support.clocks import JumpingClock
from support.scripted_venue import QUICK, ScriptedVenue
from tradecore.domain.errors import VenueError
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.domain.venue_requests import Lost, NotDone
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.orphans import Orphans

SECOND_NS = 1_000_000_000


class Ground:
    """A venue, what ends orders there, and how long the engine is gone."""

    def __init__(self, venue, *, owns=lambda order: True, budget=None):
        self.venue, self.clock = venue, JumpingClock()
        self.connects = []
        self.tells = 0
        self.looks_left = 200
        self.orphans = Orphans(
            self.connect,
            lambda can: budget or RequestBudget(BudgetRules.of(can)),
            owns,
            self.clock,
            lambda: 0.5,
        )

    async def connect(self):
        """Connect, unless the test says that the venue is down."""
        if self.connects and (said := self.connects.pop(0)) is not None:
            raise VenueError(said)
        return self.venue

    def is_gone(self):
        """Give an end to every test, and to one that is done."""
        self.looks_left -= 1
        return self.looks_left > 0 and not self.orphans.status.is_done

    async def end_all(self):
        """End what is open, and return what is known then."""
        await self.orphans.end_all(self.is_gone, self.tell)
        return self.orphans.status

    def tell(self):
        """Count what is told."""
        self.tells += 1

    def is_open(self, name):
        """Tell whether an order is open at the venue."""
        return self.venue.orders[name].state is VenueOrderState.OPEN


def with_orders(count=3, script=(), capabilities=QUICK):
    """Return a venue with open orders."""
    venue = ScriptedVenue(script, capabilities)
    for _ in range(count):
        venue.by_hand(10)
    return venue


async def test_every_open_order_is_ended_and_what_is_held_is_named():
    """The venue says at the end that none is open, and which positions nobody closes."""
    ground = Ground(with_orders())
    ground.venue.held_lots = 7

    found = await ground.end_all()

    assert (found.open_orders, found.asked, found.is_done, found.trouble) == (0, 3, True, "")
    assert found.positions == (("BTC-USD", 7),)
    assert not any(map(ground.is_open, ground.venue.orders))


async def test_orders_of_others_are_left_alone():
    """What is not the engine's is counted and stays; so does what nobody here has an instrument for."""
    ground = Ground(with_orders(3), owns=lambda order: order.client_order_id != "web-2")
    ground.venue.orders["web-3"] = msgspec.structs.replace(ground.venue.orders["web-3"], instrument=None)

    found = await ground.end_all()

    assert (found.is_done, found.left_alone) == (True, 2)
    assert [name for name in ground.venue.orders if ground.is_open(name)] == ["web-2", "web-3"]


@pytest.mark.parametrize("script", [("before",) * 4, ("after",) * 4, ("busy",) * 9, ("refuse",) * 5])
async def test_a_cancel_that_fails_is_asked_for_until_the_venue_shows_nothing(script):
    """Lost on the way, lost on the way back, too busy, refused: the list of open orders alone counts."""
    ground = Ground(with_orders(2, script))

    found = await ground.end_all()

    assert found.is_done
    assert not any(map(ground.is_open, ground.venue.orders))


async def test_a_venue_that_is_down_is_tried_again_with_longer_waits():
    """It says what is wrong meanwhile, and ends the orders as soon as the venue is there."""
    ground = Ground(with_orders())
    ground.connects = ["nobody listens"] * 8
    troubles = []
    ground.tell = lambda: troubles.append(ground.orphans.status.trouble)

    found = await ground.end_all()

    assert found.is_done
    assert troubles[:8] == ["nobody listens"] * 8
    first, later = ground.clock.waits_ns[0], ground.clock.waits_ns[7]
    assert first < 150_000_000 < later <= 2 * SECOND_NS


async def test_a_venue_that_does_not_show_all_is_not_done():
    """Nothing follows from what an incomplete list leaves out."""
    ground = Ground(with_orders(0))
    answered = ground.venue.query

    async def half(question):
        found = await answered(question)
        return msgspec.structs.replace(found, is_complete=len(ground.clock.waits_ns) >= 3)

    ground.venue.query = half
    assert (await ground.end_all()).is_done
    assert len(ground.clock.waits_ns) >= 3


async def test_what_was_on_its_way_when_the_engine_died_is_ended_too():
    """An order that arrives after the first look is found, because the venue is asked as long as one can."""
    can = msgspec.structs.replace(QUICK, validity_window_ns=5 * SECOND_NS)
    ground = Ground(with_orders(1, capabilities=can))
    begun_ns = ground.clock.now_ns()
    answered = ground.venue.query
    late = []

    async def with_a_late_one(question):
        if not late and ground.clock.now_ns() - begun_ns > 3 * SECOND_NS:
            late.append(ground.venue.by_hand(5))
        return await answered(question)

    ground.venue.query = with_a_late_one
    found = await ground.end_all()

    assert late
    assert found.is_done
    assert not any(map(ground.is_open, ground.venue.orders))


async def test_nothing_leaves_once_the_engine_is_back():
    """Between two cancels the engine may be there again: its orders are its own from then on."""
    ground = Ground(with_orders(40))
    done = ground.venue.cancel
    cancelled = []

    async def cancel(request):
        cancelled.append(request)
        return await done(request)

    ground.venue.cancel = cancel
    await ground.orphans.end_all(lambda: len(cancelled) < 5, ground.tell)

    assert len(cancelled) < 5 + 16
    assert sum(map(ground.is_open, ground.venue.orders)) >= 19


async def test_a_venue_that_says_when_to_come_back_is_not_asked_before():
    """Its word to wait is kept, of a cancel as of a question."""
    ground = Ground(with_orders(1))
    done, told = ground.venue.cancel, [NotDone(words="429", retry_after_ns=3 * SECOND_NS), Lost(words="?")]

    async def cancel(request):
        return told.pop(0) if told else await done(request)

    ground.venue.cancel = cancel
    assert (await ground.end_all()).is_done
    assert max(ground.clock.waits_ns) >= 3 * SECOND_NS - 1_000_000


class UnusableBudget:
    """A bucket that an engine that stands still has locked."""

    is_usable = False

    def take(self, now_ns, weight=1.0, *, is_cancel):
        """Say that there is no room."""
        return False

    def wait_ns(self, now_ns, weight=1.0):
        """Ask soon again."""
        return 200_000

    def close(self):
        """Hold nothing."""


async def test_a_budget_that_nobody_can_use_holds_no_cancel():
    """An engine that was stopped while it had the bucket locked must not keep its own orders alive."""
    ground = Ground(with_orders(2), budget=UnusableBudget())

    assert (await ground.end_all()).is_done
    assert not any(map(ground.is_open, ground.venue.orders))


async def test_cancels_keep_within_what_the_venue_allows():
    """Ten cancels a second at most, where the venue takes ten requests a second."""
    ground = Ground(with_orders(40, capabilities=msgspec.structs.replace(QUICK, requests_per_second=10.0)))
    begun_ns = ground.clock.now_ns()

    assert (await ground.end_all()).is_done
    assert ground.clock.now_ns() - begun_ns >= 3 * SECOND_NS


async def test_a_look_says_what_is_open_or_what_is_wrong():
    """While the engine lives the venue is only asked."""
    ground = Ground(with_orders(2))
    assert await ground.orphans.look() is ground.venue.capabilities
    assert ground.orphans.status.open_orders == 2

    async def silent(question):
        raise VenueError("no answer")

    ground.venue.query = silent
    assert await ground.orphans.look() is None
    assert ground.orphans.status.trouble == "no answer"
    assert all(map(ground.is_open, ground.venue.orders))
    await ground.orphans.aclose()
