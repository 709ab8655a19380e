"""The promises that a simulation puts to the test, and what came of many seeds, promise by promise."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from tradecore.proof.event_kinds import of_orders
from tradecore.proof.run import Outcome
from tradecore.proof.trial import Finding

SAME_AGAIN = "P37"
# What stands in the table: what is looked at in each run, and nothing else.
CHECKED = {
    "P3": "an order is durable in the journal before it reaches the venue",
    "P5": "on a full disk no order adds risk, stops work, nothing is lost, and trading goes on with new room",
    "P8": "a replay of the journal gives the same bytes and the same state, after each kill and at the end",
    "P13": "an engine whose account another one has taken over sends nothing once it wakes",
    "P15": "one order of the engine is at most one order at the venue",
    "P16": "an order in doubt is given up only where the venue does not have it",
    "P17": "orders go through legal states, and fill no more than their size",
    "P18": "reports that come twice, late, swapped or never change nothing in the end",
    "P19": "after each restart books and venue come together again",
    "P20": "market data that are wrong: a book is the venue's or INVALID, and nothing is ordered on INVALID",
    "P21": "what the stream lost is fetched, and no risk is added before that",
    "P22": "429, 5xx, pages of HTML, empty lists and old answers lead to no wrong conclusion",
    "P23": "no more leaves than the venue allows, over all starts, and a tenth is kept for cancels",
    "P24": "after a kill no new order leaves, what is open is ended, and a restart changes nothing",
    "P25": "what a dead engine has left open is ended by the venue's timer, or by a watchdog",
    "P27": "a position is the sum of its fills",
    "P28": "cash is that of the venue, to one atto unit",
    "P36": "a clock that jumps pauses the engine and moves nothing, and books and venue come together",
    "P37": "the same seed gives the same bytes of the journal and of the venue's list",
    "P40": "tasks that are ready together, in any order: all of this holds as it does in the usual one",
}
# Promises of the same kind that no part of the simulation looks at yet.
NOT_BUILT: dict[str, str] = {}


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
    seeds, events, orders, fills, kills, faults : int
        Sums over all of them.
    split : Counter
        How many events are about what, as `event_kinds` has it.
    virtual_seconds : float
        How long all of them took by their clocks.
    failed : dict of int to tuple of Finding
        What was broken, by the seed.
    """

    def __init__(self) -> None:
        self.seeds = self.events = self.orders = self.fills = 0
        self.kills = self.faults = 0
        self.virtual_seconds = 0.0
        self.split: Counter[str] = Counter()
        self.failed: dict[int, tuple[Finding, ...]] = {}
        self._tried: Counter[str] = Counter()

    @property
    def order_events(self) -> int:
        """How many events belong to orders."""
        return of_orders(self.split)

    def add(self, outcome: Outcome) -> None:
        """Take in what a seed came to."""
        self.seeds += 1
        self.events += outcome.events
        self.split.update(outcome.split)
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
