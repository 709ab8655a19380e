"""The engine: the only room that knows the order of the way through the house."""

from tradecore.engine.context import Context
from tradecore.engine.engine import SAMPLE_NS, Engine
from tradecore.engine.summary import BookCounts, EngineSummary, LimitChange

__all__ = ["SAMPLE_NS", "BookCounts", "Context", "Engine", "EngineSummary", "LimitChange"]
