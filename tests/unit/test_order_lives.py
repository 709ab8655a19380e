"""The simulation's reader of orders: what surprises of the engine it takes for faults."""

import pytest

from support import records
from tradecore.proof.order_lives import OrderLives

ORDER = {"order_id": 5, "side": "buy", "order_kind": "limit", "time_in_force": "gtc", "lots": 10}
FIRST = ("venue_report", {"order_id": 5, "report": "fill", "trade_id": "T1", "lots": 4})
ANEW = ("venue_revision", {"order_id": 5, "trade_id": "T1", "revision": 1, "lots": 5})
ANEW_OF_ANOTHER = ("venue_revision", {"order_id": 6, "trade_id": "T1", "revision": 1, "lots": 5})


def broken(surprise, *told):
    """Return what is found where the engine says this after these records."""
    lives = OrderLives()
    said = ("surprise", {"order_id": 5, "surprise": surprise})
    for seq, (kind, fields) in enumerate([("order", ORDER), *told, said]):
        lives.take(seq, records.body(kind, **fields))
    return [words for _, words in lives.broken]


@pytest.mark.parametrize("surprise", ["late_fill", "overfill"])
@pytest.mark.parametrize(
    ("told", "is_fault"),
    [([], True), ([FIRST], True), ([FIRST, ANEW], True), ([ANEW_OF_ANOTHER], True), ([ANEW], False)],
)
def test_a_fill_beyond_an_order_is_a_fault_unless_a_trade_was_corrected_first(surprise, told, is_fault):
    """Nobody knows how large a trade was at first that is told as corrected."""
    assert broken(surprise, *told) == ([f"order 5: {surprise}"] if is_fault else [])


def test_what_a_venue_may_do_to_exits_is_none():
    """The engine says so, and the position is open without its exit."""
    assert broken("exit_refused") == broken("exit_missing") == []
    assert broken("impossible") == ["order 5: impossible"]
