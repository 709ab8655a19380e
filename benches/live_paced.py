"""B8, one order in flight on the live path: quote, strategy, risk, journal, order manager, venue, fill."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from engine_runs import PAIR_LOTS, pair_spec
from tradecore.domain import EngineSpec, EventBatch, Matching, Mode
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import Units
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_findings import FillSeen, Findings, StreamReady
from tradecore.domain.venue_requests import Declined, Taken
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.system_clock import SystemClock
from tradecore.strategy import StrategyBinding
from tradecore_api.event_loop import loop_factory
from workloads import Quotes

WAIT_SECONDS_MAX = 600.0
CAPABILITIES = VenueCapabilities(
    order_kinds=frozenset({"market"}),
    times_in_force=frozenset({"gtc"}),
    replaces=False,
    post_only=False,
    reduce_only=False,
    positions=frozenset(),
    duplicate_ids=DuplicateIds.REFUSED,
    validity_window_ns=5_000_000_000,
    requests_per_second=float("inf"),
)


class AtOnce:
    """A venue in the process that fills each order before it answers."""

    def __init__(self) -> None:
        self.capabilities = CAPABILITIES
        self.fills = 0
        self._told: asyncio.Queue[object] = asyncio.Queue()

    async def submit(self, request):
        """Fill it."""
        self.fills += 1
        name = f"V{self.fills}"
        order = request.order
        fill = FillSeen(
            client_order_id=request.client_order_id,
            venue_order_id=name,
            instrument=order.instrument,
            symbol="AUDUSD",
            side=order.side,
            trade_id=f"T{self.fills}",
            price_ticks=order.reference_ticks,
            lots=request.lots,
            filled_lots=request.lots,
            liquidity="taker",
            fee=Decimal("1.5"),
            fee_currency="USD",
            time_ns=time.time_ns(),
        )
        self._told.put_nowait(fill)
        return Taken(venue_order_id=name)

    async def cancel(self, request):
        """Have nothing open."""
        return Declined(reason="unknown_order", words="not open")

    replace = cancel

    async def reports(self):
        """Tell fills."""
        yield StreamReady()
        while (message := await self._told.get()) is not None:
            yield message

    async def query(self, question):
        """Have nothing that is not told."""
        return Findings(seen=(), is_complete=True)

    async def aclose(self) -> None:
        """End the stream."""
        self._told.put_nowait(None)


class OneByOne:
    """A feed whose next quote comes when it is asked for."""

    def __init__(self, quotes: Quotes) -> None:
        rows = list(zip(*(column.tolist() for column in quotes), strict=True))
        # One before the first order, so that there is a price.
        self.rows: Iterator[tuple[int, ...]] = iter([*rows[:1], *rows])
        self.pushed_ns = 0
        self.is_over = asyncio.Event()
        self._queue: asyncio.Queue[EventBatch | None] = asyncio.Queue()

    def next(self) -> None:
        """Let one quote come, or be over."""
        row = next(self.rows, None)
        if row is None:
            self.is_over.set()
            return
        time_ns, bid_ticks, ask_ticks, bid_lots, ask_lots = row
        batch = EventBatch()
        batch.quote(time_ns, 0, bid_ticks, bid_lots, ask_ticks, ask_lots)
        self.pushed_ns = time.perf_counter_ns()
        self._queue.put_nowait(batch)

    async def batches(self, *, skip_events=0):
        """Yield what comes."""
        while (batch := await self._queue.get()) is not None:
            yield batch

    async def request_snapshot(self, instrument_id):
        """Have none."""
        return False

    async def aclose(self) -> None:
        """End."""
        self._queue.put_nowait(None)


class Paced:
    """One market order a quote; the next quote comes when it has filled."""

    def __init__(self, feed: OneByOne, delays_ns: list[int]) -> None:
        self.feed, self.delays_ns = feed, delays_ns
        self.orders = self.fills = 0
        self.is_ready = False

    def on_quote(self, ctx, quote) -> None:
        """Send one order."""
        if not self.is_ready:
            return
        self.orders += 1
        send = ctx.buy if self.orders % 2 else ctx.sell
        answer = send(quantity_lots=PAIR_LOTS)
        if not isinstance(answer, int):
            raise RuntimeError(f"an order was refused: {answer}")  # noqa: TRY004 - it is no wrong type

    def on_fill(self, ctx, fill) -> None:
        """Let the next quote come."""
        self.fills += 1
        self.delays_ns.append(time.perf_counter_ns() - self.feed.pushed_ns)
        self.feed.next()


def live_spec() -> EngineSpec:
    """State the account of B6, live."""
    return msgspec.structs.replace(pair_spec(Matching.QUOTES), mode=Mode.LIVE)


def paced(
    quotes: Quotes, delays_ns: list[int], place: str | None = None
) -> tuple[float, float, dict[str, float]]:
    """Run a session until each quote had its fill; return seconds, processor seconds and the answer.

    `delays_ns` gets what passed from each quote to its fill. The loop is that of the daemon, and the journal
    lies at `place`, or where temporary files do.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tradecore-bench-", dir=place) as folder,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        return runner.run(_traded(quotes, Path(folder), delays_ns))


async def _traded(
    quotes: Quotes, folder: Path, delays_ns: list[int]
) -> tuple[float, float, dict[str, float]]:
    feed = OneByOne(quotes)
    strategy = Paced(feed, delays_ns)
    spec = live_spec()
    session = Session(
        engine=Engine(spec, [StrategyBinding(name="paced", strategy=strategy)], recording=True),
        feed=feed,
        journal=JournalFolder(folder / "live.journal").writer(0),
        clock=SystemClock(),
        config=SessionConfig(engine=spec, strategies=({"class": "paced"},), feed={"kind": "bench"}),
        version="bench",
        outside=VenueLink(AtOnce(), lambda: "bench", Units(spec, ()), LinkSettings(check_seconds=3_600.0)),
    )
    running = asyncio.create_task(session.run())
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        feed.next()
        link, kernel = session.outside, session.engine.kernel
        while link.status.step != "agreed" or kernel.is_unreconciled:  # noqa: ASYNC110 - nothing to wait on
            await asyncio.sleep(0.01)
        strategy.is_ready = True
        began, began_cpu = time.perf_counter(), time.process_time()
        feed.next()
        over = asyncio.create_task(feed.is_over.wait())
        await asyncio.wait([running, over], return_when=asyncio.FIRST_COMPLETED)
        wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    session.stop()
    await running
    return wall, cpu, {"orders": strategy.orders, "fills": strategy.fills}
