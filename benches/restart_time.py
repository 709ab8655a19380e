"""How long does a start take after so many market events, from a snapshot and from the journal's beginning?

`python benches/restart_time.py` writes a journal of a million quotes of one instrument, with a strategy that
trades now and then, and lets the session die without a clean end, so that the newest snapshot is as old as it
can be. Then a process of its own opens the account, as `tradecore run` does, until its engine is where the
journal ends: from then on it takes commands. Its baseline is the same start without snapshots. `--events`,
`--hours` and `--keep DIR` make other journals; a week is `--events 20000000 --hours 168`.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tradecore import EventBatch, Quote
from tradecore.domain.journal import JournalFolder
from tradecore.engine import Context
from tradecore_api.config import read
from tradecore_api.wiring import sessions, snapshots
from tradecore_api.wiring.runnable import runnable

START_NS = 1_767_225_600_000_000_000
BATCH = 1_000
PATH_TICKS = 200


class NowAndThen:
    """Rests a bid every thousandth quote, takes back the one before, and closes at every ten thousandth."""

    def on_start(self, ctx: Context) -> None:
        """Begin to count."""
        self.seen = self.resting = 0
        self.average = ctx.ema(20)

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Count, and do something now and then."""
        self.seen += 1
        if self.seen % 10_000 == 0:
            ctx.close()
        elif self.seen % 1_000 == 0:
            if self.resting:
                ctx.cancel(self.resting)
            self.resting = ctx.buy(quantity_lots=1, limit_ticks=quote.ask_ticks - 1) or 0

    def on_bar(self, ctx: Context, bar: object) -> None:
        """Have bars, so that the averages move."""

    def save_state(self, ctx: Context) -> object:
        """Keep the count and what rests."""
        return [self.seen, self.resting]

    def load_state(self, ctx: Context, state: list[int]) -> None:
        """Go on counting."""
        self.on_start(ctx)
        self.seen, self.resting = state


def settings(path: Path, *, restart: str = "snapshot") -> dict[str, object]:
    """Return the configuration of the account."""
    return {
        "mode": "paper",
        "account": {"name": "restart", "currency": "USD", "cash": "1000000"},
        "instruments": [{"symbol": "BTC-USD", "tick_size": "0.1", "lot_size": "0.001"}],
        "feed": {"kind": "simulated", "seconds": 1, "virtual": True},
        "strategy": {"class": f"{Path(__file__).resolve()}:NowAndThen", "bars": "1m", "history": 500},
        "venue": {"matching": "quotes", "order_latency_ns": 1_000_000, "report_latency_ns": 1_000_000},
        "journal": {"path": str(path), "restart": restart},
    }


class Quotes:
    """A feed of so many quotes over so many hours; at its end it waits to be let down."""

    def __init__(self, events: int, hours: float) -> None:
        self.events = events
        self.step_ns = int(hours * 3_600_000_000_000 / events)
        self.is_over = asyncio.Event()

    async def batches(self, *, skip_events: int = 0):
        """Yield them, a thousand at a time."""
        for begin in range(skip_events, self.events, BATCH):
            batch = EventBatch()
            for number in range(begin, min(begin + BATCH, self.events)):
                ticks = 600_000 + abs(number * 7 % (4 * PATH_TICKS) - 2 * PATH_TICKS)
                batch.quote(START_NS + number * self.step_ns, 0, ticks, 50, ticks + 1 + number % 3, 50)
            yield batch
        self.is_over.set()
        await asyncio.Event().wait()

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Have none."""
        return False

    async def aclose(self) -> None:
        """Nothing is open."""


async def write(path: Path, events: int, hours: float) -> None:
    """Write the journal, and die without a clean end."""
    feed = Quotes(events, hours)
    sessions.build_feed = lambda config, clock: (feed, False)
    config = runnable(read.from_tree(settings(path), "restart_time"))
    session = sessions.open_session(config, JournalFolder(path)).session
    task = asyncio.create_task(session.run())
    await feed.is_over.wait()
    # What was yielded last is taken by the next turns of the loop.
    await asyncio.sleep(2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def start(path: Path, restart: str) -> dict[str, object]:
    """Open the account in this process; say how long that took since the parent began to count."""
    opened_at, cpu_before = time.monotonic(), time.process_time()
    config = runnable(read.from_tree(settings(path, restart=restart), "restart_time"))
    session = sessions.open_session(config, JournalFolder(path)).session
    recovered = session.recovered
    return {
        "open_s": round(time.monotonic() - opened_at, 3),
        "open_cpu_s": round(time.process_time() - cpu_before, 3),
        "process_cpu_s": round(time.process_time(), 3),
        "ready_at": time.monotonic(),
        "records": recovered.frames,
        "from_seq": recovered.from_seq,
        "replayed": recovered.replayed_events,
        "state_hash": session.engine.state_hash(),
        "passed_over": recovered.passed_over,
    }


def measured(path: Path, restart: str) -> dict[str, object]:
    """Start a process of its own and return what it says, with the time from its beginning."""
    begun = time.monotonic()
    command = [sys.executable, __file__, "--start", str(path), "--restart", restart]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return said | {"process_s": round(said.pop("ready_at") - begun, 3)}


def keeping(path: Path) -> dict[str, object]:
    """Say how long the engine stands still for a snapshot, and how large that is."""
    config = runnable(read.from_tree(settings(path), "restart_time"))
    session = sessions.open_session(config, JournalFolder(path)).session
    took = []
    for _ in range(7):
        begun = time.perf_counter()
        kept = session.engine.keep()
        took.append(time.perf_counter() - begun)
    return {"keep_ms": round(min(took) * 1e3, 2), "bytes": len(kept.body)}


def main() -> None:
    """Write, start, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=999_000)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--restart", default="snapshot")
    parser.add_argument("--no-baseline", action="store_true")
    arguments = parser.parse_args()
    if arguments.start:
        print(json.dumps(start(arguments.start, arguments.restart)))
        return
    with tempfile.TemporaryDirectory() as directory:
        folder = arguments.keep or Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "restart.journal"
        if not path.exists():
            asyncio.run(write(path, arguments.events, arguments.hours))
        rows = {"from_snapshot": measured(path, "snapshot")}
        if not arguments.no_baseline:
            rows["from_start"] = measured(path, "start")
            assert rows["from_start"]["state_hash"] == rows["from_snapshot"]["state_hash"]
        rows["snapshot"] = keeping(path)
        rows["journal_bytes"] = sum(each.stat().st_size for each in folder.glob("restart.journal*"))
        rows["found"] = len(
            snapshots.found(runnable(read.from_tree(settings(path), "x")), JournalFolder(path)).snapshots
        )
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
