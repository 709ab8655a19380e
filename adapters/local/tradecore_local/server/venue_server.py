"""The venue over real sockets: REST and WebSocket around the exchange of the testkit, faults included."""

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tradecore.domain.errors import VenueError
from tradecore.ports.clock import Clock
from tradecore.testkit.local_venue.faults import FaultScript
from tradecore.testkit.local_venue.settings import VenueSettings
from tradecore_local.server.desk import Asked, Reply
from tradecore_local.server.service import NO_FAULTS, KeyGrant, VenueService

LOOPBACK = "127.0.0.1"
_SLICE_SECONDS = 0.02
_END_SECONDS = 0.3


class LocalVenueServer:
    """Serves one exchange on this machine. Use as an async context manager.

    Parameters
    ----------
    settings : VenueSettings
        What the exchange is made of.
    keys : sequence of KeyGrant
        Who may do what.
    clock : Clock
        The venue's clock.
    script : FaultScript
        What is to go wrong; at the endpoint of those who only ask, what its `query_rules` say.
    host : str
        Address to listen on; another than the loopback interface lets other machines in.
    port : int
        Port to listen on; 0 takes a free one.
    query_port : int
        Port of the endpoint of those who only ask; 0 takes a free one.
    heartbeat_seconds : float
        How often a stream without news says so.

    Attributes
    ----------
    exchange : LocalExchange
        The exchange; its `truth` is what really happened.
    faults, query_faults : Faults
        What went wrong so far is in their `seen`: of the venue, and where one can only ask.
    """

    def __init__(
        self,
        settings: VenueSettings,
        keys: tuple[KeyGrant, ...],
        clock: Clock,
        *,
        script: FaultScript = NO_FAULTS,
        host: str = LOOPBACK,
        port: int = 0,
        query_port: int = 0,
        heartbeat_seconds: float = 1.0,
    ) -> None:
        self._service = service = VenueService(
            settings, keys, clock, script=script, heartbeat_seconds=heartbeat_seconds
        )
        self.exchange, self.faults, self.query_faults = service.exchange, service.faults, service.query_faults
        self._host, self._wanted_ports, self._ports = host, (port, query_port), [0, 0]
        self._sockets: set[web.WebSocketResponse] = set()
        self._runners: list[web.ServerRunner] = []
        self._ticker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Return where it listens, for HTTP."""
        return f"http://{self._host}:{self._ports[0]}"

    @property
    def query_url(self) -> str:
        """Return where it listens for those who only ask: another endpoint with the same answers."""
        return f"http://{self._host}:{self._ports[1]}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises
        ------
        VenueError
            When the address cannot be listened on.
        """
        handlers = (self._handle, self._handle_query)
        for number, (handler, wanted) in enumerate(zip(handlers, self._wanted_ports, strict=True)):
            runner = web.ServerRunner(web.Server(handler, logger=_log()), shutdown_timeout=_END_SECONDS)
            self._runners.append(runner)
            await runner.setup()
            try:
                await web.TCPSite(runner, self._host, wanted).start()
            except OSError as error:
                await self._stop_listening()
                where = f"{self._host}:{wanted}"
                raise VenueError(f"{where}: cannot listen: {error.strerror}; name another --port") from error
            self._ports[number] = int(runner.addresses[0][1])
        self._ticker = asyncio.create_task(self._tick(), name="local-venue-ticker")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection, within a second."""
        self._service.end()
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.wait([self._ticker])
        for socket in list(self._sockets):
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(_END_SECONDS / 3):
                    await socket.close(code=1001)
        await self._stop_listening()

    async def _stop_listening(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    async def _tick(self) -> None:
        """Let time pass: agents trade, and readers see it."""
        while True:
            self._service.tick()
            await asyncio.sleep(_SLICE_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/stream":
            return await self._serve_private(request)
        if path == "/market":
            return await self._serve_public(request)
        if path == "/trade":
            return await self._serve_trading(request)
        return await self._answer(request)

    async def _handle_query(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer who only asks: nothing can be changed here, and there is no stream."""
        return await self._answer(request, is_query=True)

    async def _answer(self, request: web.BaseRequest, *, is_query: bool = False) -> web.StreamResponse:
        reply = await self._service.answer(
            _asked(request, await request.read()), lambda: _is_gone(request), is_query=is_query
        )
        return _broken(request) if reply is None else _response(reply)

    async def _serve_private(self, request: web.BaseRequest) -> web.StreamResponse:
        account = self._service.let_in(_asked(request, b""))
        if isinstance(account, Reply):
            return _response(account)
        socket = await self._socket(request)
        try:
            await self._service.tell(socket, account)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _serve_trading(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer requests that come as messages of one connection, one after the other."""
        socket = await self._socket(request)
        try:
            async for message in socket:
                answer = await self._service.traded(message.data, lambda: _is_gone(request))
                if answer is None:
                    _broken(request)
                    break
                await socket.send_bytes(answer)
        except ConnectionError:
            # Who asked has gone before the answer.
            pass
        finally:
            self._sockets.discard(socket)
        return socket

    async def _serve_public(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = await self._socket(request)
        try:
            await self._service.show(socket)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _socket(self, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=_END_SECONDS / 3, compress=False, max_msg_size=1 << 16)
        await socket.prepare(request)
        self._sockets.add(socket)
        return socket


class _OursOnly(logging.Filter):
    """Passes over faults of those who ask: bytes that are no HTTP, and connections that break."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is about a fault of ours."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | ConnectionError)


def _log() -> logging.Logger:
    """Return where the library that serves HTTP says what goes wrong."""
    log = logging.getLogger("tradecore_local.server")
    if not log.filters:
        log.addFilter(_OursOnly())
    return log


def _response(reply: Reply) -> web.Response:
    body = reply.body[: len(reply.body) // 2] if reply.is_cut else reply.body
    kind = "text/html" if reply.is_page else "application/json"
    return web.Response(status=reply.status, body=body, headers=reply.headers, content_type=kind)


def _asked(request: web.BaseRequest, body: bytes) -> Asked:
    return Asked(method=request.method, target=request.raw_path, headers=request.headers, body=body)


def _is_gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()


def _broken(request: web.BaseRequest) -> web.Response:
    """Break the connection; what is returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
