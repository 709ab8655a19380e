"""Decision gates: conditions that a wish to trade must meet before risk sees it."""

from typing import Protocol

import msgspec


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate may look at.

    Prices are ticks and sizes lots of the instrument; `best_bid_ticks` and `best_ask_ticks` are
    `None` when there is no quote. `last_entry_ns` is when this strategy last sent an order that was
    not closing, `None` before the first.
    """

    now_ns: int
    strategy: str
    instrument_id: int
    is_buy: bool
    quantity_lots: int
    position_lots: int
    best_bid_ticks: int | None
    best_ask_ticks: int | None
    last_entry_ns: int | None

    @property
    def is_closing(self) -> bool:
        """Whether the order only brings the position nearer to flat."""
        signed = self.quantity_lots if self.is_buy else -self.quantity_lots
        return abs(self.position_lots + signed) < abs(self.position_lots)


class GateVerdict(msgspec.Struct, frozen=True):
    """What one gate said: its name, its limit, the value it saw and whether that passed."""

    gate: str
    limit: float
    value: float
    passed: bool


class Gate(Protocol):
    """One condition. A pure function of the view: no clock, no state of its own, no input or output."""

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Judge a wish to trade; closing orders are judged too and a gate may let them through."""
        ...
