"""vectorbt on B2 and B3: signals from whole arrays, a compiled loop for the orders."""

import sys

import pandas as pd
import vectorbt
from measured import Answer, Once, Workload, main, seconds_of

from workloads import SWEEP_FAST, SWEEP_SLOW, WALK_CASH, WALK_FEE, WALK_TICKS, walk_bars


def portfolio(closes: pd.Series, opened: pd.Series, fast: list[int] | int, slow: list[int] | int):
    """Trade one unit at the next open after each cross of two simple averages."""
    quick = vectorbt.MA.run(closes, fast, short_name="quick")
    lazy = vectorbt.MA.run(closes, slow, short_name="lazy")
    entries = quick.ma_crossed_above(lazy).vbt.fshift(1)
    exits = quick.ma_crossed_below(lazy).vbt.fshift(1)
    settings = {"price": opened, "size": 1.0, "fees": WALK_FEE, "init_cash": WALK_CASH, "freq": "1min"}
    return vectorbt.Portfolio.from_signals(closes, entries, exits, **settings)


def prices(count: int) -> tuple[pd.Series, pd.Series]:
    """Make closes and opens."""
    bars = walk_bars(count)
    index = pd.to_datetime(bars.open_time_ns)
    return pd.Series(bars.close / WALK_TICKS, index), pd.Series(bars.open / WALK_TICKS, index)


def on_walk(*, with_statistics: bool):
    """B2, with or without the whole table of statistics."""

    def prepare(count: int) -> Once:
        closes, opened = prices(count)

        def work() -> Answer:
            found = portfolio(closes, opened, 10, 20)
            answer = {"trades": int(found.trades.closed.count()), "pnl": float(found.total_profit())}
            if with_statistics:
                found.stats()
            return answer

        # The first call compiles.
        work()
        return lambda: seconds_of(work)

    return prepare


def on_sweep(count: int) -> Once:
    """B3: all points in one call."""
    closes, opened = prices(count)
    points = [(fast, slow) for fast in SWEEP_FAST for slow in SWEEP_SLOW]

    def work() -> Answer:
        profit = portfolio(closes, opened, *(list(column) for column in zip(*points, strict=True)))
        totals = profit.total_profit().to_numpy()
        fast, slow = points[int(totals.argmax())]
        return {"fast": fast, "slow": slow, "pnl": float(totals.max())}

    small = portfolio(closes[:1000], opened[:1000], 10, 20)
    small.total_profit()
    return lambda: seconds_of(work)


WORKLOADS = {
    "B2": Workload(on_walk(with_statistics=False)),
    "B2 statistics": Workload(on_walk(with_statistics=True)),
    "B3": Workload(on_sweep),
}

if __name__ == "__main__":
    sys.exit(main("vectorbt", WORKLOADS))
