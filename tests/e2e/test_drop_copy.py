"""A drop copy over real sockets: an engine at a venue whose stream is healthy and leaves fills out."""

import asyncio

import pytest

from support.embedded_live import trading
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule
from tradecore_api.wiring import sessions

# No comparison but that of the start, and no question about an order for a while: nobody else finds a fill.
ALONE = {"check_interval_ms": 0, "report_timeout_ms": 15_000, "answer_timeout_ms": 5_000}
TAKER = {"class": "support.taker:Taker"}
ALWAYS = {"probability_ppm": 1_000_000}
SECOND_NS = 1_000_000_000
# What the promise allows: five seconds, and the proof.
BOOKED_WITHIN_NS = 5 * SECOND_NS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def untold():
    """Return what makes a stream say nothing of trades: neither by themselves nor by their orders."""
    endpoints = (Endpoint.STREAM_FILL, Endpoint.STREAM_ORDER, Endpoint.STREAM_BALANCE)
    return [FaultRule(kind=FaultKind.FRAME_UNSENT, endpoint=each, **ALWAYS) for each in endpoints]


async def test_fills_that_no_frame_ever_told_are_booked_in_time(tmp_path):
    """Each once, to the last unit, and the account can be closed by fills that nobody tells either."""
    drop_copy = {"interval_ms": 1_000}
    async with trading(tmp_path, *untold(), drop_copy=drop_copy, live_waits=ALONE, strategy=TAKER) as live:
        await live.until(lambda said: said["fills"] >= 5 and said["venue"]["drop_copy"]["booked"] >= 3, 90)
        said = await live.settled(90)
        assert live.compared(said).differences == ()
    assert sessions.replay(live.journal).state_hash
    delays = [
        record[1] - fields["venue_time_ns"]
        for record in live.journal.reader()
        for kind, fields in [record[2:4]]
        if kind == "venue_report" and fields["report"] == "fill"
    ]
    assert len(delays) >= 5
    assert max(delays) < BOOKED_WITHIN_NS, sorted(delays)[-5:]


async def test_a_busy_account_is_looked_at_again_and_again_without_a_false_alarm(tmp_path):
    """What is on its way when it looks is none: books and venue are compared at the start alone."""
    async with trading(tmp_path, drop_copy={"interval_ms": 100}) as live:
        said = await live.until(
            lambda said: said["fills"] >= 50 and said["venue"]["drop_copy"]["looks"] >= 40, 90
        )
        assert said["venue"]["drop_copy"]["booked"] == 0
        assert live.compared(await live.settled()).differences == ()
    kinds = [kind for _, _, kind, _ in live.journal.reader()]
    assert kinds.count("reconciling") == 1


async def test_an_endpoint_that_is_down_halts_nothing(tmp_path):
    """Every question to it fails; orders go on, and the status says it."""
    rules = [FaultRule(kind=FaultKind.SERVER_ERROR, endpoint=Endpoint.FILLS, **ALWAYS)]
    async with trading(tmp_path, drop_copy={"interval_ms": 200}, query_rules=rules) as live:
        said = await live.until(
            lambda said: said["fills"] >= 3 and said["venue"]["drop_copy"]["trouble"] != "", 60
        )
        assert "503" in said["venue"]["drop_copy"]["trouble"]
        assert said["venue"]["step"] == "agreed"
        assert live.compared(await live.settled()).differences == ()


async def test_one_that_lies_books_nothing_and_stops_new_risk(tmp_path):
    """It claims that there never was a trade: both are said, and the books stay as the venue told them."""
    rules = [FaultRule(kind=FaultKind.EMPTY_LIST, endpoint=Endpoint.FILLS, **ALWAYS)]
    async with trading(tmp_path, drop_copy={"interval_ms": 200}, query_rules=rules) as live:
        said = await live.until(
            lambda said: said.get("venue") and said["venue"]["drop_copy"]["step"] == "contradicts", 60
        )
        assert said["venue"]["step"] == "doubted"
        assert "does not have trade" in said["venue"]["drop_copy"]["findings"][0]
        fills = said["fills"]
        assert fills > 0
        assert live.engine.is_ready is False
        await asyncio.sleep(0.5)
        assert live.engine.status()["fills"] == len(booked(live))


async def test_old_answers_book_nothing_and_halt_nothing(tmp_path):
    """As from a cache on the way: they are said to be old."""
    rules = [
        FaultRule(kind=FaultKind.OLD_ANSWER, endpoint=each, **ALWAYS)
        for each in (Endpoint.FILLS, Endpoint.POSITIONS, Endpoint.BALANCES)
    ]
    async with trading(tmp_path, drop_copy={"interval_ms": 200}, query_rules=rules) as live:
        said = await live.until(
            lambda said: said["fills"] >= 3 and "old answer" in said["venue"]["drop_copy"]["trouble"], 60
        )
        assert said["venue"]["step"] == "agreed"
        assert live.compared(await live.settled()).differences == ()


def booked(live):
    """Return the fills of the journal."""
    return [
        fields
        for _, _, kind, fields in live.journal.reader()
        if kind == "report" and fields["report"] == "fill"
    ]
