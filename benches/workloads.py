"""The workloads, made from seeds: what every bench is fed with, and what the right answer is.

Seeds, formulas and answers are fixed, so that figures of any two engines, machines or years can be compared.
"""

import random
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MINUTE_NS = 60_000_000_000
YEAR_2020_NS = 1_577_836_800_000_000_000
YEAR_2023_NS = 1_672_531_200_000_000_000

# A currency pair: prices are whole hundred-thousandths.
PAIR_TICK_SIZE = "0.00001"
# The random walk of B2 has no grid of its own: this one is finer than any figure that is compared.
WALK_TICK_SIZE = "0.00000001"
WALK_TICKS = 10**8
WALK_CASH = 1_000_000
WALK_FEE = 5e-4
# What every engine has to find on the 500k bars of B2: closed trades, and profit of all fills.
SMA_TRADES, SMA_PNL = 13_892, -1331.0697
EMA_TRADES, EMA_PNL = 11_255, -1068.8115
SWEEP_FAST = tuple(range(5, 15))
SWEEP_SLOW = tuple(range(20, 70, 5))
SWEEP_BEST = (14, 65)


class Bars(NamedTuple):
    """Bars as columns; prices are whole ticks."""

    open_time_ns: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers


class Quotes(NamedTuple):
    """Best bid and ask as columns; prices are whole ticks."""

    time_ns: Integers
    bid: Integers
    ask: Integers
    bid_lots: Integers
    ask_lots: Integers


class Levels(NamedTuple):
    """Changes of price levels as columns; side 0 is the bids, no lots take the level out."""

    side: NDArray[np.uint8]
    price: Integers
    lots: Integers


def pair_bars(count: int = 500_000) -> Bars:
    """B1: one-minute bars of a currency pair; a Gaussian walk of 10 ticks, reflected into [0.5, 1.5]."""
    rng = np.random.default_rng(42)
    close = _reflected(100_000 + np.cumsum(_rounded(rng.normal(0.0, 10.0, count))))
    opened = np.concatenate(([100_000], close[:-1]))
    above = np.abs(_rounded(rng.normal(0.0, 5.0, count)))
    below = np.abs(_rounded(rng.normal(0.0, 5.0, count)))
    volume = rng.integers(1_000_000, 10_000_000, count)
    ended = YEAR_2020_NS + MINUTE_NS * np.arange(1, count + 1, dtype=np.int64)
    high, low = np.maximum(opened, close) + above, np.minimum(opened, close) - below
    return Bars(ended - MINUTE_NS, opened, high, low, close, volume)


def pair_quotes(count: int = 1_000_000) -> Quotes:
    """B4 to B6: quotes 100 ms apart; the bid walks by at most 2 ticks, the spread is 5 to 15."""
    rng = np.random.default_rng(43)
    bid = _reflected(100_000 + np.cumsum(rng.integers(-2, 3, count)))
    ask = bid + rng.integers(5, 16, count)
    bid_lots = rng.integers(1_000_000, 10_000_000, count)
    ask_lots = rng.integers(1_000_000, 10_000_000, count)
    times = YEAR_2020_NS + 100_000_000 * np.arange(1, count + 1, dtype=np.int64)
    return Quotes(times, bid, ask, bid_lots, ask_lots)


def walk_bars(count: int = 500_000) -> Bars:
    """B2 and B3: one-minute bars of a geometric random walk from 100, on a grid of 1e-8."""
    rng = np.random.default_rng(42)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 5e-4, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    wick = np.abs(rng.normal(0, 2e-4, (2, count)))
    high, low = np.maximum(opened, close) * (1 + wick[0]), np.minimum(opened, close) * (1 - wick[1])
    volume = rng.lognormal(3, 1, count)
    times = YEAR_2023_NS + MINUTE_NS * np.arange(count, dtype=np.int64)
    ticks = [_rounded(prices * WALK_TICKS) for prices in (opened, high, low, close)]
    return Bars(times, *ticks, _rounded(volume))


def _rounded(values: Floats) -> Integers:
    return np.rint(values).astype(np.int64)


def _reflected(walk: Integers) -> Integers:
    """Fold a walk back into [50_000, 150_000]."""
    folded = (walk - 50_000) % 200_000
    return np.where(folded > 100_000, 200_000 - folded, folded) + 50_000


@cache
def level_changes(count: int = 1_000_000) -> Levels:
    """Order book: changes in a window of 500 ticks a side around a drifting mid, most of them near the touch.

    Half change a size, a quarter adds a level, a quarter takes one out.
    """
    stream = _LevelStream(count)
    for offset in range(500):
        stream.put(0, stream.mid - 1 - offset, stream.random.randint(1, 1000))
        stream.put(1, stream.mid + 1 + offset, stream.random.randint(1, 1000))
    step = 0
    while not stream.full:
        step += 1
        if step % 50 == 0:
            stream.drift()
        stream.change()
    return Levels(
        np.array(stream.side[:count], np.uint8),
        np.array(stream.price[:count], np.int64),
        np.array(stream.lots[:count], np.int64),
    )


class _LevelStream:
    """Draws level changes that are legal for the book so far."""

    def __init__(self, count: int) -> None:
        self.random = random.Random(7)
        self.count = count
        self.mid = 100_000
        self.book: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.side: list[int] = []
        self.price: list[int] = []
        self.lots: list[int] = []

    @property
    def full(self) -> bool:
        return len(self.side) >= self.count

    def put(self, side: int, price: int, lots: int) -> None:
        self.book[side][price] = lots
        self._emit(side, price, lots)

    def take_out(self, side: int, price: int) -> None:
        if self.book[side].pop(price, None) is not None:
            self._emit(side, price, 0)

    def drift(self) -> None:
        """Move the mid, and take out what it crossed and what fell out of the window."""
        draw = self.random.random()
        self.mid += 1 if draw < 0.27 else -1 if draw < 0.5 else 0
        self.take_out(0, self.mid)
        self.take_out(1, self.mid)
        for side, sign in ((0, -1), (1, 1)):
            self.take_out(side, self.mid + sign * 501)
            self.take_out(side, self.mid + sign * 502)

    def change(self) -> None:
        """Draw one change, and up to eight levels until it is legal."""
        draw = self.random.random()
        operation = 0 if draw < 0.5 else 1 if draw < 0.75 else 2
        side = self.random.getrandbits(1)
        for _ in range(8):
            near = self.random.random() < 0.7
            offset = int(self.random.expovariate(1 / 20)) if near else self.random.randrange(500)
            if offset >= 500:
                continue
            price = self.mid - 1 - offset if side == 0 else self.mid + 1 + offset
            if (price in self.book[side]) != (operation != 1):
                continue
            if operation == 2:
                self.take_out(side, price)
            else:
                self.put(side, price, self.random.randint(1, 1000))
            return

    def _emit(self, side: int, price: int, lots: int) -> None:
        self.side.append(side)
        self.price.append(price)
        self.lots.append(lots)


class Orders(NamedTuple):
    """A flow of orders as columns: operation 0 buys, 1 sells, 2 cancels and has neither price nor lots."""

    operation: NDArray[np.uint8]
    order_id: Integers
    price: Integers
    lots: Integers


@cache
def order_flow(count: int = 1_000_000) -> Orders:
    """Matching: about 60% limit orders behind a wandering mid, 10% that cross it, 30% cancels.

    A cancel may name an order that has traded already.
    """
    stream = _OrderStream()
    rows = [stream.next(index) for index in range(count)]
    operation, *columns = zip(*rows, strict=True)
    return Orders(np.array(operation, np.uint8), *(np.array(column, np.int64) for column in columns))


class _OrderStream:
    """Draws orders and cancels; the order of the draws is part of the workload."""

    def __init__(self) -> None:
        self.random = random.Random(11)
        self.mid = 100_000
        self.next_id = 0
        self.live: list[int] = []

    def next(self, index: int) -> tuple[int, int, int, int]:
        """Draw one operation."""
        if index % 200 == 0:
            self.mid += self.random.choice((-1, 1))
        is_cancel = self.random.random() < 0.3 and bool(self.live)
        drawn = (2, self._gone(), 0, 0) if is_cancel else self._order()
        if len(self.live) > 20_000:
            del self.live[:10_000]
        return drawn

    def _gone(self) -> int:
        """Pick an order of those that may rest."""
        place = self.random.randrange(len(self.live))
        self.live[place], self.live[-1] = self.live[-1], self.live[place]
        return self.live.pop()

    def _order(self) -> tuple[int, int, int, int]:
        """Draw a limit order."""
        side = self.random.getrandbits(1)
        behind = -1 if side == 0 else 1
        crosses = self.random.random() < 1 / 7
        offset = 1 + min(400, int(self.random.expovariate(1 / 8)))
        order_id, self.next_id = self.next_id, self.next_id + 1
        if crosses:
            price = self.mid - behind * self.random.randrange(1, 4)
            return side, order_id, price, self.random.randint(1, 400)
        self.live.append(order_id)
        return side, order_id, self.mid + behind * offset, self.random.randint(1, 100)


def simple_average(values: Floats, length: int) -> Floats:
    """Average the last `length` values; NaN before there are so many."""
    total = np.cumsum(np.concatenate(([0.0], values)))
    out = np.full(len(values), np.nan)
    out[length - 1 :] = (total[length:] - total[:-length]) / length
    return out


def exponential_average(values: Floats, span: int) -> Floats:
    """Average with weights falling by 2 / (span + 1), from the first value on."""
    weight = 2.0 / (span + 1.0)
    out = np.empty(len(values))
    level = out[0] = float(values[0])
    for index, value in enumerate(values[1:].tolist(), 1):
        level += weight * (value - level)
        out[index] = level
    return out


def crosses(fast: Floats, slow: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the bars at which `fast` has just crossed above `slow`, and below it."""
    difference = fast - slow
    with np.errstate(invalid="ignore"):
        above = (difference[:-1] < 0) & (difference[1:] > 0)
        below = (difference[:-1] > 0) & (difference[1:] < 0)
    return np.concatenate(([False], above)), np.concatenate(([False], below))


class LongOnly(NamedTuple):
    """What B2 comes to: closed trades, profit of all fills, and the gain of what is still open."""

    trades: int
    pnl: float
    open_pnl: float


def long_only_result(bars: Bars, fast: Floats, slow: Floats, fee: float = WALK_FEE) -> LongOnly:
    """Work out B2 the slow, plain way: one unit, bought and sold at the next open, a fee on each side."""
    above, below = crosses(fast, slow)
    held, trades, pnl, paid = False, 0, 0.0, 0.0
    for bar in np.flatnonzero(above | below).tolist():
        if bar + 1 >= len(bars.open):
            continue
        price = float(bars.open[bar + 1]) / WALK_TICKS
        if above[bar] and not held:
            held, paid = True, price
            pnl -= fee * price
        elif below[bar] and held:
            held = False
            trades += 1
            pnl += price - paid - fee * price
    return LongOnly(trades, pnl, float(bars.close[-1]) / WALK_TICKS - paid if held else 0.0)
