"""Recorded messages: in which form they are written down, and whose they are."""

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from tradecore.domain.unreadable import UNREADABLE

_LINE = re.compile(rb"\d{10,19} +([\[{].*)")
_CRYPTOFEED = re.compile(rb"(?:wss?|https?)://\S+ |\d{9,11}\.\d{1,9}: +[\[{]|configuration: *\{")
_CRYPTOFEED_LINE = re.compile(rb"\d{9,11}(?:\.\d{1,9})?: +([\[{].*)")
_DOCUMENT = re.compile(rb'\s*\{\s*"(?:init|updates)"\s*:')
_FIRST_BYTES, _MESSAGES_MAX = 1 << 22, 500
_KRAKEN_CHANNELS = frozenset(
    {"book", "status", "heartbeat", "ticker", "trade", "ohlc", "instrument", "level3"}
)
_HYPERLIQUID_CHANNELS = frozenset({"l2Book", "trades", "bbo", "subscriptionResponse", "allMids", "candle"})
_KRAKEN_V1_EVENTS = frozenset({"systemStatus", "heartbeat", "subscriptionStatus"})


def form_of(data: bytes) -> str:
    """Return how messages are written down: `lines`, `cryptofeed`, `document`, or nothing for no capture."""
    if _LINE.match(data):
        return "lines"
    if _CRYPTOFEED.match(data):
        return "cryptofeed"
    return "document" if _DOCUMENT.match(data) else ""


def venue_of(data: bytes, form: str) -> str:
    """Return whose messages they are, told by the first of them: `binance`, `kraken`, ..., or `unknown`."""
    seen: Counter[str] = Counter()
    for number, payload in enumerate(_payloads(data, form)):
        if number >= _MESSAGES_MAX:
            break
        try:
            seen[_venue(msgspec.json.decode(payload))] += 1
        except UNREADABLE:
            continue
    seen.pop("", None)
    return seen.most_common(1)[0][0] if seen else "unknown"


def _payloads(data: bytes, form: str) -> Iterator[bytes]:
    if form == "document":
        try:
            document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            yield bytes(document.get("init", b"null"))
            yield from map(bytes, msgspec.json.decode(document.get("updates", b"[]"), type=list[msgspec.Raw]))
        except UNREADABLE:
            return
        return
    line = _LINE if form == "lines" else _CRYPTOFEED_LINE
    for text in data[:_FIRST_BYTES].splitlines():
        if found := line.fullmatch(text):
            yield found[1]


def _venue(message: object) -> str:
    if isinstance(message, list):
        is_v1 = len(message) >= 4 and all(isinstance(part, str) for part in message[-2:])
        return "kraken_v1" if is_v1 else ""
    if not isinstance(message, dict):
        return ""
    channel, event = message.get("channel"), message.get("event")
    marks = {
        "okx": isinstance(message.get("arg"), dict),
        "kraken_v1": isinstance(event, str) and event in _KRAKEN_V1_EVENTS,
        "bitstamp": isinstance(event, str) and (event.startswith("bts:") or "channel" in message),
        "hyperliquid": isinstance(channel, str) and channel in _HYPERLIQUID_CHANNELS,
        "kraken": (isinstance(channel, str) and channel in _KRAKEN_CHANNELS) or "req_id" in message,
        "bybit": "topic" in message,
        "coinbase": "product_id" in message or "product_ids" in message,
        "binance": "stream" in message or "lastUpdateId" in message or "e" in message or "u" in message,
    }
    return next((venue for venue, is_marked in marks.items() if is_marked), "")
