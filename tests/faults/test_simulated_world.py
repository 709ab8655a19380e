"""What surrounds the engine in a simulation: each row of the table is tried, and planted bugs are found."""

import pytest

from support.planted_world_bugs import PROMISE_OF
from tradecore_api.wiring.simulation import run_seed

EVENTS = 2_000
# Where each planted bug is seen first; others are tried where plans have changed since.
SEEN = {
    "requests_matched_by_the_order_of_their_tasks": 5,
    "words_handed_over_by_tasks_of_their_own": 5,
    "books_that_never_grow_old": 45,
    "a_clock_that_follows_the_one_on_the_wall": 15,
    "jumps_of_the_clock_passed_over": 21,
    "a_budget_that_begins_full_at_each_start": 47,
    "nothing_kept_for_cancels": 24,
    "questions_that_weigh_nothing_more_than_orders": 24,
    "light_questions_that_pass_a_heavy_one": 143,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("bug", PROMISE_OF, ids=lambda bug: bug.__name__)
def test_a_bug_of_the_world_is_found_by_the_promise_that_it_breaks(bug, monkeypatch):
    """Some seed names the promise, not only what follows from it."""
    bug(monkeypatch)
    seeds = [SEEN.get(bug.__name__, 1), *range(1, 120)]
    found = (each.promise for seed in seeds for each in run_seed(seed, EVENTS).findings)
    assert PROMISE_OF[bug] in found, bug.__doc__


def test_the_frames_of_a_journal_are_split_by_what_they_are_about():
    """Each seed says of every event what it is about, and a tenth at least belongs to orders."""
    for seed in (2, 6):
        outcome = run_seed(seed, EVENTS)
        assert sum(outcome.split.values()) == outcome.events
        assert outcome.split["requests"] + outcome.split["reports"] >= 0.1 * outcome.events
