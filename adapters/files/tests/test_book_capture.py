"""Recorded books of Kraken and OKX: read as events, and what comes before damage is delivered."""

import gzip
import json
import re

import pytest

from support.book_writer import PlainVenue, as_document
from support.shared import EXAMPLE_DATA, shared_data
from tradecore import Engine, EngineSpec, InstrumentSpec, InvalidValueError, Matching, Mode, VenueSpec
from tradecore.domain import DataError
from tradecore.domain.feeds import read_events
from tradecore.domain.spec import ChecksumRule
from tradecore.testkit.market_feed import RecordedFeedContract
from tradecore_files import BookCaptureFeed, BookVenue

KRAKEN_PATH = EXAMPLE_DATA / "kraken-book.json.gz"
OKX_PATH = "public/cryptofeed_captures/OKX.ws.1.0.gz"
KRAKEN = (
    InstrumentSpec(
        symbol="BTC/USD",
        tick_size="0.1",
        lot_size="0.00000001",
        checksum=ChecksumRule.KRAKEN,
        book_levels_max=10,
    ),
)
OKX = tuple(
    InstrumentSpec(
        symbol=symbol, tick_size=tick, lot_size=lot, checksum=ChecksumRule.OKX, book_levels_max=400
    )
    for symbol, tick, lot in [
        ("BTC-USDT", "0.1", "0.00000001"),
        ("BTC-USD-220527", "0.1", "1"),
        ("UNI-USD-SWAP", "0.001", "1"),
    ]
)


def books_of(instruments):
    """Make an engine whose venue is the recorded book."""
    spec = EngineSpec(mode=Mode.BACKTEST, instruments=instruments, venue=VenueSpec(matching=Matching.BOOK))
    return Engine(spec, [])


async def played(feed, instruments):
    """Feed everything to an engine and return it."""
    engine = books_of(instruments)
    async for batch in feed.batches():
        engine.feed(batch)
        engine.run()
    return engine


class TestKraken(RecordedFeedContract):
    """The capture of Kraken keeps the promises of the port."""

    @pytest.fixture
    def feed(self):
        """Return a feed with small batches."""
        return BookCaptureFeed(KRAKEN_PATH, KRAKEN, venue=BookVenue.KRAKEN, batch_events_max=64)


class TestOkx(RecordedFeedContract):
    """A capture in the form of OKX keeps the promises of the port."""

    @pytest.fixture
    def feed(self, tmp_path):
        """Return a feed with small batches."""
        path = tmp_path / "okx.json"
        path.write_text(as_document(list(PlainVenue("okx", "BTC-USDT", 400, "books").messages(120))))
        return BookCaptureFeed(path, OKX[:1], venue=BookVenue.OKX, batch_events_max=7)


async def test_every_checksum_of_a_capture_of_kraken_is_verified_in_the_engine():
    """All of them are compared and none differs."""
    await verify(KRAKEN_PATH, BookVenue.KRAKEN, KRAKEN, 510)


async def test_every_checksum_of_a_capture_of_okx_is_verified_in_the_engine():
    """The same for three instruments of OKX."""
    await verify(shared_data(OKX_PATH), BookVenue.OKX, OKX, 290)


async def verify(path, venue, instruments, checksums):
    """Play a capture and look at its books."""
    engine = await played(BookCaptureFeed(path, instruments, venue=venue), instruments)

    book = engine.summary().book
    print(f"{venue}: {book.compared} checksums verified")
    assert (book.compared, book.mismatches, book.gaps) == (checksums, 0, 0)


async def test_a_flipped_size_is_found_at_that_message(tmp_path):
    """One digit of one size makes the book INVALID at that message, wherever it is among the ten best."""
    document = json.loads(gzip.decompress(KRAKEN_PATH.read_bytes()))
    flipped = next(
        (number, levels[0])
        for number, update in enumerate(document["updates"])
        if number > 100 and (levels := [level for level in update["data"][0]["bids"] if level["qty"] > 1])
    )
    flipped[1]["qty"] = round(flipped[1]["qty"] + 1, 8)
    path = tmp_path / "flipped.json"
    path.write_text(json.dumps(document))

    engine = books_of(KRAKEN)
    invalid_from = None
    feed = BookCaptureFeed(path, KRAKEN, venue=BookVenue.KRAKEN, batch_events_max=1)
    number = 0
    async for batch in feed.batches():
        engine.feed(batch)
        engine.run()
        if invalid_from is None and engine.summary().book.mismatches:
            invalid_from = number
        number += 1

    # The first message is the snapshot.
    assert invalid_from == flipped[0] + 1
    book = engine.summary().book
    assert (book.mismatches, book.gaps, book.resyncs) == (1, 1, 0)


def lines(*payloads):
    """Write payloads as a capture."""
    return "".join(f"{10 * number} {payload}\n" for number, payload in enumerate(payloads)).encode()


def okx(asks="[]", action="update", symbol="BTC-USDT"):
    """Write a message of OKX."""
    arg = f'{{"channel":"books","instId":"{symbol}"}}'
    return f'{{"arg":{arg},"action":"{action}","data":[{{"asks":{asks},"bids":[],"checksum":-1}}]}}'


async def test_what_comes_before_a_damaged_message_is_delivered_and_the_damage_named(tmp_path):
    """The error names line, field, value and rule."""
    path = tmp_path / "okx.capture"
    path.write_bytes(lines(okx('[["1.5","1"]]', "snapshot"), okx('[["1.55","1"]]')))
    delivered = []

    async def deliver():
        async for batch in BookCaptureFeed(path, OKX, venue=BookVenue.OKX).batches():
            delivered.extend(read_events(batch))

    with pytest.raises(DataError, match=re.escape(f'{path} line 2: price "1.55": must be a multiple of 0.1')):
        await deliver()
    assert [event[:4] for event in delivered] == [("book", 0, 0, True)]
    assert delivered[0][-1] == 2**32 - 1


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"1 {}\nnonsense\n", "line 2: .*must be a receive time and a JSON message"),
        (b"5 " + okx().encode() + b"\n4 " + okx().encode(), "line 2: receive_ns .* must not fall"),
        (b'{"init": {}}', "must be an object with `init` and `updates`"),
        (b'{"init": {"data": 1}, "updates": []}', "init: must be a message with `data`"),
        (b'{"init": {"data": []}, "updates": []}', "none of the messages states a timestamp"),
        (b'{"init": {"data": [{"timestamp": "noon"}]}, "updates": []}', "must be ISO 8601"),
        (b"", "the file is empty"),
    ],
)
async def test_a_file_that_is_no_capture_is_named(tmp_path, data, what):
    """Whatever the bytes are, the outcome is events or a `DataError`."""
    path = tmp_path / "capture"
    path.write_bytes(data)
    with pytest.raises(DataError, match=what):
        async for _ in BookCaptureFeed(path, OKX, venue=BookVenue.OKX).batches():
            pass


async def test_notes_of_the_recorder_and_other_pairs_are_passed_over(tmp_path):
    """Only book messages of the pairs asked for become events; times keep every digit."""
    path = tmp_path / "capture"
    lines = [
        "wss://venue <-> 1.5",
        "wss://venue <- 1.5: {}",
        f"1652459236.2125025: {okx(action='snapshot')}",
        f"1652459236.3: {okx(symbol='OTHER')}",
    ]
    path.write_text("\n".join(lines))
    events = [
        event
        async for batch in BookCaptureFeed(path, OKX, venue=BookVenue.OKX).batches()
        for event in read_events(batch)
    ]
    assert [event[:3] for event in events] == [("book", 1652459236212502500, 0)]


def test_instruments_that_make_no_sense_are_refused():
    """Before anything is read."""
    with pytest.raises(InvalidValueError, match="at least one symbol"):
        BookCaptureFeed("nowhere", [], venue=BookVenue.OKX)
    with pytest.raises(InvalidValueError, match="batch_events_max"):
        BookCaptureFeed("nowhere", OKX, venue=BookVenue.OKX, batch_events_max=0)


@pytest.mark.parametrize("batch_events_max", [1, 7, 64, 300])
async def test_a_batch_ends_with_the_message_that_fills_it(batch_events_max):
    """A message may bring several events, so a batch may be a little longer than what was asked for."""
    feed = BookCaptureFeed(KRAKEN_PATH, KRAKEN, venue=BookVenue.KRAKEN, batch_events_max=batch_events_max)
    sizes = [len(batch) async for batch in feed.batches()]
    whole = BookCaptureFeed(KRAKEN_PATH, KRAKEN, venue=BookVenue.KRAKEN)

    assert sum(sizes) == sum([len(batch) async for batch in whole.batches()])
    assert len(sizes) > 1
    assert all(batch_events_max <= size < batch_events_max + 8 for size in sizes[:-1])


@pytest.mark.parametrize("instrument_id", [-1, 0, 1])
async def test_a_capture_has_no_snapshot_beside_its_own(instrument_id):
    """Whoever waits for one waits for what the capture brings."""
    feed = BookCaptureFeed(KRAKEN_PATH, KRAKEN, venue=BookVenue.KRAKEN)

    assert await feed.request_snapshot(instrument_id) is False
