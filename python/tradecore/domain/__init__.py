"""Values and errors every other room speaks in; imports nothing of tradecore but its own parts."""

from tradecore._core import EventBatch, LatencySamples
from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    InvalidValueError,
    StorageError,
    StrategyError,
    TradecoreError,
    VenueError,
)
from tradecore.domain.instrument import Instrument
from tradecore.domain.spec import (
    AccountSpec,
    BarFill,
    BarOrder,
    EngineSpec,
    FeesSpec,
    Finalize,
    InstrumentKind,
    InstrumentSpec,
    Matching,
    Mode,
    QueueModel,
    RiskSpec,
    SequenceRule,
    VenueSpec,
)

__all__ = [
    "AccountSpec",
    "BarFill",
    "BarOrder",
    "BrokenInvariantError",
    "ConfigError",
    "DataError",
    "EngineSpec",
    "EventBatch",
    "FeesSpec",
    "Finalize",
    "Instrument",
    "InstrumentKind",
    "InstrumentSpec",
    "InvalidValueError",
    "LatencySamples",
    "Matching",
    "Mode",
    "QueueModel",
    "RiskSpec",
    "SequenceRule",
    "StorageError",
    "StrategyError",
    "TradecoreError",
    "VenueError",
    "VenueSpec",
]
