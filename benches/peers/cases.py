"""Who stands beside us in which workload, and what is aimed at."""

from typing import NamedTuple


class Peer(NamedTuple):
    """A library in an environment of its own."""

    name: str
    # The environment and `requirements-NAME.txt`.
    environment: str
    # Its script, with a leading argument where one script serves two libraries.
    script: tuple[str, ...]
    # The interpreters it has wheels for, the one it is measured with first.
    pythons: tuple[str, ...] = ("python3.11", "python3.12", "python3.13")


class Case(NamedTuple):
    """One workload on one peer and on tradecore."""

    workload: str
    peer: Peer
    # What the peer and we call it; ours where it differs.
    key: str
    count: int
    unit: str
    # The ratio that is aimed at.
    goal: float
    ours: str = ""
    # How far two figures of the answers may lie apart, and why they may.
    tolerance: float = 0.0
    because: str = ""
    # Cheap enough for `make bench-check`.
    is_cheap: bool = True
    # What the peer needs free, in GB.
    memory_gb: float = 1.0
    # How often each side runs in its process.
    repeats: int = 3

    @property
    def name(self) -> str:
        """Give the name that results are kept under."""
        return f"{self.workload} / {self.peer.name}"


NAUTILUS = Peer("nautilus_trader", "nautilus", ("with_nautilus.py",), ("python3.13",))
BACKTESTING = Peer("backtesting.py", "backtesting", ("with_backtesting.py",))
BACKTRADER = Peer("backtrader", "backtrader", ("with_backtrader.py",))
VECTORBT = Peer("vectorbt", "vectorbt", ("with_vectorbt.py",))
TALIB = Peer("TA-Lib", "talib", ("with_talib.py",))
SORTED = Peer("sortedcontainers", "books", ("with_books.py", "sortedcontainers"))
ORDER_BOOK = Peer("order-book", "books", ("with_books.py", "order_book"))

BARS, QUOTES, LEVELS, VALUES = 500_000, 1_000_000, 1_000_000, 1_000_000
ROUNDING = "sums of floats"


def _indicator(key: str, goal: float) -> Case:
    return Case(f"{key} batch", TALIB, key, VALUES, "values/s", goal, tolerance=1e-9, because="float64")


CASES = (
    Case("B1 bars, EMA cross, callback", NAUTILUS, "B1", BARS, "bars/s", 12),
    Case(
        *("B2 bars, SMA cross, callback", VECTORBT, "B2", BARS, "bars/s", 0.27),
        tolerance=1e-4,
        because=ROUNDING,
        is_cheap=False,
    ),
    Case(
        *("B2, peer with statistics", VECTORBT, "B2 statistics", BARS, "bars/s", 0.6),
        ours="B2",
        tolerance=1e-4,
        because=ROUNDING,
        is_cheap=False,
    ),
    Case(
        *("B2 bars, SMA cross, callback", BACKTESTING, "B2", BARS, "bars/s", 12.5),
        tolerance=1e-4,
        because=ROUNDING,
        is_cheap=False,
    ),
    Case(
        *("B2 bars, SMA cross, callback", BACKTRADER, "B2", BARS, "bars/s", 125),
        repeats=1,
        tolerance=1e-4,
        because=ROUNDING,
        is_cheap=False,
    ),
    Case(
        *("B3 sweep of 100 points", VECTORBT, "B3", BARS, "bars/s, each through 100 points", 30.8),
        tolerance=1e-4,
        because=ROUNDING,
        is_cheap=False,
        memory_gb=10.0,
        repeats=1,
    ),
    Case("B4 quotes, empty callback", NAUTILUS, "B4", QUOTES, "quotes/s", 8.7),
    Case("B5 quotes, order replaced each 100", NAUTILUS, "B5", QUOTES, "quotes/s", 9, is_cheap=False),
    Case(
        *("B6 market orders", NAUTILUS, "B6", 100_000, "orders/s", 86),
        tolerance=200.0,
        because="the peer rounds each of 100,000 fees to cents",
    ),
    Case("book, one call each", SORTED, "book", LEVELS, "updates/s", 8.3),
    Case("book, one call each", ORDER_BOOK, "book", LEVELS, "updates/s", 1.33),
    Case(
        "book, batches of 256", SORTED, "book", LEVELS, "updates/s", 50, ours="book batches", is_cheap=False
    ),
    _indicator("SMA20", 2.25),
    _indicator("EMA20", 3.28),
    _indicator("RSI14", 1.42),
    _indicator("ATR14", 1.12),
    _indicator("BBANDS20", 1.49),
    _indicator("MACD", 1.12),
)
