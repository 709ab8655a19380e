"""The engine: the only room that knows the order of the way through the house."""

from tradecore.engine.activity import (
    Activity,
    ColdIndicator,
    GateActivity,
    OrderOutcomes,
    Refusals,
    StrategyActivity,
)
from tradecore.engine.activity_report import standing_notes
from tradecore.engine.activity_watch import ActivityWatch
from tradecore.engine.context import Context
from tradecore.engine.engine import SAMPLE_NS, Engine
from tradecore.engine.summary import BookCounts, CurrencyBalance, EngineSummary, LimitChange

__all__ = [
    "SAMPLE_NS",
    "Activity",
    "ActivityWatch",
    "BookCounts",
    "ColdIndicator",
    "Context",
    "CurrencyBalance",
    "Engine",
    "EngineSummary",
    "GateActivity",
    "LimitChange",
    "OrderOutcomes",
    "Refusals",
    "StrategyActivity",
    "standing_notes",
]
