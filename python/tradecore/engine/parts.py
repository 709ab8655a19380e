"""What an engine is made of, checked as one: every problem of all parts is named at once."""

from collections.abc import Sequence

import msgspec

from tradecore.decision import Gate, checked_gates
from tradecore.domain import EngineSpec, InvalidSpecError, shape
from tradecore.domain.spec_check import checked_spec
from tradecore.strategy import StrategyBinding, checked_bindings
from tradecore.strategy.check import known_names


class Parts(msgspec.Struct, frozen=True):
    """Specification, strategies and gates, every value of its declared type."""

    spec: EngineSpec
    strategies: tuple[StrategyBinding, ...]
    gates: tuple[Gate, ...]


def checked_parts(spec: EngineSpec, strategies: Sequence[StrategyBinding], gates: Sequence[Gate]) -> Parts:
    """Check the parts of an engine.

    Raises
    ------
    InvalidSpecError
        Names each key that is wrong by its path: `instruments[1].tick_size`, `strategies[0].bars`,
        `gates[0].ticks`.
    """
    problems = shape.Problems()
    good_spec = checked_spec(spec, known_names(strategies), problems)
    listed = getattr(spec, "instruments", ())
    count = len(listed) if isinstance(listed, list | tuple) else 0
    good_strategies = checked_bindings(strategies, count, problems)
    good_gates = checked_gates(gates, problems)
    problems.raise_any()
    if good_spec is None or good_strategies is None:
        raise InvalidSpecError(problems.found)
    return Parts(good_spec, good_strategies, good_gates)
