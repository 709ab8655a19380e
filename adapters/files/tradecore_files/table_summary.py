"""What a table holds: bars, trades, quotes, fundings, mark prices or latencies, with its ticks and lots."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError, InstrumentSpec
from tradecore.domain.steps import DECIMALS_MAX, decimal_text, lot_of, power_of_ten, rounded_tick_of, tick_of
from tradecore_files.bars import load_bars
from tradecore_files.derivatives import load_funding, load_marks
from tradecore_files.file_set import FilePaths
from tradecore_files.latency import latency_columns
from tradecore_files.names import TIME, Wanted
from tradecore_files.options import ReadOptions
from tradecore_files.quotes import load_quotes
from tradecore_files.series import read_series
from tradecore_files.summary import FileSummary, InstrumentGuess
from tradecore_files.trades import load_trades

Column = npt.NDArray[np.int64]
# Sizes are read as fine as their largest lets 64 bits hold.
_LOTS = ("0.00000001", "0.0001", "1", "1000000")
_OFF_TICK = ("must be a multiple of", "lies between two ticks")
ROUNDED = 'no tick holds every price, as with adjusted prices: set rounding = "nearest"'
NO_VOLUME = 'there is no volume, or under another name: data.columns = {volume = "its name"} reads it'
_TOO_LARGE = "must fit 64 bits"
# Columns without which a table is still of a kind, as it has the others.
_PART_IS_MISSING = dict.fromkeys(("quotes", "funding", "marks", "latency"), ()) | {
    "bars": ("column 'high'", "column 'low'", "column 'close'"),
    "trades": ("column 'side'",),
}
# Values of another kind, unless they are those of this kind in another order.
_NO_HEADER, _OTHER_ORDER = "there is no header, and the columns are not", "by their values they are"


class _Seen(NamedTuple):
    """Columns of a table; prices in ticks and sizes in lots, `None` where there are none."""

    times: Column
    low: Column | None = None
    high: Column | None = None
    sizes: Column | None = None
    interval_ns: int = 0
    gaps: int = 0


_See = Callable[[FilePaths, InstrumentSpec, ReadOptions], _Seen]


def summarize_table(paths: FilePaths, summary: FileSummary, options: ReadOptions) -> FileSummary:
    """Complete a summary with what the table holds; what is wrong with it is in `problems`."""
    first_problem, asked = "", ""
    for kind, see in _KINDS.items():
        try:
            return _seen_as(paths, summary, options, kind, see)
        except DataError as error:
            # A column that is missing means another kind; anything else is the answer.
            first_problem = first_problem or str(error)
            if kind == "bars" and _is_funding(paths, options):
                continue
            if _NO_HEADER in error.what and _OTHER_ORDER not in error.what:
                asked = asked or kind
            elif "is missing" not in error.what or error.what.startswith(_PART_IS_MISSING[kind]):
                return msgspec.structs.replace(summary, kind=kind, problems=(str(error),))
    return msgspec.structs.replace(summary, kind=asked or "unknown", problems=(first_problem,))


def _is_funding(paths: FilePaths, options: ReadOptions) -> bool:
    """Tell whether these are rates as freqtrade keeps them: candles of which only the open says something."""
    names = ("high", "low", "close")
    wanted = (TIME, *(Wanted(name=name, kind="signed", step="0.000000001") for name in names))
    try:
        columns = read_series(paths, wanted, options, may_repeat=True).columns
    except DataError:
        return False
    return len(columns["time"]) > 0 and not any(columns[name].any() for name in names)


def _seen_as(
    paths: FilePaths,
    summary: FileSummary,
    options: ReadOptions,
    kind: str,
    see: _See,
) -> FileSummary:
    seen, spec, is_rounded = _as_fine_as_needed(paths, options, see)
    notes = []
    if is_rounded:
        notes.append(ROUNDED)
    if kind == "bars" and seen.sizes is not None and not seen.sizes.any():
        notes.append(NO_VOLUME)
    guess: tuple[InstrumentGuess, ...] = ()
    prices: list[str | None] = [None, None]
    if seen.low is not None and seen.high is not None:
        both = np.concatenate((seen.low, seen.high))
        lot = "1" if seen.sizes is None else lot_of(seen.sizes, spec.lot_size)
        tick = (rounded_tick_of if is_rounded else tick_of)(both, spec.tick_size)
        guess = (InstrumentGuess(tick_size=tick, lot_size=lot),)
        prices = [decimal_text(int(value), spec.tick_size) for value in (seen.low.min(), seen.high.max())]
    return msgspec.structs.replace(
        summary,
        kind=kind,
        rows=len(seen.times),
        first_time_ns=int(seen.times[0]),
        last_time_ns=int(seen.times[-1]),
        price_min=prices[0],
        price_max=prices[1],
        interval_ns=seen.interval_ns or None,
        gaps=seen.gaps,
        instruments=guess,
        notes=(*summary.notes, *notes),
    )


def _as_fine_as_needed(
    paths: FilePaths,
    options: ReadOptions,
    see: _See,
) -> tuple[_Seen, InstrumentSpec, bool]:
    """Read with the coarsest power of ten that every price is a multiple of.

    Returns
    -------
    tuple
        What was read, the ticks and lots it is in, and whether prices are rounded as no power holds them.
    """
    decimals, lots, lot_decimals, is_rounded = 0, list(_LOTS), 0, False
    while True:
        lot = power_of_ten(lot_decimals) if see is _trades else lots[0]
        spec = InstrumentSpec(symbol="any", tick_size=power_of_ten(decimals), lot_size=lot)
        try:
            return see(paths, spec, msgspec.structs.replace(options, nearest=is_rounded)), spec, is_rounded
        except DataError as error:
            is_size = error.what.startswith(("quantity", "volume", "bid_size", "ask_size"))
            if is_size and _TOO_LARGE in error.what and len(lots) > 1 and see is not _trades:
                lots.pop(0)
            elif is_size and _OFF_TICK[0] in error.what and lot_decimals < DECIMALS_MAX:
                lot_decimals += 1
            elif (
                any(words in error.what for words in _OFF_TICK) and decimals < DECIMALS_MAX and not is_rounded
            ):
                decimals += 1
            elif not is_rounded and not is_size and decimals and _is_about_fineness(error):
                # Numbers such as sums of floats: no tick holds them, and as many decimals as fit show them.
                decimals, is_rounded = DECIMALS_MAX, True
            elif is_rounded and not is_size and decimals and _is_about_fineness(error):
                decimals -= 1
            else:
                raise


def _is_about_fineness(error: DataError) -> bool:
    return any(words in error.what for words in (*_OFF_TICK, _TOO_LARGE, "must be below 2^53 steps"))


def _bars(paths: FilePaths, spec: InstrumentSpec, options: ReadOptions) -> _Seen:
    bars = load_bars(paths, spec, options)
    # Opens and closes are prices as well, and the tick must hold them too.
    low, high = (np.concatenate(pair) for pair in ((bars.low, bars.open), (bars.high, bars.close)))
    return _Seen(bars.open_time_ns, low, high, bars.volume, bars.interval_ns, bars.gaps)


def _trades(paths: FilePaths, spec: InstrumentSpec, options: ReadOptions) -> _Seen:
    trades = load_trades(paths, spec, options)
    return _Seen(trades.time_ns, trades.price_ticks, trades.price_ticks, trades.lots)


def _quotes(paths: FilePaths, spec: InstrumentSpec, options: ReadOptions) -> _Seen:
    quotes = load_quotes(paths, spec, options)
    sizes = np.concatenate((quotes.bid_lots, quotes.ask_lots))
    # A size that the file does not say is one lot.
    return _Seen(quotes.time_ns, quotes.bid_ticks, quotes.ask_ticks, None if (sizes == 1).all() else sizes)


def _funding(paths: FilePaths, spec: InstrumentSpec, options: ReadOptions) -> _Seen:
    return _Seen(load_funding(paths, spec, options).time_ns)


def _marks(paths: FilePaths, spec: InstrumentSpec, options: ReadOptions) -> _Seen:
    return _Seen(load_marks(paths, spec, options).time_ns)


def _latency(paths: FilePaths, spec: InstrumentSpec, options: ReadOptions) -> _Seen:
    del spec
    return _Seen(latency_columns(paths, options)[0])


_KINDS = {
    "bars": _bars,
    "trades": _trades,
    "quotes": _quotes,
    "latency": _latency,
    "funding": _funding,
    "marks": _marks,
}
