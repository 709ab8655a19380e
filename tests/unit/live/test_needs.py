"""Who does what at a venue: the venue, the engine in its place, or nobody."""

import msgspec
import pytest

from support.live_desk import CAPABILITIES, LiveDesk
from tradecore.domain.venue_capabilities import AWAKE, DuplicateIds
from tradecore.domain.venue_requests import Taken
from tradecore.runtime.live.needs import Doer, doers, unmet


def can(**changes):
    """Return what a venue can do."""
    return msgspec.structs.replace(CAPABILITIES, **changes)


@pytest.mark.parametrize("kind", AWAKE)
def test_the_engine_watches_what_the_venue_does_not_have_and_can_finish(kind):
    """What it becomes has to be there; what the venue has itself the engine leaves to it."""
    assert doers(can())[kind] is Doer.ENGINE
    assert doers(can(order_kinds=frozenset({"market", "limit", kind})))[kind] is Doer.VENUE
    without = frozenset({"market", "limit"} - {AWAKE[kind]})
    assert doers(can(order_kinds=without))[kind] is Doer.NOBODY


@pytest.mark.parametrize(
    ("changes", "name", "doer"),
    [
        ({"post_only": False}, "post_only", Doer.NOBODY),
        ({"reduce_only": False}, "reduce_only", Doer.ENGINE),
        ({"replaces": False}, "replace", Doer.ENGINE),
        ({"duplicate_ids": DuplicateIds.NONE}, "client_ids", Doer.NOBODY),
        ({"times_in_force": frozenset({"gtc"})}, "ioc", Doer.NOBODY),
    ],
)
def test_what_is_taken_away_is_done_by_somebody_else_or_by_nobody(changes, name, doer):
    """And by the venue where it is not taken away."""
    assert doers(can())[name] is Doer.VENUE
    assert doers(can(**changes))[name] is doer


def test_what_nobody_does_is_told_with_who_needs_it():
    """The engine itself needs market orders, by which it closes."""
    needs = {"a": ("stop", "reduce_only"), "b": ("post_only", "iceberg")}

    assert unmet(can(), {"a": needs["a"]}) == {}
    assert unmet(can(post_only=False, reduce_only=False), needs) == {"b": ["post_only", "iceberg"]}
    assert unmet(can(order_kinds=frozenset({"limit"})), {}) == {"engine": ["market"]}


def test_an_amendment_that_the_venue_cannot_do_is_rejected_here():
    """Nothing is sent, and a cancel that follows goes out."""
    desk = LiveDesk(can(replaces=False))
    desk.order()
    desk.answer(Taken(venue_order_id="V1"))

    assert desk.sent(1, "replace", lots=5, price_ticks=96) == []
    assert [(word.report, word.reason) for word in desk.words] == [("replace_rejected", "unsupported")]
    (cancel,) = desk.sent(1, "cancel")
    assert type(cancel).__name__ == "Cancel"
