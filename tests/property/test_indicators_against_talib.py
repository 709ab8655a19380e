"""Indicators equal TA-Lib to 1e-9 relative, on real bars, warm-up positions included."""

import numpy as np
import pytest
import talib

from support.prices import SERIES, bars
from tradecore.strategy import indicators

RELATIVE_MAX = 1e-9
PERIODS = [2, 3, 5, 10, 14, 20, 26, 50, 200, 1000]

pytestmark = pytest.mark.parametrize("name", SERIES)


def assert_equal(ours: np.ndarray, theirs: np.ndarray, *, scale: np.ndarray | None = None) -> None:
    """Compare positions of NaN exactly and values relative to `scale` (their own size unless told)."""
    assert ours.dtype == np.float64
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    warm = ~np.isnan(theirs)
    assert warm.any()
    size = np.abs(theirs if scale is None else scale)[warm]
    assert np.all(np.abs(ours - theirs)[warm] <= RELATIVE_MAX * size)


@pytest.mark.parametrize("period", [1, *PERIODS])
def test_the_simple_average_equals_talib(name, period):
    """Mean of the last closes."""
    close = bars(name)["close"]

    assert_equal(indicators.sma(close, period), talib.SMA(close, period))


@pytest.mark.parametrize("period", [1, *PERIODS])
def test_the_exponential_average_equals_talib(name, period):
    """Started by the mean of the first closes, TA-Lib's default."""
    close = bars(name)["close"]

    assert_equal(indicators.ema(close, period), talib.EMA(close, period))


@pytest.mark.parametrize("period", PERIODS)
def test_the_exponential_average_started_by_the_first_value_equals_pandas(name, period):
    """`ewm(span=period, adjust=False)`."""
    pandas = pytest.importorskip("pandas")
    close = bars(name)["close"]
    theirs = pandas.Series(close).ewm(span=period, adjust=False).mean().to_numpy()

    assert_equal(indicators.ema(close, period, seed="first"), theirs)


@pytest.mark.parametrize("period", PERIODS)
def test_the_relative_strength_index_equals_talib(name, period):
    """Wilder's smoothing of gains and losses; relative to 100, as values near 0 are differences."""
    close = bars(name)["close"]
    theirs = talib.RSI(close, period)

    assert_equal(indicators.rsi(close, period), theirs)


@pytest.mark.parametrize("period", [1, *PERIODS])
def test_the_average_true_range_equals_talib(name, period):
    """Wilder's smoothing of true ranges."""
    series = bars(name)
    arguments = (series["high"], series["low"], series["close"], period)

    assert_equal(indicators.atr(*arguments), talib.ATR(*arguments))


@pytest.mark.parametrize("deviations", [0.5, 2.0, 3.25])
@pytest.mark.parametrize("period", PERIODS)
def test_bollinger_bands_equal_talib(name, period, deviations):
    """Population sigma around the simple average."""
    close = bars(name)["close"]
    theirs = talib.BBANDS(close, period, deviations, deviations)

    for ours, expected in zip(indicators.bollinger(close, period, deviations), theirs, strict=True):
        assert_equal(ours, expected)


@pytest.mark.parametrize(
    ("fast", "slow", "signal"), [(12, 26, 9), (2, 3, 2), (5, 35, 5), (3, 10, 16), (50, 200, 9)]
)
def test_macd_equals_talib(name, fast, slow, signal):
    """Line, signal and histogram are differences of prices: the error is relative to the price."""
    close = bars(name)["close"]
    theirs = talib.MACD(close, fast, slow, signal)

    for ours, expected in zip(indicators.macd(close, fast, slow, signal), theirs, strict=True):
        assert_equal(ours, expected, scale=close)


@pytest.mark.parametrize(("period", "atr_period", "multiple"), [(20, 10, 2.0), (5, 14, 1.5), (50, 3, 0.75)])
def test_the_keltner_channel_is_made_of_talib_averages(name, period, atr_period, multiple):
    """TA-Lib has no channel, but its EMA and ATR, which define it."""
    series = bars(name)
    high, low, close = series["high"], series["low"], series["close"]
    width = multiple * talib.ATR(high, low, close, atr_period)
    middle = np.where(np.isnan(width), np.nan, talib.EMA(close, period))
    width = np.where(np.isnan(middle), np.nan, width)

    upper, ours, lower = indicators.keltner(high, low, close, period, atr_period, multiple)

    assert_equal(upper, middle + width)
    assert_equal(ours, middle)
    assert_equal(lower, middle - width)
