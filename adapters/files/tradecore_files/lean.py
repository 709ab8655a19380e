"""Files of QuantConnect's LEAN: no header, the day in the name, prices of equities in ten-thousandths.

Source: LEAN, Data/*/readme.md and Common/Data/Market/{TradeBar,QuoteBar,Tick}.cs (2024).
"""

import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path, PurePath

import msgspec
import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.feeds import read_columns
from tradecore_files.csv_text import Columns
from tradecore_files.names import Wanted
from tradecore_files.options import FileFormat, QuoteSide, ReadOptions
from tradecore_files.raw import UNZIP_ERRORS, read_bytes

Column = npt.NDArray[np.int64]

# `20140501_eurusd_minute_quote.csv`, `20131007_ibm_Trade_Tick.csv`, `20131007_es_minute_trade_201312.csv`.
_DAILY_FILE = re.compile(
    r"(?P<day>\d{8})_(?P<symbol>[^_]+)_"
    r"(?:(?P<res>tick|second|minute)_(?P<kind>trade|quote)|(?P<kind2>trade|quote)_(?P<res2>tick))"
    r"(?:_[^.]*)?\.csv",
    re.IGNORECASE,
)
_SECURITIES = (
    "equity",
    "forex",
    "cfd",
    "crypto",
    "cryptofuture",
    "future",
    "option",
    "index",
    "futureoption",
)
_SCALED = {"equity": 10_000, "option": 10_000}
_NEW_YORK = "America/New_York"
_PRICES = frozenset({"open", "high", "low", "close", "price", "bid", "ask"})

# Where each column stands, by what a file holds.
_TRADE_BAR = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 5}
_BID_BAR = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4}
_ASK_BAR = {"time": 0, "open": 6, "high": 7, "low": 8, "close": 9}
_TRADE_TICK = {"time": 0, "price": 1, "quantity": 2}
_QUOTE_TICK = {"time": 0, "bid": 1, "ask": 2}
_SIZED_QUOTE_TICK = {"time": 0, "bid": 1, "bid_size": 2, "ask": 3, "ask_size": 4}
_QUOTE_BAR_FIELDS, _PLAIN_QUOTE_FIELDS = 11, 3


class LeanEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of LEAN's: its text, and what its names and folders say about it.

    Attributes
    ----------
    data : bytes
        The rows.
    kind : str
        `trade` or `quote`.
    resolution : str
        `tick`, `second`, `minute`, `hour` or `daily`.
    day : str
        `YYYYMMDD` that milliseconds are counted from; empty when rows have dates.
    security : str
        The folder of the kind of security, such as `equity`; empty when the path names none.
    price_scale : int
        Prices of the file are divided by it, unless the options name another.
    zone : str
        IANA name of the zone that times are in unless the options name another.
    """

    data: bytes
    kind: str
    resolution: str
    day: str = ""
    security: str = ""
    price_scale: int = 1
    zone: str = "UTC"


def lean_entry(path: Path | str, file_format: FileFormat) -> LeanEntry | None:
    """Return a file of LEAN's, or `None` when names and folders do not say that it is one.

    A file of days or hours is told by its folder (`.../equity/usa/daily/spy.zip`), the others by the name of
    the file in the zip, or of the text when it has been unpacked.

    Raises
    ------
    DataError
        When the format is to be LEAN's and the names do not say so.
    """
    if file_format not in {FileFormat.AUTO, FileFormat.LEAN}:
        return None
    folders = [part.lower() for part in Path(path).absolute().parts[:-1]]
    named = _DAILY_FILE.fullmatch(_name_inside(path))
    resolution = next((part for part in reversed(folders) if part in {"daily", "hour"}), "")
    security = _security_of(folders)
    if named is None and not (resolution and security and PurePath(path).suffix.lower() == ".zip"):
        if file_format is FileFormat.LEAN:
            what = (
                "is not named as LEAN names files, such as 20140501_eurusd_minute_quote.csv or daily/spy.zip"
            )
            raise DataError(str(path), f"{what}; leave out the format, or name it as LEAN does")
        return None
    data = read_bytes(path)
    is_american = security in {"equity", "option"} and "usa" in folders
    if named is not None:
        kind, resolution = named["kind"] or named["kind2"], named["res"] or named["res2"]
    else:
        fields = data.split(b"\n", 1)[0].count(b",") + 1
        kind = "quote" if fields == _QUOTE_BAR_FIELDS else "trade"
    return LeanEntry(
        data=data,
        kind=kind.lower(),
        resolution=resolution.lower(),
        day=named["day"] if named is not None else "",
        security=security,
        price_scale=_SCALED.get(security, 1),
        zone=_NEW_YORK if is_american else "UTC",
    )


def says_security(path: str) -> bool:
    """Tell whether the folders of a file say what kind of security it has, and so how prices are written."""
    return bool(_security_of([part.lower() for part in Path(path).absolute().parts[:-1]]))


def _security_of(folders: list[str]) -> str:
    return next((part for part in reversed(folders) if part in _SECURITIES), "")


def read_lean(where: str, entry: LeanEntry, wanted: tuple[Wanted, ...], options: ReadOptions) -> Columns:
    """Read the wanted columns; bars of quotes give the middle of bid and ask, or the side asked for.

    Returns
    -------
    tuple
        Columns by our names, number of the first line, names of the columns, and that times are local.

    Raises
    ------
    DataError
        When the file does not hold what is wanted, or a value cannot be used.
    """
    layouts = _layouts(entry, options.quote_side)
    names = tuple(layouts[0])
    missing = [column.name for column in wanted if column.name not in names and not column.is_optional]
    if missing:
        what = f"column {missing[0]!r} is missing: LEAN's {entry.resolution} {entry.kind}s have"
        raise DataError(where, f"{what} {', '.join(names)}")
    if options.price_scale is not None:
        entry = msgspec.structs.replace(entry, price_scale=options.price_scale)
    read = [_columns(where, entry, wanted, layout) for layout in layouts]
    columns = read[0] if len(read) == 1 else _middle(where, read[0], read[1], options)
    return columns, 1, (*names, entry.kind, entry.resolution), True


def _layouts(entry: LeanEntry, side: QuoteSide) -> list[dict[str, int]]:
    """Return where the columns stand; the middle takes those of both sides."""
    is_tick = entry.resolution == "tick"
    if entry.kind == "trade":
        return [_TRADE_TICK if is_tick else _TRADE_BAR]
    if is_tick:
        fields = entry.data.split(b"\n", 1)[0].count(b",") + 1
        return [_QUOTE_TICK if fields == _PLAIN_QUOTE_FIELDS else _SIZED_QUOTE_TICK]
    return {QuoteSide.MID: [_BID_BAR, _ASK_BAR], QuoteSide.BID: [_BID_BAR], QuoteSide.ASK: [_ASK_BAR]}[side]


def _columns(
    where: str, entry: LeanEntry, wanted: tuple[Wanted, ...], layout: dict[str, int]
) -> dict[str, Column]:
    asked = [_as_stored(column, entry) for column in wanted if column.name in layout]
    try:
        arrays = read_columns(
            entry.data, ",", 0, [(item.name, layout[item.name], item.kind, item.step) for item in asked]
        )
    except DataError as error:
        raise DataError(f"{where} {error.where}", error.what) from None
    return dict(zip((item.name for item in asked), arrays, strict=True))


def _as_stored(column: Wanted, entry: LeanEntry) -> Wanted:
    """Return the column as the file has it: milliseconds of the day, prices times the scale."""
    if column.kind == "time" and entry.day:
        day = datetime.strptime(entry.day, "%Y%m%d").replace(tzinfo=UTC)
        return msgspec.structs.replace(column, kind="time_ms", step=str(int(day.timestamp()) * 10**9))
    if column.name in _PRICES and entry.price_scale != 1:
        step = format(Decimal(column.step) * entry.price_scale, "f")
        return msgspec.structs.replace(column, step=step)
    return column


def _middle(
    where: str, bid: dict[str, Column], ask: dict[str, Column], options: ReadOptions
) -> dict[str, Column]:
    """Return the middle of both sides; half a tick goes up when prices may be rounded."""
    columns = {"time": bid["time"]}
    for name in (name for name in bid if name != "time"):
        total = bid[name] + ask[name]
        if not options.nearest and (total % 2).any():
            line = int(np.argmax(total % 2)) + 1
            what = f"{name}: the middle of bid and ask lies between two ticks"
            rule = 'halve tick_size, set rounding = "nearest", or quote_side = "bid" or "ask"'
            raise DataError(f"{where} line {line}", f"{what}; {rule}")
        columns[name] = (total + 1) // 2
    return columns


def _name_inside(path: Path | str) -> str:
    """Return the name of the file in a zip, or of the file itself; an empty one when it cannot be known."""
    try:
        if not zipfile.is_zipfile(path):
            return PurePath(path).name
        with zipfile.ZipFile(path) as archive:
            files = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except UNZIP_ERRORS:
        return ""
    return PurePath(files[0]).name if len(files) == 1 else ""
