"""The past of the local venue: pages, what is let go of, and answers that are not whole."""

import pytest

from support.local_venue import DEMO, serving
from support.sessions import START_NS, FakeClock
from tradecore.domain import InstrumentSpec
from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.past import BarsBetween, TradesAfter
from tradecore.testkit.local_venue import FaultRule
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind
from tradecore_local.history import LocalHistory
from tradecore_local.server import desk

S = 1_000_000_000


async def past_of(ground, question, instruments=None):
    """Ask the venue after ten seconds."""
    history = LocalHistory(ground.server.url, instruments or ground.instruments)
    try:
        return await history.query(question)
    finally:
        await history.aclose()


def fault(kind, endpoint):
    """Let the first answer of an endpoint go wrong."""
    return FaultRule(kind=kind, endpoint=endpoint, counts=(1,))


@pytest.fixture
def clock():
    """Return a clock that has gone on by ten seconds once a venue is there."""
    return FakeClock()


async def test_many_trades_come_in_pages_without_a_hole(clock, monkeypatch):
    """And are the venue's own, number by number."""
    monkeypatch.setattr(desk, "_PAST_PAGE", 7)
    async with serving(clock=clock) as ground:
        clock.time_ns += 10 * S
        past = await past_of(ground, TradesAfter(instrument=1, from_ns=0))
        kept = list(ground.server.exchange.book(1).kept)

    assert len(past.trades) > 3 * 7
    assert [
        (trade.trade_id, trade.time_ns, trade.price_ticks, trade.lots, trade.is_buy) for trade in past.trades
    ] == [(match.trade, match.time_ns, match.price_ticks, match.lots, match.is_buy) for match in kept]


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_the_venue_has_let_go_of_is_missing(clock, monkeypatch, is_known):
    """Of trades from a time on, and of those after a number; not where nothing of it was asked for."""
    monkeypatch.setattr("tradecore.testkit.local_venue.book.TRADES_KEPT", 10)
    async with serving(clock=clock) as ground:
        clock.time_ns += 10 * S
        ground.server.exchange.advance(clock.time_ns)
        oldest = ground.server.exchange.book(0).kept[0]
        known = {"after_id": oldest.trade - 2} if is_known else {}
        missing = await past_of(ground, TradesAfter(instrument=0, from_ns=0, **known))
        known = {"after_id": oldest.trade - 1} if is_known else {}
        from_ns = 0 if is_known else oldest.time_ns + 1
        whole = await past_of(ground, TradesAfter(instrument=0, from_ns=from_ns, **known))
        bars = await past_of(
            ground, BarsBetween(instrument=0, span_ns=S, from_ns=START_NS, to_ns=clock.time_ns)
        )

    assert missing.missing == f"the venue has no trades before number {oldest.trade}"
    assert whole.missing == ""
    assert bars.missing.startswith("the venue has no bars before 2026-01-01T")


@pytest.mark.parametrize("endpoint", [Endpoint.TRADES, Endpoint.BARS])
async def test_half_an_answer_says_that_it_is_not_all(clock, endpoint):
    """A part that was taken for the whole would make other indicators."""
    question = (
        TradesAfter(instrument=0, from_ns=0)
        if endpoint is Endpoint.TRADES
        else BarsBetween(instrument=0, span_ns=S, from_ns=START_NS, to_ns=START_NS + 9 * S)
    )
    rules = [FaultRule(kind=FaultKind.PARTIAL_PAGE, endpoint=endpoint, probability_ppm=1_000_000)]
    async with serving(clock=clock) as ground:
        clock.time_ns += 10 * S
        whole = await past_of(ground, question)
    clock = FakeClock()
    async with serving(DEMO, *rules, clock=clock) as ground:
        clock.time_ns += 10 * S
        half = await past_of(ground, question)

    assert whole.missing == ""
    assert half.missing
    assert len(half.trades + half.bars) <= len(whole.trades + whole.bars)


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.HTML_PAGE, FaultKind.TRUNCATED_JSON])
async def test_an_answer_that_is_none_is_an_error_and_no_empty_past(clock, kind):
    """Whoever asks may ask again."""
    async with serving(DEMO, fault(kind, Endpoint.TRADES), clock=clock) as ground:
        clock.time_ns += 10 * S
        with pytest.raises(VenueError):
            await past_of(ground, TradesAfter(instrument=0, from_ns=0))


async def test_a_market_that_is_not_there_is_an_error(clock):
    """And so is a length of no time."""
    other = [InstrumentSpec(symbol="NOPE", tick_size="0.01", lot_size="0.0001")]
    async with serving(clock=clock) as ground:
        with pytest.raises(VenueError, match="there is no market 'NOPE'"):
            await past_of(ground, TradesAfter(instrument=0, from_ns=0), other)
        with pytest.raises((InvalidValueError, VenueError), match="above 0"):
            await past_of(ground, BarsBetween(instrument=0, span_ns=0, from_ns=0, to_ns=S))
