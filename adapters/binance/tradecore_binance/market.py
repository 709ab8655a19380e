"""The markets of Binance and where their public data are."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from tradecore.domain import InstrumentSpec
from tradecore.domain.feeds import BinanceDecoder


class Market(StrEnum):
    """Which market of Binance: each has addresses, paths and rules of its own."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where a market's public data are; `/stream` is appended to `ws_url`, `rest_path` to `rest_url`.

    Source: Binance developer documentation, general endpoint information of spot and derivatives (2026).
    """

    ws_url: str
    rest_url: str
    rest_path: str


ENDPOINTS = {
    # The hosts that serve market data only.
    Market.SPOT: Endpoints(
        ws_url="wss://data-stream.binance.vision",
        rest_url="https://data-api.binance.vision",
        rest_path="/api/v3",
    ),
    # Depth, best bid and ask and trades are routed through `/public` since 2026-04-23.
    Market.USDM: Endpoints(
        ws_url="wss://fstream.binance.com/public",
        rest_url="https://fapi.binance.com",
        rest_path="/fapi/v1",
    ),
    Market.COINM: Endpoints(
        ws_url="wss://dstream.binance.com",
        rest_url="https://dapi.binance.com",
        rest_path="/dapi/v1",
    ),
}


def make_decoder(market: Market, instruments: Sequence[InstrumentSpec]) -> BinanceDecoder:
    """Return a decoder of these instruments, whose ids are their positions."""
    symbols = [(spec.symbol, at, spec.tick_size, spec.lot_size) for at, spec in enumerate(instruments)]
    return BinanceDecoder(market.value, symbols, instruments[0].symbol if instruments else None)
