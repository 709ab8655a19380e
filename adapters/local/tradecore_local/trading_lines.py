"""Requests about orders over WebSockets that stand: a quarter of what the same costs over HTTP."""

import asyncio

import aiohttp
import msgspec
from yarl import URL

from tradecore.domain.quoted import error_text
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_requests import Answer, Lost, NotDone
from tradecore_local import wire
from tradecore_local.answers import answer_of

_MESSAGE_BYTES_MAX = 1 << 16
_IDLE_MAX = 80
# What a burst of requests needed is not kept for the next one.
_IDLE_SECONDS_MAX = 5.0
_DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)


class TradingLines:
    """Sends each request once, over a connection that has no other under way.

    So what goes wrong with one request leaves no other in doubt. A connection is made where none is idle, and
    used again after an answer that was understood; one that is late or broken is dropped, and so is one
    that was idle for five seconds, as others were enough.

    Parameters
    ----------
    session : aiohttp.ClientSession
        Connects.
    url : URL
        Where the venue takes requests as messages.
    timeout_seconds : float
        After so long without an answer a request is `Lost`.
    """

    def __init__(self, session: aiohttp.ClientSession, url: URL, *, timeout_seconds: float) -> None:
        self._session = session
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(wire.SocketAnswer).decode
        self._idle: list[_Line] = []
        self._lines: set[_Line] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._count = 0
        self._is_closed = False

    async def ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send one request and return what its answer proves."""
        self._count += 1
        number = self._count
        request = wire.SocketRequest(
            id=number, method=method, target=target, headers=headers, body=msgspec.Raw(body)
        )
        try:
            line = await self._line()
        except (TimeoutError, aiohttp.ClientError, OSError, RuntimeError) as error:
            # No connection stood, so that no byte of it has left.
            return NotDone(words=error_text(error))
        is_sound = False
        try:
            data = await line.exchange(self._encode(request), self._timeout_seconds)
            found = self._decode(data)
            is_sound = found.id == number
            if not is_sound:
                return Lost(words=f"the answer to request {number} names request {found.id}")
            return answer_of(found.status, found.headers, bytes(found.body))
        except UNREADABLE as error:
            return Lost(words=f"an answer makes no sense: {error_text(error)}")
        except TimeoutError:
            return Lost(words=f"no answer within {self._timeout_seconds:g} s")
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            return Lost(words=error_text(error))
        finally:
            if is_sound and not self._is_closed and len(self._idle) < _IDLE_MAX:
                self._keep(line)
            else:
                await self._drop(line)

    async def aclose(self) -> None:
        """Close every connection; what is under way is `Lost`."""
        self._is_closed = True
        self._idle.clear()
        await asyncio.gather(*self._closing, *(self._drop(line) for line in list(self._lines)))

    def _keep(self, line: "_Line") -> None:
        """Have a connection ready for the next request, and close the one that was idle the longest."""
        now = asyncio.get_running_loop().time()
        line.idle_since = now
        self._idle.append(line)
        # The last that became idle is the first to be taken.
        if now - self._idle[0].idle_since > _IDLE_SECONDS_MAX:
            closing = asyncio.create_task(self._drop(self._idle.pop(0)))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _line(self) -> "_Line":
        """Return a connection that stands and has nothing under way."""
        while self._idle:
            line = self._idle.pop()
            if line.stands:
                return line
            await self._drop(line)
        async with asyncio.timeout(self._timeout_seconds):
            socket = await self._session.ws_connect(
                self._url, max_msg_size=_MESSAGE_BYTES_MAX, timeout=aiohttp.ClientWSTimeout(ws_close=0.1)
            )
        line = _Line(socket)
        self._lines.add(line)
        return line

    async def _drop(self, line: "_Line") -> None:
        self._lines.discard(line)
        await line.aclose()


class _Line:
    """One connection, which is read all the time: so its end is seen before anything is sent over it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.idle_since = 0.0
        self._socket = socket
        self._reading = asyncio.ensure_future(socket.receive())

    @property
    def stands(self) -> bool:
        """Whether nothing has come that nobody asked for: an end, or an answer to nothing."""
        return not self._reading.done()

    async def exchange(self, data: bytes, timeout_seconds: float) -> bytes | str:
        """Send a message and return the next one that comes.

        Raises
        ------
        TimeoutError, aiohttp.ClientError, OSError, RuntimeError
            When none came.
        """
        await self._socket.send_bytes(data)
        done, _ = await asyncio.wait([self._reading], timeout=timeout_seconds)
        if not done:
            raise TimeoutError
        if self._reading.cancelled():
            raise aiohttp.ServerDisconnectedError("the client is closed")
        message = self._reading.result()
        if message.type not in _DATA:
            raise aiohttp.ServerDisconnectedError
        self._reading = asyncio.ensure_future(self._socket.receive())
        said: bytes | str = message.data
        return said

    async def aclose(self) -> None:
        """Close it."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        if not self._reading.cancelled():
            # Seen or not: whoever was reading has been told.
            self._reading.exception()
        await self._socket.close()
