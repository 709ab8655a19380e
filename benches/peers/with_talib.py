"""TA-Lib on whole columns of one million values, and value by value through its streams."""

import sys

import talib
import talib.stream
from indicator_data import columns, fed, summary
from measured import Once, Workload, main, seconds_of

# A stream is opened with some history; the same values come again first, and have no effect on the last ones.
HISTORY = columns(64).close


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


def streamed(make):
    """One indicator, value by value."""
    return fed(make, lambda state: state.update, lambda state: state.value)


WORKLOADS = {
    "EMA20 stream": streamed(lambda: talib.stream.EMA(HISTORY, 20)),
    "MACD stream": streamed(lambda: talib.stream.MACD(HISTORY, 12, 26, 9)),
    "SMA20": Workload(on_columns(lambda data: talib.SMA(data.close, 20))),
    "EMA20": Workload(on_columns(lambda data: talib.EMA(data.close, 20))),
    "RSI14": Workload(on_columns(lambda data: talib.RSI(data.close, 14))),
    "ATR14": Workload(on_columns(lambda data: talib.ATR(data.high, data.low, data.close, 14))),
    "BBANDS20": Workload(on_columns(lambda data: tuple(talib.BBANDS(data.close, 20, 2, 2)))),
    "MACD": Workload(on_columns(lambda data: tuple(talib.MACD(data.close, 12, 26, 9)))),
}

if __name__ == "__main__":
    sys.exit(main("TA-Lib", WORKLOADS))
