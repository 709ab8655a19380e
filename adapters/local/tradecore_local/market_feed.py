"""Books, trades and best prices of the local venue as a market feed."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import msgspec
from yarl import URL

from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore.domain.backoff import Backoff
from tradecore.domain.quoted import error_text
from tradecore.domain.unreadable import UNREADABLE
from tradecore.ports.clock import Clock
from tradecore_local import wire
from tradecore_local.steps import Steps
from tradecore_local.waiting import wait_until_closed

_MESSAGE_BYTES_MAX = 1 << 24
_RANDOM = secrets.SystemRandom()
_DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
_SIDE_BUY = "buy"


class LocalMarketFeed:
    """A live `MarketFeed` of what the local venue matches: the books that orders of the engine meet.

    A message of the venue becomes its trades, then the change of the book, then the best prices, all at the
    time they came in. The ids of books follow `SequenceRule.BINANCE_SPOT` and `BINANCE_FUTURES` alike. A
    connection that breaks is a loss of every instrument's feed, and the next one begins with whole books.

    Parameters
    ----------
    url : str
        Where the venue listens, e.g. `http://127.0.0.1:8080`.
    instruments : sequence of InstrumentSpec
        In the order of the engine's table; markets that are not among them are left out.
    clock : Clock
        Stamps what comes in, and waits.
    silence_seconds_max : float
        A connection without any message for so long is taken for dead.
    random : callable
        Spreads the tries to connect again; returns a number from 0 (included) to 1.
    backoff_first_ns, backoff_last_ns : int
        The wait before the first try to connect again, and the longest one.
    """

    def __init__(
        self,
        url: str,
        instruments: Sequence[InstrumentSpec],
        clock: Clock,
        *,
        silence_seconds_max: float = 10.0,
        random: Callable[[], float] = _RANDOM.random,
        backoff_first_ns: int = 100_000_000,
        backoff_last_ns: int = 10_000_000_000,
    ) -> None:
        self._url = URL(f"{url.rstrip('/')}/market", encoded=True)
        self._symbols = [spec.symbol for spec in instruments]
        self._numbers = {symbol: number for number, symbol in enumerate(self._symbols)}
        self._prices = [Steps("price", spec.tick_size) for spec in instruments]
        self._sizes = [Steps("quantity", spec.lot_size) for spec in instruments]
        self._clock = clock
        self._silence_seconds_max = silence_seconds_max
        self._backoff = Backoff(random, first_ns=backoff_first_ns, last_ns=backoff_last_ns)
        self._decode = msgspec.json.Decoder(list[wire.MarketMessage]).decode
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._closed = asyncio.Event()
        self._last_ns = 0
        self._messages = 0

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield what comes in, message by message; a live feed skips nothing.

        Raises
        ------
        DataError
            For a message that cannot be used, or a price off the grid of its instrument.
        """
        if self._session is not None:
            raise InvalidValueError("batches", "second call", "a live feed can be read once")
        self._session = aiohttp.ClientSession()
        try:
            while not self._closed.is_set():
                yield self._lost()
                if self._closed.is_set():
                    return
                try:
                    async for batch in self._read(self._session):
                        yield batch
                except (TimeoutError, aiohttp.ClientError, OSError):
                    # What broke is told by the feed-lost events of the next turn.
                    pass
                finally:
                    await self._drop()
                await wait_until_closed(self._closed, self._clock, self._backoff.next_ns())
        finally:
            await self.aclose()

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Ask for the whole book of an instrument; one that is not connected gets it with its connection."""
        if not 0 <= instrument_id < len(self._symbols):
            return False
        socket = self._socket
        if socket is not None and not socket.closed:
            wish = wire.SnapshotWish(snapshot=self._symbols[instrument_id])
            try:
                await socket.send_str(msgspec.json.encode(wish).decode())
            except ConnectionError:
                return True
        return True

    async def aclose(self) -> None:
        """Close the socket; `batches` ends."""
        self._closed.set()
        await self._drop()
        if self._session is not None:
            await self._session.close()

    async def _read(self, session: aiohttp.ClientSession) -> AsyncIterator[EventBatch]:
        async with asyncio.timeout(self._silence_seconds_max):
            self._socket = socket = await session.ws_connect(
                self._url,
                max_msg_size=_MESSAGE_BYTES_MAX,
                timeout=aiohttp.ClientWSTimeout(ws_receive=self._silence_seconds_max, ws_close=0.5),
            )
        async for message in socket:
            if message.type not in _DATA:
                continue
            self._messages += 1
            batch = self._batch(message.data)
            if len(batch):
                self._backoff.reset()
                yield batch

    def _batch(self, text: str | bytes) -> EventBatch:
        where = f"message {self._messages} of {self._url}"
        batch, now_ns = EventBatch(), self._now_ns()
        try:
            for message in self._decode(text):
                number = self._numbers.get(message.symbol)
                if number is not None:
                    self._add(batch, now_ns, number, message)
        except (*UNREADABLE, InvalidValueError) as error:
            raise DataError(where, error_text(error)) from error
        return batch

    def _add(self, batch: EventBatch, now_ns: int, number: int, message: wire.MarketMessage) -> None:
        price, size = self._prices[number].whole, self._sizes[number].whole

        def levels(rows: list[wire.Level]) -> list[tuple[int, int]]:
            return [(price(level.price), size(level.quantity)) for level in rows]

        for each in message.trades:
            is_buy = each.side == _SIDE_BUY
            batch.trade(now_ns, number, price(each.price), size(each.quantity), is_buy, each.trade_id)
        batch.book(
            now_ns,
            number,
            message.kind == "snapshot",
            message.first_id,
            message.last_id,
            message.prev_id,
            levels(message.bids),
            levels(message.asks),
        )
        bid, ask = message.best_bid, message.best_ask
        if bid is not None and ask is not None:
            (bid_ticks, bid_lots), (ask_ticks, ask_lots) = levels([bid, ask])
            batch.quote(now_ns, number, bid_ticks, bid_lots, ask_ticks, ask_lots, message.last_id)

    def _lost(self) -> EventBatch:
        batch, now_ns = EventBatch(), self._now_ns()
        for number in range(len(self._symbols)):
            batch.feed_lost(now_ns, number)
        return batch

    def _now_ns(self) -> int:
        """Return the time of arrival; it never falls, whatever the clock does."""
        self._last_ns = max(self._last_ns, self._clock.now_ns())
        return self._last_ns

    async def _drop(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()
