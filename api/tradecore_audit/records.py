"""What the auditor reads of a journal: a class for each kind of record that it counts.

Prices are whole ticks, sizes whole lots, money whole atto units (1e-18) and times UTC nanoseconds. What a
record does not have is `None`.
"""

import msgspec

# Kinds of orders that pay no more than their limit.
LIMITED = frozenset({"limit", "stop_limit", "limit_if_touched", "iceberg"})


class Record(msgspec.Struct, frozen=True, gc=False):
    """What a record says beside its number and its time."""


class Session(Record, frozen=True, kw_only=True):
    """A session began, with this configuration."""

    engine_version: str
    config: bytes


class SessionEnd(Record, frozen=True):
    """A session ended."""

    reason: str


class Scope(msgspec.Struct, frozen=True, gc=False):
    """What a command is about: `account`, `strategy`, `instrument` or `portfolio`, and its number."""

    kind: str
    number: int


class Command(Record, frozen=True, kw_only=True):
    """What an operator asked for; a `value` of `None` switches a limit off."""

    name: str
    scope: Scope | None = None
    limit: str | None = None
    value: tuple[int, int] | None = None
    instrument: int | None = None
    is_allowed: bool | None = None
    order_id: int | None = None


class Mark(Record, frozen=True):
    """A mark price, or the last price of a market."""

    instrument: int
    price_ticks: int


class Funding(Record, frozen=True):
    """Funding of a perpetual; 0 is the mark that is known."""

    instrument: int
    rate_ppb: int
    mark_ticks: int


class OpeningLot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A lot that was open when the journal began."""

    strategy: int
    instrument: int
    entry_order: int
    entry_ticks: int
    lots: int
    cost: int | None = None


class Opening(Record, frozen=True, kw_only=True):
    """What an account begins with that is carried over."""

    cash: tuple[tuple[str, int], ...]
    brought: int | None
    lots: tuple[OpeningLot, ...]
    last_order_id: int
    halted: tuple[Scope, ...] = ()


class CashChange(Record, frozen=True, kw_only=True):
    """Money that came or went: an `adjustment` counts as profit, a `transfer` is its owner's."""

    change: str
    currency: str
    amount: int


class Conversion(Record, frozen=True, kw_only=True):
    """Cash that was changed into another currency."""

    currency: str
    amount: int
    into: str
    received: int
    fee: int
    fee_currency: str


class Traded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The numbers of a trade."""

    price_ticks: int
    lots: int
    is_maker: bool
    fee: int
    fee_currency: int | None = None


class Report(Record, frozen=True, kw_only=True):
    """What a venue said about an order, as it was booked."""

    order_id: int
    venue_time_ns: int
    report: str
    traded: Traded | None = None
    price_ticks: int | None = None
    lots: int | None = None


class VenueReport(Record, frozen=True, kw_only=True):
    """What a venue outside said about an order, as it came."""

    instrument: int
    said: Report
    venue_order_id: str
    trade_id: str


class VenueRevision(Record, frozen=True, kw_only=True):
    """A trade that a venue outside told anew, as it came; without numbers it never happened."""

    instrument: int
    order_id: int
    revision: int
    traded: Traded | None
    trade_id: str
    venue_order_id: str


class OutcomeLost(Record, frozen=True):
    """The outcome of a request is not known."""

    instrument: int
    order_id: int


class Reconciling(Record, frozen=True):
    """Books and venue are compared from here on."""

    instrument: int


class Reconciled(Record, frozen=True):
    """Books and venue agree."""

    instrument: int


class Adopted(Record, frozen=True, kw_only=True):
    """What others made at the account belongs to a strategy; its order is the next record."""

    instrument: int
    strategy: int
    is_buy: bool
    lots: int
    is_position: bool
    price_ticks: int | None
    fee: int = 0
    fee_currency: int | None = None


class Order(Record, frozen=True, kw_only=True):
    """An order that risk approved; one of `lots` and `buying_power_ppm` is its size."""

    order_id: int
    strategy: int
    instrument: int
    is_buy: bool
    kind: str
    price_ticks: int | None
    lots: int | None
    buying_power_ppm: int | None
    reduce_only: bool
    closes: int | None
    decided_ns: int
    reference_ticks: int

    @property
    def sign(self) -> int:
        """Return 1 for a buy and -1 for a sell."""
        return 1 if self.is_buy else -1

    @property
    def price_value(self) -> int:
        """Return the price at which its value counts: a buy pays no more than its limit."""
        if self.is_buy and self.price_ticks is not None and self.kind in LIMITED:
            return self.price_ticks
        return max(self.price_ticks or 0, self.reference_ticks)

    @property
    def is_bound(self) -> bool:
        """Whether it can do nothing but close."""
        return self.reduce_only or self.closes is not None


class Refused(Record, frozen=True, kw_only=True):
    """An order or a request that was refused: the rule, its limit and the value that broke it."""

    terms: Order
    rule: int
    limit: int
    value: int


class CancelRequest(Record, frozen=True):
    """A cancel was asked for."""

    order_id: int


class ReplaceRequest(Record, frozen=True):
    """An amendment was asked for: price, and the size that is to be open."""

    order_id: int
    price_ticks: int | None
    lots: int


class CashFlow(Record, frozen=True, kw_only=True):
    """Money that came or went for a position, without a fill."""

    strategy: int
    instrument: int
    flow: str
    amount: int


class Liquidation(Record, frozen=True):
    """A position that the venue closes by force, with this order."""

    strategy: int
    instrument: int
    order_id: int


class Link(Record, frozen=True):
    """An order waits for the fills of another, or belongs to those that cancel each other."""

    order_id: int
    after: int | None
    oco: int | None


class Sized(Record, frozen=True):
    """An order that was a share of buying power has its size."""

    order_id: int
    lots: int


class Sent(Record, frozen=True, kw_only=True):
    """A request left for the venue: `new`, `cancel` or `replace`."""

    order_id: int
    request: str
    price_ticks: int | None
    lots: int | None


class Surprise(Record, frozen=True):
    """A venue said what was not expected."""

    order_id: int
    surprise: str


class Revision(Record, frozen=True, kw_only=True):
    """A trade that was told anew, as it was booked: what is taken back, and what takes its place."""

    order_id: int
    strategy: int
    instrument: int
    is_buy: bool
    closes: int | None
    revision: int
    was: Traded | None
    now: Traded | None
    trade_id: str
