"""The SMA cross of the README of backtesting.py; `benches/sma_cross.py` counts its lines and runs it."""

from backtesting import Backtest, Strategy
from backtesting.lib import crossover
from backtesting.test import GOOG, SMA


class SmaCross(Strategy):
    """Turn around at a cross of two averages."""

    def init(self):
        """Ask for the averages."""
        price = self.data.Close
        self.ma1 = self.I(SMA, price, 10)
        self.ma2 = self.I(SMA, price, 20)

    def next(self):
        """Turn around."""
        if crossover(self.ma1, self.ma2):
            self.buy()
        elif crossover(self.ma2, self.ma1):
            self.sell()


if __name__ == "__main__":
    print(Backtest(GOOG, SmaCross, commission=0.002, exclusive_orders=True).run())
