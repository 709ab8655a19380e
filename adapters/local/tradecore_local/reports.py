"""The private stream of the venue, read for as long as the client lives."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import msgspec
from yarl import URL

from tradecore.domain.backoff import Backoff
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.quoted import TEXT_MAX, cut, error_text, printable
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_findings import Message, NotUnderstood, StreamLost, StreamReady
from tradecore.ports.clock import Clock
from tradecore_local import wire
from tradecore_local.translation import Translation
from tradecore_local.waiting import wait_until_closed

_MESSAGE_BYTES_MAX = 1 << 22
_NOT_LET_IN = (401, 403)
_DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)


class Reports:
    """Reads one stream after the other, and says when there is none.

    A frame whose number does not follow the one before is a loss: what was between them is not told.

    Parameters
    ----------
    session : aiohttp.ClientSession
        Connects.
    url : URL
        Of the stream.
    headers : callable
        Signs a connection anew.
    translation : Translation
        Makes sense of frames.
    clock : Clock
        Waits.
    silence_seconds_max : float
        A stream without a frame for so long is taken for dead.
    random, backoff_first_ns, backoff_last_ns
        As of `Backoff`.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        headers: Callable[[], dict[str, str]],
        translation: Translation,
        clock: Clock,
        *,
        silence_seconds_max: float,
        random: Callable[[], float],
        backoff_first_ns: int,
        backoff_last_ns: int,
    ) -> None:
        self._session = session
        self._url = url
        self._headers = headers
        self._words = translation
        self._clock = clock
        self._silence_seconds_max = silence_seconds_max
        self._backoff = Backoff(random, first_ns=backoff_first_ns, last_ns=backoff_last_ns)
        self._decode = msgspec.json.Decoder(list[wire.Frame]).decode
        self._decode_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._closed = asyncio.Event()
        self._number = 0

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what is told; it starts with `StreamReady` or `StreamLost`, and ends after `aclose`."""
        while not self._closed.is_set():
            try:
                self._socket = await self._connect()
                async for message in self._read(self._socket):
                    yield message
                words = "closed by the venue"
            except aiohttp.WSServerHandshakeError as error:
                words = f"refused with {error.status}"
                if error.status in _NOT_LET_IN:
                    words += ": the venue does not take the key, its signature or the clock here"
            except (TimeoutError, aiohttp.ClientError, OSError, RuntimeError) as error:
                words = error_text(error)
            finally:
                await self._drop()
            if not self._closed.is_set():
                yield StreamLost(words=words)
                await wait_until_closed(self._closed, self._clock, self._backoff.next_ns())

    async def aclose(self) -> None:
        """End `messages`."""
        self._closed.set()
        await self._drop()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(self._silence_seconds_max):
            return await self._session.ws_connect(
                self._url,
                headers=self._headers(),
                max_msg_size=_MESSAGE_BYTES_MAX,
                timeout=aiohttp.ClientWSTimeout(ws_receive=self._silence_seconds_max, ws_close=0.5),
            )

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[Message]:
        """Read one connection to its end."""
        self._number = 0
        async for message in socket:
            if message.type in _DATA:
                for told in self.understood(message.data):
                    yield told

    def understood(self, text: str | bytes) -> list[Message]:
        """Return what the frames of one message say, in their order."""
        try:
            frames = self._decode(text)
        except UNREADABLE:
            return self._one_by_one(text)
        return [told for frame in frames for told in self._told(frame)]

    def _one_by_one(self, text: str | bytes) -> list[Message]:
        """Make sense of as many frames of a message as there is sense in."""
        try:
            frames = self._decode_raw(text)
        except UNREADABLE as error:
            return [_not_understood(text, error)]
        found: list[Message] = []
        for raw in frames:
            try:
                frame = msgspec.json.decode(raw, type=wire.Frame)
            except UNREADABLE as error:
                found.append(_not_understood(bytes(raw), error))
            else:
                found += self._told(frame)
        return found

    def _told(self, frame: wire.Frame) -> list[Message]:
        """Return what a frame says, after what its number says."""
        found: list[Message] = []
        expected = self._number + 1
        if frame.n > expected:
            found.append(StreamLost(words=f"frames {expected} to {frame.n - 1} are missing"))
            found.append(StreamReady())
        self._number = max(self._number, frame.n)
        if isinstance(frame.is_, wire.Ready):
            self._backoff.reset()
            found.append(StreamReady())
        return found + self._news(frame)

    def _news(self, frame: wire.Frame) -> list[Message]:
        """Return what a frame says of orders, trades and money."""
        try:
            match frame.is_:
                case wire.Order():
                    return [self._words.order(frame.is_)]
                case wire.Fill():
                    return [self._words.fill(frame.is_)]
                case wire.Balance():
                    return [self._words.balance(frame.is_)]
                case wire.Ready() | wire.Heartbeat():
                    return []
        except InvalidValueError as error:
            return [_not_understood(msgspec.json.encode(frame), error)]

    def read_again(self, letter: NotUnderstood) -> list[Message]:
        """Try a kept message once more: one frame, or several; its numbers are of another connection."""
        try:
            return self._news(msgspec.json.decode(letter.text, type=wire.Frame))
        except UNREADABLE:
            pass
        try:
            frames = self._decode(letter.text)
        except UNREADABLE:
            return [letter]
        return [told for frame in frames for told in self._news(frame)]

    async def _drop(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


def _not_understood(text: str | bytes, error: Exception) -> NotUnderstood:
    said = text if isinstance(text, str) else text.decode(errors="replace")
    return NotUnderstood(text=cut(printable(said), TEXT_MAX), why=error_text(error))
