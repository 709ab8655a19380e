"""A session in live mode at a venue in the process of the test."""

import asyncio
import contextlib

import msgspec

from support.sessions import SPEC, FakeClock
from support.units import units_in
from tradecore.domain import EventBatch, Matching, Mode, VenueSpec
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import Positions
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import ReportTimes
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.recovery import recover, recover_from
from tradecore.runtime.snapshots import SnapshotKeeper, SnapshotSettings
from tradecore.sim.simulated_exchange import START_NS
from tradecore.strategy import StrategyBinding
from tradecore_api.external_strategy import External

LIVE = msgspec.structs.replace(SPEC, mode=Mode.LIVE, venue=VenueSpec(matching=Matching.QUOTES))
CONFIG = SessionConfig(engine=LIVE, strategies=({"class": "buyer"},), feed={"kind": "test"})


class Buyer:
    """Buys ten at 95 at each trade of the market; told `cancel` it takes the last order back."""

    def __init__(self) -> None:
        self.orders = []
        self.refused = []
        self.time_in_force = "gtc"

    def save_state(self, ctx):
        """Keep the numbers of its orders."""
        return [self.orders, self.refused]

    def load_state(self, ctx, state):
        """Go on with them."""
        self.orders, self.refused = state

    def on_trade(self, ctx, trade):
        """Do what the size of the trade says."""
        if trade.lots == 2:
            ctx.cancel(self.orders[-1])
        elif trade.lots == 3:
            ctx.replace(self.orders[-1], quantity_lots=7, price_ticks=96)
        elif trade.lots == 4:
            ctx.sell(quantity_lots=10, limit_ticks=120, reduce_only=True)
        else:
            answer = ctx.buy(quantity_lots=10, limit_ticks=95, time_in_force=self.time_in_force)
            (self.orders if answer else self.refused).append(answer or answer.rule)


class HandFeed:
    """A feed that a test fills by hand."""

    def __init__(self) -> None:
        self.queue = asyncio.Queue()
        self.time_ns = START_NS

    async def batches(self, *, skip_events=0):
        """Yield what is put."""
        while (batch := await self.queue.get()) is not None:
            yield batch

    def trade(self, lots=1):
        """Let the market trade so many lots; the size says what the strategy does."""
        self.time_ns += 1_000_000
        batch = EventBatch()
        batch.trade(self.time_ns, 0, 100, lots, True)
        self.queue.put_nowait(batch)

    async def request_snapshot(self, instrument_id):
        """Have none."""
        return False

    async def aclose(self):
        """End."""
        self.queue.put_nowait(None)


class Live:
    """A session at a venue, and what a test asks of both."""

    def __init__(self, path, venue, feed=None, **settings) -> None:
        self.path, self.venue = path, venue
        # What went wrong with snapshots.
        self.failed = []
        self.feed = feed or HandFeed()
        self.strategy = settings.pop("strategy", None) or Buyer()
        folder = JournalFolder(path)
        bindings = [StrategyBinding(name="buyer", strategy=self.strategy)]
        if "owners" in settings:
            bindings.append(StrategyBinding(name="external", strategy=External()))
        hedges = venue.capabilities.hedging
        positions = Positions.HEDGING if hedges else Positions.NETTING
        spec = msgspec.structs.replace(
            LIVE,
            renews_amended=() if venue.capabilities.replaces else (LIVE.account.name,),
            account=msgspec.structs.replace(LIVE.account, positions=positions),
        )
        behaviour = settings.pop("behaviour", CONFIG.behaviour)
        config = msgspec.structs.replace(CONFIG, engine=spec, behaviour=behaviour)
        events = settings.pop("snapshot_events", 0)
        engine = Engine(spec, bindings, recording=True)
        journal = folder.writer(0)
        paths = folder.snapshots.paths() if events else ()
        if paths:
            recovered = recover_from(folder, engine, config, folder.snapshots.read(paths[0]))
        else:
            recovered = recover(folder, engine, config) if journal.records else None
        copy = settings.pop("copy", None)
        report_ns = int(settings.pop("report_seconds_max", 0.2) * 1e9)
        settings = {"answer_seconds_max": 0.5, "report_times": ReportTimes(default_ns=report_ns)} | settings
        given = {name: settings.pop(name, None) for name in ("clock", "budget")}
        link = VenueLink(venue, lambda: "test", units_in("USD"), LinkSettings(**settings), copy=copy, **given)
        self.session = Session(
            engine=engine,
            feed=self.feed,
            journal=journal,
            clock=FakeClock(),
            config=config,
            version="test",
            recovered=recovered,
            outside=link,
            keeper=SnapshotKeeper(folder, SnapshotSettings(events=events), self.failed.append),
        )

    @property
    def engine(self):
        """The engine."""
        return self.session.engine

    @property
    def position(self):
        """The position by the books."""
        return self.engine.kernel.position_total_lots(0)

    def states(self):
        """Return the states of the open orders."""
        return {order["order_id"]: order["state"] for order in self.engine.kernel.open_orders()}

    async def until(self, is_so, seconds=5.0):
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    def is_reconciled(self):
        """Tell whether new risk may be taken."""
        is_over = self.session.outside.status.step == "agreed"
        return is_over and not self.engine.kernel.is_unreconciled

    def kinds(self):
        """Return the kinds of the journal's records."""
        return [kind for _, _, kind, _ in JournalFolder(self.path).reader()]


@contextlib.asynccontextmanager
async def running(path, venue, *, is_killed=False, **settings):
    """Run a session until the block ends: cleanly, or as if it were killed."""
    live = Live(path, venue, **settings)
    task = asyncio.create_task(live.session.run())
    try:
        yield live
    finally:
        if is_killed:
            task.cancel()
        else:
            live.session.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)


async def ready(live):
    """Let the first price come, and wait until books and venue were compared."""
    live.feed.trade(2) if live.strategy.orders else live.feed.queue.put_nowait(quote(live.feed))
    await live.until(live.is_reconciled)


def quote(feed):
    """Return a batch with a quote, a millisecond later."""
    feed.time_ns += 1_000_000
    batch = EventBatch()
    batch.quote(feed.time_ns, 0, 99, 10, 101, 10)
    return batch
