"""The gates that come with tradecore, one table each."""

import math

import msgspec
import pytest

from tradecore.decision import Cooldown, DecisionView, MaxSpread, TradingHours

HOUR_NS = 3_600_000_000_000

VIEW = DecisionView(
    now_ns=0,
    strategy="test",
    instrument_id=0,
    is_buy=True,
    quantity_lots=5,
    position_lots=0,
    best_bid_ticks=100,
    best_ask_ticks=102,
    last_entry_ns=None,
)


def view(**changes):
    """Return the view with some fields changed."""
    return msgspec.structs.replace(VIEW, **changes)


@pytest.mark.parametrize(
    ("ticks", "changes", "passed", "value"),
    [
        (2, {}, True, 2.0),
        (1, {}, False, 2.0),
        (9, {"best_bid_ticks": None}, False, math.inf),
        (9, {"best_ask_ticks": None}, False, math.inf),
        (1, {"position_lots": -5, "is_closing": True}, True, 2.0),
        (1, {"position_lots": 5}, False, 2.0),
    ],
)
def test_a_wide_spread_stops_entries_and_never_exits(ticks, changes, passed, value):
    """The spread is compared in ticks; a market without two sides has no spread an entry may pay."""
    verdict = MaxSpread(ticks=ticks).check(view(**changes))
    assert (verdict.passed, verdict.value, verdict.limit) == (passed, value, float(ticks))


@pytest.mark.parametrize(
    ("now_ns", "last_entry_ns", "passed"),
    [(0, None, True), (999_999_999, 0, False), (1_000_000_000, 0, True), (5, 5, False)],
)
def test_a_cooldown_counts_from_the_last_entry(now_ns, last_entry_ns, passed):
    """Exactly the limit is enough."""
    assert Cooldown(seconds=1.0).check(view(now_ns=now_ns, last_entry_ns=last_entry_ns)).passed is passed


@pytest.mark.parametrize(
    ("request_kind", "passed"), [("new", False), ("amend", False), ("arm", True), ("grow", True)]
)
def test_a_cooldown_counts_an_order_once_however_it_is_filled(request_kind, passed):
    """What follows the fills of another order was counted when it was asked for; an amendment is an entry."""
    changes = {"now_ns": 5, "last_entry_ns": 5, "request": request_kind}
    assert Cooldown(seconds=1.0).check(view(**changes)).passed is passed


@pytest.mark.parametrize(
    ("start", "end", "hour", "passed"),
    [
        (8.0, 17.0, 8.0, True),
        (8.0, 17.0, 7.999, False),
        (8.0, 17.0, 17.0, False),
        (22.0, 2.0, 23.5, True),
        (22.0, 2.0, 1.999, True),
        (22.0, 2.0, 2.0, False),
        (22.0, 2.0, 12.0, False),
    ],
)
def test_trading_hours_hold_their_start_and_not_their_end(start, end, hour, passed):
    """A window may pass midnight; days before 1970 have hours, too."""
    gate = TradingHours(start=start, end=end)
    for day in (0, 20_000, -3):
        assert gate.check(view(now_ns=day * 24 * HOUR_NS + round(hour * HOUR_NS))).passed is passed
