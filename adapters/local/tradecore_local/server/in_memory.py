"""The venue without sockets: a client's session whose requests and streams stay in the process.

What carries messages is the only thing that is not as over sockets: both sides work as they do there, and
each message takes its time on the way. A loop with virtual time runs a client and its venue without waiting.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextvars import copy_context
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tradecore_local.server.desk import Asked, Reply
from tradecore_local.server.service import VenueService

_DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
_OVER = aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)


class Arrival(NamedTuple):
    """A request that may change something, as it came to the venue."""

    method: str
    target: str
    body: bytes


class MemoryWire:
    """The way between one client and a venue in the same process.

    Parameters
    ----------
    service : VenueService
        The venue.
    delay_seconds : callable
        How long the next message is on its way.
    on_arrival : callable
        Told of each message that asks for a change, as it arrives.
    on_leaving : callable, optional
        Told of each message of the client's, as it leaves.

    Attributes
    ----------
    is_cut : bool
        Whether the client is gone as a process that was killed is: nothing leaves it any more, and nothing
        reaches it. What was on its way arrives.
    """

    def __init__(
        self,
        service: VenueService,
        delay_seconds: Callable[[], float],
        on_arrival: Callable[[Arrival], None],
        on_leaving: Callable[[Arrival], None] | None = None,
    ) -> None:
        self.service = service
        self.delay_seconds = delay_seconds
        self.on_arrival = on_arrival
        self.on_leaving = on_leaving or _nothing
        self.is_cut = False
        # Of the venue's side, and of what is on its way: it goes on when the client stands still.
        self.context = copy_context()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._pairs: list[_Pair] = []

    def session(self) -> aiohttp.ClientSession:
        """Return what a client takes for its session."""
        return cast(aiohttp.ClientSession, _Session(self))

    def cut(self) -> None:
        """Let the client be gone, as a process that is killed."""
        self.is_cut = True
        for pair in list(self._pairs):
            pair.leave()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the venue's side work on, whatever becomes of the client."""
        task = asyncio.get_running_loop().create_task(work, context=self.context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def open_pair(self) -> "_Pair":
        """Return a line that stands, with its two ends."""
        pair = _Pair(self)
        self._pairs.append(pair)
        return pair

    def forget(self, pair: "_Pair") -> None:
        """Let go of a line that is over."""
        if pair in self._pairs:
            self._pairs.remove(pair)


class _Session:
    """As much of `aiohttp.ClientSession` as the client of the venue uses."""

    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire

    def request(self, method: str, url: URL, **options: Any) -> "_Request":  # noqa: ANN401 - as aiohttp has it
        return _Request(self._wire, method, url, **options)

    def get(self, url: URL, **options: Any) -> "_Request":  # noqa: ANN401 - as aiohttp has it
        return _Request(self._wire, "GET", url, **options)

    async def ws_connect(self, url: URL, **options: Any) -> "_ClientEnd":  # noqa: ANN401 - see above
        wire = self._wire
        await asyncio.sleep(wire.delay_seconds())
        if wire.is_cut:
            raise aiohttp.ServerDisconnectedError
        path, service = url.path, wire.service
        account = ""
        if path == "/stream":
            headers: Mapping[str, str] = options.get("headers") or {}
            found = service.let_in(Asked(method="GET", target=path, headers=headers, body=b""))
            if isinstance(found, Reply):
                known = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url)
                raise aiohttp.WSServerHandshakeError(known, (), status=found.status)
            account = found
        pair = wire.open_pair()
        if path == "/stream":
            wire.spawn(_served(pair, service.tell(pair.server, account)))
        elif path == "/market":
            wire.spawn(_served(pair, service.show(pair.server)))
        else:
            wire.spawn(_served(pair, _trade(wire, pair)))
        pair.client.silence_seconds_max = getattr(options.get("timeout"), "ws_receive", None)
        return pair.client

    async def close(self) -> None:
        """Hold nothing."""


async def _served(pair: "_Pair", work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except ConnectionError:
        # Who listened has gone.
        pass
    finally:
        pair.break_off()


async def _trade(wire: MemoryWire, pair: "_Pair") -> None:
    """Answer the messages of a line that trades, one after the other."""
    async for message in pair.server:
        said = message.data
        wire.on_arrival(Arrival("", "/trade", said.encode() if isinstance(said, str) else bytes(said)))
        answer = await wire.service.traded(said, lambda: pair.is_over)
        if answer is None:
            return
        await pair.server.send_bytes(answer)


class _Response:
    """As much of an answer as the client reads."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self._body = reply.body[: len(reply.body) // 2] if reply.is_cut else reply.body
        self.content = self

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._body

    def close(self) -> None:
        """Hold nothing."""


class _Request:
    """One request, sent as its block is entered."""

    def __init__(
        self,
        wire: MemoryWire,
        method: str,
        url: URL,
        *,
        data: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
        allow_redirects: bool = False,
    ) -> None:
        self._wire = wire
        self._asked = Asked(method=method, target=url.raw_path_qs, headers=headers or {}, body=data)
        self._seconds = None if timeout is None else timeout.total
        self._is_gone = False

    async def __aenter__(self) -> _Response:
        if self._wire.is_cut:
            raise aiohttp.ServerDisconnectedError
        asked = self._asked
        self._wire.on_leaving(Arrival(asked.method, asked.target, asked.body))
        answered: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._wire.spawn(self._serve(answered))
        try:
            async with asyncio.timeout(self._seconds):
                reply = await answered
        finally:
            self._is_gone = True
        if reply is None or self._wire.is_cut:
            raise aiohttp.ServerDisconnectedError
        return _Response(reply)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hold nothing."""

    async def _serve(self, answered: "asyncio.Future[Reply | None]") -> None:
        wire, asked = self._wire, self._asked
        await asyncio.sleep(wire.delay_seconds())
        if asked.method != "GET":
            wire.on_arrival(Arrival(asked.method, asked.target, asked.body))
        reply = await wire.service.answer(asked, lambda: self._is_gone)
        await asyncio.sleep(wire.delay_seconds())
        if not answered.done():
            answered.set_result(reply)


class _Pair:
    """A line with its two ends; messages of one direction arrive in their order."""

    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire
        self.is_over = False
        self.client, self.server = _ClientEnd(self), _ServerEnd(self)

    def send(self, to: "_End", message: aiohttp.WSMessage) -> None:
        """Send a message to an end; raises `ConnectionResetError` where the line is over."""
        if self.is_over or self._wire.is_cut:
            raise aiohttp.ClientConnectionResetError("the line is over")
        loop = asyncio.get_running_loop()
        to.due = max(to.due, loop.time() + self._wire.delay_seconds())
        # Which message a call is for is decided as it arrives: calls of the same time may come in any order.
        to.on_the_way.append(message)
        loop.call_at(to.due, to.arrive, context=self._wire.context)

    def leaving(self, data: bytes) -> None:
        """Say that the client has sent something."""
        self._wire.on_leaving(Arrival("", "/trade", data))

    def leave(self) -> None:
        """Let the client be gone; what it has sent arrives."""
        self.client.end()
        loop = asyncio.get_running_loop()
        loop.call_at(max(self.server.due, loop.time()), self.break_off, context=self._wire.context)

    def break_off(self) -> None:
        """End the line at once: what is on its way is lost."""
        if self.is_over:
            return
        self.is_over = True
        self._wire.forget(self)
        for end in (self.client, self.server):
            end.end()


class _End:
    """One end of a line."""

    def __init__(self, pair: _Pair) -> None:
        self.due = 0.0
        self._pair = pair
        self.on_the_way: deque[aiohttp.WSMessage] = deque()
        self._heard: deque[aiohttp.WSMessage] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.silence_seconds_max: float | None = None

    @property
    def closed(self) -> bool:
        return self._pair.is_over

    def arrive(self) -> None:
        message = self.on_the_way.popleft()
        if not self._pair.is_over:
            self._heard.append(message)
            self._wake()

    def end(self) -> None:
        self._heard.append(_OVER)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self) -> aiohttp.WSMessage:
        while not self._heard:
            if self._pair.is_over:
                return _OVER
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(self.silence_seconds_max):
                    await self._waiter
            finally:
                self._waiter = None
        return self._heard.popleft()

    async def close(self, *, code: int = 1000) -> bool:
        was_over = self._pair.is_over
        self._pair.break_off()
        return not was_over

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        message = await self.receive()
        if message.type not in _DATA:
            raise StopAsyncIteration
        return message


class _ClientEnd(_End):
    """As much of `aiohttp.ClientWebSocketResponse` as the client of the venue uses."""

    async def send_bytes(self, data: bytes) -> None:
        self._pair.send(self._pair.server, aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, data, None))
        self._pair.leaving(data)

    async def send_str(self, data: str) -> None:
        self._pair.send(self._pair.server, aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, data, None))
        self._pair.leaving(data.encode())


class _ServerEnd(_End):
    """As much of `aiohttp.web.WebSocketResponse` as the venue uses."""

    async def send_bytes(self, data: bytes) -> None:
        self._pair.send(self._pair.client, aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, data, None))

    async def send_str(self, data: str) -> None:
        self._pair.send(self._pair.client, aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, data, None))


def _nothing(leaving: Arrival) -> None:
    """Tell nobody."""
