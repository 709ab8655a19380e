"""Orders to send to a venue."""

import pytest

from support.local_venue import terms
from tradecore.domain.record_bodies import OrderTerms


@pytest.fixture
def resting() -> OrderTerms:
    """Return an order that rests."""
    return terms()


@pytest.fixture
def trading() -> OrderTerms:
    """Return an order that trades at once."""
    return terms(order_kind="market", price_ticks=None, lots=3_000, time_in_force="ioc")
