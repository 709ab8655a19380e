"""Prices and sizes on their grid: exact where decimals come in, and forgiving to floats of exact decimals."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Literal, overload

import msgspec

from tradecore.domain.errors import InvalidValueError, OffGridError
from tradecore.domain.shape import without_numpy

Direction = Literal["down", "up", "nearest"]

# Furthest a float may lie from a whole number of steps, in steps: floats of exact decimals are nearer.
STEP_TOLERANCE = 1e-6
STEPS_MAX = 2**63 - 1
_FLOAT_COUNT_MAX = 1e12
# No number of 64 bits of steps has its first digit further from the point.
_EXPONENT_MAX = 40


class Grid(msgspec.Struct, frozen=True):
    """What the steps of a grid are called, and the rule that refuses what is off it."""

    refusal: str
    step: str
    unit: str


PRICE = Grid("off_tick", "tick size", "round_price")
QUANTITY = Grid("off_lot", "lot size", "round_quantity")


def whole(value: float | Decimal, step: Decimal, name: str, grid: Grid) -> int:
    """Return a number as whole steps.

    Raises
    ------
    OffGridError
        When it lies between two steps, is not finite, or is more than 64 bits of steps.
    InvalidValueError
        When it is no number at all.
    """
    if type(value) is float and (near := _near(value, step)) is not None and abs(near) <= STEPS_MAX:
        return near
    value = _number(value, name)
    if not _is_finite(value):
        rule = "must be a finite number: is an indicator not warm yet?"
        is_nan = value.is_nan() if isinstance(value, Decimal) else math.isnan(value)
        sign = 0 if is_nan else 1 if value > 0 else -1
        raise OffGridError(name, value, rule, refusal="not_a_number", limit=0, actual=sign)
    steps = _steps(value, step)
    if not -STEPS_MAX <= steps <= STEPS_MAX:
        limit = STEPS_MAX if steps > 0 else -STEPS_MAX
        actual = max(-(2**127), min(2**127 - 1, math.floor(steps)))
        rule = f"must fit 64 bits of {step}"
        raise OffGridError(name, value, rule, refusal="invalid_order", limit=limit, actual=actual)
    if steps == (near := round(steps)):
        return near
    other = near - 1 if near > steps else near + 1
    rule = (
        f"must be a multiple of the {grid.step} {step}; the nearest is {text(near, step)}: "
        f"give that, or use {grid.unit}"
    )
    raise OffGridError(name, value, rule, refusal=grid.refusal, limit=near, actual=other)


@overload
def rounded(value: float, step: Decimal, direction: Direction, name: str = "value") -> float: ...
@overload
def rounded(value: Decimal, step: Decimal, direction: Direction, name: str = "value") -> Decimal: ...
def rounded(
    value: float | Decimal, step: Decimal, direction: Direction, name: str = "value"
) -> float | Decimal:
    """Return the multiple of a step next to a number, of the same type; what is not finite stays.

    `name` is what an error calls the number.

    Raises
    ------
    InvalidValueError
        When there is no such direction, or the value is no number at all.
    """
    word: object = direction
    if not isinstance(word, str) or word not in ("down", "up", "nearest"):
        raise InvalidValueError("direction", word, "must be down, up or nearest")
    number = _number(value, name)
    if not _is_finite(number) or _is_huge(number):
        return value
    steps = _steps(number, step)
    match direction:
        case "down":
            count = math.floor(steps)
        case "up":
            count = math.ceil(steps)
        case _:
            count = round(steps)
    exact = _times(count, step)
    return exact if isinstance(value, Decimal) else float(exact)


def text(count: int, step: Decimal) -> str:
    """Return a number of steps as decimal text, without zeros that say nothing."""
    return f"{_times(count, step):f}"


def _times(count: int, step: Decimal) -> Decimal:
    """Multiply exactly: the decimals of the context would round what has many digits."""
    sign, digits, exponent = step.as_tuple()
    mantissa = count * int("".join(map(str, digits))) * (-1 if sign else 1)
    return Decimal(f"{mantissa}E{exponent}")


def _number(value: object, name: str) -> float | int | Decimal:
    value = without_numpy(value)
    if isinstance(value, bool) or not isinstance(value, float | int | Decimal):
        raise InvalidValueError(name, value, "must be a number")
    return value


def _steps(value: float | Decimal, step: Decimal) -> Fraction:
    """Return how many steps a finite number is; a float near a whole number of them is that number."""
    if isinstance(value, Decimal) and value and not -_EXPONENT_MAX <= value.adjusted() <= _EXPONENT_MAX:
        # Written out it would have more digits than any number here needs: as small or large as those go.
        value = Decimal(f"1E{math.copysign(_EXPONENT_MAX, value.adjusted()):.0f}").copy_sign(value)
    exact = Fraction(value) / Fraction(step)
    if not isinstance(value, float):
        return exact
    near = _near(value, step)
    return exact if near is None else Fraction(near)


def _is_finite(value: float | Decimal) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or math.isfinite(value)


def _is_huge(value: float | Decimal) -> bool:
    return isinstance(value, Decimal) and value.adjusted() > _EXPONENT_MAX


def _near(value: float, step: Decimal) -> int | None:
    """Return the whole steps that a float is meant to be, `None` when it lies between two."""
    count = value / float(step)
    if not math.isfinite(count):
        return None
    # Of so many steps the division itself may be off by more than it is to tell.
    exact = Fraction(value) / Fraction(step) if abs(count) > _FLOAT_COUNT_MAX else Fraction(count)
    near = round(exact)
    return near if abs(exact - near) <= STEP_TOLERANCE * max(1.0, abs(count) * 1e-9) else None
