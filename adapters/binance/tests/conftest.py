"""The real captures and the instruments in them."""

import pytest

from support.binance_book import Capture
from support.shared import shared_data
from tradecore.domain import InstrumentSpec
from tradecore_binance import Market

_SPECS = {
    Market.SPOT: ("hftbacktest_binance_spot/spot/btcusdt_20240808.gz", "BTCUSDT", "0.01", "0.00001"),
    Market.USDM: ("hftbacktest_binance_usdm/usdm/btcusdt_20240808.gz", "BTCUSDT", "0.1", "0.001"),
    Market.COINM: ("hftbacktest_binance_cm/cm/btcusd_perp_20240808.gz", "BTCUSD_PERP", "0.1", "1"),
}


@pytest.fixture(scope="session")
def captures() -> dict[Market, Capture]:
    """Return the real capture of each market, or skip and say what is missing."""
    return {
        market: Capture(
            market, shared_data(f"public/{path}"), InstrumentSpec(symbol=symbol, tick_size=tick, lot_size=lot)
        )
        for market, (path, symbol, tick, lot) in _SPECS.items()
    }
