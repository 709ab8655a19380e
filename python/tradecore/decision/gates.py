"""The gates that come with tradecore."""

import math

import msgspec

from tradecore.decision.gate import DecisionView, GateVerdict

NANOSECONDS_PER_SECOND = 1_000_000_000


class MaxSpread(msgspec.Struct, frozen=True, tag_field="kind", tag="max_spread", forbid_unknown_fields=True):
    """No entry while the spread is wider than `ticks`, or while there is no two-sided quote."""

    ticks: int

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Compare ask minus bid, in ticks, with the limit."""
        if view.best_bid_ticks is None or view.best_ask_ticks is None:
            spread = math.inf
        else:
            spread = float(view.best_ask_ticks - view.best_bid_ticks)
        return GateVerdict("max_spread", float(self.ticks), spread, view.is_closing or spread <= self.ticks)


class Cooldown(msgspec.Struct, frozen=True, tag_field="kind", tag="cooldown", forbid_unknown_fields=True):
    """No entry within `seconds` of the last one of the same strategy."""

    seconds: float

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Compare the time since the last entry, in seconds, with the limit."""
        if view.last_entry_ns is None:
            waited = math.inf
        else:
            waited = (view.now_ns - view.last_entry_ns) / NANOSECONDS_PER_SECOND
        return GateVerdict("cooldown", self.seconds, waited, view.is_closing or waited >= self.seconds)


class TradingHours(
    msgspec.Struct, frozen=True, tag_field="kind", tag="trading_hours", forbid_unknown_fields=True
):
    """Entries only from `start` to before `end`, as hours of the day in UTC; may pass midnight."""

    start: float
    end: float

    def check(self, view: DecisionView, /) -> GateVerdict:
        """Compare the hour of the day with the window; the limit shown is its start."""
        hour = view.now_ns % (24 * 3600 * NANOSECONDS_PER_SECOND) / (3600 * NANOSECONDS_PER_SECOND)
        if self.start <= self.end:
            inside = self.start <= hour < self.end
        else:
            inside = hour >= self.start or hour < self.end
        return GateVerdict("trading_hours", self.start, hour, view.is_closing or inside)


GateConfig = MaxSpread | Cooldown | TradingHours
