"""What a strategy is: a plain class with callbacks, typed parameters and the context it acts through.

A strategy may have any of these methods; it is called only for what it has:

``on_start(ctx)``, ``on_bar(ctx, bar)``, ``on_quote(ctx, quote)``, ``on_book(ctx, book)``,
``on_trade(ctx, trade)``, ``on_fill(ctx, fill)``, ``on_order(ctx, update)``, ``on_timer(ctx, timer_id)``,
``on_cash_flow(ctx, flow)``, ``on_liquidation(ctx, liquidation)``, ``on_revision(ctx, revision)``,
``on_stop(ctx)``.
"""

from msgspec import Meta as Bounds

from tradecore.strategy.bar_source import BarSource, FirstBar
from tradecore.strategy.binding import Bars, StrategyBinding, Timeframe, timeframes
from tradecore.strategy.callbacks import CALLBACKS, has_callbacks, signature_problems, unknown_callbacks
from tradecore.strategy.check import checked_bindings
from tradecore.strategy.loader import build, load_class, parameters

__all__ = [
    "CALLBACKS",
    "BarSource",
    "Bars",
    "Bounds",
    "FirstBar",
    "StrategyBinding",
    "Timeframe",
    "build",
    "checked_bindings",
    "has_callbacks",
    "load_class",
    "parameters",
    "signature_problems",
    "timeframes",
    "unknown_callbacks",
]
