"""A venue's list of trades has what was told before: that is not told to the engine again."""

import msgspec
import pytest

from support.live_session import Live, ready, running
from support.scripted_venue import ScriptedVenue
from tradecore.domain.journal import JournalFolder
from tradecore.domain.venue_findings import FillsSince
from tradecore.runtime.live.venue_reading import VenueReading
from tradecore.runtime.live.words import WORDS_MAX, OutcomeLost


def told_fills(path):
    """Return the trades that the journal says the venue told, in order."""
    reader = JournalFolder(path).reader()
    said = [fields for _, _, kind, fields in reader if kind == "venue_report"]
    return [fields["trade_id"] for fields in said if fields["report"] == "fill"]


async def filled_order(live, venue, *, is_told=True):
    """Let the strategy buy, and the venue fill all of it."""
    before = len(live.strategy.orders)
    live.feed.trade()
    await live.until(lambda: len(live.strategy.orders) > before and len(venue.orders) > before)
    name = list(venue.orders)[-1]
    venue.fill(name, 10, is_told=is_told)


async def compared_anew(live, venue):
    """Break the line and wait until all was compared once more."""
    before = live.kinds().count("reconciled")
    venue.lose_stream()
    await live.until(lambda: live.kinds().count("reconciled") > before)


async def test_a_trade_that_is_booked_is_in_the_journal_once_however_often_the_venue_lists_it(tmp_path):
    """Five comparisons list three trades each, of orders that are long gone."""
    venue = ScriptedVenue()
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        for number in range(1, 4):
            await filled_order(live, venue)
            await live.until(lambda so_far=number: live.position == 10 * so_far)
        for _ in range(5):
            await compared_anew(live, venue)
        assert live.position == 30
    assert told_fills(tmp_path / "journal") == ["T1", "T2", "T3"]


async def test_a_trade_that_is_booked_is_no_news_after_a_start_either(tmp_path):
    """What the books know of trades comes back with them: the first comparison lists all once more."""
    venue = ScriptedVenue()
    for starts in (1, 2):
        async with running(tmp_path / "journal", venue, is_killed=True) as live:
            await ready(live)
            await filled_order(live, venue)
            await live.until(lambda: live.position == venue.position())
            await compared_anew(live, venue)
        assert told_fills(tmp_path / "journal") == ["T1", "T2"][:starts]


async def test_a_trade_that_nobody_told_is_booked_from_the_same_list(tmp_path):
    """It stands between those that are known."""
    venue = ScriptedVenue()
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        await filled_order(live, venue)
        await live.until(lambda: live.position == 10)
        venue.is_silent = True
        await filled_order(live, venue, is_told=False)
        venue.is_silent = False
        await compared_anew(live, venue)
        await live.until(lambda: live.position == 20)
        await compared_anew(live, venue)
    assert told_fills(tmp_path / "journal") == ["T1", "T2"]


async def test_a_trade_that_is_listed_in_other_numbers_is_told_each_time(tmp_path):
    """That cannot be true, and halts new risk: the engine has to hear of it."""
    venue = ScriptedVenue()
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        await filled_order(live, venue)
        await live.until(lambda: live.position == 10)
        (fill,) = venue.fills
        venue.fills[:] = [msgspec.structs.replace(fill, price_ticks=94)]
        venue.lose_stream()
        await live.until(lambda: "surprise" in live.kinds())
    assert set(told_fills(tmp_path / "journal")) == {"T1"}


async def test_what_a_venue_tells_is_taken_in_groups_that_are_bounded(tmp_path):
    """In the order in which it was heard, whatever else comes meanwhile."""
    live = Live(tmp_path / "journal", ScriptedVenue())
    link = live.session.outside
    words = [OutcomeLost(instrument=0, order_id=number) for number in range(2 * WORDS_MAX + 3)]
    link._inbox.extend(words)
    parts = [link.take() for _ in range(4)]
    assert [len(part) for part in parts] == [WORDS_MAX, WORDS_MAX, 3, 0]
    assert [word for part in parts for word in part] == words
    live.session._journal.close()


async def test_a_long_list_is_read_part_by_part(tmp_path, monkeypatch):
    """What is made of it is never in memory as a whole, and none of it is left out."""
    venue, read = ScriptedVenue(), []
    found = VenueReading.found

    def watched(self, question, findings, *times):
        if isinstance(question, FillsSince):
            read.append((len(findings.seen), findings.is_complete))
        return found(self, question, findings, *times)

    monkeypatch.setattr(VenueReading, "found", watched)
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        await filled_order(live, venue)
        await live.until(lambda: live.position == 10)
        (fill,) = venue.fills
        others = [
            msgspec.structs.replace(fill, client_order_id=None, venue_order_id=f"O{number}")
            for number in range(2 * WORDS_MAX)
        ]
        venue.fills[:0] = others
        read.clear()
        await compared_anew(live, venue)
        assert live.position == 10
    assert read[:3] == [(WORDS_MAX, False), (WORDS_MAX, False), (1, True)]


async def test_a_clean_end_leaves_nothing_that_a_venue_has_told(tmp_path):
    """However much waits: what was heard is in the journal, and no start has to find it out again."""
    words = [OutcomeLost(instrument=0, order_id=1) for _ in range(2 * WORDS_MAX + 3)]
    async with running(tmp_path / "journal", ScriptedVenue()) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: "sent" in live.kinds())
        live.session.outside._hear(words)
    assert live.kinds().count("outcome_lost") == len(words)


async def test_a_trade_in_a_list_that_fits_no_books_is_kept_for_people_and_ends_no_run(tmp_path):
    """The others of that list are booked, and new risk waits: it may be there."""
    venue = ScriptedVenue()
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        await filled_order(live, venue)
        await live.until(lambda: live.position == 10)
        (fill,) = venue.fills
        venue.is_silent = True
        await filled_order(live, venue, is_told=False)
        venue.is_silent = False
        venue.fills.insert(1, msgspec.structs.replace(fill, trade_id="T9", lots=2**63))
        venue.lose_stream()
        await live.until(lambda: live.position == 20)
        assert not live.is_reconciled()
        (letter, *_) = live.session.outside.take_letters()
        assert "lots 9223372036854775808" in letter.why


@pytest.mark.parametrize("filled_lots", [-1, 2**63])
async def test_a_trade_is_booked_whatever_its_venue_says_has_filled_of_the_order(tmp_path, filled_lots):
    """That word is beside the trade: one that cannot be true is none."""
    venue = ScriptedVenue()
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: len(venue.orders) == 1)
        venue.is_silent = True
        for lots in (4, 3):
            venue.fill(next(iter(venue.orders)), lots)
        venue.is_silent = False
        first, second = (msgspec.structs.replace(each, filled_lots=filled_lots) for each in venue.fills)
        venue.fills[:] = [first, msgspec.structs.replace(second, lots=5, revision=1)]
        for each in venue.fills:
            venue.tell(each)
        await live.until(lambda: live.position == 9)


async def test_what_halts_new_risk_waits_for_no_group_before_it(tmp_path):
    """However much was heard before the line broke: nothing is opened once that is known."""
    venue = ScriptedVenue()
    async with running(tmp_path / "journal", venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: len(venue.orders) == 1)
        link = live.session.outside
        link._hear([OutcomeLost(instrument=0, order_id=1) for _ in range(2 * WORDS_MAX)])
        link._lost()
        live.feed.trade()
        await live.until(lambda: live.strategy.refused or len(live.strategy.orders) > 1)
        assert live.strategy.refused == ["unreconciled"]
