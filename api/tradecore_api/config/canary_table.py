"""The table that bounds what a live account may do."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from tradecore.domain.spec import CanarySpec


class CanaryTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[live.canary]`: what a live account may do at most; no command lifts it while the engine runs.

    `instruments` are the symbols that it may open positions in. `order_value_max` bounds the value of an
    order (of an amended one with what it has traded), `position_value_max` that of the position in each
    instrument, working orders included, at the last price; both are money of `account.currency`.
    `orders_a_day_max` is how many new orders may leave in a day, which begins at `risk.day_start_ns`. What
    only closes a position passes, as it passes every limit.

    `venues` are the hosts that orders and questions may go to, such as `"api.example.com"` or
    `"10.0.0.5:8443"`; this machine (`127.0.0.1`) need not be named for a local venue. Any other host is
    refused before a key is read.
    """

    instruments: tuple[str, ...]
    order_value_max: str
    orders_a_day_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    position_value_max: str
    venues: tuple[str, ...] = ()

    def spec(self, account: str, symbols: Sequence[str]) -> CanarySpec:
        """Return what the engine holds an account to that has the instruments of these symbols."""
        return CanarySpec(
            account=account,
            instruments=tuple(symbol for symbol in self.instruments if symbol in symbols),
            order_value_max=self.order_value_max,
            orders_a_day_max=self.orders_a_day_max,
            position_value_max=self.position_value_max,
        )
