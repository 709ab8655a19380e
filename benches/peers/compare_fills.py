"""Compare the maker of B7 order by order, on hftbacktest and on tradecore, and explain what differs.

Usage: `python benches/peers/compare_fills.py`; it makes the peer's environment where it is missing, and needs
the real capture. Ends with 1 when a difference is not explained.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cases import HFTBACKTEST
from environments import HERE, python_of
from plain_queue import OURS, PEERS, SHARES, PlainOrder, Rules, Wanted, filled_ns
from side import environment

from bench_capture import without_quotes
from capture import LOT_SIZE, SYMBOL, TICK_SIZE, Change, timeline
from engine_runs import Maker, maker_spec
from maker import (
    CANCELLED,
    FILLED,
    MEASURED,
    PRICE,
    QUEUES,
    SENT,
    SIDE,
    Orders,
    first_step_ns,
    latency_rows,
)
from tradecore.domain import LatencySamples
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

ALIKE = "alike"
FRONT = "estimate below the front"
TRADES = "level stated again after a trade"
HALF = "half a lot beyond those ahead"
SEVERAL = "several of these"
LATER = "sent by one only, after such a difference"
UNEXPLAINED = "NOT EXPLAINED"
# Our rules with one of the peer's in their place.
STEPS = {
    FRONT: OURS._replace(stops_at_front=PEERS.stops_at_front),
    TRADES: OURS._replace(forgets_trades=PEERS.forgets_trades),
    HALF: OURS._replace(rounds_lots=PEERS.rounds_lots),
    SEVERAL: PEERS,
}


class Pair(NamedTuple):
    """One order as both engines had it: rows of `maker.Orders`."""

    theirs: np.ndarray
    ours: np.ndarray


def classes_of(theirs: Orders, ours: Orders, queue: str, changes: list[Change]) -> Counter[str]:
    """Count orders by what became of them in both engines.

    An order that both sent at the same time to the same price and that filled at another time is explained
    when the plain rules of each engine give its time, and the least change of rules from ours to the peer's
    that does so is its class. One that only one engine sent has to follow a difference.
    """
    known, own = ({tuple(row[:FILLED]): row for row in orders} for orders in (theirs, ours))
    both = [Pair(known[key], own[key]) for key in known if key in own]
    parted = [pair for pair in both if pair.theirs[FILLED] != pair.ours[FILLED]]
    found = Counter({ALIKE: len(both) - len(parted)})
    found.update(_explained(parted, queue, changes))
    first_ns = min((pair.ours[SENT] for pair in parted), default=None)
    for key in known.keys() ^ own.keys():
        found[LATER if first_ns is not None and key[SENT] > first_ns else UNEXPLAINED] += 1
    return found


def _explained(parted: list[Pair], queue: str, changes: list[Change]) -> list[str]:
    """Name the class of each order that both sent and that filled differently."""
    by_ours = _times(parted, queue, OURS, changes, [pair.ours for pair in parted])
    theirs = [pair.theirs for pair in parted]
    by_step = {name: _times(parted, queue, rules, changes, theirs) for name, rules in STEPS.items()}
    names = []
    for index, pair in enumerate(parted):
        name = UNEXPLAINED
        if by_ours[index] == pair.ours[FILLED] and by_step[SEVERAL][index] == pair.theirs[FILLED]:
            name = next(name for name, times in by_step.items() if times[index] == pair.theirs[FILLED])
        names.append(name)
    return names


def _times(
    parted: list[Pair], queue: str, rules: Rules, changes: list[Change], ends: list[np.ndarray]
) -> list[int]:
    """Follow all orders under these rules until the engine that is explained cancelled them."""
    wanted = [
        Wanted(
            int(pair.ours[SENT]),
            PlainOrder(int(pair.ours[SIDE]), int(pair.ours[PRICE]), SHARES[queue], rules),
            0 if end[FILLED] else int(end[CANCELLED]),
        )
        for pair, end in zip(parted, ends, strict=True)
    ]
    return filled_ns(changes, wanted)


def their_orders(queue: str) -> Orders:
    """Run the maker on hftbacktest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.npy"
        script = [str(python_of(HFTBACKTEST)), str(HERE / "with_hftbacktest.py"), "orders", queue, str(path)]
        subprocess.run(script, env=environment(), check=True)
        return np.load(path)


def our_orders(queue: str) -> Orders:
    """Run the maker on tradecore; times at the venue are those of the journal's frames."""
    maker = Maker(first_step_ns())
    latency = LatencySamples(*latency_rows().T.copy()) if queue == MEASURED else None
    binding = StrategyBinding(name="maker", strategy=maker)
    spec = maker_spec(SYMBOL, TICK_SIZE, LOT_SIZE, queue)
    engine = Engine(spec, [binding], recording=True, latency=latency)
    engine.feed(without_quotes())
    engine.run()
    for _, _, fields in decode_frames(engine.take_frames()):
        if fields.get("report") == "fill":
            maker.rows[fields["order_id"]][FILLED] = fields["venue_time_ns"]
    return maker.orders()


def main() -> int:
    """Print a line for each class of each queue model.

    Returns
    -------
    int
        1 when a difference is not explained.
    """
    unexplained = 0
    for queue in (*QUEUES, MEASURED):
        theirs, ours = their_orders(queue), our_orders(queue)
        fills = [int((orders[:, FILLED] > 0).sum()) for orders in (theirs, ours)]
        print(f"{queue}: {len(theirs)} orders and {fills[0]} fills there, {len(ours)} and {fills[1]} here")
        found = classes_of(theirs, ours, queue, timeline())
        for name, count in found.items():
            print(f"  {count:5} {name}")
        unexplained += found[UNEXPLAINED]
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
