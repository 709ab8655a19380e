"""Shows a failure of a simulation as short as it gets: what is left of its plan, and its story."""

import time
from collections.abc import Sequence
from itertools import count

from tradecore.proof.plan import Plan, plan_of
from tradecore.proof.promises import SAME_AGAIN
from tradecore.proof.run import Outcome
from tradecore.proof.shrinking import Shrunk, parts_of, shrink
from tradecore.proof.trial import Finding
from tradecore_api.output import plain
from tradecore_api.progress import working
from tradecore_api.wiring.simulation import judged_plan, run_plan

# How much of a long story is printed: where it goes wrong is mostly near its beginning.
_LINES_FIRST, _LINES_LAST = 200, 40
_WORDS_MAX = 300
_FINDINGS_SHOWN = 10
_WISHES = frozenset({"decision", "refused"})


def shrunk(seed: int, events: int, findings: Sequence[Finding], seconds_max: float) -> Shrunk | None:
    """Make the failure of a seed small; `None` where it is none that a single run shows."""
    promise = next((each.promise for each in findings if each.promise != SAME_AGAIN), None)
    if promise is None or seconds_max <= 0:
        return None
    plan, begun = plan_of(seed, events), time.monotonic()
    with working(f"making the failure of seed {seed} small", "runs") as show:
        outcome = judged_plan(plan)
        if all(each.promise != promise for each in outcome.findings):
            # Something outside of the seed has a part in it: the second run does not have it.
            return None
        counted = count(1)

        def run(smaller: Plan) -> Outcome:
            show(next(counted), f"{smaller.events:,} events, {len(smaller.script.rules)} kinds of faults")
            return judged_plan(smaller)

        return shrink(plan, outcome, promise, run, lambda: time.monotonic() - begun > seconds_max)


def shown(found: Shrunk) -> dict[str, object]:
    """Return what is left of a failure as plain values, its story included."""
    story: list[str] = []
    run_plan(found.plan, story.append)
    return {
        "seed": found.plan.seed,
        "promise": found.promise,
        "runs": found.runs,
        "is_smallest": found.is_done,
        "events": found.outcome.events,
        **parts_of(found.plan),
        "story": story,
        "findings": [plain(each) for each in found.outcome.findings],
    }


def _told(left: dict[str, object]) -> list[str]:
    story = left["story"]
    return story if isinstance(story, list) else []


def print_shrunk(found: Shrunk, was: Plan) -> None:
    """Print what is left of a failure, and what happened in it, in the order of time."""
    left, plan = shown(found), found.plan
    more = "" if found.is_done else "; the time was over before all was tried"
    print(f"\nthe shortest run of seed {plan.seed} that still breaks {found.promise}, of {found.runs}{more}:")
    print(
        f"  events  {found.outcome.events:,}; no new risk from {plan.events:,} on, which was {was.events:,}"
    )
    print(f"  faults  {len(plan.script.rules)} kinds of {len(was.script.rules)}")
    print(f"  kills   {len(plan.kills)} of {len(was.kills)}")
    for name, value in parts_of(plan).items():
        for each in value if isinstance(value, list) else [value]:
            print(f"  {name:<7} {each}")
    story = [line for line in _told(left) if line.split(maxsplit=3)[2] not in _WISHES]
    print("\nwhat happened; market data, and what strategies wished and did not get, are left out:")
    over = len(story) - _LINES_FIRST - _LINES_LAST
    for number, line in enumerate(story):
        if number == _LINES_FIRST and over > 0:
            print(f"  ({over:,} lines are left out here; --json has all)")
        if number < _LINES_FIRST or number >= _LINES_FIRST + over:
            print(f"  {line}")
    for each in found.outcome.findings[:_FINDINGS_SHOWN]:
        print(f"BROKEN: {each.promise}: {each.words[:_WORDS_MAX]}")
