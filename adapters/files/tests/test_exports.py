"""Files as other programs write them: read right, or refused with what to do."""

import gzip
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tradecore.domain import DataError, InstrumentSpec
from tradecore_files import ReadOptions, TimeFormat, inspect, load_bars, load_trades

CENT = InstrumentSpec(symbol="X", tick_size="0.01", lot_size="0.001")
HEADER = "time,open,high,low,close,volume"
START_S = 1_767_571_200


def bars_text(rows=30, *, times=None, price=100.0, seed=1) -> list[str]:
    """Return rows of bars, an hour each."""
    rng = np.random.default_rng(seed)
    lines = []
    for at in range(rows):
        first, price = price, round(price * (1 + rng.normal(0, 0.004)), 2)
        time = START_S + 3_600 * at if times is None else times[at]
        high, low = max(first, price) + 0.01, min(first, price) - 0.01
        lines.append(f"{time},{first:.2f},{high:.2f},{low:.2f},{price:.2f},{at % 7 + 1}")
    return lines


def written(tmp_path, lines, name="table.csv"):
    """Write lines and return the path."""
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def columns_of(bars) -> dict[str, list[int]]:
    """Return what was read as plain lists."""
    return {name: np.asarray(getattr(bars, name)).tolist() for name in bars.__struct_fields__}


# Rows of several instruments.


@pytest.mark.parametrize("name", ["symbol", "Ticker", "<TICKER>", "instrument_id", "pair"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_of_two_instruments_are_not_read_as_one_series(tmp_path, name, quote):
    """One instrument after the other rises in time, and the second would be the future of the first."""
    lines = [f"{quote}{'A' if at < 20 else 'B'}{quote},{line}" for at, line in enumerate(bars_text())]
    path = written(tmp_path, [f"{name},{HEADER}", *lines])

    with pytest.raises(DataError, match=r'line 22: .* "B": the rows above are of "A".*implausible') as caught:
        load_bars(path, CENT)

    assert caught.value.where == f"{path} line 22"
    assert len(load_bars(path, CENT, ReadOptions(accept_implausible=True))) == 30
    one = written(tmp_path, [f"{name},{HEADER}", *(f"A,{line}" for line in bars_text())])
    assert len(load_bars(one, CENT)) == 30


def test_rows_of_two_instruments_in_parquet_are_not_read_as_one_series(tmp_path):
    """The same in typed columns, where a missing name is no other instrument."""
    price = [100.0] * 30
    table = {
        "time": pa.array([START_S + 60 * at for at in range(30)]),
        "symbol": ["A"] * 10 + [None] + ["B"] * 19,
    }
    table |= dict.fromkeys(("open", "high", "low", "close"), price)
    path = tmp_path / "two.parquet"
    pq.write_table(pa.table(table), path)

    with pytest.raises(DataError, match=r'row 12: symbol "B": the rows above are of "A"'):
        load_bars(path, CENT)


@pytest.mark.parametrize(
    ("first", "second"), [("bid.{}", "ask.{}"), ("AAPL.{}", "MSFT.{}"), ("{}", "<{}>"), ("{}", "X.{}")]
)
def test_columns_of_the_same_name_but_for_a_prefix_are_not_chosen_by_their_place(tmp_path, first, second):
    """Bars of bid and ask, or of two shares, beside each other: the first is not simply taken."""
    names = ("open", "high", "low", "close")
    header = [form.format(name) for form in (first, second) for name in names]
    rows = (line.split(",")[:5] for line in bars_text())
    lines = [",".join([*row, *(f"{float(value) + 7:.2f}" for value in row[1:])]) for row in rows]
    path = written(tmp_path, [",".join(["time", *header]), *lines])

    with pytest.raises(DataError, match=r"line 1: .* and .* can each be 'open'; say which, as in columns"):
        load_bars(path, CENT)

    chosen = [
        load_bars(path, CENT, ReadOptions(columns={name: form.format(name) for name in names}))
        for form in (first, second)
    ]
    assert (chosen[1].close - chosen[0].close == 700).all()


# Prices in a unit of the provider.


@pytest.mark.parametrize("scale", [10**9])
def test_prices_in_billionths_are_asked_about(tmp_path, scale):
    """Databento has prices in billionths unless one asks for others; with the scale they are prices."""
    lines = ["ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume"]
    for line in bars_text():
        time, *prices, volume = line.split(",")
        fixed = [str(int(Decimal(price) * scale)) for price in prices]
        lines.append(",".join([f"{time}000000000", "33", "1", "5482", *fixed, volume]))
    path = written(tmp_path, lines)

    with pytest.raises(
        DataError, match=r"billionths, as Databento writes them\? Set data.price_scale = 1000000000 "
    ):
        load_bars(path, CENT)

    assert inspect(path).problems
    whole = InstrumentSpec(symbol="X", tick_size="1", lot_size="1")
    assert load_bars(path, whole, ReadOptions(price_scale=1)).open[0] == 100 * scale
    asked = columns_of(load_bars(path, CENT, ReadOptions(price_scale=scale)))
    assert asked == columns_of(load_bars(written(tmp_path, [HEADER, *bars_text()]), CENT))


# Lines that are no part of the table.


@pytest.mark.parametrize(
    "notes",
    [
        ["https://www.CryptoDataDownload.com"],
        ["# exported 2026-01-05, 12:00", "# zone: UTC"],
        ["sep=,"],
    ],
)
def test_lines_before_the_header_that_are_no_table_are_passed_over(tmp_path, notes):
    """A link, a comment, Excel's `sep=`; lines of errors count them."""
    plain = columns_of(load_bars(written(tmp_path, [HEADER, *bars_text()]), CENT))
    path = written(tmp_path, [*notes, HEADER, *bars_text()], "notes.csv")

    assert columns_of(load_bars(path, CENT)) == plain
    assert (inspect(path).kind, inspect(path).problems) == ("bars", ())
    assert columns_of(load_bars(written(tmp_path, [*notes, *bars_text()], "bare.csv"), CENT)) == plain

    broken = [*notes, HEADER, *bars_text()[:7], bars_text()[7] + ",9"]
    with pytest.raises(DataError, match=rf"line {len(notes) + 9}: has 7 fields"):
        load_bars(written(tmp_path, broken), CENT)
    broken[-1] = bars_text()[7].replace(".", ".x", 1)
    with pytest.raises(DataError, match=rf"line {len(notes) + 9}: "):
        load_bars(written(tmp_path, broken), CENT)


def test_a_header_behind_a_hash_stays_the_header(tmp_path):
    """As numpy writes it, `# time,open,...`: its names are those of the columns."""
    names = ("open", "high", "low", "close", "volume")
    path = written(tmp_path, [f"# {HEADER}", *bars_text()])

    bars = load_bars(path, CENT, ReadOptions(columns={"time": "# time"}))

    plain = load_bars(written(tmp_path, [HEADER, *bars_text()]), CENT)
    assert all(np.array_equal(getattr(bars, name), getattr(plain, name)) for name in names)


# The newest row first.


def test_a_file_that_begins_with_the_newest_row_is_read(tmp_path):
    """Coinbase, Alpha Vantage, Nasdaq and CryptoDataDownload write so; the times say it."""
    rows = bars_text()
    plain = columns_of(load_bars(written(tmp_path, [HEADER, *rows]), CENT))

    assert columns_of(load_bars(written(tmp_path, [HEADER, *rows[::-1]]), CENT)) == plain
    halves = [
        written(tmp_path, [HEADER, *part[::-1]], name)
        for part, name in ((rows[:12], "b.csv"), (rows[12:], "a.csv"))
    ]
    assert columns_of(load_bars(halves, CENT)) == plain

    rows[7] = rows[7].replace(rows[7].split(",")[1], "-1", 1)
    with pytest.raises(DataError, match="line 24: open"):
        load_bars(written(tmp_path, [HEADER, *rows[::-1]]), CENT)


@pytest.mark.parametrize("several", [False, True])
def test_errors_of_a_file_that_begins_with_the_newest_row_name_its_lines(tmp_path, several):
    """What is wrong stands in the line that the error names, in one file and in several."""
    rows = bars_text()
    rows[7] = ",".join([*rows[7].split(",")[:4], "500.00", "1"])
    paths = [written(tmp_path, [HEADER, *rows[:15][::-1]], "a.csv")]
    if several:
        paths.append(written(tmp_path, [HEADER, *rows[15:][::-1]], "b.csv"))

    with pytest.raises(DataError, match=r"a\.csv line 9: close 500\.00"):
        load_bars(paths, CENT)


def test_local_times_that_begin_with_the_newest_are_told_by_their_zone(tmp_path):
    """Each is in its zone, and one that does not exist is named by its line."""
    times = [f"2026-03-29 {hour:02d}:30" for hour in (0, 1, 3, 4, 5, 6, 7, 8, 9, 10)]
    zone = ReadOptions(timezone="Europe/Berlin")
    plain = columns_of(load_bars(written(tmp_path, [HEADER, *bars_text(10, times=times)]), CENT, zone))

    turned = written(tmp_path, [HEADER, *bars_text(10, times=times)[::-1]])
    assert columns_of(load_bars(turned, CENT, zone)) == plain

    times[2] = "2026-03-29 02:30"
    with pytest.raises(DataError, match=r"line 9: time 2026-03-29T02:30.* does not exist"):
        load_bars(written(tmp_path, [HEADER, *bars_text(10, times=times)[::-1]]), CENT, zone)


def test_rows_in_no_order_are_still_refused(tmp_path):
    """Two rows swapped, or one twice: no order is right by itself."""
    rows = bars_text()[::-1]
    rows[3], rows[4] = rows[4], rows[3]
    for lines in (rows, [*bars_text()[::-1], bars_text()[0]]):
        with pytest.raises(DataError, match="sort the oldest first"):
            load_bars(written(tmp_path, [HEADER, *lines]), CENT)


# Times that lost their digits.


@pytest.mark.parametrize("form", ["{:.5E}", "{:g}", "{:.3e}"])
@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_times_that_a_spreadsheet_has_cut_are_refused(tmp_path, form, unit):
    """`1.76757E+12` is exact to hours: trades would all be of one time, bars of another than they were."""
    times = [form.format((START_S + 60 * at) * unit) for at in range(50)]
    lines = [f"{time},100,1,buy" for time in times]
    path = written(tmp_path, ["time,price,quantity,side", *lines])

    with pytest.raises(DataError, match=r'line 2: time "1\.7.*is exact to 10+ only.*data\.time_format'):
        load_trades(path, CENT)

    named = ReadOptions(time_format=TimeFormat({1: "s", 1_000: "ms", 1_000_000: "us"}[unit]))
    assert len(load_trades(path, CENT, named)) == 50


@pytest.mark.parametrize("first", [45_292, 2_024_001, 240_101])
def test_numbers_of_days_are_not_read_as_parts_of_one_day(tmp_path, first):
    """Excel's 45292 and the like: with `date`, as for LEAN's milliseconds, bars would be a millisecond."""
    days = [first + at for at in range(30)]
    path = written(tmp_path, [HEADER, *bars_text(times=days)])

    with pytest.raises(DataError, match=r"data\.date"):
        load_bars(path, CENT)
    with pytest.raises(DataError, match=r"0\.001 seconds apart.*are these days\?.*YYYY-MM-DD"):
        load_bars(path, CENT, ReadOptions(date="2024-01-01"))

    minutes = written(tmp_path, [HEADER, *bars_text(times=[34_200_000 + 60_000 * at for at in range(30)])])
    assert len(load_bars(minutes, CENT, ReadOptions(date="2024-01-01"))) == 30


def test_times_with_an_exponent_and_all_their_digits_are_read(tmp_path):
    """So are those of which one is round by chance."""
    times = ["1.767571200e9", "1.76757126E+09", "1.7675714e+9"]
    bars = load_bars(written(tmp_path, [HEADER, *bars_text(3, times=times)]), CENT)

    assert bars.open_time_ns.tolist() == [(START_S + add) * 10**9 for add in (0, 60, 200)]


# What `data inspect` suggests.


@pytest.mark.parametrize("aggregate", [False, True])
def test_trades_of_binance_without_header_are_inspected_as_trades(tmp_path, aggregate):
    """The first column is no time, so bars they are not; what they are is said, and reads."""
    ids = "{0},{0}," if aggregate else "1.5,"
    lines = [
        f"{7 + at},{42_000 + at % 9}.50,0.00{at % 8 + 1},{ids.format(at)}{START_S * 10**6 + at},True,True"
        for at in range(50)
    ]
    path = written(tmp_path, lines)

    summary = inspect(path)

    assert (summary.kind, summary.rows, summary.problems) == ("trades", 50, ())
    guess = summary.instruments[0]
    spec = InstrumentSpec(symbol="X", tick_size=guess.tick_size, lot_size=guess.lot_size)
    assert len(load_trades(path, spec)) == 50


@pytest.mark.parametrize("base", [0.00000431, 0.0123, 1.08, 37.0, 188.0, 4_000.0])
@pytest.mark.parametrize("noise", [1e-16, 1e-4])
def test_the_tick_that_inspect_suggests_for_prices_off_every_tick_changes_none(tmp_path, base, noise):
    """Sums of floats and adjusted prices of any size: read as suggested, none moves by a pip."""
    rng = np.random.default_rng(3)
    prices = base * (1 + rng.integers(0, 900, 60) / 10_000) * (1 + noise * rng.random(60))
    lines = [
        f"{START_S + 60 * at},{price!r},{price!r},{price!r},{price!r}"
        for at, price in enumerate(prices.tolist())
    ]
    path = written(tmp_path, ["time,open,high,low,close", *lines])

    summary = inspect(path)

    assert 'rounding = "nearest"' in summary.notes[0]
    tick = summary.instruments[0].tick_size
    spec = InstrumentSpec(symbol="X", tick_size=tick, lot_size="1")
    read = load_bars(path, spec, ReadOptions(nearest=True)).close * float(tick)
    assert np.abs(read / prices - 1).max() <= 1e-5


def test_a_table_that_lacks_its_close_is_bars_and_not_a_funding(tmp_path):
    """Its open is no rate: the answer names the column that is missing."""
    path = written(tmp_path, [HEADER.replace("close", "Price"), *bars_text()])

    summary = inspect(path)

    assert summary.kind == "bars"
    assert "column 'close' is missing" in summary.problems[0]


def test_a_volume_under_another_name_is_not_lost_in_silence(tmp_path):
    """`Volume BTC` of CryptoDataDownload: bars are read without it, and inspect says so."""
    path = written(tmp_path, [HEADER.replace("volume", "Volume BTC"), *bars_text()])

    assert "there is no volume, or under another name" in inspect(path).notes[0]
    assert load_bars(path, CENT, ReadOptions(columns={"volume": "Volume BTC"})).volume.all()
    assert inspect(written(tmp_path, [HEADER, *bars_text()])).notes == ()


def test_a_packed_file_with_a_note_is_read(tmp_path):
    """Notes are looked for after unpacking."""
    path = tmp_path / "packed.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["sep=,", HEADER, *bars_text()]).encode()))

    assert len(load_bars(path, CENT)) == 30
