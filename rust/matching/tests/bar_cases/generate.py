"""Write random bar cases with the trades that backtesting.py 0.6.6 makes of them.

Run with the development environment: `python generate.py FOLDER FIRST_SEED COUNT`. The cases in this folder
are its output for seeds 1 to 24; `src/bars/tests/oracle.rs` reads them.
"""

import random
import sys
import warnings
from pathlib import Path

import pandas as pd
from backtesting import Backtest, Strategy


def make_bars(chance: random.Random, count: int) -> list[tuple[int, int, int, int]]:
    """Return a random walk of `(open, high, low, close)` with gaps."""
    bars, close = [], 1_000
    wild = chance.choice([5, 20, 60])
    for _ in range(count):
        first = max(50, close + chance.choice([0, 0, chance.randint(-wild, wild)]))
        close = max(50, first + chance.randint(-wild, wild))
        high = max(first, close) + chance.choice([0, chance.randint(0, wild)])
        low = max(20, min(first, close) - chance.choice([0, chance.randint(0, wild)]))
        bars.append((first, high, low, close))
    return bars


def strategy_of(chance: random.Random, log: dict[int, list[str]]) -> type[Strategy]:
    """Return a strategy that acts at random and writes down what it did, bar by bar."""

    class Dice(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.tag = 0

        def next(self) -> None:
            if chance.random() < 0.45:
                return
            bar = len(self.data) - 1
            done = log.setdefault(bar, [])
            for _ in range(chance.choice([1, 1, 2, 3])):
                action = chance.random()
                waiting = [order for order in self.orders if order.parent_trade is None]
                if action < 0.2 and self.trades:
                    trade = chance.choice(self.trades)
                    portion = chance.choice([1.0, 1.0, 0.5, 0.3])
                    trade.close(portion)
                    done.append(f"X {trade.tag} {max(1, round(abs(trade.size) * portion))}")
                elif action < 0.3 and waiting:
                    order = chance.choice(waiting)
                    order.cancel()
                    done.append(f"C {order.tag}")
                else:
                    done.append(self.order())

        def order(self) -> str:
            last = int(self.data.Close[-1])
            is_buy = chance.random() < 0.5
            kind = chance.choice("MMMLS")
            price = last if kind == "M" else max(10, last + chance.randint(-40, 40))
            sign = 1 if is_buy else -1
            loss = price - sign * chance.randint(1, 60) if chance.random() < 0.4 else None
            profit = price + sign * chance.randint(1, 60) if chance.random() < 0.4 else None
            size = chance.choice([1, 2, 3, 7, 0.25, 0.5, 0.9999])
            self.tag += 1
            (self.buy if is_buy else self.sell)(
                size=size,
                limit=price if kind == "L" else None,
                stop=price if kind == "S" else None,
                sl=loss,
                tp=profit,
                tag=self.tag,
            )
            amount = f"{size} lots" if size >= 1 else f"{round(size * 1_000_000)} ppm"
            side = "buy" if is_buy else "sell"
            return f"O {self.tag} {side} {amount} {kind} {price} {loss or '-'} {profit or '-'}"

    return Dice


def make_case(seed: int) -> str | None:
    """Return one case as text, or `None` when the account goes bust in it."""
    chance = random.Random(seed)
    bars = make_bars(chance, 60)
    leverage, bps = chance.choice([1, 1, 2, 5]), chance.choice([0, 10, 20])
    on_close, finalize = chance.random() < 0.4, chance.random() < 0.5
    index = pd.date_range("2020-01-01", periods=len(bars))
    data = pd.DataFrame(bars, columns=["Open", "High", "Low", "Close"], index=index, dtype=float)
    log: dict[int, list[str]] = {}
    test = Backtest(
        data,
        strategy_of(chance, log),
        cash=10_000,
        commission=bps / 10_000,
        margin=1 / leverage,
        trade_on_close=on_close,
        finalize_trades=finalize,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = test.run()
    if stats["_equity_curve"]["Equity"].min() <= 0:
        return None
    fill = "close" if on_close else "next_open"
    lines = [f"rules {fill} {leverage} {bps} {'last_open' if finalize else 'none'} 10000"]
    for number, prices in enumerate(bars):
        lines.append("B " + " ".join(map(str, prices)))
        lines.extend(log.get(number, []))
    lines.extend(
        f"T {trade.tag} {int(trade.size)} {trade.entry_bar} {trade.exit_bar} {trade.entry_price:.0f} "
        f"{trade.exit_price:.0f} {trade.pl:.9f} {trade._commissions:.9f}"
        for trade in stats["_strategy"].closed_trades
    )
    lines.append(f"E {stats['Equity Final [$]']:.9f}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the cases named on the command line."""
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for seed in range(first, first + count):
        case = make_case(seed)
        if case is not None:
            (folder / f"{seed:05}.txt").write_text(case)


if __name__ == "__main__":
    main()
