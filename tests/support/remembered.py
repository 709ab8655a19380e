"""A live engine without its line to the venue, and who hears of it: orders, each filled, and its memory."""

import json
import sys
from pathlib import Path
from unittest import mock

import msgspec

from tradecore._core import Kernel
from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.domain.narrator import Narrator
from tradecore.engine import Engine
from tradecore.engine.equity_points import EquityPoints
from tradecore.runtime.frames import scan
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
    account=AccountSpec(cash="1000000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)
NAMES = ("one",)
STEP_NS = 5_000_000


class BuysAndSells:
    """Sends an order of one lot at each quote, to both sides in turn."""

    def on_start(self, ctx):
        """Have sent nothing."""
        self.sent = self.last = 0

    def on_quote(self, ctx, quote):
        """Send."""
        self.sent += 1
        send, ticks = (ctx.buy, quote.ask_ticks) if self.sent % 2 else (ctx.sell, quote.bid_ticks)
        self.last = send(quantity_lots=1, limit_ticks=ticks)


class Hearers:
    """Who hears of each commit beside the engine: the equity of the tables, and the words of the log."""

    def __init__(self):
        self._equity, self._narrator = EquityPoints(SPEC, NAMES), Narrator(SPEC, NAMES)
        self._records = 0

    def take(self, frames):
        """Take in what was committed."""
        self._equity.take(frames)
        found = scan(frames)
        for record in found.records(self._records):
            self._narrator.note(record)
        self._records += found.frames


def live_engine(strategy):
    """Return an engine whose orders go to a venue outside."""

    def kernel_of(spec, *arguments, **settings):
        return Kernel(msgspec.structs.replace(spec, mode="live"), *arguments, **settings)

    with mock.patch("tradecore.engine.engine.Kernel", kernel_of):
        return Engine(SPEC, [StrategyBinding(name=NAMES[0], strategy=strategy)], recording=True)


def memory_bytes():
    """Return what memory of its own this process has."""
    rows = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(rows["RssAnon"].split()[0]) * 1024


def run(orders, every):
    """Send so many orders; return memory and fills after each part."""
    strategy = BuysAndSells()
    engine, hearers, now_ns, seen = live_engine(strategy), Hearers(), 1_000_000_000, []

    def tell(fill_batch):
        """Feed what happened, and hand on the frames and let go of them as a commit does."""
        batch = EventBatch()
        fill_batch(batch)
        engine.feed(batch)
        engine.run()
        hearers.take(engine.take_frames())

    tell(lambda batch: batch.agreement(now_ns, 0, True))
    for number in range(1, orders + 1):
        now_ns += STEP_NS
        tell(lambda batch, at=now_ns: batch.quote(at, 0, 99, 50, 101, 50))
        tell(lambda batch, at=now_ns: answers(batch, at, strategy.last))
        if number % every == 0:
            seen.append((memory_bytes(), engine.summary().fills))
    return seen


def answers(batch, now_ns, order_id):
    """Let a venue take an order and fill it, each under a name of its own."""
    names = {"venue_order_id": f"V{order_id}"}
    batch.venue_report(now_ns + 1, 0, order_id, "accepted", **names)
    names["trade_id"] = f"T{order_id}"
    batch.venue_report(now_ns + 2, 0, order_id, "fill", price_ticks=100, lots=1, **names)


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
