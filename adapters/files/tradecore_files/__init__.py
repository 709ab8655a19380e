"""History from files: bars, trades, quotes, book messages; whole ticks and lots. Measured latencies."""

from tradecore_files.bars import Bars, load_bars
from tradecore_files.book_capture import BookCaptureFeed, BookVenue
from tradecore_files.inspection import inspect
from tradecore_files.latency import load_latency
from tradecore_files.options import FileFormat, ReadOptions
from tradecore_files.order_records import OrderRecords, load_orders
from tradecore_files.quotes import Quotes, load_quotes
from tradecore_files.summary import FileSummary
from tradecore_files.trades import Trades, load_trades

__all__ = [
    "Bars",
    "BookCaptureFeed",
    "BookVenue",
    "FileFormat",
    "FileSummary",
    "OrderRecords",
    "Quotes",
    "ReadOptions",
    "Trades",
    "inspect",
    "load_bars",
    "load_latency",
    "load_orders",
    "load_quotes",
    "load_trades",
]
