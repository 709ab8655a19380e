"""What the journal says of requests that left: each order once, not before its approval, never in shadow."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.random_orders import SECOND_NS, STRATEGY, Everything, events_of, spec_of
from tradecore import Engine, StrategyBinding
from tradecore.domain import Matching, Mode
from tradecore.domain.journal import decode_frames

STEPS = 60
# What only a venue says, and not before it has the order.
OF_VENUES = frozenset({"accepted", "fill", "triggered", "replaced", "replace_rejected", "cancel_rejected"})


def records_of(matching, seed, mode=Mode.BACKTEST):
    """Run the strategy that does everything and return the records: kind, time, values."""
    strategy = Everything()
    strategy.seed = seed
    spec = msgspec.structs.replace(spec_of(matching, latency_ns=2 * SECOND_NS), mode=mode)
    if matching is Matching.BARS:
        spec = msgspec.structs.replace(spec_of(matching), mode=mode)
    engine = Engine(
        spec, [StrategyBinding(name=STRATEGY, strategy=strategy, instruments=(0, 1))], recording=True
    )
    frames = b""
    for batch in events_of(matching, seed, STEPS):
        engine.feed(batch)
        engine.run()
        frames += engine.take_frames()
    return decode_frames(frames)


def made_by_venue(matching, order):
    """Tell whether a venue may have made an order itself: an exit of a bracket, which lives there."""
    return matching is Matching.BARS and "closes" in order


@settings(max_examples=60)
@given(matching=st.sampled_from(list(Matching)), seed=st.integers(0, 2**32))
def test_an_order_is_sent_once_and_after_its_approval(matching, seed):
    """What a venue says of it, it says later; of the exits that a venue makes itself nothing is sent."""
    approved, forced, sent = {}, set(), Counter()
    for kind, time_ns, fields in records_of(matching, seed):
        order_id = fields.get("order_id")
        if kind == "order":
            approved[order_id] = fields
        elif kind == "liquidation":
            forced.add(order_id)
        elif kind == "sent":
            assert order_id in approved
            is_first, is_new = sent[order_id] == 0, fields["request"] == "new"
            assert is_first or not is_new, "new once"
            assert is_new or not is_first or made_by_venue(matching, approved[order_id]), "new first"
            sent[order_id] += 1
        elif kind == "report" and fields["report"] in OF_VENUES and order_id not in forced:
            assert sent[order_id] > 0 or made_by_venue(matching, approved[order_id]), (order_id, fields)
            assert fields["venue_time_ns"] <= time_ns
    assert sent or not approved


@pytest.mark.parametrize("matching", list(Matching))
def test_nothing_is_sent_in_shadow(matching):
    """Orders are approved there, and stay inside."""
    kinds = Counter(kind for kind, _, _ in records_of(matching, 7, Mode.SHADOW))

    assert kinds["order"] > 0
    assert kinds["sent"] == 0
