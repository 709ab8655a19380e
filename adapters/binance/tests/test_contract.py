"""Both feeds keep the promises of the port."""

import pytest

from support.clocks import JumpingClock
from tradecore.testkit.market_feed import LiveFeedContract, RecordedFeedContract
from tradecore_binance import BinanceCaptureFeed, Market
from tradecore_binance.live_feed import BinanceFeed
from tradecore_binance.packed import pieces_of
from tradecore_binance.replay_server import ReplayServer


class TestCaptureFeed(RecordedFeedContract):
    """A capture, unpaced and paced."""

    @pytest.fixture(params=[0.0, 1000.0])
    def feed(self, request, captures, tmp_path):
        """Return a feed of the first thousand lines."""
        capture = captures[Market.SPOT]
        text = next(iter(pieces_of(capture.path)))
        path = tmp_path / "head.capture"
        path.write_bytes(b"".join(text.splitlines(keepends=True)[:1000]))
        clock = JumpingClock()
        return BinanceCaptureFeed(path, [capture.spec], speed=request.param, clock=clock, batch_events_max=64)


class TestLiveFeed(LiveFeedContract):
    """The live feed over real sockets."""

    @pytest.fixture
    async def feed(self, captures):
        """Return a feed of a replay server."""
        capture = captures[Market.SPOT]
        async with ReplayServer(capture.path) as server:
            feed = BinanceFeed([capture.spec], JumpingClock(), ws_url=server.ws_url, rest_url=server.rest_url)
            yield feed
            await feed.aclose()
