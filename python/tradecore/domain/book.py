"""The native order books, for research and benches; the engine keeps its own, one for each instrument."""

from tradecore._core import ExchangeBook, L2Book, OrderBook, OwnLevels

__all__ = ["ExchangeBook", "L2Book", "OrderBook", "OwnLevels"]
