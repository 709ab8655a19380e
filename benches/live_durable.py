"""How long after its decision is an order durable, one by one and in groups, beside a bare append and sync?

Usage: `python benches/live_durable.py [--orders 2000] [--grouped 100000] [--group 1000] [--folder PLACE]`.

An engine in live mode decides on each quote to send an order; the journal is committed before the order may
leave. One by one the same number of bytes is appended to a bare file and synced with it, in turn. No venue is
asked: this is what an order costs before its first byte leaves.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tradecore import AccountSpec, EngineSpec, InstrumentSpec, Matching, Mode, StrategyBinding, VenueSpec
from tradecore.domain import EventBatch
from tradecore.domain.journal import JournalFolder
from tradecore.domain.record import JournalRecord
from tradecore.engine import Engine
from tradecore.runtime.commit import Commit

# An engine has room for 4,096 open orders.
OPEN_MAX = 1_000
START_NS = 1_700_000_000_000_000_000
SPEC = EngineSpec(
    mode=Mode.LIVE,
    instruments=(InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.0001"),),
    venue=VenueSpec(matching=Matching.QUOTES),
    account=AccountSpec(cash="1000000000"),
)


class Each:
    """Sends a limit order on each quote, and notes when it decided to, and which orders there are."""

    def __init__(self) -> None:
        self.decided_ns = 0
        self.orders: list[int] = []

    def on_quote(self, ctx, quote) -> None:
        """Buy one lot far below the market."""
        self.decided_ns = time.perf_counter_ns()
        answer = ctx.buy(quantity_lots=1, limit_ticks=quote.bid_ticks - 1_000)
        if isinstance(answer, int):
            self.orders.append(answer)


class TimedJournal:
    """A journal that notes when a commit is durable."""

    def __init__(self, writer) -> None:
        self._writer = writer
        self.durable_ns = 0

    @property
    def records(self) -> int:
        """Frames so far."""
        return self._writer.records

    def append(self, frames: bytes) -> None:
        """Append frames."""
        self._writer.append(frames)

    def commit(self, durable: bool) -> None:
        """Commit, and note when that was done."""
        self._writer.commit(durable)
        self.durable_ns = time.perf_counter_ns()


class Bench:
    """An engine, its journal and the step between them, in a folder."""

    def __init__(self, folder: Path, name: str, *, has_reader: bool = True) -> None:
        self.strategy = Each()
        self.engine = Engine(SPEC, [StrategyBinding(name="each", strategy=self.strategy)], recording=True)
        self.journal = TimedJournal(JournalFolder(folder / name).writer(0))
        self.sent = 0
        self.has_reader = has_reader
        dispatch = self._take if has_reader else None
        self.commit = Commit(self.engine, self.journal, (), interval_seconds=0.05, dispatch=dispatch)
        self._quotes = 0

    def group(self, orders: int) -> tuple[int, int]:
        """Decide on so many quotes, and commit; return how many bytes and nanoseconds that was."""
        batch = EventBatch()
        for _ in range(orders):
            self._quotes += 1
            batch.quote(START_NS + self._quotes * 1_000, 0, 6_000_000, 10, 6_000_002, 10)
        self.engine.feed(batch)
        began = time.perf_counter_ns()
        self.engine.run()
        output = self.commit.take()
        self.commit.publish(output)
        # With a reader a group has ended once its requests are known.
        ended = time.perf_counter_ns() if self.has_reader else self.journal.durable_ns
        return len(output), ended - began

    def end_all(self) -> None:
        """Let the venue refuse every order, so that there is room for more."""
        batch = EventBatch()
        for order_id in self.strategy.orders:
            batch.venue_report(self.engine.now_ns, 0, order_id, "rejected", reason="unsupported")
        self.strategy.orders.clear()
        self.engine.feed(batch)
        self.engine.run()
        self.journal.append(self.commit.take())
        self.journal.commit(True)

    def _take(self, records: list[JournalRecord]) -> None:
        self.sent += sum(record.kind == "sent" for record in records)


def shares(times_ns: list[int]) -> dict[str, float]:
    """Return p50, p99 and p99.9 in microseconds."""
    found = sorted(times_ns)
    return {
        name: round(found[min(int(share * len(found)), len(found) - 1)] / 1e3, 1)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
    }


async def one_by_one(folder: Path, orders: int) -> dict[str, object]:
    """Measure decision to durable, and a bare append and sync of as many bytes, in turn."""
    bench = Bench(folder, "one.journal")
    ours, bare = [], []
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(orders):
            size, _ = bench.group(1)
            data = bytes(size)
            ours.append(bench.journal.durable_ns - bench.strategy.decided_ns)
            began = time.perf_counter_ns()
            os.write(descriptor, data)
            os.fdatasync(descriptor)
            bare.append(time.perf_counter_ns() - began)
            if len(bench.strategy.orders) == OPEN_MAX:
                bench.end_all()
    finally:
        os.close(descriptor)
    if bench.sent != orders:
        raise RuntimeError(f"{bench.sent} of {orders} orders were sent")
    found, plain = shares(ours), shares(bare)
    return {
        "us_from_decision_to_durable": found,
        "us_of_bare_append_and_sync": plain,
        "us_above_at_p50": round(found["p50"] - plain["p50"], 1),
    }


async def grouped(folder: Path, orders: int, group: int, *, has_reader: bool) -> float:
    """Return how many orders a second become durable in groups; with or without reading them back to send."""
    bench = Bench(folder, f"grouped-{has_reader}.journal", has_reader=has_reader)
    taken_ns = 0
    for _ in range(orders // group):
        taken_ns += bench.group(group)[1]
        bench.end_all()
    count = orders // group * group
    if has_reader and bench.sent != count:
        raise RuntimeError(f"{bench.sent} of {count} orders were sent")
    return round(count / taken_ns * 1e9)


def main(arguments: list[str]) -> int:
    """Measure and print one JSON document.

    Returns
    -------
    int
        0.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, default in (("orders", 2_000), ("grouped", 100_000), ("group", 1_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", help="where the files are made: which disk is measured")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tradecore-bench-", dir=options.folder) as name:
        folder = Path(name)
        found = asyncio.run(one_by_one(folder, options.orders))
        durable = asyncio.run(grouped(folder, options.grouped, options.group, has_reader=False))
        read = asyncio.run(grouped(folder, options.grouped, options.group, has_reader=True))
    found |= {"grouped_durable_per_second": durable, "grouped_read_for_sending_per_second": read}
    found["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
