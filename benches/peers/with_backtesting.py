"""backtesting.py on B2: its event loop with a Python callback on every bar."""

import sys

import backtesting.backtesting
import pandas as pd
from backtesting.lib import crossover
from measured import Answer, Once, Workload, main, seconds_of

from workloads import WALK_CASH, WALK_FEE, WALK_TICKS, simple_average, walk_bars

# No progress bar.
backtesting.backtesting._tqdm = lambda steps, **_: steps


class SimpleCross(backtesting.Strategy):
    """One unit long between a cross above and the next cross below."""

    def init(self):
        """Compute the averages."""
        close = self.data.Close
        self.fast, self.slow = (self.I(simple_average, close, length, plot=False) for length in (10, 20))

    def next(self):
        """Buy on a cross above, close on a cross below."""
        if crossover(self.fast, self.slow):
            self.buy(size=1)
        elif crossover(self.slow, self.fast):
            self.position.close()


def on_walk(count: int) -> Once:
    """B2."""
    bars = walk_bars(count)
    names = ("Open", "High", "Low", "Close")
    columns = {
        name: ticks / WALK_TICKS
        for name, ticks in zip(names, (bars.open, bars.high, bars.low, bars.close), strict=True)
    }
    frame = pd.DataFrame({**columns, "Volume": bars.volume}, index=pd.to_datetime(bars.open_time_ns))

    def work() -> Answer:
        test = backtesting.Backtest(
            frame, SimpleCross, cash=WALK_CASH, commission=WALK_FEE, finalize_trades=False
        )
        found = test.run()
        return {"trades": int(found["# Trades"]), "pnl": float(found["Equity Final [$]"] - WALK_CASH)}

    return lambda: seconds_of(work)


if __name__ == "__main__":
    sys.exit(main("backtesting", {"B2": Workload(on_walk)}))
