"""What the indicator functions and classes accept, give back and refuse."""

import math
import threading

import numpy as np
import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.strategy import indicators

SERIES = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])


def refused(call, *arguments, **keywords) -> str:
    """Give the field that an error names."""
    with pytest.raises(InvalidValueError) as error:
        call(*arguments, **keywords)
    return error.value.field


def test_values_are_nan_until_the_window_is_full():
    """The first value comes with the last bar of the warm-up."""
    average = indicators.sma(SERIES, 4)

    assert np.isnan(average[:3]).all()
    assert average[3:].tolist() == [2.25, 2.75, 4.75, 4.25, 5.5]


def test_a_series_shorter_than_the_period_gives_only_nan():
    """Also an empty one."""
    assert np.isnan(indicators.sma(SERIES, 9)).all()
    assert indicators.sma(np.empty(0), 3).shape == (0,)


@pytest.mark.parametrize(
    ("indicator", "bars"),
    [
        (indicators.Sma(5), 5),
        (indicators.Ema(5), 5),
        (indicators.Ema(5, seed="first"), 1),
        (indicators.Rsi(5), 6),
        (indicators.Bollinger(5), 5),
        (indicators.Macd(3, 6, 4), 9),
        (indicators.Macd(), 34),
    ],
)
def test_an_indicator_is_warm_after_the_bars_it_names(indicator, bars):
    """`warm_up_bars` is exact: not warm one bar before."""
    assert indicator.warm_up_bars == bars
    for bar in range(bars):
        assert not indicator.is_warm
        indicator.update(100.0 + bar % 3)
    assert indicator.is_warm


@pytest.mark.parametrize(
    ("indicator", "bars"), [(indicators.Atr(5), 6), (indicators.Keltner(5, 7), 8), (indicators.Keltner(), 20)]
)
def test_an_indicator_of_bars_is_warm_after_the_bars_it_names(indicator, bars):
    """A true range needs the close before, so its first bar gives none."""
    assert indicator.warm_up_bars == bars
    for bar in range(bars):
        assert not indicator.is_warm
        indicator.update(102.0 + bar % 3, 98.0, 100.0)
    assert indicator.is_warm


def test_what_update_returns_stays_readable():
    """`value` and `values` repeat the last result, and a skipped value does not disturb them."""
    sma, bollinger = indicators.Sma(2), indicators.Bollinger(2, 1.0)
    assert math.isnan(sma.value)
    assert all(math.isnan(value) for value in bollinger.values)
    for value in (1.0, 3.0):
        last, bands = sma.update(value), bollinger.update(value)

    assert last == sma.value == 2.0
    assert bands == bollinger.values == (3.0, 2.0, 1.0)
    assert math.isnan(sma.update(math.nan))
    assert math.isnan(sma.update(-math.inf))
    assert sma.value == 2.0
    assert sma.update(5.0) == 4.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: indicators.Sma(3),
        lambda: indicators.Ema(3),
        lambda: indicators.Rsi(3),
        lambda: indicators.Bollinger(3),
        lambda: indicators.Macd(2, 3, 2),
        lambda: indicators.Atr(3),
        lambda: indicators.Keltner(3, 2),
    ],
)
def test_what_is_fed_counts_as_what_is_updated_and_returns_nothing(make):
    """`feed` leaves an indicator as `update` does, a value that is skipped included."""
    fed, updated = make(), make()
    of_bars = isinstance(fed, indicators.Atr | indicators.Keltner)
    for value in [*SERIES.tolist(), math.nan, 7.0]:
        row = (value + 1.0, value - 1.0, value) if of_bars else (value,)
        assert fed.feed(*row) is None
        updated.update(*row)
        assert fed.is_warm == updated.is_warm
    name = "values" if hasattr(fed, "values") else "value"
    assert fed.is_warm
    assert getattr(fed, name) == getattr(updated, name)


def test_an_exponential_average_can_start_from_the_first_value():
    """Then it has a value from the first bar on."""
    assert indicators.ema(np.array([1.0, 2.0, 3.0]), 3, seed="first").tolist() == [1.0, 1.5, 2.25]
    assert indicators.ema(np.array([1.0, 2.0, 3.0]), 3).tolist()[2] == 2.0


def test_outputs_go_where_the_caller_says():
    """`out` is written and returned itself, so that its memory can be used again."""
    out = np.empty_like(SERIES)
    assert indicators.sma(SERIES, 3, out=out) is out
    assert out.tobytes() == indicators.sma(SERIES, 3).tobytes()

    outs = (np.empty_like(SERIES), np.empty_like(SERIES), np.empty_like(SERIES))
    bands = indicators.bollinger(SERIES, 3, out=outs)
    assert all(band is given for band, given in zip(bands, outs, strict=True))
    assert outs[1].tobytes() == out.tobytes()


def test_strided_and_unaligned_inputs_are_copied_and_left_alone():
    """Every second value, a reversed view, a read-only one, and one at an odd address."""
    wide = np.repeat(SERIES, 2)
    odd = np.frombuffer(b"\0" + SERIES.tobytes(), dtype=np.float64, offset=1)
    frozen = SERIES.copy()
    frozen.flags.writeable = False
    expected = indicators.sma(SERIES, 3).tobytes()

    for view in (wide[::2], SERIES[::-1].copy()[::-1], odd, frozen):
        before = view.tobytes()
        assert indicators.sma(view, 3).tobytes() == expected
        assert view.tobytes() == before


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0],
        np.arange(5),
        np.ones(5, dtype=np.float32),
        np.ones(5, dtype=">f8"),
        np.ones((2, 3)),
        np.array(1.0),
        None,
        "123",
    ],
)
def test_what_is_not_a_float64_series_is_refused_by_name(values):
    """Nothing is converted silently: ticks are not prices."""
    assert refused(indicators.sma, values, 2) == "values"
    assert refused(indicators.atr, SERIES, values, SERIES, 2) == "low"


def test_outputs_that_cannot_be_written_are_refused():
    """Wrong length, type, layout, memory shared with an input or another output, read-only."""
    frozen = np.empty_like(SERIES)
    frozen.flags.writeable = False
    shared = np.empty_like(SERIES)
    for out in (
        np.empty(3),
        np.empty(len(SERIES), dtype=np.float32),
        np.empty(2 * len(SERIES))[::2],
        SERIES,
        frozen,
        [0.0] * len(SERIES),
    ):
        assert refused(indicators.sma, SERIES, 3, out=out) == "out"
    for outs in (shared, (shared, shared, frozen), (shared, shared, np.empty_like(SERIES)), (shared,)):
        assert refused(indicators.bollinger, SERIES, 3, out=outs) == "out"


def test_parameters_out_of_bounds_are_refused_by_name():
    """The same rules for functions and classes."""
    assert refused(indicators.Sma, 0) == "period"
    assert refused(indicators.Rsi, -1) == "period"
    assert refused(indicators.Atr, 1_000_001) == "period"
    assert refused(indicators.Ema, 10**30) == "period"
    assert refused(indicators.Ema, 5, seed="last") == "seed"
    assert refused(indicators.Bollinger, 5, 0.0) == "deviations"
    assert refused(indicators.Bollinger, 5, math.inf) == "deviations"
    assert refused(indicators.Macd, 26, 12) == "fast"
    assert refused(indicators.Macd, 12, 26, 0) == "signal"
    assert refused(indicators.Keltner, 20, 0) == "atr_period"
    assert refused(indicators.Keltner, 20, 10, math.nan) == "multiple"
    assert refused(indicators.macd, SERIES, 5, 5) == "fast"
    assert refused(indicators.keltner, SERIES, SERIES, SERIES[:4], 2, 2) == "close"


def test_sigma_is_right_far_above_zero():
    """Prices near a million that move by a thousandth keep their sigma; the naive formula gives noise."""
    noise = np.random.default_rng(5).normal(size=2_000) * 1e-3
    series = 1e6 + noise
    upper, middle, _ = indicators.bollinger(series, 20, 1e6)
    windows = np.lib.stride_tricks.sliding_window_view(series, 20)
    deviations = windows - windows.mean(axis=1, keepdims=True)
    sigma = np.sqrt((deviations**2).mean(axis=1))

    assert np.abs((upper - middle)[19:] / 1e6 / sigma - 1.0).max() < 1e-11


def test_threads_work_side_by_side_on_their_own_arrays():
    """The interpreter lock is released and nothing is shared."""
    series = [np.random.default_rng(seed).normal(size=50_000) + 100.0 for seed in range(4)]
    results: dict[int, bytes] = {}

    def work(number: int) -> None:
        for _ in range(5):
            results[number] = indicators.ema(series[number], 20).tobytes()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: indicators.ema(series[number], 20).tobytes() for number in range(4)}
