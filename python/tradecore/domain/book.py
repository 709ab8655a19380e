"""The native order book, for research and benches; the engine keeps its own, one for each instrument."""

from tradecore._core import L2Book, OwnLevels

__all__ = ["L2Book", "OwnLevels"]
