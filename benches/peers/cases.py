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
    # Stands in for it where none of its interpreters is found.
    fallback: "Peer | None" = None


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
    # Quick, and its peer small, so that `make bench-check` takes it.
    is_light: bool = False
    # What the peer needs free, in GB.
    memory_gb: float = 1.0
    # How often each side runs in its process.
    repeats: int = 3

    @property
    def name(self) -> str:
        """Give the name that results are kept under."""
        return f"{self.workload} / {self.peer.name}"


NAUTILUS_1 = Peer("nautilus_trader", "nautilus1", ("with_nautilus_1.py",), ("python3.12",))
NAUTILUS = Peer("nautilus_trader", "nautilus", ("with_nautilus.py",), ("python3.13",), NAUTILUS_1)
NAUTILUS_LIVE = Peer("nautilus_trader", "nautilus1", ("with_nautilus_live.py",), ("python3.12",))
BACKTESTING = Peer("backtesting.py", "backtesting", ("with_backtesting.py",))
BACKTRADER = Peer("backtrader", "backtrader", ("with_backtrader.py",))
VECTORBT = Peer("vectorbt", "vectorbt", ("with_vectorbt.py",))
TALIB = Peer("TA-Lib", "talib", ("with_talib.py",))
TALIPP = Peer("talipp", "talipp", ("with_talipp.py",))
SORTED = Peer("sortedcontainers", "books", ("with_books.py", "sortedcontainers"))
ORDER_BOOK = Peer("order-book", "books", ("with_books.py", "order_book"))
CCXT = Peer("ccxt", "ccxt", ("with_books.py", "ccxt"))
LIMIT_ORDER_BOOK = Peer("limit-order-book", "matching", ("with_matching.py", "limit_order_book"))
PYORDERBOOK = Peer("pyorderbook", "matching", ("with_matching.py", "pyorderbook"))
LIGHT_ENGINE = Peer("lightmatchingengine", "matching", ("with_matching.py", "lightmatchingengine"))
HFTBACKTEST = Peer("hftbacktest", "hftbacktest", ("with_hftbacktest.py",))
LIQUIBOOK = Peer("liquibook", "matching", ("with_matching.py", "liquibook"))

BARS, QUOTES, LEVELS, ORDERS, VALUES = 500_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000
# Level changes and trades of the capture from the snapshot on.
CHANGES = 466_575
# talipp needs microseconds for a value.
FEW_VALUES = 50_000
ROUNDING = "sums of floats"
# What a call, and a change in a batch, is to cost, in ns: goals are the peers' first measured costs by these.
BOOK_CALL_NS, BOOK_BATCH_NS, BOOK_BEST_NS, BOOK_TOP_NS = 60, 10, 65, 200
MATCH_CALL_NS, MATCH_NATIVE_NS = 150, 35
STREAM_NS = 35


def _engine(workload: str, peer: Peer, key: str, goal: float, **more: object) -> Case:
    """Bars through an engine of Python."""
    return Case(workload, peer, key, BARS, "bars/s", goal, tolerance=1e-4, because=ROUNDING, **more)


def _batch(key: str, goal: float) -> Case:
    return Case(
        *(f"{key} batch", TALIB, key, VALUES, "values/s", goal),
        tolerance=1e-9,
        because="float64",
        is_light=True,
        repeats=7,
    )


def _stream(key: str, peer: Peer, peer_ns: float, count: int = FEW_VALUES, **more: object) -> Case:
    """One value after the other, one call each; ours returns the new value where the peer does."""
    return Case(
        *(f"{key}, one call a value", peer, f"{key} stream", count, "values/s", peer_ns / STREAM_NS),
        ours=f"{key} stream" if peer is TALIB else f"{key} fed",
        tolerance=1e-7,
        because="float64",
        **more,
    )


def _book(what: str, peer: Peer, key: str, peer_ns: float, ours_ns: float, **more: object) -> Case:
    """A million changes of price levels."""
    return Case(f"book, {what}", peer, key, LEVELS, "updates/s", peer_ns / ours_ns, **more)


def _capture(what: str, key: str, goal: float, **more: object) -> Case:
    """A real book: level changes and trades of the capture, what both apply."""
    return Case(f"B7 real book, {what}", HFTBACKTEST, key, CHANGES, "events/s", goal, **more)


def _matching(peer: Peer, peer_ns: float, **more: object) -> Case:
    """A million orders and cancels."""
    return Case(
        "matching, one call each", peer, "matching", ORDERS, "orders/s", peer_ns / MATCH_CALL_NS, **more
    )


SMA_CROSS = "B2 bars, SMA cross, callback"

CASES = (
    Case("B1 bars, EMA cross, callback", NAUTILUS, "B1", BARS, "bars/s", 12),
    _engine(SMA_CROSS, VECTORBT, "B2", 0.27),
    _engine("B2, peer with statistics", VECTORBT, "B2 statistics", 0.6, ours="B2"),
    _engine(SMA_CROSS, BACKTESTING, "B2", 12.5),
    _engine(SMA_CROSS, BACKTRADER, "B2", 125, repeats=1),
    Case(
        *("B3 sweep of 100 points", VECTORBT, "B3", BARS, "bars/s, each through 100 points", 30.8),
        tolerance=1e-4,
        because=ROUNDING,
        memory_gb=10.0,
        repeats=1,
    ),
    Case("B4 quotes, empty callback", NAUTILUS, "B4", QUOTES, "quotes/s", 8.7),
    Case("B5 quotes, order replaced each 100", NAUTILUS, "B5", QUOTES, "quotes/s", 9),
    Case(
        *("B6 market orders", NAUTILUS, "B6", 100_000, "orders/s", 86),
        tolerance=200.0,
        because="the peer rounds each of 100,000 fees to cents",
    ),
    Case(
        "B8 live, one in flight, as in memory", NAUTILUS_LIVE, "B8", 2_000, "orders/s", 3, ours="B8 in memory"
    ),
    Case("B8 live, one in flight, ours durable", NAUTILUS_LIVE, "B8", 2_000, "orders/s", 0.2),
    _capture("replay", "B7 replay", 1.66),
    _capture("maker", "B7 maker", 1.21),
    _capture("ours also called on each message", "B7 maker", 0.2, ours="B7 maker watching"),
    _book("one call each", SORTED, "book", 496, BOOK_CALL_NS, is_light=True),
    _book("one call each", ORDER_BOOK, "book", 80, BOOK_CALL_NS, is_light=True),
    _book("one call each", CCXT, "book", 510, BOOK_CALL_NS),
    _book("one call each", NAUTILUS, "book", 150, BOOK_CALL_NS),
    _book("batches", SORTED, "book", 496, BOOK_BATCH_NS, ours="book batches"),
    _book("batches", NAUTILUS, "book batches", 118, BOOK_BATCH_NS),
    _book("best asked after each", SORTED, "book best", 1_260, BOOK_CALL_NS + BOOK_BEST_NS),
    _book("best asked after each", ORDER_BOOK, "book best", 4_200, BOOK_CALL_NS + BOOK_BEST_NS, repeats=1),
    _book("best asked after each", NAUTILUS, "book best", 300, BOOK_CALL_NS + BOOK_BEST_NS),
    Case("book, top 10 into numpy", SORTED, "book top", 100_000, "calls/s", 5_700 / BOOK_TOP_NS),
    _matching(LIMIT_ORDER_BOOK, 1_002, is_light=True),
    _matching(LIQUIBOOK, 1_500),
    _matching(LIGHT_ENGINE, 3_600, repeats=1),
    _matching(PYORDERBOOK, 6_790, repeats=1),
    Case(
        *("matching, ours in one batch", LIMIT_ORDER_BOOK, "matching", ORDERS, "orders/s"),
        1_002 / MATCH_NATIVE_NS,
        ours="matching batch",
    ),
    _batch("SMA20", 2.25),
    _batch("EMA20", 3.28),
    _batch("RSI14", 1.42),
    _batch("ATR14", 1.12),
    _batch("BBANDS20", 1.49),
    _batch("MACD", 1.12),
    _stream("SMA20", NAUTILUS, 28, VALUES),
    _stream("EMA20", NAUTILUS, 27, VALUES),
    _stream("RSI14", NAUTILUS, 36, VALUES),
    _stream("ATR14", NAUTILUS, 53, VALUES),
    _stream("BBANDS20", NAUTILUS, 61, VALUES),
    _stream("MACD", NAUTILUS, 41, VALUES),
    _stream("EMA20", TALIPP, 540),
    _stream("BBANDS20", TALIPP, 5_000),
    # Its streams keep their state since 0.8: the 1,600 ns and more known of it were for a window each time.
    _stream("EMA20", TALIB, 108, VALUES),
    _stream("MACD", TALIB, 142, VALUES),
)
