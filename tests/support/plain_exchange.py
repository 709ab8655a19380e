"""A slow plain exchange: sorted lists of prices, one queue a price; it takes the flow of agents."""

from bisect import insort


class PlainExchange:
    """The book of one instrument by price-time priority; also a `FlowSink`."""

    def __init__(self) -> None:
        # Bids under negated prices, so that the best level of both sides comes first.
        self.prices: dict[bool, list[int]] = {True: [], False: []}
        self.queues: dict[bool, dict[int, dict[int, int]]] = {True: {}, False: {}}
        self.places: dict[int, tuple[bool, int]] = {}
        # Price, lots, waiting order and arriving order (0: a market order) of every trade.
        self.trades: list[tuple[int, int, int, int]] = []
        self.misses = 0

    def flow_limit(self, time_ns, instrument_id, flow_id, is_buy, price_ticks, lots) -> None:
        """Trade with what the price reaches; the rest waits."""
        left = self._take(flow_id, is_buy, lots, price_ticks)
        if left:
            key = -price_ticks if is_buy else price_ticks
            queue = self.queues[is_buy].get(key)
            if queue is None:
                queue = self.queues[is_buy][key] = {}
                insort(self.prices[is_buy], key)
            queue[flow_id] = left
            self.places[flow_id] = (is_buy, key)

    def flow_market(self, time_ns, instrument_id, is_buy, lots) -> None:
        """Trade at any price."""
        if self._take(0, is_buy, lots, None):
            self.misses += 1

    def flow_cancel(self, time_ns, instrument_id, flow_id) -> None:
        """Take an order out if it is still there."""
        if place := self.places.pop(flow_id, None):
            is_buy, key = place
            del self.queues[is_buy][key][flow_id]
            self._drop_if_empty(is_buy, key)

    @property
    def spread_ticks(self) -> int:
        """Distance between the best prices."""
        return self.prices[False][0] + self.prices[True][0]

    def levels(self, is_buy: bool) -> int:
        """Count the prices of one side."""
        return len(self.prices[is_buy])

    def best_levels(self, is_buy: bool, count: int) -> list[tuple[int, int]]:
        """List prices and sizes of one side, best first."""
        return [(abs(key), sum(self.queues[is_buy][key].values())) for key in self.prices[is_buy][:count]]

    def _take(self, taker_id: int, is_buy: bool, lots: int, limit_ticks: int | None) -> int:
        other = not is_buy
        while lots and self.prices[other]:
            key = self.prices[other][0]
            if limit_ticks is not None and key > (limit_ticks if is_buy else -limit_ticks):
                break
            queue = self.queues[other][key]
            flow_id = next(iter(queue))
            part = min(lots, queue[flow_id])
            lots -= part
            queue[flow_id] -= part
            self.trades.append((abs(key), part, flow_id, taker_id))
            if not queue[flow_id]:
                del queue[flow_id], self.places[flow_id]
                self._drop_if_empty(other, key)
        return lots

    def _drop_if_empty(self, is_buy: bool, key: int) -> None:
        if not self.queues[is_buy][key]:
            del self.queues[is_buy][key]
            self.prices[is_buy].remove(key)
