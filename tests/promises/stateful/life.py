"""The life of an order, said once more and in another way than the engine does: not as a table of states.

A state is what somebody waits for: the first answer of the venue, the answer to a cancel or to an amendment,
or any sign of life after an outcome was lost. Where nobody waits, it is whether something has filled.
"""

from dataclasses import dataclass

_WAITING = {
    "new": "pending_new",
    "cancel": "pending_cancel",
    "replace": "pending_replace",
    "doubt": "unknown",
}


@dataclass(kw_only=True)
class Life:
    """An order as its owner knows it.

    Attributes
    ----------
    lots, filled : int
        Its whole size, and what has traded of it.
    waits : str
        For what its owner waits: `new`, `cancel`, `replace`, `doubt`, or nothing.
    asked : tuple of int
        Open sizes that amendments without an answer ask for, each less what has traded since.
    unanswered : int
        How many amendments have no answer.
    end : str
        How it ended; empty while it is open.
    halts : bool
        Whether the last event said what cannot be true, or is too much to go on without a comparison.
    paid, trades : int
        What its fills cost, as price times lots, for a sell too; how many there were.
    """

    lots: int
    filled: int = 0
    waits: str = "new"
    asked: tuple[int, ...] = ()
    unanswered: int = 0
    end: str = ""
    halts: bool = False
    paid: int = 0
    trades: int = 0

    @property
    def open(self) -> int:
        """What is open by the venue's last word."""
        return self.lots - self.filled

    @property
    def stake(self) -> int:
        """What may still trade: what is open, or what an amendment without an answer asks for."""
        return max(self.open, *self.asked, 0)

    @property
    def key(self) -> tuple[object, ...]:
        """What decides all that can become of it."""
        asked = max(self.asked, default=0)
        return self.open, self.filled > 0, self.waits, asked, self.unanswered, self.end

    @property
    def state(self) -> str:
        """The state as people call it."""
        return self.end or _WAITING.get(self.waits) or ("partially_filled" if self.filled else "new")

    def take(self, event: str, lots: int = 0, price: int = 0) -> None:
        """Let something happen to it: a report, or a request of its owner."""
        self.halts = False
        if self.end:
            self._take_late(event, lots, price)
        elif event == "fill":
            self._fill(lots, price)
        else:
            getattr(self, f"_{event}")(lots)

    def _take_late(self, event: str, lots: int, price: int) -> None:
        """A trade is a trade whenever it is told; nothing else brings an order back."""
        if event == "fill":
            self.halts = self.end == "rejected" or self.filled + lots > self.lots
            self.filled += lots
            self.paid += lots * price
            self.trades += 1
        elif event == "rejected":
            self.halts = self.filled > 0

    def _fill(self, lots: int, price: int) -> None:
        if lots > self.open:
            # It was amended, and the answer is still on its way; or its venue has no idea.
            self.halts = lots > self.stake
            self.lots = self.filled + max(lots, self.stake)
        self.filled += lots
        self.paid += lots * price
        self.trades += 1
        self.asked = tuple(max(size - lots, 0) for size in self.asked)
        if self.stake == 0:
            self.end = "filled"
        elif self.waits == "new":
            self.waits = ""

    def _accepted(self, _lots: int) -> None:
        if self.waits in {"new", "doubt"}:
            self.waits = ""

    def _triggered(self, _lots: int) -> None:
        if self.waits == "new":
            self.waits = ""

    def _rejected(self, _lots: int) -> None:
        """What has traded cannot have been refused."""
        self.halts = self.filled > 0
        if not self.halts:
            self.end = "rejected"

    def _canceled(self, _lots: int) -> None:
        self.end = "canceled"

    def _expired(self, _lots: int) -> None:
        self.end = "expired"

    def _cancel_rejected(self, _lots: int) -> None:
        """Nobody says no to something about an order of which nobody has heard."""
        self.halts = self.waits == "new"
        if self.waits == "cancel":
            self.waits = ""

    def _replaced(self, lots: int) -> None:
        self.halts = self.waits == "new"
        if self.halts:
            return
        self.lots = self.filled + lots
        self._answer()

    def _restated(self, lots: int) -> None:
        self.lots = self.filled + lots

    def _replace_rejected(self, _lots: int) -> None:
        self.halts = self.waits == "new"
        if self.halts:
            return
        is_doubtful = self.waits == "doubt"
        self._answer()
        if is_doubtful:
            self.waits = "doubt"
        if self.open == 0 and self.unanswered == 0:
            self.end = "filled"

    def _answer(self) -> None:
        """What was asked for counts at its worst until the last answer is there."""
        self.unanswered = max(self.unanswered - 1, 0)
        if not self.unanswered:
            self.asked = ()
        if self.waits in {"replace", "doubt"}:
            self.waits = ""

    def _cancel_request(self, _lots: int) -> None:
        if self.waits != "doubt":
            self.waits = "cancel"

    def _replace_request(self, lots: int) -> None:
        """An order in doubt, or one that is to end, is not amended."""
        if self.waits not in {"doubt", "cancel"}:
            self.asked += (lots,)
            self.unanswered += 1
            self.waits = "replace"

    def _outcome_lost(self, _lots: int) -> None:
        self.waits = "doubt"
