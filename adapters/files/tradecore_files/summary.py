"""What a file holds, as a value."""

import msgspec


class FileSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds.

    Attributes
    ----------
    format, kind : str
        `csv`, `parquet` or `binance_capture`; `bars`, `trades`, `quotes`, `messages` or `unknown`.
    price_min, price_max : str or None
        Range of prices as decimal text.
    interval_ns : int or None
        Length of a bar: the smallest step between two rows.
    gaps : int
        Bars: steps longer than the interval. Captures: depth messages that do not follow the one before.
    messages : dict
        Captures: how many messages of each type.
    symbols : tuple of str
        Captures: what the messages are about.
    problems : tuple of str
        What keeps the file, or part of it, from being used.
    """

    path: str
    format: str
    kind: str
    rows: int = 0
    first_time_ns: int | None = None
    last_time_ns: int | None = None
    price_min: str | None = None
    price_max: str | None = None
    interval_ns: int | None = None
    gaps: int = 0
    messages: dict[str, int] = {}
    symbols: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
