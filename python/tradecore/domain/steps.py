"""Numbers as whole ticks and lots, and the ticks and lots that numbers are multiples of."""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import DataError

DECIMALS_MAX = 12
# With fewer different numbers than this, a common factor such as 5 is more likely chance than a tick.
_VALUES_MIN = 20
_ROWS_TO_SEE = 1_000
# A tick this many steps large is no chance, and a price of as many ticks can be rounded to one.
_CLEAR, _ROUNDED = 100, 100_000
# A common factor fits 63 bits.
_POWER_MAX = 20
# As wide as for any other float that becomes ticks: tables hold sums and products of decimals, not decimals.
_FLOAT_TOLERANCE = 1e-6
# Whole numbers a float holds exactly.
_FLOAT_STEPS_MAX = 2.0**53


def power_of_ten(decimals: int) -> str:
    """Return the step of so many decimals as plain text: `0.01` for 2."""
    return "1" if decimals == 0 else f"0.{'0' * (decimals - 1)}1"


def decimal_text(steps: int, step: str) -> str:
    """Return a number of steps as plain decimal text without zeros at its end."""
    text = format(steps * Decimal(step), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def tick_of(steps: npt.NDArray[np.int64], step: str) -> str:
    """Return the coarsest round tick of prices in whole steps: a 1, 2, 2.5 or 5 with its power of ten."""
    seen = steps[steps > 0]
    # Some rows mostly show that there are enough: sorting millions takes longer than their common factor.
    is_enough = any(len(np.unique(part)) >= _VALUES_MIN for part in (seen[:_ROWS_TO_SEE], seen))
    common = int(np.gcd.reduce(seen)) if is_enough else 1
    # Tenths, so that 2.5 is whole.
    factors = [factor * 10**power for power in range(_POWER_MAX) for factor in (10, 20, 25, 50)]
    fitting = (factor // 10 for factor in factors if factor % 10 == 0 and common % (factor // 10) == 0)
    return decimal_text(max(fitting), step)


def rounded_tick_of(steps: npt.NDArray[np.int64], step: str) -> str:
    """Return a tick for prices that no tick holds, in whole steps much finer than they are.

    Where they are off a tick by the error of floats alone, it is that tick. Else it is the power of ten, at
    most 0.01, that is a hundred-thousandth of the smallest price or less.
    """
    found = tick_of(steps, step)
    if Decimal(found) >= _CLEAR * Decimal(step):
        return found
    smallest = int(steps[steps > 0].min(initial=np.iinfo(np.int64).max)) * Decimal(step)
    decimals = next(
        (at for at in range(2, DECIMALS_MAX) if _ROUNDED * Decimal(power_of_ten(at)) <= smallest), None
    )
    return step if decimals is None else max(power_of_ten(decimals), step, key=Decimal)


def lot_of(steps: npt.NDArray[np.int64], step: str) -> str:
    """Return the power of ten, at most 1, that all sizes in whole steps are multiples of."""
    common = int(np.gcd.reduce(steps)) if len(steps) else 0
    lot = Decimal(step)
    while lot < 1 and common % 10 == 0 and common:
        lot *= 10
        common //= 10
    return "1" if not common else decimal_text(1, format(lot, "f"))


def steps_of_floats(
    row_name: Callable[[int], str],
    name: str,
    step_text: str,
    values: npt.NDArray[np.float64],
    *,
    is_nearest: bool = False,
    is_signed: bool = False,
    off_grid_hint: str = "",
) -> npt.NDArray[np.int64]:
    """Turn floats into steps; a float within a millionth of a step of a whole number of steps means it.

    Parameters
    ----------
    row_name : callable
        What to call a row, counted from 0, in an error.
    name, step_text : str
        Name of the column, and its step as decimal text.
    values : ndarray of float64, shape (n,)
        Prices or sizes.
    is_nearest : bool
        Round what lies between two steps instead of refusing it.
    is_signed : bool
        Take numbers below 0.
    off_grid_hint : str
        What to do about a number between two steps, for the error.

    Raises
    ------
    DataError
        Naming the first row that cannot be used.
    """
    numerator, denominator = (float(part) for part in Decimal(step_text).as_integer_ratio())
    with np.errstate(all="ignore"):
        steps = np.rint(values / numerator * denominator)
        bad = ~np.isfinite(values)
        rule = "must be a finite number"
        if not bad.any() and not is_signed:
            bad, rule = values < 0, "must not be negative"
        if not bad.any():
            bad, rule = np.abs(steps) >= _FLOAT_STEPS_MAX, f"must be below 2^53 steps of {Decimal(step_text)}"
        if not bad.any() and not is_nearest:
            off = np.abs(values / numerator * denominator - steps)
            bad, rule = off > _FLOAT_TOLERANCE, f"must be a multiple of {Decimal(step_text)}{off_grid_hint}"
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(row_name(row), f"{name} {float(values[row])!r}: {rule}")
    return steps.astype(np.int64)


def decimals_of(values: npt.NDArray[np.float64]) -> int | None:
    """Return how many decimals floats have, `None` when no power of ten from 1 to 1e-12 holds them all."""
    first = values[:_ROWS_TO_SEE]
    if len(values) > len(first):
        # Fewer decimals than some rows have need not be tried on all.
        of_some = decimals_of(first)
        fewest = DECIMALS_MAX + 1 if of_some is None else of_some
    else:
        fewest = 0
    for decimals in range(fewest, DECIMALS_MAX + 1):
        scaled = values * 10.0**decimals
        if (np.abs(scaled) >= _FLOAT_STEPS_MAX).any():
            return None
        if (np.abs(scaled - np.rint(scaled)) <= _FLOAT_TOLERANCE).all():
            return decimals
    return None
