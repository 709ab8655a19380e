"""What every peer script does alike: run one workload whenever it is asked to.

Usage of each script: `python with_NAME.py WORKLOAD COUNT [--no-delays]`, in an environment that has the peer,
and with `benches` on the path for the shared generators. It makes the data, says that it is ready, runs the
workload once for every line it reads, and ends with its input. What it says are lines of JSON after `bench:`.
By hand: `echo | python with_NAME.py WORKLOAD COUNT`. Needs numpy and the standard library only.
"""

import gc
import json
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

Answer = dict[str, float]


class Spent(NamedTuple):
    """What a run took, in seconds."""

    wall: float
    # Of all threads of the process: what other work on the machine does not add to.
    cpu: float


# Does the measured work once: what it took, and what it came to.
Once = Callable[[], tuple[Spent, Answer]]


class Workload(NamedTuple):
    """How to run one workload on one library."""

    # Makes the data, outside of the measured time, and gives back what is measured.
    prepare: Callable[[int], Once]
    # Runs once more with a clock at both ends of each step: nanoseconds, one for each step.
    delays: Callable[[int], list[int]] | None = None


def seconds_of(work: Callable[[], Answer]) -> tuple[Spent, Answer]:
    """Time one call."""
    gc.collect()
    start, start_cpu = time.perf_counter(), time.process_time()
    answer = work()
    return Spent(time.perf_counter() - start, time.process_time() - start_cpu), answer


def clocked(rows: Iterable, delays_ns: list[int]) -> Iterator:
    """Pass rows on and note how long each was worked on, in nanoseconds.

    The same loop that is measured without a clock runs with one; reading it costs some 50 ns a row.
    """
    now = time.perf_counter_ns
    for row in rows:
        start = now()
        yield row
        delays_ns.append(now() - start)


def peak_mb() -> float:
    """Give the peak memory of this process, in MB of 10^6 bytes.

    Read from the process's own high-water mark: that of `getrusage` is handed down by the parent.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("no VmHWM in /proc/self/status: peak memory needs Linux")


def say(**facts: object) -> None:
    """Write one line for the bench."""
    print("bench:" + json.dumps(facts), flush=True)


def main(distribution: str, workloads: Mapping[str, Workload]) -> int:
    """Run what the command line names as often as the input asks for.

    Returns
    -------
    int
        0; what goes wrong ends the process with its own message.
    """
    name, count = sys.argv[1], int(sys.argv[2])
    if name not in workloads:
        raise SystemExit(f"this version of {distribution} has no {name}")
    workload = workloads[name]
    once = workload.prepare(count)
    say(ready=True)
    for _ in sys.stdin:
        spent, answer = once()
        say(seconds=spent.wall, cpu_seconds=spent.cpu, answer=answer)
    found = {"version": metadata.version(distribution), "python": platform.python_version()}
    peak = peak_mb()
    delays = {}
    if workload.delays is not None and "--no-delays" not in sys.argv:
        taken = np.array(workload.delays(count)) / 1000
        delays = {"delay_us": {f"p{point}": float(np.percentile(taken, point)) for point in (50, 99, 99.9)}}
    say(**found, peak_mb=peak, **delays)
    return 0
