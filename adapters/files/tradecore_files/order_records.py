"""Market by order of Databento: every order of a venue, from its first moment to its last."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.book import OrderBook
from tradecore.domain.feeds import read_mbo
from tradecore_files.raw import read_bytes


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
        When the file cannot be read, or a record is damaged or off the tick.
    """
    data = read_bytes(path)
    try:
        return OrderRecords(**read_mbo(data, tick_size, instrument_id))
    except DataError as error:
        raise DataError(f"{path} {error.where}", error.what) from error
