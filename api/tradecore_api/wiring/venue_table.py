"""A table of what each venue does, what the engine does in its place, and what nobody does."""

import msgspec

from tradecore.runtime.live.needs import FEATURES, ORDER_KINDS, TIMES_IN_FORCE, doers
from tradecore.testkit.local_venue import LocalExchange, VenueSettings


def table() -> str:
    """Return the table in Markdown.

    Of the local venue it has the markets that keep positions: as they are, and with the least they can do.
    """
    markets = tuple(
        msgspec.structs.replace(market, is_margin=True, has_agents=False)
        for market in VenueSettings().markets
    )
    least = VenueSettings(markets=markets, replaces=False, post_only=False, reduce_only=False)
    known = {
        "local": LocalExchange(VenueSettings(markets=markets), start_ns=0).capabilities,
        "local, with the least": LocalExchange(least, start_ns=0).capabilities,
    }
    done = {name: doers(can) for name, can in known.items()}
    names = [*ORDER_KINDS, *TIMES_IN_FORCE, *FEATURES]
    rows = [f"| `{name}` | {' | '.join(done[venue][name].value for venue in done)} |" for name in names]
    return "\n".join([f"| what | {' | '.join(done)} |", f"|---|{'---|' * len(done)}", *rows])
