"""What a file holds, as a value."""

import msgspec


class InstrumentGuess(msgspec.Struct, frozen=True, kw_only=True):
    """What a file lets one say of an instrument.

    Attributes
    ----------
    symbol : str
        As the file names it; empty when it names none.
    tick_size, lot_size : str
        The coarsest round step that every price and size of the file is a multiple of, as decimal text.
    book_levels_max : int or None
        Levels a side that the venue announces changes of.
    """

    symbol: str = ""
    tick_size: str
    lot_size: str
    book_levels_max: int | None = None


class FileSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a file, or several of one series, holds.

    Attributes
    ----------
    format : str
        `csv`, `parquet`, `arrow`, `json`, `lean`, `binance_capture`, `kraken_capture`, `kraken_v1_capture`,
        `okx_capture`, `dbn`, or the name of what is not read.
    kind : str
        `bars`, `trades`, `quotes`, `funding`, `marks`, `latency`, `messages`, `orders` or `unknown`.
    files : int
        How many files were looked at.
    price_min, price_max : str or None
        Range of prices as decimal text.
    interval_ns : int or None
        Length of a bar: the smallest step between two rows.
    gaps : int
        Bars: those that do not begin where the one before ended. Captures: depth messages that do not follow
        the one before.
    messages : dict
        Captures: how many messages of each type.
    symbols : tuple of str
        Captures: what the messages are about.
    instruments : tuple of InstrumentGuess
        What to write into `[[instruments]]`.
    notes : tuple of str
        What one should know before one uses it.
    problems : tuple of str
        What keeps the file, or part of it, from being used.
    """

    path: str
    format: str
    kind: str
    files: int = 1
    rows: int = 0
    first_time_ns: int | None = None
    last_time_ns: int | None = None
    price_min: str | None = None
    price_max: str | None = None
    interval_ns: int | None = None
    gaps: int = 0
    messages: dict[str, int] = {}
    symbols: tuple[str, ...] = ()
    instruments: tuple[InstrumentGuess, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
