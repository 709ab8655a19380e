"""`python -m promises.simulate`: seeds of `tradecore simulate`, a slice at a time, as many as wanted."""

import json
import subprocess
import sys
import time
from collections import Counter

from promises.part import Asked, Gathered, Row, main

SIZE = 10_000_000
# A seed goes on until it has so many events, and a little longer, until books and venue have come together.
EVENTS, EVENTS_IN_ALL = 8_000, 10_000
# The least share of events that are of orders: a simulation of quotes alone would be no proof.
OF_ORDERS_MIN = 0.1
# Of fewer events the share says nothing.
_JUDGED_FROM = 200_000
# Seeds in one run of the command: few at first, to see how long they take, then as many as are worth a start.
_SLICE_MIN, _SLICE_MAX = 2, 32
_LONGER = 1.3


def work(asked: Asked) -> Gathered:
    """Simulate so many events, or as many as there is time for.

    Parameters
    ----------
    asked : Asked
        `size` is the number of events.
    """
    ends_at, slices = time.monotonic() + asked.seconds_max, []
    seeds = max(asked.size // EVENTS_IN_ALL, 1)
    events = min(asked.size, EVENTS)
    done, of_slice, of_seed = 0, _SLICE_MIN, 0.0
    while done < seeds:
        at = time.monotonic()
        # A seed may take longer than those before it.
        room = int((ends_at - at) / (of_seed * _LONGER)) if of_seed else seeds * (ends_at > at)
        count = min(seeds - done, of_slice * asked.jobs, room)
        if count < 1:
            break
        slices.append(_slice(asked, done, count, events))
        done += count
        of_seed = max((time.monotonic() - at) / count, of_seed / 2)
        of_slice = min(2 * of_slice, _SLICE_MAX)
    return gathered(slices, seeds, events, asked.seconds_max)


def _slice(asked: Asked, done: int, seeds: int, events: int) -> dict:
    first = asked.seed * 1_000_000 + done
    command = [sys.executable, "-m", "tradecore_api", "simulate", "--json", "--seed", str(first)]
    # A failure is told as it is: making it small takes longer than there is time.
    sizes = ["--seeds", str(seeds), "--events", str(max(events, 100)), "--jobs", str(asked.jobs)]
    sizes += ["--shrink-seconds", "0"]
    ended = subprocess.run([*command, *sizes], capture_output=True, text=True)
    if not ended.stdout:
        raise RuntimeError(f"tradecore simulate ended with {ended.returncode}: {ended.stderr[-2_000:]}")
    return json.loads(ended.stdout)


def gathered(slices: list[dict], seeds: int, events_of_seed: int, seconds_max: float) -> Gathered:
    """Add up what the slices say, promise by promise."""
    tried, found, words, worst, failures = Counter(), Counter(), {}, {}, []
    for each in slices:
        for row in each["promises"]:
            name = row["promise"]
            tried[name] += row["tried"]
            found[name] += row["found"]
            words[name] = row["words"]
            if row["worst_seed"] is not None:
                command = f"tradecore simulate --seed {row['worst_seed']} --events {events_of_seed} --trace"
                worst.setdefault(name, command)
        failures += [
            f"seed {seed}: {one['promise']}: {one['words']}"
            for seed, ones in each["failed"].items()
            for one in ones
        ]
    done, events, of_orders = (
        sum(each[name] for each in slices) for name in ("seeds", "events", "order_events")
    )
    rows = [
        Row(promise=name, what=words[name], tried=tried[name], found=found[name], worst=worst.get(name, ""))
        for name in words
    ]
    share = of_orders / events if events else 0.0
    rows.append(
        Row(promise="all", what=f"events of {done} seeds, {share:.0%} of them of orders", tried=events)
    )
    if events >= _JUDGED_FROM and share < OF_ORDERS_MIN:
        failures.append(f"of {events:,} events {share:.1%} are of orders, less than {OF_ORDERS_MIN:.0%}")
    bounded = "" if done == seeds else f"{done} of {seeds} seeds: there were {seconds_max:.0f} seconds"
    return Gathered(rows=tuple(rows), failures=tuple(failures), bounded_by=bounded)


if __name__ == "__main__":
    sys.exit(main("simulate", SIZE, work))
