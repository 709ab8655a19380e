"""What goes over the wire: JSON bodies of requests, answers and frames. Prices, sizes and money are text."""

from typing import Annotated

import msgspec

from tradecore.domain.spec import HedgedMargin
from tradecore.domain.venue_capabilities import DuplicateIds

# What a venue may state of itself: a step above 0, a span up to a day or ten years, a count that can be met.
_Step = Annotated[
    str, msgspec.Meta(pattern=r"^(?=[0-9.]*[1-9])[0-9]{1,20}([.][0-9]{1,20})?([eE][-+]?[0-9]{1,2})?$")
]
_Window = Annotated[int, msgspec.Meta(gt=0, le=86_400_000_000_000)]
_Kept = Annotated[int, msgspec.Meta(ge=0, le=315_360_000_000_000_000)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class OrderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /orders`: a new order. `side` is `buy` or `sell`, `kind` is `limit` or `market`.

    Where positions hedge, `ticket` is the one that it may only close.
    """

    client_order_id: str = ""
    symbol: str
    side: str
    kind: str
    quantity: str
    price: str | None = None
    time_in_force: str = "gtc"
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    ticket: str | msgspec.UnsetType = msgspec.UNSET


class NameBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`DELETE /orders`: the order that is to end, by one of its names."""

    client_order_id: str | None = None
    venue_order_id: str | None = None


class AfterBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /orders/cancel-after`: all orders of the account end after so long; 0 takes it back."""

    after_ms: int


class AmendBody(NameBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`PATCH /orders`: another price, or another whole size with what has filled."""

    quantity: str
    price: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="order"):
    """An order as the venue has it."""

    client_order_id: str | None
    venue_order_id: str
    symbol: str
    side: str
    type: str
    state: str
    price: str | None
    quantity: str
    open: str
    filled: str
    reason: str
    time_ns: int


class Fill(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="fill"):
    """A trade of an order of the account; told anew it has a `revision`, and a quantity of 0 is a bust."""

    client_order_id: str | None
    venue_order_id: str
    symbol: str
    side: str
    trade_id: str
    price: str
    quantity: str
    filled: str
    liquidity: str
    fee: str
    fee_currency: str
    time_ns: int
    cursor: str
    revision: int = 0


class RevisionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /truth/trades`: a trade that is told anew; a quantity of 0 busts it, no price keeps its own."""

    account: str
    venue_order_id: str
    trade_id: str
    quantity: str
    price: str | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="balance"):
    """How much of a currency the account has, and how much of it is free."""

    currency: str
    total: str
    free: str
    time_ns: int


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A position of a margin market; short is negative. `cost` is what was paid for it.

    Where positions hedge, each `ticket` is one: the venue's name of the order that opened it, and the
    client's.
    """

    symbol: str
    quantity: str
    cost: str
    ticket: str | None = None
    client_order_id: str | None = None


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ready"):
    """The stream stands: what happens from here on is told."""

    time_ns: int


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="heartbeat"):
    """Nothing happened."""

    time_ns: int


Told = Order | Fill | Balance | Ready | Heartbeat


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of the private stream; a message has several. `n` counts them from 1 on each connection."""

    n: int
    is_: Told = msgspec.field(name="is")


class Level(msgspec.Struct, frozen=True, array_like=True):
    """Price and size of a level; a size of 0 is a level that is gone."""

    price: str
    quantity: str


class MarketTrade(msgspec.Struct, frozen=True, array_like=True):
    """A trade that everybody sees; `side` is the taker's."""

    trade_id: int
    price: str
    quantity: str
    side: str


class MarketMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the market stream: `kind` is `snapshot` or `update`."""

    kind: str
    symbol: str
    first_id: int
    last_id: int
    prev_id: int
    bids: list[Level]
    asks: list[Level]
    trades: list[MarketTrade]
    best_bid: Level | None
    best_ask: Level | None
    time_ns: int


class SnapshotWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reader of the market stream may ask for: the whole book of a market."""

    snapshot: str


class PastTrade(msgspec.Struct, frozen=True, array_like=True):
    """A trade that everybody could see, and when it was."""

    trade_id: int
    time_ns: int
    price: str
    quantity: str
    side: str


class TradePage(msgspec.Struct, frozen=True, kw_only=True):
    """Trades of a market by their numbers, which have no holes.

    `oldest_id` is the first one that the venue still has (0 before the first trade), `last_id` the last one.
    Where `is_complete` is false, the next page begins after the last trade of this one.
    """

    trades: list[PastTrade]
    oldest_id: int
    last_id: int
    is_complete: bool
    time_ns: int


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """A bar that has closed."""

    open_ns: int
    open: str
    high: str
    low: str
    close: str
    quantity: str


class BarList(msgspec.Struct, frozen=True, kw_only=True):
    """Bars in the order of their times; before `known_from_ns` the venue has none any more."""

    bars: list[Bar]
    known_from_ns: int
    is_complete: bool
    time_ns: int


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The venue has the request."""

    order: Order


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, and whether these are all."""

    orders: list[Order]
    is_complete: bool
    time_ns: int


class FillPage(msgspec.Struct, frozen=True, kw_only=True):
    """Trades, and whether these are all; otherwise the next page begins after `cursor`."""

    fills: list[Fill]
    is_complete: bool
    cursor: str
    time_ns: int


class PositionList(msgspec.Struct, frozen=True, kw_only=True):
    """Positions, and whether these are all."""

    positions: list[Position]
    is_complete: bool
    time_ns: int


class BalanceList(msgspec.Struct, frozen=True, kw_only=True):
    """Balances, and whether these are all."""

    balances: list[Balance]
    is_complete: bool
    time_ns: int


class TimeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's clock, UTC nanoseconds."""

    time_ns: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A "no": `code` is one word, `words` are for people."""

    code: str
    words: str


class SocketRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of `WS /trade`: a request about an order, with the headers and the body it has over HTTP."""

    id: int
    method: str
    target: str
    headers: dict[str, str]
    body: msgspec.Raw


class SocketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What answers the request of this `id`: status, headers and body as over HTTP."""

    id: int
    status: int
    headers: dict[str, str]
    body: msgspec.Raw


class MarketRule(msgspec.Struct, frozen=True, kw_only=True):
    """A market as the venue states it."""

    symbol: str
    base: str
    quote: str
    tick_size: _Step
    lot_size: _Step
    multiplier: _Step
    is_margin: bool


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue can do, and its markets.

    `requests_per_second` 0 is without a limit, `fills_kept_ns` 0 for ever.
    """

    order_kinds: list[str]
    times_in_force: list[str]
    replaces: bool
    post_only: bool
    reduce_only: bool
    duplicate_ids: DuplicateIds
    validity_window_ns: _Window
    requests_per_second: _Count
    requests_burst: _Count = 0
    weights: dict[str, _Count] = {}
    fills_kept_ns: _Kept = 0
    dead_man_ms_max: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)] = 0
    hedging: bool = False
    hedged_margin: HedgedMargin = HedgedMargin.BOTH
    markets: list[MarketRule]
