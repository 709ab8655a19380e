"""Inspection says of every file what it is, what is in it and how fine its numbers are."""

import csv
import json
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.book_writer import PlainVenue, as_cryptofeed, as_document, as_lines
from support.shared import shared_data
from tradecore.domain import DataError
from tradecore.domain.steps import lot_of, tick_of
from tradecore_files import inspect, load_orders

# What the files of shared/data are, by the beginning or a part of their path; the first that fits counts.
KINDS = (
    ("BINANCE.ws", "messages", "binance_cryptofeed", False),
    ("OKX.ws", "messages", "okx_capture", True),
    ("KRAKEN.ws", "messages", "kraken_v1_capture", False),
    ("COINBASE.ws", "messages", "coinbase_capture", False),
    ("BITSTAMP.ws", "messages", "bitstamp_capture", False),
    ("cryptofeed_captures", "messages", "cryptofeed", False),
    ("hyperliquid", "messages", "hyperliquid_capture", False),
    ("hftbacktest_binance", "messages", "binance_capture", True),
    ("kraken_v2_book", "messages", "kraken_capture", True),
    ("backtest_results", "unknown", "csv", False),
    ("XRP_ETH-trades.json", "trades", "json", True),
    ("UNITTEST_BTC", "bars", "json", True),
    ("funding_rate", "funding", "arrow", True),
    (".feather", "bars", "arrow", True),
    ("BCHEUR", "trades", "csv", False),
    ("depth-", "book_updates", "csv", False),
    ("incremental_book", "book_updates", "csv", False),
    ("book_snapshot", "book_snapshots", "csv", False),
    ("btcusdt-trades.parquet", "trades", "parquet", True),
    ("btcusdt-quotes.parquet", "quotes", "parquet", True),
    ("bybit", "unknown", "csv", False),
    ("truefx", "quotes", "csv", True),
    ("databento", "orders", "dbn", True),
    ("bitmex_trades", "trades", "csv", True),
    ("huobi-dm-swap_quotes", "quotes", "csv", True),
    ("fxcm/usdjpy", "bars", "csv", True),
    ("ADABTC-1m", "bars", "csv", True),
    ("factor_files", "unknown", "lean", False),
    ("lean_fx", None, "lean", True),
    ("lean_crypto", "bars", "lean", True),
    ("usa/tick/ibm/20131007_quote", "quotes", "lean", False),
    ("usa/tick/ibm/20131007_trade", "trades", "lean", False),
    ("lean_equity/equity", "bars", "lean", True),
    ("reference_results", "unknown", "csv", False),
    ("backtesting_py", "bars", "csv", True),
    # Trades written as bars: several of one second.
    ("ticksample", "bars", "csv", False),
    ("backtrader", "bars", "csv", True),
    # Made wrong on purpose: a row without a time, rows out of order, years of two digits, times before 1970.
    ("quotes/bad.csv", "bars", "csv", False),
    ("quotes/mismatch.csv", "bars", "csv", False),
    ("quotes/zeros.csv", "bars", "csv", False),
    ("quotes/longest.csv", "bars", "csv", False),
)


def listed():
    """Return manifest row and expectation of each file of the shared data with market data."""
    with shared_data("MANIFEST.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        known = next((known for known in KINDS if known[0] in row["file"]), None)
        if known is not None:
            yield row, known


def test_every_file_of_the_shared_data_is_what_the_manifest_says():
    """Kind, format, whether it can be used, and the number of rows, with or without a header.

    Whatever cannot be read says so once, in one sentence that names the file.
    """
    wrong, checked = [], 0
    for row, (_, kind, form, is_read) in listed():
        path = shared_data(row["file"])
        summary = inspect(path)
        checked += 1
        if not is_read:
            (problem,) = summary.problems
            assert problem.startswith(str(path))
            assert "\n" not in problem
        told = (summary.kind if kind else None, summary.format, not summary.problems)
        if told != (kind, form, is_read):
            wrong.append((row["file"], told, summary.problems))
        rows = int(row["rows"]) if row["rows"] and is_read and "cryptofeed" not in row["file"] else None
        if rows is not None and summary.rows not in {rows, rows - 1}:
            wrong.append((row["file"], summary.rows, rows))
    assert wrong == []
    assert checked > 90


STEPS = ("0.00001", "0.01", "0.025", "0.05", "0.25", "0.5", "1", "2", "5", "10", "250")


@given(step=st.sampled_from(STEPS), seed=st.integers(0, 999))
def test_the_tick_is_the_coarsest_round_step_of_all_prices(step, seed):
    """Prices on a grid give the grid back; a few of them only their decimals."""
    fine = round(float(step) * 10**8)
    random = np.random.default_rng(seed)
    # Neighbours on the grid, so that no coarser one holds them all.
    ticks = np.unique(np.concatenate((random.integers(1, 10_000, 60), np.arange(1_000, 1_030))))

    assert tick_of(ticks * fine, "0.00000001") == step
    assert tick_of(ticks[:3] * fine, "0.00000001") == "0.00000001"


@pytest.mark.parametrize(
    ("sizes", "lot"),
    [
        ([100, 200], "1"),
        ([10**8, 5 * 10**8], "1"),
        ([10**7, 10**8], "0.1"),
        ([123, 10**8], "0.00000001"),
        ([], "1"),
        ([0], "1"),
    ],
)
def test_the_lot_is_a_power_of_ten_up_to_one(sizes, lot):
    """Shares in hundreds are still single shares."""
    step = "1" if sizes == [100, 200] else "0.00000001"
    assert lot_of(np.array(sizes, dtype=np.int64), step) == lot


def write(path, text):
    """Write a file and return its path."""
    path.write_text(text)
    return path


def test_ticks_and_lots_of_a_table_are_exact(tmp_path):
    """Bars on quarters, trades with sizes of three decimals, prices finer than twelve decimals."""
    rows = [
        f"{1_700_000_000 + 60 * at},{100 + at * 0.25},{101 + at * 0.25},{99},{100},{at}" for at in range(60)
    ]
    bars = inspect(write(tmp_path / "bars.csv", "time,open,high,low,close,volume\n" + "\n".join(rows)))
    assert (bars.instruments[0].tick_size, bars.instruments[0].lot_size) == ("0.25", "1")
    assert (bars.interval_ns, bars.gaps, bars.price_min, bars.price_max) == (60 * 10**9, 0, "99", "115.75")

    rows = [f"{1_700_000_000 + at},{20_000 + at / 10},{at + 1}.125,buy" for at in range(60)]
    trades = inspect(write(tmp_path / "trades.csv", "time,price,size,side\n" + "\n".join(rows)))
    assert (trades.kind, trades.instruments[0].tick_size) == ("trades", "0.1")
    assert trades.instruments[0].lot_size == "0.001"
    # Trades come when they come: nothing lies between two of them, and nothing can be missing there.
    assert (trades.interval_ns, trades.gaps, trades.files) == (None, 0, 1)

    rows = [f"{1_700_000_000 + 60 * at}," + ",".join(["1.00000000000001"] * 4) for at in range(9)]
    fine = inspect(write(tmp_path / "fine.csv", "time,open,high,low,close\n" + "\n".join(rows)))
    assert (fine.problems, fine.rows) == ((), 9)
    assert 'rounding = "nearest"' in fine.notes[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("time,rate,mark\n1700000000,0.0001,5\n", "funding"),
        ("time,mark_price\n1700000000,5\n", "marks"),
        ("req_ts,exch_ts,resp_ts\n1700000000,1700000001,1700000002\n", "latency"),
    ],
)
def test_what_stands_beside_a_market_is_known(tmp_path, text, kind):
    """Fundings, mark prices, latencies."""
    summary = inspect(write(tmp_path / "rows.csv", text))
    assert (summary.kind, summary.rows, summary.problems) == (kind, 1, ())


@pytest.mark.parametrize("form", [as_lines, as_cryptofeed, as_document])
@pytest.mark.parametrize(
    ("venue", "symbol", "depth", "channel"),
    [
        ("kraken", "BTC/USD", 25, None),
        ("kraken_v1", "XBT/USD", 100, None),
        ("okx", "BTC-USDT", 50, "books50-l2-tbt"),
    ],
)
def test_a_capture_without_a_snapshot_says_that_no_book_will_come(
    tmp_path, form, venue, symbol, depth, channel
):
    """The pair, the depth and what is missing; with the snapshot nothing is."""
    messages = list(PlainVenue(venue, symbol, depth, channel).messages(80))
    whole = inspect(write(tmp_path / "whole", form(messages)))
    cut = inspect(write(tmp_path / "cut", form(messages[1:])))

    assert (whole.format, whole.symbols, whole.notes, whole.problems) == (
        f"{venue}_capture",
        (symbol,),
        (),
        (),
    )
    assert whole.messages == {"snapshot": 1, "update": 80}
    assert (whole.instruments[0].tick_size, whole.instruments[0].lot_size) == ("0.1", "0.00000001")
    assert whole.instruments[0].book_levels_max == depth
    assert cut.messages == {"update": 80}
    assert re.search("there is no snapshot, so no book will come", cut.notes[0])


def test_changes_of_binance_without_a_snapshot_say_so(tmp_path):
    """Quotes and trades alone are no fault."""
    depth = '{"e":"depthUpdate","s":"X","U":1,"u":2,"b":[["1.5","1"]],"a":[]}'
    trade = '{"e":"trade","s":"X","p":"1.5","q":"2"}'
    snapshot = '{"lastUpdateId":1,"bids":[],"asks":[]}'
    lines = [f"17231612530000000{at:02d} {text}\n" for at, text in enumerate((depth, trade, snapshot))]

    assert "no book will come" in inspect(write(tmp_path / "a", lines[0] + lines[1])).notes[0]
    assert inspect(write(tmp_path / "b", "".join(lines))).notes == ()
    assert inspect(write(tmp_path / "c", lines[1])).notes == ()


def dbn(path, rtype, records=3, instrument_id=7):
    """Write a DBN file of records of one type and 56 bytes."""
    head = struct.pack("<BBHIQ", 14, rtype, 1, instrument_id, 1_700_000_000 * 10**9)
    body = head + struct.pack("<QqIBBccQiI", 1, 100 * 10**9, 5, 0x80, 0, b"A", b"B", 2_000, 0, 9)
    path.write_bytes(b"DBN\x01\x02\0\0\0.." + body * records)
    return path


def test_other_records_of_databento_are_named(tmp_path):
    """By level or by bar: what it is, and what to fetch; never 0 rows of orders."""
    path = dbn(tmp_path / "levels.dbn", 0x0A)
    with pytest.raises(DataError, match=r"mbp-10.*mbo"):
        load_orders(path, "0.25")
    summary = inspect(path)
    assert (summary.format, summary.kind, summary.rows, summary.messages) == (
        "dbn",
        "unknown",
        3,
        {"mbp-10": 3},
    )
    with pytest.raises(DataError, match="3 of statistics"):
        load_orders(dbn(tmp_path / "other.dbn", 0x18), "0.25")
    orders = dbn(tmp_path / "orders.dbn", 0xA0)
    with pytest.raises(DataError, match="instrument_id 9: has no records"):
        load_orders(orders, "0.25", instrument_id=9)
    assert len(load_orders(orders, "0.25", instrument_id=7)) == 3
    # Those of several instruments are noted; of one there is nothing to choose.
    assert inspect(orders).notes == ()
    assert inspect(orders).symbols == ("7",)
    orders.write_bytes(orders.read_bytes() + dbn(tmp_path / "more.dbn", 0xA0, 4, 8).read_bytes()[10:])
    assert inspect(orders).notes == ("2 instruments (8, 7): read one at a time with instrument_id",)


# As Databento numbers its records, in decimal here.
DBN_RECORDS = """
0 trades (mbp-0), 1 mbp-1, 10 mbp-10, 17 ohlcv (deprecated), 18 status, 19 definition, 20 imbalance, 21 error,
22 symbol mapping, 23 system, 24 statistics, 32 ohlcv-1s, 33 ohlcv-1m, 34 ohlcv-1h, 35 ohlcv-1d, 36 ohlcv-eod,
160 mbo, 177 cmbp-1, 192 cbbo-1s, 193 cbbo-1m, 194 tcbbo, 195 bbo-1s, 196 bbo-1m, 99 type 99
"""


@pytest.mark.parametrize("record", DBN_RECORDS.replace("\n", " ").strip().split(", "))
def test_each_type_of_a_databento_record_has_its_name(tmp_path, record):
    """One that nobody knows has its number."""
    number, _, name = record.strip().partition(" ")
    assert inspect(dbn(tmp_path / "a.dbn", int(number), 2)).messages == {name: 2}


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.npz", "numpy", "numpy arrays, as hftbacktest keeps events; tradecore does not read it"),
        (
            "a.csv",
            "exchange,symbol,timestamp,is_snapshot,side,price,amount\n",
            "changes of a book, as Tardis",
        ),
        ("a.json", json.dumps({"strategy": {}}), "a JSON object, or several"),
        ("a.json", '{"topic":"orderbook.500.X"}\n{"topic":"orderbook.500.X"}\n', "a JSON object, or several"),
    ],
)
def test_what_is_not_read_is_said_in_one_sentence(tmp_path, name, content, what):
    """And that it is not read."""
    path = tmp_path / name
    if content == "numpy":
        np.savez(path, data=np.zeros(3))
    else:
        path.write_text(content)
    (problem,) = inspect(path).problems
    assert problem.startswith(f"{path}: {what}")


def test_several_files_are_looked_at_as_one_series(tmp_path):
    """A folder, a pattern or a list; differences between them are a problem."""
    header = "time,open,high,low,close\n"
    for at in range(3):
        write(
            tmp_path / f"{at}.csv",
            f"{header}{1_700_000_000 + 60 * at},1,1,1,1\n{1_700_000_060 + 60 * at},1,1,1,1\n",
        )

    summary = inspect(tmp_path)

    assert (summary.files, summary.rows, summary.gaps) == (3, 4, 0)
    assert summary.path == f"{tmp_path / '0.csv'} and 2 more"
    assert inspect([tmp_path / "0.csv", tmp_path / "1.csv"]).path == f"{tmp_path / '0.csv'} and 1 more"
    assert inspect(str(tmp_path / "*.csv")).rows == 4
    write(tmp_path / "3.csv", f"{header}1700000000,2,2,2,2\n")
    assert "open is another than in" in inspect(tmp_path).problems[0]
