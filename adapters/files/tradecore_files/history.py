"""The past out of files: the trades and bars that a backtest reads."""

from collections.abc import Callable, Mapping

from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.past import BarsBetween, Past, PastBar, PastQuestion, PastTrade, TradesAfter
from tradecore.domain.times import iso_time
from tradecore_files.bars import Bars
from tradecore_files.trades import Trades


class FilesHistory:
    """A `History` of tables, which are read when they are asked for first.

    Files end at some time, and the live feed begins later: what is between is a gap, which whoever joins them
    is told. Bars are those of the file; where there is none, they are made of the trades.

    Parameters
    ----------
    trades : mapping of int to callable
        Reads the trades of an instrument, by its number.
    bars : mapping of int to callable
        Reads the bars of an instrument.
    instruments : int
        How many instruments there are.
    now_ns : callable
        Says what time it is: what the files do not reach up to is missing.
    """

    def __init__(
        self,
        trades: Mapping[int, Callable[[], Trades]],
        bars: Mapping[int, Callable[[], Bars]],
        *,
        instruments: int,
        now_ns: Callable[[], int],
    ) -> None:
        self._read_trades = trades
        self._read_bars = bars
        self._instruments = instruments
        self._now_ns = now_ns
        self._trades: dict[int, tuple[PastTrade, ...]] = {}
        self._is_closed = False

    async def query(self, question: PastQuestion) -> Past:
        """Return trades or bars; see the port."""
        if self._is_closed:
            raise VenueError("the history is closed")
        if not 0 <= question.instrument < self._instruments:
            raise InvalidValueError("instrument", question.instrument, "must be one of the engine's table")
        match question:
            case TradesAfter():
                return self._trades_after(question)
            case BarsBetween():
                return self._bars_between(question)

    async def aclose(self) -> None:
        """Forget what was read."""
        self._is_closed = True
        self._trades.clear()

    def _trades_after(self, question: TradesAfter) -> Past:
        rows = self._rows(question.instrument)
        wanted = tuple(
            row
            for row in rows
            if row.time_ns >= question.from_ns and (not question.after_id or row.trade_id > question.after_id)
        )
        last_ns = rows[-1].time_ns if rows else 0
        missing = "" if last_ns >= self._now_ns() else f"the files end at {iso_time(last_ns)}"
        return Past(trades=wanted, missing=missing, last_id=rows[-1].trade_id if rows else 0)

    def _bars_between(self, question: BarsBetween) -> Past:
        if question.span_ns <= 0:
            raise InvalidValueError("span_ns", question.span_ns, "must be above 0")
        read = self._read_bars.get(question.instrument)
        bars = _of_file(read(), question) if read is not None else self._of_trades(question)
        last_ns = bars[-1].close_ns if bars else 0
        wanted = tuple(
            bar for bar in bars if bar.open_ns >= question.from_ns and bar.close_ns <= question.to_ns
        )
        missing = (
            "" if last_ns >= question.to_ns - question.span_ns else f"the files end at {iso_time(last_ns)}"
        )
        return Past(bars=wanted, missing=missing)

    def _rows(self, instrument: int) -> tuple[PastTrade, ...]:
        if instrument not in self._trades:
            read = self._read_trades.get(instrument)
            self._trades[instrument] = () if read is None else _plain(read())
        return self._trades[instrument]

    def _of_trades(self, question: BarsBetween) -> list[PastBar]:
        """Return the bars that trades make, in the order of their times."""
        span, bars = question.span_ns, dict[int, PastBar]()
        for row in self._rows(question.instrument):
            open_ns = row.time_ns - row.time_ns % span
            bar = bars.get(open_ns)
            bars[open_ns] = PastBar(
                open_ns=open_ns,
                close_ns=open_ns + span,
                open_ticks=bar.open_ticks if bar else row.price_ticks,
                high_ticks=max(bar.high_ticks, row.price_ticks) if bar else row.price_ticks,
                low_ticks=min(bar.low_ticks, row.price_ticks) if bar else row.price_ticks,
                close_ticks=row.price_ticks,
                volume_lots=row.lots + (bar.volume_lots if bar else 0),
            )
        return list(bars.values())


def _plain(trades: Trades) -> tuple[PastTrade, ...]:
    columns = (trades.time_ns, trades.price_ticks, trades.lots, trades.buyer_is_aggressor, trades.trade_id)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(
        PastTrade(time, price, lots, bool(is_buy), number) for time, price, lots, is_buy, number in rows
    )


def _of_file(bars: Bars, question: BarsBetween) -> list[PastBar]:
    """Return the bars of a file as they are.

    Raises
    ------
    InvalidValueError
        When they are of another length.
    """
    if bars.interval_ns != question.span_ns:
        raise InvalidValueError(
            "span_ns", question.span_ns, f"must be {bars.interval_ns}, as the bars of the file"
        )
    names = (bars.open_time_ns, bars.close_time_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(*(column.tolist() for column in names), strict=True)
    return [
        PastBar(
            open_ns=open_ns,
            close_ns=close_ns,
            open_ticks=prices[0],
            high_ticks=prices[1],
            low_ticks=prices[2],
            close_ticks=prices[3],
            volume_lots=volume,
        )
        for open_ns, close_ns, *prices, volume in rows
    ]
