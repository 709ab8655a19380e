"""Trading sessions of exchanges and of the FX week, as tables for the engine."""

from tradecore_calendars.tables import session_table

__all__ = ["session_table"]
