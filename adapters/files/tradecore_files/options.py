"""How a file is to be read."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class FileFormat(StrEnum):
    """How rows are stored; `AUTO` looks at the first bytes, and at the name for LEAN's zip files.

    `ARROW` is Feather and Arrow IPC, `JSON` a list of rows as freqtrade writes it.
    """

    AUTO = "auto"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"
    JSON = "json"
    LEAN = "lean"


class QuoteSide(StrEnum):
    """Which price bars of quotes give: the middle of bid and ask, or one of them."""

    MID = "mid"
    BID = "bid"
    ASK = "ask"


class TimeFormat(StrEnum):
    """How times are written; `AUTO` looks at the whole column and asks where two readings are plausible."""

    AUTO = "auto"
    ISO = "iso"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    DIGITS = "digits"
    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is to be read.

    Attributes
    ----------
    format : FileFormat
        How rows are stored.
    columns : Mapping or tuple
        From our name of a column to the name in the file, for names that are not found by themselves; or our
        names in the order in which the columns stand, an empty one for a column that is passed over.
    nearest : bool
        Round prices to the nearest tick instead of refusing those between two ticks.
    interval_ns : int or None
        Length of a bar; by default what lies between two opening times, months and days of the calendar too.
    timezone : str
        IANA name of the zone of times written without an offset.
    delimiter : str or None
        What stands between two fields; by default found in the first line.
    quote_side : QuoteSide
        Which price LEAN's bars of quotes give.
    time_format : TimeFormat
        How times are written. One that is named is taken as it is, whatever year comes of it.
    date : str or None
        The day `YYYY-MM-DD` that times of the day belong to: numbers are counted from its midnight in
        `timezone`, in milliseconds unless `time_format` names another unit.
    price_scale : int or None
        Prices of the file are divided by it: 10,000 for ten-thousandths, 1 for prices that are what they say.
        By default 1, and a file that looks like ten-thousandths is refused with the question.
    accept_implausible : bool
        Take prices and columns that are possible but hardly right, instead of refusing them.
    """

    format: FileFormat = FileFormat.AUTO
    columns: Mapping[str, str] | tuple[str, ...] = {}
    nearest: bool = False
    interval_ns: int | None = None
    timezone: str = "UTC"
    delimiter: str | None = None
    quote_side: QuoteSide = QuoteSide.MID
    time_format: TimeFormat = TimeFormat.AUTO
    date: str | None = None
    price_scale: int | None = None
    accept_implausible: bool = False
