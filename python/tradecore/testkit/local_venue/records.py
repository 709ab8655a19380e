"""What a local venue has and says: orders, trades of accounts, balances, and its list of all that it did."""

import msgspec

from tradecore.domain.venue_findings import VenueOrderState


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an account asks for. `kind` is `limit` or `market`; an empty `client_order_id` is none.

    `ticket` is the one that it may only close, where positions hedge; 0 is none.
    """

    client_order_id: str
    symbol: str
    is_buy: bool
    kind: str
    lots: int
    price_ticks: int | None = None
    time_in_force: str = "gtc"
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    ticket: int = 0

    @property
    def rests(self) -> bool:
        """Whether it waits in the book for what it cannot trade at once."""
        return self.kind == "limit" and self.time_in_force in {"gtc", "gtd"}


class VenueOrder(msgspec.Struct, kw_only=True, gc=False):
    """An order as the venue has it; changes until it is closed.

    Attributes
    ----------
    number : int
        The venue's name of it.
    account : str
        Whose it is.
    client_order_id : str or None
        The client's name of it.
    market : int
        Number of its market.
    held_atto : int
        What is held for its open part, in atto units of what it pays with.
    time_ns : int
        When it changed last.
    reason : str
        Why it ended without filling whole.
    ticket : int
        Where positions hedge: the ticket that it closes, else the one that it opens, which is its own number.
        0 where they are netted.
    asked_as : str
        How it was called when it was asked for, also where the venue knows no names of clients.
    """

    number: int
    account: str
    client_order_id: str | None
    market: int
    is_buy: bool
    kind: str
    price_ticks: int | None
    lots: int
    time_in_force: str
    expire_ns: int | None
    post_only: bool
    reduce_only: bool
    time_ns: int
    filled_lots: int = 0
    held_atto: int = 0
    state: VenueOrderState = VenueOrderState.OPEN
    reason: str = ""
    ticket: int = 0
    asked_as: str = ""

    @property
    def open_lots(self) -> int:
        """Return what may still trade."""
        return self.lots - self.filled_lots if self.state is VenueOrderState.OPEN else 0

    @property
    def rests(self) -> bool:
        """Whether it waits in the book for what it cannot trade at once."""
        return self.kind == "limit" and self.time_in_force in {"gtc", "gtd"}


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="order"):
    """An order as it was at a moment.

    `asked_as` is how it was called when it was asked for: for who compares, and told to no client.
    """

    number: int
    account: str
    client_order_id: str | None
    market: int
    is_buy: bool
    kind: str
    price_ticks: int | None
    lots: int
    filled_lots: int
    state: VenueOrderState
    reason: str
    time_ns: int
    asked_as: str = ""

    @classmethod
    def of(cls, order: VenueOrder) -> "OrderRow":
        """Copy an order as it is now."""
        return cls(
            number=order.number,
            account=order.account,
            client_order_id=order.client_order_id,
            market=order.market,
            is_buy=order.is_buy,
            kind=order.kind,
            price_ticks=order.price_ticks,
            lots=order.lots,
            filled_lots=order.filled_lots,
            state=order.state,
            reason=order.reason,
            time_ns=order.time_ns,
            asked_as=order.asked_as,
        )


class FillRow(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="fill"):
    """A trade of an account: `cursor` counts those of the account from 1, `trade` those of the market.

    A trade that was corrected or busted has another row with a higher `revision`; 0 lots are a bust. Where
    positions hedge, `ticket` is the one that it opened or closed.
    """

    account: str
    cursor: int
    trade: int
    order: int
    client_order_id: str | None
    market: int
    is_buy: bool
    is_maker: bool
    price_ticks: int
    lots: int
    filled_lots: int
    fee_atto: int
    fee_currency: str
    time_ns: int
    revision: int = 0
    ticket: int = 0


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="balance"):
    """How much of a currency an account has after a change, and how much of it open orders hold."""

    account: str
    currency: str
    total_atto: int
    held_atto: int
    time_ns: int


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="position"):
    """A position of a margin market; short is negative. `cost_atto` is what was paid for it.

    Where positions hedge, each ticket is one: `ticket` is the number of the order that opened it, which the
    client called `client_order_id`.
    """

    account: str
    market: int
    lots: int
    cost_atto: int
    ticket: int = 0
    client_order_id: str | None = None


class DepositRow(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="deposit"):
    """Money that came from outside, or went there (negative)."""

    account: str
    currency: str
    amount_atto: int
    time_ns: int


News = OrderRow | FillRow | BalanceRow
Deed = OrderRow | FillRow | DepositRow


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A "no" of the venue: nothing was changed. `code` is a reason of a rejected order, or `duplicate_id`."""

    code: str
    words: str
