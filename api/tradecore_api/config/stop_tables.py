"""The tables of a configuration file that are about stopping: how a flatten closes, what pauses by itself."""

from typing import Annotated

import msgspec

from tradecore.domain.commands import Command, Flatten
from tradecore.domain.money_requests import Money

DAY_MS = 86_400_000
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=DAY_MS)]


class FlattenTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[flatten]`: how every flatten closes that does not say so itself.

    With `within_bps` above 0 it closes by limit orders, at worst so many basis points from the mark of the
    moment of the command, for `then_market_ms`; what is left then goes at the market. 0 is at the market at
    once.
    """

    within_bps: Annotated[int, msgspec.Meta(ge=0, le=9_999)] = 0
    then_market_ms: Annotated[int, msgspec.Meta(ge=1, le=DAY_MS)] = 30_000

    def completed(self, command: Command | Money) -> Command | Money:
        """Return a flatten as it is to be done: what it does not say is as the table says."""
        if not isinstance(command, Flatten):
            return command
        within_bps = self.within_bps if command.within_bps is None else command.within_bps
        if within_bps == 0:
            return msgspec.structs.replace(command, within_bps=None, then_market_ns=None)
        then_ns = command.then_market_ns
        then_ns = self.then_market_ms * 1_000_000 if then_ns is None else then_ns
        return msgspec.structs.replace(command, within_bps=within_bps, then_market_ns=then_ns)


class SafetyTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[safety]`: when an engine pauses by itself, and whether it flattens what a loss has halted.

    It holds in live mode, also where the table is not written; in paper and shadow mode where it is. A bound
    of 0 is none. A pause is as one of a person: cancels and closing orders work; `tradecore resume` ends it.

    The feed has brought nothing for `feed_lost_ms`; or for `stale_ms`, and that `stale_times` within
    `stale_window_ms`. The clock of the machine has jumped by more than `clock_jump_ms`, either way: it was
    set, or the machine slept. While all instruments are outside their sessions, no feed is missed.

    With `flatten_when_halted`, `daily_loss_max` and `drawdown_max` of an account do not only halt it, but
    flatten it too, as `[flatten]` says.
    """

    feed_lost_ms: Milliseconds = 60_000
    stale_ms: Milliseconds = 15_000
    stale_times: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 5
    stale_window_ms: Annotated[int, msgspec.Meta(ge=1, le=DAY_MS)] = 600_000
    clock_jump_ms: Milliseconds = 2_000
    flatten_when_halted: bool = False
