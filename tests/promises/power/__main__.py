"""`python -m promises.power`: images of a power cut over journals, snapshots, tables and papers."""

import importlib
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import msgspec

from promises.part import Asked, Gathered, Row, main
from promises.power.again import explored_again
from promises.power.disk import Disk
from promises.power.explored import Explored, check_seen, explore, scratch
from promises.power.recording import Recording, record
from support.preloaded import CAN_PRELOAD, REASON

SETTINGS = ("papers", "lives", "sessions", "tables", "journals")
# Images of one recording of each setting; more are of further recordings, each by a seed of its own.
_ROUND = 5_000
# The share of images at which the power fails twice.
_AGAIN = 0.15


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one round found at one setting: after a cut, or after another one while that was recovered."""

    name: str
    what: str
    seed: int
    explored: Explored


def work(asked: Asked) -> Gathered:
    """Record each setting, and judge its share of the images; of some the recovery is recorded as well."""
    if not CAN_PRELOAD:
        row = Row(promise="P2", what="images after a power cut", tried=0)
        return Gathered(rows=(row,), bounded_by=f"not tried: {REASON}")
    end = time.monotonic() + asked.seconds_max
    rounds = max(asked.jobs, -(-asked.size // _ROUND))
    sizes = [asked.size // rounds + (number < asked.size % rounds) for number in range(rounds)]
    seeds = range(asked.seed, asked.seed + rounds)
    if asked.jobs > 1:
        with ProcessPoolExecutor(asked.jobs) as pool:
            turns = -(-rounds // asked.jobs)
            seconds = [asked.seconds_max / turns] * rounds
            parts = [part for each in pool.map(_round, sizes, seeds, seconds) for part in each]
    else:
        parts = []
        for number, (size, seed) in enumerate(zip(sizes, seeds, strict=True)):
            parts += _round(size, seed, (end - time.monotonic()) / (rounds - number))
    return _gathered(parts, asked.size)


def _gathered(parts: list[Part], size: int) -> Gathered:
    """Put together what all rounds found."""
    rows = []
    for name in dict.fromkeys(part.name for part in parts):
        alike = [part for part in parts if part.name == name]
        moments = sum(part.explored.moments for part in alike)
        worst = max(alike, key=lambda part: part.explored.found)
        rows.append(
            Row(
                promise="P2",
                what=f"{alike[0].what}, at one of {moments:,} moments",
                tried=sum(part.explored.tried for part in alike),
                found=sum(part.explored.found for part in alike),
                worst=f"{name}:{worst.explored.worst} of seed {worst.seed}" if worst.explored.found else "",
            )
        )
    failures = [f"{part.name}:{each} (seed {part.seed})" for part in parts for each in part.explored.failures]
    bounds = [f"{part.name}: {part.explored.bounded_by}" for part in parts if part.explored.bounded_by]
    is_short = sum(row.tried for row in rows) < size
    return Gathered(
        rows=tuple(rows), failures=tuple(failures), bounded_by="; ".join(bounds) if is_short else ""
    )


def _round(size: int, seed: int, seconds: float) -> list[Part]:
    """Record each setting once, and judge so many images in all."""
    end = time.monotonic() + seconds
    settings = {name: importlib.import_module(f"promises.power.{name}") for name in SETTINGS}
    waiting, left, found = list(settings), size, []
    while waiting:
        # What one setting had no images for, the next ones make up for.
        weight = sum(settings[name].SHARE for name in waiting)
        name = waiting.pop(0)
        setting = settings[name]
        share = setting.SHARE / weight
        again = round(left * share * _AGAIN)
        first = round(left * share) - again
        with recorded(setting, seed) as (recording, place):
            now = time.monotonic()
            until = now + (end - now) * share * (1 - _AGAIN)
            judge = setting.Judge(seed)
            one = explore(recording, judge, place, start=Disk(), size=first, seed=seed, deadline=until)
            until = now + (end - now) * share
            two = explored_again(setting, recording, place, size=again, seed=seed, deadline=until)
        what = f"{setting.WHAT}: images after a power cut"
        found += [
            Part(name=name, what=what, seed=seed, explored=one),
            Part(name=f"{name}:again", what=f"{what} in the middle of recovery", seed=seed, explored=two),
        ]
        left -= one.tried + two.tried
    return found


@contextmanager
def recorded(
    setting: ModuleType, seed: int, arguments: tuple[str, ...] = (), without: str = ""
) -> Iterator[tuple[Recording, Path]]:
    """Record a setting; return that, and a directory for what comes of it.

    Parameters
    ----------
    setting : module
        Writes.
    seed : int
        By which it writes.
    arguments : tuple of str
        For what writes.
    without : str
        A planted fault, as `recorded_calls.c` takes it.
    """
    with scratch() as place:
        directory = place / "written"
        directory.mkdir()
        recording = record(
            setting.__name__.rpartition(".")[2], directory, place, (str(seed), *arguments), without
        )
        check_seen(recording, directory, Disk())
        yield recording, place


if __name__ == "__main__":
    sys.exit(main("power", 5_000, work))
