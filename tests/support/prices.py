"""Real bars as float arrays, for tests of indicators."""

import csv
from functools import cache

import numpy as np

from support.shared import EXAMPLE_DATA

# Days and minutes of bitcoin: 1,246 and 1,430 bars.
SERIES = ("btc-daily", "btc-1m")


@cache
def bars(name: str) -> dict[str, np.ndarray]:
    """Read one of the two series: arrays `open, high, low, close, volume`."""
    with (EXAMPLE_DATA / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    columns = ("open", "high", "low", "close", "volume")
    return {column: np.array([float(row[at]) for row in rows]) for at, column in enumerate(columns, 1)}
