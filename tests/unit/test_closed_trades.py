"""Closed trades with exact money: of an engine, made again of a journal, and by a slow plain book."""

import csv
import io
from collections import defaultdict, deque
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import records
from support.sessions import CONFIG, SPEC, ListFeed, fresh_engine, open_session
from tradecore.domain.closed_trades import TradesOfFills
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import AccountSpec, EngineSpec, FeesSpec, InstrumentSpec
from tradecore.engine import Engine
from tradecore.engine.holdings import open_positions, trades_of
from tradecore.runtime.recovery import recover
from tradecore_api.trade_file import COLUMNS, trades_csv, write_trades

ATTO = 10**18
TWO = EngineSpec(
    instruments=(
        InstrumentSpec(symbol="A", tick_size="0.01", lot_size="0.001"),
        InstrumentSpec(symbol="B", tick_size="0.5", lot_size="1", multiplier="10"),
    )
)
FILLS = st.lists(
    st.tuples(
        st.integers(0, 1),  # strategy
        st.integers(0, 1),  # instrument
        st.booleans(),
        st.integers(1, 10**6),  # ticks
        st.integers(1, 50),  # lots
        st.integers(-(10**15), 10**16),  # fee
    ),
    max_size=40,
)


class PlainBook:
    """First in, first out with fractions, one lot at a time: as slow and as plain as it can be."""

    def __init__(self) -> None:
        self.open = defaultdict(deque)
        self.trades = []

    def fill(self, time_ns, order_id, strategy, instrument, is_buy, ticks, lots, fee):
        """Close what is on the other side, oldest first; the rest opens."""
        spec = TWO.instruments[instrument]
        price = Fraction(spec.tick_size) * ticks
        worth = Fraction(spec.lot_size) * Fraction(spec.multiplier)
        queue = self.open[strategy, instrument]
        sign = 1 if is_buy else -1
        while lots and queue and queue[0]["sign"] != sign:
            lot = queue[0]
            closed = min(lots, lot["lots"])
            pnl = lot["sign"] * (price - lot["price"]) * closed * worth
            self.trades.append((strategy, instrument, lot["order"], order_id, closed, pnl))
            lot["lots"] -= closed
            lots -= closed
            if not lot["lots"]:
                queue.popleft()
        if lots:
            queue.append({"sign": sign, "lots": lots, "price": price, "order": order_id, "time": time_ns})


@given(FILLS)
@settings(max_examples=150)
def test_trades_of_fills_are_those_of_a_plain_book(fills):
    """Which lots are closed, what they made before fees, and that every fee is in exactly one place."""
    plain, book = PlainBook(), TradesOfFills(TWO, ["one", "two"])
    for number, (strategy, instrument, is_buy, ticks, lots, fee) in enumerate(fills, 1):
        plain.fill(number, number, strategy, instrument, is_buy, ticks, lots, fee)
        order = {"strategy": strategy, "instrument": instrument, "side": "buy" if is_buy else "sell"}
        fill = {"order_id": number, "price_ticks": ticks, "lots": lots, "fee": fee, "venue_time_ns": number}
        book.fill(records.body("report", **fill), records.body("order", **order))
    trades = book.trades()

    lot_sizes = [Fraction(spec.lot_size) for spec in TWO.instruments]
    assert [
        (trade.strategy, trade.symbol, trade.entry_order, trade.exit_order, Fraction(trade.quantity))
        for trade in trades
    ] == [
        (("one", "two")[strategy], ("A", "B")[instrument], opened, closed, lots * lot_sizes[instrument])
        for strategy, instrument, opened, closed, lots, _ in plain.trades
    ]
    for trade, row in zip(trades, plain.trades, strict=True):
        assert Fraction(trade.pnl) + Fraction(trade.fees) == row[-1]
        assert (trade.exit_time_ns, trade.entry_time_ns) == (trade.exit_order, trade.entry_order)
    if not any(plain.open.values()):
        assert sum((Fraction(trade.fees) for trade in trades), Fraction()) == Fraction(
            sum(fill[-1] for fill in fills), ATTO
        )


async def test_a_journal_gives_the_trades_of_its_engine(tmp_path):
    """The fills of the journal, booked anew, make the trades that the engine has; a replay's too."""
    path = str(tmp_path / "journal")
    session = open_session(path, feed=ListFeed(slices=150))
    await session.run()
    book = TradesOfFills(SPEC, ["quoter"])
    for seq, time_ns, kind, fields in JournalFolder(path).reader():
        book.take(records.record(kind, seq, time_ns, **fields))

    assert len(trades_of(session.engine)) > 3
    assert book.trades() == trades_of(session.engine)
    replayed = fresh_engine()
    recover(JournalFolder(path), replayed, CONFIG)
    assert trades_of(replayed) == book.trades()
    money = session.engine.kernel.money()
    held = open_positions(session.engine.kernel)
    assert sum(row["unrealised"] for row in held) == money["unrealised"]
    assert sum(row["lots"] for row in held) == session.engine.kernel.position_total_lots(0)


def test_the_csv_has_exact_decimals_and_times_of_one_form():
    """What is read back is the same number; names are no formulas; the head says that times are UTC."""
    book = TradesOfFills(msgspec.structs.replace(SPEC, fees=FeesSpec(taker_bps="5")), ["=cmd|'x'!A1"])
    for number, (side, ticks, fee, time_ns) in enumerate(
        [("buy", 6_000_001, 3, 1_000_000_000), ("sell", 6_000_003, 10**17 + 1, 1_500_000_000)], 1
    ):
        book.fill(
            records.body(
                "report", order_id=number, price_ticks=ticks, lots=1, fee=fee, venue_time_ns=time_ns
            ),
            records.body("order", side=side),
        )
    rows = list(csv.DictReader(io.StringIO(trades_csv(book.trades()))))

    (row,) = rows
    assert tuple(row) == COLUMNS
    assert row["entry_price"] == "60000.01"
    assert Decimal(row["fees"]) == Decimal("0.100000000000000004")
    assert Decimal(row["pnl"]) == Decimal("0.000002") - Decimal("0.100000000000000004")
    assert (row["entry_time_utc"], row["exit_time_utc"]) == (
        "1970-01-01 00:00:01.000",
        "1970-01-01 00:00:01.500",
    )
    assert row["strategy"].startswith("'=")
    assert list(csv.reader(io.StringIO(trades_csv([])))) == [list(COLUMNS)]


def test_pandas_reads_the_csv(tmp_path):
    """Times become times and prices numbers, without any option but the names of the columns of times."""
    pandas = pytest.importorskip("pandas")
    book = TradesOfFills(TWO, ["one"])
    for number, side in enumerate(("buy", "sell"), 1):
        order = {"strategy": 0, "instrument": 1, "side": side}
        fill = {
            "order_id": number,
            "price_ticks": number,
            "lots": 2,
            "fee": 0,
            "venue_time_ns": number * 10**9,
        }
        book.fill(records.body("report", **fill), records.body("order", **order))
    path = tmp_path / "trades.csv"
    path.write_text(trades_csv(book.trades()))
    frame = pandas.read_csv(path, parse_dates=["entry_time_utc", "exit_time_utc"])

    assert frame["exit_time_utc"].dt.year.tolist() == [1970]
    assert frame["pnl"].tolist() == [10.0]


ODD_NAMES = [
    "=1+1",
    "=cmd|'x'!A1",
    "+A1",
    "-5",
    "@SUM(A1)",
    "\tA",
    "\r=A",
    'a"b',
    "a,b",
    "a;b",
    "a\nb",
    "Öl",
    "黄金",
    " A",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_in_the_csv_is_text_to_every_reader(name, tmp_path):
    """A quote, a comma or a line break comes back; what would be computed has an apostrophe before it."""
    pandas = pytest.importorskip("pandas")
    gold = InstrumentSpec(symbol=name, tick_size="0.01")
    spec = EngineSpec(instruments=(gold,), account=AccountSpec(currency=name))
    book = TradesOfFills(spec, [name])
    for number, side in enumerate(("sell", "buy"), 1):
        fill = {"order_id": number, "price_ticks": number, "lots": 1, "fee": 0, "venue_time_ns": number}
        book.fill(records.body("report", **fill), records.body("order", side=side))
    path = tmp_path / "trades.csv"
    write_trades(str(path), book.trades())
    plain = name.replace("\r", " ")
    shown = f"'{plain}" if name[0] in "=+-@\t\r" else plain

    content = path.read_bytes()
    assert content.startswith(b"symbol,strategy,side,quantity,entry_time_utc,")
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    frame = pandas.read_csv(path, keep_default_na=False)
    for column in ("symbol", "strategy", "currency"):
        assert row[column] == shown
        assert frame[column].tolist() == [shown]
    # A number keeps its sign: it is computed by nobody.
    assert row["pnl"] == "-0.01"
    assert frame["pnl"].tolist() == [-0.01]
    assert (row["entry_price"], row["quantity"]) == ("0.01", "1")


def test_an_engine_without_positions_has_none_to_show():
    """Nothing held, nothing closed, no losses followed."""
    engine = Engine(TWO, [])
    assert (trades_of(engine), open_positions(engine.kernel)) == ([], [])
