"""Slices of the simulation add up, and what one of them found is not lost on the way to the table."""

import pytest

from promises import simulate
from promises.part import Asked

SLICE = {
    "seeds": 4,
    "events": 150_000,
    "order_events": 30_000,
    "promises": [
        {
            "promise": "P15",
            "words": "one order is at most one at the venue",
            "tried": 40,
            "found": 0,
            "worst_seed": None,
        }
    ],
    "failed": {},
}
BROKEN = SLICE | {
    "promises": [SLICE["promises"][0] | {"found": 2, "worst_seed": 17}],
    "failed": {"17": [{"promise": "P15", "words": "order 4 is there 2 times"}]},
}


@pytest.mark.timeout(120)
def test_a_few_events_are_simulated_and_every_row_is_there():
    """The command is the one that people use."""
    gathered = simulate.work(Asked(size=1_500, seed=3, jobs=1, seconds_max=60))
    rows = {row.promise: row for row in gathered.rows}
    assert (gathered.failures, gathered.bounded_by) == ((), "")
    assert rows["all"].tried >= 1_500
    assert rows["P8"].tried > 0
    assert {"P3", "P15", "P16", "P17", "P18", "P19", "P21", "P22", "P27", "P28", "P37"} <= set(rows)


def test_slices_add_up():
    """Twice as much was tried in two."""
    gathered = simulate.gathered([SLICE, SLICE], 8, 100, 1.0)
    assert [(row.promise, row.tried, row.found) for row in gathered.rows] == [
        ("P15", 80, 0),
        ("all", 300_000, 0),
    ]
    assert (gathered.failures, gathered.bounded_by) == ((), "")


def test_what_a_slice_found_is_told_with_the_command_that_shows_it():
    """Whoever reads the table can look at it at once."""
    gathered = simulate.gathered([SLICE, BROKEN], 8, 100, 1.0)
    row = gathered.rows[0]
    assert (row.tried, row.found) == (80, 2)
    assert row.worst == "tradecore simulate --seed 17 --events 100 --trace"
    assert gathered.failures == ("seed 17: P15: order 4 is there 2 times",)


def test_seeds_that_there_was_no_time_for_are_said():
    """No more is claimed than was done."""
    assert simulate.gathered([SLICE], 8, 100, 1.0).bounded_by == "4 of 8 seeds: there were 1 seconds"
    assert simulate.work(Asked(size=10_000, seed=3, jobs=1, seconds_max=-1)).bounded_by


def test_a_simulation_of_quotes_alone_is_no_proof():
    """A tenth of the events are of orders, or it fails."""
    few = SLICE | {"order_events": 10_000}
    assert "are of orders" in simulate.gathered([few, few], 8, 100, 1.0).failures[0]


def test_a_simulation_that_ends_without_a_word_is_no_success():
    """What the command says goes on."""
    asked = Asked(size=1, seed=1, jobs=1, seconds_max=60)
    with pytest.raises(RuntimeError, match="tradecore simulate ended with"):
        simulate._slice(asked, 0, 0, 0)
