"""Counts what leaves for a venue, as the venue's own rules say it is counted."""

from collections import deque
from collections.abc import Callable, Mapping

from tradecore.testkit.local_venue.settings import LimitSetting

PROMISE = "P23"
# Share of the most that a key can have which is kept for cancels (docs/live.md).
_KEPT_FOR_CANCELS = 0.1
# What may use that: the dead man's timer, too, which only ever ends orders.
_OF_CANCELS = frozenset({"cancel", "cancel_all_after"})
_UNIT = 1_000_000_000
_FINDINGS_MAX = 5


class RequestWatch:
    """Keeps the bucket that a venue keeps for a key, over all engines of a run.

    Parameters
    ----------
    limits : LimitSetting
        What the venue allows.
    late_ns : int
        How long a request may be held up on this side after it was let out: a line has to stand first.
    find : callable
        Told what is wrong.

    Attributes
    ----------
    counted : int
        How many requests and questions have left.
    """

    def __init__(self, limits: LimitSetting, late_ns: int, find: Callable[[str], None]) -> None:
        self._rate, self._most = limits.per_second, limits.burst * _UNIT
        self._weights: Mapping[str, int] = limits.weights
        self._slack = late_ns * limits.per_second
        self._find = find
        self._left, self._seen_ns = self._most, 0
        # Cancels of just now: one that was let out later may leave before another request.
        self._cancels: deque[tuple[int, int]] = deque()
        self._late_ns = late_ns
        self._found = 0
        self.counted = 0

    def note(self, endpoint: str, now_ns: int) -> None:
        """Take note of a request as it leaves.

        Parameters
        ----------
        endpoint : str
            Its name, as the venue weighs it.
        now_ns : int
            A time that never jumps.
        """
        came = max(now_ns - self._seen_ns, 0) * self._rate
        self._left, self._seen_ns = min(self._left + came, self._most), now_ns
        weight = self._weights.get(endpoint, 1) * _UNIT
        self._left -= weight
        self.counted += 1
        while self._cancels and self._cancels[0][0] + self._late_ns < now_ns:
            self._cancels.popleft()
        if endpoint in _OF_CANCELS:
            self._cancels.append((now_ns, weight))
        kept = 0 if endpoint in _OF_CANCELS else min(int(self._most * _KEPT_FOR_CANCELS), self._most - weight)
        slack = self._slack + sum(weight for _, weight in self._cancels) if kept else self._slack
        if self._left + slack >= kept or self._found >= _FINDINGS_MAX:
            return
        self._found += 1
        over = (kept - self._left) / _UNIT
        if self._left + self._slack < 0:
            self._find(f"{endpoint} left at {now_ns} ns, {over:.2f} above what the venue allows")
        else:
            self._find(f"{endpoint} left at {now_ns} ns with {over:.2f} of what is kept for cancels")
