"""Market by order of Databento: every order of a venue, from its first moment to its last."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.book import OrderBook
from tradecore.domain.feeds import read_mbo
from tradecore_files.raw import read_bytes

# Before the metadata stand "DBN", the version and the length of the metadata.
_PREFIX_BYTES, _HEADER_BYTES = 8, 16
# What records are called. Source: Databento, DBN record types (rtype).
RECORD_TYPES = {
    0x00: "trades (mbp-0)",
    0x01: "mbp-1",
    0x0A: "mbp-10",
    0x11: "ohlcv (deprecated)",
    0x12: "status",
    0x13: "definition",
    0x14: "imbalance",
    0x15: "error",
    0x16: "symbol mapping",
    0x17: "system",
    0x18: "statistics",
    0x20: "ohlcv-1s",
    0x21: "ohlcv-1m",
    0x22: "ohlcv-1h",
    0x23: "ohlcv-1d",
    0x24: "ohlcv-eod",
    0xA0: "mbo",
    0xB1: "cmbp-1",
    0xC0: "cbbo-1s",
    0xC1: "cbbo-1m",
    0xC2: "tcbbo",
    0xC3: "bbo-1s",
    0xC4: "bbo-1m",
}


class OrderRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the orders of a venue, one row a record, in the order of the file.

    Attributes
    ----------
    time_ns, received_ns : numpy.ndarray
        int64, UTC nanoseconds: when the venue says it happened, and when it was received.
    instrument_id, sequence : numpy.ndarray
        uint32, the publisher's number of the instrument and the venue's of the message.
    action, side : numpy.ndarray
        uint8 as `OrderBook.apply` takes them: 0 add, 1 modify, 2 reduce, 3 nothing, 4 clear; 0 bid, 1 ask.
    order_id : numpy.ndarray
        uint64.
    price_ticks, lots : numpy.ndarray
        int64; a record without a price has 0 ticks.
    is_last : numpy.ndarray
        bool: whether the event is whole after this record, and the book with it.
    """

    time_ns: npt.NDArray[np.int64]
    received_ns: npt.NDArray[np.int64]
    instrument_id: npt.NDArray[np.uint32]
    sequence: npt.NDArray[np.uint32]
    action: npt.NDArray[np.uint8]
    side: npt.NDArray[np.uint8]
    order_id: npt.NDArray[np.uint64]
    price_ticks: npt.NDArray[np.int64]
    lots: npt.NDArray[np.int64]
    is_last: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time_ns)

    def apply_to(self, book: OrderBook, start: int = 0, stop: int | None = None) -> None:
        """Apply the records from `start` up to `stop` to a book of their instrument.

        Raises
        ------
        InvalidValueError
            At the first change that the book cannot take, naming its row counted from `start`.
        """
        rows = slice(start, stop)
        book.apply(
            self.action[rows],
            self.side[rows],
            self.order_id[rows],
            self.price_ticks[rows],
            self.lots[rows],
        )


def load_orders(path: Path | str, tick_size: str, *, instrument_id: int | None = None) -> OrderRecords:
    """Load market by order from a DBN file (versions 1 to 3); gzip, zip and zstd are read as they are.

    Parameters
    ----------
    path : Path or str
        The file; the whole of it is held in memory.
    tick_size : str
        Tick of the instrument as decimal text.
    instrument_id : int, optional
        The only instrument to read; a book holds one, a file perhaps many.

    Raises
    ------
    DataError
        When the file cannot be read, a record is damaged or off the tick, or there are records and none
        that is asked for: of other schemas, such as `mbp-10`, or of other instruments.
    """
    data = read_bytes(path)
    try:
        records = OrderRecords(**read_mbo(data, tick_size, instrument_id))
    except DataError as error:
        raise DataError(f"{path} {error.where}", error.what) from error
    if not len(records) and (types := record_types(data)):
        raise DataError(str(path), _why_none(types))
    return records


def record_types(data: bytes) -> Counter[int]:
    """Count the records of a DBN file by their type, as far as their lengths can be followed."""
    found: Counter[int] = Counter()
    at = _PREFIX_BYTES + int.from_bytes(data[4:_PREFIX_BYTES], "little")
    while at + 1 < len(data) and (length := data[at] * 4) >= _HEADER_BYTES:
        found[data[at + 1]] += 1
        at += length
    return found


def _why_none(types: Mapping[int, int]) -> str:
    """Say why a file with records has none that can be read."""
    named = ", ".join(f"{count} of {RECORD_TYPES.get(number, number)}" for number, count in types.items())
    return f"holds no market by order, but {named}; fetch the schema mbo, which alone is read"
