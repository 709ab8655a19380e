"""What is in a file, for a person who wants to use it."""

from pathlib import Path

import msgspec

from tradecore.domain import DataError, InstrumentSpec
from tradecore_files.bars import load_bars
from tradecore_files.capture_summary import is_capture, summarize_capture
from tradecore_files.options import ReadOptions
from tradecore_files.quotes import load_quotes
from tradecore_files.raw import is_parquet, read_bytes
from tradecore_files.summary import FileSummary
from tradecore_files.trades import load_trades

# Fine enough for any price, coarse enough to fit 64 bits.
_FINE = InstrumentSpec(symbol="any", tick_size="0.00000001", lot_size="0.000001")


def inspect(path: Path | str, options: ReadOptions | None = None) -> FileSummary:
    """Say what a file holds: bars, trades, quotes or a capture; what is wrong is in `problems`, not raised.

    Raises
    ------
    DataError
        When the file cannot be read at all.
    """
    data = read_bytes(path)
    if is_capture(data):
        return summarize_capture(str(path), data)
    options = options or ReadOptions()
    options = msgspec.structs.replace(options, nearest=True)
    file_format = "parquet" if is_parquet(data) else "csv"
    first_problem = ""
    for kind in ("bars", "trades", "quotes"):
        try:
            return _summary(str(path), file_format, kind, options)
        except DataError as error:
            # A column that is missing means another kind; anything else is the answer.
            first_problem = first_problem or str(error)
            if "is missing" not in error.what:
                return FileSummary(path=str(path), format=file_format, kind=kind, problems=(str(error),))
    return FileSummary(path=str(path), format=file_format, kind="unknown", problems=(first_problem,))


def _summary(path: str, file_format: str, kind: str, options: ReadOptions) -> FileSummary:
    if kind == "bars":
        bars = load_bars(path, _FINE, options)
        times, low, high, interval_ns = bars.open_time_ns, bars.low, bars.high, bars.interval_ns
    elif kind == "trades":
        trades = load_trades(path, _FINE, options)
        times, low, high, interval_ns = trades.time_ns, trades.price_ticks, trades.price_ticks, 0
    else:
        quotes = load_quotes(path, _FINE, options)
        times, low, high, interval_ns = quotes.time_ns, quotes.bid_ticks, quotes.ask_ticks, 0
    gaps = bars.gaps if kind == "bars" else 0
    return FileSummary(
        path=path,
        format=file_format,
        kind=kind,
        rows=len(times),
        first_time_ns=int(times[0]),
        last_time_ns=int(times[-1]),
        price_min=_price(int(low.min())),
        price_max=_price(int(high.max())),
        interval_ns=interval_ns or None,
        gaps=gaps,
    )


def _price(ticks: int) -> str:
    whole, part = divmod(ticks, 10**8)
    return f"{whole}.{part:08d}".rstrip("0").rstrip(".")
