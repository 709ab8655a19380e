"""What is held at a venue, in words."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tradecore.domain.units import trimmed


def held_words(positions: Iterable[tuple[str, int]], lot_sizes: Mapping[str, Decimal]) -> str:
    """Return `BTC-USD -0.006, ETH-USD 1.5` of symbols and lots; `none` for nothing.

    `lot_sizes` has the size of a lot by symbol; of one that is not known there lots are told.
    """
    return ", ".join(f"{symbol} {_size(symbol, lots, lot_sizes)}" for symbol, lots in positions) or "none"


def _size(symbol: str, lots: int, lot_sizes: Mapping[str, Decimal]) -> str:
    lot = lot_sizes.get(symbol)
    return f"{lots} lots" if lot is None else f"{trimmed(lots * lot):f}"
