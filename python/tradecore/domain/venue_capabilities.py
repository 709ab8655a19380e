"""What a venue outside can do by itself."""

from enum import StrEnum

import msgspec

from tradecore.domain.spec import HedgedMargin


class DuplicateIds(StrEnum):
    """What a venue does with a client order id that it has seen before."""

    REFUSED = "refused"
    """It refuses it for ever."""
    REFUSED_WHILE_OPEN = "refused_while_open"
    """It refuses it while the first order is open; after that a second order comes into being."""
    ACCEPTED = "accepted"
    """It takes it: there are two orders."""
    NONE = "none"
    """It knows no ids of clients."""


# What an order that waits for a price becomes when it is set off.
AWAKE = {
    "stop": "market",
    "stop_limit": "limit",
    "market_if_touched": "market",
    "limit_if_touched": "limit",
    "trailing_stop": "market",
    "trailing_stop_limit": "limit",
}


class VenueCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue can do by itself. The engine does the rest from market data, or refuses it at the start.

    Attributes
    ----------
    order_kinds : frozenset of str
        Kinds of orders that it takes, by the names of the engine.
    times_in_force : frozenset of str
        `gtc`, `ioc`, `fok`, `gtd`, `day`.
    replaces : bool
        Whether an order can be amended.
    post_only, reduce_only : bool
        Whether it keeps these promises itself.
    positions : frozenset of int
        Instruments of which it keeps a position; what is traded of the others is in its balances alone.
    duplicate_ids : DuplicateIds
        What it does with a client order id seen before.
    validity_window_ns : int
        How far the time of a request may be from the venue's when it arrives. Where the clock that gave it
        that time is ahead, a request on its way takes effect for up to twice as long: absence is no proof
        before.
    requests_per_second : float
        Weight of requests that it takes in a second on one key.
    requests_burst : float or None
        Weight that it takes at once after a rest; `None` for as much as in a second.
    weights : dict of str to float
        Weight of a request by the name of its endpoint (`submit`, `cancel`, `replace`, `open_orders`,
        `one_order`, `fills`, `positions`, `balances`); 1 where none is stated.
    fills_kept_ns : int or None
        How long it shows a fill; `None` for ever.
    dead_man_ns_max : int
        The longest time of its dead man's timer (`CancelAllAfter`); 0 where it has none.
    hedging : bool
        Whether the account is long and short of an instrument at once there: each entry order opens a ticket,
        and what closes names one.
    hedged_margin : HedgedMargin
        Where it is, whether margin is asked for both sides or for the larger one.
    """

    order_kinds: frozenset[str]
    times_in_force: frozenset[str]
    replaces: bool
    post_only: bool
    reduce_only: bool
    positions: frozenset[int]
    duplicate_ids: DuplicateIds
    validity_window_ns: int
    requests_per_second: float
    fills_kept_ns: int | None = None
    requests_burst: float | None = None
    weights: dict[str, float] = {}
    hedging: bool = False
    hedged_margin: HedgedMargin = HedgedMargin.BOTH
    dead_man_ns_max: int = 0

    @property
    def watched(self) -> tuple[str, ...]:
        """Kinds of orders that the engine watches the market for: the venue has only what they become."""
        return tuple(
            kind
            for kind, awake in AWAKE.items()
            if kind not in self.order_kinds and awake in self.order_kinds
        )

    def sent_kind(self, order_kind: str) -> str:
        """Return the kind as which an order is sent: a watched one leaves as what it becomes."""
        return AWAKE[order_kind] if order_kind in self.watched else order_kind
