"""One session at two venues in the process of the test: what is of one account reaches no other."""

import asyncio
import contextlib

import msgspec
import pytest

from support.live_session import LIVE, HandFeed, quote
from support.scripted_venue import ScriptedVenue
from support.sessions import FakeClock
from tradecore.domain import EventBatch, InvalidValueError
from tradecore.domain.account_part import parts_of
from tradecore.domain.commands import Flatten, Kill, SetLimit
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import RiskSpec, ScopeRiskSpec, VenueAccountSpec
from tradecore.domain.units import Units
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig
from tradecore.runtime.joined_feed import FeedPart, JoinedFeed
from tradecore.runtime.live.account_venue import AccountVenue
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import ReportTimes
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.live.venue_links import VenueLinks
from tradecore.runtime.recovery import recover
from tradecore.strategy import StrategyBinding
from tradecore_api.external_strategy import External

(GOLD,) = LIVE.instruments[:1]
# The second account's instrument comes first: no number is the same there and here.
TWO = msgspec.structs.replace(
    LIVE,
    instruments=(
        msgspec.structs.replace(GOLD, symbol="THERE", account="second"),
        msgspec.structs.replace(GOLD, symbol="HERE"),
    ),
    accounts=(VenueAccountSpec(name="second", cash="1000000"),),
)
THERE, HERE = 0, 1
CONFIG = SessionConfig(engine=TWO, strategies=({"class": "buyer"},), feed={"kind": "test"})
FIRST = TWO.account.name


class Buyer:
    """Buys ten at 95 of what has traded."""

    def __init__(self) -> None:
        self.orders = {THERE: [], HERE: []}
        self.refused = {THERE: [], HERE: []}

    def on_trade(self, ctx, trade):
        """Buy in the instrument of the trade."""
        at = trade.instrument_id
        answer = ctx.buy(instrument_id=at, quantity_lots=10, limit_ticks=95)
        (self.orders if answer else self.refused)[at].append(answer or answer.rule)


class Pair:
    """A session with an account at each of two venues."""

    def __init__(self, path, venues, spec=TWO, *, adopts=False) -> None:
        self.path, self.venues = path, venues
        self.feeds = {HERE: HandFeed(), THERE: HandFeed()}
        self.strategy = Buyer()
        folder = JournalFolder(path)
        bindings = [StrategyBinding(name="buyer", strategy=self.strategy, instruments=(THERE, HERE))]
        if adopts:
            bindings.append(StrategyBinding(name="external", strategy=External(), instruments=(THERE, HERE)))
        engine = Engine(spec, bindings, recording=True)
        config = msgspec.structs.replace(CONFIG, engine=spec)
        journal = folder.writer(0)
        recovered = recover(folder, engine, config) if journal.records else None
        units = Units(spec, ())
        settings = LinkSettings(
            answer_seconds_max=0.5,
            report_times=ReportTimes(default_ns=200_000_000),
            owners=Owners(rest=1) if adopts else Owners(),
            check_seconds=0.05,
        )
        links = {
            part.name: VenueLink(
                AccountVenue(venues[part.name], part.instruments),
                lambda: "test",
                units,
                settings,
                part=part,
            )
            for part in parts_of(spec)
        }
        parts = [FeedPart(self.feeds[at], (at,)) for at in (HERE, THERE)]
        self.session = Session(
            engine=engine,
            feed=JoinedFeed(parts),
            journal=journal,
            clock=FakeClock(),
            config=config,
            version="test",
            recovered=recovered,
            outside=VenueLinks(links, units.parts),
        )

    @property
    def kernel(self):
        """The kernel of the engine."""
        return self.session.engine.kernel

    def steps(self):
        """Return how far each account is compared."""
        return {name: link.status.step for name, link in self.session.outside.links.items()}

    async def until(self, is_so, seconds=8.0):
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def agreed(self):
        """Let prices come and wait until both accounts agree."""
        for feed in self.feeds.values():
            feed.queue.put_nowait(quote(feed))
        await self.until(lambda: set(self.steps().values()) == {"agreed"} and not self.kernel.is_unreconciled)

    async def ordered(self, at, *, count=1):
        """Let an instrument trade until the strategy has so many orders there."""
        self.feeds[at].trade()
        await self.until(lambda: len(self.strategy.orders[at]) + len(self.strategy.refused[at]) >= count)

    def rows(self, kind):
        """Return what the records of a kind say."""
        return [fields for _, _, named, fields in JournalFolder(self.path).reader() if named == kind]


@pytest.fixture
def venues():
    """Return two venues that number their orders and trades alike."""
    return {FIRST: ScriptedVenue(), "second": ScriptedVenue()}


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


@contextlib.asynccontextmanager
async def running(path, venues, *, is_killed=False, **options):
    """Run a session until the block ends: cleanly, or as if it were killed."""
    pair = Pair(path, venues, **options)
    task = asyncio.create_task(pair.session.run())
    try:
        yield pair
    finally:
        if is_killed:
            task.cancel()
        else:
            pair.session.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)


def name_at(venue):
    """Return our name of the one order at a venue."""
    (name,) = venue.orders
    return name


async def test_an_order_goes_to_the_venue_of_its_instrument_and_its_fill_comes_from_there(path, venues):
    """Both venues call their orders and trades alike, which is no reason to take one for the other."""
    async with running(path, venues) as pair:
        await pair.agreed()
        for at in (HERE, THERE):
            await pair.ordered(at)
        await pair.until(lambda: all(len(venue.orders) == 1 for venue in venues.values()))
        names = {name: name_at(venue) for name, venue in venues.items()}
        assert len(set(names.values())) == 2
        venues[FIRST].fill(names[FIRST], 4)
        venues["second"].fill(names["second"], 3)
        await pair.until(lambda: pair.kernel.position_total_lots(HERE) == 4)
        await pair.until(lambda: pair.kernel.position_total_lots(THERE) == 3)
        await pair.until(lambda: set(pair.steps().values()) == {"agreed"})
    fills = [fields for fields in pair.rows("report") if fields["report"] == "fill"]
    assert sorted(fields["lots"] for fields in fills) == [3, 4]
    assert pair.rows("surprise") == []
    # A fee is taken from the balance of the account where it was paid.
    money = {row["currency"]: int(row["balance"]) for row in pair.kernel.balances()}
    assert set(money) == {"USD", "second:USD"}
    assert money["USD"] != money["second:USD"]


async def test_a_stream_that_is_lost_stops_new_risk_at_its_account_alone(path, venues):
    """The other one goes on, and so does what closes at both."""
    async with running(path, venues) as pair:
        await pair.agreed()
        venues["second"].answers_questions = False
        venues["second"].lose_stream()
        await pair.until(lambda: pair.steps()["second"] != "agreed" and pair.kernel.is_unreconciled)
        for at in (HERE, THERE):
            await pair.ordered(at)
        assert (pair.strategy.refused[HERE], pair.strategy.refused[THERE]) == ([], ["unreconciled"])
        assert pair.steps()[FIRST] == "agreed"
        venues["second"].answers_questions = True
        await pair.until(lambda: not pair.kernel.is_unreconciled)
        await pair.ordered(THERE, count=2)
        await pair.until(lambda: len(venues["second"].orders) == 1)


async def test_a_limit_of_the_portfolio_waits_for_every_account(path, venues):
    """It is set while the session runs, and counts from then on."""
    limited = msgspec.structs.replace(TWO, risk=RiskSpec(portfolio=ScopeRiskSpec(gross_max="1000000000")))
    async with running(path, venues, spec=limited) as pair:
        await pair.agreed()
        venues["second"].answers_questions = False
        venues["second"].lose_stream()
        await pair.until(lambda: pair.kernel.is_unreconciled)
        await pair.ordered(HERE)
        assert pair.strategy.refused[HERE] == ["unreconciled"]
        await pair.session.command(SetLimit(scope="portfolio", limit="gross_max", value=None, person="Ada"))
        await pair.ordered(HERE, count=2)
        assert len(pair.strategy.orders[HERE]) == 1


async def test_after_a_kill_each_account_looks_after_its_own_orders(path, venues):
    """Outcomes that were lost at both venues end as each of them shows, and nothing is sent twice."""
    venues[FIRST].script, venues["second"].script = ["after"], ["before"]
    async with running(path, venues, is_killed=True) as pair:
        await pair.agreed()
        for venue in venues.values():
            venue.is_silent = True
        for at in (HERE, THERE):
            await pair.ordered(at)
        await pair.until(lambda: all(venue.submitted for venue in venues.values()))
    for venue in venues.values():
        venue.is_silent = False
    async with running(path, venues) as pair:
        await pair.agreed()
        states = {row["instrument_id"]: row["state"] for row in pair.kernel.open_orders()}
        assert states == {HERE: "new"}
        found = {name: link.found_at_start for name, link in pair.session.outside.links.items()}
        assert [doubt.became for doubt in found["second"].facts.doubts] == ["rejected (never_arrived)"]
        assert found[FIRST].facts.open_orders == found["second"].facts.open_orders == 1
    assert [len(venue.submitted) for venue in venues.values()] == [1, 1]


async def test_orders_of_others_are_taken_over_at_each_account(path, venues):
    """Two venues call them alike, and each belongs to the account where it is."""
    async with running(path, venues, adopts=True) as pair:
        await pair.agreed()
        venues[FIRST].by_hand(5)
        venues["second"].by_hand(7)
        await pair.until(lambda: len(pair.kernel.open_orders()) == 2)
        lots = {row["instrument_id"]: row["open_lots"] for row in pair.kernel.open_orders()}
        assert lots == {HERE: 5, THERE: 7}
    async with running(path, venues, adopts=True) as pair:
        await pair.agreed()
        assert len(pair.kernel.open_orders()) == 2, "a restart knows them"
        assert {name: link.status.foreign_orders for name, link in pair.session.outside.links.items()} == {
            FIRST: 0,
            "second": 0,
        }


async def test_a_trade_that_is_told_anew_is_counted_at_its_account(path, venues):
    """Both venues have a trade of one name; what one of them busts changes nothing at the other."""
    async with running(path, venues) as pair:
        await pair.agreed()
        for at in (HERE, THERE):
            await pair.ordered(at)
        for venue in venues.values():
            await pair.until(lambda venue=venue: len(venue.orders) == 1)
            venue.fill(next(iter(venue.orders)), 4)
        await pair.until(lambda: len(pair.rows("report")) >= 4)
        venues["second"].revise("T1", lots=0)
        await pair.until(lambda: pair.kernel.position_total_lots(THERE) == 0)
        assert pair.kernel.position_total_lots(HERE) == 4
        links = pair.session.outside.links
        assert {name: link.status.revisions for name, link in links.items()} == {FIRST: 0, "second": 1}


@pytest.mark.parametrize("command", [Flatten(), Kill()])
async def test_a_kill_and_a_flatten_reach_every_account(path, venues, command):
    """Orders end at both venues, by one word."""
    async with running(path, venues) as pair:
        await pair.agreed()
        for at in (HERE, THERE):
            await pair.ordered(at)
        await pair.until(lambda: all(venue.orders for venue in venues.values()))
        await pair.session.command(command)
        await pair.until(lambda: not pair.kernel.open_orders())
    states = [order.state.value for venue in venues.values() for order in venue.orders.values()]
    assert states == ["canceled", "canceled"]


async def test_a_position_that_differs_halts_its_account_and_names_the_balance(path, venues):
    """Nobody traded so much here: new risk ends there, and the other account trades."""
    async with running(path, venues) as pair:
        await pair.agreed()
        venues["second"].held_lots = 3
        await pair.until(lambda: pair.steps()["second"] == "differs", seconds=15)
        assert pair.steps()[FIRST] == "agreed"
        (differs,) = pair.session.outside.links["second"].status.differences
        assert (differs.symbol, differs.venue_lots, differs.book_lots) == ("THERE", 3, 0)
        await pair.ordered(HERE)
        assert len(pair.strategy.orders[HERE]) == 1


def test_each_account_needs_a_line(venues):
    """A missing or an unknown one is an error before anything is traded."""
    with pytest.raises(InvalidValueError, match="must be those of"):
        VenueLinks({}, parts_of(TWO))


async def test_a_feed_that_is_lost_is_lost_of_its_instrument(path, venues):
    """The numbers of a feed are those of its own table, and become those of the engine."""
    async with running(path, venues) as pair:
        await pair.agreed()
        batch = EventBatch()
        batch.feed_lost(pair.feeds[THERE].time_ns + 1, 0)
        pair.feeds[THERE].queue.put_nowait(batch)
        await pair.until(lambda: pair.rows("feed"))
    assert [fields["instrument"] for fields in pair.rows("feed")] == [THERE]
