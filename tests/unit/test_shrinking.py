"""A failure is made small: what has no part in it goes, what has a part in it stays."""

from itertools import count

import msgspec
import pytest

from tradecore.proof.audit import Finding
from tradecore.proof.plan import Plan, plan_of
from tradecore.proof.run import Outcome
from tradecore.proof.shrinking import parts_of, shrink

BROKEN = Finding("P16", "given up, and there")


def a_plan() -> Plan:
    """Return one with many faults, some kills and a bad world."""
    plans = (plan_of(seed, 5_000) for seed in count(1))
    return next(p for p in plans if len(p.script.rules) > 8 and len(p.kills) > 2 and p.world.jumps)


PLAN = a_plan()
RULE, KILL = PLAN.script.rules[5], PLAN.kills[1]


def outcome_of(plan):
    """Break a promise where one rule, one kill and so many events come together; another one always."""
    is_broken = RULE in plan.script.rules and KILL in plan.kills and plan.events >= 137
    return Outcome(seed=plan.seed, findings=(Finding("P19", "always"), *([BROKEN] if is_broken else [])))


def test_what_has_no_part_in_a_failure_is_left_out():
    """One rule, one kill and a few events stay; the world is as good as it can be."""
    found = shrink(PLAN, outcome_of(PLAN), "P16", outcome_of, lambda: False)
    assert found.is_done
    assert BROKEN in found.outcome.findings
    assert found.plan.script.rules == (RULE,)
    assert found.plan.kills == (KILL,)
    assert 137 <= found.plan.events <= 147
    assert (found.plan.shown, found.plan.quotes) == (0, 1)
    left = parts_of(found.plan)
    assert set(left) <= {"rules", "kills"}
    assert left["rules"][0]["kind"] == RULE.kind.value
    assert found.plan.seed == PLAN.seed
    assert found.runs < 200


@pytest.mark.parametrize("part", ["mixes_tasks", "jumps", "feed_faults"])
def test_the_part_of_the_world_that_breaks_it_stays(part):
    """Where the failure needs it, it is not left out."""
    plan = next(p for p in (plan_of(seed, 2_000) for seed in count(1)) if getattr(p.world, part))

    def outcome(tried):
        return Outcome(seed=tried.seed, findings=(BROKEN,) if getattr(tried.world, part) else ())

    found = shrink(plan, outcome(plan), "P16", outcome, lambda: False)
    assert getattr(found.plan.world, part)
    assert set(msgspec.to_builtins(parts_of(found.plan))) == {"world"}
    assert set(parts_of(found.plan)["world"]) == {part}


def test_it_makes_do_with_what_it_has_when_its_time_is_over():
    """No run is begun then, and it says that more might be left out."""
    runs = count()

    def outcome(plan):
        next(runs)
        return outcome_of(plan)

    found = shrink(PLAN, outcome_of(PLAN), "P16", outcome, lambda: next(runs) > 8)
    assert not found.is_done
    assert BROKEN in found.outcome.findings
    assert found.runs < 9
