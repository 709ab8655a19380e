"""Resources that fail and stops, in simulation: each planted bug is found, by the promise that it breaks."""

import os
import subprocess
import sys

import pytest

from support.planted_stops import STOPS
from tradecore_api.wiring.simulation import run_seed

EVENTS = 2_000
# Of a take-over, a full disk, a kill, and of engines that are away for longer.
SEEDS = (2, 10, 5, 12)
DIGESTS = f"""
from tradecore_api.wiring.simulation import run_seed
outcomes = [run_seed(seed, {EVENTS}) for seed in {SEEDS}]
tried = {{promise for each in outcomes for promise, count in each.tried.items() if count}}
print(",".join(sorted(tried & {{"P5", "P13", "P24", "P25"}})), *(each.digest for each in outcomes))
"""


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("promise", "bug", "seen"), STOPS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_planted_bug_is_found(promise, bug, seen, monkeypatch):
    """A row of the table that cannot be broken says nothing."""
    bug(monkeypatch)
    seeds = (seen, *range(1, 200))
    found = (each.promise for seed in seeds for each in run_seed(seed, EVENTS).findings)
    assert promise in found, f"nobody finds it: {bug.__doc__}"


@pytest.mark.timeout(180)
def test_seeds_with_each_trial_give_the_same_bytes_under_any_hash_seed():
    """A disk, a kill, a watchdog and a process that stands still are of the seed alone."""
    said = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("0", "4242")
    }
    assert len(said) == 1
    tried, *digests = said.pop().split()
    assert tried.split(",") == ["P13", "P24", "P25", "P5"]
    assert len(set(digests)) == len(SEEDS)
