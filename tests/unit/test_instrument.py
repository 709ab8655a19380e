"""Prices and sizes to ticks and lots and back."""

import math
from decimal import Decimal

import pytest

from tradecore.domain import Instrument, InstrumentSpec, InvalidValueError

GOLD = Instrument.of(0, InstrumentSpec(symbol="GOLD", tick_size="0.01", lot_size="0.001"))


@pytest.mark.parametrize("price", [345.71, Decimal("345.71"), 345.71 * (1 + 1e-15)])
def test_a_price_on_the_grid_is_whole_ticks_however_it_is_written(price):
    """Floats of exact decimals count as exact: a strategy may write what it reads on a screen."""
    assert GOLD.price_ticks(price) == 34571
    assert GOLD.price(34571) == 345.71


@pytest.mark.parametrize("price", [345.715, Decimal("345.7100001"), math.nan, math.inf])
def test_a_price_off_the_grid_is_refused_and_never_rounded_in_silence(price):
    """The one way to round a price says so by its name."""
    with pytest.raises(InvalidValueError, match="price"):
        GOLD.price_ticks(price)


def test_a_computed_price_is_rounded_on_request_to_the_nearest_tick():
    """What a percentage gives lies between two ticks; what is no number at all is refused."""
    assert GOLD.nearest_price_ticks(345.71 * 0.97) == 33534
    assert GOLD.nearest_price_ticks(345.7149) == 34571
    for price in (math.nan, math.inf):
        with pytest.raises(InvalidValueError, match="finite"):
            GOLD.nearest_price_ticks(price)
