"""Every order of events in the life of an order, breadth first, at a real engine and in a plain model."""

import time

from promises.stateful.desk import ATTO, MARK, Desk
from promises.stateful.life import Life

DEPTH = 8
LOTS = 3
PRICE = 95
# An event, and its lots: what is open (`open`), one more than may still trade (`beyond`), or a number.
EVENTS = (
    ("accepted", 0),
    ("rejected", 0),
    ("triggered", 0),
    ("fill", 1),
    ("fill", "open"),
    ("fill", "beyond"),
    ("canceled", 0),
    ("expired", 0),
    ("cancel_rejected", 0),
    ("replaced", 2),
    ("restated", 2),
    ("replace_rejected", 0),
    ("cancel_request", 0),
    ("replace_request", 4),
    ("outcome_lost", 0),
)
_REASONS = {"rejected": "unsupported", "canceled": "requested"}
_FRAMES_FORGOTTEN_EACH = 2_000


class Search:
    """Plays lives of orders at one engine, one after the other, and notes where engine and model differ.

    Parameters
    ----------
    desk : Desk
        The engine.
    steps_max : int
        After so many events no further life is begun.
    ends_at : float
        Nor after this moment of the monotonic clock.
    depth_max : int
        How many events a life may have.
    merges : bool
        Whether of lives that can only go on alike one is followed; else all are.

    Attributes
    ----------
    steps, states : int
        Events that were played and looked at; different lives that were found.
    depth : int
        How many events the longest life had of which all were tried.
    broken : list of str
        Where engine and model differ.
    """

    def __init__(
        self, desk: Desk, steps_max: int, ends_at: float, *, depth_max: int = DEPTH, merges: bool = True
    ) -> None:
        self._desk, self._steps_max, self._ends_at = desk, steps_max, ends_at
        self.depth_max, self._merges = depth_max, merges
        self.steps = self.states = self.depth = 0
        self.broken: list[str] = []
        self._trades = self._lives = 0

    def run(self) -> None:
        """Search until everything up to `depth_max` was tried, or its bounds are reached."""
        seen, edge = set(), [()]
        for depth in range(1, self.depth_max + 1):
            reached = []
            for path in edge:
                for event in EVENTS:
                    if self.is_over:
                        return
                    key = self._play((*path, event))
                    if key is not None and not (self._merges and key in seen):
                        seen.add(key)
                        reached.append((*path, event))
            edge, self.depth, self.states = reached, depth, len(seen)

    @property
    def is_over(self) -> bool:
        """Whether a bound is reached."""
        return self.steps >= self._steps_max or time.monotonic() > self._ends_at

    def _play(self, path):
        """Play one life, look after each event, and return its key; `None` after a fault."""
        desk, is_buy = self._desk, self._lives % 2 == 0
        self._lives += 1
        if self._lives % _FRAMES_FORGOTTEN_EACH == 0:
            desk.forget_frames()
        held, cash = desk.kernel.position_total_lots(0), desk.cash()
        number = desk.asks(0, "buy" if is_buy else "sell", quantity_lots=LOTS, limit_ticks=PRICE)
        life, sign = Life(lots=LOTS), 1 if is_buy else -1
        for place, event in enumerate(path):
            shown = self._step(number, life, event)
            self.steps += 1
            expected = self._expected(life, sign, held, cash)
            if shown != expected:
                told = ", ".join(f"{name} {lots}" for name, lots in path[: place + 1])
                self.broken.append(f"after {told}: the engine has {shown}, the model {expected}")
                break
        is_same = shown == expected
        self._end(number)
        return life.key if is_same else None

    def _step(self, number, life, event):
        """Let an event happen to engine and model, and return what the engine shows."""
        desk, (name, lots) = self._desk, event
        lots = {"open": max(life.open, 1), "beyond": life.stake + 1}.get(lots, lots)
        life.take(name, lots, PRICE)
        if name == "cancel_request":
            desk.asks(0, "cancel", number)
        elif name == "replace_request":
            desk.asks(0, "replace", number, quantity_lots=lots, price_ticks=PRICE)
        elif name == "outcome_lost":
            desk.loses(number)
        elif name == "fill":
            self._trades += 1
            desk.tells(number, "fill", lots=lots, price_ticks=PRICE, trade_id=f"t{self._trades}", fee_atto=1)
        else:
            desk.tells(number, name, lots=lots, reason=_REASONS.get(name, "unknown_order"))
        halted = desk.kernel.is_unreconciled
        if halted:
            desk.agrees()
        return self._shown(number, halted=halted)

    def _shown(self, number, *, halted):
        kernel = self._desk.kernel
        row = self._desk.row_of(number)
        order = row and (row["state"], row["open_lots"], row["filled_lots"], row["price_ticks"])
        gross, _ = kernel.exposure("account")
        return order, kernel.position_total_lots(0), self._desk.cash(), gross, halted

    def _expected(self, life, sign, held, cash):
        order = None if life.end else (life.state, life.open, life.filled, PRICE)
        position = held + sign * life.filled
        stake = 0 if life.end else life.stake
        worst = max(abs(position), abs(position + sign * stake))
        spent = sign * life.paid * ATTO + life.trades
        return order, position, cash - spent, worst * MARK * ATTO, life.halts

    def _end(self, number):
        """End the order, so that the next life is alone."""
        self._desk.tells(number, "canceled", reason="requested")
        if self._desk.kernel.is_unreconciled:
            self._desk.agrees()
