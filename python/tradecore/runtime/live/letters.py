"""Messages of a venue that make no sense: kept for people, each once."""

from collections import deque
from collections.abc import Iterator

from tradecore.domain.venue_findings import NotUnderstood

LETTERS_MAX = 1_000


class Letters:
    """Keeps the last messages that were not understood; what is said again is counted only.

    Attributes
    ----------
    count : int
        How many there were in all.
    """

    def __init__(self, most: int = LETTERS_MAX) -> None:
        self._kept: deque[NotUnderstood] = deque(maxlen=most)
        self._new: deque[NotUnderstood] = deque(maxlen=most)
        self.count = 0

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def __iter__(self) -> Iterator[NotUnderstood]:
        """Go through those that are kept, the oldest first."""
        return iter(tuple(self._kept))

    def append(self, letter: NotUnderstood) -> None:
        """Keep a message; the oldest goes when there are too many."""
        self.count += 1
        if letter not in self._kept:
            self._kept.append(letter)
            self._new.append(letter)

    def take_new(self) -> list[NotUnderstood]:
        """Return what has come since the last call, for whoever keeps them on a disk."""
        taken = list(self._new)
        self._new.clear()
        return taken
