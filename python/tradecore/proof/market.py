"""The markets of a simulation: others who trade at the venue, and the feed that shows it to the engine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

from tradecore.domain import EventBatch
from tradecore.ports.clock import Clock
from tradecore.proof.book_line import BookLine, Told
from tradecore.sim.agents import FlowSink
from tradecore.testkit.local_venue.book import MarketBook, MarketNews
from tradecore.testkit.local_venue.exchange import LocalExchange

_LIVE_MAX = 40
# How far others are from the middle of their market.
_AWAY = 4
# How much less often they act where they are slow.
_SLOW = 8


class Bystanders:
    """A `Crowd` of few words: some limits near the middle, some takers, and what is old is taken back.

    Parameters
    ----------
    draw : Random
        Decides what they do.
    starts : sequence of int
        Where each market begins, in ticks.
    start_ns : int
        When they begin, UTC nanoseconds.
    step_ns : int
        How often one of them acts in each market.
    """

    def __init__(self, draw: Random, starts: list[int], *, start_ns: int, step_ns: int) -> None:
        self._draw = draw
        self._middles = starts
        self._next_ns = start_ns
        self._step_ns = step_ns
        self._flow_id = 0
        self._live: list[list[int]] = [[] for _ in starts]
        # Whether they act only now and then.
        self.is_slow = False

    def run_until(self, time_ns: int, sink: FlowSink) -> None:
        """Give everything that happens before a time."""
        if self._next_ns + 1_000 * self._step_ns < time_ns:
            # Nobody has looked for long: what happened meanwhile is not told one by one.
            self._next_ns = time_ns - 1_000 * self._step_ns
        while self._next_ns < time_ns:
            for market in range(len(self._middles)):
                self._act(self._next_ns, market, sink)
            self._next_ns += self._step_ns * (_SLOW if self.is_slow else 1)

    def _act(self, time_ns: int, market: int, sink: FlowSink) -> None:
        draw, live = self._draw, self._live[market]
        what = draw.random()
        if what < 0.04:
            self._middles[market] = max(self._middles[market] + draw.choice((-1, 1)), 100)
        if what > 0.82:
            sink.flow_market(time_ns, market, what > 0.91, 1 + int(draw.random() * 9))
            return
        if len(live) >= _LIVE_MAX:
            sink.flow_cancel(time_ns, market, live.pop(int(draw.random() * len(live) / 2)))
        is_buy = draw.random() < 0.5
        away = 1 + int(draw.random() * _AWAY)
        self._flow_id += 1
        ticks = self._middles[market] + (-away if is_buy else away)
        sink.flow_limit(time_ns, market, self._flow_id, is_buy, ticks, 1 + int(draw.random() * 12))
        live.append(self._flow_id)


class SimulatedFeed:
    """A live `MarketFeed` that a market fills."""

    def __init__(self, market: "Market") -> None:
        self._market = market
        self._waiting: asyncio.Queue[EventBatch | None] = asyncio.Queue()

    async def batches(self, *, skip_events: int = 0) -> AsyncIterator[EventBatch]:
        """Yield what is put, until it is closed."""
        while (batch := await self._waiting.get()) is not None:
            yield batch

    def put(self, batch: EventBatch) -> None:
        """Let the engine have a batch."""
        self._waiting.put_nowait(batch)

    async def request_snapshot(self, instrument_id: int) -> bool:
        """Show the whole book next time."""
        self._market.show_whole(instrument_id)
        return True

    async def aclose(self) -> None:
        """End."""
        self._waiting.put_nowait(None)


class Market:
    """Shows what the venue's books do, at each tick, and quotes of instruments in which nobody trades.

    Parameters
    ----------
    exchange : LocalExchange
        Where the books are.
    traded, shown : int
        How many of the first instruments are traded there, and how many more have quotes alone.
    quotes : int
        How many quotes each of these has in a tick.
    draw : Random
        Decides what of the feed is lost, and moves the quotes.
    loss : float
        Share of updates of books that get lost.
    lines : sequence of BookLine
        What the messages of each traded instrument go over; without any they come as they are.

    Attributes
    ----------
    lines : sequence of BookLine
        The same.
    """

    def __init__(
        self,
        exchange: LocalExchange,
        *,
        traded: int,
        shown: int,
        quotes: int,
        draw: Random,
        loss: float,
        lines: Sequence[BookLine] = (),
    ) -> None:
        self._exchange = exchange
        self._books = [exchange.book(number) for number in range(traded)]
        self._shown = range(traded, traded + shown)
        self._middles = [1_000 * (number + 1) for number in self._shown]
        self._quotes = quotes
        self._draw = draw
        self._loss = loss
        self.lines = lines
        self._whole: set[int] = set()
        self.feed: SimulatedFeed | None = None
        # Whether instruments that nobody trades say nothing any more.
        self.is_quiet = False
        # Whose time is on what comes in: that of the engine.
        self._clock: Clock | None = None

    def open_feed(self, clock: Clock) -> SimulatedFeed:
        """Return a feed for an engine that starts, by its clock; nobody hears the one before any more."""
        self.feed = feed = SimulatedFeed(self)
        self._clock, now_ns = clock, clock.now_ns()
        batch = EventBatch()
        for number in range(len(self._books) + len(self._shown)):
            batch.feed_lost(now_ns, number)
        feed.put(batch)
        self._whole = set(range(len(self._books)))
        for line in self.lines:
            line.begin_anew()
        return feed

    def show_whole(self, instrument: int) -> None:
        """Show the whole book of an instrument next time."""
        if instrument < len(self._books):
            self._whole.add(instrument)

    def tick(self, now_ns: int) -> None:
        """Tell the feed what has happened since the last time."""
        batch = EventBatch()
        now_ns = now_ns if self._clock is None else self._clock.now_ns()
        for number, book in enumerate(self._books):
            self._tell(batch, number, book, now_ns)
        for index, number in enumerate(() if self.is_quiet else self._shown):
            self._quote(batch, index, number, now_ns)
        if self.feed is not None and len(batch):
            self.feed.put(batch)

    def _tell(self, batch: EventBatch, number: int, book: MarketBook, now_ns: int) -> None:
        news = book.take_news(now_ns)
        line = self.lines[number] if self.lines else None
        for late in () if line is None else line.late(now_ns):
            self._show(batch, number, late, now_ns)
        if news is not None:
            for each in news.trades:
                batch.trade(now_ns, number, each.price_ticks, each.lots, each.is_buy, each.trade)
            said = _told(news)
            if line is not None:
                is_next = line.reference.follows(said)
                line.reference.take(said if is_next else _told(book.snapshot(now_ns)))
            if self._draw.random() >= self._loss:
                self._pass_on(batch, number, said, now_ns)
        if number in self._whole:
            self._whole.discard(number)
            self._pass_on(batch, number, _told(book.snapshot(now_ns)), now_ns)
        if news is not None:
            bid, bid_lots, ask, ask_lots = news.best
            if bid_lots and ask_lots:
                last_id = news.last_id if line is None else line.number_of(news.last_id)
                batch.quote(now_ns, number, bid, bid_lots, ask, ask_lots, last_id)

    def _pass_on(self, batch: EventBatch, number: int, said: Told, now_ns: int) -> None:
        for each in self.lines[number].passed(said, now_ns) if self.lines else (said,):
            self._show(batch, number, each, now_ns)

    def _show(self, batch: EventBatch, number: int, said: Told, now_ns: int) -> None:
        told = self.lines[number].told(said, now_ns) if self.lines else said
        batch.book(now_ns, number, *told)

    def _quote(self, batch: EventBatch, index: int, number: int, now_ns: int) -> None:
        middle = self._middles[index]
        for bits in self._draw.randbytes(self._quotes):
            middle = max(middle + (bits & 3) - 1, 10) if bits & 4 else max(middle - (bits & 1), 10)
            batch.quote(now_ns, number, middle - 1, 1 + (bits >> 4), middle + 1, 1 + (bits >> 5))
        self._middles[index] = middle


def _told(news: MarketNews) -> Told:
    return Told(news.is_snapshot, news.first_id, news.last_id, news.prev_id, news.bids, news.asks)
