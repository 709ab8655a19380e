"""What an account holds, what it has lost, and the closed trades of an engine."""

from tradecore._core import canary_orders, closed_trades, losses, open_positions, waiting
from tradecore.domain.closed_trades import ClosedTrade, trades_in
from tradecore.domain.units import Units
from tradecore.engine.engine import Engine

__all__ = ["canary_orders", "losses", "open_positions", "trades_of", "waiting"]


def trades_of(engine: Engine) -> list[ClosedTrade]:
    """Return the closed trades of an engine, in the order of their exits."""
    units = Units(engine.spec, [binding.name for binding in engine.strategies])
    return trades_in(closed_trades(engine.kernel), units)
