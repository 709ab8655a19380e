"""The two streams of the venue: what happens to an account, and what everybody sees of the markets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind, FaultRule, Faults
from tradecore.testkit.local_venue.records import FillRow, News, OrderRow
from tradecore_local import wire
from tradecore_local.server.outbox import Line, Outbox
from tradecore_local.server.words import Words

_FRAMES_MAX = 200_000
_TEXT_MAX = 4096


class Heard(Protocol):
    """A message that came in."""

    @property
    def data(self) -> object:
        """What it says."""
        ...


class Listener(Line, Protocol):
    """A line in both directions; iterating it yields what comes in until it ends."""

    def __aiter__(self) -> AsyncIterator[Heard]:
        """Yield what comes in."""
        ...


class _Reader:
    """One reader of the private stream: its frames are numbered from 1."""

    def __init__(self, socket: Listener, account: str, streams: "PrivateStreams") -> None:
        self.account = account
        self._streams = streams
        self._number = 0
        seconds = streams.heartbeat_seconds
        self.outbox = Outbox(socket, frames_max=_FRAMES_MAX, idle_seconds=seconds, on_idle=self._beat)

    def tell(self, told: wire.Told, fault: FaultRule | None = None) -> None:
        if fault is not None and fault.kind is FaultKind.FRAME_UNSENT:
            return
        self._number += 1
        self.outbox.put(self._streams.encode(wire.Frame(n=self._number, is_=told)), fault)

    def _beat(self) -> None:
        self.tell(wire.Heartbeat(time_ns=self._streams.exchange.now_ns))


class PrivateStreams:
    """Tells every reader what happens to its account.

    Parameters
    ----------
    exchange : LocalExchange
        Where it happens.
    words : Words
        Its words.
    faults : Faults
        What goes wrong.
    heartbeat_seconds : float
        A stream that has nothing to tell says so this often.
    """

    def __init__(
        self, exchange: LocalExchange, words: Words, faults: Faults, *, heartbeat_seconds: float
    ) -> None:
        self.exchange = exchange
        self.heartbeat_seconds = heartbeat_seconds
        self.encode = msgspec.json.Encoder().encode
        self._words = words
        self._faults = faults
        self._readers: dict[str, list[_Reader]] = {}

    async def serve(self, socket: Listener, account: str) -> None:
        """Tell one reader until its connection ends."""
        reader = _Reader(socket, account, self)
        self.flush()
        self.exchange.follow(account)
        self._readers.setdefault(account, []).append(reader)
        reader.tell(wire.Ready(time_ns=self.exchange.now_ns), self._faults.draw(Endpoint.STREAM))
        try:
            await _serve(socket, reader.outbox)
        finally:
            self._readers[account].remove(reader)
            if not self._readers[account]:
                del self._readers[account]
                self.exchange.leave(account)

    def flush(self) -> None:
        """Tell everybody what has happened since the last time."""
        for account, readers in self._readers.items():
            for row in self.exchange.take_news(account):
                told, endpoint = self._words.news(row), _endpoint_of(row)
                for reader in readers:
                    reader.tell(told, self._faults.draw(endpoint))


class MarketStreams:
    """Shows every reader the books and trades of all markets.

    Parameters
    ----------
    exchange, words, faults, heartbeat_seconds
        As of `PrivateStreams`; a heartbeat is an empty message.
    """

    def __init__(
        self, exchange: LocalExchange, words: Words, faults: Faults, *, heartbeat_seconds: float
    ) -> None:
        self._heartbeat_seconds = heartbeat_seconds
        self._exchange = exchange
        self._words = words
        self._faults = faults
        self._encode = msgspec.json.Encoder().encode
        self._outboxes: list[Outbox] = []

    async def serve(self, socket: Listener) -> None:
        """Show one reader the whole books, then every change, until its connection ends."""
        fault = self._faults.draw(Endpoint.MARKET)
        seconds = self._heartbeat_seconds
        outbox = Outbox(socket, frames_max=_FRAMES_MAX, idle_seconds=seconds, on_idle=_nothing)
        self.publish()
        for market in range(len(self._words.symbols)):
            outbox.put(self._snapshot(market))
        if fault is not None:
            outbox.put(b"", fault)
        self._outboxes.append(outbox)
        try:
            await _serve(socket, outbox, lambda text: self._wish(outbox, text))
        finally:
            self._outboxes.remove(outbox)

    def publish(self) -> None:
        """Show everybody what has changed since the last time."""
        for market in range(len(self._words.symbols)):
            news = self._exchange.book(market).take_news(self._exchange.now_ns)
            if news is not None and self._outboxes:
                frame = self._encode(self._words.market(news))
                for outbox in self._outboxes:
                    outbox.put(frame)

    def _wish(self, outbox: Outbox, text: str) -> None:
        """Give the whole book of a market to a reader who asks for it; anything else is passed over."""
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            symbol = msgspec.json.decode(text, type=wire.SnapshotWish).snapshot
            market = self._exchange.market(symbol)
            if market is not None:
                self.publish()
                outbox.put(self._snapshot(market))

    def _snapshot(self, market: int) -> bytes:
        return self._encode(self._words.market(self._exchange.book(market).snapshot(self._exchange.now_ns)))


def _endpoint_of(row: News) -> Endpoint:
    match row:
        case FillRow():
            return Endpoint.STREAM_FILL
        case OrderRow():
            return Endpoint.STREAM_ORDER
        case _:
            return Endpoint.STREAM_BALANCE


def _nothing() -> None:
    """Put nothing where nothing happens: the empty message is enough."""


async def _serve(socket: Listener, outbox: Outbox, on_text: Callable[[str], None] | None = None) -> None:
    """Send what is put, and hand over what is said, until the connection ends."""
    writer = asyncio.create_task(outbox.run(), name="local-venue-writer")
    try:
        async for message in socket:
            if on_text is not None and isinstance(message.data, str) and len(message.data) <= _TEXT_MAX:
                on_text(message.data)
    finally:
        writer.cancel()
        await asyncio.wait([writer])
        error = None if writer.cancelled() else writer.exception()
        # A reader who went away is no fault of ours.
        if error is not None and not isinstance(error, ConnectionError):
            raise error
