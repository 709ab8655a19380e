"""Statistics of a backtest against the ones backtesting.py computes from the same equity and trades."""

import math
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from backtesting._stats import compute_stats
from hypothesis import given, settings
from hypothesis import strategies as st

from support.backtesting_py import ANNUAL, assert_statistics_equal
from tradecore.backtest.statistics import ClosedTrades, compute_statistics
from tradecore.domain.errors import InvalidValueError

DAY_NS = 86_400_000_000_000
STEPS_NS = {
    "minute": 60_000_000_000,
    "hour": 3_600_000_000_000,
    "day": DAY_NS,
    "week": 7 * DAY_NS,
    "month": 31 * DAY_NS,
    "year": 365 * DAY_NS,
}


def sample(seed: int, bars: int, trades: int, step_ns: int, *, only_weekdays: bool = False):
    """Make times, an equity curve, closes and consistent trades from a seed."""
    rng = np.random.default_rng(seed)
    times = 1_262_304_000_000_000_000 + step_ns * np.arange(2 * bars, dtype=np.int64)
    if only_weekdays:
        times = times[(times // DAY_NS + 3) % 7 < 5]
    times = times[:bars]
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, bars)))
    equity = 10_000 * np.exp(np.cumsum(np.where(rng.random(bars) < 0.3, 0, rng.normal(0, 0.02, bars))))
    entry = rng.integers(0, bars, trades)
    leave = np.minimum(entry + rng.integers(0, 9, trades), bars - 1)
    quantity = rng.integers(1, 50, trades) * rng.choice([-1.0, 1.0], trades)
    price_in, price_out = close[entry], close[leave] * np.exp(rng.normal(0, 0.01, trades))
    commission = 0.001 * np.abs(quantity) * (price_in + price_out)
    columns = ClosedTrades(
        entry_bar=entry,
        exit_bar=leave,
        quantity=quantity,
        entry_price=price_in,
        exit_price=price_out,
        pnl=quantity * (price_out - price_in) - commission,
        commission=commission,
    )
    return times, equity, close, columns


def peer_statistics(times, equity, close, trades: ClosedTrades) -> pd.Series:
    """Hand the same facts to backtesting.py."""
    index = pd.DatetimeIndex(times.astype("datetime64[ns]"))
    gross = np.sign(trades.quantity) * (trades.exit_price / trades.entry_price - 1)
    frame = pd.DataFrame(
        {
            "EntryBar": trades.entry_bar,
            "ExitBar": trades.exit_bar,
            "PnL": trades.pnl,
            "ReturnPct": gross - trades.commission / (np.abs(trades.quantity) * trades.entry_price),
            "Duration": index[trades.exit_bar] - index[trades.entry_bar],
        }
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return compute_stats(frame, equity, pd.DataFrame({"Close": close}, index=index), None)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.integers(2, 400),
    trades=st.integers(0, 40),
    step=st.sampled_from(sorted(STEPS_NS)),
    only_weekdays=st.booleans(),
)
def test_every_statistic_equals_the_one_of_backtesting_py(seed, bars, trades, step, only_weekdays):
    """Same equity and trades, same figures to 1e-8, for bars from a minute to a year.

    But for two things in which the peer does not go by the time that passed: annual figures of bars that are
    longer than a day (`test_annual_figures.py` has those), and growth per year of less than a day.
    """
    # A Friday and a Monday alone are three days apart: nothing says that they are of a market of weekdays.
    only_weekdays = only_weekdays and step == "day" and bars > 2
    bars = min(bars, 200) if step == "year" else bars  # nanoseconds end in 2262
    facts = sample(seed, bars, trades, STEPS_NS[step], only_weekdays=only_weekdays)

    ours = compute_statistics(*facts)

    but = ANNUAL if STEPS_NS[step] > DAY_NS else frozenset()
    if ours.duration_ns < DAY_NS:
        but = ANNUAL | {"cagr_pct"}
        assert {ours.reasons[name] for name in but} == {"less than a day lies between start and end"}
    assert_statistics_equal(ours, peer_statistics(*facts), but=but)


def test_an_account_that_never_trades_has_undefined_ratios_and_no_drawdown():
    """Nothing is invented where nothing happened: no figure but its reason, and zero drawdown."""
    times, equity, close, trades = sample(1, 30, 0, DAY_NS)
    flat = np.full_like(equity, 10_000.0)

    ours = compute_statistics(times, flat, close, trades)

    assert ours.max_drawdown_pct == 0
    assert ours.trades == 0
    assert math.copysign(1, ours.max_drawdown_pct) == 1
    assert ours.win_rate_pct is None
    assert ours.reasons["win_rate_pct"] == ours.reasons["avg_trade_duration_ns"] == "no trade was closed"
    assert ours.volatility_ann_pct == 0
    assert ours.sharpe is None
    assert ours.reasons["sharpe"] == "all returns were the same: volatility is 0"
    assert ours.max_drawdown_duration_ns is None
    assert ours.reasons["max_drawdown_duration_ns"] == "equity never fell below its peak"


def test_a_ruined_account_is_a_full_drawdown_and_not_an_error():
    """Equity of zero gives -100 %; what compounds is absent, and not 0 % as the peer has it."""
    times, equity, close, trades = sample(2, 50, 5, DAY_NS)
    equity[25:] = 0.0

    ours = compute_statistics(times, equity, close, trades)

    assert ours.max_drawdown_pct == -100
    assert ours.return_pct == -100
    assert ours.cagr_pct == -100
    assert {ours.reasons[name].partition(",")[0] for name in ANNUAL} == {"equity was at or below 0"}
    assert_statistics_equal(ours, peer_statistics(times, equity, close, trades), but=ANNUAL)


@pytest.mark.parametrize("field", ["times_ns", "equity", "close", "first_bar"])
def test_columns_that_do_not_fit_are_refused_by_name(field):
    """A wrong length or first bar is the caller's mistake and is named."""
    times, equity, close, trades = sample(3, 20, 2, DAY_NS)
    columns = {"times_ns": times, "equity": equity, "close": close, "first_bar": 0}
    columns[field] = 20 if field == "first_bar" else columns[field][: 0 if field == "times_ns" else 5]

    with pytest.raises(InvalidValueError, match=field):
        compute_statistics(trades=trades, **columns)


def test_half_a_million_bars_and_fourteen_thousand_trades_take_little_time():
    """The figures of a long backtest take well under a second of one core (about 55 ms)."""
    facts = sample(4, 500_000, 14_000, STEPS_NS["minute"])

    seconds = []
    for _ in range(3):
        start = time.process_time()
        compute_statistics(*facts)
        seconds.append(time.process_time() - start)

    assert min(seconds) < 0.5
