"""Definitions of instruments: what the venue is asked, and what its answer makes of each."""

import json

import pytest

from tradecore.domain import DataError, EventBatch, InstrumentKind, InstrumentSpec, SequenceRule
from tradecore_binance import exchange_info
from tradecore_binance.exchange_info import fetch_instruments
from tradecore_binance.market import ENDPOINTS, Market, make_decoder

FILTERS = [
    {"filterType": "PRICE_FILTER", "tickSize": "0.0100"},
    {"filterType": "LOT_SIZE", "stepSize": "10.000"},
    {"filterType": "OTHER"},
]


@pytest.fixture
def venue(monkeypatch):
    """A venue that answers a body and notes what it was asked."""
    asked = []

    async def get(session, url, parameters):
        asked.append((url, parameters))
        return asked.body

    class Asked(list):
        body = b""

    asked = Asked()
    monkeypatch.setattr(exchange_info, "get", get)
    return asked


def body_of(*symbols, **changes):
    """Return the answer with these symbols."""
    return json.dumps(
        {"symbols": [{"symbol": symbol, "filters": FILTERS, **changes} for symbol in symbols]}
    ).encode()


@pytest.mark.parametrize("market", Market)
async def test_spot_alone_is_asked_for_symbols(venue, market):
    """The futures know no such question, and answer with all of them."""
    venue.body = body_of("B", "OTHER", "A", contractSize=10)
    first, second = await fetch_instruments(None, market, ["A", "B"])

    url = f"{ENDPOINTS[market].rest_url}{ENDPOINTS[market].rest_path}/exchangeInfo"
    assert venue == [(url, {"symbols": '["A","B"]'} if market is Market.SPOT else {})]
    assert (first.symbol, second.symbol) == ("A", "B")
    assert (first.tick_size, first.lot_size) == ("0.01", "10")
    is_coin = market is Market.COINM
    assert first.kind is (InstrumentKind.INVERSE if is_coin else InstrumentKind.LINEAR)
    assert first.multiplier == ("10" if is_coin else "1")
    is_spot = market is Market.SPOT
    assert first.sequence is (SequenceRule.BINANCE_SPOT if is_spot else SequenceRule.BINANCE_FUTURES)


async def test_another_host_may_be_asked(venue):
    """Its path is that of the market."""
    venue.body = body_of("A")
    await fetch_instruments(None, Market.USDM, ["A"], rest_url="http://here")

    assert venue[0][0] == "http://here/fapi/v1/exchangeInfo"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "the answer is not what the venue documents"),
        (b"\xff", "the answer is not what the venue documents"),
        (b"{}", "the answer is not what the venue documents"),
        (body_of("B"), "spot has no symbol 'A'; check instruments.symbol"),
        (body_of("A", filters=FILTERS[:1]), "A has no PRICE_FILTER or LOT_SIZE"),
        (body_of("A", filters=FILTERS[1:]), "A has no PRICE_FILTER or LOT_SIZE"),
        (body_of("A", filters=[{"filterType": "PRICE_FILTER"}, FILTERS[1]]), "has no PRICE_FILTER"),
        (body_of("A", filters=[FILTERS[0], {"filterType": "LOT_SIZE"}]), "has no PRICE_FILTER"),
        (
            body_of("A", filters=[FILTERS[0], {"filterType": "LOT_SIZE", "stepSize": "x"}]),
            "A has a step that is no number",
        ),
    ],
)
async def test_an_answer_that_cannot_be_used_is_told(venue, body, words):
    """With where it came from."""
    venue.body = body
    with pytest.raises(DataError, match="exchangeInfo.*" + words):
        await fetch_instruments(None, Market.SPOT, ["A"])


def test_a_snapshot_without_a_name_is_of_the_first_instrument():
    """An answer over REST names none; only the grid of the first one has its prices."""
    fits, other = (InstrumentSpec(symbol=tick, tick_size=tick) for tick in ("0.01", "7"))
    payload = b'{"lastUpdateId":5,"bids":[["10.00","1"]],"asks":[["11.00","1"]]}'
    batch = EventBatch()
    make_decoder(Market.SPOT, [fits, other]).decode(1, payload, batch)

    assert len(batch) == 1
    with pytest.raises(DataError, match=r"10\.00"):
        make_decoder(Market.SPOT, [other, fits]).decode(1, payload, EventBatch())
