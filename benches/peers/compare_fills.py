"""Compare the maker of B7 order by order, on hftbacktest and on tradecore, and explain what differs.

Usage: `make bench-fills`; it makes the peer's environment where it is missing, and needs the real capture.
Orders of one lot first, then orders of many that fill in parts. Ends with 1 when a difference is not
explained.
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
from plain_queue import OURS, PEERS, SHARES, Part, PlainOrder, Rules, Wanted, parts_of
from side import environment

from bench_capture import without_quotes
from capture import LOT_SIZE, SYMBOL, TICK_SIZE, Change, timeline
from engine_runs import Maker, maker_spec
from maker import CANCELLED, FILLED, LOTS, MANY_LOTS, MEASURED, QUEUES, Orders, first_step_ns, latency_rows
from maker import Parts as PartRows
from tradecore.domain import LatencySamples
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

ALIKE = "alike"
FRONT = "estimate below the front"
TRADES = "level stated again after a trade"
HALF = "half a lot beyond those ahead"
WHOLE = "run through, and filled beyond what there was"
SEVERAL = "several of these"
LATER = "sent or cancelled by one only, after such a difference"
UNEXPLAINED = "NOT EXPLAINED"
# Our rules with one of the peer's in their place; with none of them, only the cancel came at another time.
STEPS = {
    LATER: OURS,
    FRONT: OURS._replace(stops_at_front=PEERS.stops_at_front),
    TRADES: OURS._replace(forgets_trades=PEERS.forgets_trades),
    HALF: OURS._replace(rounds_lots=PEERS.rounds_lots),
    WHOLE: OURS._replace(fills_whole=PEERS.fills_whole),
    SEVERAL: PEERS,
}


class Sent(NamedTuple):
    """What an engine sent, and what became of it there."""

    sent_ns: int
    side: int
    price_ticks: int
    cancelled_ns: int
    parts: tuple[Part, ...]

    @property
    def key(self) -> tuple[int, int, int]:
        """What makes two orders of two engines the same."""
        return self.sent_ns, self.side, self.price_ticks


class Pair(NamedTuple):
    """One order as both engines had it."""

    theirs: Sent
    ours: Sent


def classes_of(
    theirs: list[Sent], ours: list[Sent], queue: str, changes: list[Change], lots: int = LOTS
) -> Counter[str]:
    """Count orders by what became of them in both engines.

    An order that both sent at the same time to the same price and that filled otherwise is explained when the
    plain rules of each engine give its parts, and the least change of rules from ours to the peer's that does
    so is its class. One that only one engine sent, or cancelled, has to follow a difference.
    """
    known, own = ({order.key: order for order in orders} for orders in (theirs, ours))
    both = [Pair(known[key], own[key]) for key in known if key in own]
    parted = [pair for pair in both if pair.theirs.parts != pair.ours.parts]
    found = Counter({ALIKE: len(both) - len(parted)})
    names = _explained(parted, queue, changes, lots)
    causes = [pair.ours.sent_ns for pair, name in zip(parted, names, strict=True) if name != LATER]
    first_ns = min(causes, default=None)
    late = [pair.ours.sent_ns for pair, name in zip(parted, names, strict=True) if name == LATER]
    late += [key[0] for key in known.keys() ^ own.keys()]
    found.update(name for name in names if name != LATER)
    for sent_ns in late:
        found[LATER if first_ns is not None and sent_ns > first_ns else UNEXPLAINED] += 1
    return found


def _explained(parted: list[Pair], queue: str, changes: list[Change], lots: int) -> list[str]:
    """Name the class of each order that both sent and that filled differently."""

    def parts(rules: Rules, ends: list[Sent]) -> list[tuple[Part, ...]]:
        """Follow all orders under these rules until the engine that is explained cancelled them."""
        wanted = [
            Wanted(
                end.sent_ns,
                PlainOrder(end.side, end.price_ticks, SHARES[queue], rules, lots),
                end.cancelled_ns,
            )
            for end in ends
        ]
        return parts_of(changes, wanted)

    by_ours = parts(OURS, [pair.ours for pair in parted])
    theirs = [pair.theirs for pair in parted]
    by_step = {name: parts(rules, theirs) for name, rules in STEPS.items()}
    names = []
    for index, pair in enumerate(parted):
        name = UNEXPLAINED
        if by_ours[index] == pair.ours.parts and by_step[SEVERAL][index] == pair.theirs.parts:
            name = next(name for name, found in by_step.items() if found[index] == pair.theirs.parts)
        names.append(name)
    return names


def sent(orders: Orders, parts: PartRows) -> list[Sent]:
    """Put orders and their parts together; parts of one time are one."""
    summed: list[dict[int, int]] = [{} for _ in orders]
    for number, time_ns, lots in parts.tolist():
        summed[number][time_ns] = summed[number].get(time_ns, 0) + lots
    rows = orders.tolist()
    return [
        Sent(*row[:FILLED], row[CANCELLED], tuple(found.items()))
        for row, found in zip(rows, summed, strict=True)
    ]


def whole_parts(orders: Orders) -> PartRows:
    """Give the one part of each order that fills whole."""
    filled = np.flatnonzero(orders[:, FILLED])
    return np.stack([filled, orders[filled, FILLED], np.full(len(filled), LOTS)], axis=1)


def their_orders(queue: str, lots: int) -> list[Sent]:
    """Run the maker on hftbacktest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.npz"
        kind = "orders" if lots == LOTS else "parts"
        script = [
            str(python_of(HFTBACKTEST)),
            str(HERE / "with_hftbacktest.py"),
            kind,
            queue,
            str(path),
            str(lots),
        ]
        subprocess.run(script, env=environment(), check=True)
        with np.load(path) as told:
            orders = told["orders"]
            return sent(orders, told["parts"] if "parts" in told else whole_parts(orders))


def our_orders(queue: str, lots: int) -> list[Sent]:
    """Run the maker on tradecore; times at the venue are those of the journal's frames."""
    maker = Maker(first_step_ns(), lots)
    latency = LatencySamples(*latency_rows().T.copy()) if queue == MEASURED else None
    binding = StrategyBinding(name="maker", strategy=maker)
    spec = maker_spec(SYMBOL, TICK_SIZE, LOT_SIZE, queue)
    engine = Engine(spec, [binding], recording=True, latency=latency)
    engine.feed(without_quotes())
    engine.run()
    rows = {order_id: row for row, order_id in enumerate(maker.rows)}
    parts = [
        (rows[fields["order_id"]], fields["venue_time_ns"], fields["lots"])
        for _, _, fields in decode_frames(engine.take_frames())
        if fields.get("report") == "fill"
    ]
    return sent(maker.orders(), np.array(parts, dtype=np.int64).reshape(-1, 3))


def main() -> int:
    """Print a line for each class of each queue model.

    Returns
    -------
    int
        1 when a difference is not explained; 2 when the capture is missing.
    """
    try:
        changes = timeline()
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 2
    unexplained = 0
    runs = [*((queue, LOTS) for queue in (*QUEUES, MEASURED)), *((queue, MANY_LOTS) for queue in QUEUES)]
    for queue, lots in runs:
        both = their_orders(queue, lots), our_orders(queue, lots)
        told = [f"{len(orders)} orders, {sum(len(order.parts) for order in orders)} fills" for orders in both]
        print(f"{queue}, lots an order {lots}: {told[0]} there; {told[1]} here")
        found = classes_of(*both, queue, changes, lots)
        for name, count in found.items():
            print(f"  {count:5} {name}")
        unexplained += found[UNEXPLAINED]
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
