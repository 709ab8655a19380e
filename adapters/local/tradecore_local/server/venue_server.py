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
from tradecore.ports.clock import Clock
from tradecore.testkit.local_venue.access import Access, Denied, Right
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind, FaultRule, Faults, FaultScript
from tradecore.testkit.local_venue.settings import VenueSettings
from tradecore_local.key import Key
from tradecore_local.server.desk import Asked, Moment, Reply, RequestDesk, Route, route_of
from tradecore_local.server.revisions import Revisions
from tradecore_local.server.streams import MarketStreams, PrivateStreams

LOOPBACK = "127.0.0.1"
_SLICE_SECONDS = 0.02
_HALF_OPEN_SECONDS_MAX = 600.0
_REORDERED_MS = 1000
_END_SECONDS = 0.3
_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_MS_NS = 1_000_000
_TOO_MANY = '{"code":"too_many_requests","words":"asked to slow down"}'
NO_FAULTS = FaultScript()
_NOT_LET_IN = (401, 403, 429)


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
        What is to go wrong.
    host : str
        Address to listen on; another than the loopback interface lets other machines in.
    port : int
        Port to listen on; 0 takes a free one.
    heartbeat_seconds : float
        How often a stream without news says so.

    Attributes
    ----------
    exchange : LocalExchange
        The exchange; its `truth` is what really happened.
    faults : Faults
        What went wrong so far is in its `seen`.
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
        heartbeat_seconds: float = 1.0,
    ) -> None:
        self.exchange = LocalExchange(settings, start_ns=clock.now_ns())
        self.faults = Faults(script)
        self._clock = clock
        self._host, self._wanted_port, self._port = host, port, 0
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
        self._sockets: set[web.WebSocketResponse] = set()
        self._passed: dict[Endpoint, asyncio.Event] = {}
        self._ending = asyncio.Event()
        self._runner: web.ServerRunner | None = None
        self._ticker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Return where it listens, for HTTP."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises
        ------
        VenueError
            When the address cannot be listened on.
        """
        server = web.Server(self._handle, logger=_log())
        self._runner = web.ServerRunner(server, shutdown_timeout=_END_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._wanted_port).start()
        except OSError as error:
            await self._runner.cleanup()
            where = f"{self._host}:{self._wanted_port}"
            raise VenueError(f"{where}: cannot listen: {error.strerror}; name another --port") from error
        self._port = int(self._runner.addresses[0][1])
        self._ticker = asyncio.create_task(self._tick(), name="local-venue-ticker")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection, within a second."""
        self._ending.set()
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.wait([self._ticker])
        for socket in list(self._sockets):
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(_END_SECONDS / 3):
                    await socket.close(code=1001)
        if self._runner is not None:
            await self._runner.cleanup()

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
        route = route_of(request.method, path)
        if route is None:
            return web.Response(status=404, text='{"code":"no_such_path","words":"see docs/local-venue.md"}')
        body = await request.read()
        asked = Asked(method=request.method, target=request.raw_path, headers=request.headers, body=body)
        fault = self.faults.draw(route.endpoint) if route.endpoint is not None else None
        if fault is None:
            return _response(self._effect(route, asked))
        return await self._faulty(request, route, asked, fault)

    def _effect(self, route: Route, asked: Asked, fault: FaultRule | None = None) -> Reply:
        """Let a request take effect, and tell who listens."""
        now_ns = clock_ns = self._clock.now_ns()
        if fault is not None and fault.kind is FaultKind.CLOCK_SKEW:
            clock_ns += fault.delay_ms * _MS_NS
        kind = fault.kind if fault is not None else None
        reply = self._desk.answer(route, asked, Moment(now_ns=now_ns, clock_ns=clock_ns, fault=kind))
        self._private.flush()
        if route.endpoint is not None and (passed := self._passed.pop(route.endpoint, None)) is not None:
            passed.set()
        return reply

    async def _faulty(
        self, request: web.BaseRequest, route: Route, asked: Asked, fault: FaultRule
    ) -> web.StreamResponse:
        """Let something go wrong with a request: before its effect, or after it."""
        lost = await self._before(request, route, fault)
        if lost is not None:
            return lost
        reply = self._effect(route, asked, fault)
        if fault.kind is FaultKind.REQUEST_DOUBLED and reply.status not in _NOT_LET_IN:
            now_ns = self._clock.now_ns()
            reply = self._desk.again(route, asked, Moment(now_ns=now_ns, clock_ns=now_ns))
            self._private.flush()
        return await self._after(request, reply, fault)

    async def _before(
        self, request: web.BaseRequest, route: Route, fault: FaultRule
    ) -> web.StreamResponse | None:
        """Return the answer to a request that has no effect; `None` for one that has, now."""
        match fault.kind:
            case FaultKind.REQUEST_LOST:
                return _broken(request)
            case FaultKind.HALF_OPEN:
                await self._hang(request)
                return _broken(request)
            case FaultKind.TOO_MANY_REQUESTS:
                after = {"Retry-After": str(fault.retry_after_seconds)}
                return web.Response(status=429, headers=after, text=_TOO_MANY)
            case FaultKind.SERVER_ERROR if not fault.takes_effect:
                return _failure(fault)
            case FaultKind.REQUEST_LATE:
                await asyncio.sleep(fault.delay_ms / 1000)
            case FaultKind.REQUEST_REORDERED if route.endpoint is not None:
                await self._wait_for_next(route.endpoint, (fault.delay_ms or _REORDERED_MS) / 1000)
        return None

    async def _after(self, request: web.BaseRequest, reply: Reply, fault: FaultRule) -> web.StreamResponse:
        """Return the answer to a request that had its effect."""
        match fault.kind:
            case FaultKind.ANSWER_LOST:
                return _broken(request)
            case FaultKind.ANSWER_LATE:
                await asyncio.sleep(fault.delay_ms / 1000)
            case FaultKind.SERVER_ERROR:
                return _failure(fault)
            case FaultKind.HTML_PAGE:
                return web.Response(status=fault.status, body=_HTML, content_type="text/html")
            case FaultKind.TRUNCATED_JSON:
                reply = msgspec.structs.replace(reply, body=reply.body[: len(reply.body) // 2])
        return _response(reply)

    async def _hang(self, request: web.BaseRequest) -> None:
        """Answer nothing until the client has gone or the venue ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _HALF_OPEN_SECONDS_MAX
        while not self._ending.is_set() and loop.time() < end:
            if request.transport is None or request.transport.is_closing():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self._ending.wait()

    async def _wait_for_next(self, endpoint: Endpoint, seconds: float) -> None:
        passed = self._passed.setdefault(endpoint, asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await passed.wait()

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
    return web.Response(
        status=reply.status, body=reply.body, headers=reply.headers, content_type="application/json"
    )


def _failure(fault: FaultRule) -> web.Response:
    return web.Response(status=fault.status, text='{"code":"internal","words":"something went wrong"}')


def _broken(request: web.BaseRequest) -> web.Response:
    """Break the connection; what is returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
