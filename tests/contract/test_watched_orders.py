"""Orders of kinds that a venue does not have: the engine watches for them, and a restart goes on."""

import asyncio

import msgspec
import pytest

from support.live_session import CONFIG, LIVE, HandFeed, quote
from support.scripted_venue import QUICK, ScriptedVenue
from support.sessions import FakeClock
from support.units import units_in
from tradecore.domain import EventBatch
from tradecore.domain.journal import JournalFolder
from tradecore.domain.venue_requests import Submit
from tradecore.engine import Engine
from tradecore.runtime import Session
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import ReportTimes
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.recovery import recover
from tradecore.strategy import StrategyBinding

WATCHED = QUICK.watched
NATIVE = msgspec.structs.replace(QUICK, order_kinds=QUICK.order_kinds | set(WATCHED))


class Asks:
    """Asks for one order at its first trade."""

    def __init__(self, wish) -> None:
        self.wish = wish
        self.answers = []

    def on_trade(self, ctx, trade):
        """Ask."""
        if not self.answers:
            self.answers.append(ctx.sell(quantity_lots=10, **self.wish))


class Run:
    """A session in live mode at a scripted venue."""

    def __init__(self, path, venue, wish, time_ns=None) -> None:
        spec = msgspec.structs.replace(LIVE, watched=venue.capabilities.watched)
        config = msgspec.structs.replace(CONFIG, engine=spec)
        self.engine = Engine(spec, [StrategyBinding(name="asks", strategy=Asks(wish))], recording=True)
        folder = JournalFolder(path)
        journal = folder.writer(0)
        recovered = recover(folder, self.engine, config) if journal.records else None
        self.feed = HandFeed()
        self.feed.time_ns = max(self.feed.time_ns, time_ns or 0)
        times = ReportTimes(default_ns=200_000_000)
        settings = LinkSettings(answer_seconds_max=0.5, report_times=times)
        self.session = Session(
            engine=self.engine,
            feed=self.feed,
            journal=journal,
            clock=FakeClock(),
            config=config,
            version="test",
            recovered=recovered,
            outside=VenueLink(venue, lambda: "test", units_in("USD"), settings),
        )
        self.task = asyncio.create_task(self.session.run())

    async def until(self, is_so):
        """Wait until something is so."""
        async with asyncio.timeout(5):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def ready(self):
        """Wait until books and venue are compared."""
        self.feed.queue.put_nowait(quote(self.feed))
        await self.until(lambda: self.session.outside.status.step == "agreed")

    def trade(self, price_ticks):
        """Let the market trade."""
        self.feed.time_ns += 1_000_000
        batch = EventBatch()
        batch.trade(self.feed.time_ns, 0, price_ticks, 1, False)
        self.feed.queue.put_nowait(batch)

    async def end(self, *, is_killed=False):
        """End, cleanly or not."""
        if is_killed:
            self.task.cancel()
        else:
            self.session.stop()
        await asyncio.wait([self.task])


class Requested(ScriptedVenue):
    """Keeps what it was asked for."""

    def __init__(self, capabilities=QUICK) -> None:
        super().__init__(capabilities=capabilities)
        self.requests = []
        self.before_submit = self.requests.append


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


@pytest.mark.parametrize(
    ("wish", "prices", "kind", "price_ticks"),
    [
        ({"stop_ticks": 95}, (96, 95), "market", None),
        ({"stop_ticks": 95, "limit_ticks": 94}, (96, 95), "limit", 94),
        ({"touch_ticks": 105}, (104, 105), "market", None),
        ({"trail_ticks": 5}, (110, 106, 105), "market", None),
        ({"trail_ticks": 5, "trail_limit_ticks": 2}, (110, 105), "limit", 103),
    ],
)
async def test_it_is_sent_as_what_it_becomes_when_it_is_set_off(path, wish, prices, kind, price_ticks):
    """Nothing goes out before; then one request, of a kind that the venue has."""
    venue = Requested()
    run = Run(path, venue, wish)
    await run.ready()
    run.trade(100)
    for price in prices:
        await asyncio.sleep(0.02)
        assert venue.requests == []
        run.trade(price)
    await run.until(lambda: venue.requests)
    await run.end()

    (request,) = venue.requests
    assert isinstance(request, Submit)
    assert (request.order.order_kind, request.order.price_ticks, request.lots) == (kind, price_ticks, 10)
    assert request.order.trigger_ticks is None


async def test_a_venue_that_has_the_kind_gets_it_at_once(path):
    """What a venue watches outlives this process."""
    venue = Requested(NATIVE)
    run = Run(path, venue, {"stop_ticks": 95})
    await run.ready()
    run.trade(100)
    await run.until(lambda: venue.requests)
    await run.end()

    assert (venue.requests[0].order.order_kind, venue.requests[0].order.trigger_ticks) == ("stop", 95)


@pytest.mark.parametrize("is_set_off_first", [False, True])
async def test_a_crash_neither_forgets_nor_doubles_an_order_that_is_watched(path, is_set_off_first):
    """Nobody watches while nobody runs; the first price after the start counts."""
    venue = Requested()
    first = Run(path, venue, {"stop_ticks": 95})
    await first.ready()
    first.trade(100)
    await first.until(first.engine.kernel.open_orders)
    if is_set_off_first:
        first.trade(94)
        await first.until(lambda: venue.orders)
    await first.end(is_killed=True)
    second = Run(path, venue, {"stop_ticks": 95}, first.feed.time_ns)
    await second.ready()
    second.trade(90)
    second.trade(80)
    await second.until(lambda: venue.requests)
    await asyncio.sleep(0.05)
    await second.end()

    assert len(venue.requests) == len(venue.orders) == 1
