"""A second reader of a live account: it finds what a healthy stream left out, and books nothing by itself."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from support.live_session import ready, running
from support.scripted_venue import QUICK, ScriptedVenue
from support.second_reader import SecondReader, copy_of, other
from tradecore.domain.venue_findings import FillSeen
from tradecore.runtime.live import drop_copy_line
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.drop_copy import SECOND_LOOK_NS

# Checks of the line of orders itself are switched off: what is found is found by the second reader.
ALONE = {"check_seconds": 0, "report_seconds_max": 60}
PHANTOM = FillSeen(
    client_order_id=None,
    venue_order_id="V9",
    instrument=0,
    symbol="BTC-USD",
    side="buy",
    trade_id="T9",
    price_ticks=95,
    lots=3,
    liquidity="maker",
    fee=Decimal("0.01"),
    fee_currency="USD",
    time_ns=1_767_225_600_000_000_001,
)


@pytest.fixture
def venue():
    """Return a venue."""
    return ScriptedVenue()


@pytest.fixture
def reader(venue):
    """Return a second way to it."""
    return SecondReader(venue)


def copied(live):
    """Return how the second reader stands."""
    return live.session.outside.status.drop_copy


async def with_order(live, venue):
    """Send an order and return its name."""
    await ready(live)
    live.feed.trade()
    await live.until(lambda: list(live.states().values()) == ["new"])
    return list(venue.orders)[-1]


def untold(venue, name, lots):
    """Let an order trade of which no frame says a word; the stream stays healthy."""
    venue.is_silent = True
    venue.fill(name, lots)
    venue.is_silent = False


@pytest.mark.without(
    "stream of the venue",
    works="a fill that it never told is found by the drop copy, proved and booked; new risk waits meanwhile",
)
async def test_a_fill_that_a_healthy_stream_never_told_is_booked_after_proof(tmp_path, venue, reader):
    """New risk waits meanwhile, each trade is booked once, and one line says it."""
    copy = copy_of(reader)
    async with running(tmp_path / "j", venue, copy=copy, **ALONE) as live:
        name = await with_order(live, venue)
        await live.until(lambda: copied(live).looks > 1)
        before = live.kinds().count("reconciling")
        untold(venue, name, 4)
        await live.until(lambda: live.position == 4)
        await live.until(live.is_reconciled)
        await live.until(lambda: copied(live).step == "agrees")
        assert copied(live).booked == 1
        assert live.kinds().count("reconciling") == before + 1
        live.feed.trade()
        await live.until(lambda: len(live.states()) == 2)
    assert live.position == venue.position() == 4
    found, booked = [words for words in copy.take_said() if "trade T1" in words]
    assert "has trade T1" in found
    assert "new risk waits, and the venue is asked" in found
    assert "it is booked now" in booked
    assert reader.is_closed


async def test_new_risk_waits_from_the_finding_to_the_proof(tmp_path, venue, reader):
    """What is refused meanwhile says so, and an exit or a cancel goes out."""
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        name = await with_order(live, venue)
        venue.answers_questions = False
        untold(venue, name, 4)
        await live.until(lambda: copied(live).step == "proving")
        live.feed.trade()
        await live.until(lambda: live.strategy.refused == ["unreconciled"])
        assert live.position == 0
        live.feed.trade(2)
        await live.until(lambda: venue.orders[name].open_lots == 0)
        venue.answers_questions = True
        await live.until(lambda: live.position == 4)
        await live.until(live.is_reconciled)


async def test_a_trade_that_the_venue_shows_at_one_place_alone_is_booked_by_nobody(tmp_path, venue, reader):
    """Both are said, new risk waits, and goes on once the two say the same."""
    copy = copy_of(reader)
    async with running(tmp_path / "j", venue, copy=copy, **ALONE) as live:
        await with_order(live, venue)
        reader.invented = (PHANTOM,)
        await live.until(lambda: copied(live).step == "contradicts")
        status = live.session.outside.status
        assert status.step == "doubted"
        (words,) = status.drop_copy.findings
        assert words.startswith("has trade T9 (buy ")
        assert live.engine.kernel.is_unreconciled
        live.feed.trade()
        await live.until(lambda: live.strategy.refused == ["unreconciled"])
        assert live.position == 0
        # Another comparison by the line of orders does not end it.
        venue.lose_stream()
        await live.until(lambda: live.session.outside._reconciliation.is_over)
        await asyncio.sleep(0.2)
        assert live.engine.kernel.is_unreconciled
        reader.invented = ()
        await live.until(live.is_reconciled)
        assert copied(live).step == "agrees"
    said = "; ".join(copy.take_said())
    assert "VENUE AND DROP COPY CONTRADICT EACH OTHER: the drop copy has trade T9" in said
    assert said.endswith("venue and drop copy contradict each other no more")
    assert live.position == 0


async def test_a_trade_that_the_second_reader_does_not_have_contradicts_the_venue_too(
    tmp_path, venue, reader
):
    """It stays in the books: the venue says it where orders go."""
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        name = await with_order(live, venue)
        reader.left_out = frozenset({"T1"})
        venue.fill(name, 4)
        await live.until(lambda: copied(live).step == "contradicts")
        assert copied(live).findings[0].startswith("does not have trade T1")
        assert live.position == 4
        reader.left_out = frozenset()
        await live.until(live.is_reconciled)


async def test_another_price_at_the_second_reader_contradicts(tmp_path, venue, reader):
    """The books keep what the venue told where orders go."""
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        name = await with_order(live, venue)
        venue.fill(name, 4)
        await live.until(lambda: live.position == 4)
        reader.left_out, reader.invented = frozenset({"T1"}), (other(venue.fills[0], price_ticks=90),)
        await live.until(lambda: copied(live).step == "contradicts")
        assert "was told trade T1" in copied(live).findings[0]


@pytest.mark.without("drop copy", works="trading goes on; log and `status` say that it is of no use")
async def test_a_second_endpoint_that_is_down_halts_nothing_and_is_said(tmp_path, venue, reader):
    """From the start, and later; and that it answers again is said too."""
    reader.is_down = True
    copy = copy_of(reader)
    async with running(tmp_path / "j", venue, copy=copy, **ALONE) as live:
        name = await with_order(live, venue)
        await live.until(lambda: copied(live).trouble == "the second endpoint is down")
        assert not copied(live).is_answering
        venue.fill(name, 4)
        await live.until(lambda: live.position == 4)
        reader.is_down = False
        await live.until(lambda: copied(live).is_answering)
        reader.is_down = True
        await live.until(lambda: copied(live).trouble)
        assert live.is_reconciled()
    down, again, down_again = copy.take_said()
    assert down == "the drop copy is of no use now (the second endpoint is down); nothing is halted by that"
    assert again == "the drop copy answers again"
    assert down_again == down
    assert live.kinds().count("reconciling") == 1


async def test_answers_of_yesterday_are_no_evidence(tmp_path, venue, reader):
    """They book nothing and halt nothing; it is said that they are old."""
    copy = copy_of(reader)
    async with running(tmp_path / "j", venue, copy=copy, **ALONE) as live:
        name = await with_order(live, venue)
        await live.until(lambda: copied(live).looks > 0)
        reader.freeze()
        venue.fill(name, 4)
        await live.until(lambda: copied(live).trouble)
        await asyncio.sleep(0.3)
        assert live.is_reconciled()
        assert live.position == 4
        assert copied(live).findings == ()
    assert "an old answer about" in copy.take_said()[0]
    assert live.kinds().count("reconciling") == 1


async def test_an_endpoint_that_dies_between_proof_and_second_look_holds_nothing(tmp_path, venue, reader):
    """What nobody repeats is no contradiction."""
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        await with_order(live, venue)
        venue.answers_questions = False
        reader.invented = (PHANTOM,)
        await live.until(lambda: copied(live).step == "proving")
        reader.is_down = True
        venue.answers_questions = True
        await live.until(live.is_reconciled)
        assert copied(live).step == "agrees"


async def test_what_is_under_way_when_it_looks_is_no_finding(tmp_path, venue, reader):
    """A trade that the stream tells a moment later halts nothing."""
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        name = await with_order(live, venue)
        venue.is_silent = True
        venue.fill(name, 4)
        venue.is_silent = False
        await live.until(lambda: copied(live).step == "doubts")
        venue.tell(venue.fills[0])
        await live.until(lambda: live.position == 4)
        await asyncio.sleep(SECOND_LOOK_NS / 1e9 + 0.2)
        assert copied(live).step == "agrees"
        assert copied(live).booked == 0
    assert live.kinds().count("reconciling") == 1


async def test_a_restart_replays_what_the_second_reader_brought_about(tmp_path, venue, reader):
    """All of it came through the one queue of events: the journal has it, and nothing else is needed."""
    async with running(tmp_path / "j", venue, copy=copy_of(reader), is_killed=True, **ALONE) as live:
        name = await with_order(live, venue)
        untold(venue, name, 4)
        await live.until(lambda: live.position == 4)
        await live.until(live.is_reconciled)
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as again:
        await ready(again)
        assert again.position == 4
        await again.until(lambda: copied(again).looks > 1)
        assert copied(again).step == "agrees"
        assert again.is_reconciled()


async def test_more_trades_than_are_remembered_before_the_first_look_are_no_finding(
    tmp_path, venue, reader, monkeypatch
):
    """A start after a busy minute compares them all; the second reader is asked for what came after those."""
    monkeypatch.setattr(drop_copy_line, "_EARLY_MAX", 3)
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        name = await with_order(live, venue)
        for _ in range(8):
            venue.fill(name, 1)
        await live.until(lambda: live.position == 8)
    venue.fills = [
        msgspec.structs.replace(fill, time_ns=fill.time_ns + at) for at, fill in enumerate(venue.fills)
    ]
    copy = copy_of(reader)
    async with running(tmp_path / "j", venue, copy=copy, **ALONE) as again:
        await ready(again)
        await again.until(lambda: copied(again).looks > 2)
        assert copied(again).step == "agrees"
        assert again.kinds().count("reconciling") == 2
    assert copy.take_said() == []


async def test_what_others_trade_is_followed_once_it_is_taken_over(tmp_path, venue, reader):
    """An order by hand trades, is corrected, trades untold and ends; a restart knows all of it."""
    path, adopting = tmp_path / "j", {"owners": Owners(rest=1), **ALONE}
    async with running(path, venue, copy=copy_of(reader), is_killed=True, **adopting) as live:
        await with_order(live, venue)
        name = venue.by_hand(6)
        venue.fill(name, 2)
        venue.revise("T1", lots=2, price_ticks=94)
        await live.until(lambda: live.position == 2)
        untold(venue, name, 1)
        await live.until(lambda: live.position == 3)
        await live.until(lambda: copied(live).step == "agrees")
        assert copied(live).booked == 1
        venue.end(name)
        looks = copied(live).looks
        await live.until(lambda: copied(live).looks > looks + 5)
        assert copied(live).step == "agrees"
    async with running(path, venue, copy=copy_of(reader), **adopting) as again:
        await ready(again)
        await again.until(lambda: copied(again).looks > 5)
        assert again.position == venue.position() == 3
        assert copied(again).step == "agrees"


async def test_an_untold_bust_and_an_untold_fill_of_a_renewed_order_are_booked(tmp_path, reader):
    """A trade that never was leaves the books; an order that was sent anew has another name there."""
    venue = ScriptedVenue((), msgspec.structs.replace(QUICK, replaces=False))
    reader.venue = venue
    async with running(tmp_path / "j", venue, copy=copy_of(reader), **ALONE) as live:
        name = await with_order(live, venue)
        venue.fill(name, 2)
        await live.until(lambda: live.position == 2)
        live.feed.trade(3)
        await live.until(lambda: len(venue.orders) == 2)
        renewed = list(venue.orders)[-1]
        await live.until(lambda: list(live.states().values()) == ["partially_filled"])
        untold(venue, renewed, 1)
        await live.until(lambda: live.position == 3)
        await live.until(live.is_reconciled)
        venue.revise("T1", lots=0, is_told=False)
        await live.until(lambda: live.position == 1)
        await live.until(live.is_reconciled)
        await live.until(lambda: copied(live).step == "agrees")
        looks = copied(live).looks
        await live.until(lambda: copied(live).looks > looks + 5)
        assert (copied(live).step, copied(live).booked) == ("agrees", 2)
