"""TA-Lib on whole columns of one million values."""

import sys

import talib
from indicator_data import columns, summary
from measured import Once, Workload, main, seconds_of


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


WORKLOADS = {
    "SMA20": Workload(on_columns(lambda data: talib.SMA(data.close, 20))),
    "EMA20": Workload(on_columns(lambda data: talib.EMA(data.close, 20))),
    "RSI14": Workload(on_columns(lambda data: talib.RSI(data.close, 14))),
    "ATR14": Workload(on_columns(lambda data: talib.ATR(data.high, data.low, data.close, 14))),
    "BBANDS20": Workload(on_columns(lambda data: tuple(talib.BBANDS(data.close, 20, 2, 2)))),
    "MACD": Workload(on_columns(lambda data: tuple(talib.MACD(data.close, 12, 26, 9)))),
}

if __name__ == "__main__":
    sys.exit(main("TA-Lib", WORKLOADS))
