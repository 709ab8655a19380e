"""Bars from files: what is read, what is refused, and that nothing else can happen."""

import csv
import gzip
import io
import time
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.shared import EXAMPLE_DATA
from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore_files import FileFormat, ReadOptions, load_bars

CENT = InstrumentSpec(symbol="X", tick_size="0.01")
COIN = InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.000001")
DAY_NS = 86_400 * 10**9
HEADER = "time,open,high,low,close,volume\n"
GOOD = "2024-01-01,1.00,2.00,0.50,1.50,10\n"


def write(tmp_path, text, name="bars.csv"):
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "spec", "form", "rows"),
    [("btc-daily.csv", COIN, "%Y-%m-%d", 1_246), ("btc-1m.csv", CENT, "%m/%d/%Y %H:%M", 1_430)],
)
def test_real_bars_equal_a_plain_reading_with_decimals(name, spec, form, rows):
    """Every price is the exact decimal of the file in whole ticks."""
    path = EXAMPLE_DATA / name

    bars = load_bars(path, spec)

    with path.open() as file:
        plain = list(csv.reader(file))[1:]
    assert len(bars) == len(plain) == rows
    for at, column in enumerate((bars.open, bars.high, bars.low, bars.close), 1):
        assert column.tolist() == [int(Decimal(row[at]) / Decimal(spec.tick_size)) for row in plain]
    stamps = [datetime.strptime(row[0], form).replace(tzinfo=UTC) for row in plain]
    assert bars.open_time_ns.tolist() == [int(stamp.timestamp()) * 10**9 for stamp in stamps]
    assert bars.volume.tolist() == [int(Decimal(row[5]) / Decimal(spec.lot_size)) for row in plain]


def test_a_bar_closes_after_its_interval_or_when_the_next_opens(tmp_path):
    """The interval is the smallest step; no bar closes after the next has opened."""
    days = ("2024-01-01", "2024-01-02", "2024-01-05")
    path = write(tmp_path, HEADER + "".join(f"{day},1,1,1,1,0\n" for day in days))

    bars = load_bars(path, CENT)
    weekly = load_bars(path, CENT, ReadOptions(interval_ns=7 * DAY_NS))

    assert bars.interval_ns == DAY_NS
    assert (bars.close_time_ns - bars.open_time_ns).tolist() == [DAY_NS] * 3
    assert (weekly.close_time_ns - weekly.open_time_ns).tolist() == [DAY_NS, 3 * DAY_NS, 7 * DAY_NS]


def test_bars_become_events(tmp_path):
    """A batch gets one event a bar."""
    batch = EventBatch()

    load_bars(write(tmp_path, HEADER + GOOD), CENT).append_to(batch, 0)

    assert len(batch) == 1


@pytest.mark.parametrize(
    "header",
    [
        "Date,Open,High,Low,Close,Volume",
        ",OPEN,High,low,Close,VOL",
        "x.Timestamp,x.Open,x.High,x.Low,x.Close,v",
    ],
)
def test_columns_are_found_by_name_in_any_case(tmp_path, header):
    """A first column without a name is the time, and a dotted name counts by its last part."""
    bars = load_bars(write(tmp_path, f"{header}\r\n{GOOD}"), CENT)

    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (100, 200, 50, 150)


def test_other_names_are_given_by_the_options(tmp_path):
    """`columns` chooses among several candidates."""
    path = write(tmp_path, "time,open,high,low,close,Adj Close\n2024-01-01,1,2,1,1.5,1.25\n")

    assert load_bars(path, CENT, ReadOptions(columns={"close": "adj close"})).close[0] == 125
    for columns, part in (({"close": "nope"}, "'nope' is missing"), ({"price": "open"}, "names 'price'")):
        with pytest.raises(DataError, match=part):
            load_bars(path, CENT, ReadOptions(columns=columns))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_date_and_time_of_day_are_joined_and_delimiters_are_found(tmp_path, delimiter):
    """`Date` and `Time` in two columns are one point in time."""
    text = "Date,Time,Open,High,Low,Close\n2006-01-02,09:05:00,1,1,1,1\n2006-01-02,09:10:00,1,1,1,1\n"

    bars = load_bars(write(tmp_path, text.replace(",", delimiter)), CENT)

    assert bars.open_time_ns[0] == np.datetime64("2006-01-02T09:05", "ns").astype(np.int64)
    assert bars.interval_ns == 300 * 10**9
    assert bars.volume.tolist() == [0, 0]


def test_text_without_a_header_is_read_in_order(tmp_path):
    """Daily bars of LEAN have no header, and lie in a zip file."""
    path = tmp_path / "btcusd_trade.zip"
    rows = "20141201 00:00,300,370,300,370,0.05655554\n20141202 00:00,370,378,370,378,15\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("btcusd.csv", rows)
    bars = load_bars(path, CENT)
    assert (len(bars), bars.open[0], bars.high[0]) == (2, 30_000, 37_000)
    with pytest.raises(DataError, match="'close' is missing"):
        load_bars(write(tmp_path, "2024-01-01,1,1,1\n"), CENT)


def test_a_time_zone_moves_local_times_only(tmp_path):
    """Local times follow daylight saving; a time with an offset is what it says."""
    local = HEADER + "2024-01-15 12:00,1,1,1,1,0\n2024-07-15 12:00,1,1,1,1,0\n"
    berlin = ReadOptions(timezone="Europe/Berlin")

    bars = load_bars(write(tmp_path, local), CENT, berlin)
    fixed = load_bars(write(tmp_path, local.replace(":00,", ":00Z,")), CENT, berlin)

    assert bars.open_time_ns.tolist() == [1705316400 * 10**9, 1721037600 * 10**9]
    assert fixed.open_time_ns.tolist() == [1705320000 * 10**9, 1721044800 * 10**9]
    with pytest.raises(InvalidValueError, match="timezone"):
        load_bars(write(tmp_path, local), CENT, ReadOptions(timezone="Nowhere/Land"))


def test_a_price_between_two_ticks_is_refused_unless_rounding_is_asked_for(tmp_path):
    """Exact by default; `nearest` rounds half up."""
    path = write(tmp_path, HEADER + "2024-01-01,1.005,2.00,0.50,1.50,1.6\n")

    with pytest.raises(DataError, match=r"line 2: open \"1.005\": must be a multiple of 0.01"):
        load_bars(path, CENT)
    bars = load_bars(path, CENT, ReadOptions(nearest=True))
    assert (bars.open[0], bars.volume[0]) == (101, 2)


@pytest.mark.parametrize(
    ("row", "line", "column", "rule"),
    [
        ("2024-01-02,nan,2,1,1,0", 3, "open", "decimal"),
        ("2024-01-02,-1,2,1,1,0", 3, "open", "negative"),
        ("2024-01-02,0,2,0,1,0", 3, "open", "above 0"),
        ("2024-01-02,1,1,2,1,0", 3, "high", "not be below low"),
        ("2024-01-02,3,2,1,1,0", 3, "open", "between low and high"),
        ("2024-01-02,1,2,1,3,0", 3, "close", "between low and high"),
        ("2024-01-01,1,2,1,1,0", 3, "time", "after the row before"),
        ("2023-12-31,1,2,1,1,0", 3, "time", "after the row before"),
        ("yesterday,1,2,1,1,0", 3, "time", "date and time"),
        ("2024-01-02,1,2,1", 3, "row", "none for close"),
        ("2024-01-02,1,2,1,,0", 3, "close", "decimal"),
        ("2024-01-02,1,2,1,1e400,0", 3, "close", "64 bits"),
        ("2024-01-02,1,2,1,1e,0", 3, "close", "decimal"),
        ("2024-01-02,1,2,1,99999999999999999999,0", 3, "close", "64 bits"),
        ("\n2024-01-02,1,2,1,1,0", 3, "row", "blank line"),
    ],
)
def test_a_wrong_row_is_named_with_column_value_and_rule(tmp_path, row, line, column, rule):
    """One error says where, what and why."""
    path = write(tmp_path, f"{HEADER}{GOOD}{row}\n2024-01-03,9,9,9,9,9\n")

    with pytest.raises(DataError) as caught:
        load_bars(path, CENT)

    assert caught.value.where == f"{path} line {line}"
    assert caught.value.what.startswith(column)
    assert rule in caught.value.what


def _zip_of(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, HEADER + GOOD)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "rule"),
    [
        (b"", "a.csv", "empty"),
        (b"\n \n", "a.csv", "empty"),
        (HEADER.encode(), "a.csv", "no rows"),
        (b"open,high,low,close\n1,1,1,1\n", "a.csv", "'time' is missing"),
        (bytes(range(256)) * 4, "a.csv", "binary"),
        (b"\xff\xfe1,2", "a.csv", "UTF-8"),
        (gzip.compress(GOOD.encode() * 100, mtime=0)[:-9], "a.csv.gz", "cut gzip"),
        (GOOD.encode(), "a.csv.gz", "neither gzip nor zip"),
        (_zip_of("a.csv")[:-30], "a.zip", "cut zip"),
        (_zip_of("a.csv", "b.csv"), "a.zip", "holds 2"),
        (b"PAR1" + b"x" * 100, "a.parquet", "damaged Parquet"),
    ],
)
def test_a_file_of_the_wrong_kind_is_one_error(tmp_path, data, name, rule):
    """Whatever is in a file, the answer is bars or one DataError naming the file."""
    path = write(tmp_path, data, name)

    with pytest.raises(DataError, match=rule) as caught:
        load_bars(path, CENT)

    assert str(path) in caught.value.where


def test_a_missing_file_and_a_directory_are_errors(tmp_path):
    """The path is named."""
    for path, rule in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "has no data file"),
        ("a\0b", "cannot"),
    ):
        with pytest.raises(DataError, match=rule):
            load_bars(path, CENT)


def test_gzip_zip_and_parquet_hold_the_same_bars(tmp_path):
    """The packing does not matter, and floats of exact decimals are exact."""
    text = HEADER + GOOD + "2024-01-02,1.29,2.03,0.57,1.15,3\n"
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = {name: [float(row[name]) for row in rows] for name in ("open", "high", "low", "close")}
    columns["Time"] = [datetime.fromisoformat(row["time"]) for row in rows]
    columns["volume"] = [int(row["volume"]) for row in rows]
    decimals = {
        **columns,
        "close": [Decimal(row["close"]) for row in rows],
        "Time": [row["time"] for row in rows],
    }
    paths = [write(tmp_path, text), write(tmp_path, gzip.compress(text.encode()), "a.csv.gz")]
    for name, table in (("a.parquet", columns), ("b.parquet", decimals)):
        pq.write_table(pa.table(table), tmp_path / name)
        paths.append(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.csv", text)

    all_bars = [load_bars(path, CENT) for path in [*paths, tmp_path / "a.zip"]]

    for bars in all_bars:
        for name in ("open_time_ns", "close_time_ns", "open", "high", "low", "close", "volume"):
            assert getattr(bars, name).tolist() == getattr(all_bars[0], name).tolist()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"open": [1.005, 1.0]}, r"row 1: open 1.005: must be a multiple of 0.01"),
        ({"open": [1.0, float("nan")]}, "row 2: open nan: must be a finite number"),
        ({"open": [1.0, None]}, "row 2: open None: must be there"),
        ({"open": [1.0, -1.0]}, "row 2: open -1.0: must not be negative"),
        ({"open": [1.0, 1e300]}, "row 2: open 1e.300: must be below 2.53 steps"),
        ({"open": ["1", "x"]}, "row 2: open .x.: must be decimal"),
        ({"time": [1_700_000_060, 1_700_000_000]}, "row 2: time"),
        ({"time": [True, False]}, "row 1: time"),
    ],
)
def test_wrong_values_in_parquet_are_named_by_row(tmp_path, change, rule):
    """Typed columns obey the same rules as text."""
    day = [datetime(2024, 1, at, tzinfo=UTC) for at in (1, 2)]
    columns = {"time": day, "open": [1.0, 1.0], "high": [9.0, 9.0], "low": [1.0, 1.0], "close": [1.0, 1.0]}
    path = tmp_path / "bars.parquet"
    pq.write_table(pa.table({**columns, **change}), path)

    with pytest.raises(DataError, match=rule):
        load_bars(path, CENT)


@given(
    prices=st.lists(st.tuples(*[st.integers(1, 10**9)] * 4), min_size=1, max_size=20),
    decimals=st.integers(0, 6),
    start=st.integers(315_532_800, 1_980_000_000),
)
def test_bars_written_by_csv_read_back_exactly(tmp_path_factory, prices, decimals, start):
    """Any valid bars survive the way through text."""
    spec = InstrumentSpec(symbol="X", tick_size=format(Decimal(1).scaleb(-decimals), "f"))
    rows = []
    for at, (a, b, c, d) in enumerate(prices):
        low, first, last, high = sorted((a, b, c, d))
        rows.append((start + at * 60, first, high, low, last))
    text = "time,open,high,low,close\n" + "".join(
        f"{row[0]}," + ",".join(format(Decimal(value).scaleb(-decimals), "f") for value in row[1:]) + "\n"
        for row in rows
    )
    path = write(tmp_path_factory.mktemp("bars"), text)
    bars = load_bars(path, spec, ReadOptions(accept_implausible=True))

    read = zip(bars.open_time_ns, bars.open, bars.high, bars.low, bars.close, strict=True)
    assert [tuple(map(int, row)) for row in read] == [(row[0] * 10**9, *row[1:]) for row in rows]


def _bend(data, at, byte):
    at %= len(data)
    return data[:at] + bytes([byte]) + data[at + 1 :]


@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.text(alphabet="0123456789.,-:TZ \n\"'eopnhiglwcstmvu", max_size=300).map(str.encode),
        st.text(alphabet="0123456789.,- \n", max_size=200).map(lambda rows: (HEADER + rows).encode()),
        st.binary(max_size=60).map(lambda tail: b"\x1f\x8b" + tail),
        st.binary(max_size=60).map(lambda tail: b"PK\x03\x04" + tail),
        st.builds(
            _bend,
            st.sampled_from([_zip_of("a.csv"), gzip.compress((HEADER + GOOD).encode(), mtime=0)]),
            st.integers(0, 300),
            st.integers(0, 255),
        ),
    )
)
def test_any_bytes_are_accepted_or_refused_with_one_error(tmp_path_factory, data):
    """Accepted, or DataError; nothing else."""
    path = write(tmp_path_factory.mktemp("fuzz"), data)
    try:
        bars = load_bars(path, CENT)
    except DataError as error:
        assert str(path) in error.where  # noqa: PT017
    else:
        assert len(bars) > 0
        assert (np.diff(bars.open_time_ns) > 0).all()
        assert (bars.low > 0).all()


def test_an_explicit_format_is_obeyed(tmp_path):
    """`format = "parquet"` does not fall back to text."""
    with pytest.raises(DataError, match="damaged Parquet"):
        load_bars(write(tmp_path, HEADER + GOOD), CENT, ReadOptions(format=FileFormat.PARQUET))


@pytest.mark.slow
def test_half_a_million_rows_are_read_within_two_seconds(tmp_path):
    """Research waits for the engine, not for the file."""
    row = "{},100.25,100.75,99.50,100.00,12\n"
    path = write(tmp_path, HEADER + "".join(row.format(1_600_000_000 + 60 * at) for at in range(500_000)))

    start = time.perf_counter()
    bars = load_bars(path, CENT)

    assert len(bars) == 500_000
    assert time.perf_counter() - start < 2
