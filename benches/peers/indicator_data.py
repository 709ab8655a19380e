"""The columns that batch indicators are measured on, and how results of two libraries are compared."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from measured import Answer, Once, Workload, clocked, seconds_of

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


def fed(
    make: Callable,
    update: Callable[..., Callable],
    values: Callable[..., float | tuple[float, ...]],
    *,
    with_bars: bool = False,
) -> Workload:
    """Feed an indicator value by value, or with high, low and close; its last values are the answer."""

    def feed(rows) -> Answer:
        indicator = make()
        take = update(indicator)
        if with_bars:
            for high, low, close in rows:
                take(high, low, close)
        else:
            for value in rows:
                take(value)
        found = values(indicator)
        found = found if isinstance(found, tuple) else (found,)
        return {f"last {number}": float(value) for number, value in enumerate(found, 1)}

    def rows(count: int) -> list:
        data = columns(count)
        return list(zip(*(c.tolist() for c in data), strict=True)) if with_bars else data.close.tolist()

    def prepare(count: int) -> Once:
        made = rows(count)
        return lambda: seconds_of(lambda: feed(made))

    def delays(count: int) -> list[int]:
        delays_ns: list[int] = []
        feed(clocked(rows(count), delays_ns))
        return delays_ns

    return Workload(prepare, delays)
