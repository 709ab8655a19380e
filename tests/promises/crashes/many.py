"""Kills in many seeds: how many of each, and what was found."""

import gc
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

import msgspec

from promises.crashes.points import drawn
from promises.crashes.run import SHARED_MEMORY, CrashRun, Death, killed
from promises.crashes.seeds import EVENTS, mortal_seeds
from promises.errnos.beside import serve_beside
from promises.errnos.server import Served
from promises.part import Asked, Gathered, Row
from tradecore.proof.plan import plan_of
from tradecore_api.wiring.simulation import local_place

POINTS_A_SEED = 40
# How often an engine is killed again on its way to where the one before was, in two of three cases.
DEPTH = 3
# Each finding of a simulation belongs to a promise; of these the crashes are what is tried.
_WHAT = {
    "P1": "kills at points of the order path; what was committed is there, books and venue agree in the end",
    "P8": "restarts whose state is byte by byte that before the kill, and journals made again",
    "P9": "kills of an engine that was just starting after a kill",
    "P9 triples": "lines of three or more kills, each in the recovery from the one before",
}


class SeedFound(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the kills in one seed, and where they were."""

    seed: int
    deaths: tuple[Death, ...]
    places: tuple[str, ...]


def many(asked: Asked) -> Gathered:
    """Kill engines at so many points."""
    ends_at = time.monotonic() + asked.seconds_max
    tally = _Tally()
    per_seed = min(POINTS_A_SEED, asked.size)
    seeds = islice(mortal_seeds(asked.seed), -(-asked.size // per_seed))
    run = partial(kills_in, points=per_seed, ends_at=ends_at)
    if asked.jobs == 1:
        for seed in seeds:
            if time.monotonic() < ends_at:
                tally.add(run(seed))
    else:
        with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
            for found in pool.map(run, seeds):
                tally.add(found)
    kills = serve_beside("kill", asked.size // 2, asked)
    tally.add_writers(kills)
    short = f"{asked.seconds_max:g} seconds" if tally.kills < asked.size else ""
    return Gathered(rows=tally.rows(), failures=tuple(tally.failures), bounded_by=short)


def kills_in(seed: int, points: int, ends_at: float = float("inf")) -> SeedFound:
    """Kill engines of one seed at so many points, drawn by its number."""
    if time.monotonic() > ends_at:
        return SeedFound(seed=seed, deaths=(), places=())
    return _kills_at(seed, drawn(points_of(seed).points.places, points, Random(f"points/{seed}")), ends_at)


def points_of(seed: int) -> CrashRun:
    """Run a seed without a kill, and return it with its points."""
    with tempfile.TemporaryDirectory(prefix="tradecore-crashes-", dir=SHARED_MEMORY) as folder:
        run = CrashRun(plan_of(seed, EVENTS), local_place, Path(folder), None, 0)
        run.run()
    return run


def _kills_at(seed: int, due: list[int], ends_at: float) -> SeedFound:
    gc.collect()
    # What is there before a fork is not copied for being looked at.
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="tradecore-crashes-", dir=SHARED_MEMORY) as folder:
        run = killed(plan_of(seed, EVENTS), local_place, Path(folder), due, depth=DEPTH, ends_at=ends_at)
    gc.unfreeze()
    places = {place for death in run.deaths for place in death.places}
    return SeedFound(seed=seed, deaths=tuple(run.deaths), places=tuple(sorted(places)))


class _Tally:
    """Adds up."""

    def __init__(self) -> None:
        self.kills = 0
        self.failures: list[str] = []
        self._places: set[str] = set()
        self._calls: Counter[str] = Counter()
        self._tried: Counter[str] = Counter()
        self._found: dict[str, Counter[str]] = {}

    def add(self, found: SeedFound) -> None:
        """Take in what came of one seed."""
        self._places.update(found.places)
        for death in found.deaths:
            again = len(death.places) - 1
            self.kills += 1
            self._tried.update(death.tried)
            self._tried["P1 kills"] += 1
            self._tried["P9"] += again
            self._tried["P9 triples"] += again >= 2
            for words in death.findings:
                name = f"seed {found.seed} point {death.point}"
                promise = words.partition(":")[0]
                self._found.setdefault(promise, Counter())[name] += 1
                self.failures.append(f"{name}: {words} (killed in {', '.join(death.places)})")

    def add_writers(self, kills: list[Served]) -> None:
        """Take in what came of writers of journals that were killed at their calls."""
        for served in kills:
            self._calls.update(served.tried)
            for tried in served.broken:
                self._found.setdefault("P1 calls", Counter())[tried.name] += len(tried.findings)
                self.failures += [f"P1: writer, {tried.name}: {words}" for words in tried.findings]

    def rows(self) -> tuple[Row, ...]:
        """Return the table: what is about kills alone, and what the audit tried after them."""
        tried = self._tried
        own = {
            "P1": (
                tried["P1 kills"],
                f"{_WHAT['P1']}; {len(self._places)} lines, {tried['P1 commands']} commands acknowledged",
            ),
            "P8": (
                tried["P8"] + tried["P8 state"],
                f"{_WHAT['P8']}: {tried['P8 state']} states alike at a kill",
            ),
            "P9": (tried["P9"], f"{_WHAT['P9']}; {tried['P9 triples']} {_WHAT['P9 triples']}"),
        }
        rows = [self._row(promise, what, number) for promise, (number, what) in own.items()]
        calls = ", ".join(f"{number} {call}" for call, number in self._calls.most_common())
        words = (
            f"kills in calls of a journal's writer ({calls}), also in recovery: what was committed is there"
        )
        rows.insert(1, self._row("P1 calls", words, self._calls.total()))
        others = {*tried, *self._found} - {
            *own,
            "P1",
            "P1 kills",
            "P1 calls",
            "P1 commands",
            "P8 state",
            "P9 triples",
        }
        for promise in sorted(others, key=_number):
            rows += [self._row(promise, "as in a simulation, after kills", tried[promise])]
        return tuple(rows)

    def _row(self, promise: str, what: str, tried: int) -> Row:
        found = self._found.get(promise, Counter())
        worst = max(found, key=lambda name: found[name], default="")
        return Row(
            promise=promise.split(" ", maxsplit=1)[0],
            what=what,
            tried=tried,
            found=found.total(),
            worst=worst,
        )


def _number(promise: str) -> int:
    return int(promise[1:])


def again(seed: int, point: int, on_story: Callable[[str], object]) -> tuple[Death, ...]:
    """Kill an engine at one point once more, and tell the story of it."""
    with tempfile.TemporaryDirectory(prefix="tradecore-crashes-", dir=SHARED_MEMORY) as folder:
        plan = plan_of(seed, EVENTS)
        run = killed(plan, local_place, Path(folder), [point], depth=DEPTH, on_story=on_story)
    return tuple(run.deaths)
