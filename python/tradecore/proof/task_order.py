"""Finds out whether it was the order of tasks that broke something."""

from collections.abc import Callable

import msgspec

from tradecore.proof.plan import Plan
from tradecore.proof.run import Outcome
from tradecore.proof.trial import Finding

PROMISE = "P40"


def blamed(plan: Plan, outcome: Outcome, run: Callable[[Plan], Outcome]) -> Outcome:
    """Return an outcome that says, too, whether all would have been well with tasks in their usual order.

    Parameters
    ----------
    plan : Plan
        What was run.
    outcome : Outcome
        What it came to.
    run : callable
        Runs a plan.
    """
    if not outcome.findings or not plan.world.mixes_tasks:
        return outcome
    world = msgspec.structs.replace(plan.world, mixes_tasks=False)
    if run(msgspec.structs.replace(plan, world=world)).findings:
        return outcome
    first = outcome.findings[0]
    words = f"only with tasks in another order: {first.promise}: {first.words}"
    return msgspec.structs.replace(outcome, findings=(*outcome.findings, Finding(PROMISE, words)))
