"""Recorded book messages of venues that state checksums, as a market feed."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore.domain.feeds import VenueBookDecoder
from tradecore_files.raw import read_bytes

_BATCH_EVENTS_MAX = 8192
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# `<ns> <json>`, as `tradecore` records it, or `<seconds.fraction>: <json>`, as cryptofeed does.
_LINE = re.compile(rb"(?:(\d+)|(\d+)\.(\d{1,9}):) +(.+)")
# What cryptofeed notes about its connections and what it sent.
_NOTES = (b"wss:", b"ws:", b"http:", b"https:")


class BookVenue(StrEnum):
    """Whose messages they are, in the form of its current WebSocket unless it says otherwise."""

    KRAKEN = "kraken"
    KRAKEN_V1 = "kraken_v1"
    OKX = "okx"


class _Entry(msgspec.Struct):
    timestamp: str | None = None


class _Message(msgspec.Struct):
    data: tuple[_Entry, ...] = ()


class _Document(msgspec.Struct):
    init: msgspec.Raw
    updates: list[msgspec.Raw]


class BookCaptureFeed:
    """Replays recorded book messages of Kraken or OKX; the same events on every call.

    A capture has lines of `<receive_ns> <json>`, or lines as cryptofeed writes them, or it is one JSON
    document `{"init": snapshot, "updates": [...]}`, whose times are those of the messages. Everything before
    a damaged message is delivered before the `DataError` that names it. The file is held in memory.

    Parameters
    ----------
    path : Path or str
        The capture; gzip and zip are read as they are.
    instruments : sequence of InstrumentSpec
        What to read, in the order of the engine's table, named as the venue names them.
    venue : BookVenue
        Whose messages they are.
    batch_events_max : int
        Events in one batch at most.

    Raises
    ------
    InvalidValueError
        For instruments or a batch size that make no sense.
    """

    def __init__(
        self,
        path: Path | str,
        instruments: Sequence[InstrumentSpec],
        *,
        venue: BookVenue,
        batch_events_max: int = _BATCH_EVENTS_MAX,
    ) -> None:
        if batch_events_max < 1:
            raise InvalidValueError("batch_events_max", batch_events_max, "must be at least 1")
        self._path = Path(path)
        self._symbols = [
            (spec.symbol, at, spec.tick_size, spec.lot_size) for at, spec in enumerate(instruments)
        ]
        self._venue = venue
        self._batch_events_max = batch_events_max
        self._is_closed = False
        self._decoder()

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield the events in order, leaving out the first `skip_events`."""
        for batch in self._batches():
            if self._is_closed:
                return
            count = len(batch)
            batch.skip(skip_events)
            skip_events = max(0, skip_events - count)
            if len(batch):
                yield batch

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Say no: a capture holds the snapshots it holds."""
        return instrument_id < 0

    async def aclose(self) -> None:
        """End the replay."""
        self._is_closed = True

    def _decoder(self) -> VenueBookDecoder:
        return VenueBookDecoder(self._venue.value, self._symbols)

    def _batches(self) -> Iterator[EventBatch]:
        decoder, batch = self._decoder(), EventBatch()
        try:
            for where, time_ns, payload in _messages(self._path):
                try:
                    decoder.decode(time_ns, payload, batch)
                except DataError as error:
                    raise DataError(where, error.what) from error
                if len(batch) >= self._batch_events_max:
                    yield batch
                    batch = EventBatch()
        except DataError:
            if len(batch):
                yield batch
            raise
        if len(batch):
            yield batch


def _messages(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """Yield where each message stands, its time and its bytes."""
    data = read_bytes(path)
    if data.lstrip().startswith(b"{"):
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
        yield where, int(whole) if whole else int(seconds + fraction.ljust(9, b"0")), payload


def _of_document(path: str, data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield the messages of a document; one without a time has that of the next that states one."""
    try:
        document = msgspec.json.decode(data, type=_Document)
    except msgspec.MsgspecError as error:
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
            yield earlier, time_ns, payload
        untimed.clear()
        yield where, time_ns, message
    if untimed:
        raise DataError(path, "none of the messages states a timestamp")


def _time_ns(where: str, message: bytes) -> int | None:
    try:
        data = msgspec.json.decode(message, type=_Message).data
    except msgspec.MsgspecError as error:
        raise DataError(where, f"must be a message with `data`: {error}") from error
    text = data[0].timestamp if data else None
    if text is None:
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND * 1000
    except (ValueError, TypeError) as error:
        raise DataError(where, f"timestamp {text!r}: must be ISO 8601 with a time zone") from error
