"""Live public market data as a market feed."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple

import aiohttp

from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError, VenueError
from tradecore.domain.backoff import Backoff
from tradecore.domain.feeds import BinanceDecoder
from tradecore.domain.quoted import error_text
from tradecore.ports.clock import Clock
from tradecore_binance.channel import Channel
from tradecore_binance.failure_log import FailureLog
from tradecore_binance.market import ENDPOINTS, Market, make_decoder
from tradecore_binance.rest import get

_BATCH_MESSAGES_MAX = 256
_SNAPSHOT_LEVELS = "1000"
# The venue does not serve this client at all; trying again changes nothing.
_GONE = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS)
_RANDOM = secrets.SystemRandom()
_STREAMS = ("depth@100ms", "trade", "bookTicker")


class _Message(NamedTuple):
    """What came in: a message, a snapshot of an instrument, or (without payload) the loss of the feed."""

    time_ns: int
    payload: bytes | None
    instrument_id: int | None = None


class BinanceFeed:
    """Live books, trades and best bids and asks; no key is needed.

    Begins and answers every loss of the connection with a feed-lost event per instrument, then asks for
    a fresh snapshot as soon as the diffs of an instrument flow again. When the engine is slower than the
    venue, the socket is read no faster than batches are taken.

    Parameters
    ----------
    instruments : sequence of InstrumentSpec
        What to subscribe, in the order of the engine's table.
    clock : Clock
        Stamps what comes in, and waits.
    market : Market
        Which market.
    ws_url, rest_url : str or None
        Other hosts than the documented ones, e.g. a local replay.
    queue_batches_max : int
        Messages held at most until they are taken.
    silence_seconds_max : float
        A connection without any message for so long is taken for dead.
    random : callable
        Spreads the tries to connect again; returns a number from 0 (included) to 1.
    backoff_first_ns, backoff_last_ns : int
        The wait before the first try to connect again, and the longest one.
    """

    def __init__(
        self,
        instruments: Sequence[InstrumentSpec],
        clock: Clock,
        *,
        market: Market = Market.SPOT,
        ws_url: str | None = None,
        rest_url: str | None = None,
        queue_batches_max: int = 1024,
        silence_seconds_max: float = 30.0,
        random: Callable[[], float] = _RANDOM.random,
        backoff_first_ns: int = 500_000_000,
        backoff_last_ns: int = 30_000_000_000,
    ) -> None:
        if queue_batches_max < 1:
            raise InvalidValueError("queue_batches_max", queue_batches_max, "must be at least 1")
        endpoints = ENDPOINTS[market]
        self._decoder = make_decoder(market, instruments)
        self._symbols = [spec.symbol for spec in instruments]
        self._clock = clock
        streams = "/".join(f"{symbol.lower()}@{name}" for symbol in self._symbols for name in _STREAMS)
        self._ws_url = f"{ws_url or endpoints.ws_url}/stream?streams={streams}"
        self._depth_url = f"{rest_url or endpoints.rest_url}{endpoints.rest_path}/depth"
        self._silence_seconds_max = silence_seconds_max
        self._backoff = Backoff(random, first_ns=backoff_first_ns, last_ns=backoff_last_ns)
        self._snapshot_backoff = Backoff(random, first_ns=backoff_first_ns, last_ns=backoff_last_ns)
        self._messages: Channel[_Message] = Channel(queue_batches_max)
        self._wanted: asyncio.Queue[int] = asyncio.Queue()
        self._pending: set[int] = set()
        self._last_time_ns = 0
        self._runner: asyncio.Task[None] | None = None
        self._connections = 0
        self._snapshots = 0
        self._failures = FailureLog(clock.now_ns)

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of messages by outcome, of connections and of snapshots."""
        return {**self._decoder.counts, "connections": self._connections, "snapshots": self._snapshots}

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield what has come in since the batch before, at least one event.

        Raises `DataError` for a message that cannot be used, after what came before it, and `VenueError`
        when the venue refuses to serve.
        """
        if self._runner is not None:
            raise InvalidValueError("batches", "second call", "a live feed can be read once")
        runner = self._runner = asyncio.create_task(self._run(), name="binance-feed")
        try:
            while messages := await self._messages.take(_BATCH_MESSAGES_MAX):
                batch = EventBatch()
                wrong: DataError | None = None
                try:
                    for message in messages:
                        self._decode(message, batch, self._decoder)
                except DataError as error:
                    wrong = error
                if len(batch):
                    yield batch
                if wrong is not None:
                    raise wrong
            await asyncio.wait([runner])
            if not runner.cancelled() and (broken := runner.exception()) is not None:
                raise broken
        finally:
            await self.aclose()

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Ask for a fresh book over REST; one that is on its way already is not asked for again."""
        if not 0 <= instrument_id < len(self._symbols):
            return False
        if instrument_id not in self._pending:
            self._pending.add(instrument_id)
            self._wanted.put_nowait(instrument_id)
        return True

    async def aclose(self) -> None:
        """Close the sockets; `batches` ends."""
        self._messages.close()
        runner = self._runner
        if runner is not None and runner is not asyncio.current_task():
            runner.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([runner])

    def _decode(self, message: _Message, batch: EventBatch, decoder: BinanceDecoder) -> None:
        if message.payload is None:
            for instrument_id in range(len(self._symbols)):
                batch.feed_lost(message.time_ns, instrument_id)
        elif message.instrument_id is not None:
            symbol = self._symbols[message.instrument_id]
            decoder.decode_snapshot(message.time_ns, symbol, message.payload, batch)
        else:
            decoder.decode(message.time_ns, message.payload, batch)

    async def _run(self) -> None:
        """Keep the connection and the snapshots coming until closed; say why if it cannot go on."""
        try:
            async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._fetch_snapshots(session))
                tasks.create_task(self._stay_connected(session))
        except* VenueError as group:
            self._messages.close(group.exceptions[0])
        finally:
            self._messages.close()

    async def _put(self, payload: bytes | None, instrument_id: int | None = None) -> None:
        await self._messages.put(lambda: _Message(self._now_ns(), payload, instrument_id))

    def _now_ns(self) -> int:
        """Return the time of arrival; it never falls, whatever the clock does."""
        self._last_time_ns = max(self._last_time_ns, self._clock.now_ns())
        return self._last_time_ns

    async def _stay_connected(self, session: aiohttp.ClientSession) -> None:
        while True:
            await self._put(None)
            reason = "closed by the venue"
            try:
                await self._read(session)
            except aiohttp.WSServerHandshakeError as error:
                reason = f"refused with {error.status} {error.message}"
                if error.status in _GONE:
                    raise VenueError(f"{self._ws_url}: {reason}") from error
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                reason = error_text(error)
            delay_ns = self._backoff.next_ns()
            self._failures.failed("connection_lost", self._ws_url, reason, delay_ns)
            await self._wait(delay_ns)

    async def _read(self, session: aiohttp.ClientSession) -> None:
        """Read one connection to its end."""
        # Pings of the venue are answered by the library; ours find a dead peer.
        async with session.ws_connect(
            self._ws_url,
            heartbeat=self._silence_seconds_max / 2,
            max_msg_size=1 << 24,
            timeout=aiohttp.ClientWSTimeout(ws_receive=self._silence_seconds_max, ws_close=1.0),
        ) as socket:
            self._connections += 1
            waiting = {
                f'{{"stream":"{symbol.lower()}@depth'.encode(): at for at, symbol in enumerate(self._symbols)
            }
            is_new = True
            async for message in socket:
                if is_new:
                    # Not before: a venue that lets in and closes again is not back.
                    self._failures.mended("connection_lost", self._ws_url)
                    is_new = False
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                self._backoff.reset()
                payload = message.data.encode()
                await self._put(payload)
                if waiting:
                    for prefix in [prefix for prefix in waiting if payload.startswith(prefix)]:
                        # From here on no diff is missing, so a snapshot taken now can be joined to them.
                        await self.request_snapshot(waiting.pop(prefix))

    async def _fetch_snapshots(self, session: aiohttp.ClientSession) -> None:
        while True:
            instrument_id = await self._wanted.get()
            symbol = self._symbols[instrument_id]
            parameters = {"symbol": symbol, "limit": _SNAPSHOT_LEVELS}
            while True:
                connection = self._connections
                try:
                    payload = await get(session, self._depth_url, parameters)
                except VenueError as error:
                    delay_ns = error.retry_after_ns or self._snapshot_backoff.next_ns()
                    self._failures.failed("snapshot_failed", symbol, str(error), delay_ns)
                    await self._wait(delay_ns)
                    continue
                # A book of the connection before may not reach the first diff of this one.
                if connection == self._connections:
                    break
            self._snapshot_backoff.reset()
            self._failures.mended("snapshot_failed", symbol)
            self._snapshots += 1
            self._pending.discard(instrument_id)
            await self._put(payload, instrument_id)

    async def _wait(self, delay_ns: int) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + delay_ns)
