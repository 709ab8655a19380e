"""History from files: bars, trades, quotes, book messages, fundings, mark prices; measured latencies."""

from tradecore_files.bars import Bars, load_bars
from tradecore_files.book_capture import BookCaptureFeed
from tradecore_files.book_contents import BookContents, BookPair, BookVenue, book_contents
from tradecore_files.derivatives import Funding, Marks, append_in_order, load_funding, load_marks
from tradecore_files.history import FilesHistory
from tradecore_files.inspection import inspect
from tradecore_files.latency import load_latency
from tradecore_files.options import FileFormat, QuoteSide, ReadOptions, TimeFormat
from tradecore_files.order_records import OrderRecords, load_orders
from tradecore_files.quotes import Quotes, load_quotes
from tradecore_files.summary import FileSummary, InstrumentGuess
from tradecore_files.trades import Trades, load_trades

__all__ = [
    "Bars",
    "BookCaptureFeed",
    "BookContents",
    "BookPair",
    "BookVenue",
    "FileFormat",
    "FileSummary",
    "FilesHistory",
    "Funding",
    "InstrumentGuess",
    "Marks",
    "OrderRecords",
    "QuoteSide",
    "Quotes",
    "ReadOptions",
    "TimeFormat",
    "Trades",
    "append_in_order",
    "book_contents",
    "inspect",
    "load_bars",
    "load_funding",
    "load_latency",
    "load_marks",
    "load_orders",
    "load_quotes",
    "load_trades",
]
