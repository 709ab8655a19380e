"""How many orders a second get from a decision to bytes at the other end of a socket, durable first?

Usage: `benches/live_sending.py [--groups 40] [--group 64] [--line 1200] [--folder PLACE]`.

A session in live mode decides on quotes to send orders: the journal is committed, then the order manager, the
adapter of the local venue and its WebSockets carry them to another process. That one notes when each message
arrived and answers at once, so that no venue bounds the figure. Two figures come of it:

- `grouped_per_second`: groups no larger than what may be under way at once, from the first decision of a
  group to the arrival of its last order; nothing else is going on.
- `line_per_second`: one line of orders, of which each leaves as soon as an answer makes room. Answers,
  reports and their frames cost as much as the sending.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from aiohttp import web

from tradecore import AccountSpec, EngineSpec, InstrumentSpec, Matching, Mode, StrategyBinding, VenueSpec
from tradecore.domain import EventBatch
from tradecore.domain.journal import JournalFolder
from tradecore.domain.secret import Secret
from tradecore.domain.units import Units
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.system_clock import SystemClock
from tradecore.testkit.local_venue import Right, VenueSettings
from tradecore.testkit.local_venue.settings import LimitSetting
from tradecore_api.event_loop import loop_factory
from tradecore_local import Key, wire
from tradecore_local.client import LocalVenue
from tradecore_local.server import KeyGrant, LocalVenueServer

KEY = Key(key_id="bench", secret=Secret("of the bench alone"))
INSTRUMENT = InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001")
SPEC = EngineSpec(
    mode=Mode.LIVE,
    instruments=(INSTRUMENT,),
    venue=VenueSpec(matching=Matching.QUOTES),
    account=AccountSpec(cash="1000000000"),
)
CONFIG = SessionConfig(engine=SPEC, strategies=({"class": "each"},), feed={"kind": "bench"})
WAIT_SECONDS_MAX = 60.0


class Sink(LocalVenueServer):
    """A local venue that takes every order at once, and notes only when it arrived."""

    def __init__(self) -> None:
        plain = VenueSettings()
        market = msgspec.structs.replace(plain.markets[0], has_agents=False, is_margin=True, leverage=5)
        limits = LimitSetting(per_second=0, burst=100_000)
        settings = msgspec.structs.replace(plain, markets=(market,), limits=limits)
        grant = KeyGrant(key=KEY, account="demo", rights=frozenset({Right.TRADE}))
        super().__init__(settings, (grant,), SystemClock())
        self.arrived: list[int] = []

    async def _serve_trading(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = await self._socket(request)
        read = msgspec.json.Decoder(wire.SocketRequest).decode
        async for message in socket:
            self.arrived.append(time.time_ns())
            said = read(message.data)
            body = msgspec.json.decode(said.body, type=wire.OrderBody)
            order = wire.Order(
                client_order_id=body.client_order_id,
                venue_order_id=str(len(self.arrived)),
                symbol=body.symbol,
                side=body.side,
                type=body.kind,
                state="open",
                price=body.price,
                quantity=body.quantity,
                open=body.quantity,
                filled="0",
                reason="",
                time_ns=self.arrived[-1],
            )
            found = msgspec.Raw(msgspec.json.encode(wire.OrderAnswer(order=order)))
            answer = wire.SocketAnswer(id=said.id, status=200, headers={}, body=found)
            await socket.send_bytes(msgspec.json.encode(answer))
        return socket

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/arrived":
            arrived, self.arrived = self.arrived, []
            return web.json_response(arrived)
        return await super()._handle(request)


class Each:
    """Sends a limit order on each quote, and notes when it decided to."""

    def __init__(self) -> None:
        self.decided_ns: list[int] = []
        self.refused = 0

    def on_quote(self, ctx, quote) -> None:
        """Buy one lot far below the market."""
        if quote.bid_lots != 1:
            return
        self.decided_ns.append(time.time_ns())
        if not isinstance(ctx.buy(quantity_lots=1, limit_ticks=quote.bid_ticks - 1_000), int):
            self.refused += 1


class HandFeed:
    """A feed that the bench fills."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[EventBatch | None] = asyncio.Queue()

    async def batches(self, *, skip_events=0):
        """Yield what is put."""
        while (batch := await self._queue.get()) is not None:
            yield batch

    def quotes(self, count: int, lots: int) -> None:
        """Let so many quotes come at once."""
        batch = EventBatch()
        now_ns = time.time_ns()
        for number in range(count):
            batch.quote(now_ns + number, 0, 6_000_000, lots, 6_000_002, 10)
        self._queue.put_nowait(batch)

    async def request_snapshot(self, instrument_id):
        """Have none."""
        return False

    async def aclose(self) -> None:
        """End."""
        self._queue.put_nowait(None)


class Bench:
    """A session in live mode, and the venue in another process."""

    def __init__(self, folder: Path, venue: LocalVenue, url: str) -> None:
        self.strategy, self.feed = Each(), HandFeed()
        self.venue, self._url = venue, url
        bindings = [StrategyBinding(name="each", strategy=self.strategy)]
        # A comparison in between would find orders that nobody has.
        settings = LinkSettings(check_seconds=3_600.0)
        self.session = Session(
            engine=Engine(SPEC, bindings, recording=True),
            feed=self.feed,
            journal=JournalFolder(folder / "live.journal").writer(0),
            clock=SystemClock(),
            config=CONFIG,
            version="bench",
            outside=VenueLink(venue, lambda: "bench", Units(SPEC, ()), settings),
        )

    async def ready(self) -> None:
        """Wait until orders may leave."""
        self.feed.quotes(1, 2)
        await self._until(lambda: self.session.outside.status.step == "agreed")

    async def sent(self, count: int) -> float:
        """Decide on so many orders at once; return how many a second arrived."""
        self.strategy.decided_ns.clear()
        self.feed.quotes(count, 1)
        await self._until(lambda: len(self.strategy.decided_ns) == count)
        if self.strategy.refused:
            raise RuntimeError(f"{self.strategy.refused} orders were refused")
        arrived: list[int] = []
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while len(arrived) < count:
                arrived += await self._arrived()
                await asyncio.sleep(0.05)
        return count / (max(arrived) - self.strategy.decided_ns[0]) * 1e9

    async def _arrived(self) -> list[int]:
        async with self.venue._session.get(f"{self._url}/arrived") as answer:
            found: list[int] = msgspec.json.decode(await answer.read())
            return found

    async def _until(self, is_so) -> None:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not is_so():  # noqa: ASYNC110 - there is nothing to wait on
                await asyncio.sleep(0.005)


async def measured(folder: Path, url: str, options: argparse.Namespace) -> dict[str, object]:
    """Return the two figures."""
    venue = await LocalVenue.signed_by(url, KEY, [INSTRUMENT], SystemClock())
    bench = Bench(folder, venue, url)
    running = asyncio.create_task(bench.session.run())
    await bench.ready()
    # Connections are made once.
    await bench.sent(options.group)
    groups = sorted([await bench.sent(options.group) for _ in range(options.groups)])
    line = await bench.sent(options.line)
    bench.session.stop()
    await running
    return {
        "group": options.group,
        "grouped_per_second": round(groups[len(groups) // 2]),
        "grouped_per_second_quarters": [round(groups[len(groups) * part // 4]) for part in (1, 3)],
        "line_per_second": round(line),
    }


async def serve() -> None:
    """Be the venue until the input ends."""
    async with Sink() as sink:
        print(sink.url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main(arguments: list[str]) -> int:
    """Measure and print one JSON document.

    Returns
    -------
    int
        0.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, default in (("groups", 40), ("group", 64), ("line", 1_200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", help="where the journal is made: which disk is measured")
    parser.add_argument("--venue", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.venue:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve())
        return 0
    command = [sys.executable, __file__, "--venue"]
    with (
        tempfile.TemporaryDirectory(prefix="tradecore-bench-", dir=options.folder) as name,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as venue,
    ):
        url = venue.stdout.readline().strip() if venue.stdout is not None else ""
        # The loop of the daemon.
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            found = runner.run(measured(Path(name), url, options))
        venue.communicate()
    found["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
