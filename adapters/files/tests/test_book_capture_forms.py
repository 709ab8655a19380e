"""Every documented form of a recorded book, from every venue, at every depth."""

import gzip
import json
import zipfile

import pytest

from support.book_writer import START_NS, PlainVenue, as_cryptofeed, as_document, as_lines
from tradecore import Engine, EngineSpec, InstrumentSpec, Matching, Mode, VenueSpec
from tradecore.domain import DataError
from tradecore.domain.feeds import read_events
from tradecore.domain.spec import ChecksumRule
from tradecore_files import BookCaptureFeed, BookVenue, book_contents

FORMS = {"lines": as_lines, "cryptofeed": as_cryptofeed, "document": as_document}
CHANNELS = [
    ("kraken", "BTC/USD", 10, None),
    ("kraken", "BTC/USD", 25, None),
    ("kraken", "BTC/USD", 100, None),
    ("kraken_v1", "XBT/USD", 10, None),
    ("kraken_v1", "XBT/USD", 25, None),
    ("kraken_v1", "XBT/USD", 100, None),
    ("okx", "BTC-USDT", 50, "books50-l2-tbt"),
    ("okx", "BTC-USDT", 400, "books"),
    ("okx", "BTC-USDT", 400, "books-l2-tbt"),
    ("okx", "BTC-USDT", 5, "books5"),
    ("okx", "BTC-USDT", 1, "bbo-tbt"),
]


def instrument(venue, symbol, levels_max):
    """State a pair as the venue writes it."""
    rule = ChecksumRule.OKX if venue == "okx" else ChecksumRule.KRAKEN
    return InstrumentSpec(
        symbol=symbol, tick_size="0.1", lot_size="0.00000001", checksum=rule, book_levels_max=levels_max
    )


async def played(path, venue, spec):
    """Feed a capture to an engine; return what it says of its book, and the events."""
    engine_spec = EngineSpec(mode=Mode.BACKTEST, instruments=(spec,), venue=VenueSpec(matching=Matching.BOOK))
    engine, events = Engine(engine_spec, []), []
    async for batch in BookCaptureFeed(path, [spec], venue=BookVenue(venue)).batches():
        events += read_events(batch)
        engine.feed(batch)
        engine.run()
    return engine.summary().book, events


@pytest.mark.parametrize(("venue", "symbol", "depth", "channel"), CHANNELS)
@pytest.mark.parametrize("form", FORMS)
async def test_each_form_of_each_venue_and_depth_is_read(tmp_path, form, venue, symbol, depth, channel):
    """The capture names its depth, and with it every checksum holds, whatever the levels do."""
    messages = list(PlainVenue(venue, symbol, depth, channel).messages(200))
    path = tmp_path / "capture"
    path.write_text(FORMS[form](messages))

    pair = book_contents(path, BookVenue(venue)).pairs[symbol]
    book, events = await played(path, venue, instrument(venue, symbol, pair.levels_max))

    has_sums = channel not in {"books5", "bbo-tbt"}
    without = (1 if venue == "kraken_v1" else 0) if has_sums else 201
    assert pair.levels_max == depth
    assert (book.compared, book.mismatches, book.gaps) == (201 - without, 0, 0)
    assert len(events) == 201
    # The snapshot of Kraken v2 states no time in a document: it has that of the first change.
    assert events[0][1] - START_NS in {0, 250_000_000}
    assert events[1][1] == START_NS + 250_000_000


async def test_the_wrong_depth_is_found_by_the_checksums(tmp_path):
    """A book of 25 levels that is cut at 10 is not the venue's: the test above can fail."""
    path = tmp_path / "capture"
    path.write_text(as_lines(PlainVenue("kraken", "BTC/USD", 25).messages(200)))

    book, _ = await played(path, "kraken", instrument("kraken", "BTC/USD", 10))

    assert book.mismatches > 0


@pytest.mark.parametrize("form", FORMS)
def test_a_recorded_subscription_names_the_depth(tmp_path, form):
    """A thin book has fewer levels than were asked for."""
    messages = list(PlainVenue("kraken", "BTC/USD", 10).messages(60))
    result = {"channel": "book", "depth": 100, "symbol": "BTC/USD", "snapshot": True}
    answer = json.dumps({"method": "subscribe", "success": True, "result": result})
    path = tmp_path / "capture"
    path.write_text(FORMS[form]([messages[0], (START_NS, answer), *messages[1:]]))

    pair = book_contents(path, BookVenue.KRAKEN).pairs["BTC/USD"]

    assert (pair.levels_max, pair.snapshots, pair.updates) == (100, 1, 60)
    assert (pair.price_decimals, pair.size_decimals) == (1, 8)


def test_packed_captures_are_read_as_they_are(tmp_path):
    """Gzip and zip hold the same messages."""
    text = as_document(list(PlainVenue("okx", "BTC-USDT", 50, "books50-l2-tbt").messages(5))).encode()
    (tmp_path / "a").write_bytes(text)
    (tmp_path / "b.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("capture", text)

    found = {str(book_contents(tmp_path / name, BookVenue.OKX)) for name in ("a", "b.gz", "c.zip")}

    assert len(found) == 1
    assert "snapshots=1, updates=5" in found.pop()


@pytest.mark.parametrize(
    ("venue", "text", "what"),
    [
        (
            "okx",
            '{"init": {"data": [{"ts": "soon"}]}, "updates": []}',
            "init: ts 'soon': must be milliseconds",
        ),
        (
            "kraken_v1",
            '{"init": [1, {"as": [["1", "1", "noon"]]}], "updates": []}',
            "must be seconds since 1970",
        ),
        ("kraken_v1", '{"init": [1, {"as": 5}], "updates": []}', "must be a message of Kraken v1"),
        (
            "okx",
            '5 {"arg": {"channel": "books", "instId": "X"}, "data": [{"bids": 1}]}',
            "line 1: is no message of",
        ),
        ("kraken", "5 [1]", "line 1: is no message of kraken"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, venue, text, what):
    """With the place and the rule."""
    path = tmp_path / "capture"
    path.write_text(text)
    with pytest.raises(DataError, match=what):
        book_contents(path, BookVenue(venue))


async def test_changes_of_okx_without_a_checksum_are_refused(tmp_path):
    """Only channels that send everything each time may leave it out."""
    message = (
        '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[],"bids":[]}]}'
    )
    path = tmp_path / "capture"
    path.write_text(f"5 {message}\n")
    with pytest.raises(DataError, match=r"checksum .*must be there"):
        await played(path, "okx", instrument("okx", "BTC-USDT", 400))


@pytest.mark.parametrize(
    ("levels", "depth"),
    [
        *((1, 10), (10, 10), (11, 25), (25, 25), (26, 100), (100, 100), (101, 500), (500, 500), (501, 1000)),
        *((1000, 1000), (1001, 1000)),
    ],
)
def test_without_a_subscription_the_smallest_depth_on_offer_holds_the_snapshot(tmp_path, levels, depth):
    """The longer side tells; a snapshot longer than any depth has the largest one."""
    sides = [[{"price": 100 + at, "qty": 1.5} for at in range(count)] for count in (levels, 1)]
    path = tmp_path / "capture"
    for bids, asks in (sides, sides[::-1]):
        data = [{"symbol": "BTC/USD", "bids": bids, "asks": asks, "checksum": 0}]
        path.write_text(
            as_lines([(START_NS, json.dumps({"channel": "book", "type": "snapshot", "data": data}))])
        )

        assert book_contents(path, BookVenue.KRAKEN).pairs["BTC/USD"].levels_max == depth
