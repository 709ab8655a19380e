"""A local stand-in for the venue: a capture over real sockets, with faults on request."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
from aiohttp import WSCloseCode, web

from tradecore_binance.market import ENDPOINTS, Market
from tradecore_binance.packed import pieces_of
from tradecore_binance.replay_book import DepthMessage, ReplayBook

_NANOSECONDS_PER_SECOND = 1e9


class FaultKind(StrEnum):
    """What goes wrong at a depth message."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    SWAP = "swap"
    CLOSE = "close"
    DELAY = "delay"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong once.

    Attributes
    ----------
    kind : FaultKind
        `DROP` loses the message, `DUPLICATE` sends it twice, `SWAP` sends it after the next depth message,
        `CLOSE` closes every socket before it, `DELAY` waits before it.
    depth_number : int
        At which depth message, counted from 1.
    seconds : float
        How long `DELAY` waits.
    """

    kind: FaultKind
    depth_number: int
    seconds: float = 0.0


class _Line(NamedTuple):
    time_ns: int
    payload: bytes


class _Envelope(msgspec.Struct):
    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


class ReplayServer:
    """Serves one symbol's capture on the loopback interface: WebSocket streams and REST depth snapshots.

    Use as an async context manager. The replay begins with the first client and stands still while
    there is none; snapshots are of the book the replay has got to.

    Parameters
    ----------
    path : Path or str
        The capture.
    market : Market
        Decides the REST paths.
    speed : float
        0 sends as fast as clients take, 1 in real time, n at n times real time.
    faults : sequence of Fault
        What is to go wrong.
    refusals : int
        How many of the first snapshot requests are answered with 429.
    exchange_info : bytes
        The answer to `exchangeInfo`.
    hold_back : callable or None
        Awaited before each message; keeps the replay near to its client on however slow a machine.

    Attributes
    ----------
    sent : int
        Messages sent on the connection that is open.
    connections, snapshots : int
        How many there were so far.
    finished : asyncio.Event
        Set when the last message has been sent.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        market: Market = Market.SPOT,
        speed: float = 0.0,
        faults: Sequence[Fault] = (),
        refusals: int = 0,
        exchange_info: bytes = b'{"symbols":[]}',
        hold_back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._path = Path(path)
        self._market = market
        self._speed = speed
        self._faults = {fault.depth_number: fault for fault in faults}
        self._refusals = refusals
        self._exchange_info = exchange_info
        self._hold_back = hold_back
        self._book = ReplayBook()
        self._sockets: list[web.WebSocketResponse] = []
        self._has_client = asyncio.Event()
        self._depth_number = 0
        self._swapped: bytes | None = None
        self._runner: web.AppRunner | None = None
        self._player: asyncio.Task[None] | None = None
        self._port = 0
        self.finished = asyncio.Event()
        self.snapshots = 0
        self.connections = 0
        self.sent = 0

    @property
    def ws_url(self) -> str:
        """Return what to give a feed as `ws_url`."""
        return f"ws://127.0.0.1:{self._port}"

    @property
    def rest_url(self) -> str:
        """Return what to give a feed as `rest_url`."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        application = web.Application()
        path = ENDPOINTS[self._market].rest_path
        application.router.add_get("/stream", self._stream)
        application.router.add_get(f"{path}/depth", self._depth)
        application.router.add_get(f"{path}/exchangeInfo", self._info)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self._player = asyncio.create_task(self._play(), name="replay-server")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every socket and stop."""
        if self._player is not None:
            self._player.cancel()
            await asyncio.wait([self._player])
        await self._close_sockets()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.sent = 0
        self._sockets.append(socket)
        self._has_client.set()
        try:
            async for _ in socket:
                pass
        finally:
            self._forget(socket)
        return socket

    async def _depth(self, request: web.Request) -> web.Response:
        if self._refusals > 0:
            self._refusals -= 1
            return web.Response(status=429, headers={"Retry-After": "0"}, text='{"code":-1003}')
        self.snapshots += 1
        return web.Response(body=self._book.snapshot(), content_type="application/json")

    async def _info(self, request: web.Request) -> web.Response:
        return web.Response(body=self._exchange_info, content_type="application/json")

    async def _play(self) -> None:
        """Send the capture line by line."""
        lines = _lines_of(self._path)
        # The book must be known before the first snapshot is asked for.
        early: list[_Line] = []
        for line in lines:
            early.append(line)
            if self._take_snapshot(line):
                break
        await self._has_client.wait()
        loop = asyncio.get_running_loop()
        start, first_ns = loop.time(), early[0].time_ns if early else 0
        for line in (line for part in (early, lines) for line in part):
            if self._speed > 0:
                due = start + (line.time_ns - first_ns) / _NANOSECONDS_PER_SECOND / self._speed
                if (left := due - loop.time()) > 0:
                    await asyncio.sleep(left)
            if self._hold_back is not None:
                await self._hold_back()
            await self._has_client.wait()
            await self._send_line(line)
        self.finished.set()

    def _take_snapshot(self, line: _Line) -> bool:
        message = msgspec.json.decode(line.payload, type=DepthMessage)
        if message.snapshot_id is None:
            return False
        self._book.apply_snapshot(message)
        return True

    async def _send_line(self, line: _Line) -> None:
        envelope = msgspec.json.decode(line.payload, type=_Envelope)
        if envelope.stream is None:
            return
        if "@depth" not in envelope.stream:
            await self._send(line.payload)
            return
        self._book.apply_diff(envelope.data)
        self._depth_number += 1
        fault = self._faults.get(self._depth_number)
        if fault is not None and fault.kind is FaultKind.CLOSE:
            await self._close_sockets()
            await self._has_client.wait()
        if fault is not None and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        await self._send_depth(line.payload, fault.kind if fault is not None else None)

    async def _send_depth(self, payload: bytes, fault: FaultKind | None) -> None:
        if fault is FaultKind.SWAP:
            self._swapped = payload
            return
        if fault is not FaultKind.DROP:
            await self._send(payload)
        if fault is FaultKind.DUPLICATE:
            await self._send(payload)
        if self._swapped is not None:
            swapped, self._swapped = self._swapped, None
            await self._send(swapped)

    async def _send(self, payload: bytes) -> None:
        text = payload.decode()
        self.sent += 1
        for socket in list(self._sockets):
            try:
                await socket.send_str(text)
            except ConnectionError:
                self._forget(socket)

    async def _close_sockets(self) -> None:
        sockets, self._sockets = self._sockets, []
        self._has_client.clear()
        for socket in sockets:
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)
        if not self._sockets:
            self._has_client.clear()


def _lines_of(path: Path) -> Iterator[_Line]:
    rest = b""
    for piece in pieces_of(path):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            stamp, _, payload = line.partition(b" ")
            yield _Line(int(stamp), payload)
    if rest:
        stamp, _, payload = rest.partition(b" ")
        yield _Line(int(stamp), payload)
