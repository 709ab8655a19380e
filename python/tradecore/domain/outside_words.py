"""Words for what a venue outside said or did that no order of ours asked for."""

from tradecore.domain.order_words import price_text
from tradecore.domain.record_bodies import Adopted
from tradecore.domain.units import Units

# What each kind of surprise means for the books, after the name of the order.
SURPRISES = {
    "unknown_order": "the venue tells of it, and it was never sent from here",
    "impossible": "what the venue says of it cannot be true of the books, and changes no order",
    "overfill": "more has filled than it was for; all of that is booked",
    "late_fill": "it filled after its end; the fill is booked",
    "forgotten_order": "it filled long after its end and is not known any more; the fill is not booked",
    "exit_refused": "the venue did not take it: A POSITION IS OPEN WITHOUT THIS EXIT, not tried again",
    "forgotten_trade": "a trade of it that is not known any more was told anew; nothing of that is booked",
    "exit_missing": "a trade of it was told anew: A POSITION IS OPEN WITHOUT AN EXIT or one too small",
}


def surprise_words(kind: str) -> str:
    """Return what a surprise means; its name where an older or newer program wrote another one."""
    return SURPRISES.get(kind, kind.replace("_", " "))


def adopted_words(found: Adopted, units: Units) -> str:
    """Return what others made, and whose it is from here on."""
    size = f"{units.quantity(found.instrument, found.lots):f} {units.symbol(found.instrument)}"
    price = f" at {price_text(units, found.instrument, found.price_ticks)}" if found.price_ticks else ""
    whose = f"belongs to {units.strategy(found.strategy)} from here on"
    if found.adopted == "order":
        return f"an order of others, {found.venue_order_id}, to {found.side} {size}{price} {whose}"
    done = "bought" if found.side == "buy" else "sold"
    return f"a position that others {done}, {size}{price}, {whose}"
