"""The life of an order, for those who show it outside the engine: the table that the engine goes by."""

from tradecore._core import order_state_after, order_states

__all__ = ["order_state_after", "order_states"]
