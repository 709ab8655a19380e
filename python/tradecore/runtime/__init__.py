"""The asyncio shell around an engine: owns ports, clock, recovery and commits."""

from tradecore.runtime.projector import Projector
from tradecore.runtime.session import Session, SessionSettings, SessionStatus
from tradecore.runtime.session_config import SessionConfig
from tradecore.runtime.system_clock import SystemClock

__all__ = ["Projector", "Session", "SessionConfig", "SessionSettings", "SessionStatus", "SystemClock"]
