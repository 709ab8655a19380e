"""Values and errors every other room speaks in; imports nothing of tradecore but its own parts."""

from tradecore._core import EventBatch
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
    RiskSpec,
    SelfTrade,
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
    "Matching",
    "Mode",
    "RiskSpec",
    "SelfTrade",
    "SequenceRule",
    "StorageError",
    "StrategyError",
    "TradecoreError",
    "VenueError",
    "VenueSpec",
]
