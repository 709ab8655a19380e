"""The columns that batch indicators are measured on, and how results of two libraries are compared."""

from typing import NamedTuple

import numpy as np

from workloads import Floats


class Columns(NamedTuple):
    """High, low and close of a geometric random walk from 100."""

    high: Floats
    low: Floats
    close: Floats


def columns(count: int) -> Columns:
    """Make the columns from one seed."""
    rng = np.random.default_rng(42)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    wick = np.abs(rng.normal(0, 5e-5, (2, count))) * close
    return Columns(np.maximum(opened, close) + wick[0], np.minimum(opened, close) - wick[1], close)


def summary(outputs: tuple[Floats, ...]) -> dict[str, float]:
    """Condense outputs to figures that differ when values do: mean, mean square and the last value."""
    answer: dict[str, float] = {}
    for number, values in enumerate(outputs, 1):
        known = values[~np.isnan(values)]
        answer[f"mean {number}"] = float(known.mean())
        answer[f"square {number}"] = float(np.mean(known * known))
        answer[f"last {number}"] = float(known[-1])
        answer[f"known {number}"] = float(len(known))
    return answer
