"""What reads a file checks the instrument that it is given, before the file is blamed."""

from decimal import Decimal

import pytest

from tradecore.domain import InstrumentSpec, InvalidSpecError
from tradecore_files import load_bars, load_funding, load_marks, load_quotes, load_trades

LOADS = [load_bars, load_funding, load_marks, load_quotes, load_trades]
BARS = "time,open,high,low,close,volume\n2024-01-01,10,11,9.5,10.5,3\n2024-01-02,10,11,9.5,10.5,3\n"


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.__name__)
@pytest.mark.parametrize("tick_size", ["abc", "0", float("nan"), None])
def test_a_wrong_tick_is_named_by_everything_that_reads_a_file(tmp_path, load, tick_size):
    """There is no step to read prices with, whatever the file holds."""
    path = tmp_path / "any.csv"
    path.write_text(BARS)

    with pytest.raises(InvalidSpecError, match=r"^instrument\.tick_size "):
        load(path, InstrumentSpec(symbol="ACME", tick_size=tick_size))


@pytest.mark.parametrize("tick_size", ["0.5", 0.5, Decimal("0.5")])
def test_a_tick_may_be_written_as_a_number(tmp_path, tick_size):
    """As an engine and a frame take it."""
    path = tmp_path / "bars.csv"
    path.write_text(BARS)

    assert load_bars(path, InstrumentSpec(symbol="ACME", tick_size=tick_size)).close.tolist() == [21, 21]
