"""Captures as a market feed: real ones, damaged ones, in time."""

import asyncio
import contextlib
import gzip
import json
import threading
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.binance_book import PlainBook
from support.clocks import JumpingClock
from tradecore.domain import DataError, EventBatch, InstrumentSpec, InvalidValueError
from tradecore.domain.feeds import BinanceDecoder, read_events
from tradecore_binance import BinanceCaptureFeed, Market

SPEC = InstrumentSpec(symbol="BTCUSDT", tick_size="0.01", lot_size="0.00001")
OPEN_FILES = Path("/proc/self/fd")
START_NS = 1_723_161_253_000_000_000


def ticker(update_id, milliseconds=0, bid="100.00"):
    """Return one line of a capture."""
    data = {"u": update_id, "s": "BTCUSDT", "b": bid, "B": "1.0", "a": "200.00", "A": "2.0"}
    line = json.dumps({"stream": "btcusdt@bookTicker", "data": data}, separators=(",", ":"))
    return f"{START_NS + milliseconds * 1_000_000} {line}\n"


LINES = [ticker(at, at) for at in range(1, 101)]


def write(tmp_path, data, name="x.capture"):
    """Write a file and return its path."""
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


async def collect(feed, skip_events=0):
    """Return all events and the error that ended them, if one did."""
    events = []
    try:
        async for batch in feed.batches(skip_events=skip_events):
            assert len(batch) > 0
            events += read_events(batch)
    except DataError as error:
        return events, error
    return events, None


@pytest.mark.parametrize(
    ("market", "events", "compared"),
    [(Market.SPOT, 7_341, 110), (Market.USDM, 3_786, 27), (Market.COINM, 2_194, 58)],
)
async def test_a_real_capture_rebuilds_the_book_the_venue_quotes(captures, market, events, compared):
    """Wherever a quote carries the update id of the book, best prices and sizes are equal, without a gap."""
    capture = captures[market]
    feed = BinanceCaptureFeed(capture.path, [capture.spec], market=market)
    book = PlainBook(market)

    async for batch in feed.batches():
        book.take(batch)

    assert (book.events, book.compared, book.mismatches) == (events, compared, 0)
    assert (book.gaps, book.synchronisations) == (0, 1)
    assert feed.counts["messages"] == events


@pytest.mark.parametrize("market", list(Market))
async def test_every_message_of_a_real_capture_agrees_with_plain_parsing(captures, market):
    """Ticks and lots are the decimals of the JSON divided by tick and lot."""
    capture = captures[market]
    tick, lot = Decimal(capture.spec.tick_size), Decimal(capture.spec.lot_size)

    def level(pair):
        return int(Decimal(pair[0]) / tick), int(Decimal(pair[1]) / lot)

    def plain(line):
        stamp, _, text = line.partition(b" ")
        message = json.loads(text)
        data = message.get("data", message)
        time_ns = int(stamp)
        if "lastUpdateId" in data:
            u = data["lastUpdateId"]
            sides = [list(map(level, data[side])) for side in ("bids", "asks")]
            return ("book", time_ns, 0, True, u, u, 0, *sides)
        if data.get("e") == "depthUpdate":
            sides = [list(map(level, data[side])) for side in ("b", "a")]
            return ("book", time_ns, 0, False, data["U"], data["u"], data.get("pu", 0), *sides)
        if data.get("e") == "trade":
            return ("trade", time_ns, 0, *level((data["p"], data["q"])), not data["m"], data["t"])
        return (
            "quote",
            time_ns,
            0,
            *level((data["b"], data["B"])),
            *level((data["a"], data["A"])),
            data["u"],
        )

    feed = BinanceCaptureFeed(capture.path, [capture.spec], market=market)
    with gzip.open(capture.path) as file:
        lines = file.read().splitlines()

    events, _ = await collect(feed)

    assert events[: len(lines)] == [plain(line) for line in lines]


@pytest.mark.parametrize("skip", [0, 1, 7, 99, 100, 1_000])
async def test_a_restart_goes_on_behind_the_events_it_has(tmp_path, skip):
    """The same events on every call, without the first ones."""
    feed = BinanceCaptureFeed(write(tmp_path, "".join(LINES)), [SPEC], batch_events_max=8)

    whole, _ = await collect(feed)
    rest, _ = await collect(feed, skip)

    assert len(whole) == 100
    assert rest == whole[skip:]


async def test_plain_gzip_and_zip_hold_the_same_events(tmp_path):
    """The packing does not matter, nor do several gzip members or a missing last line end."""
    text = "".join(LINES).rstrip("\n").encode()
    paths = [
        write(tmp_path, text),
        write(tmp_path, gzip.compress(text), "x.gz"),
        write(tmp_path, gzip.compress(text[:500]) + gzip.compress(text[500:]), "y.gz"),
    ]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.capture", text)

    everything = [await collect(BinanceCaptureFeed(path, [SPEC])) for path in [*paths, tmp_path / "x.zip"]]

    assert all(found == everything[0] for found in everything)
    assert len(everything[0][0]) == 100


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ("garbage\n", "receive_ns"),
        (ticker(1, -1_000_000), "must not be before"),
        (ticker(51, 51)[:60] + "\n", "json"),
        (ticker(51, 51, "100.001"), "multiple of 0.01"),
        (ticker(51, 51, "-1"), "must not be negative"),
        (ticker(51, 51, "NaN"), "decimal text"),
        ("\x00\xff\n", "receive_ns"),
    ],
)
async def test_a_damaged_line_is_named_after_everything_before_it(tmp_path, bad, rule):
    """Fifty good lines are delivered, then the error names line 51."""
    path = write(tmp_path, "".join(LINES[:50]) + bad + "".join(LINES[51:]))

    events, error = await collect(BinanceCaptureFeed(path, [SPEC], batch_events_max=7))

    assert len(events) == 50
    assert error is not None
    assert error.where == f"{path} line 51"
    assert rule in error.what


async def test_a_cut_gzip_gives_what_is_in_it_then_says_so(captures, tmp_path):
    """Nothing that could be unpacked is lost."""
    packed = captures[Market.SPOT].path.read_bytes()
    path = write(tmp_path, packed[: len(packed) // 2], "cut.gz")

    events, error = await collect(BinanceCaptureFeed(path, [SPEC]))

    assert len(events) > 2_500
    assert error is not None
    assert f"after line {len(events)}" in error.where
    assert "ends early" in error.what


async def test_a_cut_last_line_is_an_error_with_its_number(tmp_path):
    """A truncated capture is not taken for a whole one."""
    path = write(tmp_path, "".join(LINES)[:-20])

    events, error = await collect(BinanceCaptureFeed(path, [SPEC]))

    assert len(events) == 99
    assert error is not None
    assert "line 100" in error.where


@pytest.mark.parametrize(
    ("data", "name", "rule"),
    [
        (b"\x1f\x8b" + b"x" * 40, "x.gz", "damaged gzip"),
        (b"PK\x03\x04" + b"x" * 40, "x.zip", "damaged zip"),
        (b"text", "x.gz", "neither gzip nor zip"),
    ],
)
async def test_a_wrong_packing_is_named(tmp_path, data, name, rule):
    """One error names the file."""
    events, error = await collect(BinanceCaptureFeed(write(tmp_path, data, name), [SPEC]))

    assert events == []
    assert error is not None
    assert rule in error.what


async def test_a_missing_file_and_an_empty_one(tmp_path):
    """A missing file is an error; an empty one has no events."""
    events, error = await collect(BinanceCaptureFeed(tmp_path / "none", [SPEC]))
    assert (events, error is not None and "no such file" in error.what) == ([], True)
    assert await collect(BinanceCaptureFeed(write(tmp_path, b""), [SPEC])) == ([], None)


async def test_a_paced_replay_waits_as_long_as_the_capture_did(tmp_path):
    """At twice real time 99 ms take 49.5 ms, and the events are the same."""
    path = write(tmp_path, "".join(LINES))
    clock = JumpingClock()
    start_ns = clock.now_ns()

    events, _ = await collect(BinanceCaptureFeed(path, [SPEC], speed=2.0, clock=clock))

    assert events == (await collect(BinanceCaptureFeed(path, [SPEC])))[0]
    assert 49_500_000 <= clock.now_ns() - start_ns < 50_500_000


@pytest.mark.parametrize("speed", [0.5, 1.0, 3.0])
async def test_what_is_due_comes_at_once_and_nothing_before_it_is_due(tmp_path, speed):
    """A reader that was away for ten milliseconds gets what these brought at the speed, to the event."""
    path = write(tmp_path, "".join(LINES))
    clock = JumpingClock()
    seen, start_ns = 0, None
    async for batch in BinanceCaptureFeed(path, [SPEC], speed=speed, clock=clock).batches():
        start_ns = clock.now_ns() if start_ns is None else start_ns
        seen += len(batch)
        due = 1 + int((clock.now_ns() - start_ns) * speed / 1_000_000)
        # Between two looks at the clock one more may become due.
        assert min(due - 1, len(LINES)) <= seen <= min(due, len(LINES))
        await clock.sleep_until(clock.now_ns() + 10_000_000)

    assert seen == len(LINES)


async def test_closing_ends_the_replay(tmp_path):
    """`aclose` may come at any time, and twice."""
    feed = BinanceCaptureFeed(write(tmp_path, "".join(LINES)), [SPEC], batch_events_max=10)
    seen = 0
    async for batch in feed.batches():
        seen += len(batch)
        await feed.aclose()
        await feed.aclose()
    assert seen == 10
    for instrument_id in (-1, 0, 1):
        assert await feed.request_snapshot(instrument_id) is False


def test_settings_that_make_no_sense_are_refused(tmp_path):
    """Wrong values are told before anything is read."""
    for changes in ({"speed": -1.0}, {"speed": float("nan")}, {"speed": 1.0}, {"batch_events_max": 0}):
        with pytest.raises(InvalidValueError):
            BinanceCaptureFeed(tmp_path, [SPEC], **changes)
    with pytest.raises(InvalidValueError):
        BinanceCaptureFeed(tmp_path, [])


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(LINES[:5]).map(str.encode),
            st.binary(max_size=80),
            st.builds(
                lambda line, at, byte: line[: at % len(line)] + bytes([byte]) + line[at % len(line) + 1 :],
                st.sampled_from(LINES[:5]).map(str.encode),
                st.integers(0, 500),
                st.integers(0, 255),
            ),
        ),
        max_size=6,
    ).map(b"".join)
)
def test_any_bytes_are_accepted_or_refused_with_one_error(data):
    """Accepted, or DataError; nothing else."""
    decoder = BinanceDecoder("spot", [("BTCUSDT", 0, "0.01", "0.00001")])
    batch = EventBatch()
    try:
        used, is_bounded = decoder.decode_capture(data, True, 1_000, batch)
    except DataError as error:
        assert error.where.startswith("line ")  # noqa: PT017
    else:
        assert (used, is_bounded) == (len(data), False)
    times = [event[1] for event in read_events(batch)]
    assert times == sorted(times)


def is_open(path):
    """Tell whether this process holds a file open."""
    held = set()
    for descriptor in OPEN_FILES.iterdir():
        # The descriptor of this very listing is gone by now.
        with contextlib.suppress(FileNotFoundError):
            held.add(descriptor.readlink())
    return path.resolve() in held


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="needs /proc to see open files")
@pytest.mark.parametrize("packing", ["plain", "gzip", "zip"])
async def test_a_capture_left_half_read_is_let_go_at_once(tmp_path, packing):
    """By `aclose`, also one whose iterator somebody still holds; garbage collection is not waited for."""
    content = "".join(ticker(at, at) for at in range(1, 20_001)).encode()
    path = write(tmp_path, content)
    if packing == "gzip":
        path = write(tmp_path, gzip.compress(content), "x.gz")
    if packing == "zip":
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.capture", content)
    feed = BinanceCaptureFeed(path, [SPEC], batch_events_max=10)
    batches = feed.batches()
    await anext(batches)
    assert is_open(path)

    await feed.aclose()

    assert not is_open(path)
    with pytest.raises(StopAsyncIteration):
        await anext(batches)


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="needs /proc to see open files")
async def test_a_damaged_capture_is_let_go_with_its_error(tmp_path):
    """Whoever keeps the error does not keep the file."""
    path = write(tmp_path, "".join([*LINES[:5], "not a line\n", *LINES * 400]))

    _, error = await collect(BinanceCaptureFeed(path, [SPEC]))

    assert error is not None
    assert not is_open(path)


async def test_a_read_that_is_under_way_lets_the_file_go_when_it_ends(tmp_path, monkeypatch):
    """A slow disk neither holds up `aclose` nor leaves the file open."""
    reading, may_end, was_closed = threading.Event(), threading.Event(), threading.Event()

    def slow_pieces(_path):
        try:
            reading.set()
            may_end.wait(10)
            yield "".join(LINES).encode()
        finally:
            was_closed.set()

    monkeypatch.setattr("tradecore_binance.capture_feed.pieces_of", slow_pieces)
    feed = BinanceCaptureFeed(tmp_path / "any", [SPEC])
    first = asyncio.create_task(anext(feed.batches()))
    await asyncio.to_thread(reading.wait, 10)

    await feed.aclose()
    assert not was_closed.is_set()
    may_end.set()

    assert await asyncio.to_thread(was_closed.wait, 10)
    with pytest.raises(StopAsyncIteration):
        await first
