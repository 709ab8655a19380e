"""Annual figures against plain arithmetic with the time that passed, for every spacing of rows."""

import calendar
import math
import statistics
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradecore.backtest.statistics import ClosedTrades, compute_statistics

DAY_NS = 86_400_000_000_000
START = datetime(2020, 1, 1, tzinfo=UTC)
START_NS = int(START.timestamp()) * 10**9
ANNUAL = ("return_ann_pct", "volatility_ann_pct", "sharpe", "sortino", "calmar", "cagr_pct")


def no_trades() -> ClosedTrades:
    """Return columns without a row."""
    none, nobody = np.zeros(0), np.zeros(0, np.int64)
    return ClosedTrades(
        entry_bar=nobody,
        exit_bar=nobody,
        quantity=none,
        entry_price=none,
        exit_price=none,
        pnl=none,
        commission=none,
    )


def stats_of(times_ns, equity):
    """Return the figures of a curve alone."""
    return compute_statistics(np.asarray(times_ns), np.asarray(equity), np.asarray(equity), no_trades())


def curve(seed: int, rows: int):
    """Return equity with random returns from a seed."""
    return 10_000 * np.cumprod(1 + np.random.default_rng(seed).normal(0.001, 0.02, rows))


def assert_annual(stats, equity, per_year: float) -> None:
    """Compare with the definitions, one value after the other, `per_year` returns making a year."""
    returns = [after / before - 1 for before, after in pairwise(equity)]
    growth = (equity[-1] / equity[0]) ** (1 / len(returns))
    annual = growth**per_year - 1
    spread = (statistics.variance(returns) + growth**2) ** per_year - growth ** (2 * per_year)
    down = math.sqrt(sum(min(value, 0) ** 2 for value in returns) / len(returns) * per_year)
    fall = max(1 - value / max(equity[: place + 1]) for place, value in enumerate(equity))

    assert stats.return_ann_pct == pytest.approx(annual * 100, rel=1e-9, abs=1e-9)
    assert stats.volatility_ann_pct == pytest.approx(math.sqrt(spread) * 100, rel=1e-6)
    assert stats.sharpe == pytest.approx(annual / math.sqrt(spread), rel=1e-6, abs=1e-9)
    assert (
        stats.sortino == pytest.approx(annual / down, rel=1e-9, abs=1e-9) if down else stats.sortino is None
    )
    assert stats.calmar == pytest.approx(annual / fall, rel=1e-9, abs=1e-9) if fall else stats.calmar is None


def month_ends(count: int) -> list[datetime]:
    """Return the last days of so many months."""
    months = [(2020 + month // 12, month % 12 + 1) for month in range(count)]
    return [datetime(year, month, calendar.monthrange(year, month)[1], tzinfo=UTC) for year, month in months]


def as_ns(moments: list[datetime]):
    """Return times as nanoseconds."""
    return np.array([int(moment.timestamp()) * 10**9 for moment in moments], dtype=np.int64)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(3, 80),
    hours=st.sampled_from([25, 26, 30, 36, 48, 72, 7 * 24, 14 * 24, 30 * 24, 31 * 24, 91 * 24, 365 * 24]),
)
def test_rows_further_apart_than_a_day_are_annualised_by_their_distance(seed, rows, hours):
    """Bars of 25 hours to a year: as many returns make a year as fit into 365 days."""
    equity = curve(seed, rows)
    times_ns = START_NS + np.arange(rows, dtype=np.int64) * hours * 3_600 * 10**9

    assert_annual(stats_of(times_ns, equity), equity, 365 * 24 / hours)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), gaps=st.lists(st.integers(25, 2_400), min_size=3, max_size=60))
def test_irregular_rows_are_annualised_by_the_time_that_passed(seed, gaps):
    """Whatever hours lie between them: the returns, and what their time is of 365 days."""
    equity = curve(seed, len(gaps) + 1)
    times_ns = START_NS + np.cumsum([0, *gaps]) * 3_600 * 10**9

    assert_annual(stats_of(times_ns, equity), equity, len(gaps) * 365 * 24 / sum(gaps))


@pytest.mark.parametrize("years", [1, 4, 9])
def test_real_month_ends_are_annualised_by_the_calendar(years):
    """Months have 28 to 31 days: 48 returns of four years and a month are 12 a year but for leap days."""
    moments = month_ends(12 * years + 1)
    equity = curve(years, len(moments))
    per_year = 12 * years * 365 / (moments[-1] - moments[0]).days

    assert per_year == pytest.approx(12, rel=0.004)
    assert_annual(stats_of(as_ns(moments), equity), equity, per_year)


@pytest.mark.parametrize("step_days", [2, 3, 5])
def test_every_other_session_is_annualised_by_the_time_that_passed(step_days):
    """Every second, third or fifth weekday: weekends are missing, and 252 returns are not a year."""
    days = [START + timedelta(days=day) for day in range(900)]
    moments = [day for day in days if day.weekday() < 5][::step_days]
    equity = curve(step_days, len(moments))
    per_year = (len(moments) - 1) * 365 / (moments[-1] - moments[0]).days

    assert per_year == pytest.approx(261 / step_days, rel=0.01)
    assert_annual(stats_of(as_ns(moments), equity), equity, per_year)


@pytest.mark.parametrize("minutes", [1, 60, 1440])
@pytest.mark.parametrize(
    ("weekdays", "per_year"),
    [(range(7), 365), (range(5), 252), (range(4), None), ([0], None), ([2, 3], None)],
)
def test_the_days_of_a_market_make_its_year_from_minute_to_day(minutes, weekdays, per_year):
    """All days: 365; all weekdays: 252, as such markets are quoted; fewer: by the time that passed."""
    days = [START + timedelta(days=day) for day in range(140)]
    open_days = [day for day in days if day.weekday() in weekdays]
    rows = max(1, 360 // minutes)
    moments = [day + timedelta(minutes=minutes * row) for day in open_days for row in range(rows)]
    equity = curve(minutes, len(moments))
    of_days = equity[rows - 1 :: rows]
    if per_year is None:
        per_year = (len(open_days) - 1) * 365 / (open_days[-1] - open_days[0]).days

    stats = stats_of(as_ns(moments), equity)

    fall = max(1 - equity / np.maximum.accumulate(equity))
    assert stats.max_drawdown_pct == pytest.approx(-100 * fall)
    growth = (of_days[-1] / of_days[0]) ** (per_year / (len(of_days) - 1)) - 1
    assert stats.return_ann_pct == pytest.approx(growth * 100, rel=1e-9)
    returns = of_days[1:] / of_days[:-1] - 1
    mean = 1 + growth
    spread = (statistics.variance(returns) / mean ** (2 / per_year) + 1) ** per_year - 1
    assert stats.sharpe == pytest.approx(growth / (mean * math.sqrt(spread)), rel=1e-8)


def test_a_year_in_which_half_of_the_days_are_missing_is_still_a_year():
    """A market of all days with a hole: the growth of a year is that of 365 days, not of 365 returns."""
    days = np.array([*range(90), *range(275, 366)])
    equity = curve(5, len(days))

    stats = stats_of(START_NS + days * DAY_NS, equity)

    assert stats.return_ann_pct == pytest.approx(
        ((equity[-1] / equity[0]) ** (365 / 365) - 1) * 100, rel=1e-9
    )


@settings(max_examples=60)
@given(
    step_minutes=st.sampled_from([1, 5, 60, 240, 480, 1440]) | st.integers(1441, 91 * 1440),
    daily_ppm=st.integers(-3_000, 3_000),
)
def test_the_annual_return_of_steady_growth_is_the_same_for_every_spacing(step_minutes, daily_ppm):
    """Equity that grows by one rate is shown with that rate, however often it is looked at."""
    rows = 9 * max(1, 1440 // step_minutes)
    times_ns = START_NS + np.arange(rows, dtype=np.int64) * step_minutes * 60 * 10**9
    growth = 1 + daily_ppm / 1e6
    stats = stats_of(times_ns, 10_000 * growth ** ((times_ns - START_NS) / DAY_NS))

    assert stats.return_ann_pct == pytest.approx((growth**365 - 1) * 100, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    ("times_ns", "equity", "absent"),
    [
        pytest.param([0], [100.0], {*ANNUAL, "beta", "avg_drawdown_pct"}, id="one row"),
        pytest.param([0, DAY_NS - 1], [100.0, 90.0], set(ANNUAL), id="less than a day"),
        pytest.param([0, DAY_NS], [100.0, 90.0], {"volatility_ann_pct", "sharpe"}, id="one return"),
        pytest.param(
            [0, DAY_NS, 2 * DAY_NS], [100.0] * 3, {"sharpe", "sortino", "calmar", "beta"}, id="flat"
        ),
        pytest.param(
            [0, DAY_NS, 2 * DAY_NS], [100.0, 110.0, 121.0], {"sharpe", "sortino", "calmar"}, id="steady"
        ),
        pytest.param([0, DAY_NS, 2 * DAY_NS], [100.0, 0.0, 0.0], set(ANNUAL) - {"cagr_pct"}, id="ruin"),
        pytest.param([0, DAY_NS, 2 * DAY_NS], [100.0, -5.0, -5.0], set(ANNUAL), id="below 0"),
        pytest.param([0, DAY_NS, 2 * DAY_NS], [-5.0, 3.0, 4.0], {*ANNUAL, "return_pct"}, id="starts below 0"),
        pytest.param([0, DAY_NS, 2 * DAY_NS], [1.0, 1e9, 1e18], {"return_ann_pct", "sharpe"}, id="too large"),
    ],
)
def test_a_figure_that_cannot_be_computed_is_absent_with_its_reason(times_ns, equity, absent):
    """Absent is None and a sentence, and what is there is a finite number."""
    stats = stats_of(np.array(times_ns, dtype=np.int64) + START_NS, equity)

    assert absent <= set(stats.reasons)
    for name in stats.__struct_fields__:
        value = getattr(stats, name)
        if name != "reasons":
            assert (value is None) == (name in stats.reasons), name
            assert value is None or math.isfinite(value), name
    assert all(len(reason) > 10 for reason in stats.reasons.values())


def test_all_losses_leave_no_odds_and_a_full_set_of_other_figures():
    """Trades that all lose: no win to compare with, a profit factor of 0 that is computed and true."""
    times_ns = START_NS + np.arange(5, dtype=np.int64) * DAY_NS
    equity = np.array([100.0, 99, 98, 96, 95])
    trades = ClosedTrades(
        entry_bar=np.array([0, 2]),
        exit_bar=np.array([1, 4]),
        quantity=np.array([1.0, -2.0]),
        entry_price=np.array([10.0, 10.0]),
        exit_price=np.array([9.0, 11.0]),
        pnl=np.array([-1.0, -2.0]),
        commission=np.zeros(2),
    )

    stats = compute_statistics(times_ns, equity, equity, trades)

    assert (stats.win_rate_pct, stats.profit_factor) == (0, 0)
    assert (stats.best_trade_pct, stats.avg_trade_pct) == (pytest.approx(-10), pytest.approx(-10))
    assert stats.kelly is None
    assert stats.reasons["kelly"] == "no trade won"


def test_returns_are_on_what_was_paid_at_prices_below_zero_too():
    """A spread bought at -10 and sold at -8 earned a fifth; one bought at 0 has no return."""
    times_ns = START_NS + np.arange(2, dtype=np.int64) * DAY_NS
    equity = np.array([100.0, 102.0])

    def of(price):
        trades = ClosedTrades(
            entry_bar=np.array([0]),
            exit_bar=np.array([1]),
            quantity=np.array([1.0]),
            entry_price=np.array([price]),
            exit_price=np.array([price + 2]),
            pnl=np.array([2.0]),
            commission=np.zeros(1),
        )
        return compute_statistics(times_ns, equity, equity, trades)

    assert of(-10.0).best_trade_pct == pytest.approx(20)
    assert of(0.0).best_trade_pct is None
    assert "price of 0" in of(0.0).reasons["best_trade_pct"]
