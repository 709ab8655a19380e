"""What a recorded book says about itself: pairs, channels, the depth that was asked for, decimals."""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import msgspec

from tradecore.domain import DataError
from tradecore_files.book_messages import messages_of

# Depths that Kraken offers. Source: Kraken API documentation, "Book" channel, v1 and v2.
KRAKEN_DEPTHS = (10, 25, 100, 500, 1000)
# Levels a side of OKX's channels. Source: OKX API v5 documentation, "Order book channel".
OKX_DEPTHS = {"books": 400, "books5": 5, "bbo-tbt": 1, "books-l2-tbt": 400, "books50-l2-tbt": 50}


class BookVenue(StrEnum):
    """Whose messages they are, in the form of its current WebSocket unless it says otherwise."""

    KRAKEN = "kraken"
    KRAKEN_V1 = "kraken_v1"
    OKX = "okx"


class BookPair(msgspec.Struct, kw_only=True):
    """What a capture says about one pair.

    Attributes
    ----------
    levels_max : int or None
        Levels a side that the venue announces changes of, as the channel or the subscription names them;
        for Kraken v2 without a recorded subscription the smallest depth on offer that holds the snapshot.
    snapshots, updates : int
        Messages with the whole book, and with changes.
    channels : set of str
        What was subscribed to: more than one cannot be read as one book.
    price_decimals, size_decimals : int
        The most decimals that a price and a size have.
    """

    levels_max: int | None = None
    snapshots: int = 0
    updates: int = 0
    channels: set[str] = msgspec.field(default_factory=set)
    price_decimals: int = 0
    size_decimals: int = 0


class BookContents(msgspec.Struct, frozen=True, kw_only=True):
    """The pairs of a recorded book by name, and what else there is.

    `first_time_ns` and `last_time_ns` are UTC nanoseconds, `None` without a message; `problem` says where
    the messages cannot be read any further.
    """

    pairs: dict[str, BookPair]
    messages: int = 0
    others: int = 0
    first_time_ns: int | None = None
    last_time_ns: int | None = None
    problem: str = ""


class _Subscribed(msgspec.Struct):
    """What Kraken v2 was asked for (several pairs), or says that it will send (one)."""

    channel: str = ""
    depth: int = 0
    symbol: str | list[str] = ""


class _Plain(msgspec.Struct):
    """Any message of Kraken v2 or OKX, as far as it is looked at."""

    channel: str = ""
    kind: str = msgspec.field(default="", name="type")
    action: str = ""
    arg: dict[str, str] = {}
    method: str = ""
    params: _Subscribed = msgspec.field(default_factory=_Subscribed)
    result: _Subscribed = msgspec.field(default_factory=_Subscribed)
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Level(msgspec.Struct):
    price: msgspec.Raw
    qty: msgspec.Raw


class _EntryV2(msgspec.Struct):
    symbol: str = ""
    bids: list[_Level] = []
    asks: list[_Level] = []


class _EntryOkx(msgspec.Struct):
    bids: list[list[str]] = []
    asks: list[list[str]] = []


def book_contents(path: Path | str, venue: BookVenue) -> BookContents:
    """Look through a recorded book; damage ends the look and is in `problem`.

    Raises
    ------
    DataError
        When the file cannot be read at all.
    """
    pairs: dict[str, BookPair] = {}
    look = {BookVenue.KRAKEN: _see_v2, BookVenue.KRAKEN_V1: _see_v1, BookVenue.OKX: _see_okx}[venue]
    asked: dict[str, int] = {}
    first = last = None
    messages = others = 0
    problem = ""
    try:
        for where, time_ns, payload in messages_of(path):
            try:
                is_book = look(payload, pairs, asked)
            except (msgspec.MsgspecError, RecursionError, ValueError, ArithmeticError) as error:
                raise DataError(where, f"is no message of {venue.value}: {error}") from error
            first, last = time_ns if first is None else first, time_ns
            messages += 1
            others += not is_book
    except DataError as error:
        if not messages:
            raise
        problem = str(error)
    for symbol, pair in pairs.items():
        pair.levels_max = asked.get(symbol, pair.levels_max)
    return BookContents(
        pairs=pairs,
        messages=messages,
        others=others,
        first_time_ns=first,
        last_time_ns=last,
        problem=problem,
    )


def _see_v2(payload: bytes, pairs: dict[str, BookPair], asked: dict[str, int]) -> bool:
    message = msgspec.json.decode(payload, type=_Plain)
    for told in (message.params, message.result):
        if message.method == "subscribe" and told.channel == "book" and told.depth:
            asked.update(
                dict.fromkeys([told.symbol] if isinstance(told.symbol, str) else told.symbol, told.depth)
            )
    if message.channel != "book" or message.kind not in {"snapshot", "update"}:
        return False
    for entry in msgspec.json.decode(message.data, type=list[_EntryV2]):
        pair = pairs.setdefault(entry.symbol, BookPair(channels={"book"}))
        sides = [
            [(bytes(level.price), bytes(level.qty)) for level in side] for side in (entry.bids, entry.asks)
        ]
        _count(pair, is_snapshot=message.kind == "snapshot", sides=sides)
        if message.kind == "snapshot":
            seen = max(len(side) for side in sides)
            depth = next((depth for depth in KRAKEN_DEPTHS if depth >= seen), KRAKEN_DEPTHS[-1])
            pair.levels_max = max(pair.levels_max or 0, depth)
    return True


def _see_v1(payload: bytes, pairs: dict[str, BookPair], asked: dict[str, int]) -> bool:
    del asked
    if not payload.lstrip().startswith(b"["):
        return False
    *parts, channel, symbol = msgspec.json.decode(payload, type=list[msgspec.Raw])
    name, _, depth = str(msgspec.json.decode(channel)).partition("-")
    if name != "book":
        return False
    pair = pairs.setdefault(msgspec.json.decode(symbol, type=str), BookPair())
    pair.channels.add(f"book-{depth}")
    pair.levels_max = int(depth)
    found = [msgspec.json.decode(part, type=dict[str, list[list[str]] | str]) for part in parts[1:]]
    sides = [side for part in found for side in part.values() if isinstance(side, list)]
    _count(pair, is_snapshot=any("as" in part or "bs" in part for part in found), sides=_texts(sides))
    return True


def _see_okx(payload: bytes, pairs: dict[str, BookPair], asked: dict[str, int]) -> bool:
    del asked
    message = msgspec.json.decode(payload, type=_Plain)
    channel, symbol = message.arg.get("channel", ""), message.arg.get("instId", "")
    entries = msgspec.json.decode(message.data, type=list[_EntryOkx]) if channel in OKX_DEPTHS else []
    for entry in entries:
        pair = pairs.setdefault(symbol, BookPair())
        pair.channels.add(channel)
        pair.levels_max = OKX_DEPTHS[channel]
        _count(pair, is_snapshot=message.action != "update", sides=_texts([entry.bids, entry.asks]))
    return bool(entries)


def _texts(sides: list[list[list[str]]]) -> list[list[tuple[bytes, bytes]]]:
    return [[(level[0].encode(), level[1].encode()) for level in side if len(level) > 1] for side in sides]


def _count(pair: BookPair, *, is_snapshot: bool, sides: list[list[tuple[bytes, bytes]]]) -> None:
    if is_snapshot:
        pair.snapshots += 1
    else:
        pair.updates += 1
    for price, size in (level for side in sides for level in side):
        pair.price_decimals = max(pair.price_decimals, _decimals(price))
        pair.size_decimals = max(pair.size_decimals, _decimals(size))


def _decimals(text: bytes) -> int:
    """Return the decimals a number is written with, zeros at its end included: checksums are over them."""
    _, point, fraction = text.partition(b".")
    if point and fraction.isdigit():
        return len(fraction)
    exponent = Decimal(text.decode()).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
