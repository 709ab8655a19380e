"""backtrader on B2: its event loop with a Python callback on every bar."""

import sys

import backtrader
import pandas as pd
from measured import Answer, Once, Workload, main, seconds_of

from workloads import WALK_CASH, WALK_FEE, WALK_TICKS, walk_bars


class SimpleCross(backtrader.Strategy):
    """One unit long between a cross above and the next cross below."""

    def __init__(self):
        fast, slow = (backtrader.ind.SMA(self.data.close, period=length) for length in (10, 20))
        self.cross, self.trades = backtrader.ind.CrossOver(fast, slow), 0

    def notify_trade(self, trade):
        """Count closed trades."""
        self.trades += trade.isclosed

    def next(self):
        """Buy on a cross above, close on a cross below."""
        if self.cross[0] > 0 and not self.position:
            self.buy(size=1)
        elif self.cross[0] < 0 and self.position:
            self.close()


def on_walk(count: int) -> Once:
    """B2."""
    bars = walk_bars(count)
    names = ("open", "high", "low", "close")
    columns = {
        name: ticks / WALK_TICKS
        for name, ticks in zip(names, (bars.open, bars.high, bars.low, bars.close), strict=True)
    }
    frame = pd.DataFrame({**columns, "volume": bars.volume}, index=pd.to_datetime(bars.open_time_ns))

    def work() -> Answer:
        cerebro = backtrader.Cerebro(stdstats=False)
        cerebro.adddata(backtrader.feeds.PandasData(dataname=frame))
        cerebro.addstrategy(SimpleCross)
        cerebro.broker.setcash(WALK_CASH)
        cerebro.broker.setcommission(commission=WALK_FEE)
        (strategy,) = cerebro.run()
        return {"trades": strategy.trades, "pnl": cerebro.broker.getvalue() - WALK_CASH}

    return lambda: seconds_of(work)


if __name__ == "__main__":
    sys.exit(main("backtrader", {"B2": Workload(on_walk)}))
