"""The live engine and its venue on virtual time: seeds keep the promises, and planted bugs break them."""

import os
import subprocess
import sys

import pytest

from promises.planted.bug import Seed
from promises.planted.table import BUGS, PATCHES
from tradecore.proof.promises import CHECKED, Tally
from tradecore_api.wiring.simulation import run_seed, run_seeds

EVENTS = 2_500
BY_SEEDS = [bug for bug in BUGS.values() if bug.name in PATCHES and isinstance(bug.catcher, Seed)]
DIGEST = "from tradecore_api.wiring.simulation import run_seed; print(run_seed(3, 2500).digest)"


@pytest.mark.timeout(120)
def test_seeds_keep_every_promise_and_put_each_of_them_to_the_test():
    """Nothing is lost, nothing doubled, books and venue agree to the last unit, and a tenth is of orders."""
    tally = Tally()
    for outcome in run_seeds(range(1, 26), EVENTS, jobs=1):
        tally.add(outcome)
    tally.add_again(run_seed(3, EVENTS), run_seed(3, EVENTS))
    assert tally.failed == {}
    assert tally.order_events >= 0.1 * tally.events
    assert tally.kills > 20
    assert tally.faults > 200
    assert {row.promise: row.tried for row in tally.rows() if not row.tried} == {}
    assert [row.promise for row in tally.rows()] == list(CHECKED)


@pytest.mark.timeout(120)
def test_a_seed_gives_the_same_bytes_under_any_hash_seed():
    """Journal and venue's list are the same in other processes, whose sets are in another order."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(digests) == 1
    assert len(digests.pop()) == 65


@pytest.mark.timeout(120)
@pytest.mark.parametrize("bug", BY_SEEDS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug, monkeypatch):
    """A simulation that finds nothing proves something only if it finds what is there."""
    PATCHES[bug.name](monkeypatch)
    seeds = [bug.catcher.first, *range(1, 120)]
    assert any(run_seed(seed, 2_000).findings for seed in seeds), bug.breaks


def test_a_story_has_kills_faults_deeds_and_records_in_the_order_of_time():
    """Who looks for a fault reads it from the first line to the last."""
    lines = []
    outcome = run_seed(12, EVENTS, lines.append)
    text = "\n".join(lines)
    assert outcome.kills > 0
    for part in (
        " KILL ",
        " FAULT ",
        " venue type=order",
        " order order_id=",
        "engine 0 starts",
        " reconciled",
    ):
        assert part in text
    times = [line.split()[0].rstrip("Z").ljust(29, "0").replace(".", "") for line in lines]
    assert len(times) == len(lines) > 100
