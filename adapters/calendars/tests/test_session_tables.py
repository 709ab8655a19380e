"""Tables of sessions: holidays, half days and daylight saving, held against the library and a plain walk."""

import sys
import warnings
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tradecore.domain import InvalidValueError
from tradecore_calendars import session_table

NEW_YORK = ZoneInfo("America/New_York")
DAY_NS = 86_400_000_000_000


def ns(text: str) -> int:
    """Return a time of UTC in nanoseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def told(calendar: str, first: str, last: str) -> list[str]:
    """Return the sessions of some days, from midnight to midnight UTC, as `MM-DD HH:MM > MM-DD HH:MM`."""

    def text(time_ns: int) -> str:
        return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%m-%d %H:%M}"

    table = session_table(calendar, ns(first), ns(last))
    return [f"{text(start)} > {text(end)}" for start, end in table.sessions_ns()]


def test_a_half_day_before_a_holiday_ends_early_and_the_holiday_has_no_session():
    """2024-07-03 ends at 13:00 in New York, and nobody trades on the 4th."""
    assert told("XNYS", "2024-07-02", "2024-07-06") == [
        "07-02 13:30 > 07-02 20:00",
        "07-03 13:30 > 07-03 17:00",
        "07-05 13:30 > 07-05 20:00",
    ]


def test_the_friday_after_thanksgiving_ends_early_and_the_next_session_is_monday():
    """2024-11-29 ends at 13:00 in New York; a weekend follows."""
    assert told("XNYS", "2024-11-27", "2024-12-03") == [
        "11-27 14:30 > 11-27 21:00",
        "11-29 14:30 > 11-29 18:00",
        "12-02 14:30 > 12-02 21:00",
    ]


@pytest.mark.parametrize(
    ("calendar", "first", "last", "sessions"),
    [
        ("XNYS", "2024-03-08", "2024-03-12", ["03-08 14:30 > 03-08 21:00", "03-11 13:30 > 03-11 20:00"]),
        ("XNYS", "2024-11-01", "2024-11-05", ["11-01 13:30 > 11-01 20:00", "11-04 14:30 > 11-04 21:00"]),
        ("XLON", "2024-03-29", "2024-04-03", ["04-02 07:00 > 04-02 15:30"]),
        (
            "fx",
            "2024-03-08",
            "2024-03-12",
            ["03-07 22:00 > 03-08 22:00", "03-10 21:00 > 03-11 21:00", "03-11 21:00 > 03-12 21:00"],
        ),
        (
            "fx",
            "2024-11-01",
            "2024-11-05",
            ["10-31 21:00 > 11-01 21:00", "11-03 22:00 > 11-04 22:00", "11-04 22:00 > 11-05 22:00"],
        ),
    ],
)
def test_daylight_saving_moves_the_sessions_by_an_hour_of_utc(calendar, first, last, sessions):
    """New York changes on 2024-03-10 and 2024-11-03, London on 2024-03-31, after Easter's holidays."""
    assert told(calendar, first, last) == sessions


@pytest.mark.parametrize(("calendar", "alias"), [("XNYS", "NYSE"), ("XNAS", "NASDAQ"), ("CMES", "CME")])
def test_an_exchange_is_known_by_its_code_and_by_its_name(calendar, alias):
    """Both give the same table."""
    span = ns("2024-01-01"), ns("2024-03-01")
    assert session_table(calendar, *span) == session_table(alias, *span)


@pytest.mark.parametrize("calendar", ["XNYS", "XLON", "CMES", "XHKG"])
def test_a_table_has_the_sessions_of_the_library_for_years(calendar):
    """Every open and close that the library asks one by one for, from 2015 to 2027."""
    table = session_table(calendar, ns("2015-01-01"), ns("2028-01-01"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        library = exchange_calendars.get_calendar(calendar, start="2014-12-01", end="2028-02-01")
        days = library.sessions_in_range("2014-12-28", "2028-01-04")
        spans = [(library.session_open(day).value, library.session_close(day).value) for day in days]
    expected = [span for span in spans if span[1] > ns("2015-01-01") and span[0] < ns("2028-01-01")]
    assert table.sessions_ns() == expected
    assert len(expected) > 3_000


def test_the_week_of_fx_is_that_of_a_plain_walk_for_years():
    """From 2015 to 2027 a session ends at 17:00 in New York on each day from Monday to Friday."""
    sessions = session_table("fx", ns("2015-01-01"), ns("2028-01-01")).sessions_ns()
    assert all((end - start) == DAY_NS for start, end in sessions)
    days = (date(2014, 12, 31) + timedelta(days=number) for number in range(4_755))
    ends = [datetime.combine(day, time(17), NEW_YORK) for day in days if day.weekday() < 5]
    expected = [int(end.timestamp()) * 1_000_000_000 for end in ends]
    span = range(ns("2015-01-01") + 1, ns("2028-01-01") + DAY_NS)
    assert [end for _, end in sessions] == [end for end in expected if end in span]
    pauses = {later[0] - earlier[1] for earlier, later in pairwise(sessions)}
    hour_ns = DAY_NS // 24
    assert pauses == {0, 2 * DAY_NS, 2 * DAY_NS - hour_ns, 2 * DAY_NS + hour_ns}


def test_a_table_reaches_as_far_as_the_holidays_are_known():
    """The holidays of Shanghai are published year by year; the table ends with them."""
    table = session_table("XSHG", ns("2025-11-28"), ns("2040-01-01"))
    last_ns = table.sessions_ns()[-1][1]
    assert ns("2026-01-01") < last_ns < ns("2040-01-01")


def test_a_calendar_that_is_not_known_early_enough_is_refused():
    """Riyadh is known from 2021 on: before that its sessions would be a guess."""
    with pytest.raises(InvalidValueError, match=r"is known by exchange_calendars from 2021-\d\d-\d\d on"):
        session_table("XSAU", ns("2015-01-01"), ns("2022-01-01"))


@pytest.mark.parametrize(
    ("calendar", "rule"),
    [
        ("XNYX", "did you mean 'XNYS'"),
        ("nyse", "did you mean 'NYSE'"),
        ("FX", "did you mean 'fx'"),
        ("24/7", "needs none"),
    ],
)
def test_a_calendar_that_is_none_is_refused_with_what_to_write(calendar, rule):
    """The nearest name is suggested."""
    with pytest.raises(InvalidValueError, match=rule):
        session_table(calendar, ns("2024-01-01"), ns("2024-03-01"))


def test_a_range_without_a_session_is_refused():
    """An engine takes no empty table."""
    with pytest.raises(InvalidValueError, match="longer range"):
        session_table("fx", ns("2024-03-09"), ns("2024-03-10"))


def test_an_exchange_without_the_library_says_how_to_install_it_and_fx_needs_none(monkeypatch):
    """The library is optional."""
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(InvalidValueError, match="pip install exchange_calendars"):
        session_table("XNYS", ns("2024-01-01"), ns("2024-03-01"))
    assert session_table("fx", ns("2024-01-01"), ns("2024-03-01")).sessions_ns()
