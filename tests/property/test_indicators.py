"""Fed one by one or as arrays, indicators give the same bytes, and bad input never spreads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.prices import SERIES, bars
from tradecore.domain.errors import InvalidValueError
from tradecore.strategy import indicators

prices = st.floats(0.01, 1e6)
anything = st.one_of(prices, st.floats())
periods = st.integers(1, 40)


def of_one_series(period: int):
    """Pair every indicator of one series with its streaming twin."""
    return [
        (lambda values: indicators.sma(values, period), indicators.Sma(period)),
        (lambda values: indicators.ema(values, period), indicators.Ema(period)),
        (lambda values: indicators.ema(values, period, seed="first"), indicators.Ema(period, seed="first")),
        (lambda values: indicators.rsi(values, period), indicators.Rsi(period)),
        (lambda values: indicators.bollinger(values, period, 1.5), indicators.Bollinger(period, 1.5)),
        (
            lambda values: indicators.macd(values, period, period + 5, 4),
            indicators.Macd(period, period + 5, 4),
        ),
    ]


def of_bars(period: int):
    """Pair every indicator of bars with its streaming twin."""
    return [
        (lambda *columns: indicators.atr(*columns, period), indicators.Atr(period)),
        (lambda *columns: indicators.keltner(*columns, period, 5, 2.0), indicators.Keltner(period, 5, 2.0)),
    ]


def assert_same_bytes(batch, streaming, *columns) -> None:
    """Run both and compare every byte."""
    as_batch = batch(*columns)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    one_by_one = np.array([streaming.update(*row) for row in rows], dtype=np.float64)
    if isinstance(as_batch, tuple):
        one_by_one = one_by_one.reshape(len(columns[0]), 3)
        assert all(
            array.tobytes() == one_by_one[:, output].tobytes() for output, array in enumerate(as_batch)
        )
    else:
        assert as_batch.tobytes() == one_by_one.tobytes()


@given(values=st.lists(anything, max_size=150), period=periods)
def test_streaming_equals_batch_in_every_byte(values, period):
    """One definition: whatever the floats are, NaN and infinity among them."""
    series = np.array(values, dtype=np.float64)

    for batch, streaming in of_one_series(period):
        assert_same_bytes(batch, streaming, series)


@given(rows=st.lists(st.tuples(anything, anything, anything), max_size=100), period=periods)
def test_streaming_equals_batch_in_every_byte_for_bars(rows, period):
    """Also when high, low and close make no sense together."""
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 3).T

    for batch, streaming in of_bars(period):
        assert_same_bytes(batch, streaming, *columns)


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("period", [2, 14, 30, 200])
def test_streaming_equals_batch_in_every_byte_on_real_bars(name, period):
    """The same on more than a thousand bars."""
    series = bars(name)
    for batch, streaming in of_one_series(period):
        assert_same_bytes(batch, streaming, series["close"])
    for batch, streaming in of_bars(period):
        assert_same_bytes(batch, streaming, series["high"], series["low"], series["close"])


@given(values=st.lists(anything, max_size=120), period=periods)
def test_a_value_that_is_not_usable_gives_nan_and_changes_nothing_else(values, period):
    """Usable values give what they would give alone; the others give NaN."""
    series = np.array(values, dtype=np.float64)
    usable = np.abs(series) <= 1e100

    for batch, _ in of_one_series(period):
        outputs, alone = batch(series), batch(series[usable])
        if not isinstance(outputs, tuple):
            outputs, alone = (outputs,), (alone,)
        for output, expected in zip(outputs, alone, strict=True):
            assert output[usable].tobytes() == expected.tobytes()
            assert np.isnan(output[~usable]).all()
            assert not np.isinf(output).any()


@given(values=st.lists(prices, min_size=1, max_size=100), period=st.integers(1, 100))
def test_windows_stay_within_the_values_they_saw(values, period):
    """The mean lies between the smallest and the largest value, and sigma is at most half their distance."""
    series = np.array(values)
    upper, middle, lower = indicators.bollinger(series, period, 1.0)

    for end in range(period, len(series) + 1):
        window = series[end - period : end]
        rounding = 1e-15 * window.max() * period
        assert window.min() - rounding <= middle[end - 1] <= window.max() + rounding
        assert upper[end - 1] - lower[end - 1] <= np.ptp(window) + 3 * rounding


@given(period=st.one_of(st.integers(), st.integers(-3, 3)))
def test_a_period_is_accepted_or_refused_by_name(period):
    """Any whole number: accepted, or this one error, nothing else."""
    series = np.ones(3)
    if 1 <= period <= 1_000_000:
        assert len(indicators.ema(series, period)) == 3
        return
    with pytest.raises(InvalidValueError) as refused:
        indicators.ema(series, period)
    assert refused.value.field == "period"
