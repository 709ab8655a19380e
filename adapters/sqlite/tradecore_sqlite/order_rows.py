"""Rows of orders: each record about an order changes one row."""

from tradecore.domain.order_life import OrderLife
from tradecore_sqlite.readable import Readable


class OrderRow(OrderLife, kw_only=True):
    """A row of the table `orders`, its fields in the order of the columns: the order, then what it means."""

    strategy_name: str | None = None
    symbol: str | None = None
    price: str | None = None
    quantity: str | None = None
    filled: str | None = None
    account: str | None = None

    def make_readable(self, readable: Readable) -> None:
        """Say what its numbers mean."""
        self.strategy_name, self.symbol = readable.names(self.strategy, self.instrument)
        self.price = readable.price(self.instrument, self.price_ticks)
        self.quantity = readable.quantity(self.instrument, self.lots)
        self.filled = readable.quantity(self.instrument, self.filled_lots)
        self.account = readable.account(self.instrument)
