"""What becomes of requests to an endpoint that fails again and again: one probe at a time leaves."""

from tradecore.domain.backoff import doubled_ns

_SECOND_NS = 1_000_000_000
FAILURES_MAX = 5
FIRST_NS, MOST_NS = _SECOND_NS, 30 * _SECOND_NS


class Breaker:
    """Opens after some failures in turn, and lets one probe through after a while: half open.

    A probe that fails opens it again for twice as long; one that gets any answer closes it.

    Parameters
    ----------
    failures_max : int
        Failures in turn after which it opens.
    first_ns, most_ns : int
        For how long it opens at first, doubled each time, and at most.
    """

    def __init__(
        self, *, failures_max: int = FAILURES_MAX, first_ns: int = FIRST_NS, most_ns: int = MOST_NS
    ) -> None:
        self._failures_max, self._first_ns, self._most_ns = failures_max, first_ns, most_ns
        self._failures = 0
        self._openings = 0
        self._probe_ns: int | None = None
        self._has_probe = False

    def is_open(self, now_ns: int) -> bool:
        """Tell whether nothing may leave now."""
        return self._probe_ns is not None and (self._has_probe or now_ns < self._probe_ns)

    @property
    def is_tripped(self) -> bool:
        """Whether it opened, and no probe has come through since."""
        return self._probe_ns is not None

    @property
    def probe_ns(self) -> int | None:
        """When the next probe may leave; `None` where none is needed, or one is under way."""
        return None if self._has_probe else self._probe_ns

    def note_sent(self) -> None:
        """Take in that a request left: where it is half open, that is the probe."""
        self._has_probe = self._probe_ns is not None

    def note_unsent(self) -> None:
        """Take in that what was to leave did not: nothing follows from that, and the probe is free."""
        self._has_probe = False

    def note_answer(self) -> None:
        """Take in that the endpoint answered, whatever it said."""
        self._failures = self._openings = 0
        self._probe_ns, self._has_probe = None, False

    def note_failure(self, now_ns: int) -> None:
        """Take in that it did not answer, or not with sense."""
        self._failures += 1
        if self._probe_ns is None and self._failures < self._failures_max:
            return
        if self._probe_ns is None or self._has_probe:
            # What was under way when it opened says nothing new.
            self._probe_ns = now_ns + doubled_ns(self._first_ns, self._most_ns, self._openings)
            self._openings += 1
        self._has_probe = False
