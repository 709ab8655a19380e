"""The live feed over real sockets, against a replay of real captures."""

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import ClientSession, web

from support.binance_book import PlainBook
from support.clocks import JumpingClock
from support.shared import shared_data
from tradecore.domain import DataError, InstrumentKind, InstrumentSpec, InvalidValueError, VenueError
from tradecore.domain.backoff import Backoff
from tradecore.domain.feeds import read_events
from tradecore_binance import Market
from tradecore_binance.channel import Channel
from tradecore_binance.exchange_info import fetch_instruments
from tradecore_binance.live_feed import BinanceFeed
from tradecore_binance.replay_server import Fault, FaultKind, ReplayServer
from tradecore_binance.rest import get

SPEC = InstrumentSpec(symbol="BTCUSDT", tick_size="0.01", lot_size="0.00001")
# Fewer than the quotes that can be compared in the capture of each market.
COMPARED_MIN = {Market.SPOT: 80, Market.USDM: 15, Market.COINM: 25}
LAG_MESSAGES_MAX = 200


class LoopClock:
    """The clock of the event loop, with the long waits for the venue cut short."""

    def __init__(self):
        self._offset_ns = 1_723_161_253 * 10**9

    def now_ns(self):
        """Return nanoseconds."""
        return self._offset_ns + int(asyncio.get_running_loop().time() * 1e9)

    async def sleep_until(self, time_ns, /):
        """Wait a tenth of a second at most."""
        await asyncio.sleep(min(0.1, max(0.0, (time_ns - self.now_ns()) / 1e9)))


def feed_of(server, spec, market=Market.SPOT, **changes):
    """Return a feed of the replay server."""
    return BinanceFeed(
        [spec],
        LoopClock(),
        market=market,
        ws_url=server.ws_url,
        rest_url=server.rest_url,
        backoff_first_ns=10_000_000,
        **changes,
    )


def replay_of(capture, book, **changes):
    """Return a server that waits for the book whenever it is far ahead of it."""

    async def hold_back():
        while server.sent - book.events_since_loss > LAG_MESSAGES_MAX:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.001)

    server = ReplayServer(capture.path, market=Market(capture.market), hold_back=hold_back, **changes)
    return server


async def follow(feed, server, book, until):
    """Follow the feed as the runtime does, until enough was seen or the replay has ended."""

    async def close_at_the_end():
        await server.finished.wait()
        while server.sent > book.events_since_loss:  # noqa: ASYNC110 - a plain counter
            await asyncio.sleep(0.01)
        await feed.aclose()

    closer = asyncio.create_task(close_at_the_end())
    async with aclosing(feed.batches()) as batches:
        async for batch in batches:
            gaps = book.gaps
            book.take(batch)
            if book.gaps > gaps:
                assert await feed.request_snapshot(0)
            if until(book):
                break
    closer.cancel()


@pytest.mark.parametrize("market", list(Market))
async def test_the_book_of_a_live_feed_is_the_one_the_venue_quotes(captures, market):
    """Snapshot and diffs are joined, and every comparable quote is equal."""
    capture = captures[market]
    book = PlainBook(market)
    async with replay_of(capture, book) as server:
        feed = feed_of(server, capture.spec, market)
        await follow(feed, server, book, lambda book: book.compared > COMPARED_MIN[market])

    assert book.compared > COMPARED_MIN[market]
    assert (book.mismatches, book.gaps, book.losses, server.connections) == (0, 0, 1, 1)
    assert book.synchronisations >= 1


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.SWAP])
async def test_a_faulty_stream_is_noticed_and_mended_over_rest(captures, kind):
    """After a dropped, doubled or swapped diff the book is invalid until a new snapshot, then right again."""
    capture = captures[Market.SPOT]
    book = PlainBook(Market.SPOT)
    fault = Fault(kind=kind, depth_number=200)
    async with replay_of(capture, book, faults=[fault]) as server:
        feed = feed_of(server, capture.spec)
        await follow(feed, server, book, lambda book: book.gaps > 0 and book.compared > 70)

    assert book.gaps >= 1
    assert book.synchronisations >= 2
    assert (book.mismatches, server.connections) == (0, 1)
    assert book.compared > 70


async def test_a_lost_connection_is_told_at_once_and_made_again(captures):
    """Two closes: a feed-lost event each, a new connection, a new snapshot, a right book."""
    capture = captures[Market.SPOT]
    book = PlainBook(Market.SPOT)
    faults = [Fault(kind=FaultKind.CLOSE, depth_number=number) for number in (100, 300)]
    async with replay_of(capture, book, faults=faults) as server:
        feed = feed_of(server, capture.spec)
        await follow(feed, server, book, lambda book: book.losses == 3 and book.compared > 70)

    assert (book.losses, server.connections, feed.counts["connections"]) == (3, 3, 3)
    assert book.synchronisations >= 3
    assert (book.mismatches, book.is_valid) == (0, True)


async def test_being_told_to_slow_down_delays_the_snapshot_only(captures):
    """429 is obeyed, asked again, and the book joins in the end."""
    capture = captures[Market.SPOT]
    book = PlainBook(Market.SPOT)
    async with replay_of(capture, book, refusals=3) as server:
        feed = feed_of(server, capture.spec)
        await follow(feed, server, book, lambda book: book.compared > 50)

    assert (book.mismatches, book.synchronisations >= 1, server.snapshots >= 1) == (0, True, True)


async def test_the_replay_refuses_snapshots_in_the_words_of_the_venue(captures):
    """So often as it was told: 429, code -1003, and when to ask again."""
    async with ReplayServer(captures[Market.SPOT].path, refusals=2) as server, ClientSession() as session:
        url = f"{server.rest_url}/api/v3/depth"
        for _ in range(2):
            with pytest.raises(VenueError, match=r'answered 429: \{"code":-1003\}') as caught:
                await get(session, url, {})
            assert caught.value.retry_after_ns == 0
        assert server.snapshots == 0
        assert b"lastUpdateId" in await get(session, url, {})
    assert server.snapshots == 1


async def test_a_slow_reader_loses_nothing(captures):
    """A queue of two messages holds the venue back instead of dropping."""
    capture = captures[Market.SPOT]
    book = PlainBook(Market.SPOT)
    # Sockets hold all of the slice: only a longer capture is held back.
    path = shared_data("public/hftbacktest_binance_spot/spot/btcusdt_20240808.gz")
    async with ReplayServer(path) as server:
        feed = feed_of(server, capture.spec, queue_batches_max=2)
        async with aclosing(feed.batches()) as batches:
            async for batch in batches:
                book.take(batch)
                await asyncio.sleep(0)
                if book.compared > 10:
                    break

    assert (book.gaps, book.mismatches, book.losses) == (0, 0, 1)
    assert book.compared > 10


async def test_a_feed_begins_with_the_loss_of_every_instrument(captures):
    """Books are invalid from the first event on; a feed is read once, and closing twice is harmless."""
    other = InstrumentSpec(symbol="ETHUSDT", tick_size="0.01", lot_size="0.0001")
    async with ReplayServer(captures[Market.SPOT].path) as server:
        feed = BinanceFeed([SPEC, other], LoopClock(), ws_url=server.ws_url, rest_url=server.rest_url)
        async with aclosing(feed.batches()) as batches:
            first = read_events(await anext(batches))
            assert [(event[0], event[2]) for event in first[:2]] == [("feed_lost", 0), ("feed_lost", 1)]
        with pytest.raises(InvalidValueError):
            await anext(feed.batches())
        assert await feed.request_snapshot(2) is False
        await feed.aclose()
        await feed.aclose()


async def test_closing_from_another_task_ends_the_stream_within_a_second(captures):
    """Shutting down waits for nothing, connected or not."""
    async with ReplayServer(captures[Market.SPOT].path, speed=1.0) as server:
        nowhere = "http://127.0.0.1:1"
        for urls in ((server.ws_url, server.rest_url), ("ws://127.0.0.1:1", nowhere)):
            feed = BinanceFeed([SPEC], LoopClock(), ws_url=urls[0], rest_url=urls[1])

            async def read(feed=feed):
                return [len(batch) async for batch in feed.batches()]

            reader = asyncio.create_task(read())
            await asyncio.sleep(0.2)
            async with asyncio.timeout(1):
                await feed.aclose()
                assert len(await reader) >= 1


async def read_kinds(feed, kinds):
    """Note the kind of every event until the feed ends."""
    async for batch in feed.batches():
        kinds += [event[0] for event in read_events(batch)]


async def _serving(handler, path="/stream"):
    application = web.Application()
    application.router.add_get(path, handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


async def test_a_venue_that_refuses_to_serve_is_an_error():
    """Trying again would change nothing, so the feed says so."""

    async def refuse(request):
        return web.Response(status=451)

    runner, port = await _serving(refuse)
    feed = BinanceFeed([SPEC], LoopClock(), ws_url=f"ws://127.0.0.1:{port}", rest_url="http://127.0.0.1:1")
    kinds = []
    with pytest.raises(VenueError, match="451"):
        await read_kinds(feed, kinds)
    assert kinds == ["feed_lost"]
    await runner.cleanup()


async def test_a_message_that_cannot_be_used_ends_the_feed_after_what_was_before_it():
    """An off-tick price means a wrong definition: an operator must act."""

    async def talk(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        good = '{"u":1,"s":"BTCUSDT","b":"1.00","B":"1","a":"2.00","A":"1"}'
        await socket.send_str(good)
        await socket.send_str(good.replace("1.00", "1.001"))
        await socket.receive()
        return socket

    runner, port = await _serving(talk)
    feed = BinanceFeed([SPEC], LoopClock(), ws_url=f"ws://127.0.0.1:{port}", rest_url="http://127.0.0.1:1")
    kinds = []
    with pytest.raises(DataError, match=r"multiple of 0\.01"):
        await read_kinds(feed, kinds)
    assert kinds == ["feed_lost", "quote"]
    await runner.cleanup()


async def test_a_silent_connection_is_taken_for_dead():
    """A venue that stops talking without closing is left, and the loss is told."""

    async def stay_silent(request):
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await asyncio.sleep(10)
        return socket

    runner, port = await _serving(stay_silent)
    feed = BinanceFeed(
        [SPEC],
        LoopClock(),
        ws_url=f"ws://127.0.0.1:{port}",
        rest_url="http://127.0.0.1:1",
        silence_seconds_max=0.2,
        backoff_first_ns=1_000_000,
    )
    losses = 0
    async with asyncio.timeout(5), aclosing(feed.batches()) as batches:
        async for batch in batches:
            losses += len(batch)
            if losses == 3:
                break
    assert losses == 3
    await runner.cleanup()


async def test_a_venue_that_cannot_be_reached_is_told_with_the_reason(caplog):
    """Without a network somebody who watches learns what fails and when it is tried again."""
    nowhere = "127.0.0.1:1"
    feed = BinanceFeed(
        [SPEC],
        LoopClock(),
        ws_url=f"ws://{nowhere}",
        rest_url=f"http://{nowhere}",
        backoff_first_ns=1_000_000,
    )
    await feed.request_snapshot(0)
    async with asyncio.timeout(5), aclosing(feed.batches()) as batches:
        losses = 0
        async for batch in batches:
            losses += len(batch)
            if losses >= 3:
                break
    told = {record.getMessage(): record.told for record in caplog.records if hasattr(record, "told")}
    assert told.keys() >= {"connection_lost", "snapshot_failed"}
    assert nowhere in told["connection_lost"]["what"]
    assert "Connect" in told["connection_lost"]["reason"]
    assert nowhere in told["snapshot_failed"]["reason"]
    assert told["snapshot_failed"]["retry_seconds"] >= 0
    assert any(
        record.words.startswith(f"FEED: connection lost (ws://{nowhere}") and "tried again in" in record.words
        for record in caplog.records
    )


@pytest.mark.parametrize("market", [Market.SPOT, Market.COINM])
async def test_definitions_come_from_the_venue(captures, market):
    """Tick, lot and contract size as the venue states them, as exact decimals."""
    info = (
        b'{"symbols":[{"symbol":"BTCUSD_PERP","contractSize":100,"filters":['
        b'{"filterType":"PRICE_FILTER","tickSize":"0.10000000"},{"filterType":"LOT_SIZE","stepSize":"1.000"}]}]}'
    )
    async with (
        ReplayServer(captures[market].path, market=market, exchange_info=info) as server,
        ClientSession() as session,
    ):
        (spec,) = await fetch_instruments(session, market, ["BTCUSD_PERP"], rest_url=server.rest_url)
        with pytest.raises(DataError, match="no symbol 'NOPE'"):
            await fetch_instruments(session, market, ["NOPE"], rest_url=server.rest_url)
        with pytest.raises(VenueError, match="no answer"):
            await fetch_instruments(session, market, ["NOPE"], rest_url="http://127.0.0.1:1")

    assert (spec.tick_size, spec.lot_size) == ("0.1", "1")
    is_coin = market is Market.COINM
    assert (spec.kind, spec.multiplier) == (
        (InstrumentKind.INVERSE, "100") if is_coin else (InstrumentKind.LINEAR, "1")
    )


def test_the_backoff_doubles_up_to_its_cap_and_spreads():
    """From half to all of 1, 2, 4, ... at most the cap; a success begins again."""
    least, most = (Backoff(lambda r=r: r, first_ns=100, last_ns=500) for r in (0.0, 1.0))
    assert [least.next_ns() for _ in range(5)] == [50, 100, 200, 250, 250]
    assert [most.next_ns() for _ in range(5)] == [100, 200, 400, 500, 500]
    least.reset()
    assert least.next_ns() == 50


async def test_a_channel_keeps_the_order_of_making_when_it_is_full():
    """Whoever waits first is made and put first."""
    channel = Channel(1)
    clock = JumpingClock()
    putters = [asyncio.create_task(channel.put(clock.now_ns)) for _ in range(20)]
    taken = []
    while len(taken) < 20:
        taken += await channel.take(3)
        await asyncio.sleep(0)
    await asyncio.gather(*putters)
    assert taken == sorted(taken)
    channel.close(VenueError("over"))
    await channel.put(clock.now_ns)
    with pytest.raises(VenueError, match="over"):
        await channel.take(1)


class Connection:
    """A client of the replay server, whose connection may be gone."""

    def __init__(self, *, is_gone=False) -> None:
        self.is_gone = is_gone
        self.heard = []

    async def send_str(self, text):
        """Take it, if it is still there."""
        if self.is_gone:
            raise ConnectionResetError("Cannot write to closing transport")
        self.heard.append(text)


async def test_a_client_that_is_gone_keeps_no_message_from_the_others(captures):
    """It is forgotten; the replay stands still when it was the last one."""
    server = ReplayServer(captures[Market.SPOT].path)
    gone, there = Connection(is_gone=True), Connection()
    server._sockets += [gone, there]
    server._has_client.set()
    for _ in range(2):
        await server._send(b"{}")
    assert (server._sockets, there.heard) == ([there], ["{}"] * 2)
    assert server._has_client.is_set()

    there.is_gone = True
    await server._send(b"{}")
    assert server._sockets == []
    assert not server._has_client.is_set()
