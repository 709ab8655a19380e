"""Small sessions on a simulated exchange, and fakes of the runtime's ports."""

import asyncio
from pathlib import Path

from tradecore.domain import EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.domain.journal import JournalFolder
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig
from tradecore.runtime.recovery import recover
from tradecore.sim.agents import AgentCrowd
from tradecore.sim.simulated_exchange import DEMO_MARKETS, START_NS
from tradecore.strategy import StrategyBinding
from tradecore_api.demo_strategies import Quoter

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001"),),
    venue=VenueSpec(matching=Matching.EXCHANGE, order_latency_ns=2_000_000, report_latency_ns=2_000_000),
)
CONFIG = SessionConfig(engine=SPEC, strategies=({"class": "quoter"},), feed={"kind": "test"})
SLICE_NS = 20_000_000


class ListFeed:
    """A `MarketFeed` of the same simulated flow on every call, with an optional fault at its end.

    `pause` is awaited before each batch; `can_snapshot` is what `request_snapshot` answers.
    """

    def __init__(self, *, slices=20, error=None, pause=None, can_snapshot=False) -> None:
        self.slices = slices
        self.error = error
        self.pause = pause
        self.can_snapshot = can_snapshot
        self.asked = []
        self.is_closed = False

    async def batches(self, *, skip_events=0):
        """Yield the flow slice by slice."""
        crowd = AgentCrowd(DEMO_MARKETS[:1], seed=7, start_ns=START_NS)
        for number in range(1, self.slices + 1):
            batch = EventBatch()
            crowd.run_until(START_NS + number * SLICE_NS, batch)
            skipped = min(skip_events, len(batch))
            skip_events -= skipped
            batch.skip(skipped)
            if self.pause is not None:
                await self.pause(number)
            if len(batch):
                yield batch
        if self.error is not None:
            raise self.error

    async def request_snapshot(self, instrument_id):
        """Note that it was asked."""
        self.asked.append(instrument_id)
        return self.can_snapshot

    async def aclose(self):
        """Note that it was closed."""
        self.is_closed = True


class FakeClock:
    """A `Clock` that stands still until it is set."""

    def __init__(self, time_ns=START_NS) -> None:
        self.time_ns = time_ns

    def now_ns(self):
        """Return the time it was set to."""
        return self.time_ns

    async def sleep_until(self, time_ns, /):
        """Jump there."""
        self.time_ns = max(self.time_ns, time_ns)
        await asyncio.sleep(0)


def fresh_engine(strategy=None):
    """Make a recording engine with one quoting strategy."""
    strategy = strategy or Quoter()
    return Engine(SPEC, [StrategyBinding(name="quoter", strategy=strategy)], recording=True)


def open_session(path: Path, *, feed=None, journal=None, strategy=None, **options):
    """Open a session as wiring does: recover what is in the journal, then go on."""
    engine = fresh_engine(strategy)
    journal = journal or JournalFolder(path).writer(0)
    recovered = None
    if journal.records:
        try:
            recovered = recover(JournalFolder(path), engine, CONFIG)
        except BaseException:
            journal.close()
            raise
    return Session(
        engine=engine,
        feed=feed or ListFeed(),
        journal=journal,
        clock=options.pop("clock", FakeClock()),
        config=CONFIG,
        version="test",
        recovered=recovered,
        **options,
    )
