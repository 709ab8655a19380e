"""The past of Binance by its REST interface: pages, numbers, weights, waits, and answers without sense."""

import json
from itertools import pairwise

import msgspec
import pytest

from support.binance_rest import aggregates_of, serving_rest, trades_of
from support.sessions import FakeClock
from tradecore.domain import DataError, InvalidValueError, VenueError
from tradecore.domain.past import BarsBetween, TradesAfter
from tradecore.testkit.history import HistoryContract
from tradecore_binance import Market
from tradecore_binance.history import BinanceHistory

MS = 1_000_000
S = 1_000_000_000
MARKETS = list(Market)


@pytest.fixture(params=MARKETS)
def market(request):
    """Return each market."""
    return request.param


@pytest.fixture
def capture(captures, market):
    """Return the capture of a market."""
    return captures[market]


@pytest.fixture
async def there(capture):
    """Serve the trades of a capture."""
    async with serving_rest(capture.market, aggregates_of(trades_of(capture))) as venue:
        yield venue


@pytest.fixture
async def history(there, capture):
    """Return the past as it is served, on a clock that is the venue's."""
    made = BinanceHistory(
        [capture.spec], FakeClock(there.now_ms * MS), market=capture.market, rest_url=there.url
    )
    yield made
    await made.aclose()


class TestContract(HistoryContract):
    """The promises of the port, for spot: the market with bars of a second."""

    @pytest.fixture(params=[Market.SPOT])
    def market(self, request):
        """Return the one with bars of a second."""
        return request.param

    @pytest.fixture
    def now_ns(self, there):
        """Return the venue's time."""
        return there.now_ms * MS


async def asked(history, **question):
    """Ask for trades."""
    return await history.query(TradesAfter(instrument=0, **({"from_ns": 0} | question)))


async def test_trades_are_the_venues_own(history, there, capture):
    """Price, size, side, time and number of the last of those that it shows as one."""
    past = await asked(history)
    tick, lot = float(capture.spec.tick_size), float(capture.spec.lot_size)
    assert past.missing == ""
    assert [
        (trade.time_ns, trade.price_ticks, trade.lots, trade.is_buy, trade.trade_id) for trade in past.trades
    ] == [
        (row["T"] * MS, round(float(row["p"]) / tick), round(float(row["q"]) / lot), not row["m"], row["l"])
        for row in there.aggregates
    ]
    assert past.is_followed is (capture.market == Market.SPOT)
    assert not past.has_every_number


async def test_pages_have_no_seam(history, there, monkeypatch):
    """Nothing is lost or doubled between two of them, wherever they end."""
    whole = (await asked(history)).trades
    for rows in (1, 7, 64):
        monkeypatch.setattr("tradecore_binance.history._PAGE", rows)
        for at in range(0, len(whole), max(len(whole) // 5, 1)):
            later = await asked(history, after_id=whole[at].trade_id)
            assert later.trades == whole[at + 1 :]
            assert later.missing == ""
            from_ns = whole[at].time_ns
            assert (await asked(history, from_ns=from_ns)).trades == tuple(
                trade for trade in whole if trade.time_ns >= from_ns
            )


async def test_one_that_is_known_in_part_comes_whole(history, there):
    """The journal may end within what the venue shows as one: then only what is new of it counts as new."""
    several = next((row for row in there.aggregates if row["l"] > row["f"]), None)
    if several is None:
        pytest.skip("every aggregate of this capture is one trade")
    later = await asked(history, after_id=several["f"])
    assert later.trades[0].trade_id == several["l"]
    assert later.missing == ""


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_hole_in_the_numbers_is_missing(history, there, is_known):
    """Of aggregates and of the trades in them; on spot every trade has a number."""
    whole = (await asked(history)).trades
    known = {"after_id": whole[3].trade_id} if is_known else {}
    del there.aggregates[8]
    assert "does not show aggregates" in (await asked(history, **known)).missing
    for number, row in enumerate(there.aggregates):
        row["a"] = number
    assert "does not show trades" in (await asked(history, **known)).missing
    del there.aggregates[:8]
    missing = (await asked(history, **known)).missing
    assert missing == f"the venue has no trades before number {there.aggregates[0]['f']}"


async def test_the_beginning_is_found_in_few_requests(history, there, monkeypatch):
    """In longer and longer steps back, then by halves: not page after page."""
    monkeypatch.setattr("tradecore_binance.history._PAGE", 2)
    whole = (await asked(history)).trades
    there.asked.clear()
    known = whole[len(whole) // 2]
    await asked(history, after_id=known.trade_id)
    searched = [query for _, query in there.asked if query["limit"] == "1"]
    assert 0 < len(searched) < 24


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM], indirect=True)
async def test_bars_come_in_pages_and_say_what_lacks(history, there, monkeypatch):
    """Each in which something traded, once; before the first one nothing is known."""
    first, last = there.aggregates[0]["T"] * MS, there.now_ms * MS
    span = S if there.market is Market.SPOT else 60 * S
    there.now_ms += 600_000
    last = there.now_ms * MS
    question = BarsBetween(instrument=0, span_ns=span, from_ns=first - first % span, to_ns=last)
    whole = await history.query(question)
    assert whole.missing == ""
    assert sum(bar.volume_lots for bar in whole.bars) >= len(whole.bars) > 0
    monkeypatch.setattr("tradecore_binance.history._PAGE", 3)
    monkeypatch.setattr(there, "rows_max", 3)
    assert await history.query(question) == whole
    earlier = msgspec.structs.replace(question, from_ns=question.from_ns - 3 * span)
    assert "has no bars before" in (await history.query(earlier)).missing
    assert all(one.close_ns <= two.open_ns for one, two in pairwise(whole.bars))


@pytest.mark.parametrize("market", [Market.USDM], indirect=True)
async def test_a_length_that_the_venue_has_not_is_refused(history, there):
    """Before anything is asked; the rule names those that it has."""
    for span in (S, 7 * 60 * S, 0):
        with pytest.raises(InvalidValueError, match="1m, 3m, 5m"):
            await history.query(BarsBetween(instrument=0, span_ns=span, from_ns=0, to_ns=10**18))
    assert there.asked == []


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
async def test_a_bar_that_has_not_closed_by_the_venues_clock_is_waited_for(history, there):
    """Our clock may be ahead; what is said is when to ask again."""
    to_ns = (there.now_ms + 2_500) * MS
    with pytest.raises(VenueError, match="is our clock ahead") as error:
        await history.query(BarsBetween(instrument=0, span_ns=S, from_ns=to_ns - 60 * S, to_ns=to_ns))
    assert error.value.retry_after_ns == 3_500_000_000
    assert [name for name, _ in there.asked] == ["time"]


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
async def test_when_the_venue_says_when_to_come_back_the_page_is_asked_for_then(history, there):
    """Three times at most, and not after a ban: that is said at once."""
    whole = await asked(history)
    there.answers = [None, (429, {"Retry-After": "7"}, b"slow down")]
    before_ns = history._clock.now_ns()
    assert await asked(history) == whole
    assert history._clock.now_ns() - before_ns == 7 * S
    there.answers = [(429, {"Retry-After": "1"}, b"slow down")] * 3
    with pytest.raises(VenueError, match="answered 429") as error:
        await asked(history)
    assert error.value.retry_after_ns == S
    there.asked.clear()
    there.answers = [(418, {"Retry-After": "600"}, b"banned")]
    with pytest.raises(VenueError, match="answered 418") as error:
        await asked(history)
    assert (error.value.retry_after_ns, len(there.asked)) == (600 * S, 1)


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
async def test_no_more_is_asked_than_half_of_what_the_venue_allows(history, there, monkeypatch):
    """And nothing while others at the address have used nine tenths of it: the next minute is waited for."""
    monkeypatch.setattr("tradecore_binance.history._PAGE", 1)
    clock = history._clock
    clock.time_ns -= clock.time_ns % (60 * S)
    began_ns = clock.now_ns()
    past = await asked(history)
    requests = len(past.trades) + 2
    assert requests * 4 > 3_000, "the capture is long enough"
    assert (clock.now_ns() - began_ns) // (60 * S) == requests * 4 // 3_000
    there.used_weight = "5398"
    await asked(history, after_id=past.last_id)
    before_ns = clock.now_ns()
    await asked(history, after_id=past.last_id)
    assert clock.now_ns() > before_ns


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[{}]",
        b"\xff",
        b'[{"a":1}]',
        b'[{"a":"1","p":1,"q":"1"}]',
        b"[[1,2]]",
        b"null",
    ],
)
async def test_an_answer_without_sense_is_no_answer(history, there, body):
    """Asking again may help; of trades, of bars and of the time alike."""
    there.answers = [(200, {}, body)]
    with pytest.raises(VenueError, match="makes no sense"):
        await asked(history)
    for answers in ([(200, {}, body)], [None, (200, {}, body)]):
        there.answers = list(answers)
        to_ns = there.now_ms * MS
        with pytest.raises(VenueError, match="makes no sense"):
            await history.query(BarsBetween(instrument=0, span_ns=S, from_ns=to_ns - 60 * S, to_ns=to_ns))


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("p", "1.005", "no multiple of the tick size"),
        ("p", "-1", "is no price or size"),
        ("p", "NaN", "is no price or size"),
        ("q", "1e30", "is no price or size"),
        ("q", "x", "is no price or size"),
        ("p", "1" * 41, "is no price or size"),
    ],
)
async def test_a_number_that_cannot_be_used_is_an_error(history, there, field, value, words):
    """A price off the tick cannot be a price of this engine."""
    there.aggregates[-1][field] = value
    with pytest.raises(DataError, match=words):
        await asked(history)


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
async def test_what_is_below_a_lot_is_left_out_and_its_number_is_known(history, there):
    """As by the live feed."""
    there.aggregates[-1]["q"] = "0.000001"
    past = await asked(history)
    assert len(past.trades) == len(there.aggregates) - 1
    assert past.last_id == there.aggregates[-1]["l"]


@pytest.mark.parametrize("market", [Market.SPOT], indirect=True)
async def test_a_market_without_a_trade_has_no_past(capture):
    """Nothing is missing of it."""
    async with serving_rest(capture.market, [], now_ms=1) as empty:
        made = BinanceHistory([capture.spec], FakeClock(), market=capture.market, rest_url=empty.url)
        past = await asked(made)
        await made.aclose()
    assert (past.trades, past.missing, past.last_id) == ((), "", 0)


def test_the_documented_rows_are_read():
    """The example of the venue's documentation, as other adapters keep it."""
    rows = json.loads(
        '[[1499040000000,"0.01","0.8","0.01","0.02","148976.1",1499644799999,"2434.1",308,"1","2","0"]]'
    )
    assert msgspec.json.decode(msgspec.json.encode(rows), type=list[_row()])[0][0] == 1_499_040_000_000


def _row():
    from tradecore_binance import history

    return history._Row
