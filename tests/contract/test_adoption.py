"""What others made at a live account: reported, or taken over by a strategy, once and for good."""

import pytest

from support.live_session import CONFIG, LIVE, Buyer, ready, running
from support.scripted_venue import ScriptedVenue
from tradecore.domain.commands import Kill
from tradecore.domain.journal import JournalFolder
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.engine import Engine
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.recovery import recover
from tradecore.strategy import StrategyBinding
from tradecore_api.external_strategy import External

BUYER, EXTERNAL = 0, 1
ADOPT = Owners(rest=EXTERNAL)
ASSIGN = Owners(assigned={0: BUYER})


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


def held(live, strategy):
    """Return the position of a strategy in lots."""
    return live.engine.kernel.position_lots(strategy, 0)


def of(live, kind):
    """Return the records of a kind."""
    return [fields for _, _, each, fields in JournalFolder(live.path).reader() if each == kind]


def replayed(path):
    """Replay a journal in a fresh engine; every byte is compared."""
    bindings = [
        StrategyBinding(name="buyer", strategy=Buyer()),
        StrategyBinding(name="external", strategy=External()),
    ]
    engine = Engine(LIVE, bindings, recording=True)
    recover(JournalFolder(path), engine, CONFIG)
    return engine


async def test_a_position_that_was_there_before_belongs_to_the_strategy_external(path):
    """It is booked once, a restart keeps it, and a comparison after that changes nothing."""
    venue = ScriptedVenue()
    venue.held_lots = -4
    async with running(path, venue, owners=ADOPT) as live:
        await ready(live)
        assert (held(live, EXTERNAL), held(live, BUYER), live.position) == (-4, 0, -4)
        live.feed.trade()
        await live.until(lambda: list(live.states().values()) == ["new"])
        venue.lose_stream()
        await live.until(lambda: of(live, "reconciled")[1:])
        assert held(live, EXTERNAL) == -4
    assert [(each["side"], each["lots"], each["price_ticks"]) for each in of(live, "adopted")] == [
        ("sell", 4, 100)
    ]
    async with running(path, venue, owners=ADOPT) as live:
        await live.until(live.is_reconciled)
        assert held(live, EXTERNAL) == -4
    assert len(of(live, "adopted")) == 1
    assert replayed(path).kernel.position_lots(EXTERNAL, 0) == -4


async def test_without_being_told_so_nothing_is_taken_over(path):
    """It halts new risk, as it did."""
    venue = ScriptedVenue()
    venue.held_lots = 3
    venue.by_hand(5)
    async with running(path, venue) as live:
        live.feed.trade()
        await live.until(lambda: live.session.outside.status.differences)
        assert live.session.outside.status.foreign_orders == 1
        assert (live.position, live.states()) == (0, {})
    assert of(live, "adopted") == []


async def test_an_order_made_by_hand_is_an_order_of_the_books_and_its_fills_are_booked(path):
    """Whether it is told or found, and also what of it fills while the engine is dead."""
    venue = ScriptedVenue()
    early = venue.by_hand(5)
    async with running(path, venue, owners=ADOPT, is_killed=True) as live:
        await ready(live)
        await live.until(lambda: live.states() == {1: "new"})
        late = venue.by_hand(7, side="sell", price_ticks=120)
        await live.until(lambda: live.states() == {1: "new", 2: "new"})
        venue.fill(early, 2)
        await live.until(lambda: held(live, EXTERNAL) == 2)
        assert live.session.outside.status.foreign_orders == 0
        assert live.is_reconciled()
    venue.fill(early, 3)
    venue.fill(late, 1)
    async with running(path, venue, owners=ADOPT) as live:
        await live.until(live.is_reconciled)
        assert (held(live, EXTERNAL), live.states()) == (4, {2: "partially_filled"})
        venue.end(late)
        await live.until(lambda: live.states() == {})
    assert len(of(live, "adopted")) == 2
    assert venue.submitted == []
    assert replayed(path).kernel.position_lots(EXTERNAL, 0) == venue.position() == 4


async def test_what_an_order_of_others_had_filled_before_it_was_found_is_booked_too(path):
    """Its trades are asked for, as far back as the venue has them."""
    venue = ScriptedVenue()
    name = venue.by_hand(5)
    venue.fill(name, 3)
    async with running(path, venue, owners=ADOPT) as live:
        await ready(live)
        assert (held(live, EXTERNAL), live.states()) == (3, {1: "partially_filled"})
    assert [each["adopted"] for each in of(live, "adopted")] == ["order"]


async def test_what_others_traded_since_is_booked_at_their_prices_and_fees(path):
    """An order of theirs that was never seen open; new risk goes on meanwhile."""
    venue = ScriptedVenue()
    async with running(path, venue, owners=ADOPT) as live:
        await ready(live)
        venue.is_silent = True
        first, second = venue.by_hand(6, price_ticks=97), venue.by_hand(1, side="sell", price_ticks=101)
        venue.fill(first, 6, is_told=False)
        venue.is_silent = False
        venue.fill(second, 1)
        await live.until(lambda: held(live, EXTERNAL) == 5)
        await live.until(live.is_reconciled)
    # Both have the same time at this venue.
    found = sorted((each["price_ticks"], each["lots"], each["fee"]) for each in of(live, "adopted"))
    assert found == [(97, 6, 10**16), (101, 1, 10**16)]
    assert of(live, "reconciling") == of(live, "reconciling")[:1]
    async with running(path, venue, owners=ADOPT) as live:
        await live.until(live.is_reconciled)
        assert held(live, EXTERNAL) == 5


async def test_a_difference_that_no_trade_of_others_explains_halts_new_risk(path):
    """A lost fill of ours must not end as somebody else's."""
    venue = ScriptedVenue()
    async with running(path, venue, owners=ADOPT) as live:
        await ready(live)
        venue.held_lots = 2
        venue.lose_stream()
        await live.until(lambda: live.session.outside.status.differences)
        assert live.engine.kernel.is_unreconciled
        assert held(live, EXTERNAL) == 0


async def test_what_is_assigned_to_a_strategy_is_its_own_from_then_on(path):
    """It can end the order, and holds the position."""
    venue = ScriptedVenue()
    venue.held_lots = 4
    name = venue.by_hand(5)
    async with running(path, venue, owners=ASSIGN) as live:
        await ready(live)
        assert (held(live, BUYER), held(live, EXTERNAL)) == (4, 0)
        (order,) = live.engine.kernel.open_orders()
        assert order["strategy_id"] == BUYER
        live.strategy.orders.append(order["order_id"])
        live.feed.trade(2)
        await live.until(lambda: live.states() == {})
    assert venue.orders[name].state is VenueOrderState.CANCELED


async def test_a_kill_ends_what_others_made(path):
    """By the venue's own name, as theirs may be no good to us."""
    venue = ScriptedVenue()
    name = venue.by_hand(5)
    async with running(path, venue, owners=ADOPT) as live:
        await ready(live)
        await live.until(lambda: live.states() == {1: "new"})
        await live.session.command(Kill())
        await live.until(lambda: live.states() == {})
    assert venue.orders[name].state is VenueOrderState.CANCELED
