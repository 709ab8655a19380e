"""The promises that a simulation puts to the test, and what came of many seeds, promise by promise."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from tradecore.proof.audit import Finding
from tradecore.proof.run import Outcome

SAME_AGAIN = "P37"
# What stands in the table: what is looked at in each run, and nothing else.
CHECKED = {
    "P3": "an order is durable in the journal before it reaches the venue",
    "P8": "a replay of the journal gives the same bytes and the same state, after each kill and at the end",
    "P15": "one order of the engine is at most one order at the venue",
    "P16": "an order in doubt is given up only where the venue does not have it",
    "P17": "orders go through legal states, and fill no more than their size",
    "P18": "reports that come twice, late, swapped or never change nothing in the end",
    "P19": "after each restart books and venue come together again",
    "P21": "what the stream lost is fetched, and no risk is added before that",
    "P22": "429, 5xx, pages of HTML, empty lists and old answers lead to no wrong conclusion",
    "P27": "a position is the sum of its fills",
    "P28": "cash is that of the venue, to one atto unit",
    "P37": "the same seed gives the same bytes of the journal and of the venue's list",
}
# Promises of the same kind that no part of the simulation looks at yet.
NOT_BUILT = {
    "P5": "a full disk",
    "P13": "a second engine at the account",
    "P20": "market data that are wrong",
    "P23": "the budget of requests",
    "P24": "the kill switch",
    "P25": "the dead man's timer",
    "P36": "clocks that jump",
    "P40": "tasks in any order",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One promise: how often it was put to the test and broken, and the seed that broke it most."""

    promise: str
    words: str
    tried: int
    found: int
    worst_seed: int | None


class Tally:
    """Adds up what seeds came to.

    Attributes
    ----------
    seeds, events, order_events, orders, fills, kills, faults : int
        Sums over all of them.
    virtual_seconds : float
        How long all of them took by their clocks.
    failed : dict of int to tuple of Finding
        What was broken, by the seed.
    """

    def __init__(self) -> None:
        self.seeds = self.events = self.order_events = self.orders = self.fills = 0
        self.kills = self.faults = 0
        self.virtual_seconds = 0.0
        self.failed: dict[int, tuple[Finding, ...]] = {}
        self._tried: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Take in what a seed came to."""
        self.seeds += 1
        self.events += outcome.events
        self.order_events += outcome.order_events
        self.orders += outcome.orders
        self.fills += outcome.fills
        self.kills += outcome.kills
        self.faults += sum(outcome.faults.values())
        self.virtual_seconds += outcome.virtual_seconds
        self._tried.update(outcome.tried)
        if outcome.findings:
            self._fail(outcome.seed, outcome.findings)

    def add_again(self, first: Outcome, again: Outcome) -> None:
        """Take in what a seed came to a second time."""
        self._tried[SAME_AGAIN] += 1
        if first.digest != again.digest:
            words = f"the second run has {again.digest[:16]}, the first one {first.digest[:16]}"
            self._fail(first.seed, (Finding(SAME_AGAIN, words),))

    def _fail(self, seed: int, findings: Iterable[Finding]) -> None:
        self.failed[seed] = (*self.failed.get(seed, ()), *findings)

    def rows(self) -> list[Row]:
        """Return the table."""
        return [
            Row(
                promise=promise,
                words=words,
                tried=self._tried[promise],
                found=sum(by_seed.values()),
                worst_seed=max(by_seed, key=lambda seed: (by_seed[seed], -seed), default=None),
            )
            for promise, words in CHECKED.items()
            for by_seed in [self._found(promise)]
        ]

    def _found(self, promise: str) -> dict[int, int]:
        counts = {
            seed: sum(each.promise == promise for each in findings) for seed, findings in self.failed.items()
        }
        return {seed: count for seed, count in counts.items() if count}
