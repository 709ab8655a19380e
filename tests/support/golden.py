"""Writes journals with everything in them, and what the engine that wrote them says of itself.

`python -m support.golden DIRECTORY`, called in `tests`, writes those of the behaviour that is installed. The
ones in `tests/replay/golden/behaviour-N` were written by version N of the behaviour and are never written
anew: they show that journals of every version are read.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from support.every_order import EveryOrder, plain_market, plain_spec
from support.random_orders import SECOND_NS, STRATEGY, Everything, events_of, spec_of
from tradecore.decision import MaxSpread
from tradecore.domain import Matching, VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig, SystemClock
from tradecore.runtime.recovery import recover
from tradecore.strategy import StrategyBinding
from tradecore_api.version import VERSION

# Market, seed and steps; chosen for what happens in them. Without a seed: the plain strategy, a calm market.
PLAIN = None
RUNS = {
    "bars": (Matching.BARS, 167, 80),
    "halts": (Matching.BARS, 125, 80),
    "margin": (Matching.BARS, 376, 80),
    "quotes": (Matching.QUOTES, 66, 100),
    "book": (Matching.BOOK, 37, 70),
    "exchange": (Matching.EXCHANGE, 342, 30),
    "plain_bars": (Matching.BARS, PLAIN, 70),
    "plain_quotes": (Matching.QUOTES, PLAIN, 100),
    "plain_book": (Matching.BOOK, PLAIN, 100),
    "plain_exchange": (Matching.EXCHANGE, PLAIN, 60),
}


class StepsFeed:
    """A feed of the steps of a random market from one to another; it fails at its end where it is told to."""

    def __init__(self, batches, *, fails) -> None:
        self.steps = batches
        self.fails = fails

    async def batches(self, *, skip_events=0):
        """Yield what is left of the market."""
        del skip_events
        for batch in self.steps:
            yield batch
        if self.fails:
            raise VenueError("the line is dead")

    async def request_snapshot(self, instrument_id):
        """Give none: the market brings them by itself."""
        return False

    async def aclose(self):
        """Nothing is open."""


def engine_of(matching, seed, *, gates=()) -> Engine:
    """Return a recording engine with the strategy that does everything."""
    latency_ns = 0 if matching is Matching.BARS else 2 * SECOND_NS
    if seed is PLAIN:
        strategy, spec = EveryOrder(), plain_spec(matching, latency_ns=latency_ns)
    else:
        strategy, spec = Everything(), spec_of(matching, latency_ns=latency_ns)
        strategy.seed = seed
    return Engine(
        spec,
        [StrategyBinding(name=STRATEGY, strategy=strategy, instruments=(0, 1))],
        recording=True,
        gates=gates,
    )


async def write(path: Path, matching: Matching, seed: int | None, steps: int, version: str) -> Engine:
    """Write a journal of two sessions: a feed that fails, and the rest of the data."""
    market_of = plain_market if seed is PLAIN else events_of
    batches = list(market_of(matching, seed, steps))
    half = steps // 2
    named = "every_order.py:EveryOrder" if seed is PLAIN else "random_orders.py:Everything"
    # Bars have no spread: there the gate would let nothing pass.
    gates = () if matching is Matching.BARS or seed is PLAIN else (MaxSpread(ticks=3),)
    for part, fails in ((batches[:half], True), (batches[half:], False)):
        engine = engine_of(matching, seed, gates=gates)
        config = SessionConfig(
            engine=engine.spec,
            strategies=({"class": named, "name": STRATEGY},),
            feed={"kind": "steps"},
            gates=gates,
        )
        journal = JournalFolder(path).writer(0)
        recovered = recover(JournalFolder(path), engine, config) if journal.records else None
        session = Session(
            engine=engine,
            feed=StepsFeed(part, fails=fails),
            journal=journal,
            clock=SystemClock(),
            config=config,
            version=version,
            recovered=recovered,
        )
        try:
            await session.run()
        except VenueError:
            assert fails
    return engine


def facts(path: Path, engine: Engine) -> dict[str, object]:
    """Say what is in a journal, and what its engine holds at the end."""
    kinds = Counter(kind for _, _, kind, _ in JournalFolder(path).reader())
    summary = engine.summary()
    verdict = JournalFolder(path).verify()
    return {
        "records": verdict.records,
        "head": verdict.head,
        "kinds": dict(sorted(kinds.items())),
        "orders": summary.orders,
        "fills": summary.fills,
        "refusals": summary.refusals,
        "orders_digest": engine.orders_digest(),
        "open_orders": engine.kernel.open_orders(),
        "positions": [engine.kernel.position_lots(0, i) for i in range(2)],
        "money": {name: str(amount) for name, amount in engine.kernel.money().items()},
    }


def main(directory: Path) -> None:
    """Write every journal, and beside them what is in them."""
    found = {}
    for name, (matching, seed, steps) in RUNS.items():
        path = directory / f"{name}.journal"
        engine = asyncio.run(write(path, matching, seed, steps, VERSION))
        found[name] = facts(path, engine)
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        path.chmod(0o644)
    (directory / "engine.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
