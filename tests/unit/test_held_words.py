"""What is held at a venue: a person reads sizes and not lots."""

from decimal import Decimal

import pytest

from tradecore_api.held_words import held_words


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ((), "none"),
        ((("BTC-USD", -60),), "BTC-USD -0.006"),
        ((("BTC-USD", 20_000), ("X", 3)), "BTC-USD 2, X 3 lots"),
        ((("BTC-USD", 10**15),), "BTC-USD 100000000000"),
    ],
)
def test_what_is_held_is_told_in_decimals(positions, words):
    """Of an instrument that nobody knows, in lots, and says so."""
    assert held_words(positions, {"BTC-USD": Decimal("0.0001")}) == words
