"""Public market data of Binance, captured and live.

The live feed (`tradecore_binance.live_feed`) and the replay server bring aiohttp and its tenth of a second of
start-up, so they are imported by whoever needs them.
"""

from tradecore_binance.capture_feed import BinanceCaptureFeed
from tradecore_binance.market import ENDPOINTS, Endpoints, Market

__all__ = ["ENDPOINTS", "BinanceCaptureFeed", "Endpoints", "Market"]
