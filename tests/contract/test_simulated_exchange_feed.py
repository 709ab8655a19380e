"""The simulated exchange keeps the promises of the market feed port."""

import pytest

from tradecore.sim.agents import AgentMarket
from tradecore.sim.simulated_exchange import SimulatedExchangeFeed
from tradecore.testkit import RecordedFeedContract


class TestSimulatedExchangeFeed(RecordedFeedContract):
    """Two markets, two seconds, as fast as possible."""

    @pytest.fixture
    def feed(self):
        """Return a seeded feed."""
        markets = tuple(AgentMarket(instrument_id=at, start_ticks=10_000, lots_mean=10) for at in range(2))
        return SimulatedExchangeFeed(markets, seed=7, duration_ns=2_000_000_000, clock=None)
