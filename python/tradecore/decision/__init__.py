"""Decision gates, and the verdicts that make up the trace of a decision."""

from tradecore.decision.check import checked_gates
from tradecore.decision.gate import DecisionView, Gate, GateVerdict
from tradecore.decision.gates import Cooldown, GateConfig, MaxSpread, TradingHours

__all__ = [
    "Cooldown",
    "DecisionView",
    "Gate",
    "GateConfig",
    "GateVerdict",
    "MaxSpread",
    "TradingHours",
    "checked_gates",
]
