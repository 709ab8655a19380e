"""Times as files write them: every way reads back, what is open is asked, and zones are followed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tradecore.domain import DataError, InstrumentSpec, InvalidValueError
from tradecore_files import ReadOptions, TimeFormat, load_bars, load_latency, load_marks, load_quotes

CENT = InstrumentSpec(symbol="X", tick_size="0.01")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEADER = "time,open,high,low,close\n"
HOUR_NS = 3_600 * 10**9


def written(tmp_path, text, name="bars.csv"):
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def bars_of(tmp_path, stamps, options=None, delimiter=","):
    """Read bars that open at these stamps."""
    rows = "".join(delimiter.join([stamp, "1", "1", "1", "1"]) + "\n" for stamp in stamps)
    return load_bars(written(tmp_path, HEADER.replace(",", delimiter) + rows), CENT, options)


def ns(*parts):
    """Return UTC nanoseconds of a date and a time."""
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9


WAYS = {
    "%Y-%m-%d %H:%M:%S": None,
    "%Y-%m-%dT%H:%M:%SZ": None,
    "%Y/%m/%d %H:%M:%S": None,
    "%Y.%m.%d %H:%M:%S": None,
    "%Y%m%d %H%M%S": None,
    "%Y%m%d%H%M%S": None,
    "%d.%m.%Y %H:%M:%S": None,
    "%d.%m.%Y %I:%M:%S %p": None,
    "%d/%m/%Y %H:%M:%S": TimeFormat.DAY_FIRST,
    "%d-%m-%Y %H:%M:%S": TimeFormat.DAY_FIRST,
    "%m/%d/%Y %I:%M:%S %p": TimeFormat.MONTH_FIRST,
    "%m-%d-%Y %H:%M:%S": TimeFormat.MONTH_FIRST,
}
INSTANTS = st.lists(st.integers(315_532_800, 4_102_444_799), min_size=1, max_size=12, unique=True).map(sorted)


@given(way=st.sampled_from(sorted(WAYS)), seconds=INSTANTS)
def test_every_way_to_write_a_date_reads_back(tmp_path_factory, way, seconds):
    """The same nanoseconds whatever the form; day and month are asked for when nothing tells them apart."""
    stamps = [(EPOCH + timedelta(seconds=second)).strftime(way) for second in seconds]
    options = WAYS[way] and ReadOptions(time_format=WAYS[way])

    def read(options=None):
        return bars_of(tmp_path_factory.mktemp("way"), stamps, options).open_time_ns.tolist()

    wanted = [second * 10**9 for second in seconds]
    assert read(options) == wanted
    if options is not None:
        is_open = all((EPOCH + timedelta(seconds=second)).day <= 12 for second in seconds)
        if is_open:
            with pytest.raises(DataError, match=r"day_first.*month_first"):
                read()
        else:
            assert read() == wanted


@given(unit=st.sampled_from(["s", "ms", "us", "ns"]), seconds=INSTANTS, is_float=st.booleans())
def test_numbers_since_1970_read_back_in_every_unit(tmp_path_factory, unit, seconds, is_float):
    """By their size, the whole column alike; ten digits that are dates too are asked for."""
    zeros = {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    stamps = [f"{second}{'0' * zeros}{'.0' * is_float}" for second in seconds]
    try:
        times = bars_of(tmp_path_factory.mktemp("unit"), stamps).open_time_ns.tolist()
    except DataError as error:
        assert unit == "s"
        assert '"s" or "digits"' in error.what  # noqa: PT017
        options = ReadOptions(time_format=TimeFormat.S)
        times = bars_of(tmp_path_factory.mktemp("unit"), stamps, options).open_time_ns.tolist()
    assert times == [second * 10**9 for second in seconds]


@pytest.mark.parametrize(
    ("stamps", "parts"),
    [
        (["0", "60000", "86340000"], ["line 2", '"0"', "milliseconds", "data.date"]),
        (["14400000", "14460000"], ["line 2", "milliseconds", "data.date"]),
        (["60", "1767790000"], ["line 2", "1980 and 2100", "data.time_format"]),
        (
            ["1767790000", "60"],
            ["line 3", '"60"', "1970-01-01T00:01:00", "seconds since 1970", "time_format"],
        ),
        (["1970-01-01 00:01", "1970-01-01 00:02"], ["line 2", "1970-01-01T00:01:00", "data.time_format"]),
        (["2150-01-01"], ["line 2", "2150-01-01", "data.time_format"]),
        (["01/02/2026", "01/03/2026"], ["line 2", "day 1 of month 2", "month 1 and day 2", "time_format"]),
        (["01/02/26"], ["line 2", "four digits"]),
        (["13/02/2026", "02/13/2026"], ["line 3", "day, month, year"]),
        (["2026-01-02 10:00", "2026-01-02 11:00+01:00"], ["line 3", "without an offset"]),
        (["2033010112", "2033010113"], ["line 2", "2034-06-04", "2033-01-01T12", "data.time_format"]),
    ],
)
def test_what_is_no_one_time_is_asked_with_line_value_reading_and_setting(tmp_path, stamps, parts):
    """Never a year that nobody meant."""
    with pytest.raises(DataError) as caught:
        bars_of(tmp_path, stamps)
    assert all(part in str(caught.value) for part in parts), caught.value


def test_a_setting_answers_each_question(tmp_path):
    """What was asked reads once it is said."""
    for stamps, options, first in [
        (["0", "60000"], ReadOptions(date="2018-04-04"), ns(2018, 4, 4)),
        (["36000", "36060"], ReadOptions(date="2018-04-04", time_format=TimeFormat.S), ns(2018, 4, 4, 10)),
        (["0.5", "60000"], ReadOptions(date="2018-04-04"), ns(2018, 4, 4) + 500_000),
        (["34200000"], ReadOptions(date="2018-04-04", timezone="America/New_York"), ns(2018, 4, 4, 13, 30)),
        (["60", "1767790000"], ReadOptions(time_format=TimeFormat.S), 60 * 10**9),
        (["1975-01-02"], ReadOptions(time_format=TimeFormat.ISO), ns(1975, 1, 2)),
        (["01/02/2026"], ReadOptions(time_format=TimeFormat.DAY_FIRST), ns(2026, 2, 1)),
        (["01/02/2026"], ReadOptions(time_format=TimeFormat.MONTH_FIRST), ns(2026, 1, 2)),
        (["2033010112"], ReadOptions(time_format=TimeFormat.DIGITS), ns(2033, 1, 1, 12)),
    ]:
        assert bars_of(tmp_path, stamps, options).open_time_ns[0] == first, stamps
    for options in (
        ReadOptions(date="4.4.2018"),
        ReadOptions(date="2018-04-04", time_format=TimeFormat.ISO),
    ):
        with pytest.raises(InvalidValueError, match="date"):
            bars_of(tmp_path, ["0"], options)


def test_the_cases_of_twelve_digits_and_milliseconds(shared_cases):
    """A date, and a question; neither 1976 nor 1970."""
    bars = load_bars(shared_cases / "read/twelve_digits.csv", CENT)
    assert bars.open_time_ns[0] == ns(2026, 1, 7, 12, 30)
    with pytest.raises(DataError, match=r"data\.date"):
        load_bars(shared_cases / "read/lean_ms.csv", CENT)
    bars = load_bars(shared_cases / "read/lean_ms.csv", CENT, ReadOptions(date="2018-01-02"))
    assert (bars.open_time_ns[0], bars.interval_ns) == (ns(2018, 1, 2), 60 * 10**9)


def test_parquet_follows_the_same_rules(tmp_path):
    """Timestamps without a zone, dates and texts are local, and 1970 is asked."""
    path = tmp_path / "x.parquet"
    prices = {name: [1.0, 1.0] for name in ("open", "high", "low", "close")}
    berlin = ReadOptions(timezone="Europe/Berlin")
    days = [datetime(2024, 7, 1), datetime(2024, 7, 2)]  # noqa: DTZ001 - a column without a zone
    for times in (
        days,
        [day.date() for day in days],
        ["2024-07-01", "2024-07-02"],
        ["01.07.2024", "02.07.2024"],
    ):
        pq.write_table(pa.table({"time": times, **prices}), path)
        assert load_bars(path, CENT, berlin).open_time_ns[0] == ns(2024, 6, 30, 22)
    pq.write_table(pa.table({"time": [EPOCH, EPOCH + timedelta(minutes=1)], **prices}), path)
    with pytest.raises(DataError, match=r"row 1: time 1970-01-01.*time_format"):
        load_bars(path, CENT)


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


@example(zone="Australia/Lord_Howe", start=915_989, step=2, count=60)
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(1_500_000_000 // 1800, 1_760_000_000 // 1800),
    step=st.sampled_from([1, 2]),
    count=st.integers(30, 60),
)
def test_local_times_of_a_whole_stretch_read_back_by_the_order_of_rows(
    tmp_path_factory, zone, start, step, count
):
    """Half-hours and hours without a hole are the instants they were, over every change of clocks."""
    instants = [(start + at * step) * 1800 for at in range(count)]
    stamps = [
        datetime.fromtimestamp(second, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for second in instants
    ]
    path = tmp_path_factory.mktemp("zone")
    try:
        times = bars_of(path, stamps, ReadOptions(timezone=zone)).open_time_ns.tolist()
    except DataError as error:
        # A stretch that begins or ends within the hour has one half of it alone; and where clocks go back by
        # half an hour, rows of whole hours have one row alone in it.
        assert "comes twice" in error.what  # noqa: PT017
        edges = {stamps[0][:10], stamps[-1][:10]}
        is_alone = zone == "Australia/Lord_Howe" and step == 2
        assert is_alone or any(day in error.what for day in edges)  # noqa: PT017
    else:
        assert times == [second * 10**9 for second in instants]


def test_the_hour_that_comes_twice_and_the_one_that_does_not_exist(tmp_path):
    """By the order of rows, or one clear message."""
    berlin = ReadOptions(timezone="Europe/Berlin")
    hours = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    bars = bars_of(tmp_path, hours, berlin)
    assert np.diff(bars.open_time_ns).tolist() == [HOUR_NS] * 3
    with pytest.raises(
        DataError, match=r"line 3: time 2024-10-27T02:00.*comes twice in Europe/Berlin.*offset"
    ):
        bars_of(tmp_path, [hours[0], hours[1], hours[3]], berlin)
    with pytest.raises(DataError, match=r"line 3: time 2024-03-31T02:30.*does not exist in Europe/Berlin"):
        bars_of(tmp_path, ["2024-03-31 01:30", "2024-03-31 02:30"], berlin)
    with pytest.raises(DataError, match=r"line 4: .*data\.timezone: an hour comes twice on this Sunday"):
        bars_of(tmp_path, hours)
    quotes = "time,bid,ask\n2024-10-27 02:50,1,2\n2024-10-27 02:10,1,2\n2024-10-27 02:10,1,2\n"
    path = written(tmp_path, quotes)
    assert np.diff(load_quotes(path, CENT, berlin).time_ns).tolist() == [HOUR_NS // 3, 0]
    with pytest.raises(DataError, match=r"line 3: .*data\.timezone"):
        load_quotes(path, CENT)


@pytest.mark.parametrize(
    ("before", "stamp", "is_told"),
    [
        ("2024-10-27 03:00", "2024-10-27 02:00", True),  # a Sunday
        ("2024-10-27 03:00", "2024-10-27 02:59", True),
        ("2024-10-27 03:00", "2024-10-27 03:00", True),
        ("2024-10-27 03:01", "2024-10-27 02:00", False),
        ("2024-10-27 23:00", "2024-10-27 02:00", False),
        ("2024-10-26 03:00", "2024-10-26 02:00", False),
        ("2024-10-28 03:00", "2024-10-28 02:00", False),
        ("2024-10-28 00:30", "2024-10-27 23:30", True),
    ],
)
def test_clocks_are_blamed_for_an_hour_on_a_sunday_only(tmp_path, before, stamp, is_told):
    """Rows in the wrong order on another day, or by more than the hour that clocks go back, are just that."""
    with pytest.raises(DataError, match=r"line 4: ") as caught:
        bars_of(tmp_path, ["2024-10-25 01:00", before, stamp])
    assert ("data.timezone" in str(caught.value)) == is_told
    assert "must be after the row before" in str(caught.value)


def test_a_midnight_that_clocks_jump_over_is_the_first_instant_of_its_day(tmp_path):
    """Daily bars of Sao Paulo open at 01:00 on the day when summer time began."""
    bars = bars_of(
        tmp_path, ["2018-11-03", "2018-11-04", "2018-11-05"], ReadOptions(timezone="America/Sao_Paulo")
    )
    assert np.diff(bars.open_time_ns).tolist() == [24 * HOUR_NS, 23 * HOUR_NS]


def test_all_times_of_a_row_are_of_one_zone(tmp_path):
    """Latencies in local time move together; the name of a column may state its unit."""
    text = "time,venue_ns,response_ns\n2024-07-01 12:00:00,2024-07-01 12:00:01,2024-07-01 12:00:02\n"
    path = written(tmp_path, text.replace("_ns", ""), "latency.csv")
    columns = {"venue_ns": "venue", "response_ns": "response"}
    samples = load_latency(path, ReadOptions(timezone="Europe/Berlin", columns=columns))
    assert len(samples) == 1
    mixed = "2024-07-01 12:00:00"
    row = ",".join([mixed + "Z", mixed, mixed + "Z"])
    with pytest.raises(DataError, match="with an offset"):
        load_latency(written(tmp_path, f"time,venue,response\n{row}\n"), ReadOptions(columns=columns))


def test_marks_and_dates_with_clocks_of_their_own(tmp_path):
    """A second column may have the time of day in each form."""
    for clock in ("09:05:30", "9:05:30 AM", "090530"):
        path = written(tmp_path, f"<DATE>\t<TIME>\t<PRICE>\n2024.01.02\t{clock}\t5\n")
        assert load_marks(path, CENT).time_ns.tolist() == [ns(2024, 1, 2, 9, 5, 30)]
