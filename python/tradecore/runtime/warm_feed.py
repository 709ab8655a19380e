"""A live feed that begins with what happened before it, joined without a gap and without anything twice."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import msgspec
import numpy as np

from tradecore.domain import EventBatch
from tradecore.domain.errors import DataError, VenueError
from tradecore.domain.feeds import read_events
from tradecore.domain.past import BarsBetween, Past, PastBar, PastQuestion, PastTrade, TradesAfter
from tradecore.ports.clock import Clock
from tradecore.ports.history import History
from tradecore.ports.market_feed import MarketFeed

_BATCH_EVENTS = 2048
# After so long nothing that was under way as the past was asked for comes any more.
_OVERLAP_NS = 10_000_000_000
_TRIES = 3
_RETRY_NS = 500_000_000


class WarmUp(msgspec.Struct, frozen=True, kw_only=True):
    """How a session is warmed up.

    Attributes
    ----------
    length_ns : int
        How far back the past begins.
    bars_ns : int or None
        Length of the bars that tell most of it; `None`: all of it is trades.
    bars_until_ns : int
        Bars end at the last multiple of this, and trades go on from there: every longer bar ends there too.
    refuses_gaps : bool
        Whether a gap is an error; else it is told, and the session goes on with it.
    """

    length_ns: int
    bars_ns: int | None = None
    bars_until_ns: int = 1
    refuses_gaps: bool = True


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal has already.

    Attributes
    ----------
    time_ns : int
        The time that the engine has got to; 0 for a journal that begins.
    trades : mapping of int to int
        The number of the last trade of an instrument.
    bars_ns : mapping of int to int
        When the last bar of an instrument closed.
    is_in_past : bool
        Whether the journal ends in the middle of what is past.
    """

    time_ns: int = 0
    trades: Mapping[int, int] = {}
    bars_ns: Mapping[int, int] = {}
    is_in_past: bool = False


class WarmFeed:
    """Another feed with its past before it.

    The past is asked for once the connection of the live feed stands, which shows in its first event that is
    more than a loss. So what trades from then on is in the stream, and what traded before is in the past;
    what is in both is told by its number and left out. What the live feed says is given the time of the last
    trade of the past where it came in before that.

    A restart goes on with the last trade of its journal, so that nothing is warmed up twice.

    Parameters
    ----------
    feed : MarketFeed
        The live feed; begins with the loss of every instrument.
    history : History
        What was before; closed with the feed.
    clock : Clock
        Says when now is, and waits before a question is asked again.
    instruments : int
        How many there are.
    warm_up : WarmUp
        How far back, and what a gap is.
    known : Known
        What the journal has.
    tell : callable
        Is told of gaps that are no errors.
    """

    def __init__(
        self,
        feed: MarketFeed,
        history: History,
        clock: Clock,
        *,
        instruments: int,
        warm_up: WarmUp,
        known: Known,
        tell: Callable[[str], None],
    ) -> None:
        self._feed = feed
        self._history = history
        self._clock = clock
        self._instruments = range(instruments)
        self._warm_up = warm_up
        self._known = known
        self._tell = tell

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield the past, then what the feed brings.

        Raises
        ------
        DataError, VenueError
            When the past has a gap or cannot be asked for and that is an error; and what the feed raises.
        """
        held: list[EventBatch] = []
        seam: _Seam | None = None
        async for batch in self._feed.batches(skip_events=skip_events):
            if seam is not None:
                if len(joined := seam.joined(batch)):
                    yield joined
                continue
            held.append(batch)
            if is_loss(batch):
                continue
            now_ns = self._clock.now_ns()
            past = [await self._past_of(instrument, now_ns) for instrument in self._instruments]
            events = _in_order(past, self._known.time_ns, self._clock.now_ns())
            for each in _batches(events, self._instruments):
                yield each
            last_ns = max(events[-1].time_ns if events else 0, self._known.time_ns)
            seam = _Seam(past, last_ns, self._gap)
            for before in held:
                if len(joined := seam.joined(before)):
                    yield joined
        if seam is None:
            for batch in held:
                yield batch

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Ask for a fresh book snapshot, as of the feed."""
        return await self._feed.request_snapshot(instrument_id)

    async def aclose(self) -> None:
        """Close the feed and the history."""
        await self._feed.aclose()
        await self._history.aclose()

    async def _past_of(self, instrument: int, now_ns: int) -> "_PastOf":
        """Ask for what is missing of an instrument: bars where they are wanted, and trades from there on."""
        known, warm_up = self._known, self._warm_up
        known_id = known.trades.get(instrument, 0)
        from_ns = max(now_ns - warm_up.length_ns, 0)
        bars = Past()
        if warm_up.bars_ns is not None and not known_id and (not known.time_ns or known.is_in_past):
            from_ns = max(from_ns, known.bars_ns.get(instrument, 0))
            from_ns -= from_ns % -warm_up.bars_ns
            to_ns = max(now_ns - now_ns % warm_up.bars_until_ns, from_ns)
            asked = BarsBetween(instrument=instrument, span_ns=warm_up.bars_ns, from_ns=from_ns, to_ns=to_ns)
            bars = await self._asked(asked)
            from_ns = to_ns
        if known_id:
            from_ns = 0
        elif known.time_ns:
            from_ns = max(from_ns, known.time_ns)
        trades = await self._asked(TradesAfter(instrument=instrument, from_ns=from_ns, after_id=known_id))
        last_id = known_id
        if known_id and trades.last_id < known_id:
            self._gap(
                f"instrument {instrument}: the last trade that is known has number {known_id}, and the "
                f"source has none above {trades.last_id}: it numbers its trades anew"
            )
            last_id = 0
        return _PastOf(
            instrument=instrument,
            bars=bars.bars,
            trades=trades.trades,
            last_id=max(trades.last_id, last_id),
            is_followed=trades.has_every_number or trades.is_followed,
        )

    async def _asked(self, question: PastQuestion) -> Past:
        """Return an answer; a source that does not answer is asked three times."""
        for tries in range(1, _TRIES + 1):
            try:
                past = await self._history.query(question)
            except VenueError as error:
                if tries < _TRIES:
                    wait_ns = max(error.retry_after_ns or 0, _RETRY_NS << tries)
                    await self._clock.sleep_until(self._clock.now_ns() + wait_ns)
                    continue
                if self._warm_up.refuses_gaps:
                    raise
                self._tell(f"instrument {question.instrument}: the past was not to be had: {error}")
                return Past()
            if past.missing:
                self._gap(f"instrument {question.instrument}: {past.missing}")
            return past
        return Past()

    def _gap(self, words: str) -> None:
        if self._warm_up.refuses_gaps:
            advice = 'set history.gap = "tell" to go on with it'
            raise DataError("history", f"there is a gap between the past and the feed: {words}; {advice}")
        self._tell(words)


class _PastOf(msgspec.Struct, frozen=True, kw_only=True):
    """The past of one instrument, and the number of its last trade."""

    instrument: int
    bars: tuple[PastBar, ...]
    trades: tuple[PastTrade, ...]
    last_id: int
    is_followed: bool


class _PastEvent(msgspec.Struct, frozen=True):
    time_ns: int
    instrument: int
    what: PastBar | PastTrade


class _Seam:
    """Leaves out of the feed what the past has, and looks whether anything is between the two."""

    def __init__(self, past: Sequence[_PastOf], last_ns: int, gap: Callable[[str], None]) -> None:
        self._last_ns = last_ns
        self._gap = gap
        # Instruments of which no trade has come yet that the past does not have.
        self._waiting = {each.instrument: each for each in past if each.last_id}

    def joined(self, batch: EventBatch) -> EventBatch:
        """Return what of a batch comes after the past."""
        first_ns = batch.first_time_ns or 0
        if first_ns > self._last_ns + _OVERLAP_NS:
            self._waiting.clear()
        if not self._waiting and first_ns >= self._last_ns:
            return batch
        joined = EventBatch()
        for kind, time_ns, instrument, *values in read_events(batch):
            if kind == "trade" and self._is_past(instrument, int(values[-1])):
                continue
            getattr(joined, kind)(max(time_ns, self._last_ns), instrument, *values)
        return joined

    def _is_past(self, instrument: int, trade_id: int) -> bool:
        past = self._waiting.get(instrument)
        if past is None or not trade_id:
            return False
        if trade_id <= past.last_id:
            return True
        del self._waiting[instrument]
        if past.is_followed and trade_id > past.last_id + 1:
            lost = f"trades {past.last_id + 1} to {trade_id - 1}"
            self._gap(f"instrument {instrument}: {lost} are neither in the past nor in the feed")
        return False


def is_loss(batch: EventBatch) -> bool:
    """Tell whether a batch says nothing but that the feed is lost: the connection does not stand yet."""
    return len(batch) < _BATCH_EVENTS and all(event[0] == "feed_lost" for event in read_events(batch))


def _in_order(past: Sequence[_PastOf], first_ns: int, now_ns: int) -> list[_PastEvent]:
    """Return bars and trades by their times, none of which is before what is known or after now.

    A source whose clock is ahead would push the time of the engine beyond that of the feed.
    """
    events = [_PastEvent(bar.close_ns, each.instrument, bar) for each in past for bar in each.bars]
    events += [_PastEvent(trade.time_ns, each.instrument, trade) for each in past for trade in each.trades]
    events.sort(key=lambda event: (event.time_ns, event.instrument, isinstance(event.what, PastTrade)))
    return [
        msgspec.structs.replace(event, time_ns=min(max(event.time_ns, first_ns), max(now_ns, first_ns)))
        for event in events
    ]


def _batches(events: Sequence[_PastEvent], instruments: Sequence[int]) -> list[EventBatch]:
    """Return events as batches, the first of which says that all of it is past; none for none."""
    batches: list[EventBatch] = []
    for at in range(0, len(events), _BATCH_EVENTS):
        batch = EventBatch()
        if not batches:
            for instrument in instruments:
                batch.feed_past(events[0].time_ns, instrument)
        for event in events[at : at + _BATCH_EVENTS]:
            _add(batch, event)
        batches.append(batch)
    return batches


def _add(batch: EventBatch, event: _PastEvent) -> None:
    what = event.what
    if isinstance(what, PastTrade):
        batch.trade(event.time_ns, event.instrument, what.price_ticks, what.lots, what.is_buy, what.trade_id)
        return
    row = (
        event.time_ns,
        what.open_ticks,
        what.high_ticks,
        what.low_ticks,
        what.close_ticks,
        what.volume_lots,
    )
    columns = [np.array([number], np.int64) for number in (what.open_ns, *row)]
    batch.bars(event.instrument, *columns)
