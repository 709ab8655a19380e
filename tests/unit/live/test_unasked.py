"""Questions that wait for room: the oldest first, and nothing lighter passes one that needs more."""

from tradecore.domain.venue_findings import FillsSince, OneOrder, OpenOrders, Positions
from tradecore.domain.venue_requests import Cancel
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.unasked import Unasked

SECOND_NS = 1_000_000_000
WEIGHTS = {"open_orders": 5.0, "fills": 5.0}


def one(number):
    """Return a question about one order."""
    return OneOrder(instrument=0, client_order_id=f"o{number}")


def test_a_heavy_question_is_asked_however_many_light_ones_come():
    """Fifteen light ones a second use up all that comes in; the list of open orders is asked all the same."""
    allowance = Allowance(RequestBudget(BudgetRules(per_second=15.0, burst=15.0)), WEIGHTS, SECOND_NS)
    unasked, asked = Unasked(), []
    for step in range(200):
        now_ns = step * SECOND_NS // 15
        fresh = [one(step), *([OpenOrders()] if step == 20 else [])]
        out = unasked.let_out(fresh, lambda kind, now_ns=now_ns: allowance.ask(kind, now_ns, 0))
        asked += [(step, type(each)) for each in out]
    heavy = [step for step, kind in asked if kind is OpenOrders]
    assert len(heavy) == 1
    assert heavy[0] < 40


def test_what_waits_keeps_its_order_and_cancels_pass():
    """A question without room holds up those behind it, not a cancel; one that is asked twice waits once."""
    room = {"now": 0}

    def ask(kind):
        weight = WEIGHTS.get({OpenOrders: "open_orders", FillsSince: "fills"}.get(kind, ""), 1.0)
        if weight > room["now"]:
            return Leave.FULL
        room["now"] -= weight
        return Leave.GO

    unasked = Unasked()
    fills = FillsSince(time_ns=1)
    assert unasked.let_out([fills, one(1), fills], ask) == []
    assert unasked.needs_room is FillsSince
    room["now"] = 3
    assert unasked.let_out([Positions()], ask) == []
    assert ask(Cancel) is Leave.GO
    room["now"] = 6
    assert unasked.let_out([], ask) == [fills, one(1)]
    assert unasked.needs_room is Positions
    room["now"] = 1
    assert unasked.let_out([], ask) == [Positions()]
    assert unasked.needs_room is None
    assert not unasked


def test_one_endpoint_that_does_not_answer_holds_up_nobody_else():
    """Only room is waited for in line: a question that waits for something else is passed."""
    unasked = Unasked()
    out = unasked.let_out(
        [OpenOrders(), Positions()], lambda kind: Leave.WAIT if kind is OpenOrders else Leave.GO
    )
    assert out == [Positions()]
    assert unasked.needs_room is None
    assert unasked


def test_room_is_waited_for_as_long_as_the_first_one_needs_it():
    """Who waits is not woken again and again for what a lighter one would need."""
    allowance = Allowance(RequestBudget(BudgetRules(per_second=10.0, burst=10.0)), WEIGHTS, SECOND_NS)
    for _ in range(9):
        assert allowance.ask(OneOrder, 0, 0) is Leave.GO
    assert allowance.wait_ns(0, OneOrder) < 150_000_000
    assert 450_000_000 < allowance.wait_ns(0, OpenOrders) < 650_000_000
