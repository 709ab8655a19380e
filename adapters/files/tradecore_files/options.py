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


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is to be read.

    Attributes
    ----------
    format : FileFormat
        How rows are stored.
    columns : Mapping
        From our name of a column to the name in the file, for names that are not found by themselves.
    nearest : bool
        Round prices to the nearest tick instead of refusing those between two ticks.
    interval_ns : int or None
        Length of a bar; by default the smallest step between two opening times.
    timezone : str
        IANA name of the zone of times written without an offset.
    delimiter : str or None
        What stands between two fields; by default found in the first line.
    quote_side : QuoteSide
        Which price LEAN's bars of quotes give.
    """

    format: FileFormat = FileFormat.AUTO
    columns: Mapping[str, str] = {}
    nearest: bool = False
    interval_ns: int | None = None
    timezone: str = "UTC"
    delimiter: str | None = None
    quote_side: QuoteSide = QuoteSide.MID
