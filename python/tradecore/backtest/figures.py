"""A figure of a backtest: a number, or the reason why there is none."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class Absent(msgspec.Struct, frozen=True):
    """A figure that cannot be computed, and why."""

    reason: str


Figure = float | Absent


def ratio(numerator: Figure, denominator: Figure, if_zero: str) -> Figure:
    """Divide two figures; absent when one of them is, or for the reason given when the divisor is 0."""
    if isinstance(numerator, Absent):
        return numerator
    if isinstance(denominator, Absent):
        return denominator
    return float(np.float64(numerator) / denominator) if denominator else Absent(if_zero)


def times(factor: float, figure: Figure) -> Figure:
    """Multiply a figure that may be absent."""
    return figure if isinstance(figure, Absent) else factor * figure


def mean(values: Floats, if_none: str) -> Figure:
    """Average values; absent for the reason given when there are none."""
    return float(values.mean()) if len(values) else Absent(if_none)


def known(figure: float | Absent | None) -> float | Absent | None:
    """Return a figure as it is when it is a number, and as absent when it is infinite or NaN."""
    if not isinstance(figure, float) or math.isfinite(figure):
        return figure
    if math.isnan(figure):
        return Absent("a value that it is made of is not a number")
    return Absent("it is larger than a number can be")
