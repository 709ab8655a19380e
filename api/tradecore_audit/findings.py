"""What an audit finds, and what it has counted."""

from collections import Counter

import msgspec

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
