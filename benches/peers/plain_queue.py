"""One resting order of one lot on the capture, in plain floats: what each engine's rules make of it.

The estimate of both is Rigtorp's: what leaves a level without a trade is divided between those ahead and
those behind. Beside that they differ in three rules, and each can be switched on its own.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from capture import Change
from maker import MEASURED, ORDER_LATENCY_NS, QUEUE_POWER


class Rules(NamedTuple):
    """What is done where the estimate of a place in a queue meets its limits.

    `stops_at_front`: the estimate never falls below nobody ahead. Without it, a large cancel leaves a
    negative number; its power turns the shares around, its logarithm is no number, and the order stands
    at the end of the level again.
    `forgets_trades`: a level that is stated again with the same size makes the trades since its last
    statement count as explained; what they took then counts as cancelled.
    `rounds_lots`: half a lot of a trade beyond those ahead fills a lot; without it, a whole one has to be
    left.
    """

    stops_at_front: bool
    forgets_trades: bool
    rounds_lots: bool


OURS = Rules(stops_at_front=True, forgets_trades=False, rounds_lots=False)
PEERS = Rules(stops_at_front=False, forgets_trades=True, rounds_lots=True)


def conservative(_ahead: float, _behind: float) -> float:
    """Take every cancel for one from behind."""
    return 1.0


def power(ahead: float, behind: float) -> float:
    """Give the share of cancels that were behind, by powers."""
    return _share(behind**QUEUE_POWER, ahead**QUEUE_POWER)


def logarithm(ahead: float, behind: float) -> float:
    """Give the share of cancels that were behind, by logarithms; no number where there is none."""
    if min(ahead, behind) <= -1.0:
        return math.nan
    return _share(math.log1p(behind), math.log1p(ahead))


SHARES = {"conservative": conservative, "power": power, "log": logarithm, MEASURED: conservative}


class PlainOrder:
    """An order of one lot that waits at its price."""

    def __init__(self, side: int, price: int, share: Callable[[float, float], float], rules: Rules) -> None:
        self.side, self.price, self.share, self.rules = side, price, share, rules
        self.ahead = self.level = self.traded = 0.0

    def join(self, lots: int) -> None:
        """Stand at the end of the level."""
        self.ahead = self.level = float(lots)

    def is_filled_by(self, price: int, lots: int, is_buy: bool) -> bool:
        """Let a trade of others pass."""
        if is_buy == (self.side > 0) or self.side * (self.price - price) < 0:
            return False
        if price != self.price:
            return True
        self.traded += lots
        self.ahead -= lots
        is_filled = self.ahead <= (-0.5 if self.rules.rounds_lots else -1.0)
        if self.rules.stops_at_front:
            self.ahead = max(self.ahead, 0.0)
        return is_filled

    def restate(self, lots: int) -> None:
        """Follow a statement of the level."""
        if lots == self.level and not self.rules.forgets_trades:
            return
        gone, self.traded = self.level - lots - self.traded, 0.0
        if gone >= 0:
            behind = self.level - self.ahead
            share = self.share(self.ahead, behind)
            self.ahead += min(behind - share * gone, 0.0) - (1.0 - share) * gone
        self.ahead = float(lots) if math.isnan(self.ahead) else min(self.ahead, float(lots))
        if self.rules.stops_at_front:
            self.ahead = max(self.ahead, 0.0)
        self.level = float(lots)


def _share(behind: float, ahead: float) -> float:
    """Divide as floats do: nothing by nothing is no number."""
    if behind + ahead == 0:
        return math.nan if behind == 0 else 1.0
    return behind / (behind + ahead)


class Wanted(NamedTuple):
    """An order to follow: when it was sent, and when its cancel was, or 0."""

    sent_ns: int
    order: PlainOrder
    cancelled_ns: int


def filled_ns(changes: Iterable[Change], wanted: list[Wanted]) -> list[int]:
    """Say when each order fills, 0 where it does not; one pass over the capture for all of them."""
    books: dict[int, dict[int, int]] = {1: {}, -1: {}}
    waiting = sorted(range(len(wanted)), key=lambda index: -wanted[index].sent_ns)
    resting: list[int] = []
    found = [0] * len(wanted)
    for change in changes:
        while waiting and wanted[waiting[-1]].sent_ns + ORDER_LATENCY_NS < change.time_ns:
            order = wanted[waiting[-1]].order
            order.join(books[order.side].get(order.price, 0))
            resting.append(waiting.pop())
        for side, levels in ((1, change.bids), (-1, change.asks)):
            for price, lots in levels:
                books[side][price] = lots
                if not lots:
                    del books[side][price]
        for index in [index for index in resting if _is_done(wanted[index], change, books, found, index)]:
            resting.remove(index)
    return found


def _is_done(wanted: Wanted, change: Change, books: dict, found: list[int], index: int) -> bool:
    """Let a change act on an order; it is done when it fills or its cancel has arrived."""
    if wanted.cancelled_ns and wanted.cancelled_ns + ORDER_LATENCY_NS < change.time_ns:
        return True
    order = wanted.order
    if change.trade is not None:
        is_filled = order.is_filled_by(*change.trade)
    else:
        own, other = (change.bids, change.asks) if order.side > 0 else (change.asks, change.bids)
        for price, lots in own:
            if price == order.price:
                order.restate(lots)
        # A level that is stated on the other side at our price or through it has run into us.
        is_filled = any(
            lots and order.side * (order.price - price) >= 0 and price in books[-order.side]
            for price, lots in other
        )
    if is_filled:
        found[index] = change.time_ns
    return is_filled
