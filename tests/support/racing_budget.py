"""What a process does that races with others for one budget of requests."""

from tradecore.runtime.live.budget import BudgetRules
from tradecore.runtime.live.shared_budget import SharedBudget


def take_all(path, count):
    """Take as often as there is room, and say how often that was."""
    budget = SharedBudget(path, BudgetRules(per_second=1e-9, burst=300.0, reserve=0.0))
    taken = sum(budget.take(0, is_cancel=True) for _ in range(3_000))
    count.put(taken)
