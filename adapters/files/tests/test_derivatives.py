"""Fundings and mark prices from files, and their place among bars."""

import pytest

from tradecore._core import read_events
from tradecore.domain import DataError, EventBatch, InstrumentSpec
from tradecore_files import append_in_order, load_bars, load_funding, load_marks

PERP = InstrumentSpec(symbol="PERP", tick_size="0.1")
BARS = "time,open,high,low,close\n1700000000,1,2,1,2\n1700000060,2,3,2,3\n1700000120,3,3,3,3\n"


def written(tmp_path, name, text):
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rates_and_prices_come_as_integers(tmp_path):
    """Rates are parts per billion of either sign, mark prices the nearest ticks, 0 where there is none."""
    path = written(
        tmp_path,
        "funding.csv",
        "time,fundingRate,markPrice\n1700000060,0.0001,2.34\n1700000120,-0.00000012,\n",
    )
    with pytest.raises(DataError, match="mark"):
        load_funding(path, PERP)
    path = written(
        tmp_path,
        "funding.csv",
        "time,fundingRate,markPrice\n1700000060,0.0001,2.34\n1700000120,-0.00000012,3\n",
    )
    funding = load_funding(path, PERP)
    assert funding.rate_ppb.tolist() == [100_000, -120]
    assert funding.mark_ticks.tolist() == [23, 30]
    path = written(tmp_path, "bare.csv", "time,rate\n1700000060,0.0001\n")
    assert load_funding(path, PERP).mark_ticks.tolist() == [0]


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (load_funding, "time,rate\n1700000060,1.1\n"),
        (load_funding, "time,rate\n1700000060,0.1\n1700000059,0.1\n"),
        (load_marks, "time,price\n1700000060,0\n"),
        (load_marks, "time,price\n"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, load, text):
    """A rate beyond the whole notional, a price that is not above 0, times that fall, no rows."""
    with pytest.raises(DataError):
        load(written(tmp_path, "bad.csv", text), PERP)


def test_a_close_comes_before_the_mark_and_the_funding_of_its_time(tmp_path):
    """Bars, marks and fundings are one stream by time, so that an order at the next open is after them."""
    bars = load_bars(written(tmp_path, "bars.csv", BARS), PERP)
    funding = load_funding(
        written(tmp_path, "funding.csv", "time,rate\n1700000060,0.0001\n1700000500,0.0001\n"), PERP
    )
    marks = load_marks(written(tmp_path, "marks.csv", "time,price\n1700000000,1\n1700000060,2\n"), PERP)
    batch = EventBatch()
    append_in_order(batch, 0, bars, marks, funding)
    second = 10**9
    start = 1_700_000_000 * second
    assert [(kind, time_ns - start) for kind, time_ns, *_ in read_events(batch)] == [
        ("mark", 0),
        ("bar", 60 * second),
        ("mark", 60 * second),
        ("funding", 60 * second),
        ("bar", 120 * second),
        ("bar", 180 * second),
        ("funding", 500 * second),
    ]
