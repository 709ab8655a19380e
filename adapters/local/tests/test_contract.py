"""The adapter keeps the promises of its ports, over real sockets."""

import msgspec
import pytest

from support.local_venue import serving
from support.sessions import START_NS, FakeClock
from tradecore.domain.spec import HedgedMargin
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.testkit import HistoryContract, LiveFeedContract, VenueContract
from tradecore.testkit.local_venue import VenueSettings
from tradecore_local.history import LocalHistory
from tradecore_local.market_feed import LocalMarketFeed


class TestLocalVenue(VenueContract):
    """Whatever the venue does with ids of clients, and whether it amends orders or not."""

    @pytest.fixture(params=[(rule, replaces) for rule in DuplicateIds for replaces in (True, False)])
    async def ground(self, request):
        """Return a venue of its own."""
        rule, replaces = request.param
        settings = msgspec.structs.replace(VenueSettings(), duplicate_ids=rule, replaces=replaces)
        async with serving(settings) as ground:
            yield ground

    @pytest.fixture
    async def venue(self, ground):
        """Return a client of the venue."""
        client = await ground.client()
        yield client
        await client.aclose()

    @pytest.fixture
    def revise(self, ground):
        """Return what busts and corrects trades, with the key for tests."""
        return ground.revise


class TestLocalVenueOverHttp(VenueContract):
    """Each request about an order is one of HTTP."""

    @pytest.fixture
    async def ground(self):
        """Return a venue of its own."""
        async with serving() as ground:
            yield ground

    @pytest.fixture
    async def venue(self, ground):
        """Return a client of the venue."""
        client = await ground.client(over_sockets=False)
        yield client
        await client.aclose()

    @pytest.fixture
    def revise(self, ground):
        """Return what busts and corrects trades, with the key for tests."""
        return ground.revise


class TestHedgingVenue(VenueContract):
    """Positions hedge: each entry order opens a ticket."""

    @pytest.fixture
    async def ground(self):
        """Return a venue of its own."""
        plain = VenueSettings()
        markets = tuple(msgspec.structs.replace(market, is_margin=True) for market in plain.markets)
        async with serving(msgspec.structs.replace(plain, markets=markets, hedging=True)) as ground:
            yield ground

    @pytest.fixture
    async def venue(self, ground):
        """Return a client of the venue."""
        client = await ground.client()
        yield client
        await client.aclose()

    @pytest.fixture
    def revise(self, ground):
        """Return what busts and corrects trades, with the key for tests."""
        return ground.revise


@pytest.mark.parametrize("margin", HedgedMargin)
async def test_the_rules_say_what_margin_two_sides_need(margin):
    """The client has it among what the venue can do."""
    plain = VenueSettings()
    markets = tuple(msgspec.structs.replace(market, is_margin=True) for market in plain.markets)
    settings = msgspec.structs.replace(plain, markets=markets, hedging=True, hedged_margin=margin)
    async with serving(settings) as ground:
        client = await ground.client()
        assert client.capabilities == ground.server.exchange.capabilities
        assert client.capabilities.hedged_margin is margin
        await client.aclose()


class TestLocalMarketFeed(LiveFeedContract):
    """What the venue matches."""

    @pytest.fixture
    async def feed(self):
        """Return a feed of a venue of its own."""
        async with serving() as ground:
            feed = LocalMarketFeed(ground.server.url, ground.instruments, ground.clock)
            yield feed
            await feed.aclose()


class TestLocalHistory(HistoryContract):
    """What its agents traded in seven seconds that a test lets pass at once."""

    @pytest.fixture
    def now_ns(self):
        """Return when the seven seconds are over."""
        return START_NS + 7_000_000_000

    @pytest.fixture
    async def history(self, now_ns):
        """Return the history of a venue of its own."""
        clock = FakeClock(START_NS)
        async with serving(clock=clock) as ground:
            clock.time_ns = now_ns
            history = LocalHistory(ground.server.url, ground.instruments)
            yield history
            await history.aclose()
