"""The native order books, for research and benches; the engine keeps its own, one for each instrument."""

from tradecore._core import BookSide, ExchangeBook, L2Book, OrderBook, OwnLevels, TopView

__all__ = ["BookSide", "ExchangeBook", "L2Book", "OrderBook", "OwnLevels", "TopView"]
