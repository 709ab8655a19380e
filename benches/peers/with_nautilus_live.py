"""NautilusTrader's live node: its engines on an event loop, its sandbox as the venue. Nothing is durable."""

import asyncio
import sys
import time
from contextlib import suppress

from measured import Answer, Once, Spent, Workload, main
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import (
    LiveDataClientConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.live.factories import LiveDataClientFactory
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import ClientId
from with_nautilus_1 import PAIR, VENUE, Plain, instrument, quotes

SECONDS_MAX = 600


class Feed(LiveMarketDataClient):
    """Hands over quotes as any adapter does."""

    made = None

    def __init__(self, loop, msgbus, cache, clock):
        super().__init__(
            loop=loop,
            client_id=ClientId("FEED"),
            venue=VENUE,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=InstrumentProvider(),
        )
        Feed.made = self

    async def _connect(self):
        """Have nothing to connect to."""

    async def _disconnect(self):
        """Have nothing to leave."""

    async def _subscribe_quote_ticks(self, command):
        """Send quotes whoever asks."""

    async def _unsubscribe_quote_ticks(self, command):
        """Go on sending."""

    def push(self, quote):
        """Hand over one quote."""
        self._handle_data(quote)


class FeedFactory(LiveDataClientFactory):
    """Makes the feed."""

    @staticmethod
    def create(loop, name, config, msgbus, cache, clock):
        """Make it."""
        return Feed(loop, msgbus, cache, clock)


class Paced(Plain):
    """One market order a quote; the next quote comes when it has filled."""

    def __init__(self, rows, delays_ns):
        super().__init__()
        self.rows, self.delays_ns = iter(rows), delays_ns
        self.done = None
        self.pushed_ns = 0

    def on_start(self):
        """Ask for quotes."""
        self.subscribe_quote_ticks(PAIR)

    def on_quote_tick(self, tick):
        """Send one order."""
        self.send_market(self.sent % 2 == 0)

    def on_order_filled(self, event):
        """Let the next quote come."""
        self.fills += 1
        self.delays_ns.append(time.perf_counter_ns() - self.pushed_ns)
        self.next()

    def next(self):
        """Push one quote, or say that all are through."""
        quote = next(self.rows, None)
        if quote is None:
            self.done.set()
            return
        self.pushed_ns = time.perf_counter_ns()
        Feed.made.push(quote)


def traded(rows, delays_ns: list[int]) -> tuple[Spent, Answer]:
    """Run a node until each quote had its fill."""
    strategy = Paced(rows, delays_ns)
    sandbox = SandboxExecutionClientConfig(
        venue=VENUE.value, starting_balances=["1_000_000_000 USD"], base_currency="USD", account_type="MARGIN"
    )
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    node = TradingNode(
        TradingNodeConfig(
            logging=LoggingConfig(log_level="ERROR"),
            data_clients={"FEED": LiveDataClientConfig()},
            exec_clients={VENUE.value: sandbox},
            # By default 100 orders a second are let through, and the others refused.
            risk_engine=LiveRiskEngineConfig(max_order_submit_rate="1000000/00:00:01"),
        ),
        loop=loop,
    )
    node.cache.add_instrument(instrument())
    node.trader.add_strategy(strategy)
    node.add_data_client_factory("FEED", FeedFactory)
    node.add_exec_client_factory(VENUE.value, SandboxLiveExecClientFactory)
    node.build()

    async def run() -> Spent:
        strategy.done = asyncio.Event()
        running = asyncio.ensure_future(node.run_async())
        while not strategy.is_running:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)
        began, began_cpu = time.perf_counter(), time.process_time()
        strategy.next()
        async with asyncio.timeout(SECONDS_MAX):
            await strategy.done.wait()
        spent = Spent(time.perf_counter() - began, time.process_time() - began_cpu)
        await node.stop_async()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return spent

    spent = loop.run_until_complete(run())
    node.dispose()
    return spent, strategy.answer()


def prepare(count: int) -> Once:
    """B8: paced."""
    rows = quotes(count)
    return lambda: traded(rows, [])


def delays(count: int) -> list[int]:
    """From a quote to its fill."""
    found: list[int] = []
    traded(quotes(count), found)
    return found


if __name__ == "__main__":
    sys.exit(main("nautilus_trader", {"B8": Workload(prepare, delays)}))
