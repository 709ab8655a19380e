"""What the comparison of fills with hftbacktest claims about an order, on small markets made by hand."""

import importlib
import sys

import pytest

from support.shared import ROOT

FOLDERS = [str(ROOT / "benches"), str(ROOT / "benches" / "peers")]
SENT_NS = 1_000_000_000
PRICE, SELL_OFFER = 100, 105


@pytest.fixture(scope="module")
def tool():
    """Import the tool and what it imports, without any peer."""
    kept, path = dict(sys.modules), list(sys.path)
    sys.path[:0] = FOLDERS
    yield importlib.import_module("compare_fills")
    sys.path[:] = path
    for name in set(sys.modules) - set(kept):
        del sys.modules[name]


def arrival_ns(step):
    """Give the time of a step of the market: the order arrives before the first."""
    return SENT_NS + 2_000_000 + 10 * step


def market(tool, steps):
    """Make a level of 10 lots at our price, then statements of it (a number) and sales (a tuple of one)."""
    changes = [tool.Change(1, [(PRICE, 10)], [(SELL_OFFER, 5)])]
    for number, step in enumerate(steps, 1):
        if isinstance(step, tuple):
            changes.append(tool.Change(arrival_ns(number), [], [], (PRICE, step[0], False)))
        else:
            changes.append(tool.Change(arrival_ns(number), [(PRICE, step)], []))
    return changes


def bought(tool, step=None, sent_ns=SENT_NS):
    """Make an order of one lot that is filled at a step of the market, or never."""
    return order(tool, {} if step is None else {step: 1}, sent_ns)


def order(tool, parts, sent_ns=SENT_NS, cancelled_ns=0):
    """Make an order with its parts: lots by the step of the market."""
    filled = tuple((arrival_ns(step), lots) for step, lots in parts.items())
    return tool.Sent(sent_ns, 1, PRICE, cancelled_ns, filled)


def test_orders_that_fill_alike_are_counted_as_such(tool):
    """The same time and price in both."""
    both = [bought(tool, 2)], [bought(tool, 2)]
    assert tool.classes_of(*both, "conservative", market(tool, [(10,), (1,)])) == {tool.ALIKE: 1}


def test_a_time_that_no_rule_gives_is_not_explained(tool):
    """Nothing is left over under a friendly name: the plain rules fill it at the second step, not before."""
    both = [bought(tool, 1)], [bought(tool, 2)]
    found = tool.classes_of(*both, "conservative", market(tool, [(10,), (1,)]))
    assert found == {tool.UNEXPLAINED: 1, tool.ALIKE: 0}


@pytest.mark.parametrize(
    ("queue", "steps", "theirs", "ours", "name"),
    [
        # A level stated again hides 4 traded lots; what they took then counts as cancelled, half ahead.
        ("power", [12, (4,), 12, 8, (5,), (2,)], 5, 6, "TRADES"),
        # 10 ahead and 10 behind, then one cancel: half a lot each.
        ("power", [20, 19, (10,), (1,)], 3, 4, "HALF"),
        # Most of a level is cancelled: less than nobody is ahead, which has no logarithm.
        ("log", [100, 8, 7, (1,), (7,)], 5, 4, "FRONT"),
    ],
)
def test_a_difference_is_explained_by_the_rule_that_makes_it(tool, queue, steps, theirs, ours, name):
    """One rule of the peer's in the place of ours gives the peer's time."""
    found = tool.classes_of([bought(tool, theirs)], [bought(tool, ours)], queue, market(tool, steps))
    assert found == {getattr(tool, name): 1, tool.ALIKE: 0}


def test_parts_of_an_order_are_compared_by_time_and_lots(tool):
    """10 lots ahead, then sales of 12, 1 and 3: parts of 2, 1 and 2 of five lots."""
    changes = market(tool, [(12,), (1,), (3,)])
    filled, smaller = order(tool, {1: 2, 2: 1, 3: 2}), order(tool, {1: 2, 2: 2, 3: 1})
    assert tool.classes_of([filled], [filled], "conservative", changes, 5) == {tool.ALIKE: 1}
    found = tool.classes_of([filled], [smaller], "conservative", changes, 5)
    assert found == {tool.UNEXPLAINED: 1, tool.ALIKE: 0}


@pytest.mark.parametrize(
    ("change", "first", "later"),
    [
        # A sale of 2 lots below the price, then one of 9 at it.
        ([("trade", PRICE - 1, 2), ("trade", PRICE, 9)], 2, 3),
        # The other side offers 3 lots at the price, states them again, and then offers 4.
        ([("offer", PRICE, 3), ("offer", PRICE, 3), ("offer", PRICE, 4)], 3, 2),
    ],
)
def test_who_is_run_through_fills_no_more_than_there_was(tool, change, first, later):
    """The peer fills all five lots at once; here only the lots of the trade or of the level, each once."""
    changes = market(tool, [])
    for number, (kind, price, lots) in enumerate(change, 1):
        time_ns = arrival_ns(number)
        is_trade = kind == "trade"
        changes.append(
            tool.Change(time_ns, [], [], (price, lots, False))
            if is_trade
            else tool.Change(time_ns, [], [(price, lots)])
        )
    theirs, ours = order(tool, {1: 5}), order(tool, {1: first, len(change): later})
    found = tool.classes_of([theirs], [ours], "conservative", changes, 5)
    assert found == {tool.WHOLE: 1, tool.ALIKE: 0}


def test_an_order_of_one_engine_alone_has_to_follow_a_difference(tool):
    """Before the first difference it is not explained, after it the two go different ways."""
    changes = market(tool, [20, 19, (10,), (1,)])
    late = bought(tool, sent_ns=SENT_NS + 500_000_000)
    both = [bought(tool, 4), late]
    assert tool.classes_of([bought(tool, 3)], both, "power", changes)[tool.LATER] == 1
    assert tool.classes_of([], [late], "power", changes) == {tool.UNEXPLAINED: 1, tool.ALIKE: 0}


def test_a_cancel_of_one_engine_alone_has_to_follow_a_difference(tool):
    """The same rules and another cancel are no explanation by themselves."""
    sales = [(10,), (1,)]
    cancelled = order(tool, {}, cancelled_ns=SENT_NS + 500_000)
    changes = market(tool, sales)
    found = tool.classes_of([cancelled], [bought(tool, 2)], "conservative", changes)
    assert found == {tool.UNEXPLAINED: 1, tool.ALIKE: 0}
