"""The gates that come with tradecore; the engine judges by their settings without calling Python."""

from typing import Annotated

import msgspec

from tradecore._core import gate_verdict
from tradecore.decision.gate import DecisionView, GateVerdict

_Ticks = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Hour = Annotated[float, msgspec.Meta(ge=0, le=24)]


class MaxSpread(msgspec.Struct, frozen=True, tag_field="kind", tag="max_spread", forbid_unknown_fields=True):
    """No entry while the spread is wider than `ticks`, or while there is no two-sided quote."""

    ticks: _Ticks

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Compare ask minus bid, in ticks, with the limit."""
        return GateVerdict(*gate_verdict(self, view))


class Cooldown(msgspec.Struct, frozen=True, tag_field="kind", tag="cooldown", forbid_unknown_fields=True):
    """No entry within `seconds` of the last one of the same strategy.

    A new order and an amendment that adds risk are entries. What the engine sends of an `after` order as
    fills arrive is none: that order was counted when it was asked for.
    """

    seconds: _Seconds

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Compare the time since the last entry, in seconds, with the limit."""
        return GateVerdict(*gate_verdict(self, view))


class TradingHours(
    msgspec.Struct, frozen=True, tag_field="kind", tag="trading_hours", forbid_unknown_fields=True
):
    """Entries only from `start` to before `end`, as hours of the day in UTC; may pass midnight."""

    start: _Hour
    end: _Hour

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Compare the hour of the day with the window; the limit shown is its start."""
        return GateVerdict(*gate_verdict(self, view))


GateConfig = MaxSpread | Cooldown | TradingHours
