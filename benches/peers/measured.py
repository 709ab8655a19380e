"""What every peer script does alike: run one workload some times and print one JSON line.

Usage of each script: `python with_NAME.py WORKLOAD COUNT REPEATS [--no-delays]`, in an environment that has
the peer, and with `benches` on the path for the shared generators. Needs numpy and the standard library only.
"""

import gc
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

Answer = dict[str, float]
# Does the measured work once: seconds it took, and what it came to.
Once = Callable[[], tuple[float, Answer]]


class Workload(NamedTuple):
    """How to run one workload on one library."""

    # Makes the data, outside of the measured time, and gives back what is measured.
    prepare: Callable[[int], Once]
    # Runs once more with a clock at both ends of each step: nanoseconds, one for each step.
    delays: Callable[[int], list[int]] | None = None


def seconds_of(work: Callable[[], Answer]) -> tuple[float, Answer]:
    """Time one call."""
    gc.collect()
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


def peak_mb() -> float:
    """Give the peak memory of this process, in MB of 10^6 bytes.

    Read from the process's own high-water mark: that of `getrusage` is handed down by the parent.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("no VmHWM in /proc/self/status: peak memory needs Linux")


def main(distribution: str, workloads: Mapping[str, Workload]) -> int:
    """Run what the command line asks for and print the result as one JSON line.

    Returns
    -------
    int
        0; what goes wrong ends the process with its own message.
    """
    name, count, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    workload = workloads[name]
    once = workload.prepare(count)
    runs = [once() for _ in range(repeats)]
    result: dict[str, object] = {
        "version": metadata.version(distribution),
        "python": platform.python_version(),
        "seconds": [seconds for seconds, _ in runs],
        "answer": runs[-1][1],
        "peak_mb": peak_mb(),
    }
    if workload.delays is not None and "--no-delays" not in sys.argv:
        delays = np.array(workload.delays(count)) / 1000
        result["delay_us"] = {
            f"p{point}": float(np.percentile(delays, float(point))) for point in ("50", "99", "99.9")
        }
    print(json.dumps(result))
    return 0
