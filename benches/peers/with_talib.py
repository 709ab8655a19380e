"""TA-Lib on whole columns of one million values, and value by value through its `stream` functions."""

import sys

import numpy as np
import talib
import talib.stream
from indicator_data import columns, fed, summary
from measured import Once, Workload, main, seconds_of

# `stream` computes the last value from the values that it is handed: long enough for the averages to settle.
WINDOW = 256


def on_columns(compute):
    """One indicator; its outputs are new arrays in each call, the library has no other way."""

    def prepare(count: int) -> Once:
        data = columns(count)
        kept: list = []

        def work() -> dict[str, float]:
            kept[:] = [compute(data)]
            return {}

        def once() -> tuple[float, dict[str, float]]:
            seconds, _ = seconds_of(work)
            found = kept[0]
            return seconds, summary(found if isinstance(found, tuple) else (found,))

        # The first call meets pages that were never touched.
        once()
        return once

    return prepare


class Streamed:
    """Keeps the last values in an array twice as long as the window, so that a slice is always one piece."""

    def __init__(self, compute) -> None:
        self.compute, self.kept, self.end, self.found = compute, np.empty(2 * WINDOW), 0, None

    def update(self, value: float) -> None:
        """Take one value."""
        if self.end == 2 * WINDOW:
            self.kept[:WINDOW] = self.kept[WINDOW:]
            self.end = WINDOW
        self.kept[self.end] = value
        self.end += 1
        self.found = self.compute(self.kept[max(0, self.end - WINDOW) : self.end])


def streamed(compute):
    """One indicator, value by value."""
    return fed(lambda: Streamed(compute), lambda state: state.update, lambda state: state.found)


WORKLOADS = {
    "EMA20 stream": streamed(lambda values: talib.stream.EMA(values, 20)),
    "MACD stream": streamed(lambda values: talib.stream.MACD(values, 12, 26, 9)),
    "SMA20": Workload(on_columns(lambda data: talib.SMA(data.close, 20))),
    "EMA20": Workload(on_columns(lambda data: talib.EMA(data.close, 20))),
    "RSI14": Workload(on_columns(lambda data: talib.RSI(data.close, 14))),
    "ATR14": Workload(on_columns(lambda data: talib.ATR(data.high, data.low, data.close, 14))),
    "BBANDS20": Workload(on_columns(lambda data: tuple(talib.BBANDS(data.close, 20, 2, 2)))),
    "MACD": Workload(on_columns(lambda data: tuple(talib.MACD(data.close, 12, 26, 9)))),
}

if __name__ == "__main__":
    sys.exit(main("TA-Lib", WORKLOADS))
