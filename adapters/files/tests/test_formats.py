"""Every format holds the same series as a plain text of it, bit for bit."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore.domain.feeds import read_events
from tradecore_files import FileFormat, ReadOptions, load_bars, load_funding, load_quotes, load_trades

SPEC = InstrumentSpec(symbol="A/B", tick_size="0.00000001", lot_size="0.00000001")
START_MS, STEP_MS, COUNT = 1_509_836_520_000, 60_000, 50


def candles():
    """Return rows of time (ms), open, high, low, close, volume as decimal text."""
    random = np.random.default_rng(3)
    middle = random.integers(100_000, 200_000, COUNT)
    rows = []
    for at, price in enumerate(middle.tolist()):
        steps = sorted(price + int(step) for step in random.integers(-500, 500, 4))
        opened, closed = steps[1], steps[2]
        prices = (opened, steps[3], steps[0], closed)
        volume = int(random.integers(1, 10**10))
        texts = [f"{value / 10**8:.8f}" for value in (*prices, volume)]
        rows.append([START_MS + at * STEP_MS, *texts])
    return rows


def as_csv(rows, header="time,open,high,low,close,volume"):
    """Write rows as delimited text."""
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def as_table(rows):
    """Write rows as an Arrow table, as pandas would."""
    times = pa.array([row[0] for row in rows], pa.timestamp("ms", "UTC"))
    names = ("open", "high", "low", "close", "volume")
    columns = {name: [float(row[at]) for row in rows] for at, name in enumerate(names, 1)}
    return pa.table({"date": times, **columns})


def packed(text, name="rows.csv"):
    """Write a text as a zip with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


def streamed(table):
    """Write a table as a stream of Arrow IPC."""
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def written(write, *arguments, **options):
    """Return the bytes that a library writes."""
    file = io.BytesIO()
    write(*arguments, file, **options)
    return file.getvalue()


def as_json(rows):
    """Write candles as freqtrade does: floats, 1e-05 for small ones."""
    return json.dumps([[row[0], *map(float, row[1:])] for row in rows])


def formats():
    """Return name and bytes of each way to store the candles."""
    rows = candles()
    table = as_table(rows)
    text = as_csv(rows)
    objects = [
        dict(zip(("date", "open", "high", "low", "close", "volume"), row, strict=True)) for row in rows
    ]
    return {
        "rows.csv.gz": gzip.compress(text.encode()),
        "rows.zip": packed(text),
        "rows.csv.zst": pa.compress(text.encode(), "zstd", asbytes=True),
        "rows.parquet": written(parquet.write_table, table),
        "plain.feather": written(feather.write_feather, table, compression="uncompressed"),
        "lz4.feather": written(feather.write_feather, table, compression="lz4"),
        "zstd.feather": written(feather.write_feather, table, compression="zstd"),
        "chunks.feather": written(feather.write_feather, table, chunksize=7),
        "stream.arrow": streamed(table),
        "feather.gz": gzip.compress(written(feather.write_feather, table)),
        "A_B-1m.json": as_json(rows).encode(),
        "A_B-1m.json.gz": gzip.compress(as_json(rows).encode()),
        "objects.json": json.dumps(objects).encode(),
    }


def events_of(loaded):
    """Return what an engine would get."""
    batch = EventBatch()
    loaded.append_to(batch, 0)
    return read_events(batch)


@pytest.mark.parametrize("name", formats())
def test_each_format_holds_the_bars_of_the_text(tmp_path, name):
    """The same events, whatever stores them; the format is told by the bytes, not by the name."""
    (tmp_path / "rows.csv").write_text(as_csv(candles()))
    (tmp_path / name).write_bytes(formats()[name])
    (tmp_path / "nameless").write_bytes(formats()[name])

    plain = load_bars(tmp_path / "rows.csv", SPEC)

    assert len(plain) == COUNT
    assert events_of(load_bars(tmp_path / name, SPEC)) == events_of(plain)
    assert events_of(load_bars(tmp_path / "nameless", SPEC)) == events_of(plain)


_COUNT_THREADS = """
import os, sys
from pathlib import Path
from tradecore.domain import InstrumentSpec
from tradecore_files import load_bars
from tradecore_files.parquet import read_parquet  # which loads pyarrow: its own helpers are not counted

before = len(os.listdir("/proc/self/task"))
spec = InstrumentSpec(symbol="A/B", tick_size="0.00000001", lot_size="0.00000001")
for path in sys.argv[1:]:
    load_bars(Path(path), spec)
    print(Path(path).name, len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_no_reader_of_pyarrow_leaves_a_thread(tmp_path):
    """A thread of its pools that runs while the process ends aborts it: one run of twenty ended with 134."""
    paths = []
    for name, data in formats().items():
        path = tmp_path / name
        path.write_bytes(data)
        paths.append(str(path))
    program = [sys.executable, "-c", _COUNT_THREADS, *paths]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()} == dict.fromkeys(
        formats(), "0"
    )


def test_trades_of_freqtrade_are_those_of_the_text(tmp_path):
    """Their id is a number or text, and their type is mostly null."""
    rows = [
        [START_MS + at, str(at), None, ("buy", "sell")[at % 2], 0.0014 + at * 1e-8, 23.0, 0.03]
        for at in range(9)
    ]
    header = "time,trade_id,type,side,price,quantity,cost"
    text = as_csv([[*row[:2], "", *row[3:]] for row in rows], header)
    (tmp_path / "trades.csv").write_text(text)
    (tmp_path / "trades.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    unnumbered = [[row[0], f"id-{row[1]}", *row[2:]] for row in rows]
    (tmp_path / "unnumbered.json").write_text(json.dumps(unnumbered))
    nearest = ReadOptions(nearest=True)

    plain = events_of(load_trades(tmp_path / "trades.csv", SPEC, nearest))

    assert events_of(load_trades(tmp_path / "trades.json.gz", SPEC, nearest)) == plain
    without = events_of(load_trades(tmp_path / "unnumbered.json", SPEC, nearest))
    assert [event[:-1] for event in without] == [event[:-1] for event in plain]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[1, 2, 3, 4, 5, 6], [1, 2]]", "row 2: must be a list of 6 values"),
        ('[{"time": 1}, {"tim": 1}]', "row 2: must be an object with time"),
        ("[[1, 2, 3, 4, 5, [6]]]", "row 1: must hold plain values"),
        ("[[1509836520000, 1, 1, 1, 1, 1], [1509836580000, 1, -1, 1, 1, 1]]", 'row 2: high "-1"'),
        ("[[1509836520000, 1, 1, 1, 1, 1], [1509836520000, 1, 1, 1, 1, 1]]", "row 2: time .*must be after"),
        ("[[1, 2", "is no JSON"),
        ("[" * 100_000, "is no JSON|must hold plain values|row"),
    ],
)
def test_json_that_cannot_be_used_is_named_by_its_row(tmp_path, text, what):
    """With the value and the rule."""
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(DataError, match=what) as caught:
        load_bars(path, SPEC)
    row, _, _ = what.partition(":")
    assert caught.value.where == (f"{path} {row}" if row.startswith("row ") else str(path))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[]", "is an empty list"),
        ("5", "must be a list of rows"),
        ("{}", "must be a list of rows"),
        ('{"a": 1}', "must be a list of rows"),
        ("null", "must be a list of rows"),
        ("[1, 2]", "must be a list of rows"),
        ("[[]]", "row 1: column 'open' is missing"),
    ],
)
def test_json_without_rows_is_an_error_of_the_file(tmp_path, text, what):
    """A pair without candles is an empty list in freqtrade's folder."""
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(DataError, match=what):
        load_bars(path, SPEC, ReadOptions(format=FileFormat.JSON))
    if text == "[]":
        with pytest.raises(DataError, match=what):
            load_bars(path, SPEC)


@pytest.mark.parametrize("cut", [8, 40, 300, -1])
@pytest.mark.parametrize("name", ["lz4.feather", "stream.arrow", "rows.parquet"])
def test_a_damaged_table_is_named(tmp_path, name, cut):
    """Cut or changed, and no crash."""
    data = formats()[name]
    path = tmp_path / name
    path.write_bytes(data[:cut])
    # A stream that ends where it has just begun a message may be whole, and then has fewer rows.
    with pytest.raises(DataError, match=r"damaged|is missing|binary|is no"):
        load_bars(path, SPEC)


@pytest.mark.parametrize("write", [streamed, lambda table: written(feather.write_feather, table)])
def test_a_table_that_points_out_of_its_own_values_is_damaged(tmp_path, write):
    """Only a look at every value finds it: nobody follows such an index out of the memory of the file."""
    table = as_table(candles())
    beyond = pa.array([*range(COUNT - 1), COUNT], pa.int8())
    prices = pa.DictionaryArray.from_arrays(beyond, table["high"].combine_chunks(), safe=False)
    path = tmp_path / "damaged"
    path.write_bytes(write(table.set_column(2, "high", prices)))
    with pytest.raises(DataError, match=r"damaged Feather or Arrow: .*out of bounds"):
        load_bars(path, SPEC)


def test_an_empty_optional_column_is_none(tmp_path):
    """Freqtrade's mark candles have a volume that is null throughout."""
    table = as_table(candles())
    nothing = pa.nulls(COUNT, pa.float64())
    path = tmp_path / "mark.feather"
    feather.write_feather(table.set_column(5, "volume", nothing), path)
    assert load_bars(path, SPEC).volume.sum() == 0

    one = pa.array([None, *([1.0] * (COUNT - 1))])
    feather.write_feather(table.set_column(5, "volume", one), path)
    with pytest.raises(DataError, match="row 1: volume None: must be there"):
        load_bars(path, SPEC)


LEAN_SPEC = InstrumentSpec(symbol="SPY", tick_size="0.01", lot_size="1")


def lean(folder, path, text, name):
    """Write a zip where LEAN would have it."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(packed(text, name))
    return file


def test_minutes_of_an_equity_are_in_new_york_and_in_ten_thousandths(tmp_path):
    """14400000 is four in the morning of the day in the name, 1674100 is 167.41."""
    text = "14400000,1674100,1674200,1672500,1672700,3197\n14460000,1672500,1672500,1672500,1672500,1150\n"
    zipped = lean(tmp_path, "equity/usa/minute/spy/20131007_trade.zip", text, "20131007_spy_minute_trade.csv")
    unpacked = zipped.with_name("20131007_spy_minute_trade.csv")
    unpacked.write_text(text)
    plain = tmp_path / "plain.csv"
    plain.write_text(
        "time,open,high,low,close,volume\n"
        "2013-10-07T04:00:00-04:00,167.41,167.42,167.25,167.27,3197\n"
        "2013-10-07T04:01:00-04:00,167.25,167.25,167.25,167.25,1150\n"
    )
    expected = events_of(load_bars(plain, LEAN_SPEC))

    assert events_of(load_bars(zipped, LEAN_SPEC)) == expected
    assert events_of(load_bars(unpacked, LEAN_SPEC)) == expected
    elsewhere = events_of(load_bars(zipped, LEAN_SPEC, ReadOptions(timezone="Europe/Berlin")))
    assert elsewhere[0][1] - expected[0][1] == -6 * 3_600 * 10**9


def test_a_file_of_lean_outside_of_its_folders_asks_how_its_prices_are_written(tmp_path):
    """Nothing says that it is about an equity: 1674100 is not read as it stands, unless somebody says so."""
    text = "14400000,1674100,1674200,1672500,1672700,3197\n14460000,1672500,1672500,1672500,1672500,1150\n"
    file = lean(tmp_path, "20131007_trade.zip", text, "20131007_spy_minute_trade.csv")
    with pytest.raises(DataError, match=r"ten-thousandths, as LEAN writes equities\? Set data.price_scale"):
        load_bars(file, LEAN_SPEC)
    for scale, ticks in [(10_000, 16_741), (1, 167_410_000)]:
        assert load_bars(file, LEAN_SPEC, ReadOptions(price_scale=scale)).open[0] == ticks


@pytest.mark.parametrize("folder", ["daily", "hour"])
def test_days_and_hours_have_their_dates_in_the_rows(tmp_path, folder):
    """Told by the folder; the scale by the kind of security."""
    rows = (
        "19980102 00:00,973100,975300,965300,973600,2150000",
        "19980105 00:00,978400,984400,967800,977500,4030800",
    )
    text = "\n".join(rows)
    file = lean(tmp_path, f"equity/usa/{folder}/spy.zip", text, "spy.csv")
    plain = tmp_path / "plain.csv"
    plain.write_text(
        "time,open,high,low,close,volume\n"
        "1998-01-02T00:00:00-05:00,97.31,97.53,96.53,97.36,2150000\n"
        "1998-01-05T00:00:00-05:00,97.84,98.44,96.78,97.75,4030800\n"
    )
    expected = load_bars(plain, LEAN_SPEC)

    bars = load_bars(file, LEAN_SPEC)

    assert bars.open_time_ns.tolist() == expected.open_time_ns.tolist()
    assert (bars.open.tolist(), bars.volume.tolist()) == (expected.open.tolist(), expected.volume.tolist())


@pytest.mark.parametrize(
    ("side", "opens", "closes"),
    [
        ("mid", [138_728, 138_725], [138_725, 138_726]),
        ("bid", [138_727, 138_724], [138_724, 138_725]),
        ("ask", [138_729, 138_726], [138_726, 138_727]),
    ],
)
def test_bars_of_quotes_are_the_middle_or_one_side(tmp_path, side, opens, closes):
    """Forex is in UTC and unscaled; a quiet minute is not there."""
    text = (
        "0,1.38727,1.38729,1.38723,1.38724,0,1.38729,1.38731,1.38725,1.38726,0\n"
        "120000,1.38724,1.38725,1.38724,1.38725,0,1.38726,1.38727,1.38726,1.38727,0\n"
    )
    file = lean(
        tmp_path, "forex/fxcm/minute/eurusd/20140501_quote.zip", text, "20140501_eurusd_minute_quote.csv"
    )
    spec = InstrumentSpec(symbol="EURUSD", tick_size="0.00001", lot_size="1")

    bars = load_bars(file, spec, msgspec.convert({"quote_side": side}, ReadOptions))

    assert (bars.open.tolist(), bars.close.tolist()) == (opens, closes)
    assert bars.open_time_ns.tolist() == [1_398_902_400 * 10**9, 1_398_902_520 * 10**9]
    assert bars.volume.tolist() == [0, 0]


def test_a_middle_between_two_ticks_is_never_rounded_in_silence(tmp_path):
    """The error says what to set; rounding to the nearest goes up."""
    text = "0,1.5,1.5,1.5,1.5,0,1.6,1.6,1.6,1.6,0\n"
    file = lean(tmp_path, "crypto/gdax/minute/x/20140501_quote.zip", text, "20140501_x_minute_quote.csv")
    spec = InstrumentSpec(symbol="X", tick_size="0.1", lot_size="1")

    with pytest.raises(DataError, match=r"line 1: open: the middle .*quote_side"):
        load_bars(file, spec)
    assert load_bars(file, spec, ReadOptions(nearest=True)).open.tolist() == [16]


@pytest.mark.parametrize(
    ("row", "quote"),
    [
        ("292.5,1.38676,1.38686", (138_676, 1, 138_686, 1)),
        ("292.5,1.38676,7,1.38686,9", (138_676, 7, 138_686, 9)),
    ],
)
def test_ticks_of_quotes_have_their_milliseconds(tmp_path, row, quote):
    """Fractions of them too; with or without sizes."""
    file = lean(tmp_path, "forex/oanda/tick/eurusd/20140501_quote.zip", row, "20140501_eurusd_tick_quote.csv")
    spec = InstrumentSpec(symbol="EURUSD", tick_size="0.00001", lot_size="1")

    ((kind, time_ns, _, *values, _),) = events_of(load_quotes(file, spec))

    assert (kind, time_ns) == ("quote", 1_398_902_400_292_500_000)
    assert tuple(values) == quote


def test_what_a_file_of_lean_does_not_hold_is_said(tmp_path):
    """And a file that is not named as LEAN's is not taken for one."""
    text = "0,1,1,1,1,1\n"
    file = lean(tmp_path, "crypto/gdax/minute/x/20140501_trade.zip", text, "20140501_x_minute_trade.csv")
    with pytest.raises(DataError, match="column 'bid' is missing: LEAN's minute trades have time, open"):
        load_quotes(file, LEAN_SPEC)
    plain = tmp_path / "x.csv"
    plain.write_text("2014-05-01,1,1,1,1,1\n")
    assert len(load_bars(plain, LEAN_SPEC)) == 1
    with pytest.raises(DataError, match="is not named as LEAN names files"):
        load_bars(plain, LEAN_SPEC, ReadOptions(format=FileFormat.LEAN))


def test_real_files_of_freqtrade_and_lean_are_read(real_data):
    """Rows and times are those of the manifest."""
    spec = InstrumentSpec(symbol="X", tick_size="0.00000001", lot_size="0.00000001")
    minutes = load_bars(real_data / "freqtrade/UNITTEST_BTC-1m.json.gz", spec)
    assert (len(minutes), minutes.open_time_ns[0]) == (13_681, 1_509_836_520 * 10**9)
    hours = load_bars(real_data / "freqtrade/futures/XRP_USDT_USDT-1h-mark.feather", spec)
    assert (len(hours), int(hours.volume.sum())) == (100, 0)
    coins = load_bars(real_data / "lean_crypto/crypto/coinbase/daily/btcusd_trade.zip", LEAN_SPEC)
    assert (len(coins), coins.open[0], coins.high[0]) == (1318, 30_000, 37_000)
    rates = load_funding(real_data / "freqtrade/futures/XRP_USDT_USDT-8h-funding_rate.feather", spec)
    assert (len(rates), rates.rate_ppb[0]) == (91, 100_000)
    trades = load_trades(real_data / "freqtrade/XRP_ETH-trades.json.gz", spec)
    assert (len(trades), trades.trade_id[0]) == (12_477, 13_519_807)
    lean_days = sorted((real_data / "lean_equity/equity/usa/minute/spy").glob("*_trade.zip"))
    days = load_bars(lean_days, LEAN_SPEC)
    assert len(days) == 828 + 828 + 813 + 883 + 776
    assert (days.open[0], str(np.datetime64(int(days.open_time_ns[0]), "ns"))[:16]) == (
        16_741,
        "2013-10-07T08:00",
    )
