"""What journal records say: one struct for each kind, its fields as the journal's own table names them.

A class is named as its kind (`CashFlow` is `cash_flow`), and a test compares classes and fields with the
table of the native module. Prices are whole ticks, sizes whole lots, times UTC nanoseconds, money whole atto
units (10^-18): of the settlement currency of the instrument it is about, else of the account currency.
Strategies, instruments and currencies are their numbers. What a record does not have is `None`. None of them
can be in a cycle, so that the collector of cycles leaves them out (`gc=False`); that makes one in half the
time.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

# Price and size.
Level = tuple[int, int]
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def _kind_of(class_name: str) -> str:
    return _CAPITAL.sub("_", class_name).lower()


class Body(msgspec.Struct, frozen=True, kw_only=True, tag=_kind_of, tag_field="kind"):
    """What a record says beside its number and its time."""


class Session(Body, frozen=True, kw_only=True, gc=False):
    """A session began. `config` is JSON; bytes where it is no text."""

    engine_version: str
    config: str | bytes


class SessionEnd(Body, frozen=True, kw_only=True, gc=False):
    """A session ended, and why."""

    reason: str


class StateHash(Body, frozen=True, kw_only=True, gc=False):
    """Hash of the engine's state, hexadecimal."""

    hash: str


class Bar(Body, frozen=True, kw_only=True, gc=False):
    """A bar that was fed, when it had closed."""

    instrument: int
    open_time_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int


class Quote(Body, frozen=True, kw_only=True, gc=False):
    """A change of the best bid or ask: prices in ticks, sizes in lots."""

    instrument: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    update_id: int


class Trade(Body, frozen=True, kw_only=True, gc=False):
    """A trade of others. `aggressor` is `buy` or `sell`."""

    instrument: int
    price_ticks: int
    lots: int
    aggressor: str
    trade_id: int


class Book(Body, frozen=True, kw_only=True, gc=False):
    """A book message: `update` is `snapshot` or `diff`."""

    instrument: int
    update: str
    first_id: int
    last_id: int
    prev_id: int
    bids: list[Level]
    asks: list[Level]


class CheckedBook(Book, frozen=True, kw_only=True, gc=False):
    """A book message with the checksum that the venue states."""

    checksum: int


class Flow(Body, frozen=True, kw_only=True, gc=False):
    """Order flow of a simulated exchange: `flow` is `limit`, `market` or `cancel`."""

    instrument: int
    flow: str
    flow_id: int | None = None
    side: str | None = None
    price_ticks: int | None = None
    lots: int | None = None


class Feed(Body, frozen=True, kw_only=True, gc=False):
    """State of a feed: `lost`."""

    instrument: int
    state: str


class Command(Body, frozen=True, kw_only=True, gc=False):
    """A command of an operator; what it is about is by number. A `value` of `None` switches a limit off."""

    command: str
    scope: str | None = None
    scope_id: int | None = None
    limit: str | None = None
    value: str | UnsetType | None = UNSET
    instrument: int | None = None
    person: str | None = None
    order_id: int | None = None
    within_bps: int | None = None
    then_market_ns: int | None = None
    cause: str | None = None
    seen: int | None = None
    bound: int | None = None


class Clock(Body, frozen=True, kw_only=True, gc=False):
    """Time has passed in which nothing else was fed."""


class Mark(Body, frozen=True, kw_only=True, gc=False):
    """Mark price of a derivative."""

    instrument: int
    price_ticks: int


class Funding(Body, frozen=True, kw_only=True, gc=False):
    """Funding of a perpetual; `mark_ticks` is 0 where the engine takes the mark price that it knows."""

    instrument: int
    rate_ppb: int
    mark_ticks: int


class Account(Body, frozen=True, kw_only=True, gc=False):
    """What is about the account: `account` is `opening`, `adjustment`, `transfer` or `conversion`.

    An opening has cash by currency, the lots that are open, last prices, what guards of losses remember, and
    the head (`before`) of the journal that it goes on from. `brought` is what the owner brought in all.
    A conversion gave `amount` of `currency` and `received` so much `into` another one, `rate` for a unit.
    """

    account: str
    currency: str | None = None
    amount: int | None = None
    reason: str | None = None
    into: str | None = None
    received: int | None = None
    rate: int | None = None
    fee: int | None = None
    fee_currency: str | None = None
    cash: dict[str, int] | None = None
    brought: int | None = None
    lots: list[dict[str, int]] | None = None
    prices: list[dict[str, int]] | None = None
    guards: list[dict[str, Any]] | None = None
    last_order_id: int | None = None
    market_events: int | None = None
    before: str | None = None
    changed: str | None = None


class VenueReport(Body, frozen=True, kw_only=True, gc=False):
    """What a venue outside said about an order, with its own names of the order and the trade."""

    instrument: int
    order_id: int
    venue_time_ns: int
    report: str
    price_ticks: int | None = None
    lots: int | None = None
    liquidity: str | None = None
    fee: int | None = None
    fee_currency: int | None = None
    reason: str | None = None
    venue_order_id: str | None = None
    trade_id: str | None = None
    filled_lots: int | None = None


class VenueRevision(Body, frozen=True, kw_only=True, gc=False):
    """A venue outside told a trade anew, as it came: its numbers from here on, or none: it never happened."""

    instrument: int
    order_id: int
    venue_time_ns: int
    trade_id: str
    venue_order_id: str | None = None
    revision: int
    filled_lots: int | None = None
    price_ticks: int | None = None
    lots: int | None = None
    liquidity: str | None = None
    fee: int | None = None
    fee_currency: int | None = None


class OutcomeLost(Body, frozen=True, kw_only=True, gc=False):
    """The outcome of a request to a venue outside is lost: the order counts as open until it says more."""

    instrument: int
    order_id: int


class Reconciling(Body, frozen=True, kw_only=True, gc=False):
    """The books are compared with what the venue has from here on; new risk waits for it."""

    instrument: int


class Reconciled(Body, frozen=True, kw_only=True, gc=False):
    """The books were compared with what the venue has, and agree."""

    instrument: int


class Adopted(Body, frozen=True, kw_only=True, gc=False):
    """What others made at the account belongs to `strategy` from here on: `adopted` is `order` or `position`.

    Its order is the next record; `lots` is the whole size of an order, or what came of a position, which has
    the price and the fee by which it counts.
    """

    instrument: int
    strategy: int
    side: str
    lots: int
    venue_time_ns: int
    adopted: str
    price_ticks: int | None = None
    fee: int | None = None
    fee_currency: int | None = None
    venue_order_id: str | None = None
    client_order_id: str | None = None


class OrderTerms(Body, frozen=True, kw_only=True, gc=False):
    """All that makes an order. One of `lots` and `buying_power_ppm` is its size."""

    order_id: int
    strategy: int
    instrument: int
    side: str
    order_kind: str
    price_ticks: int | None = None
    trigger_ticks: int | None = None
    trail_ticks: int | None = None
    trail_ppm: int | None = None
    limit_offset_ticks: int | None = None
    activation_ticks: int | None = None
    display_lots: int | None = None
    lots: int | None = None
    buying_power_ppm: int | None = None
    time_in_force: str
    expire_ns: int | None = None
    post_only: bool
    reduce_only: bool
    stop_loss_ticks: int | None = None
    take_profit_ticks: int | None = None
    stop_loss_ppm: int | None = None
    take_profit_ppm: int | None = None
    closes: int | None = None
    decided_ns: int


class Order(OrderTerms, frozen=True, kw_only=True, gc=False):
    """An order that risk approved, and the price that it was judged at."""

    reference_ticks: int


class Refused(OrderTerms, frozen=True, kw_only=True, gc=False):
    """An order, an amendment or a cancel that was refused; limit and value are in the unit of the rule."""

    rule: str
    limit: int
    value: int


class CancelRequest(Body, frozen=True, kw_only=True, gc=False):
    """A cancel was asked for."""

    order_id: int
    strategy: int


class ReplaceRequest(Body, frozen=True, kw_only=True, gc=False):
    """An amendment was asked for: new open size, and new price (none keeps it)."""

    order_id: int
    price_ticks: int | None = None
    lots: int


class Report(Body, frozen=True, kw_only=True, gc=False):
    """What the venue said about an order. A fill has price, size, liquidity and fee.

    `fee_currency` is there when it is not the settlement currency of the instrument.
    """

    order_id: int
    venue_time_ns: int
    report: str
    price_ticks: int | None = None
    lots: int | None = None
    liquidity: str | None = None
    fee: int | None = None
    fee_currency: int | None = None
    reason: str | None = None


class GateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one decision gate said."""

    name: str
    limit: float
    value: float
    passed: bool


class Revision(Body, frozen=True, kw_only=True, gc=False):
    """A trade that was told anew, as it was booked: `revised` is `corrected`, `busted` or `restored`.

    What it was (`was_lots` and so on) is taken back, and what it is from here on is booked.
    """

    order_id: int
    strategy: int
    instrument: int
    side: str
    closes: int | None = None
    venue_time_ns: int
    trade_id: str
    revision: int
    revised: str
    was_price_ticks: int | None = None
    was_lots: int | None = None
    was_liquidity: str | None = None
    was_fee: int | None = None
    was_fee_currency: int | None = None
    price_ticks: int | None = None
    lots: int | None = None
    liquidity: str | None = None
    fee: int | None = None
    fee_currency: int | None = None

    def fills(self) -> "list[tuple[int, Report]]":
        """Return the fills that come to the same, each with a sign: 1 buys, -1 sells.

        The first one takes back what the trade was, its fee too; the other one is what it is from here on.
        """
        sign = 1 if self.side == "buy" else -1
        found: list[tuple[int, Report]] = []
        if self.was_lots is not None:
            back = _fill(self, self.was_price_ticks, self.was_lots, -(self.was_fee or 0))
            back = msgspec.structs.replace(
                back, liquidity=self.was_liquidity, fee_currency=self.was_fee_currency
            )
            found.append((-sign, back))
        if self.lots is not None:
            found.append((sign, _fill(self, self.price_ticks, self.lots, self.fee or 0)))
        return found


def _fill(revision: Revision, price_ticks: int | None, lots: int, fee: int) -> "Report":
    return Report(
        order_id=revision.order_id,
        venue_time_ns=revision.venue_time_ns,
        report="fill",
        price_ticks=price_ticks,
        lots=lots,
        liquidity=revision.liquidity,
        fee=fee,
        fee_currency=revision.fee_currency,
    )


class Decision(Body, frozen=True, kw_only=True, gc=False):
    """What a strategy decided, and what each gate said."""

    strategy: int
    instrument: int
    action: int
    reason: str
    gates: tuple[GateAnswer, ...]


class CashFlow(Body, frozen=True, kw_only=True, gc=False):
    """Money that came (above 0) or went without a fill, and when it was due."""

    due_ns: int
    strategy: int
    instrument: int
    cash_flow: str
    amount: int


class Liquidation(Body, frozen=True, kw_only=True, gc=False):
    """A position that the venue closes by force, and the order that it does so with."""

    strategy: int
    instrument: int
    order_id: int
    price_ticks: int
    lots: int
    equity: int
    maintenance: int


class Margin(Body, frozen=True, kw_only=True, gc=False):
    """Money moved to the margin of an isolated position (above 0), or back."""

    strategy: int
    instrument: int
    amount: int


class Link(Body, frozen=True, kw_only=True, gc=False):
    """An order waits for the fills of order `after`, or cancels and is cancelled by order `oco`."""

    order_id: int
    after: int | None = None
    oco: int | None = None


class Sized(Body, frozen=True, kw_only=True, gc=False):
    """An order that was a share of buying power has its size now."""

    order_id: int
    lots: int


class Sent(Body, frozen=True, kw_only=True, gc=False):
    """A request left for the venue: `new`, `cancel` or `replace` (without a price it keeps its own)."""

    order_id: int
    request: str
    price_ticks: int | None = None
    lots: int | None = None


class Surprise(Body, frozen=True, kw_only=True, gc=False):
    """A venue outside said what was not expected; `halts` says whether new risk waits for a comparison."""

    order_id: int
    surprise: str
    halts: bool


AnyBody = (
    Session
    | SessionEnd
    | StateHash
    | Bar
    | Quote
    | Trade
    | Book
    | CheckedBook
    | Flow
    | Feed
    | Command
    | Clock
    | Mark
    | Funding
    | Account
    | VenueReport
    | OutcomeLost
    | Reconciling
    | Reconciled
    | Order
    | Refused
    | CancelRequest
    | ReplaceRequest
    | Report
    | Decision
    | CashFlow
    | Liquidation
    | Margin
    | Link
    | Sized
    | Sent
    | Surprise
    | Adopted
    | VenueRevision
    | Revision
)
# Bodies that are about an order, by its number in `order_id`.
OfOrder = (
    VenueReport
    | OutcomeLost
    | Surprise
    | Sized
    | Sent
    | Report
    | CancelRequest
    | ReplaceRequest
    | Link
    | Liquidation
    | VenueRevision
    | Revision
)

# The class of each kind, and the kind of each class.
BODIES: dict[str, type[Any]] = {str(body.__struct_config__.tag): body for body in AnyBody.__args__}
KINDS = {body: kind for kind, body in BODIES.items()}


def _decision(*, gates: list[dict[str, Any]], **fields: Any) -> Decision:  # noqa: ANN401 - decoded values
    return Decision(gates=tuple(GateAnswer(**gate) for gate in gates), **fields)


# What makes the body of a kind from what the native module decodes.
MAKERS: dict[str, Callable[..., AnyBody]] = {**BODIES, "decision": _decision}


def values_of(body: AnyBody) -> dict[str, object]:
    """Return what a body says as plain values, for programs; what it does not have is left out."""
    values = {
        name: value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not UNSET and (value is not None or name == "value")
    }
    if isinstance(body, Decision):
        values["gates"] = [msgspec.structs.asdict(gate) for gate in body.gates]
    return values
