"""Ports made of pure code: a simulated exchange whose agents trade through the real matching engine."""

from tradecore.sim.agents import AgentCrowd, AgentMarket
from tradecore.sim.simulated_exchange import (
    DEMO_INSTRUMENTS,
    DEMO_MARKETS,
    START_NS,
    SimulatedExchangeFeed,
)

__all__ = [
    "DEMO_INSTRUMENTS",
    "DEMO_MARKETS",
    "START_NS",
    "AgentCrowd",
    "AgentMarket",
    "SimulatedExchangeFeed",
]
