"""What a capture of Binance messages holds: lines of `<receive_ns> <json>`."""

import re
from collections import Counter

import msgspec

from tradecore_files.summary import FileSummary

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_PROBLEMS_MAX = 10


class _Message(msgspec.Struct):
    event: str | None = msgspec.field(default=None, name="e")
    symbol: str | None = msgspec.field(default=None, name="s")
    first_id: int = msgspec.field(default=0, name="U")
    last_id: int = msgspec.field(default=0, name="u")
    prev_id: int | None = msgspec.field(default=None, name="pu")
    snapshot_id: int | None = msgspec.field(default=None, name="lastUpdateId")
    price: object = msgspec.field(default=None, name="p")
    quantity: object = msgspec.field(default=None, name="q")
    data: "_Message | None" = None


def summarize_capture(path: str, data: bytes) -> FileSummary:
    """Count messages, symbols, sequence gaps and lines that are wrong."""
    decode = msgspec.json.Decoder(_Message).decode
    types: Counter[str] = Counter()
    last_ids: dict[str, int] = {}
    symbols: set[str] = set()
    problems: list[str] = []
    first_time = last_time = None
    gaps = rows = 0
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        stamp, _, payload = line.partition(b" ")
        try:
            time_ns = int(stamp)
            message = decode(payload)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            problems.append(f"{path} line {number}: {error}")
            continue
        rows += 1
        if last_time is not None and time_ns < last_time:
            problems.append(f"{path} line {number}: receive_ns {time_ns}: before the line before")
        first_time, last_time = time_ns if first_time is None else first_time, time_ns
        message = message.data or message
        types[_type(message)] += 1
        problems += [f"{path} line {number}: {what}" for what in _wrong_numbers(message)]
        if message.symbol:
            symbols.add(message.symbol)
        if message.event == "depthUpdate":
            gaps += _is_gap(message, last_ids)
            last_ids[message.symbol or ""] = message.last_id
    notes = []
    if types["depthUpdate"] and not types["snapshot"]:
        notes.append(
            "there is no snapshot, so no book will come: changes alone do not tell what it was before"
        )
    return FileSummary(
        path=path,
        format="binance_capture",
        kind="messages",
        rows=rows,
        first_time_ns=first_time,
        last_time_ns=last_time,
        gaps=gaps,
        messages=dict(sorted(types.items())),
        symbols=tuple(sorted(symbols)),
        notes=tuple(notes),
        problems=tuple(problems[:_PROBLEMS_MAX]),
    )


def _wrong_numbers(message: _Message) -> list[str]:
    return [
        f"{name} {value!r}: must be plain decimal text, 0 or more"
        for name, value in (("p", message.price), ("q", message.quantity))
        if isinstance(value, str) and not _NUMBER.fullmatch(value)
    ]


def _type(message: _Message) -> str:
    if message.event:
        return message.event
    if message.snapshot_id is not None:
        return "snapshot"
    return "bookTicker" if message.last_id else "other"


def _is_gap(message: _Message, last_ids: dict[str, int]) -> bool:
    last_id = last_ids.get(message.symbol or "")
    if last_id is None:
        return False
    if message.prev_id is not None:
        return message.prev_id != last_id
    return message.first_id != last_id + 1
