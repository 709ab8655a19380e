"""The messages of a recorded book, one by one, with the time each was received."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradecore.domain import DataError
from tradecore.domain.unreadable import UNREADABLE
from tradecore_files.raw import read_bytes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# `<ns> <json>`, as `tradecore` records it, or `<seconds.fraction>: <json>`, as cryptofeed does.
_LINE = re.compile(rb"(?:(\d+)|(\d+)(?:\.(\d{1,9}))?:) +(.+)")
# What cryptofeed notes about its connections and what it sent.
_NOTES = (b"wss:", b"ws:", b"http:", b"https:")


class BookMessage(NamedTuple):
    """A recorded message: where it stands, when it was received (UTC nanoseconds), and its bytes."""

    where: str
    time_ns: int
    payload: bytes


class _Document(msgspec.Struct):
    init: msgspec.Raw
    updates: list[msgspec.Raw]


class _Entry(msgspec.Struct):
    """An entry of Kraken v2 has `timestamp`, one of OKX `ts`, milliseconds as text."""

    timestamp: str | None = None
    ts: str | None = None


class _Message(msgspec.Struct):
    data: tuple[_Entry, ...] = ()


class _PartV1(msgspec.Struct):
    """A part of a message of Kraken v1; a level is price, size and the time it changed, all text."""

    all_asks: list[list[str]] = msgspec.field(default=[], name="as")
    all_bids: list[list[str]] = msgspec.field(default=[], name="bs")
    asks: list[list[str]] = msgspec.field(default=[], name="a")
    bids: list[list[str]] = msgspec.field(default=[], name="b")


def messages_of(path: Path | str) -> Iterator[BookMessage]:
    """Yield the messages of a capture in its order.

    Raises
    ------
    DataError
        At the first line or message that cannot be read, once those before it have been yielded.
    """
    data = read_bytes(path)
    if is_book_document(data):
        yield from _of_document(str(path), data)
        return
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip() or line.startswith(_NOTES):
            continue
        where = f"{path} line {number}"
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise DataError(where, f"{line[:80]!r}: must be a receive time and a JSON message")
        whole, seconds, fraction, payload = parts.groups()
        time_ns = int(whole) if whole else int(seconds + (fraction or b"").ljust(9, b"0"))
        yield BookMessage(where, time_ns, payload)


def is_book_document(data: bytes) -> bool:
    """Tell whether a capture is one JSON document and no lines."""
    return data.lstrip().startswith(b"{")


def _of_document(path: str, data: bytes) -> Iterator[BookMessage]:
    """Yield the messages of a document; one without a time has that of the next that states one."""
    try:
        document = msgspec.json.decode(data, type=_Document)
    except UNREADABLE as error:
        raise DataError(path, f"must be an object with `init` and `updates`: {error}") from error
    messages = [bytes(message) for message in (document.init, *document.updates)]
    time_ns: int | None = None
    untimed: list[tuple[str, bytes]] = []
    for number, message in enumerate(messages):
        where = f"{path} {'init' if number == 0 else f'update {number}'}"
        stated_ns = _time_ns(where, message)
        time_ns = time_ns if stated_ns is None else stated_ns
        if time_ns is None:
            untimed.append((where, message))
            continue
        for earlier, payload in untimed:
            yield BookMessage(earlier, time_ns, payload)
        untimed.clear()
        yield BookMessage(where, time_ns, message)
    if untimed:
        raise DataError(path, "none of the messages states a timestamp")


def _time_ns(where: str, message: bytes) -> int | None:
    """Return the time that a message states, each venue in its own way."""
    if message.lstrip().startswith(b"["):
        return _time_of_levels(where, message)
    try:
        data = msgspec.json.decode(message, type=_Message).data
    except UNREADABLE as error:
        raise DataError(where, f"must be a message with `data`: {error}") from error
    if not data or (data[0].timestamp is None and data[0].ts is None):
        return None
    if data[0].timestamp is None:
        text = data[0].ts or ""
        if not (text.isascii() and text.isdigit() and len(text) <= len("9223372036854")):
            raise DataError(where, f"ts {text!r}: must be milliseconds since 1970 as text")
        return int(text) * 10**6
    text = data[0].timestamp
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND * 1000
    except (ValueError, TypeError) as error:
        raise DataError(where, f"timestamp {text!r}: must be ISO 8601 with a time zone") from error


def _time_of_levels(where: str, message: bytes) -> int | None:
    """Return when the newest level of a message of Kraken v1 changed."""
    try:
        raw = msgspec.json.decode(message, type=list[msgspec.Raw])
        parts = [msgspec.json.decode(part, type=_PartV1) for part in raw if bytes(part).startswith(b"{")]
    except UNREADABLE as error:
        raise DataError(where, f"must be a message of Kraken v1: {error}") from error
    sides = [side for part in parts for side in (part.all_asks, part.all_bids, part.asks, part.bids)]
    texts = [level[2] for side in sides for level in side if len(level) > 2]
    try:
        times = [Decimal(text) for text in texts]
    except InvalidOperation as error:
        raise DataError(where, f"a level has the time {texts[0]!r}: must be seconds since 1970") from error
    newest = max((time for time in times if time.is_finite()), default=None)
    # A year beyond 2262 has no nanoseconds in 64 bits; the decoder would refuse what comes of it.
    if newest is None or not 0 <= newest < Decimal(2**63) / 10**9:
        return None
    return int(newest * 10**9)
