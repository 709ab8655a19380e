"""Why an order makes no sense, in words: which of its values is at fault, and what bounds it."""

from tradecore.domain.order_words import PRICES, KnownOrder, price_text
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units


def invalid_order_words(order: KnownOrder, limit: int, value: int, units: Units) -> str:
    """Return what of an order was refused as `invalid_order`.

    The refusal has a value and its bound as bare numbers; the value is found again among those of the order.

    Parameters
    ----------
    order : KnownOrder
        The order.
    limit, value : int
        What the refusal says, in the unit of the value that is at fault.
    units : Units
        What numbers mean.
    """
    terms, number = order.terms, order.instrument
    if order.lots is not None and value == order.lots <= 0:
        return f"its size is {units.quantity(number, value):f}, and must be above 0"
    if value == terms.expire_ns:
        return f"it would expire at {iso_time(value)}, which is not after its own time, {iso_time(limit)}"
    if terms.display_lots is not None and (value, limit) == (terms.display_lots, order.lots):
        return (
            f"it would show {units.quantity(number, value):f}, which is more than its size of "
            f"{units.quantity(number, limit):f}"
        )
    for name, label in PRICES:
        if getattr(terms, name) == value and (name, value) != ("price_ticks", 1):
            shown, bound = price_text(units, number, value), price_text(units, number, limit)
            if value < limit and limit == 1:
                return f"`{label} {shown}` is too low: the least is {bound}"
            return f"`{label} {shown}` is on the wrong side of {bound}"
    if limit == 0 and value > 1:
        return f"it is tied to order {value}, which is not an open order of its strategy and instrument"
    return "its kind, time in force and flags do not fit together: see docs/orders.md"
