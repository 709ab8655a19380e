"""One resting order on the capture, in plain floats: what each engine's rules make of it.

The estimate of both is Rigtorp's: what leaves a level without a trade is divided between those ahead and
those behind. Beside that they differ in four rules, and each can be switched on its own.
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
    `fills_whole`: a trade through the price, or a level of the other side that runs into the order, fills all
    that is left of it; without it, no more than the trade or those levels have.
    """

    stops_at_front: bool
    forgets_trades: bool
    rounds_lots: bool
    fills_whole: bool


OURS = Rules(stops_at_front=True, forgets_trades=False, rounds_lots=False, fills_whole=False)
PEERS = Rules(stops_at_front=False, forgets_trades=True, rounds_lots=True, fills_whole=True)
# When the venue filled a part of an order, and how many lots.
Part = tuple[int, int]


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
    """An order that waits at its price."""

    def __init__(
        self,
        side: int,
        price: int,
        share: Callable[[float, float], float],
        rules: Rules,
        lots: int = 1,
    ) -> None:
        self.side, self.price, self.share, self.rules, self.left = side, price, share, rules, lots
        self.ahead = self.level = self.traded = 0.0
        # What was taken of levels of the other side that ran into it: their size as it was, and lots.
        self.taken: dict[int, tuple[int, int]] = {}

    def join(self, lots: int) -> None:
        """Stand at the end of the level."""
        self.ahead = self.level = float(lots)

    def pass_trade(self, price: int, lots: int, is_buy: bool) -> int:
        """Let a trade of others pass; give the lots that fill."""
        if is_buy == (self.side > 0) or self.side * (self.price - price) < 0:
            return 0
        if price != self.price:
            self.ahead = 0.0
            return self._fill(self.left if self.rules.fills_whole else lots)
        self.traded += lots
        self.ahead -= lots
        beyond = math.floor((0.5 if self.rules.rounds_lots else 0.0) - self.ahead)
        if beyond > 0 or self.rules.stops_at_front:
            self.ahead = max(self.ahead, 0.0)
        return self._fill(max(beyond, 0))

    def meet(self, levels: dict[int, int]) -> int:
        """Let the levels of the other side run into it; give the lots that fill."""
        met = {price: lots for price, lots in levels.items() if self.side * (self.price - price) >= 0}
        if met and self.rules.fills_whole:
            return self._fill(self.left)
        filled = 0
        for price in sorted(met, key=lambda price: self.side * price):
            size, taken = self.taken.get(price, (0, 0))
            before = taken if size == met[price] else 0
            part = self._fill(met[price] - before)
            self.taken[price] = met[price], before + part
            filled += part
        return filled

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

    def _fill(self, lots: int) -> int:
        """Take so many lots off what is left, or all of it."""
        part = min(lots, self.left)
        self.left -= part
        return part


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


def parts_of(changes: Iterable[Change], wanted: list[Wanted]) -> list[tuple[Part, ...]]:
    """Say when each order fills, and how much of it; one pass over the capture for all of them."""
    books: dict[int, dict[int, int]] = {1: {}, -1: {}}
    waiting = sorted(range(len(wanted)), key=lambda index: -wanted[index].sent_ns)
    resting: list[int] = []
    found: list[dict[int, int]] = [{} for _ in wanted]
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
        for index in list(resting):
            if _is_cancelled(wanted[index], change.time_ns):
                resting.remove(index)
            elif lots := _filled(wanted[index].order, change, books):
                found[index][change.time_ns] = found[index].get(change.time_ns, 0) + lots
                if not wanted[index].order.left:
                    resting.remove(index)
    return [tuple(parts.items()) for parts in found]


def _is_cancelled(wanted: Wanted, now_ns: int) -> bool:
    """Tell whether its cancel has arrived."""
    return wanted.cancelled_ns > 0 and wanted.cancelled_ns + ORDER_LATENCY_NS < now_ns


def _filled(order: PlainOrder, change: Change, books: dict[int, dict[int, int]]) -> int:
    """Let a change act on an order; give the lots that fill."""
    if change.trade is not None:
        return order.pass_trade(*change.trade)
    own, other = (change.bids, change.asks) if order.side > 0 else (change.asks, change.bids)
    for price, lots in own:
        if price == order.price:
            order.restate(lots)
    # Only levels that this change states can be the first to run into us.
    is_met = any(lots and order.side * (order.price - price) >= 0 for price, lots in other)
    return order.meet(books[-order.side]) if is_met else 0
