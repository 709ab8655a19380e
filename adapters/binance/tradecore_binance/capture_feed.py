"""Recorded messages as a market feed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from threading import Lock

from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore.domain.feeds import BinanceDecoder
from tradecore.ports.clock import Clock
from tradecore_binance.market import Market, make_decoder
from tradecore_binance.packed import pieces_of

_BATCH_EVENTS_MAX = 8192
_FOREVER_NS = 2**63 - 1


class BinanceCaptureFeed:
    """Replays a capture, lines of `<receive_ns> <json>`; the same events on every call.

    Everything before a damaged line is delivered before the `DataError` that names it.

    Parameters
    ----------
    path : Path or str
        The capture; gzip and zip are read as they are.
    instruments : sequence of InstrumentSpec
        What to read, in the order of the engine's table; a snapshot without symbol is of the first.
    market : Market
        Which market the messages are of.
    speed : float
        0 replays as fast as possible, 1 in real time, n at n times real time.
    clock : Clock or None
        Waits between events; needed when `speed` is above 0.
    batch_events_max : int
        Events in one batch at most.

    Raises
    ------
    InvalidValueError
        For instruments that make no sense, or a speed below 0 or without a clock.
    """

    def __init__(
        self,
        path: Path | str,
        instruments: Sequence[InstrumentSpec],
        *,
        market: Market = Market.SPOT,
        speed: float = 0.0,
        clock: Clock | None = None,
        batch_events_max: int = _BATCH_EVENTS_MAX,
    ) -> None:
        if not speed >= 0:
            raise InvalidValueError("speed", speed, "must not be negative")
        if speed > 0 and clock is None:
            raise InvalidValueError("clock", None, "is needed to replay at a speed")
        if batch_events_max < 1:
            raise InvalidValueError("batch_events_max", batch_events_max, "must be at least 1")
        make_decoder(market, instruments)
        self._path = Path(path)
        self._instruments = tuple(instruments)
        self._market = market
        self._speed = speed
        self._clock = clock
        self._batch_events_max = batch_events_max
        self._is_closed = False
        self._counts: dict[str, int] = {}
        self._sources: list[_Source] = []

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of messages of the latest replay by outcome."""
        return dict(self._counts)

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield the events in order, leaving out the first `skip_events`."""
        source = _Source(self._path, make_decoder(self._market, self._instruments))
        self._sources.append(source)
        pace = _Pace(self._clock, self._speed) if self._clock is not None and self._speed > 0 else None
        try:
            while not self._is_closed:
                events_max = self._batch_events_max if pace is None else 1
                batch = await source.next(min(skip_events, self._batch_events_max) or events_max)
                self._counts = source.counts
                if batch is None:
                    return
                if skip_events:
                    skip_events -= len(batch)
                    continue
                if pace is not None:
                    await pace.wait_for(batch.first_time_ns or 0)
                    source.extend(batch, self._batch_events_max, pace.now_ns())
                if not self._is_closed:
                    yield batch
        finally:
            source.close()
            self._sources.remove(source)

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Say no: a capture holds the snapshots it holds."""
        return False

    async def aclose(self) -> None:
        """End the replay and let go of the file."""
        self._is_closed = True
        for source in self._sources:
            source.close()


class _Source:
    """Reads a capture event by event as far as it is asked."""

    def __init__(self, path: Path, decoder: BinanceDecoder) -> None:
        self._path = path
        self._decoder = decoder
        self._pieces = pieces_of(path)
        self._reading = Lock()
        self._is_closed = False
        self._rest = b""
        self._is_last = False
        self._damage: DataError | None = None

    @property
    def counts(self) -> dict[str, int]:
        return self._decoder.counts

    async def next(self, events_max: int) -> EventBatch | None:
        """Return up to `events_max` events, at least one, or `None` at the end.

        Raises `DataError` once everything before the damage has been returned.
        """
        batch = EventBatch()
        while True:
            self.extend(batch, events_max)
            if len(batch):
                return batch
            if self._damage is not None:
                raise self._damage
            if self._is_last:
                return None
            await self._read()

    def extend(self, batch: EventBatch, events_max: int, until_ns: int = _FOREVER_NS) -> None:
        """Add what has been read already, up to a number of events and a time."""
        try:
            used, _ = self._decoder.decode_capture(self._rest, self._is_last, events_max, batch, until_ns)
        except DataError as error:
            self._damage = DataError(f"{self._path} {error.where}", error.what)
            self._rest = b""
        else:
            self._rest = self._rest[used:]

    async def _read(self) -> None:
        try:
            piece = await asyncio.to_thread(self._next_piece)
        except DataError as error:
            # The beginning of a line that was being read is lost with what follows.
            self._damage = DataError(f"{error.where} after line {self.counts['messages']}", error.what)
            self._rest = b""
            return
        self._is_last = piece is None
        self._rest += piece or b""

    def close(self) -> None:
        """Let go of the file: at once, or when the read that is under way in a thread has ended."""
        self._is_closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._pieces.close()
            finally:
                self._reading.release()

    def _next_piece(self) -> bytes | None:
        try:
            with self._reading:
                return next(self._pieces, None)
        finally:
            if self._is_closed:
                self.close()


class _Pace:
    """Tells when events are due."""

    def __init__(self, clock: Clock, speed: float) -> None:
        self._clock = clock
        self._speed = speed
        self._start_ns = 0
        self._first_time_ns: int | None = None

    async def wait_for(self, time_ns: int) -> None:
        """Return when an event of this time is due; the first one is at once."""
        if self._first_time_ns is None:
            self._start_ns, self._first_time_ns = self._clock.now_ns(), time_ns
        after_ns = int((time_ns - self._first_time_ns) / self._speed)
        await self._clock.sleep_until(self._start_ns + after_ns)

    def now_ns(self) -> int:
        """Return the time up to which events are due."""
        passed_ns = self._clock.now_ns() - self._start_ns
        return (self._first_time_ns or 0) + int(passed_ns * self._speed)
