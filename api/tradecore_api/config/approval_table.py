"""The table that says which entries wait for a person."""

from typing import Annotated

import msgspec

from tradecore.domain.spec import ApprovalSpec

_NS_IN_MS = 1_000_000


class ApprovalTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[live.approval]`: entries wait for a person's yes (`tradecore approvals`, `approve`, `reject`).

    Those worth more than `above` do, absent every one. A wish that waits is no order: the strategy is told
    `awaiting_approval`. When the yes comes within `timeout_ms`, and the price has moved by `price_move_bps`
    at most, gates and risk judge it as if it were made then. What only closes never waits. It is one setting
    for all accounts.
    """

    above: str | None = None
    timeout_ms: Annotated[int, msgspec.Meta(ge=1, le=86_400_000)] = 60_000
    price_move_bps: str = "50"

    @property
    def spec(self) -> ApprovalSpec:
        """The part that decides the behaviour of the engine."""
        return ApprovalSpec(
            above=self.above, timeout_ns=self.timeout_ms * _NS_IN_MS, price_move_bps=self.price_move_bps
        )
