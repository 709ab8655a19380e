"""Trades that the venue tells anew by a script: busted or corrected, a while after they happened."""

import heapq

from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind, FaultRule, Faults
from tradecore.testkit.local_venue.records import FillRow

_MS_NS = 1_000_000


class Revisions:
    """Draws for each trade, as it is told first, what becomes of it.

    Parameters
    ----------
    exchange : LocalExchange
        Where they trade.
    faults : Faults
        What becomes of trades.
    """

    def __init__(self, exchange: LocalExchange, faults: Faults) -> None:
        self._exchange = exchange
        self._faults = faults
        self._read = 0
        # By the time at which they are due, and their number for those of one time.
        self._due: list[tuple[int, int, FillRow, FaultRule]] = []

    @property
    def has_due(self) -> bool:
        """Whether a trade is still to be told anew."""
        return bool(self._due)

    def advance(self, now_ns: int) -> None:
        """Draw for the trades since the last time, and tell anew what is due."""
        truth = self._exchange.truth
        for number in range(self._read, len(truth)):
            deed = truth[number]
            if isinstance(deed, FillRow) and not deed.revision:
                fault = self._faults.draw(Endpoint.TRADE)
                if fault is not None:
                    due_ns = deed.time_ns + fault.delay_ms * _MS_NS
                    heapq.heappush(self._due, (due_ns, number, deed, fault))
        self._read = len(truth)
        while self._due and self._due[0][0] <= now_ns:
            _, _, deed, fault = heapq.heappop(self._due)
            self._tell_anew(deed, fault, now_ns)

    def _tell_anew(self, deed: FillRow, fault: FaultRule, now_ns: int) -> None:
        is_bust = fault.kind is FaultKind.TRADE_BUSTED
        self._exchange.revise(
            deed.account,
            now_ns,
            number=deed.order,
            trade=deed.trade,
            price_ticks=None if is_bust else max(deed.price_ticks + fault.ticks, 1),
            lots=0 if is_bust else max(deed.lots + fault.lots, 1),
        )
