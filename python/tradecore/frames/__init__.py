"""Tables in memory: pandas, polars, Arrow and numpy in and out. None of them is imported until it is used."""

from tradecore.frames.batches import batch_of, instrument_of
from tradecore.frames.made import frame_of

__all__ = ["batch_of", "frame_of", "instrument_of"]
