"""What a capture is about is read from the capture."""

import pytest

from support.shared import EXAMPLE_DATA
from tradecore.domain import DataError
from tradecore_binance.capture_contents import capture_contents


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
