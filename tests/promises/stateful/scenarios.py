"""What really happened to an order at its venue, and what the venue tells of it, in at most seven reports."""

from dataclasses import dataclass, field

LOTS = 10
REPORTS = 7
PRICE = 95


@dataclass(frozen=True, kw_only=True)
class Told:
    """One report, as it stands whenever it comes.

    Attributes
    ----------
    report : str
        Its word.
    at : int
        When it happened at the venue, counted in steps of the story.
    filled : int
        What of the order had filled by then, as the venue says.
    lots, price, fee, revision : int
        Terms.
    trade_id : str
        The name of a trade, which is made one of its order when it is told.
    reason : str
        Why.
    """

    report: str
    at: int
    filled: int = 0
    lots: int = 0
    price: int = PRICE
    fee: int = 0
    revision: int = 0
    trade_id: str = ""
    reason: str = ""


@dataclass(kw_only=True)
class Story:
    """An order at a venue: what the engine asked for, what was told, and what is true in the end.

    Attributes
    ----------
    name : str
        What happens.
    requests : list of (str, int, int)
        What its owner asks for after the order has left: `cancel` or `replace`, lots and price.
    told : list of Told
        Every report, in the order in which it happened.
    lots, filled : int
        Its size, and what has filled of it, as the venue counts it.
    price : int
        Its limit.
    end : bool
        Whether it is over.
    trades : dict of str to (int, int, int)
        Lots, price and fee of each trade, by its last telling.
    """

    name: str
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    lots: int = LOTS
    filled: int = 0
    price: int = PRICE
    end: bool = False
    trades: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def asks(self, request, lots=0, price=0):
        """Let its owner ask for something, before anything is told."""
        self.requests.append((request, lots, price))
        return self

    def _tell(self, report, **terms):
        self.told.append(Told(report=report, at=len(self.told) + 1, filled=self.filled, **terms))
        return self

    def accepts(self):
        """Let the venue take it."""
        return self._tell("accepted")

    def rejects(self):
        """Let the venue not take it."""
        self.end = True
        return self._tell("rejected", reason="unsupported")

    def fills(self, lots, price=PRICE, fee=3):
        """Let a part trade."""
        name = f"t{len(self.trades)}"
        self.trades[name] = (lots, price, fee)
        self.filled += lots
        self.end = self.filled == self.lots
        return self._tell("fill", lots=lots, price=price, fee=fee, trade_id=name)

    def revises(self, name, revision, lots, price=PRICE, fee=3):
        """Let a trade be told anew: corrected, or busted where it has no lots."""
        self.trades[name] = (lots, price, fee if lots else 0)
        if not lots:
            return self._tell("busted", revision=revision, trade_id=name)
        return self._tell("fill", lots=lots, price=price, fee=fee, trade_id=name, revision=revision)

    def cancels(self):
        """Let it end because its owner asked for that."""
        self.end = True
        return self._tell("canceled", reason="requested")

    def expires(self):
        """Let its time run out."""
        self.end = True
        return self._tell("expired")

    def refuses_cancel(self):
        """Let the venue say no to a cancel."""
        return self._tell("cancel_rejected", reason="unknown_order")

    def replaces(self, lots, price):
        """Let an amendment be made: so many lots are open then."""
        self.lots, self.price, self.end = self.filled + lots, price, False
        return self._tell("replaced", lots=lots, price=price)

    def refuses_replace(self):
        """Let the venue say no to an amendment."""
        return self._tell("replace_rejected", reason="unknown_order")

    def restates(self, lots):
        """Let the venue change the size by itself."""
        self.lots = self.filled + lots
        return self._tell("restated", lots=lots, price=self.price)

    def repeats(self, place):
        """Let what was told come once more, as by another connection."""
        self.told.append(self.told[place])
        return self


def stories() -> list[Story]:
    """Return the stories that are told, each of seven reports: what there is less of comes once more."""
    found = _stories()
    for story in found:
        for place in range(REPORTS - len(story.told)):
            story.repeats(place)
    return found


def _stories() -> list[Story]:
    return [
        Story(name="fill before ack").accepts().fills(1).fills(2).fills(1).fills(3).fills(2).fills(1),
        Story(name="refused after all, and the ack comes late").accepts().rejects(),
        Story(name="ack before the submit returns: answer and stream say the same")
        .accepts().repeats(0).fills(4).repeats(2).fills(6).repeats(4),
        Story(name="cancel and fill race, the fills came first in part")
        .asks("cancel").accepts().fills(4).fills(1).fills(2).fills(1).cancels(),
        Story(name="cancel and fill race, all had filled")
        .asks("cancel").accepts().fills(1).fills(3).fills(2).fills(4).refuses_cancel(),
        Story(name="partial, then cancel, each told twice")
        .asks("cancel").accepts().fills(3).fills(2).cancels(),
        Story(name="replace and fill race, the fill came first")
        .asks("replace", 8, 96).accepts().fills(3).replaces(5, 96).fills(2).fills(1).fills(1),
        Story(name="replace and fill race, all had filled")
        .asks("replace", 12, 95).accepts().fills(1).fills(3).fills(2).fills(4).refuses_replace(),
        Story(name="an amendment makes it larger and it fills whole")
        .asks("replace", 15, 95).accepts().fills(2).replaces(13, 95).fills(6).fills(3).fills(4),
        Story(name="an amendment makes it smaller and it fills whole")
        .asks("replace", 5, 95).accepts().replaces(5, 95).fills(2).fills(1).fills(1).fills(1),
        Story(name="two amendments, the later one counts")
        .asks("replace", 8, 96).asks("replace", 6, 97)
        .accepts().replaces(8, 96).replaces(6, 97).fills(2).fills(1).fills(1),
        Story(name="an amendment, then a cancel that ends it")
        .asks("replace", 8, 96).asks("cancel").accepts().replaces(8, 96).fills(3).fills(1).cancels(),
        Story(name="an amendment that the venue refuses, and fills")
        .asks("replace", 8, 96).accepts().refuses_replace().fills(4).fills(1).fills(2),
        Story(name="bust of one of two trades").accepts().fills(4).fills(6).revises("t0", 1, 0),
        Story(name="correction of size, price and fee")
        .accepts().fills(4).fills(6).revises("t0", 1, 3, 94, 5),
        Story(name="corrected, busted, restored")
        .accepts().fills(4).fills(6).revises("t0", 1, 3, 94, 5).revises("t0", 2, 0).revises("t0", 3, 4),
        Story(name="busts of two trades beside a cancel")
        .asks("cancel").accepts().fills(4).fills(2).revises("t1", 1, 0).cancels().revises("t0", 1, 0),
        Story(name="expiry after parts, which are told late").accepts().fills(4).fills(2).fills(1).expires(),
        Story(name="the venue cuts it by itself, and it fills whole")
        .accepts().fills(2).restates(5).fills(1).fills(2).fills(2),
        Story(name="the cancel is refused and it goes on")
        .asks("cancel").accepts().refuses_cancel().fills(1).fills(2).fills(3).fills(1),
        Story(name="the cancel is refused, an amendment is not")
        .asks("replace", 12, 94).asks("cancel").accepts().replaces(12, 94).refuses_cancel().fills(2).fills(1),
    ]  # fmt: skip
