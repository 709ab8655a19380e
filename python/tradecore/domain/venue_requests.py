"""What is asked of a venue outside, and what it answers to that.

Prices are whole ticks, sizes whole lots, times UTC nanoseconds. Whoever speaks to a venue turns them into its
own words and back, by the instruments of the engine.
"""

import msgspec

from tradecore.domain.record_bodies import OrderTerms


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for a new order.

    Attributes
    ----------
    client_order_id : str
        The name under which the venue shall know it.
    order : OrderTerms
        All that makes it; its exits and links are held by the engine and are no part of the request.
    lots : int
        Its size as it goes out, above 0.
    ticket : str or None
        Where positions hedge: the venue's name of the ticket that it closes. Without one it opens a ticket.
    """

    client_order_id: str
    order: OrderTerms
    lots: int
    ticket: str | None = None


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for the end of an order.

    Attributes
    ----------
    client_order_id : str
        Our name of it.
    venue_order_id : str or None
        The venue's name of it, where it is known by now.
    instrument : int
        Number of its instrument.
    """

    client_order_id: str
    instrument: int
    venue_order_id: str | None = None


class Replace(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for another price or another size of an order.

    Attributes
    ----------
    client_order_id, venue_order_id, instrument
        As of `Cancel`.
    price_ticks : int or None
        New stated price; `None` keeps it.
    open_lots : int
        New size that is still open, above 0.
    filled_lots : int
        What had filled when this was asked: a venue that takes the whole size is asked for both together.
    """

    client_order_id: str
    instrument: int
    venue_order_id: str | None = None
    price_ticks: int | None = None
    open_lots: int
    filled_lots: int = 0


Request = Submit | Cancel | Replace


class Taken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue has the request; what becomes of it is said by reports."""

    venue_order_id: str | None = None


class Declined(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue says no, for good: the request changed nothing and will not.

    "This client order id was seen before" is none of these answers but `Lost`: the order that the venue saw
    may be this one, which somebody on the way sent twice. For the same reason `unknown_order` to a cancel
    says that no order is open under this name, and not that there never was one.

    Attributes
    ----------
    reason : str
        One of the reasons of a rejected order, e.g. `insufficient_margin`, `would_take`, `unknown_order`.
    words : str
        What the venue said.
    """

    reason: str
    words: str


class NotDone(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It is proved that nothing happened, and the same request may be sent again.

    Attributes
    ----------
    words : str
        What happened: no connection, too many requests, the venue is busy.
    retry_after_ns : int
        How long to wait at least, in nanoseconds.
    """

    words: str
    retry_after_ns: int = 0


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nobody knows whether the request had an effect.

    A time-out, a connection that broke, an answer without sense: only the venue can say, and has to be asked.
    """

    words: str


Answer = Taken | Declined | NotDone | Lost
