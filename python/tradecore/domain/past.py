"""What a market did in the past: what is asked for, and what comes back.

Prices are whole ticks, sizes whole lots, times UTC nanoseconds; an instrument is its number in the engine.
"""

import msgspec


class TradesAfter(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask which trades there were, up to now.

    Attributes
    ----------
    instrument : int
        Number of the instrument.
    from_ns : int
        The time of the first one, that time included.
    after_id : int
        The last trade that is known already; 0 where none is.
    """

    instrument: int
    from_ns: int
    after_id: int = 0


class BarsBetween(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for bars that have closed.

    Attributes
    ----------
    instrument : int
        Number of the instrument.
    span_ns : int
        Their length; they begin at its multiples.
    from_ns, to_ns : int
        The first one opens at `from_ns` or later, the last one closes at `to_ns` or earlier.
    """

    instrument: int
    span_ns: int
    from_ns: int
    to_ns: int


PastQuestion = TradesAfter | BarsBetween


class PastTrade(msgspec.Struct, frozen=True, array_like=True):
    """A trade; `trade_id` is the venue's number of it, 0 where it has none."""

    time_ns: int
    price_ticks: int
    lots: int
    is_buy: bool
    trade_id: int = 0


class PastBar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar that has closed."""

    open_ns: int
    close_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a source has of what was asked for.

    Attributes
    ----------
    trades : tuple of PastTrade
        Their times never fall, and their numbers rise.
    bars : tuple of PastBar
        In the order of their times; one in which nothing traded is left out.
    missing : str
        What of it the source does not have, in words; empty where it has all.
    last_id : int
        The highest number of a trade that the source knows; 0 where it knows none, or numbers none.
    has_every_number : bool
        Whether numbers of trades follow each other without a hole, so that a hole is a trade that was lost.
    is_followed : bool
        Whether the trade after the last one has the next number, also where one here stands for several.
    """

    trades: tuple[PastTrade, ...] = ()
    bars: tuple[PastBar, ...] = ()
    missing: str = ""
    last_id: int = 0
    has_every_number: bool = False
    is_followed: bool = False
