"""Indicators equal tables that other projects publish with their own tests, where definitions agree."""

import csv
import gzip

import numpy as np
import pytest

from support.shared import EXAMPLE_DATA, shared_data
from tradecore.strategy import indicators


def column(rows, key: str) -> np.ndarray:
    """Give one column; what is missing is NaN."""
    return np.array([np.nan if row[key] == "" else float(row[key]) for row in rows])


@pytest.fixture(scope="module")
def table():
    """Bars of 502 days, and what Stock.Indicators makes of them, column by column."""
    with gzip.open(EXAMPLE_DATA / "indicator-references.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 502
    return {key: column(rows, key) for key in rows[0] if key != "date"}


def lean(name: str) -> list[dict[str, str]]:
    """Read a reference table of LEAN."""
    path = shared_data(f"public/lean_indicator_refs/{name}")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_close(ours: np.ndarray, theirs: np.ndarray, *, absolute_max: float) -> None:
    """Compare wherever the reference has a value; it has one for most bars."""
    known = ~np.isnan(theirs)
    assert known.sum() > 100
    assert np.all(np.abs(ours - theirs)[known] <= absolute_max)


def test_averages_equal_stock_indicators(table):
    """SMA and EMA of 20 days."""
    close = table["close"]

    assert_close(indicators.sma(close, 20), table["sma_20"], absolute_max=1e-9)
    assert_close(indicators.ema(close, 20), table["ema_20"], absolute_max=1e-9)


def test_wilder_indicators_equal_stock_indicators(table):
    """RSI and ATR of 14 days."""
    high, low, close = table["high"], table["low"], table["close"]

    assert_close(indicators.rsi(close, 14), table["rsi_14"], absolute_max=1e-9)
    assert_close(indicators.atr(high, low, close, 14), table["atr_14"], absolute_max=1e-9)


def test_the_keltner_channel_equals_stock_indicators(table):
    """EMA of 20 days, twice the ATR of 10 days on either side: the same named definition."""
    bands = indicators.keltner(table["high"], table["low"], table["close"], 20, 10, 2.0)

    for ours, key in zip(bands, ("keltner_upper", "keltner_middle", "keltner_lower"), strict=True):
        theirs = table[key]
        assert np.array_equal(np.isnan(ours), np.isnan(theirs))
        assert_close(ours, theirs, absolute_max=1e-9)


def test_bands_index_and_macd_equal_the_tables_of_lean():
    """Published with four to six decimals; MACD from a bar on where its start is forgotten."""
    rows = lean("spy_bollinger_bands.txt.gz")
    upper, middle, lower = indicators.bollinger(column(rows, "Close"), 20)
    top, bottom = (next(key for key in rows[0] if key.endswith(end)) for end in ("Top", "Bottom"))

    assert_close(middle, column(rows, "Moving Average 20"), absolute_max=1e-3)
    assert_close(upper, column(rows, top), absolute_max=1e-4)
    assert_close(lower, column(rows, bottom), absolute_max=1e-4)

    rows = lean("spy_with_indicators.txt.gz")
    theirs = column(rows, "RSI 14 Wilder")
    assert_close(indicators.rsi(column(rows, "Close"), 14), theirs, absolute_max=1e-5)

    rows = lean("spy_with_macd.txt.gz")
    line, signal, _ = indicators.macd(column(rows, "Close"))
    assert_close(line, column(rows, "MACD"), absolute_max=1e-5)
    assert_close(signal, column(rows, "Signal"), absolute_max=1e-5)
