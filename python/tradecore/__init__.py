"""One deterministic trading engine, the same in backtest, shadow and paper.

Names are loaded when they are first used, so that importing this package stays cheap.
"""

import importlib

from tradecore._core import __version__

_WHERE = {
    "tradecore._core": (
        "Bar", "Book", "CashFlow", "EventBatch", "Fill", "Indicator", "LatencySamples", "Liquidation",
        "OrderUpdate", "Quote",
        "Refused", "Revision", "Trade",
    ),
    "tradecore.backtest": ("BacktestResult", "Statistics", "run_frame"),
    "tradecore.decision": ("Cooldown", "MaxSpread", "TradingHours"),
    "tradecore.domain": (
        "AccountSpec", "Adjustment", "BarFill", "BarOrder", "BrokenInvariantError", "ConfigError",
        "Conversion", "DataError",
        "EngineSpec", "FeeTierSpec", "FeeWindow", "FeesSpec", "Finalize", "GateError",
        "HedgedMargin",
        "Instrument", "InstrumentKind",
        "InstrumentRiskSpec", "InstrumentSpec", "InvalidSpecError", "InvalidValueError", "LossState",
        "LotMethod",
        "MarginMode",
        "MarginSpec", "MarginTierSpec", "MarketRest", "Matching", "Mode", "Opening", "OpeningLot",
        "Positions", "QueueModel", "RiskSpec",
        "ScopeRiskSpec", "SelfTrade", "SelfTradePrevention", "SequenceRule", "SessionTable",
        "SlippageSpec", "StorageError", "StrategyError", "StrategyRiskSpec", "StrategyWarning",
        "Ticket", "TradecoreError", "Transfer", "VenueAccountSpec", "VenueError", "VenueSpec",
    ),
    "tradecore.domain.book": ("ExchangeBook",),
    "tradecore.engine": ("Activity", "Context", "Engine", "EngineSummary"),
    "tradecore.strategy": ("BarSource", "Bounds", "FirstBar", "StrategyBinding"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE_OF)]  # noqa: PLE0604  # the names are those of the table above


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'tradecore' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
