"""A venue and a clock that misbehave: told to wait, cut off during a snapshot, time that steps back."""

import asyncio
import itertools
import zlib
from contextlib import aclosing

import pytest
from aiohttp import ClientSession, web

from support.clocks import JumpingClock
from tradecore.domain import InstrumentSpec, VenueError
from tradecore.domain.feeds import read_events
from tradecore_binance.live_feed import BinanceFeed
from tradecore_binance.rest import get

SPEC = InstrumentSpec(symbol="BTCUSDT", tick_size="0.01", lot_size="0.00001")
DIFF = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":%d,"u":%d,'
    '"b":[["9.00","1"]],"a":[]}}'
)
SNAPSHOT = '{"lastUpdateId":%d,"bids":[["10.00","%d"]],"asks":[["11.00","1"]]}'
SECOND_NS = 1_000_000_000


class Venue:
    """A server on the loopback interface; `depth` and `stream` are what it answers."""

    def __init__(self, depth, stream=None) -> None:
        self.depth = depth
        self.stream = stream
        self.port = 0

    async def __aenter__(self):
        """Listen on a free port."""
        application = web.Application()
        application.router.add_get("/api/v3/depth", self.depth)
        if self.stream is not None:
            application.router.add_get("/stream", self.stream)
        self.runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]
        return self

    async def __aexit__(self, *_):
        """Stop."""
        await self.runner.cleanup()

    def feed(self, clock):
        """Return a feed of it."""
        urls = {"ws_url": f"ws://127.0.0.1:{self.port}", "rest_url": f"http://127.0.0.1:{self.port}"}
        return BinanceFeed([SPEC], clock, backoff_first_ns=1_000_000, backoff_last_ns=1_000_000, **urls)


async def events_until(feed, is_enough):
    """Return the events of a feed up to the one after which `is_enough` of them, within ten seconds."""
    seen = []
    async with asyncio.timeout(10), aclosing(feed.batches()) as batches:
        async for batch in batches:
            for event in read_events(batch):
                seen.append(event)
                if is_enough(seen):
                    return seen
    raise AssertionError(seen)


@pytest.mark.parametrize("status", [429, 418])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("3600", 3600),
        *(
            (odd, 30)
            for odd in (None, "", "soon", "-1", "1.5", "9" * 11, "\u0663", "Wed, 21 Oct 2015 07:28:00 GMT")
        ),
    ],
)
async def test_what_the_venue_says_of_waiting_comes_with_the_error(status, header, seconds):
    """In whole seconds; what is no such number means half a minute."""

    async def slow_down(_request):
        headers = {} if header is None else {"Retry-After": header}
        return web.Response(status=status, headers=headers, text="slow down")

    async with Venue(slow_down) as venue, ClientSession() as session:
        with pytest.raises(VenueError, match=f"answered {status}: slow down") as caught:
            await get(session, f"http://127.0.0.1:{venue.port}/api/v3/depth", {})
    assert caught.value.retry_after_ns == seconds * SECOND_NS


async def test_any_other_failure_says_nothing_of_waiting():
    """The feed's own waits apply then."""

    async def fail(_request):
        return web.Response(status=500, headers={"Retry-After": "9"}, text="broken")

    async with Venue(fail) as venue, ClientSession() as session:
        with pytest.raises(VenueError, match="answered 500: broken") as caught:
            await get(session, f"http://127.0.0.1:{venue.port}/api/v3/depth", {})
    assert caught.value.retry_after_ns is None


async def test_a_feed_waits_as_long_as_it_is_told_before_it_asks_again():
    """Not a request is made before: exchanges ban whoever goes on asking."""
    clock = JumpingClock()
    told, asked_ns = ["7", "120"], []

    async def depth(_request):
        asked_ns.append(clock.now_ns())
        if told:
            return web.Response(status=429, headers={"Retry-After": told.pop(0)})
        return web.Response(text=SNAPSHOT % (5, 1))

    async def stream(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(DIFF % (4, 6))
        await socket.receive()
        return socket

    async with Venue(depth, stream) as venue:
        await events_until(venue.feed(clock), lambda seen: seen[-1][0] == "book" and len(asked_ns) == 3)
    waited = [later - earlier for earlier, later in itertools.pairwise(asked_ns)]
    assert waited[0] >= 7 * SECOND_NS
    assert waited[1] >= 120 * SECOND_NS


async def test_a_snapshot_of_the_connection_before_is_thrown_away():
    """It was asked for, then the line broke: only one that was asked for on the new line joins its diffs."""
    clock = JumpingClock()
    lines, asked, is_new_line = [], [], asyncio.Event()

    async def depth(_request):
        asked.append(len(lines))
        if len(asked) == 1:
            await lines[0].close()
            await is_new_line.wait()
            return web.Response(text=SNAPSHOT % (5, 1))
        return web.Response(text=SNAPSHOT % (105, 2))

    async def stream(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        lines.append(socket)
        first = 4 if len(lines) == 1 else 104
        await socket.send_str(DIFF % (first, first + 2))
        if len(lines) == 2:
            is_new_line.set()
        await socket.receive()
        return socket

    async with Venue(depth, stream) as venue:
        feed = venue.feed(clock)
        seen = await events_until(feed, lambda seen: seen[-1][0] == "book" and seen[-1][3])
    assert asked == [1, 2]
    assert feed.counts["snapshots"] == 1
    assert [event[0] for event in seen].count("feed_lost") == 2
    assert seen[-1][-2] == [(1000, 200_000)]


class BackwardClock(JumpingClock):
    """Steps back by an hour each time it is read."""

    def now_ns(self) -> int:
        """Return the time."""
        self._now_ns -= 3600 * SECOND_NS
        return self._now_ns


async def test_events_never_go_back_in_time_with_the_clock():
    """An engine refuses events older than the last: a clock that is set back must not stop the bot."""

    async def stream(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for number in range(5):
            await socket.send_str(DIFF % (number + 1, number + 1))
        await socket.receive()
        return socket

    async def depth(_request):
        return web.Response(text=SNAPSHOT % (1, 1))

    async with Venue(depth, stream) as venue:
        seen = await events_until(venue.feed(BackwardClock()), lambda seen: len(seen) == 6)
    times = [event[1] for event in seen]
    assert times == sorted(times)
    assert len(set(times)) == 1


@pytest.mark.parametrize(("length", "connections"), [((1 << 24) - 1, 1), ((1 << 24) + 1, 2)])
async def test_a_message_that_would_fill_the_memory_ends_its_connection(length, connections):
    """A message of up to 16 MiB is read; a longer one is not, and the feed connects anew."""
    lines = []

    async def depth(_request):
        return web.Response(text=SNAPSHOT % (5, 1))

    async def stream(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        lines.append(socket)
        if len(lines) == 1:
            message = DIFF % (4, 6)
            await socket.send_str(message[:-1] + " " * (length - len(message)) + "}")
        await socket.send_str(DIFF % (7, 8))
        await socket.receive()
        return socket

    async with Venue(depth, stream) as venue:
        seen = await events_until(venue.feed(JumpingClock()), lambda seen: seen[-1][0] == "book")
    assert len(lines) == connections
    assert sum(event[0] == "feed_lost" for event in seen) == connections


async def test_an_answer_that_unpacks_without_an_end_is_given_up():
    """A few kilobytes that are a gigabyte: what is left of them is not unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1_000)) + packer.flush()

    async def depth(_):
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with Venue(depth) as venue, ClientSession() as session:
        with pytest.raises(VenueError, match="no answer"):
            await get(session, f"http://127.0.0.1:{venue.port}/api/v3/depth", {}, timeout_seconds=60.0)
