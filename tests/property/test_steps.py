"""Rounding to ticks and lots is exact, whatever the digits."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradecore import Instrument, InstrumentSpec, InvalidValueError
from tradecore.domain.errors import OffGridError

STEPS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 500), st.integers(0, 9)
)
NUMBERS = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=12)
ROUNDING = {"down": ROUND_FLOOR, "up": ROUND_CEILING, "nearest": ROUND_HALF_EVEN}


def of(tick: Decimal) -> Instrument:
    """Return an instrument of this tick and lot."""
    return Instrument.of(0, InstrumentSpec(symbol="X", tick_size=f"{tick:f}", lot_size=f"{tick:f}"))


def plain(number: Decimal, step: Decimal, direction: str) -> Decimal:
    """Round by decimals of three hundred digits."""
    with localcontext() as context:
        context.prec = 300
        return (number / step).to_integral_value(ROUNDING[direction]) * step


@given(number=NUMBERS, step=STEPS, direction=st.sampled_from(sorted(ROUNDING)))
def test_a_decimal_is_rounded_as_by_decimals_of_many_digits(number, step, direction):
    """No digit is lost, and the answer is on the grid."""
    known = of(step)
    found = known.round_price(number, direction)
    assert found == plain(number, step, direction)
    assert known.round_quantity(number, direction) == found
    if abs(found) < 2**63 * step:
        assert known.price_ticks(found) * step == found


@given(
    number=st.floats(-1e9, 1e9, allow_nan=False),
    step=STEPS,
    direction=st.sampled_from(sorted(ROUNDING)),
)
@example(number=0.1 + 0.2, step=Decimal("0.1"), direction="up")
@example(number=0.3, step=Decimal("0.1"), direction="down")
@example(number=1.1 * 3, step=Decimal("0.1"), direction="up")
def test_a_float_is_rounded_as_the_decimal_that_it_is_meant_to_be(number, step, direction):
    """A float that is a hair off a multiple is that multiple; every other one as its exact value."""
    known = of(step)
    found = known.round_price(number, direction)
    near = plain(Decimal(number), step, "nearest")
    tolerance = Decimal("1.0001e-6") * max(1, abs(Decimal(number)) / step * Decimal("1e-9"))
    is_meant = abs(Decimal(number) - near) <= tolerance * step
    exact = plain(Decimal(number), step, direction)
    assert found in ({float(exact), float(near)} if is_meant else {float(exact)})
    if abs(found) < 2**63 * step:
        assert known.price(known.price_ticks(found)) == pytest.approx(found, rel=1e-15)


def test_sums_of_floats_do_not_drift():
    """`0.1 + 0.2` is 0.3 in every direction."""
    for direction in ROUNDING:
        assert of(Decimal("0.1")).round_price(0.1 + 0.2, direction) == 0.3


@given(number=st.one_of(st.floats(), st.decimals(), st.integers()), step=STEPS)
def test_any_number_is_whole_steps_or_that_one_error(number, step):
    """The nearest step and the one on the other side of the number are told."""
    known = of(step)
    try:
        ticks = known.price_ticks(number)
    except OffGridError as error:
        if error.refusal == "off_tick":
            low, high = sorted((error.limit, error.actual))
            assert high == low + 1
            assert low * step < Decimal(number) < high * step
    else:
        assert math.isclose(ticks * step, number, rel_tol=1e-5, abs_tol=float(step) * 1e-5)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("1e5000")])
def test_what_has_no_nearest_step_stays_as_it_is(number):
    """An indicator that is not warm rounds to what it is, and the order that it goes into is refused."""
    found = of(Decimal(1)).round_price(number)
    assert found is number


@pytest.mark.parametrize("direction", ["Down", "", None, "floor"])
def test_a_direction_is_one_of_three_words(direction):
    """A slip is told and not taken for the default."""
    with pytest.raises(InvalidValueError, match="must be down, up or nearest"):
        of(Decimal(1)).round_price(1.5, direction)
