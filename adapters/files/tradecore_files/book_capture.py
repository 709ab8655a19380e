"""Recorded book messages of venues that state checksums, as a market feed."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore.domain.feeds import VenueBookDecoder
from tradecore_files.book_contents import BookVenue
from tradecore_files.book_messages import messages_of

_BATCH_EVENTS_MAX = 8192


class BookCaptureFeed:
    """Replays recorded book messages of Kraken or OKX; the same events on every call.

    A capture has lines of `<receive_ns> <json>`, or lines as cryptofeed writes them, or it is one JSON
    document `{"init": snapshot, "updates": [...]}`, whose times are those of the messages. All three forms
    hold the messages of any venue. Everything before a damaged message is delivered before the `DataError`
    that names it. The file is held in memory.

    Parameters
    ----------
    path : Path or str
        The capture; gzip, zip and zstd are read as they are.
    instruments : sequence of InstrumentSpec
        What to read, in the order of the engine's table, named as the venue names them.
    venue : BookVenue
        Whose messages they are.
    batch_events_max : int
        Events in one batch at most.

    Raises
    ------
    InvalidValueError
        For instruments or a batch size that make no sense.
    """

    def __init__(
        self,
        path: Path | str,
        instruments: Sequence[InstrumentSpec],
        *,
        venue: BookVenue,
        batch_events_max: int = _BATCH_EVENTS_MAX,
    ) -> None:
        if batch_events_max < 1:
            raise InvalidValueError("batch_events_max", batch_events_max, "must be at least 1")
        self._path = Path(path)
        self._symbols = [
            (spec.symbol, at, spec.tick_size, spec.lot_size) for at, spec in enumerate(instruments)
        ]
        self._venue = venue
        self._batch_events_max = batch_events_max
        self._is_closed = False
        self._decoder()

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield the events in order, leaving out the first `skip_events`."""
        for batch in self._batches():
            if self._is_closed:
                return
            count = len(batch)
            batch.skip(skip_events)
            skip_events = max(0, skip_events - count)
            if len(batch):
                yield batch

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Say no: a capture holds the snapshots it holds."""
        return False

    async def aclose(self) -> None:
        """Stop handing out batches; the one under way is the last."""
        self._is_closed = True

    def _decoder(self) -> VenueBookDecoder:
        return VenueBookDecoder(self._venue.value, self._symbols)

    def _batches(self) -> Iterator[EventBatch]:
        decoder, batch = self._decoder(), EventBatch()
        try:
            for where, time_ns, payload in messages_of(self._path):
                try:
                    decoder.decode(time_ns, payload, batch)
                except DataError as error:
                    raise DataError(where, error.what) from error
                if len(batch) >= self._batch_events_max:
                    yield batch
                    batch = EventBatch()
        except DataError:
            if len(batch):
                yield batch
            raise
        if len(batch):
            yield batch
