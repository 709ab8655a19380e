"""Does an order cost the same, in time and in memory, in a short run, a long one and the thousandth?

The baseline is the same work of our own in short runs: at a ratio of 1 length, number and age cost nothing.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine_runs import Prepared, Taker, pair_spec, prepare, quote_batch, run
from tradecore.domain import Matching
from workloads import Quotes, pair_quotes

SHORT = 10_000
STATM = Path("/proc/self/statm")
BYTES_PER_ORDER_MAX = 500
# Processor time of an order in a long run over that in a short one, and of the first run over a later one.
SLOWDOWN_MAX = 1.2
GROWTH_BYTES_MAX = 8 << 20

needs_proc = pytest.mark.skipif(not STATM.exists(), reason="reads Linux's /proc")


def prepared(quotes: Quotes) -> Prepared:
    """Make an engine that will send a market order at every quote."""
    return prepare(pair_spec(Matching.QUOTES), Taker(), quote_batch(quotes))


def part(quotes: Quotes, start: int, end: int) -> Quotes:
    """Cut rows out of columns."""
    return Quotes(*(column[start:end] for column in quotes))


def resident_bytes() -> int:
    """Return the memory that this process holds now."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Clocked:
    """Does work and keeps the processor time of each call: what other work on the machine does not add to."""

    def __init__(self, work: Callable[..., object]) -> None:
        self.work = work
        self.seconds: list[float] = []

    def __call__(self, *given: object) -> object:
        """Do it once."""
        start = time.process_time()
        answer = self.work(*given)
        self.seconds.append(time.process_time() - start)
        return answer


@pytest.mark.parametrize("orders", [100_000, 1_000_000])
def bench_throughput_of_a_long_run(compare, orders):
    """B6-long: does an order of a long run take as long as one of a short run?"""
    amount, short = compare.size(orders, 2_000), compare.size(SHORT, 1_000)
    quotes, rounds = pair_quotes(amount), compare.size(3, 1)
    beginnings = [[prepared(part(quotes, 0, short)) for _ in range(amount // short)] for _ in range(rounds)]
    long = Clocked(run)
    pieces = Clocked(lambda: sum(run(piece).summary.fills for piece in beginnings.pop()))

    ours, fills = compare(
        f"B6-long {orders:>9,} orders",
        long,
        pieces,
        prepare=lambda: prepared(quotes),
        amount=amount,
        unit="orders/s",
        plain="runs of 10k",
        goal=1.5e6,
        rounds=rounds,
    )

    slowdown = min(long.seconds) / min(pieces.seconds)
    compare.note(also_slower_than_short=f"{slowdown:.2f}x")

    assert ours.summary.fills == fills == amount
    if compare.full:
        assert slowdown <= SLOWDOWN_MAX


MEMORY = """
import sys
from bench_scale import SHORT, pair_quotes, part, prepared, quote_batch, resident_bytes
orders = int(sys.argv[1])
quotes = pair_quotes(orders)
ready = prepared(part(quotes, 0, SHORT))
ready.engine.run()
before = resident_bytes()
for start in range(SHORT, orders, SHORT):
    ready.engine.feed(quote_batch(part(quotes, start, start + SHORT)))
    ready.engine.run()
print(ready.strategy.fills, (resident_bytes() - before) / (orders - SHORT))
"""


@needs_proc
@pytest.mark.parametrize("orders", [100_000, 1_000_000])
def bench_memory_of_a_closed_order(compare, orders):
    """B6-memory: how many bytes does a closed order leave behind, in a process of its own?"""
    amount = compare.size(orders, 4 * SHORT)

    (fills, grown), _ = compare(
        f"B6-memory {orders:>9,} orders",
        lambda: said_by_a_child(MEMORY, amount),
        lambda: said_by_a_child(MEMORY, amount),
        amount=amount,
        unit="orders/s",
        plain="again",
        goal=1e6,
        rounds=1,
    )
    compare.note(also_bytes_an_order=f"{grown:.0f}")

    assert fills == amount
    assert 0 < grown <= BYTES_PER_ORDER_MAX


@needs_proc
def bench_a_thousand_backtests(compare):
    """B-thousand: do a thousand small backtests in one process leave memory behind, or slow down?"""
    count, quotes = compare.size(1_000, 50), pair_quotes(200)
    before = []

    def backtests() -> int:
        fills = sum(run(prepared(quotes)).summary.fills for _ in range(count))
        before.append(resident_bytes())
        return fills

    fills, earlier = compare(
        "B-thousand backtests",
        backtests,
        backtests,
        amount=count,
        unit="backtests/s",
        plain="the thousand before",
        goal=2_000,
        rounds=1,
    )
    compare.note(also_grown_kib=f"{(before[1] - before[0]) // 1024}")

    assert fills == earlier == count * len(quotes.bid)
    assert before[1] - before[0] <= GROWTH_BYTES_MAX


SECONDS = """
import sys, time
from bench_scale import pair_quotes, prepared, run
quotes = pair_quotes(int(sys.argv[1]))
for _ in range(7):
    ready = prepared(quotes)
    start = time.process_time()
    run(ready)
    print(time.process_time() - start)
"""


def bench_the_first_run(compare):
    """B6-first: how much slower is the first run of a new process than the ones after it?"""
    orders = compare.size(100_000, 2_000)
    slowdowns = []

    def seven_runs() -> list[float]:
        seconds = said_by_a_child(SECONDS, orders)
        slowdowns.append(seconds[0] / statistics.median(seconds[1:]))
        return seconds

    seconds, _ = compare(
        "B6-first, with start",
        seven_runs,
        seven_runs,
        amount=7 * orders,
        unit="orders/s",
        plain="again",
        goal=1e6,
    )
    compare.note(also_first_to_steady=f"{statistics.median(slowdowns):.2f}x")

    assert len(seconds) == 7
    if compare.full:
        assert statistics.median(slowdowns) <= SLOWDOWN_MAX


def said_by_a_child(code: str, orders: int) -> list[float]:
    """Run code in a new process and read the numbers that it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code, str(orders)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [float(number) for number in said.split()]
