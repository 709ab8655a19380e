"""Real bars as float arrays, for tests of indicators."""

import csv
import gzip
from functools import cache

import numpy as np

from support.shared import shared_data


@cache
def bars(name: str) -> dict[str, np.ndarray]:
    """Read `GOOG` or `EURUSD`: arrays `open, high, low, close, volume`."""
    with gzip.open(shared_data(f"public/backtesting_py/{name}.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ("Open", "High", "Low", "Close", "Volume")
    return {column.lower(): np.array([float(row[column]) for row in rows]) for column in columns}
