"""Which events are about what: each kind of frame that the kernel journals belongs to one group."""

from collections import Counter
from collections.abc import Iterable, Mapping

REQUESTS, REPORTS, QUERIES, CANCELS = "requests", "reports", "queries", "cancels"
OF_ORDERS = (REQUESTS, REPORTS, QUERIES, CANCELS)
MARKET, OTHER = "market", "other"
GROUPS = (*OF_ORDERS, MARKET, OTHER)
_GROUP_OF = {
    "order": REQUESTS,
    "replace_request": REQUESTS,
    "sent": REQUESTS,
    "report": REPORTS,
    "venue_report": REPORTS,
    "venue_revision": REPORTS,
    "revision": REPORTS,
    "sized": REPORTS,
    "surprise": REPORTS,
    "link": REPORTS,
    "adopted": REPORTS,
    # A question itself leaves no frame; why it is asked, and what came of the answers, does.
    "outcome_lost": QUERIES,
    "reconciling": QUERIES,
    "reconciled": QUERIES,
    "cancel_request": CANCELS,
    "quote": MARKET,
    "trade": MARKET,
    "book": MARKET,
    "checked_book": MARKET,
    "feed": MARKET,
}


def split(kinds: Mapping[str, int], cancels_sent: int) -> Counter[str]:
    """Return how many events are about what.

    Parameters
    ----------
    kinds : mapping of str to int
        How many frames of each kind there are.
    cancels_sent : int
        How many of those of the kind `sent` are of a cancel.
    """
    found: Counter[str] = Counter()
    for kind, count in kinds.items():
        found[_GROUP_OF.get(kind, OTHER)] += count
    found[REQUESTS] -= cancels_sent
    found[CANCELS] += cancels_sent
    return found


def of_orders(counts: Mapping[str, int]) -> int:
    """Return how many of them belong to orders."""
    return sum(counts.get(group, 0) for group in OF_ORDERS)


def shares(counts: Mapping[str, int], events: int) -> Iterable[tuple[str, str]]:
    """Yield each group with its count and share, as words for a table."""
    for group in GROUPS:
        count = counts.get(group, 0)
        yield group, f"{count:,} ({count / events if events else 0.0:.1%})"
