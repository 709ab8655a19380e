"""Has tradecore become slower beside a peer than the baseline says?

What is compared is the ratio of processor time, which other work on the machine does not add to; the two
sides run in turn, and the best run of each counts. A ratio that is too low is taken again, up to twelve times
in each of three pairs of processes, so that a disturbance does not fail the check and a loss does.

On the processor and the Python of the baseline a fall of more than 15% fails. Elsewhere a ratio means less:
caches, instruction sets and interpreters treat the sides differently, so only a fall of more than 40% does.
"""

from typing import NamedTuple

from cases import Case
from environments import NotInstalledError, python_of
from machine import is_same_kind, machine
from side import FailedError, sides

FALL_MAX = 0.15
FALL_MAX_ELSEWHERE = 0.40
ATTEMPTS = 3
REPEATS_MIN = 3
REPEATS_MAX = 12


class Taken(NamedTuple):
    """A ratio and what it was taken with."""

    ratio: float
    repeats: int
    peer_python: str
    python: str


def check(cases: list[Case], baseline: dict) -> int:
    """Compare the ratios of some cases with the baseline, and print a line for each.

    Returns
    -------
    int
        1 when a ratio fell too far, or could not be taken; 0 when all hold.
    """
    here = machine()
    is_known = is_same_kind(here, baseline["machine"])
    if not is_known:
        print(f"{here['processor']} is not the processor of the baseline: only falls above 40% are seen")
    rows = {row["name"]: row for row in baseline["rows"] if "ratio" in row}
    return int(sum([is_lost(case, rows.get(case.name), is_known=is_known) for case in cases]) > 0)


def is_lost(case: Case, row: dict | None, *, is_known: bool) -> bool:
    """Check one case; one that has no baseline yet cannot be lost."""
    if row is None:
        print(f"new    {case.name}: no baseline")
        return False
    before = row.get("cpu_ratio", row["ratio"])
    try:
        taken = best_ratio(case, before, row, is_known=is_known)
    except (NotInstalledError, FailedError) as problem:
        print(f"FAILED {case.name}: not run, {problem}")
        return True
    is_fallen = taken.ratio < least(before, row, taken, is_known=is_known)
    verdict = "FELL  " if is_fallen else "holds "
    print(f"{verdict} {case.name}: {taken.ratio:.2f}, was {before:.2f}, best of {taken.repeats}")
    return is_fallen


def least(before: float, row: dict, taken: Taken, *, is_known: bool) -> float:
    """Give the lowest ratio that passes."""
    same = all(minor(row.get(name, "")) == minor(getattr(taken, name)) for name in ("peer_python", "python"))
    return before * (1 - (FALL_MAX if is_known and same else FALL_MAX_ELSEWHERE))


def minor(version: str) -> tuple[str, ...]:
    """Give what decides how fast an interpreter is: 3.11 of 3.11.7."""
    return tuple(version.split(".")[:2])


def best_ratio(case: Case, before: float, row: dict, *, is_known: bool) -> Taken:
    """Run a pair until its ratio is good enough, at most some times."""
    python = python_of(case.peer)
    theirs: list[float] = []
    ours: list[float] = []
    for _ in range(ATTEMPTS):
        with sides(case, python, "--no-delays") as pair:
            enough = before * (1 - (FALL_MAX if is_known else FALL_MAX_ELSEWHERE))
            for repeat in range(1, REPEATS_MAX + 1):
                for side, runs in zip(pair, (theirs, ours), strict=True):
                    side.run()
                    runs.append(side.runs[-1]["cpu_seconds"])
                if repeat >= REPEATS_MIN and min(theirs) / min(ours) >= enough:
                    break
            found = [side.result() for side in pair]
        taken = Taken(min(theirs) / min(ours), len(ours), found[0]["python"], found[1]["python"])
        if taken.ratio >= least(before, row, taken, is_known=is_known):
            break
    return taken
