"""How long bars last, and where some are missing: by the calendar, held against a plain walk through it."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain import InstrumentSpec
from tradecore_files import ReadOptions, load_bars

CENT = InstrumentSpec(symbol="X", tick_size="0.01")
DAY_NS = 86_400 * 10**9


def bars_of(tmp_path, stamps, options=None):
    """Read bars that open at these stamps."""
    path = tmp_path / "bars.csv"
    rows = "".join(f"{stamp},1,1,1,1\n" for stamp in stamps)
    path.write_text("time,open,high,low,close\n" + rows, encoding="utf-8")
    return load_bars(path, CENT, options)


def month_later(day, months):
    """Walk months ahead; the day is the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for of_month in range(day.day, 0, -1):
        try:
            return date(year, month + 1, of_month)
        except ValueError:
            continue
    raise AssertionError


def days_of(instants):
    """Return UTC nanoseconds as dates."""
    return [datetime.fromtimestamp(int(instant) // 10**9, UTC).date() for instant in instants]


@given(
    start=st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    months=st.sampled_from([1, 3, 12]),
    count=st.integers(4, 30),
    missing=st.integers(0, 100),
)
def test_months_quarters_and_years_have_no_false_gaps(tmp_path_factory, start, months, count, missing):
    """Each bar lasts till the same day of the next month, and a gap is a month that is missing."""
    start = start.replace(day=min(start.day, 28))
    opens = [month_later(start, at * months) for at in range(count)]
    bars = bars_of(tmp_path_factory.mktemp("months"), opens)
    assert bars.gaps == 0
    assert days_of(bars.close_time_ns) == [month_later(day, months) for day in opens]
    # Without one in the middle there is one gap, and the bar before it is as long as it was.
    at = 1 + missing % (count - 2)
    if count > 5:
        fewer = bars_of(tmp_path_factory.mktemp("months"), opens[:at] + opens[at + 1 :])
        assert fewer.gaps == 1
        assert fewer.close_time_ns[at - 1] == bars.close_time_ns[at - 1]


@pytest.mark.parametrize("kind", ["last", "first weekday"])
def test_months_named_by_their_last_day_or_first_weekday_follow_each_other(tmp_path, kind):
    """Month-ends as pandas writes them, and first days of trading."""
    firsts = [month_later(date(2020, 1, 1), at) for at in range(25)]
    if kind == "last":
        opens = [day - timedelta(days=1) for day in firsts]
    else:
        opens = [
            day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0) for day in firsts
        ]
    bars = bars_of(tmp_path, opens)
    assert bars.gaps == 0
    assert days_of(bars.close_time_ns[:-1]) == opens[1:]
    assert 28 <= (bars.close_time_ns[-1] - bars.open_time_ns[-1]) // DAY_NS <= 31


@given(count=st.integers(3, 40), days=st.sampled_from([2, 3, 7, 14, 30]), start=st.dates(date(1990, 1, 1)))
def test_bars_of_some_days_last_those_days(tmp_path_factory, count, days, start):
    """A fixed number of days is no month."""
    start = min(start, date(2080, 1, 1))
    opens = [start + timedelta(days=at * days) for at in range(count)]
    bars = bars_of(tmp_path_factory.mktemp("days"), opens)
    assert set((bars.close_time_ns - bars.open_time_ns).tolist()) == {days * DAY_NS}
    assert (bars.gaps, bars.interval_ns) == (0, days * DAY_NS)


def test_weeks_that_open_on_their_first_day_of_trading_have_no_gaps(tmp_path):
    """A Monday that is a holiday moves the opening, not the week; a week that is missing is a gap."""
    opens = [
        date(2024, 1, 2) + timedelta(days=6 if at else 0) + timedelta(days=7 * max(0, at - 1))
        for at in range(30)
    ]
    opens[10] += timedelta(days=1)
    bars = bars_of(tmp_path, opens)
    assert bars.gaps == 0
    assert bars.close_time_ns[9] == bars.open_time_ns[10]
    assert bars_of(tmp_path, opens[:5] + opens[6:]).gaps == 1


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_daily_bar_lasts_its_calendar_day(tmp_path, zone):
    """23 hours when clocks go forward, 25 when they go back, the last bar and those before a gap too."""
    opens = [date(2024, 1, 1) + timedelta(days=at) for at in range(366)]
    bars = bars_of(tmp_path, opens, ReadOptions(timezone=zone))
    midnights = [
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) for day in [*opens, date(2025, 1, 1)]
    ]
    wanted = [int(midnight.timestamp()) * 10**9 for midnight in midnights]
    assert bars.open_time_ns.tolist() == wanted[:-1]
    assert bars.close_time_ns.tolist() == wanted[1:]
    lengths, counts = np.unique(bars.close_time_ns - bars.open_time_ns, return_counts=True)
    assert (lengths // (DAY_NS // 24)).tolist() == [23, 24, 25]
    assert counts.tolist() == [1, 364, 1]
    assert bars.gaps == 0
    with_offsets = bars_of(tmp_path, [midnight.isoformat() for midnight in midnights[:-1]])
    assert with_offsets.close_time_ns[:-1].tolist() == wanted[1:-1]
    weekdays = [day for day in opens if day.weekday() < 5]
    fridays = bars_of(tmp_path, weekdays, ReadOptions(timezone=zone))
    ends = dict(pairwise(wanted))
    assert fridays.close_time_ns.tolist() == [ends[opened] for opened in fridays.open_time_ns.tolist()]


def test_hours_are_as_long_as_they_were(tmp_path):
    """Bars of less than a day last the smallest step, over nights too."""
    stamps = ["2024-01-01 09:00", "2024-01-01 10:00", "2024-01-02 09:00"]
    bars = bars_of(tmp_path, stamps)
    assert ((bars.close_time_ns - bars.open_time_ns) // (DAY_NS // 24)).tolist() == [1, 1, 1]
    assert bars.gaps == 1
