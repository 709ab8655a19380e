"""What each part of the proof tells: a row for each promise, how often it was tried and how often broken."""

import argparse
import sys
import time
from collections.abc import Callable

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One promise, as one part tried it.

    Attributes
    ----------
    promise : str
        Its number, as `P3`.
    what : str
        What was tried, in words: `orders cut off by a kill`.
    tried : int
        How often.
    found : int
        How often it was broken.
    worst : str
        What makes the worst one happen again: a seed, a point, the name of an image; empty for none.
    """

    promise: str
    what: str
    tried: int
    found: int = 0
    worst: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one part came to.

    Attributes
    ----------
    part : str
        Its name, that of its module.
    size : int
        How much of it was asked for.
    seconds : float
        How long it took by the wall clock.
    rows : tuple of Row
        One for each promise.
    failures : tuple of str
        What was broken, one line each, with what makes it happen again.
    bounded_by : str
        What kept it from the size that was asked for; empty where nothing did.
    """

    part: str
    size: int
    seconds: float
    rows: tuple[Row, ...]
    failures: tuple[str, ...] = ()
    bounded_by: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a part is asked for: how much, from which seed, in how many processes, in how many seconds."""

    size: int
    seed: int
    jobs: int
    seconds_max: float


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What the work of a part returns: its rows, what broke, and what kept it from its size."""

    rows: tuple[Row, ...]
    failures: tuple[str, ...] = ()
    bounded_by: str = ""


def main(part: str, size: int, work: Callable[[Asked], Gathered], arguments: list[str] | None = None) -> int:
    """Run a part as a command, and print one JSON document; 1 where something was broken.

    Parameters
    ----------
    part : str
        Its name.
    size : int
        How much it does unless `--size` says otherwise.
    work : callable
        Does it.
    arguments : list of str, optional
        Of the command line.
    """
    parser = argparse.ArgumentParser(prog=f"python -m promises.{part}")
    parser.add_argument("--size", type=int, default=size)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds-max", type=float, default=3_600.0)
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    asked = Asked(size=options.size, seed=options.seed, jobs=options.jobs, seconds_max=options.seconds_max)
    gathered = work(asked)
    found = Found(
        part=part,
        size=options.size,
        seconds=round(time.monotonic() - begun, 1),
        rows=gathered.rows,
        failures=gathered.failures,
        bounded_by=gathered.bounded_by,
    )
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return 1 if found.failures or any(row.found for row in found.rows) else 0
