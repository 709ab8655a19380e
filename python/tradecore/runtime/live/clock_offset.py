"""How far a venue's clock is from ours, by the times in its answers."""

from collections import deque

import msgspec

_KEPT = 16
# How far two clocks may part meanwhile, in parts of a million: that of a cheap quartz, twice.
_DRIFT_PPM = 100


class OffsetEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """How far the venue's clock is ahead of ours (below 0: behind), and how wrong that may be.

    Attributes
    ----------
    offset_ns, error_ns : int
        The truth is within `error_ns` of `offset_ns`.
    at_ns : int
        When it was measured, by our clock.
    """

    offset_ns: int
    error_ns: int
    at_ns: int

    def error_at(self, now_ns: int) -> int:
        """Return how wrong it may be by now: clocks part."""
        return self.error_ns + max(now_ns - self.at_ns, 0) * _DRIFT_PPM // 1_000_000

    def distance_ns(self, now_ns: int) -> int:
        """Return how far the clocks are apart at least."""
        return max(abs(self.offset_ns) - self.error_at(now_ns), 0)


class ClockOffset:
    """Keeps the last measures. Each says: the venue read its clock between our question and its answer.

    The best one is that with the smallest error by now. A clock that was set anew is seen when measures
    contradict each other: then the newest one counts, and those before are forgotten.
    """

    def __init__(self) -> None:
        self._measures: deque[OffsetEstimate] = deque(maxlen=_KEPT)

    def note(self, asked_ns: int, answered_ns: int, venue_ns: int) -> None:
        """Take in an answer with the venue's time: when it was asked and answered by our clock."""
        if venue_ns <= 0 or answered_ns < asked_ns:
            # Our own clock was set back meanwhile: that says nothing.
            return
        new = OffsetEstimate(
            offset_ns=venue_ns - (asked_ns + answered_ns) // 2,
            error_ns=(answered_ns - asked_ns + 1) // 2,
            at_ns=answered_ns,
        )
        best = self.estimate(answered_ns)
        if best is not None:
            parted_ns = abs(new.offset_ns - best.offset_ns)
            if parted_ns > new.error_ns + best.error_at(answered_ns):
                self._measures.clear()
        self._measures.append(new)

    def estimate(self, now_ns: int) -> OffsetEstimate | None:
        """Return the best measure by now; `None` before the first."""
        return min(self._measures, key=lambda each: each.error_at(now_ns), default=None)
