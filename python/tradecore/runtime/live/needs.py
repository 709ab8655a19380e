"""What a venue has to have, and who does what it does not have."""

from collections.abc import Mapping
from enum import StrEnum

from tradecore.domain.venue_capabilities import AWAKE, VenueCapabilities

ORDER_KINDS = ("market", "limit", *AWAKE, "market_to_limit", "iceberg")
TIMES_IN_FORCE = ("gtc", "ioc", "fok", "gtd", "day")
FEATURES = ("post_only", "reduce_only", "replace", "bracket", "oco", "client_ids")
# The engine closes positions with these, whatever strategies do.
ALWAYS = ("market", "gtc")


class Doer(StrEnum):
    """Who does something."""

    VENUE = "venue"
    """The venue by itself."""
    ENGINE = "engine"
    """The engine, from market data and reports."""
    NOBODY = "nobody"
    """It is refused."""


def doers(can: VenueCapabilities) -> dict[str, Doer]:
    """Return who does each thing at a venue that can do this: kinds of orders, times in force, features."""
    by_venue = dict.fromkeys(can.order_kinds | can.times_in_force, Doer.VENUE)
    by_engine = dict.fromkeys(can.watched, Doer.ENGINE)
    has_ids = can.duplicate_ids.value != "none"
    features = {
        "post_only": Doer.VENUE if can.post_only else Doer.NOBODY,
        "reduce_only": Doer.VENUE if can.reduce_only else Doer.ENGINE,
        "replace": Doer.VENUE if can.replaces else Doer.ENGINE,
        # Each exit is an order of its own: no venue is asked to link any.
        "bracket": Doer.ENGINE,
        "oco": Doer.ENGINE,
        "client_ids": Doer.VENUE if has_ids else Doer.NOBODY,
    }
    known = dict.fromkeys((*ORDER_KINDS, *TIMES_IN_FORCE), Doer.NOBODY)
    return known | by_engine | by_venue | features


def unmet(can: VenueCapabilities, needs: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return what nobody does of what is needed, by who needs it; empty where all is done.

    Parameters
    ----------
    can : VenueCapabilities
        What the venue can do.
    needs : mapping of str to tuple of str
        Names of what each strategy needs, by its name.
    """
    done = doers(can)
    wanted = {"engine": ALWAYS, **needs}
    missing = {
        who: [name for name in names if done.get(name, Doer.NOBODY) is Doer.NOBODY]
        for who, names in wanted.items()
    }
    return {who: names for who, names in missing.items() if names}
