"""What makes a wish no order: flaws that a venue sees before it looks at any money."""

from tradecore.testkit.local_venue.account import Account
from tradecore.testkit.local_venue.book import MarketBook
from tradecore.testkit.local_venue.records import NewOrder, Refusal, VenueOrder

# What the native book takes.
LOTS_MAX = 2**40
TICKS_MAX = 2**60
_TIMES_IN_FORCE = frozenset({"gtc", "ioc", "fok", "gtd"})


def flaw_of(
    wish: NewOrder, *, book: MarketBook, owner: Account, now_ns: int, hedges: bool = False
) -> Refusal | None:
    """Say why a wish is refused; `None` where nothing is wrong with it."""
    words = _flaw_of_shape(wish, now_ns) or _flaw_of_ticket(wish, hedges=hedges)
    if words:
        return Refusal(code="unsupported", words=words)
    if wish.ticket and _closable_lots(wish, book, owner) <= 0:
        words = f"there is no open ticket {wish.ticket} that an order of this side closes"
        return Refusal(code="unknown_order", words=words)
    if words := _flaw_of_reducing(wish, book, owner):
        return Refusal(code="unsupported", words=words)
    is_whole = wish.time_in_force == "fok"
    if not (wish.post_only or is_whole or wish.kind == "market"):
        return None
    reached, _, worst = book.reach(is_buy=wish.is_buy, price_ticks=wish.price_ticks, lots=wish.lots)
    if wish.post_only:
        return _would_take() if reached else None
    # Orders of the account itself are no one to trade with.
    own = sum(order.open_lots for order in own_within(owner, book.market, worst, is_buy=wish.is_buy))
    if is_whole and reached - own < wish.lots:
        return Refusal(code="cannot_fill_whole", words="there are not enough orders within its price")
    if reached <= own:
        return Refusal(code="no_liquidity", words="there is nobody on the other side")
    return None


def flaw_of_amendment(
    order: VenueOrder, *, book: MarketBook, owner: Account, price_ticks: int, lots: int
) -> Refusal | None:
    """Say why an order cannot get this price and whole size; `None` where nothing is wrong with it."""
    if not order.filled_lots < lots <= LOTS_MAX:
        words = f"`quantity` must be above what has filled, {order.filled_lots} lots, and at most {LOTS_MAX}"
        return Refusal(code="unsupported", words=words)
    if not 1 <= price_ticks <= TICKS_MAX:
        return Refusal(code="unsupported", words=f"`price` must be from 1 to {TICKS_MAX} ticks")
    if order.post_only and book.reach(is_buy=order.is_buy, price_ticks=price_ticks, lots=1)[0]:
        return _would_take()
    grown = lots - order.lots
    room = closing_room(owner, book.market, is_buy=order.is_buy, ticket=order.ticket)
    if order.reduce_only and grown > max(room, 0):
        return Refusal(code="unsupported", words=_closes_too_much(room + order.open_lots))
    return None


def closing_room(owner: Account, market: int, *, is_buy: bool, ticket: int = 0) -> int:
    """Return how much of a position no open order of the closing side could close; below 0 it is too much.

    Where positions hedge, it is that of a ticket, and of the orders that rest. One that trades at once comes
    before them: what they would close too much is ended after it.
    """
    held = owner.position_lots(market, ticket)
    closing = sum(
        order.open_lots
        for order in owner.open_orders.values()
        if order.market == market and order.is_buy is is_buy and order.ticket == ticket
        if order.rests or not ticket
    )
    return (-held if is_buy else held) - closing


def own_within(owner: Account, market: int, worst_ticks: int, *, is_buy: bool) -> list[VenueOrder]:
    """Return the account's open orders that an order would meet which trades down (or up) to a price."""
    return [
        order
        for order in owner.open_orders.values()
        if order.market == market
        and order.is_buy is not is_buy
        and order.price_ticks is not None
        and (order.price_ticks <= worst_ticks if is_buy else order.price_ticks >= worst_ticks)
    ]


def _flaw_of_shape(wish: NewOrder, now_ns: int) -> str:
    if not 1 <= wish.lots <= LOTS_MAX:
        return f"`quantity` must be from 1 to {LOTS_MAX} lots"
    if wish.kind not in {"limit", "market"}:
        return f"`kind` {wish.kind!r} must be limit or market"
    if wish.time_in_force not in _TIMES_IN_FORCE:
        return f"`time_in_force` {wish.time_in_force!r} must be gtc, ioc, fok or gtd"
    if (wish.time_in_force == "gtd") != (wish.expire_ns is not None):
        return "`expire_ns` goes with gtd, and gtd with it"
    if wish.expire_ns is not None and wish.expire_ns <= now_ns:
        return "`expire_ns` must be after now"
    if wish.kind == "market":
        is_plain = wish.price_ticks is None and not wish.post_only and wish.expire_ns is None
        return "" if is_plain else "a market order has neither price nor post-only nor a time of its end"
    if wish.price_ticks is None or not 1 <= wish.price_ticks <= TICKS_MAX:
        return f"`price` of a limit order must be from 1 to {TICKS_MAX} ticks"
    if wish.post_only and wish.time_in_force in {"ioc", "fok"}:
        return "a post-only order rests: it cannot be ioc or fok"
    return ""


def _flaw_of_ticket(wish: NewOrder, *, hedges: bool) -> str:
    if wish.ticket and not hedges:
        return "positions are netted here: there are no tickets"
    if hedges and wish.reduce_only != bool(wish.ticket):
        return (
            "`reduce_only` and `ticket` go together: an order closes the ticket that it names, or opens one"
        )
    return ""


def _closable_lots(wish: NewOrder, book: MarketBook, owner: Account) -> int:
    held = owner.position_lots(book.market, wish.ticket)
    return -held if wish.is_buy else held


def _flaw_of_reducing(wish: NewOrder, book: MarketBook, owner: Account) -> str:
    if not wish.reduce_only:
        return ""
    if not book.setting.is_margin:
        return "`reduce_only` is for margin markets"
    if wish.ticket and not wish.rests:
        room = _closable_lots(wish, book, owner)
    else:
        room = closing_room(owner, book.market, is_buy=wish.is_buy, ticket=wish.ticket)
    return "" if wish.lots <= room else _closes_too_much(room)


def _closes_too_much(room: int) -> str:
    return f"there are {max(room, 0)} lots that a reduce-only order could close and no other order does"


def _would_take() -> Refusal:
    return Refusal(code="would_take", words="a post-only order would trade at once")
