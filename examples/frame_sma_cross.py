"""A backtest on a DataFrame, as in a notebook; run it from the folder that has `examples` in it."""

import pandas as pd

from tradecore import Bar, Context, run_frame


class SmaCross:
    """Long while the average of 10 closes is above that of 20, short while it is below."""

    def on_start(self, ctx: Context) -> None:
        self.fast, self.slow = ctx.sma(10), ctx.sma(20)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        if self.fast.crossed_above(self.slow):
            ctx.close()
            ctx.buy(fraction=1)
        elif self.slow.crossed_above(self.fast):
            ctx.close()
            ctx.sell(fraction=1)


result = run_frame(pd.read_csv("examples/data/btc-daily.csv"), SmaCross, commission=0.002)
print(result, result.trades_frame(), sep="\n\n")
