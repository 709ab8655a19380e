"""What the comparison of fills with hftbacktest claims about an order, on small markets made by hand."""

import importlib
import sys

import numpy as np
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


def bought(step=None, sent_ns=SENT_NS):
    """Make an order that is filled at a step of the market, or never."""
    filled_ns = 0 if step is None else arrival_ns(step)
    return np.array([(sent_ns, 1, PRICE, filled_ns, 0)], dtype=np.int64)


def test_orders_that_fill_alike_are_counted_as_such(tool):
    """The same time and price in both."""
    found = tool.classes_of(bought(2), bought(2), "conservative", market(tool, [(10,), (1,)]))
    assert found == {tool.ALIKE: 1}


def test_a_time_that_no_rule_gives_is_not_explained(tool):
    """Nothing is left over under a friendly name: the plain rules fill it at the second step, not before."""
    found = tool.classes_of(bought(1), bought(2), "conservative", market(tool, [(10,), (1,)]))
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
    found = tool.classes_of(bought(theirs), bought(ours), queue, market(tool, steps))
    assert found == {getattr(tool, name): 1, tool.ALIKE: 0}


def test_an_order_of_one_engine_alone_has_to_follow_a_difference(tool):
    """Before the first difference it is not explained, after it the two go different ways."""
    changes = market(tool, [20, 19, (10,), (1,)])
    late, nothing = bought(sent_ns=SENT_NS + 500_000_000), np.zeros((0, 5), dtype=np.int64)
    both = np.vstack([bought(4), late])
    assert tool.classes_of(bought(3), both, "power", changes)[tool.LATER] == 1
    assert tool.classes_of(nothing, late, "power", changes) == {tool.UNEXPLAINED: 1, tool.ALIKE: 0}
