"""Entries and the exits that come after them, added up after each event: no more than it has filled."""

import random
import time
from collections.abc import Callable

from promises.stateful.desk import Desk
from promises.stateful.life import Life
from tradecore.domain.journal import decode_frames

EVENTS = 1_000
_FAMILIES_MAX = 3
_OTHER = {"buy": "sell", "sell": "buy"}
_REASONS = {"rejected": "unsupported", "canceled": "requested"}


class Member:
    """An order of a family: its life at the venue, once it has been sent.

    Parameters
    ----------
    number : int
        Which.
    entry : int
        The entry that it closes; 0 for an entry.
    """

    def __init__(self, number: int, entry: int) -> None:
        self.number, self.entry = number, entry
        self.life: Life | None = None

    @property
    def is_open(self) -> bool:
        """Whether its venue has it."""
        return self.life is not None and not self.life.end

    @property
    def closes(self) -> int:
        """What it has closed, and may still."""
        return 0 if self.life is None else self.life.filled + (self.life.stake if self.is_open else 0)


class Families:
    """Lets families live at random, one engine after the other.

    Parameters
    ----------
    seed : int
        Decides all of it.
    steps_max : int
        How many events.
    ends_at : float
        After this moment of the monotonic clock none is begun.

    Attributes
    ----------
    steps, entries, exits : int
        Events; entries, and exits of them that were sent.
    broken : list of str
        Where exits were too many.
    """

    def __init__(self, seed: int, steps_max: int, ends_at: float) -> None:
        self._seed, self._steps_max, self._ends_at = seed, steps_max, ends_at
        self.steps = self.entries = self.exits = self.engines = 0
        self.broken: list[str] = []
        self.on_event: Callable[[str], object] = lambda _: None

    @property
    def all_broken(self) -> list[str]:
        """Everything that was found."""
        return self.broken

    def run(self, make=Desk) -> None:
        """Go on until there were enough events; `make` makes the engines."""
        while self.steps < self._steps_max and time.monotonic() < self._ends_at:
            self.engines += 1
            self.live(self._seed * 1_000_000 + self.engines, make)

    def live(self, seed: int, make=Desk) -> None:
        """Let one engine live for its events."""
        household = Household(random.Random(f"families/{seed}"), make())
        for number in range(EVENTS):
            if self.steps >= self._steps_max or time.monotonic() > self._ends_at:
                break
            words = household.step()
            self.steps += 1
            self.on_event(f"{number}: {words}")
            if fault := household.fault():
                self.broken.append(f"families, engine {seed}, event {number}, {words}: {fault}")
                break
        self.entries += household.entries
        self.exits += household.exits


class Household:
    """The families at one engine.

    Parameters
    ----------
    draw : Random
        Decides what happens.
    desk : Desk
        The engine.
    """

    def __init__(self, draw: random.Random, desk: Desk) -> None:
        self._draw, self._desk = draw, desk
        self._members: dict[int, Member] = {}
        # How many exits each entry has got: one may go on in further orders, which are one exit together.
        self._lines: dict[int, int] = {}
        self._trades = self.entries = self.exits = 0

    def step(self) -> str:
        """Let one thing happen, and say what it was."""
        draw = self._draw
        open_ones = [member for member in self._members.values() if member.is_open]
        entries = [member for member in open_ones if not member.entry]
        if len(entries) < _FAMILIES_MAX and draw.random() < 0.15:
            words = self._found()
        elif open_ones:
            words = self._live(draw.choice(open_ones))
        else:
            words = self._found()
        self._follow()
        return words

    def _found(self):
        """Let a strategy send an entry, and exits that come after it."""
        draw, desk = self._draw, self._desk
        side, lots = draw.choice(("buy", "sell")), draw.randint(2, 12)
        sizes = [draw.randint(1, lots) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
        number = desk.asks(0, side, quantity_lots=lots, limit_ticks=100)
        if not number:
            # What was told before cannot be true: books and venue are compared first.
            desk.agrees()
            return "books and venue agree"
        self.entries += 1
        self._lines[number] = len(sizes)
        for size in sizes:
            price = draw.randint(80, 120)
            desk.asks(0, _OTHER[side], quantity_lots=size, limit_ticks=price, after=number, reduce_only=True)
        return f"{side} {lots} with exits of {sizes}"

    def _live(self, member):
        draw, life = self._draw, member.life
        event = draw.choice(("fill",) * 5 + ("accepted", "cancel", "amend", "answer", "answer", "lose"))
        if event == "fill" and life.open:
            lots = draw.randint(1, life.open)
            self._trades += 1
            life.take("fill", lots, 100)
            self._desk.tells(member.number, "fill", lots=lots, price_ticks=100, trade_id=f"t{self._trades}")
            return f"fill {lots} of {member.number}"
        if event == "cancel":
            self._desk.asks(0, "cancel", member.number)
        elif event == "amend":
            # A strategy may well ask for a larger exit, as long as it closes its position: not here.
            most = life.open if member.entry else 12
            lots = draw.randint(1, max(most, 1))
            self._desk.asks(0, "replace", member.number, quantity_lots=lots, price_ticks=100)
        elif event == "lose":
            life.take("outcome_lost")
            self._desk.loses(member.number)
        else:
            event = self._answer(member)
        return f"{event} {member.number}"

    def _answer(self, member):
        """Let the venue answer what it was asked, in one way or the other."""
        draw, life = self._draw, member.life
        events = {"cancel": ("canceled", "cancel_rejected"), "replace": ("replaced", "replace_rejected")}
        event = draw.choice(events.get(life.waits, ("accepted",)))
        lots = life.asked[-1] if event == "replaced" else 0
        if event == "replaced" and not lots:
            event = "replace_rejected"
        life.take(event, lots)
        self._desk.tells(member.number, event, lots=lots, reason=_REASONS.get(event, "unknown_order"))
        return event

    def _follow(self):
        """Take in what the engine sends."""
        for kind, _, fields in decode_frames(self._desk.engine.take_frames()):
            number = fields.get("order_id")
            if kind == "order":
                self._members[number] = Member(number, fields.get("closes") or 0)
            elif kind == "sent" and fields["request"] == "new":
                member = self._members[number]
                member.life = Life(lots=fields["lots"])
                self.exits += bool(member.entry)
            elif kind in {"cancel_request", "replace_request"} and self._members[number].is_open:
                self._members[number].life.take(kind, fields.get("lots", 0))

    def fault(self) -> str:
        """Say of which entry there are too many exits; nothing where there are not."""
        for number, lines in self._lines.items():
            entry = self._members[number].life
            filled = entry.filled if entry else 0
            children = [member for member in self._members.values() if member.entry == number]
            closes = (
                sum(each.closes for each in children) if lines == 1 else max(each.closes for each in children)
            )
            if closes > filled:
                parts = [(each.number, each.closes) for each in children]
                return f"{closes} lots of exits for entry {number}, which has filled {filled}: {parts}"
        return ""
