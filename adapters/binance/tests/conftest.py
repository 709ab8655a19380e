"""The real captures of the repository and the instruments in them."""

import pytest

from support.binance_book import Capture
from support.shared import EXAMPLE_DATA
from tradecore.domain import InstrumentSpec
from tradecore_binance import Market

_SPECS = {
    Market.SPOT: ("binance-spot.gz", "BTCUSDT", "0.01", "0.00001"),
    Market.USDM: ("binance-usdm.gz", "BTCUSDT", "0.1", "0.001"),
    Market.COINM: ("binance-coinm.gz", "BTCUSD_PERP", "0.1", "1"),
}


@pytest.fixture(scope="session")
def captures() -> dict[Market, Capture]:
    """Return the real capture of each market."""
    return {
        market: Capture(
            market, EXAMPLE_DATA / name, InstrumentSpec(symbol=symbol, tick_size=tick, lot_size=lot)
        )
        for market, (name, symbol, tick, lot) in _SPECS.items()
    }
