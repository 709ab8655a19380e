"""An engine that quotes gold and tin, for tests of limits."""

from tradecore.domain import AccountSpec, EngineSpec, InstrumentSpec, Matching, VenueSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding


def engine_of(strategy_class, risk, *wishes, **more):
    """Return an engine with one strategy, named as its class in small letters, and the strategy."""
    spec = EngineSpec(
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in ("GOLD", "TIN")),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.QUOTES),
        risk=risk,
        **more,
    )
    strategy = strategy_class(*wishes)
    name = strategy_class.__name__.lower()
    return Engine(spec, [StrategyBinding(name=name, strategy=strategy, instruments=(0, 1))]), strategy
