"""A venue on this machine that keeps its own truth: matching, money, rights and faults, without sockets."""

from tradecore.testkit.local_venue.access import Access, Denied, Right
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import (
    Endpoint,
    FaultKind,
    FaultRule,
    Faults,
    FaultScript,
    FaultSeen,
)
from tradecore.testkit.local_venue.records import NewOrder, Refusal
from tradecore.testkit.local_venue.settings import (
    AccountSetting,
    FeeSetting,
    LimitSetting,
    MarketSetting,
    VenueSettings,
)

__all__ = [
    "Access",
    "AccountSetting",
    "Denied",
    "Endpoint",
    "FaultKind",
    "FaultRule",
    "FaultScript",
    "FaultSeen",
    "Faults",
    "FeeSetting",
    "LimitSetting",
    "LocalExchange",
    "MarketSetting",
    "NewOrder",
    "Refusal",
    "Right",
    "VenueSettings",
]
