"""A plain book of Binance messages: the venue's own recipe, slow and obviously right."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tradecore.domain import EventBatch, InstrumentSpec
from tradecore.domain.feeds import read_events


class Capture(NamedTuple):
    """A real capture of one instrument."""

    market: str
    path: Path
    spec: InstrumentSpec


class PlainBook:
    """Joins snapshots and diffs and compares the best prices with every quote of the same update id."""

    def __init__(self, market: str) -> None:
        self._is_spot = market == "spot"
        self._waiting: list[tuple] = []
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._quotes: dict[int, tuple[int, ...]] = {}
        self.last_id = 0
        self.is_valid = False
        self.is_joined = False
        self.needs_snapshot = True
        self.compared = self.mismatches = self.gaps = self.losses = self.synchronisations = 0
        self.events = self.events_since_loss = 0

    def take(self, batch: EventBatch) -> None:
        """Take the events of a batch in order."""
        for event in read_events(batch):
            self.events += 1
            self.events_since_loss += 1
            kind, _, _, *values = event
            if kind == "book":
                self._book(*values)
            elif kind == "quote":
                self._quotes[values[4]] = tuple(values[:4])
                self._compare(values[4])
            elif kind == "feed_lost":
                self.losses += 1
                self.events_since_loss = 0
                self._invalidate()

    def best(self) -> tuple[int, int, int, int]:
        """Return best bid, its size, best ask, its size."""
        bids, asks = self._sides
        bid, ask = max(bids, default=0), min(asks, default=0)
        return bid, bids.get(bid, 0), ask, asks.get(ask, 0)

    def _invalidate(self) -> None:
        self.is_valid = False
        self.needs_snapshot = True
        self._waiting.clear()

    def _book(self, is_snapshot, first_id, last_id, prev_id, bids, asks) -> None:
        if is_snapshot:
            self._sides = (dict(bids), dict(asks))
            self.last_id, self.is_valid, self.is_joined, self.needs_snapshot = last_id, True, False, False
            self.synchronisations += 1
            waiting, self._waiting = self._waiting, []
            for diff in waiting:
                if self.is_valid:
                    self._diff(*diff)
        elif not self.is_valid:
            self._waiting.append((first_id, last_id, prev_id, bids, asks))
        else:
            self._diff(first_id, last_id, prev_id, bids, asks)

    def _diff(self, first_id, last_id, prev_id, bids, asks) -> None:
        if not self.is_joined:
            if last_id < self.last_id + self._is_spot:
                return
            follows = first_id <= self.last_id + self._is_spot
        else:
            follows = first_id == self.last_id + 1 if self._is_spot else prev_id == self.last_id
        if not follows:
            self.gaps += 1
            self._invalidate()
            return
        self.is_joined = True
        for side, levels in zip(self._sides, (bids, asks), strict=True):
            _apply(side, levels)
        self.last_id = last_id
        self._compare(last_id)

    def _compare(self, update_id: int) -> None:
        if self.is_valid and self.is_joined and update_id == self.last_id and update_id in self._quotes:
            self.compared += 1
            self.mismatches += self.best() != self._quotes[update_id]


def _apply(side: dict[int, int], levels: Iterable[tuple[int, int]]) -> None:
    for price, lots in levels:
        if lots:
            side[price] = lots
        else:
            side.pop(price, None)
