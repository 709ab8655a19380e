"""The venue over real sockets: REST and WebSocket around the exchange of the testkit, faults included."""

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.unreadable import UNREADABLE
from tradecore.ports.clock import Clock
from tradecore.testkit.local_venue.access import Access, Denied, Right
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import QUESTIONS, Faults, FaultScript
from tradecore.testkit.local_venue.settings import VenueSettings
from tradecore_local import wire
from tradecore_local.key import Key
from tradecore_local.server.desk import Asked, Reply, RequestDesk, route_of
from tradecore_local.server.effects import Effects
from tradecore_local.server.revisions import Revisions
from tradecore_local.server.streams import MarketStreams, PrivateStreams

LOOPBACK = "127.0.0.1"
_SLICE_SECONDS = 0.02
_END_SECONDS = 0.3
_NO_REQUEST = Reply(
    status=400, headers={}, body=b'{"code":"no_such_request","words":"see docs/local-venue.md"}'
)
NO_FAULTS = FaultScript()


class KeyGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A key, whose it is and what it is for."""

    key: Key
    account: str
    rights: frozenset[Right]


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
        self.exchange = LocalExchange(settings, start_ns=clock.now_ns())
        self.faults = Faults(script)
        self.query_faults = Faults(script.of_queries)
        self._clock = clock
        self._host, self._wanted_ports, self._ports = host, (port, query_port), [0, 0]
        access = Access(validity_window_ns=settings.validity_window_ns, limits=settings.limits)
        for grant in keys:
            if grant.account not in self.exchange.accounts:
                raise InvalidValueError("account", grant.account, "must be an account of the venue")
            access.add(grant.key.key_id, grant.account, grant.rights)
        self._access = access
        self._desk = RequestDesk(
            self.exchange, access, {grant.key.key_id: grant.key.secret for grant in keys}
        )
        words = self._desk.words
        self._private = PrivateStreams(self.exchange, words, self.faults, heartbeat_seconds=heartbeat_seconds)
        self._public = MarketStreams(self.exchange, words, self.faults, heartbeat_seconds=heartbeat_seconds)
        self._revisions = Revisions(self.exchange, self.faults)
        self._effects = Effects(self._desk, self._private, self.faults, clock)
        self._query_effects = Effects(self._desk, self._private, self.query_faults, clock)
        self._decode = msgspec.json.Decoder(wire.SocketRequest).decode
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
        self._effects.end()
        self._query_effects.end()
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
            now_ns = self._clock.now_ns()
            self.exchange.advance(now_ns)
            self._revisions.advance(now_ns)
            self._private.flush()
            self._public.publish()
            await asyncio.sleep(_SLICE_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/stream":
            return await self._serve_private(request)
        if path == "/market":
            return await self._serve_public(request)
        if path == "/trade":
            return await self._serve_trading(request)
        return await self._answer(request, self._effects)

    async def _handle_query(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer who only asks: nothing can be changed here, and there is no stream."""
        return await self._answer(request, self._query_effects, is_query=True)

    async def _answer(
        self, request: web.BaseRequest, effects: Effects, *, is_query: bool = False
    ) -> web.StreamResponse:
        route = route_of(request.method, request.path)
        if is_query and (route is None or route.endpoint not in QUESTIONS):
            route = None
        if route is None:
            return web.Response(status=404, text='{"code":"no_such_path","words":"see docs/local-venue.md"}')
        body = await request.read()
        asked = Asked(method=request.method, target=request.raw_path, headers=request.headers, body=body)
        reply = await effects.answer(route, asked, lambda: _is_gone(request))
        return _broken(request) if reply is None else _response(reply)

    async def _serve_private(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(method=request.method, target=request.raw_path, headers=request.headers, body=b"")
        key_id = self._desk.let_in(asked, Right.QUERY, self._clock.now_ns())
        if isinstance(key_id, Denied):
            return _response(self._desk.denied(key_id))
        account = self._access.account(key_id) or ""
        socket = await self._socket(request)
        try:
            await self._private.serve(socket, account)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _serve_trading(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer requests that come as messages of one connection, one after the other."""
        socket = await self._socket(request)
        try:
            async for message in socket:
                answer = await self._traded(request, message.data)
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

    async def _traded(self, request: web.BaseRequest, data: str | bytes) -> bytes | None:
        """Return the answer to one message; `None` where the connection breaks."""
        try:
            said = self._decode(data)
        except UNREADABLE:
            return _socket_answer(0, _NO_REQUEST)
        asked = Asked(method=said.method, target=said.target, headers=said.headers, body=bytes(said.body))
        route = route_of(said.method, said.target) if said.target == "/orders" else None
        if route is None or said.method == "GET":
            return _socket_answer(said.id, _NO_REQUEST)
        reply = await self._effects.answer(route, asked, lambda: _is_gone(request))
        return None if reply is None else _socket_answer(said.id, reply)

    async def _serve_public(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = await self._socket(request)
        try:
            await self._public.serve(socket)
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


def _socket_answer(number: int, reply: Reply) -> bytes:
    """Return a message that answers the request of a number."""
    if reply.is_page:
        return reply.body
    body = msgspec.Raw(reply.body)
    answer = wire.SocketAnswer(id=number, status=reply.status, headers=reply.headers, body=body)
    data = msgspec.json.encode(answer)
    return data[: len(data) // 2] if reply.is_cut else data


def _is_gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()


def _broken(request: web.BaseRequest) -> web.Response:
    """Break the connection; what is returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
