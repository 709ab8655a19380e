"""Closed trades as a CSV file that spreadsheets and pandas read: exact decimals, times in UTC."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from tradecore.domain.closed_trades import ClosedTrade
from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.times import iso_time

COLUMNS = (
    "symbol",
    "strategy",
    "side",
    "quantity",
    "entry_time_utc",
    "entry_price",
    "exit_time_utc",
    "exit_price",
    "pnl",
    "fees",
    "currency",
    "entry_order",
    "exit_order",
)
STDOUT = "-"
# Endings of forms that a program would expect in a file of that name.
_OTHER_FORMS = (
    ".arrow",
    ".db",
    ".feather",
    ".gz",
    ".html",
    ".json",
    ".ods",
    ".parquet",
    ".pkl",
    ".xls",
    ".xlsx",
    ".zip",
)
# A text that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_writable(path: str) -> None:
    """Refuse a file that cannot be there before long work is done for it.

    Raises `ConfigError` when its directory is missing, it is a directory itself, or its name promises another
    form than CSV.
    """
    target = Path(path)
    if path == STDOUT:
        return
    if target.suffix.lower() in _OTHER_FORMS:
        advice = "the file is CSV: let its name end in .csv (in Python, trades_frame() gives other forms)"
        raise ConfigError("command line", "FILE", path, advice)
    if target.is_dir():
        raise ConfigError("command line", "FILE", path, "is a directory: name a file in it, e.g. trades.csv")
    if not target.absolute().parent.is_dir():
        raise ConfigError("command line", "FILE", path, "its directory does not exist: make it first")


def write_trades(path: str, trades: Sequence[ClosedTrade]) -> None:
    """Write trades to a file, `-` for standard output; what stood there is replaced.

    Raises `StorageError` when the disk says no.
    """
    write_text(path, trades_csv(trades))


def write_text(path: str, text: str) -> None:
    """Write the text of a table to a file, `-` for standard output; what stood there is replaced.

    Raises `StorageError` when the disk says no.
    """
    if path == STDOUT:
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise StorageError(path, f"cannot be written: {error.strerror}; name another file") from error


def trades_csv(trades: Sequence[ClosedTrade]) -> str:
    """Return trades as CSV text with a head line; all times have the same number of decimals.

    The last column is the account, where an engine has several.
    """
    has_accounts = any(trade.account is not None for trade in trades)
    times = [time_ns for trade in trades for time_ns in (trade.entry_time_ns, trade.exit_time_ns)]
    decimals = next(n for n in (0, 3, 6, 9) if all(time_ns % 10 ** (9 - n) == 0 for time_ns in times))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow((*COLUMNS, "account") if has_accounts else COLUMNS)
    for trade in trades:
        writer.writerow(
            (
                as_text(trade.symbol),
                as_text(trade.strategy),
                trade.side,
                f"{trade.quantity:f}",
                _time(trade.entry_time_ns, decimals),
                f"{trade.entry_price:f}",
                _time(trade.exit_time_ns, decimals),
                f"{trade.exit_price:f}",
                f"{trade.pnl:f}",
                f"{trade.fees:f}",
                as_text(trade.currency),
                trade.entry_order,
                trade.exit_order,
                *((as_text(trade.account or ""),) if has_accounts else ()),
            )
        )
    return file.getvalue()


def _time(time_ns: int, decimals: int) -> str:
    """Return a time as spreadsheets read it; the head of its column says that it is UTC."""
    return iso_time(time_ns, decimals).replace("T", " ").removesuffix("Z")


def as_text(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula, and that ends no row."""
    # `csv` puts quotes around every line break but this one.
    safe = text.replace("\r", " ")
    return f"'{safe}" if text.startswith(_FORMULA) else safe
