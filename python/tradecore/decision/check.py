"""The one check of decision gates: settings of those that come with tradecore, a `check` of all others."""

from collections.abc import Sequence

from tradecore.decision.gate import Gate
from tradecore.decision.gates import Cooldown, MaxSpread, TradingHours
from tradecore.domain import shape


def checked_gates(gates: Sequence[Gate], report: shape.Report) -> tuple[Gate, ...]:
    """Return gates with every setting of its declared type; `report` gets problems (`gates[0].ticks`)."""
    if not isinstance(gates, list | tuple):
        report("gates", gates, "must be a list of decision gates")
        return ()
    good: list[Gate] = []
    for index, gate in enumerate(gates):
        key = f"gates[{index}]"
        # Exactly these: a class derived from one of them may judge otherwise.
        if type(gate) in (MaxSpread, Cooldown, TradingHours):
            good.append(shape.checked_struct(gate, type(gate), key, report) or gate)
        elif isinstance(gate, type):
            report(key, gate.__name__, f"is the class itself; make a gate of it: {gate.__name__}(...)")
        elif callable(getattr(gate, "check", None)):
            good.append(gate)
        else:
            report(key, gate, "must be a decision gate: an object with a method check(view)")
    return tuple(good)
