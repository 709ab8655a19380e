"""How often and how soon a request is sent again of which it is proved that nothing happened."""

import zlib

import msgspec

from tradecore.domain.backoff import doubled_ns

_MS = 1_000_000


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Exponential waits with jitter.

    Attributes
    ----------
    tries_max : int
        How often it is sent in all.
    first_ns, most_ns : int
        The first wait, doubled each time, and the longest.
    """

    tries_max: int
    first_ns: int
    most_ns: int

    def wait_ns(self, tries: int, at_least_ns: int, name: str) -> int:
        """Return how long to wait after so many tries, 1 or more: from half of the wait to all of it.

        The jitter is made of the request's `name`: a thousand requests that failed together do not come back
        together, and the same run waits the same times.
        """
        wait_ns = doubled_ns(self.first_ns, self.most_ns, tries - 1)
        share = zlib.crc32(f"{name} {tries}".encode())
        return max(at_least_ns, wait_ns // 2 + (wait_ns // 2 * share >> 32))


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are sent again, by what they are.

    Attributes
    ----------
    placement : RetryPolicy
        New orders.
    modification : RetryPolicy
        Amendments and cancels.
    data : RetryPolicy
        Questions.
    """

    placement: RetryPolicy = RetryPolicy(tries_max=5, first_ns=100 * _MS, most_ns=5_000 * _MS)
    modification: RetryPolicy = RetryPolicy(tries_max=4, first_ns=200 * _MS, most_ns=3_000 * _MS)
    data: RetryPolicy = RetryPolicy(tries_max=3, first_ns=500 * _MS, most_ns=10_000 * _MS)


class ReportTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long the report of what a venue took may take, before it is asked what became of it.

    Attributes
    ----------
    default_ns : int
        For every kind of order that has none of its own.
    by_kind : dict of str to int
        By the kind of the order, e.g. `market`.
    """

    default_ns: int = 60_000 * _MS
    by_kind: dict[str, int] = {}

    def of(self, order_kind: str) -> int:
        """Return it for a kind of order, in nanoseconds."""
        return self.by_kind.get(order_kind, self.default_ns)
