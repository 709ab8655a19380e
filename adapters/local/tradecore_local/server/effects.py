"""Lets a request take effect, or lets go wrong with it what a script says: the same for every way in."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from tradecore.ports.clock import Clock
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind, FaultRule, Faults
from tradecore_local.key import KEY_HEADER
from tradecore_local.server.desk import Asked, Moment, Reply, RequestDesk, Route
from tradecore_local.server.streams import PrivateStreams

_HALF_OPEN_SECONDS_MAX = 600.0
_REORDERED_MS = 1000
_MS_NS = 1_000_000
_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_TOO_MANY = b'{"code":"too_many_requests","words":"asked to slow down"}'
_FAILURE = b'{"code":"internal","words":"something went wrong"}'
_NOT_LET_IN = (401, 403, 429)


class Effects:
    """Answers requests of one venue, faults included.

    Parameters
    ----------
    desk : RequestDesk
        Knows what a request means.
    private : PrivateStreams
        Tells who listens what came of it.
    faults : Faults
        What goes wrong.
    clock : Clock
        The venue's clock.
    """

    def __init__(self, desk: RequestDesk, private: PrivateStreams, faults: Faults, clock: Clock) -> None:
        self._desk = desk
        self._private = private
        self._faults = faults
        self._clock = clock
        self._passed: dict[Endpoint, asyncio.Event] = {}
        # The last answer to each question, by who asked and where.
        self._last: dict[tuple[str, str | None], Reply] = {}
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let go of who waits for an answer that never comes."""
        self._ending.set()

    async def answer(self, route: Route, asked: Asked, is_gone: Callable[[], bool]) -> Reply | None:
        """Return the answer to a request; `None` where its connection breaks instead.

        Parameters
        ----------
        route, asked
            Where it leads, and the request.
        is_gone : callable
            Says whether who asked has hung up.
        """
        fault = self._faults.draw(route.endpoint) if route.endpoint is not None else None
        if fault is None:
            return self._effect(route, asked)
        match fault.kind:
            case FaultKind.REQUEST_LOST:
                return None
            case FaultKind.OLD_ANSWER if (old := self._last.get(_who_asks(route, asked))) is not None:
                return old
            case FaultKind.HALF_OPEN:
                await self._hang(is_gone)
                return None
            case FaultKind.TOO_MANY_REQUESTS:
                after = {"Retry-After": str(fault.retry_after_seconds)}
                return Reply(status=429, headers=after, body=_TOO_MANY)
            case FaultKind.SERVER_ERROR if not fault.takes_effect:
                return Reply(status=fault.status, headers={}, body=_FAILURE)
            case FaultKind.REQUEST_LATE:
                await asyncio.sleep(fault.delay_ms / 1000)
            case FaultKind.REQUEST_REORDERED if route.endpoint is not None:
                await self._wait_for_next(route.endpoint, (fault.delay_ms or _REORDERED_MS) / 1000)
        reply = self._effect(route, asked, fault)
        if fault.kind is FaultKind.REQUEST_DOUBLED and reply.status not in _NOT_LET_IN:
            now_ns = self._clock.now_ns()
            reply = self._desk.again(route, asked, Moment(now_ns=now_ns, clock_ns=now_ns))
            self._private.flush()
        return await _after(reply, fault)

    def _effect(self, route: Route, asked: Asked, fault: FaultRule | None = None) -> Reply:
        """Let a request take effect, and tell who listens."""
        now_ns = clock_ns = self._clock.now_ns()
        if fault is not None and fault.kind is FaultKind.CLOCK_SKEW:
            clock_ns += fault.delay_ms * _MS_NS
        kind = fault.kind if fault is not None else None
        reply = self._desk.answer(route, asked, Moment(now_ns=now_ns, clock_ns=clock_ns, fault=kind))
        self._private.flush()
        if asked.method == "GET":
            self._last[_who_asks(route, asked)] = reply
        if route.endpoint is not None and (passed := self._passed.pop(route.endpoint, None)) is not None:
            passed.set()
        return reply

    async def _hang(self, is_gone: Callable[[], bool]) -> None:
        """Answer nothing until the client has gone or the venue ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _HALF_OPEN_SECONDS_MAX
        while not self._ending.is_set() and loop.time() < end:
            if is_gone():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self._ending.wait()

    async def _wait_for_next(self, endpoint: Endpoint, seconds: float) -> None:
        passed = self._passed.setdefault(endpoint, asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await passed.wait()


def _who_asks(route: Route, asked: Asked) -> tuple[str, str | None]:
    return asked.headers.get(KEY_HEADER, ""), route.endpoint


async def _after(reply: Reply, fault: FaultRule) -> Reply | None:
    """Return the answer to a request that had its effect."""
    match fault.kind:
        case FaultKind.ANSWER_LOST:
            return None
        case FaultKind.ANSWER_LATE:
            await asyncio.sleep(fault.delay_ms / 1000)
        case FaultKind.SERVER_ERROR:
            return Reply(status=fault.status, headers={}, body=_FAILURE)
        case FaultKind.HTML_PAGE:
            return Reply(status=fault.status, headers={}, body=_HTML, is_page=True)
        case FaultKind.TRUNCATED_JSON:
            return msgspec.structs.replace(reply, is_cut=True)
    return reply
