"""Decision gates: conditions that a request must meet before risk sees it."""

from typing import Protocol

import msgspec


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate may look at.

    Prices are ticks and sizes lots of the instrument; `best_bid_ticks` and `best_ask_ticks` are `None` when
    there is no quote. An amendment is shown as the whole order that it makes: `quantity_lots` is its open
    size and `price_ticks` its limit, else its trigger, `None` when it states no price. The size of an order
    that is a share of buying power is an estimate.

    `request` says what is asked for: `new` (an order), `amend` (another price or a larger size), `arm` (an
    order that comes `after` another one is sent) or `grow` (it grows with the fills of that one).
    `is_closing` says whether the request can only bring `position_lots`, the strategy's own position,
    nearer to flat: it never turns the position, even if every working order on its side fills first.
    `last_entry_ns` is when this strategy last had a new order or an amendment approved that was not
    closing, `None` before the first.
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
    request: str = "new"
    price_ticks: int | None = None
    is_closing: bool = False


class GateVerdict(msgspec.Struct, frozen=True):
    """What one gate said: its name, its limit, the value it saw and whether that passed."""

    gate: str
    limit: float
    value: float
    passed: bool


class Gate(Protocol):
    """One condition. A pure function of the view: no clock, no state of its own, no input or output.

    The engine waits for the answer and answers nothing meanwhile: a gate that asks the engine or a context
    gets a `RuntimeError`. What a gate raises ends the run with a `GateError`.
    """

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Judge a request before risk does.

        A request that is closing passes whatever a gate says, and is bound to the position (reduce-only).
        Gates are not asked about what takes risk away by itself: cancels, smaller sizes, exits, `close()`
        and a flatten.
        """
        ...
