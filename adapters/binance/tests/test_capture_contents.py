"""What a capture is about is read from the capture."""

import json

import pytest

from support.shared import EXAMPLE_DATA
from tradecore.domain import DataError
from tradecore_binance.capture_contents import LINES_MAX, capture_contents


@pytest.mark.parametrize(
    ("name", "symbol", "market", "tick", "lot", "kind", "multiplier"),
    [
        ("binance-spot.gz", "BTCUSDT", "spot", "0.01", "0.00001", "linear", "1"),
        ("binance-usdm.gz", "BTCUSDT", "usdm", "0.1", "0.001", "linear", "1"),
        ("binance-coinm.gz", "BTCUSD_PERP", "coinm", "0.1", "1", "inverse", "100"),
    ],
)
def test_market_symbol_tick_and_lot_of_real_captures_are_found(
    name, symbol, market, tick, lot, kind, multiplier
):
    """All three markets of Binance, as their exchangeInfo states them."""
    contents = capture_contents(EXAMPLE_DATA / name)
    (spec,) = contents.instruments
    assert (spec.symbol, contents.market, spec.tick_size, spec.lot_size, spec.kind, spec.multiplier) == (
        symbol,
        market,
        tick,
        lot,
        kind,
        multiplier,
    )


def test_a_file_without_messages_is_named(tmp_path):
    """What is no capture gives one clear error."""
    path = tmp_path / "capture.txt"
    path.write_bytes(b"1 {}\nnot json\n\xff\xfe\n")
    with pytest.raises(DataError, match="none of the first"):
        capture_contents(path)
    with pytest.raises(DataError, match="no such file"):
        capture_contents(tmp_path / "missing.gz")


def trade(symbol, price, size, **more):
    """Write a line with a trade."""
    fields = {"e": "trade", "s": symbol, "p": price, "q": size, **more}
    return f"1723161253000000000 {json.dumps(fields)}\n"


def found(tmp_path, *lines):
    """Look through a capture of these lines."""
    path = tmp_path / "capture.txt"
    path.write_text("".join(lines))
    return capture_contents(path)


@pytest.mark.parametrize(("odd", "lot"), [(0, "0.01"), (1, "0.01"), (2, "0.0001")])
def test_the_lot_is_that_of_ninety_nine_sizes_in_a_hundred(tmp_path, odd, lot):
    """An old order may be off the lot of today; two in a hundred are no exception any more."""
    lines = [trade("A", "1.5", "2.25")] * (100 - odd) + [trade("A", "1.5", "2.2525")] * odd

    assert found(tmp_path, *lines).instruments[0].lot_size == lot


def test_the_tick_has_as_many_decimals_as_any_price(tmp_path):
    """One price between two ticks is enough: prices are never off the tick."""
    spec = found(tmp_path, *[trade("A", "1.5", "1")] * 500, trade("A", "1.505", "1")).instruments[0]

    assert (spec.tick_size, spec.lot_size) == ("0.001", "1")


def test_only_the_first_lines_are_looked_at(tmp_path):
    """A symbol on the last of them is found, one on the line after it is not."""
    first = [trade("A", "1", "1")] * (LINES_MAX - 1)
    seen = found(tmp_path, *first, trade("B", "1", "1"), trade("C", "1", "1"))

    assert [spec.symbol for spec in seen.instruments] == ["A", "B"]


@pytest.mark.parametrize(
    ("more", "market", "multiplier"),
    [
        ({}, "spot", "1"),
        ({"pu": 5}, "usdm", "1"),
        ({"ps": "A"}, "coinm", "10"),
        ({"ps": "A", "pu": 5}, "coinm", "10"),
    ],
)
def test_the_market_is_told_by_the_fields_that_it_alone_has(tmp_path, more, market, multiplier):
    """One such message is enough, wherever it stands."""
    plain, special = trade("A", "1", "1"), trade("A", "1", "1", **more)
    for lines in ((plain, special), (special, plain)):
        seen = found(tmp_path, *lines)
        assert (seen.market, seen.instruments[0].multiplier) == (market, multiplier)
