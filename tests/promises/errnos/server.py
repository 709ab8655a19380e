"""Tries one failed call after the other, in a process that was started with the library for it."""

import signal
import sys
import time
from collections import Counter
from itertools import count, islice

import msgspec

from promises.crashes.seeds import mortal_seeds
from promises.errnos import engine, killed, writer
from promises.errnos.shim import Shim
from promises.errnos.writer import Tried

# Of so many failed calls one is met by a whole engine, the others by a writer alone.
ENGINE_IN = 5


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What a server has tried.

    Attributes
    ----------
    tried : dict of str to int
        How often each call failed.
    stopped : int
        How often the writer stopped by it.
    engines : int
        How often a whole engine met it.
    broken : tuple of Tried
        Those after which something was wrong.
    """

    tried: dict[str, int]
    stopped: int
    engines: int
    broken: tuple[Tried, ...]


def serve(seed: int, share: int, shares: int, size: int, seconds: float, *, broken_max: int = 20) -> Served:
    """Try this share of so many failed calls; those that meet no call do not count.

    It is over early once so many of them have broken something.
    """
    ends_at = time.monotonic() + seconds
    shim = Shim()
    calls: Counter[str] = Counter()
    stopped = engines = 0
    broken: list[Tried] = []
    seeds = islice(mortal_seeds(seed), share, None, shares)
    for number in count(share, shares):
        if calls.total() >= size or len(broken) >= broken_max or time.monotonic() > ends_at:
            break
        is_engine = number // shares % ENGINE_IN == 0
        found = engine.tried(shim, next(seeds)) if is_engine else writer.tried(shim, seed, number)
        if found.call:
            calls[found.call.split(" ", maxsplit=1)[0]] += 1
            stopped += found.stopped
            engines += is_engine
        if found.findings:
            broken.append(found)
    return Served(tried=dict(calls), stopped=stopped, engines=engines, broken=tuple(broken))


def serve_kills(
    seed: int, share: int, shares: int, size: int, seconds: float, *, broken_max: int = 20
) -> Served:
    """Kill writers this share of so many times."""
    ends_at = time.monotonic() + seconds
    shim = Shim()
    calls: Counter[str] = Counter()
    broken: list[Tried] = []
    for number in count(share, shares):
        if calls.total() >= size or len(broken) >= broken_max or time.monotonic() > ends_at:
            break
        found = killed.tried(shim, seed, number)
        calls.update(found.call.split())
        if found.findings:
            broken.append(found)
    return Served(tried=dict(calls), stopped=calls.total(), engines=0, broken=tuple(broken))


def main(arguments: list[str]) -> int:
    """Print what was tried, as JSON; asked for are `fail` or `kill`, seed, share, shares, size, seconds."""
    seed, share, shares, size = map(int, arguments[1:5])
    work = serve_kills if arguments[0] == "kill" else serve
    served = work(seed, share, shares, size, float(arguments[5]))
    sys.stdout.buffer.write(msgspec.json.encode(served) + b"\n")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
