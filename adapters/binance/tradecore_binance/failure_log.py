"""Tells the log what fails at a venue: once, and then how often it went on failing."""

import logging
from collections.abc import Callable

log = logging.getLogger("tradecore.binance")

AGAIN_NS = 60_000_000_000


class FailureLog:
    """What failed last, by thing; a failure like it is counted for a minute instead of told.

    Parameters
    ----------
    now_ns : callable
        Returns the time, UTC nanoseconds.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._failures: dict[tuple[str, str], _Failure] = {}

    def failed(self, event: str, what: str, reason: str, delay_ns: int) -> None:
        """Note a failure, and when it is tried again; the reason is told where it is news."""
        known = self._failures.get((event, what))
        now_ns = self._now_ns()
        if known is not None and known.reason == reason and now_ns - known.told_ns < AGAIN_NS:
            known.untold += 1
            return
        repeated = 0 if known is None or known.reason != reason else known.untold
        self._failures[event, what] = _Failure(reason, now_ns)
        seconds = round(delay_ns / 1e9, 1)
        told = {"what": what, "reason": reason, "retry_seconds": seconds, "repeated": repeated}
        again = f" (and {repeated:,} more like it since)" if repeated else ""
        words = f"FEED: {event.replace('_', ' ')} ({what}): {reason}{again}; tried again in {seconds} s"
        log.warning(event, extra={"words": words, "told": told})

    def mended(self, event: str, what: str) -> None:
        """Note that it works again; what was counted meanwhile is told."""
        known = self._failures.pop((event, what), None)
        if known is None or not known.untold:
            return
        words = f"FEED: {event.replace('_', ' ')} ({what}) is over, after {known.untold:,} more like it"
        told = {"what": what, "event": event, "repeated": known.untold}
        log.warning("failure_over", extra={"words": words, "told": told})


class _Failure:
    """One kind of failure since it was told."""

    def __init__(self, reason: str, told_ns: int) -> None:
        self.reason = reason
        self.told_ns = told_ns
        self.untold = 0
