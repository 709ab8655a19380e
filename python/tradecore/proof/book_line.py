"""The line that book messages of one market go over: what is lost there, doubled, swapped, late or false."""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from random import Random
from typing import NamedTuple

Levels = tuple[tuple[int, int], ...]
_STATES_KEPT = 512
_HELD_NS_MAX = 6_000_000_000


class FeedFault(StrEnum):
    """What may be wrong with market data."""

    DOUBLED = "doubled"
    """A message comes twice."""
    SWAPPED = "swapped"
    """A message comes after the next one."""
    GAP = "gap"
    """A message does not come."""
    STALE = "stale"
    """Nothing comes for a while, then all of it."""
    CROSSED = "crossed"
    """A message has a bid at or above the best ask."""
    OLD_SNAPSHOT = "old_snapshot"
    """A snapshot of before comes once more."""
    RESET = "reset"
    """The venue begins to number from 1 again."""


class Told(NamedTuple):
    """A book message."""

    is_snapshot: bool
    first_id: int
    last_id: int
    prev_id: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class Levelled(NamedTuple):
    """A whole book: bids and asks, the best first."""

    bids: Levels
    asks: Levels


class ReferenceBook:
    """What the venue's book was at each of its messages, kept by the market itself, level by level."""

    def __init__(self) -> None:
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._states: dict[int, Levelled] = {}
        self._last_id = 0

    def follows(self, told: Told) -> bool:
        """Tell whether a message follows on what it has; one that somebody else has taken is missing here."""
        return told.first_id == self._last_id + 1

    def take(self, told: Told) -> None:
        """Take in what has changed, or the whole book, as the market made it."""
        self._last_id = told.last_id
        for side, levels in zip(self._sides, (told.bids, told.asks), strict=True):
            if told.is_snapshot:
                side.clear()
            for price, lots in levels:
                if lots:
                    side[price] = lots
                else:
                    side.pop(price, None)
        self._states[told.last_id] = self.now()
        if len(self._states) > _STATES_KEPT:
            del self._states[next(iter(self._states))]

    def now(self) -> Levelled:
        """Return the book as it is now."""
        bids, asks = self._sides
        return Levelled(tuple(sorted(bids.items(), reverse=True)), tuple(sorted(asks.items())))

    def at(self, last_id: int) -> Levelled | None:
        """Return the book after a message; `None` where that is too long ago, or was never."""
        return self._states.get(last_id)

    def best_ask(self) -> int | None:
        """Return the best ask, in ticks."""
        return min(self._sides[1], default=None)


class BookLine:
    """Brings the messages of one market, or something else in their place.

    Parameters
    ----------
    draw : Random
        Decides what goes wrong.
    shares : mapping of FeedFault to float
        How often what goes wrong.

    Attributes
    ----------
    reference : ReferenceBook
        The truth, by the numbers that the market gives.
    spoiled : int
        How many messages were other than they should be.
    newest_id : int
        The newest message that came out, by the market's number; 0 where none has since the line began anew.
    told_ns : int
        When something came out last.
    """

    def __init__(self, draw: Random, shares: Mapping[FeedFault, float]) -> None:
        self._draw = draw
        self._shares = shares
        self.reference = ReferenceBook()
        self.spoiled = 0
        self.newest_id = self.told_ns = 0
        # What is held back, and until when; a swapped message waits for the next one alone.
        self._held: deque[Told] = deque()
        self._held_until_ns = 0
        self._swapped: Told | None = None
        self._snapshot: Told | None = None
        # How far the numbers that are told are behind those of the market.
        self._shift = 0
        # Whether a change came out since the last snapshot: until then new numbers look like old ones.
        self._is_followed = False

    def begin_anew(self) -> None:
        """Let go of what is held back: who listened has gone."""
        self._held.clear()
        self._held_until_ns, self._swapped = 0, None
        self.newest_id = 0

    def cease(self) -> None:
        """Let nothing go wrong any more."""
        self._shares = {}
        self._held_until_ns = 0

    def number_of(self, market_id: int) -> int:
        """Return the number by which the line tells of a message."""
        return max(market_id - self._shift, 0)

    def late(self, now_ns: int) -> list[Told]:
        """Return what was held back and comes now."""
        if now_ns < self._held_until_ns:
            return []
        late = [*self._held]
        self._held.clear()
        return late

    def passed(self, told: Told, now_ns: int) -> list[Told]:
        """Return what comes out for a message that goes in."""
        if now_ns < self._held_until_ns:
            self._held.append(told)
            return []
        fault = self._drawn()
        out = self._spoiled(fault, told, now_ns)
        self._is_followed = bool(out) and not out[-1].is_snapshot
        if self._swapped is not None and fault is not FeedFault.SWAPPED:
            out.append(self._swapped)
            self._swapped = None
        if told.is_snapshot:
            self._snapshot = told
        return out

    def told(self, each: Told, now_ns: int) -> Told:
        """Return a message with the numbers that it is told by, as it comes out."""
        self.newest_id, self.told_ns = max(self.newest_id, each.last_id), now_ns
        shift = self._shift
        return each._replace(
            first_id=max(each.first_id - shift, 0),
            last_id=max(each.last_id - shift, 0),
            prev_id=max(each.prev_id - shift, 0),
        )

    def _drawn(self) -> FeedFault | None:
        chance = self._draw.random()
        for fault, share in self._shares.items():
            chance -= share
            if chance < 0:
                return fault
        return None

    def _spoiled(self, fault: FeedFault | None, told: Told, now_ns: int) -> list[Told]:
        if fault is None or (told.is_snapshot and fault not in _OF_SNAPSHOTS):
            return [told]
        self.spoiled += 1
        match fault:
            case FeedFault.DOUBLED:
                return [told, told]
            case FeedFault.GAP:
                return []
            case FeedFault.SWAPPED if self._swapped is None:
                self._swapped = told
                return []
            case FeedFault.STALE:
                self._held.append(told)
                self._held_until_ns = now_ns + self._draw.randrange(_HELD_NS_MAX)
                return []
            case FeedFault.CROSSED if (ask := self.reference.best_ask()) is not None:
                bids = [*told.bids, (ask + self._draw.randrange(3), 1 + self._draw.randrange(9))]
                return [told._replace(bids=bids)]
            case FeedFault.OLD_SNAPSHOT if self._snapshot is not None:
                return [told, self._snapshot]
            case FeedFault.RESET if self._is_followed:
                self._shift = told.first_id - 1
                self._snapshot = None
                return [told]
        self.spoiled -= 1
        return [told]


_OF_SNAPSHOTS = frozenset({FeedFault.DOUBLED, FeedFault.GAP, FeedFault.STALE})
