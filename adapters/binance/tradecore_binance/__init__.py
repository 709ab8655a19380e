"""Public market data of Binance: live, captured and replayed."""

from tradecore_binance.capture_feed import BinanceCaptureFeed
from tradecore_binance.exchange_info import fetch_instruments
from tradecore_binance.live_feed import BinanceFeed
from tradecore_binance.market import ENDPOINTS, Endpoints, Market
from tradecore_binance.replay_server import Fault, FaultKind, ReplayServer

__all__ = [
    "ENDPOINTS",
    "BinanceCaptureFeed",
    "BinanceFeed",
    "Endpoints",
    "Fault",
    "FaultKind",
    "Market",
    "ReplayServer",
    "fetch_instruments",
]
