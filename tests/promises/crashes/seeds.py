"""Which seeds of the simulation an engine can be killed in."""

from collections.abc import Iterator
from itertools import count

from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.proof.plan import plan_of

EVENTS = 1_500


def mortal_seeds(first: int) -> Iterator[int]:
    """Yield seeds whose venue knows names of clients: without them an order in doubt waits for a person."""
    for seed in count(first):
        if plan_of(seed, EVENTS).venue.duplicate_ids is not DuplicateIds.NONE:
            yield seed
