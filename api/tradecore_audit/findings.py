"""What an audit finds, and what it has counted."""

from collections import Counter

import msgspec

# What is held to be true, by the name of the rule.
RULES = {
    "journal": "every byte is the one that was written: headers, places, the chain of hashes",
    "record": "a record is about orders, strategies, instruments and currencies that there are",
    "session": "all sessions of a journal have the same instruments and strategies",
    "order_number": "every approved order has a number of its own",
    "unapproved": "what is said of an order is of one that was approved",
    "sent_unapproved": "nothing is sent of an order that was not approved",
    "sent_twice": "an order is sent once",
    "sent_size": "an order is sent for no more than was approved",
    "unsent": "what a venue answers, fills, ends or amends was sent to it",
    "fill_size": "an order fills no more than its size, or the engine says so",
    "fill_price": "a limit order fills no worse than the price that was asked for",
    "ended_order": "an order that has ended stays so: a late fill is said, an answer changes nothing",
    "unknown": "an order whose outcome is lost ends by the venue's word alone",
    "child": "an order after another leaves for no more than that filled, an exit for no more than its entry",
    "closing": "what is marked to only close is no larger than its position, and on the other side",
    "kill": "after a kill nothing is approved or sent that opens, and nothing at all before a flatten",
    "pause": "while trading is paused nothing is approved that adds risk",
    "compared": "nothing is approved that adds risk before books and venue were compared",
    "shadow": "in shadow mode nothing is sent",
    "limit": "no order is approved that passes a limit, by one unit",
    "fee": "a fee is what the terms of the simulated venue give, to the last unit",
    "funding": "funding is what rate, mark price and position give",
    "venue_trade": "every trade that a venue tells of is booked once, with its numbers, in its last revision",
    "position": "a position is the sum of its fills and of its open lots",
    "conservation": "cash, cost and fees are what was brought, realised and flowed in",
    "snapshot": "positions, money and open orders of the engine are those that follow from its records",
    "venue_order": "orders and trades at the venue are those of the journal",
    "venue_position": "positions at the venue are the sums of fills",
    "venue_money": "the money that the venue made of a balance is that of the journal",
}

# So many are kept in words; more are counted.
KEPT_MAX = 1_000


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A difference between what a journal says and what follows from it.

    Attributes
    ----------
    rule : str
        What is broken, by the name in docs/audit.md.
    seq : int or None
        Number of the record that shows it; `None` where it is of no one record.
    words : str
        What is there, and what should be.
    """

    rule: str
    seq: int | None
    words: str

    @property
    def line(self) -> str:
        """Return it in one line."""
        where = "" if self.seq is None else f"record {self.seq}: "
        return f"{self.rule}: {where}{self.words}"


class Findings:
    """Collects what is found, bounded, and counts what was looked at.

    Attributes
    ----------
    kept : list of Finding
        The first of them.
    total : int
        How many there are in all.
    checked : Counter
        How often each rule was put to the test.
    unchecked : dict of str to str
        What could not be worked out, and why.
    """

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.total = 0
        self.checked: Counter[str] = Counter()
        self.unchecked: dict[str, str] = {}

    def add(self, rule: str, seq: int | None, words: str) -> None:
        """Note a difference."""
        self.total += 1
        if len(self.kept) < KEPT_MAX:
            self.kept.append(Finding(rule, seq, words))

    def check(self, rule: str, seq: int | None, words: str | None) -> None:
        """Count a test, and note what it found; `None` is nothing."""
        self.checked[rule] += 1
        if words is not None:
            self.add(rule, seq, words)

    def leave(self, what: str, why: str) -> None:
        """Note that something cannot be worked out."""
        self.unchecked.setdefault(what, why)
