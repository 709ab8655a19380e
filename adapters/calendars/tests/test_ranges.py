"""Which sessions a table has: those that overlap a range of time, to the nanosecond, however far away."""

from datetime import UTC, datetime

import pytest

from tradecore.domain import InvalidValueError
from tradecore_calendars import session_table

HOUR_NS = 3_600 * 10**9


def ns(*parts):
    """Return a time of UTC in nanoseconds."""
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9


# A Wednesday in winter: the day of New York ends at 22:00 UTC.
WEDNESDAY_NS = ns(2024, 1, 10, 22)
DAY_NS = 24 * HOUR_NS


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "starts"),
    [
        (WEDNESDAY_NS, WEDNESDAY_NS + 1, [0]),
        (WEDNESDAY_NS - 1, WEDNESDAY_NS + 1, [-1, 0]),
        (WEDNESDAY_NS - 1, WEDNESDAY_NS, [-1]),
        (WEDNESDAY_NS, WEDNESDAY_NS + DAY_NS, [0]),
        (WEDNESDAY_NS, WEDNESDAY_NS + DAY_NS + 1, [0, 1]),
    ],
)
def test_a_session_belongs_to_a_range_that_it_overlaps(from_ns, to_ns, starts):
    """One that ends where the range begins, or begins where it ends, does not."""
    sessions = list(session_table("fx", from_ns, to_ns).sessions_ns())

    assert sessions == [
        (WEDNESDAY_NS + number * DAY_NS, WEDNESDAY_NS + (number + 1) * DAY_NS) for number in starts
    ]


@pytest.mark.parametrize("year", [1970, 1999, 2100, 2200, 2261])
@pytest.mark.parametrize("month", [2, 7])
def test_a_range_is_covered_in_any_year(year, month):
    """A week has five sessions, the first of which began before it or at its beginning."""
    from_ns = ns(year, month, 3, 12)
    starts = [start for start, _ in session_table("fx", from_ns, from_ns + 14 * DAY_NS).sessions_ns()]

    assert 10 <= len(starts) <= 11
    assert starts[0] - from_ns < 3 * DAY_NS
    for start in starts:
        assert datetime.fromtimestamp(start // 10**9, UTC).weekday() in {6, 0, 1, 2, 3}


def test_the_weekend_has_no_session():
    """From Friday evening to Sunday evening in New York."""
    with pytest.raises(InvalidValueError, match="has no session between 2024-01-12T22:00:00Z and 2024-01-14"):
        session_table("fx", ns(2024, 1, 12, 22), ns(2024, 1, 14, 22))


def test_what_trades_all_the_time_has_no_table():
    """It needs none."""
    with pytest.raises(InvalidValueError, match="has no table"):
        session_table("24/7", 0, 1)
