"""Native readers of market data for adapters: messages and delimited text straight to ticks and lots."""

from tradecore._core import (
    BinanceDecoder,
    VenueBookDecoder,
    last_seen,
    read_columns,
    read_events,
    read_mbo,
    time_kind,
)

__all__ = [
    "BinanceDecoder",
    "VenueBookDecoder",
    "last_seen",
    "read_columns",
    "read_events",
    "read_mbo",
    "time_kind",
]
