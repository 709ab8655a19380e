"""Frames of every library become the events that a plain walk over their rows gives, or an error in words."""

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore.domain.feeds import read_events
from tradecore.frames import instrument_of

DAY_NS = 86_400 * 10**9
FIRST_NS = 1_704_067_200 * 10**9  # 2024-01-01
CENTS = InstrumentSpec(symbol="ACME", tick_size="0.01", lot_size="0.1")
OHLC = ("open", "high", "low", "close")
TICKS = ("1", "0.5", "0.25", "0.01", "0.00001", "0.05", "2.5", "10")


class Stream:
    """Nothing but the Arrow C stream of a table: what a library that we do not know offers."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        """Hand over the stream."""
        return self._table.__arrow_c_stream__(requested_schema)


LIBRARIES = {
    "pandas": lambda frame: frame,
    "pandas index": lambda frame: frame.set_index("time"),
    "pandas nullable": lambda frame: frame.convert_dtypes(),
    "pandas arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.from_pandas,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "record batch": lambda frame: pa.RecordBatch.from_pandas(frame, preserve_index=False),
    "stream": lambda frame: Stream(pa.Table.from_pandas(frame, preserve_index=False)),
    "numpy": lambda frame: frame.to_records(index=False),
}


def bars(count=5, **changes) -> pd.DataFrame:
    """Return bars of days that rise by 1.00 a day, with some columns changed."""
    close = 10.5 + np.arange(count)
    columns = {
        "open": close - 0.5,
        "high": close + 1,
        "low": close - 1,
        "close": close,
        "volume": np.full(count, 2.0),
    }
    times = pd.to_datetime(FIRST_NS + DAY_NS * np.arange(count))
    return pd.DataFrame({"time": times, **columns, **changes})


def events(frame, instrument=CENTS, **options) -> list[tuple]:
    """Return the events of a frame."""
    return read_events(EventBatch.from_frame(frame, instrument, **options))


def times_of(frame, **options) -> list[int]:
    """Return the opening times of the bars of a frame."""
    return [event[3] for event in events(frame, **options)]


@st.composite
def ticked_bars(draw):
    """Draw a tick and bars in whole ticks: times, then rows of open, high, low, close and tenths of a lot."""
    tick = draw(st.sampled_from(TICKS))
    rows = []
    for _ in range(draw(st.integers(1, 8))):
        inside = sorted(draw(st.lists(st.integers(1, 9_999_999), min_size=4, max_size=4)))
        turned = draw(st.booleans())
        opened, closed = (inside[1], inside[2]) if turned else (inside[2], inside[1])
        rows.append((opened, inside[3], inside[0], closed, draw(st.integers(0, 10**6))))
    steps = draw(st.lists(st.integers(1, 10**4), min_size=len(rows), max_size=len(rows)))
    return tick, FIRST_NS + 10**9 * np.cumsum(steps), rows


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=25)
@given(drawn=ticked_bars())
def test_a_frame_of_any_library_gives_the_events_that_its_numbers_say(library, drawn):
    """Decimal prices come back as the whole ticks that they were made of, times to the nanosecond."""
    tick, times_ns, rows = drawn
    prices = [[float(Decimal(value) * Decimal(tick)) for value in row[:4]] for row in rows]
    columns = dict(zip(OHLC, zip(*prices, strict=True), strict=True))
    volume = [row[4] / 10 for row in rows]
    frame = pd.DataFrame({"time": pd.to_datetime(times_ns), **columns, "volume": volume})

    seen = events(LIBRARIES[library](frame), InstrumentSpec(symbol="ANY", tick_size=tick, lot_size="0.1"))

    assert [event[3:] for event in seen] == [
        (int(time_ns), *row) for time_ns, row in zip(times_ns, rows, strict=True)
    ]
    closes = [*times_ns[1:].tolist(), None]
    assert [event[1] for event in seen][:-1] <= closes[:-1]


@given(drawn=ticked_bars())
def test_the_tick_that_is_found_holds_every_price_and_no_coarser_one_does(drawn):
    """Read with the instrument that was found, prices are what they were, to the last digit."""
    tick, times_ns, rows = drawn
    prices = np.array([[float(Decimal(value) * Decimal(tick)) for value in row[:4]] for row in rows])
    frame = pd.DataFrame({"time": times_ns, **dict(zip(OHLC, prices.T, strict=True)), "volume": 0.25})
    found = instrument_of(frame, "ANY")

    seen = events(frame, found)

    for event, row in zip(seen, prices.tolist(), strict=True):
        assert [float(ticks * Decimal(found.tick_size)) for ticks in event[4:8]] == row
        assert event[8] * Decimal(found.lot_size) == Decimal("0.25")
    ten = InstrumentSpec(symbol="ANY", tick_size=str(Decimal(found.tick_size) * 10), lot_size="0.01")
    if len(np.unique(prices)) >= 20:
        with pytest.raises(DataError, match="must be a multiple of"):
            events(frame, ten)


TIMES = {
    **{
        f"datetime64[{unit}]": np.datetime64(FIRST_NS, "ns").astype(f"datetime64[{unit}]")
        for unit in ("s", "ms", "us", "ns")
    },
    "seconds": FIRST_NS // 10**9,
    "milliseconds": FIRST_NS // 10**6,
    "microseconds": FIRST_NS // 10**3,
    "nanoseconds": FIRST_NS,
    "seconds as floats": FIRST_NS / 1e9,
    "milliseconds as floats": FIRST_NS / 1e6,
    "unsigned": np.uint64(FIRST_NS // 10**9),
    "a date as a number": 20240101,
    "a date and time as a number": 20240101000000,
    "ISO text": "2024-01-01T00:00:00Z",
    "ISO text without a zone": "2024-01-01 00:00:00",
    "ISO text with an offset": "2024-01-01T01:00:00+01:00",
    "a date": dt.date(2024, 1, 1),
    "a datetime": dt.datetime(2024, 1, 1),  # noqa: DTZ001 - without a zone on purpose
    "a datetime with a zone": dt.datetime(2023, 12, 31, 19, tzinfo=ZoneInfo("America/New_York")),
}


@pytest.mark.parametrize("given_time", TIMES.values(), ids=TIMES)
def test_times_are_read_whatever_their_type_unit_or_zone(given_time):
    """Every way to write the first of January 2024 is that instant in UTC."""
    frame = bars(1).drop(columns="time").assign(Date=pd.Series([given_time], dtype=object))
    typed = frame.assign(Date=[given_time])

    assert times_of(frame) == times_of(typed) == [FIRST_NS]


@pytest.mark.parametrize(
    ("number", "part_ns"),
    [(1_704_067_200.1, 10**8), (1_704_067_200_000.123, 123_000), (1_704_067_200.000001, 10**3)],
)
def test_a_part_of_a_second_in_a_float_is_what_it_is_shown_as(number, part_ns):
    """Binary noise below the digits of a float makes no nanoseconds."""
    assert times_of(bars(1, time=[number])) == [FIRST_NS + part_ns]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("library", ["pandas", "pandas index", "polars", "arrow"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "Asia/Kolkata"])
def test_times_with_a_zone_become_utc_and_those_without_one_are_taken_as_utc(unit, library, zone):
    """The unit of a datetime and its zone are read from its type, in every library."""
    wall = pd.date_range("2024-03-29", periods=3).as_unit(unit)
    expected = wall if zone is None else wall.tz_localize(zone).tz_convert("UTC").tz_localize(None)
    frame = LIBRARIES[library](bars(3, time=wall if zone is None else wall.tz_localize(zone)))

    assert times_of(frame) == expected.as_unit("ns").astype("int64").tolist()


def test_times_without_a_zone_are_of_the_zone_that_is_named():
    """A day that begins in Berlin is 23 hours long when clocks go forward, and ends when the next begins."""
    wall = pd.to_datetime(["2024-03-30", "2024-03-31", "2024-04-01"])

    seen = events(bars(3, time=wall), timezone="Europe/Berlin")

    opened, closed = [event[3] for event in seen], [event[1] for event in seen]
    assert (
        opened == pd.DatetimeIndex(wall).tz_localize("Europe/Berlin").as_unit("ns").astype("int64").tolist()
    )
    assert closed[:2] == opened[1:]
    assert closed[1] - opened[1] == 23 * 3_600 * 10**9
    assert [event[1] for event in events(bars(3, time=wall.tz_localize("Europe/Berlin")))] == closed


@given(st.integers(-9, 9), st.sampled_from([1, 60, 3_600, 86_400, 7 * 86_400]))
def test_a_bar_lasts_to_the_opening_of_the_next_and_the_last_as_long_as_they_do(weeks, seconds):
    """The spacing of the rows is the length of the bars; `interval` says it where rows are missing."""
    start = FIRST_NS + weeks * 7 * DAY_NS
    times = start + seconds * 10**9 * np.array([0, 1, 2, 3, 5])

    natural = [event[1] for event in events(bars(time=times))]
    stated = [event[1] for event in events(bars(time=times), interval=dt.timedelta(seconds=seconds / 2))]

    assert natural == (times + seconds * 10**9).tolist()
    assert stated == (times + seconds * 5 * 10**8).tolist()


def test_an_index_of_periods_or_of_text_is_the_time():
    """A PeriodIndex begins with its periods; text in an index is read as in a column."""
    plain = bars(3).drop(columns="time")

    assert times_of(plain.set_index(pd.period_range("2024-01-01", periods=3, freq="D"))) == times_of(bars(3))
    assert times_of(plain.set_index(pd.Index(["2024-01-01", "2024-01-02", "2024-01-03"]))) == times_of(
        bars(3)
    )


@pytest.mark.parametrize(
    "close", [np.float32([10.1, 10.2]), [Decimal("10.1"), Decimal("10.2")], [10, 11], np.uint8([10, 11])]
)
def test_prices_of_every_type_of_number_are_what_they_are_shown_as(close):
    """A float32 that shows 10.1 is 10.1, as are a Decimal and a whole number."""
    frame = bars(2).assign(close=close, open=10.0, high=11.0, low=9.0)

    assert [event[7] for event in events(frame)] == [round(float(str(value)) * 100) for value in close]


@pytest.mark.parametrize(
    ("names", "side"),
    [
        ({"Price": "price", "Size": "size", "Side": "side"}, ["buy", "SELL", "b"]),
        ({"p": "price", "q": "size", "m": "side"}, [False, True, False]),
        ({"price": "price", "amount": "size", "taker_side": "side"}, [1, -1, 1]),
    ],
)
@pytest.mark.parametrize("library", ["pandas", "polars", "arrow", "numpy"])
def test_trades_are_found_by_their_columns(names, side, library):
    """Price and size under their usual names, and who took liquidity as a word, a flag or a sign."""
    values = {"price": [10.5, 10.51, 10.5], "size": [0.1, 0.2, 0.3], "side": side}
    times = pd.to_datetime([FIRST_NS, FIRST_NS, FIRST_NS + 1])
    frame = pd.DataFrame({"timestamp": times} | {name: values[ours] for name, ours in names.items()})

    seen = events(LIBRARIES[library](frame), instrument_id=3)

    assert seen == [
        ("trade", FIRST_NS, 3, 1050, 1, True, 0),
        ("trade", FIRST_NS, 3, 1051, 2, False, 0),
        ("trade", FIRST_NS + 1, 3, 1050, 3, True, 0),
    ]


def test_quotes_are_found_by_their_columns():
    """Bid and ask make quotes; a size that is not there is one lot."""
    frame = pd.DataFrame({"time": [FIRST_NS], "Bid": [10.5], "Ask": [10.52]})

    assert events(frame) == [("quote", FIRST_NS, 0, 1050, 1, 1052, 1, 0)]
    sized = frame.assign(bid_size=[2.0], ask_qty=[0.3])
    assert events(sized) == [("quote", FIRST_NS, 0, 1050, 20, 1052, 3, 0)]


def two_levels(symbols) -> pd.DataFrame:
    """Return bars with columns in two levels, as providers of several symbols give them."""
    frame = bars(2).set_index("time")
    return pd.concat(dict.fromkeys(symbols, frame), axis=1).swaplevel(axis=1)


def test_columns_in_two_levels_are_read_when_there_is_one_instrument():
    """One symbol is read as it is; of two the error says how to take one, and that works."""
    assert events(two_levels(["ACME"])) == events(bars(2))
    with pytest.raises(InvalidValueError, match=r"frame\.xs\('ACME', axis=1, level=1\)"):
        events(two_levels(["ACME", "OTHER"]))
    assert events(two_levels(["ACME", "OTHER"]).xs("ACME", axis=1, level=1)) == events(bars(2))


def test_numbered_columns_are_found_as_alpha_vantage_writes_them():
    """`1. open` to `5. volume`; a label such as `Candlestick.Open` is read in the same way."""
    frame = bars(2)
    numbered = {name: f"{at}. {name}" for at, name in enumerate(frame.columns[1:], 1)}

    assert events(frame.rename(columns=numbered)) == events(frame)


def test_rows_in_two_levels_are_read_when_there_is_one_instrument():
    """An index of symbols and times is read as times; of two symbols the error says how to take one."""
    dated = bars(3).set_index("time")
    one = pd.concat({"ACME": dated}, names=["symbol"])
    assert events(one) == events(one.swaplevel()) == events(bars(3))
    both = pd.concat({"ACME": dated, "OTHER": dated}, names=["symbol"])
    with pytest.raises(InvalidValueError, match=r"frame\.xs\('ACME', level=0\)"):
        events(both)
    assert events(both.xs("ACME", level=0)) == events(bars(3))
    with pytest.raises(InvalidValueError, match=r"frame\.xs\('ACME', level=1\)"):
        events(both.swaplevel())


def long_frame() -> pd.DataFrame:
    """Return bars of two symbols in an order of times that would pass for one series."""
    later = pd.to_datetime(bars(3)["time"]) + pd.Timedelta("1h")
    rows = pd.concat([bars(3).assign(symbol="ACME"), bars(3).assign(symbol="OTHER", time=later)])
    return rows.sort_values("time", ignore_index=True)


@pytest.mark.parametrize(
    ("frame", "advice"),
    [
        (long_frame(), r"frame\[frame\['symbol'\] == 'ACME'\], or hand run_frame .*groupby\('symbol'\)"),
        (long_frame().astype({"symbol": "category"}), r"frame\[frame\['symbol'\] == 'ACME'\]"),
        (long_frame().set_index("symbol"), r"frame\[frame.index == 'ACME'\]"),
        (pl.from_pandas(long_frame()), r"frame.filter\(polars.col\('symbol'\) == 'ACME'\)"),
        (pa.Table.from_pandas(long_frame()), r"table.filter\(pyarrow.compute.field\('symbol'\) == 'ACME'\)"),
        (long_frame().to_records(index=False), r"array\[array\['symbol'\] == 'ACME'\]"),
    ],
    ids=["pandas", "categories", "index", "polars", "arrow", "numpy"],
)
def test_rows_of_two_instruments_are_no_series(frame, advice):
    """Two markets in one column of prices would be a backtest of neither; the error says how to take one."""
    with pytest.raises(
        DataError, match=f"'symbol' names several .* 'ACME' and 'OTHER': take one, as in {advice}"
    ):
        events(frame)
    assert events(bars(3).assign(symbol="ACME")) == events(bars(3))


WRONG = {
    "a time that falls": (
        lambda: bars().iloc[[0, 2, 1]],
        r"row 2: time 2024-01-02 is earlier .*sort_values\('time'\)",
    ),
    "an index that falls": (lambda: bars().set_index("time")[::-1], r"row 1: time .*sort_index\(\)"),
    "a time that comes twice": (lambda: bars().iloc[[0, 1, 1]], r"row 2: .*drop_duplicates\('time'\)"),
    "a time in polars that falls": (lambda: pl.from_pandas(bars())[::-1], r"row 1: .* frame.sort\('time'\)"),
    "a missing time": (lambda: bars(time=[FIRST_NS, None, 3, 4, 5]), r"row 1: time: the time is missing"),
    "a time that is not one": (
        lambda: bars(time=[pd.NaT] + [FIRST_NS] * 4),
        r"row 0: time: the time is missing",
    ),
    "small numbers as times": (
        lambda: bars(time=range(5)),
        r"row 0: time 0: numbers must count s, ms, us or ns",
    ),
    "words as times": (
        lambda: bars(time=list("abcde")),
        r'row 0: time "a": .*convert the column to datetimes',
    ),
    "a day that may be a month": (
        lambda: bars(2, time=["01/02/2024", "02/02/2024"]),
        r'row 0: time "01/02/2024": is day 1 of month 2, or month 1 and day 2',
    ),
    "a price that is missing": (lambda: bars(close=[1, 2, np.nan, 4, 5]), r"row 2: close nan: .*dropna"),
    "a missing time among words": (
        lambda: bars(2, time=pd.array(["2024-01-01", None], dtype="string")),
        r"row 1: time: the time is missing",
    ),
    "a price that is NA among objects": (
        lambda: bars(2, close=np.array([10.5, pd.NA], dtype=object)),
        r"row 1: close nan: ",
    ),
    "a price that is null": (lambda: pl.from_pandas(bars()).with_columns(close=None), r"close"),
    "a price without end": (lambda: bars(high=np.inf), r"row 0: high inf: must be a finite number"),
    "a price below 0": (lambda: bars(low=[9, 10, -11, 12, 13.0]), r"row 2: low -11\.0: must not be negative"),
    "a price of 0": (lambda: bars(low=[9, 10, 0, 12, 13.0]), r"row 2: low 0\.0: must be above 0"),
    "a price between two ticks": (
        lambda: bars(close=10.505),
        r'row 0: close 10\.505: .*0\.01; rounding="nearest"',
    ),
    "text as a price": (lambda: bars(close=["1.5"] * 5), r"row 0: close '1\.5' is str, .*astype\(float\)"),
    "flags as prices": (lambda: bars(close=[True] * 5), r"column 'close' has type bool"),
    "a high below a low": (
        lambda: bars(high=[11.5, 12.5, 1, 14.5, 15.5]),
        r"row 2: high 1\.0: must not be below",
    ),
    "a close outside": (lambda: bars(close=99.0), r"row 0: close 99\.0: must lie between low and high"),
    "a column that is missing": (
        lambda: bars().drop(columns="low"),
        r"column 'low' is missing for bars; .*columns=",
    ),
    "columns in another language, but for the volume": (
        lambda: bars().rename(columns={"open": "eins", "high": "zwei", "low": "drei", "close": "vier"}),
        r"holds no columns of bars \(open, .*there are 'time', 'eins', .*columns=",
    ),
    "no columns": (pd.DataFrame, r"holds no columns of bars .*there are none"),
    "no time at all": (lambda: bars().drop(columns="time"), r"no column holds the time"),
    "two closes": (lambda: bars(Close=1.0), r"'close' and 'Close' can each be close"),
    "no rows": (lambda: bars()[:0], r"has no rows"),
    "a size below 0": (lambda: bars(volume=-1.0), r"row 0: volume -1\.0: must not be negative"),
    "a day before 1970": (
        lambda: bars(time=pd.date_range("1969-12-30", periods=5, freq="D")),
        r"row 0: time 1969-12-30 .*before 1970; .*drop the 2 earlier rows",
    ),
    "bars and quotes": (lambda: bars(bid=1.0, ask=2.0), r'bars and of quotes; say which, as in kind="bars"'),
}


@pytest.mark.parametrize(("frame", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_named_by_column_and_row_with_what_to_do(frame, message):
    """Nothing is guessed: the first row that cannot be used is named, counted as `iloc` does."""
    with pytest.raises(DataError, match=message) as caught:
        events(frame())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("step", ["abc", "0", "-1", "nan", float("nan"), None])
@pytest.mark.parametrize("field", ["tick_size", "lot_size"])
def test_a_step_that_is_none_is_named_before_a_price_is(step, field):
    """The instrument is at fault then, and not the first row."""
    instrument = InstrumentSpec(**{"symbol": "ACME", "tick_size": "0.01", field: step})

    with pytest.raises(InvalidValueError, match=rf"^instrument\.{field} ") as caught:
        EventBatch.from_frame(bars(), instrument)
    assert caught.value.field == f"instrument.{field}"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"kind": "candles"}, "kind"),
        ({"rounding": "up"}, "rounding"),
        ({"timezone": "Mars"}, "timezone"),
        ({"interval": "5 minutes"}, "interval"),
        ({"interval": dt.timedelta(0)}, "interval"),
        ({"columns": ["open"]}, "columns"),
        ({"columns": {"opened": "open"}}, "columns"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options, field):
    """The error names the argument, what was given and what it must be."""
    with pytest.raises(InvalidValueError) as caught:
        EventBatch.from_frame(bars(), CENTS, **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "frame", [[1, 2], {"open": [1.0]}, None, bars()["close"], pl.from_pandas(bars()).lazy()]
)
def test_what_is_no_frame_is_refused_in_words(frame):
    """Lists, dictionaries, single columns and lazy frames are no tables."""
    with pytest.raises(InvalidValueError, match="frame") as caught:
        EventBatch.from_frame(frame, CENTS)
    assert caught.value.field == "frame"


@pytest.mark.parametrize("path", ["bars.csv", Path("bars.csv")])
def test_a_path_is_to_be_read_first(path):
    """The name of a file is not the table in it."""
    with pytest.raises(InvalidValueError, match=r"frame 'bars.csv': .* read the file first, as in pandas"):
        EventBatch.from_frame(path, CENTS)


def test_a_column_under_another_name_is_read_when_it_is_named():
    """`columns` says where ours stands; a label that is not there is an error that lists those that are."""
    frame = bars().rename(columns={"close": "Adj Close"})

    assert events(frame, columns={"close": "Adj Close"}) == events(bars())
    with pytest.raises(DataError, match="has no column 'Adj' for close; there are 'time', 'open'"):
        events(frame, columns={"close": "Adj"})


def test_prices_on_no_tick_are_rounded_when_that_is_asked_for():
    """Adjusted prices are on no tick: the error says to which they would be rounded, and that works."""
    adjusted = bars().assign(close=lambda frame: frame["close"] * 1.000123456789)

    with pytest.raises(DataError, match=r'are on no tick.*rounding="nearest" to round them to 0\.00001'):
        instrument_of(adjusted)
    found = instrument_of(adjusted, rounding="nearest")
    seen = events(adjusted, found, rounding="nearest")
    np.testing.assert_allclose([event[7] / 1e5 for event in seen], adjusted["close"], atol=5e-6)


def test_a_batch_that_was_read_is_not_changed_by_its_frame_and_the_frame_not_by_the_batch():
    """Nothing is shared: values are copied on the way."""
    frame = bars()
    before = frame.copy()
    batch = EventBatch.from_frame(frame, CENTS)
    seen = read_events(batch)
    frame.loc[:, "close"] = 1.0

    assert read_events(batch) == seen
    pd.testing.assert_frame_equal(frame.drop(columns="close"), before.drop(columns="close"))


def test_no_library_of_frames_is_imported_before_it_is_used():
    """`import tradecore` and a table of numpy need none of pandas, polars, pyarrow and matplotlib."""
    code = """
import sys, numpy as np, tradecore, tradecore.backtest, tradecore.frames
names = ("time", "open", "high", "low", "close")
table = np.zeros(1, [(name, float) for name in names])
table[0] = (1_704_067_200, 1, 1, 1, 1)
print(len(tradecore.EventBatch.from_frame(table, tradecore.frames.instrument_of(table))))
print([name for name in ("pandas", "polars", "pyarrow", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("1\n[]\n", "")
