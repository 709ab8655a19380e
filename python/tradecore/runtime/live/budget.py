"""How many requests may leave: what a venue allows, with a part that only cancels may use."""

import struct
from typing import Protocol, Self

import msgspec

from tradecore.domain.venue_capabilities import VenueCapabilities

_SKEW_NS = 5_000_000_000
# Weight that is left in units of a billionth, when that was, and a check of both.
_FORM = struct.Struct("<qqQ")
_CHECK = 0x74726164_65636F72
UNIT = 1_000_000_000
BYTES = _FORM.size


class BudgetRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a bucket of requests holds.

    Attributes
    ----------
    per_second : float
        Weight that comes in each second, above 0; infinite is without a limit.
    burst : float
        Weight that it holds at most, at least 1.
    reserve : float
        Share of the bucket that only cancels may use, 0 to below 1.
    """

    per_second: float
    burst: float
    reserve: float = 0.1

    @classmethod
    def of(cls, venue: VenueCapabilities) -> Self:
        """Return what may leave for a venue."""
        burst = venue.requests_per_second if venue.requests_burst is None else venue.requests_burst
        return cls(per_second=venue.requests_per_second, burst=max(burst, 1.0))

    @property
    def has_limit(self) -> bool:
        """Whether there is anything to keep within."""
        return self.per_second != float("inf")


class Bucket(msgspec.Struct, frozen=True):
    """How much weight is left in units of a billionth, and when that was.

    Any bytes are a bucket: what nobody wrote so is an empty one, which lets less out rather than more.
    """

    left: int
    seen_ns: int

    def taken(self, rules: BudgetRules, now_ns: int, weight: float, *, is_cancel: bool) -> "Bucket | None":
        """Return what is left after a request; `None` where there is no room for it now."""
        filled = self.filled(rules, now_ns)
        kept = 0 if is_cancel else int(rules.burst * rules.reserve * UNIT)
        needed = int(weight * UNIT)
        if filled.left < needed + min(kept, max(int(rules.burst * UNIT) - needed, 0)):
            return None
        return Bucket(filled.left - needed, filled.seen_ns)

    def wait_ns(self, rules: BudgetRules, now_ns: int, weight: float) -> int:
        """Return how long it takes until there is room for a request that is no cancel."""
        most, needed = int(rules.burst * UNIT), int(weight * UNIT)
        lacking = min(needed + int(most * rules.reserve), max(most, needed)) - self.filled(rules, now_ns).left
        return int(lacking / rules.per_second) + 1 if lacking > 0 else 0

    def filled(self, rules: BudgetRules, now_ns: int) -> "Bucket":
        """Return it with what has come in since; a clock that went back brings nothing."""
        came = int(max(now_ns - self.seen_ns, 0) * rules.per_second)
        return Bucket(min(self.left + came, int(rules.burst * UNIT)), max(now_ns, self.seen_ns))

    def encoded(self) -> bytes:
        """Return its bytes, always as many."""
        return _FORM.pack(self.left, self.seen_ns, _check(self.left, self.seen_ns))

    @classmethod
    def decoded(cls, data: bytes, now_ns: int) -> "Bucket":
        """Read its bytes; whatever else they are is an empty bucket."""
        if len(data) == BYTES:
            left, seen_ns, check = _FORM.unpack(data)
            if check == _check(left, seen_ns):
                # A clock that began anew with the machine is far behind; that of another process is not.
                return cls(left, seen_ns if seen_ns - now_ns < _SKEW_NS else now_ns)
        return cls(0, now_ns)


def _check(left: int, seen_ns: int) -> int:
    return (left * 0x9E3779B97F4A7C15 ^ seen_ns ^ _CHECK) & (2**64 - 1)


class Budget(Protocol):
    """Lets requests out within what a venue allows. It never waits.

    Attributes
    ----------
    trouble : str
        Why it is not what all processes share; empty where all is well.
    """

    trouble: str

    def take(self, now_ns: int, weight: float = 1.0, *, is_cancel: bool) -> bool:
        """Take a request's weight out; `False` when there is no room for it now."""
        ...

    def wait_ns(self, now_ns: int, weight: float = 1.0) -> int:
        """Return how long it takes until there is room for a request that is no cancel."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class RequestBudget:
    """A budget of this process alone.

    Parameters
    ----------
    rules : BudgetRules
        What it holds; full at the beginning.
    """

    def __init__(self, rules: BudgetRules) -> None:
        self._rules = rules
        self.trouble = ""
        self._bucket: Bucket | None = None

    def take(self, now_ns: int, weight: float = 1.0, *, is_cancel: bool) -> bool:
        """Take a request's weight out; `False` when there is no room for it now."""
        if not self._rules.has_limit:
            return True
        taken = self._known(now_ns).taken(self._rules, now_ns, weight, is_cancel=is_cancel)
        self._bucket = taken or self._bucket
        return taken is not None

    def wait_ns(self, now_ns: int, weight: float = 1.0) -> int:
        """Return how long it takes until there is room for a request that is no cancel."""
        return self._known(now_ns).wait_ns(self._rules, now_ns, weight) if self._rules.has_limit else 0

    def close(self) -> None:
        """Hold nothing."""

    def _known(self, now_ns: int) -> Bucket:
        if self._bucket is None:
            self._bucket = Bucket(int(self._rules.burst * UNIT), now_ns)
        return self._bucket
