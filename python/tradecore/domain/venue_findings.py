"""What a venue outside has: what it tells by itself, and what it answers to a question.

Prices are whole ticks, sizes whole lots, times UTC nanoseconds, money exact decimals with their currency.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from tradecore.domain.errors import InvalidValueError

# No money has its first digit further before the point than this, nor its last one further behind.
_DIGITS_MAX, _DECIMALS_MAX = 39, 60


class VenueOrderState(StrEnum):
    """States of an order as a venue says them."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An order as the venue has it now.

    Attributes
    ----------
    client_order_id : str or None
        Our name of it; `None` where it has none, or another party's.
    venue_order_id : str
        The venue's name of it.
    instrument : int or None
        Number of its instrument; `None` for one that the engine does not have. Ticks and lots of that one
        are the venue's own.
    symbol : str
        The venue's name of the instrument.
    side : str
        `buy` or `sell`.
    state : VenueOrderState
        Where it is.
    price_ticks : int or None
        Its stated price.
    open_lots, filled_lots : int
        What is open, and what has filled: what was traded first, also where the venue has told it anew since.
    time_ns : int
        When the venue said so or changed it last.
    reason : str
        Why it ended, one of the reasons of a rejected or cancelled order; empty where it is not known.
    """

    client_order_id: str | None
    venue_order_id: str
    instrument: int | None
    symbol: str
    side: str
    state: VenueOrderState
    price_ticks: int | None = None
    open_lots: int
    filled_lots: int
    time_ns: int
    reason: str = ""


class FillSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A trade of one of our orders, as it is told first or anew.

    A venue may tell a trade anew under the same name: it has corrected its price, its size or its fee, or has
    busted it, so that it never happened. Such a telling has a `revision`.

    Attributes
    ----------
    client_order_id, venue_order_id, instrument, symbol, side
        As of `OrderSeen`.
    trade_id : str
        The venue's name of the trade.
    price_ticks, lots : int
        At what price, and how much; 0 lots for a trade that the venue has busted, whose price and fee say
        nothing.
    filled_lots : int or None
        What had filled of the order in all with this trade, where the venue says so. What an order has filled
        is what it traded first: a trade that is told anew makes it neither more nor less.
    liquidity : str
        `maker` or `taker`.
    fee : Decimal
        What it cost; negative is a rebate.
    fee_currency : str
        In which currency.
    time_ns : int
        When it traded, or when the venue told it anew.
    cursor : str
        From which point a later question goes on; empty where the venue has none.
    revision : int
        0 for what is told first, and higher each time that the venue tells the trade anew, however it counts:
        the highest one holds.
    """

    client_order_id: str | None
    venue_order_id: str
    instrument: int | None
    symbol: str
    side: str
    trade_id: str
    price_ticks: int
    lots: int
    filled_lots: int | None = None
    liquidity: str
    fee: Decimal
    fee_currency: str
    time_ns: int
    cursor: str = ""
    revision: int = 0


class PositionSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A position as the venue has it; short is negative. `entry_ticks` is `None` where it is not said.

    Where positions hedge, each ticket is one: `ticket` is the venue's name of it, which an order that closes
    it has to say, and `client_order_id` the client's name of the order that opened it, where it had one.
    """

    instrument: int | None
    symbol: str
    lots: int
    entry_ticks: int | None = None
    ticket: str | None = None
    client_order_id: str | None = None


class BalanceSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How much of a currency the account has: in all, and what open orders leave free.

    A number that no account can have, such as `1e999999999`, makes no balance: it could be neither subtracted
    nor written out.
    """

    currency: str
    total: Decimal
    free: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no amount of money."""
        for name, amount in (("total", self.total), ("free", self.free)):
            exponent = amount.as_tuple().exponent
            if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX or amount.adjusted() > _DIGITS_MAX:
                rule = f"must be a number with at most {_DIGITS_MAX} digits and {_DECIMALS_MAX} decimals"
                raise InvalidValueError(name, str(amount), rule)


class StreamLost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The stream of reports is broken: what happens now is not told, and has to be asked for."""

    words: str


class StreamReady(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The stream of reports stands: from here on everything is told."""


class NotUnderstood(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A message that makes no sense, kept whole for people."""

    text: str
    why: str


Message = OrderSeen | FillSeen | BalanceSeen | StreamLost | StreamReady | NotUnderstood


class OpenOrders(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask which orders are open, those that wait for a trigger and algorithmic ones included."""


class OneOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask what became of an order, open or not; another endpoint answers it than `OpenOrders`.

    One that others made and gave no name has an empty `client_order_id`: the venue's own name says which.

    Behind one name there may be several orders at the venue: all of them are found. A venue that knows no
    ids of clients has to be asked by its own name of the order; without that there is no answer.
    """

    client_order_id: str
    venue_order_id: str | None = None
    instrument: int


class FillsSince(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask what traded since a time, that time included, or after the cursor of an earlier answer.

    What was told anew since then is in the answer too, whenever it traded: with its last revision at least.
    A venue that lists in pages answers with one of them: see `Findings.rest`.
    """

    time_ns: int
    cursor: str = ""


class Positions(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask which positions there are."""


class Balances(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask how much of each currency there is."""


Question = OpenOrders | OneOrder | FillsSince | Positions | Balances
Seen = OrderSeen | FillSeen | PositionSeen | BalanceSeen


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue answered to a question.

    Attributes
    ----------
    seen : tuple
        What it has, in the order of their times.
    is_complete : bool
        Whether this is all: no page is missing and no look-back is too short. Where it is not all, nothing
        follows from what is absent.
    time_ns : int
        The venue's own time of the answer; 0 where it says none.
    rest : str
        Cursor after which the next page begins; empty where this is the last one.
    """

    seen: tuple[Seen, ...] = ()
    is_complete: bool
    time_ns: int = 0
    rest: str = ""
