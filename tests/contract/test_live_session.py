"""A session in live mode: what leaves is durable, what comes back is journalled, a restart sends nothing."""

import asyncio

import msgspec
import pytest

from support.live_session import CONFIG, LIVE, Buyer, HandFeed, quote, ready, running
from support.scripted_venue import QUICK, ScriptedVenue
from support.sessions import SPEC, FakeClock
from support.units import units_in
from tradecore.domain import ConfigError, InvalidValueError
from tradecore.domain.commands import Flatten, Kill
from tradecore.domain.journal import JournalFolder
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import StreamReady, VenueOrderState
from tradecore.domain.venue_requests import Declined
from tradecore.engine import Engine
from tradecore.runtime import Session
from tradecore.runtime.carry_over import carry_over
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.retries import ReportTimes, Retries, RetryPolicy
from tradecore.runtime.live.venue_link import UNDER_WAY_MAX, VenueLink
from tradecore.strategy import StrategyBinding


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


async def test_an_order_goes_out_when_it_is_durable_and_its_fills_come_back(path):
    """The venue looks into the journal's file as the request arrives: it is there."""
    venue = ScriptedVenue()
    seen = []

    def look(request):
        seen.append(
            [fields["order_id"] for _, _, kind, fields in JournalFolder(path).reader() if kind == "sent"]
        )

    venue.before_submit = look
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.fill(name, 4)
        await live.until(lambda: live.position == 4)
        live.feed.trade(2)
        await live.until(lambda: live.states() == {})
        assert seen == [[1]]
    assert live.position == venue.position() == 4
    kinds = live.kinds()
    assert kinds.index("reconciling") < kinds.index("reconciled") < kinds.index("order") < kinds.index("sent")


async def test_before_books_and_venue_are_compared_nothing_new_is_risked(path):
    """The refusal says why, and the first order after it goes out."""
    venue = ScriptedVenue()
    venue.answers_questions = False
    async with running(path, venue) as live:
        live.feed.queue.put_nowait(quote(live.feed))
        live.feed.trade()
        await live.until(lambda: live.strategy.refused)
        assert live.strategy.refused == ["unreconciled"]
        await live.until(lambda: "not answered" in live.session.outside.status.trouble)
        venue.answers_questions = True
        await live.until(live.is_reconciled)
        live.feed.trade()
        await live.until(lambda: list(live.states().values()) == ["new"])
    assert len(venue.submitted) == 1


@pytest.mark.parametrize("fate", ["after", "before", "busy", "refuse"])
async def test_whatever_becomes_of_a_request_the_order_is_there_once_or_not_at_all(path, fate):
    """An answer that is lost is asked about, and nothing is sent twice that may have arrived."""
    venue = ScriptedVenue([fate])
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: venue.submitted)
        here = {1: "new"} if fate in {"after", "busy"} else {}
        await live.until(lambda: live.states() == here and not live.session.outside.status.unknown)
        assert len(venue.orders) == len(here)
        assert len(venue.submitted) == (2 if fate == "busy" else 1)
    said = [fields for _, _, kind, fields in JournalFolder(path).reader() if kind == "report"]
    reasons = [fields["reason"] for fields in said if fields["report"] == "rejected"]
    assert reasons == {"before": ["never_arrived"], "refuse": ["insufficient_margin"]}.get(fate, [])


async def test_a_killed_engine_sends_nothing_again_and_finds_its_orders(path):
    """What filled while it was dead is booked before anything new is risked."""
    venue = ScriptedVenue()
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.feed.trade()
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new", 2: "new"})
        live.feed.trade()
        await live.until(lambda: len(venue.submitted) == 3)
    first, second, third = venue.orders
    venue.fill(first, 10)
    venue.fill(second, 3)
    venue.end(third)
    async with running(path, venue) as live:
        await live.until(live.is_reconciled)
        await live.until(lambda: live.states() == {2: "partially_filled"})
        assert live.position == venue.position() == 13
        assert len(venue.submitted) == 3


async def test_a_request_of_which_only_the_record_is_left_is_not_sent_by_the_next_start(path):
    """The engine died between the commit and the first byte: the venue never had it, which is proved."""
    venue = ScriptedVenue()
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.session.outside._requests.take = lambda records: None
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "pending_new"})
    async with running(path, venue) as live:
        await live.until(live.is_reconciled)
        await live.until(lambda: live.states() == {})
    assert venue.submitted == []
    assert live.position == 0


async def test_fills_that_a_broken_stream_did_not_tell_are_booked_before_new_risk(path):
    """The stream comes back and says nothing of them; the list does."""
    venue = ScriptedVenue()
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.is_silent = True
        venue.fill(name, 6)
        venue.is_silent = False
        venue.lose_stream()
        await live.until(lambda: live.position == 6)
        await live.until(live.is_reconciled)
    kinds = [kind for kind in live.kinds() if kind in {"reconciling", "reconciled"}]
    assert kinds == ["reconciling", "reconciled"] * 2


async def test_a_position_that_the_books_do_not_have_halts_new_risk_and_is_shown(path):
    """Somebody else traded on the account."""
    venue = ScriptedVenue()
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        foreign = msgspec.structs.replace(venue.orders[name], client_order_id="web", venue_order_id="W")
        venue.orders["web"] = foreign
        venue.is_silent = True
        venue.fill("web", 2)
        venue.is_silent = False
        venue.lose_stream()
        await live.until(lambda: live.session.outside.status.differences)
        (difference,) = live.session.outside.status.differences
        assert (difference.symbol, difference.venue_lots, difference.book_lots) == ("BTC-USD", 2, 0)
        live.feed.trade()
        await live.until(lambda: live.strategy.refused == ["unreconciled"])


async def test_a_venue_that_never_answers_does_not_hold_the_end(path):
    """The session ends in its time, and what is under way is in doubt for the next one."""
    venue = ScriptedVenue()

    async def hang(request):
        await asyncio.sleep(3600)

    venue.submit = hang
    async with running(path, venue, answer_seconds_max=3600.0) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "pending_new"})
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 2


def test_live_mode_needs_a_venue_and_no_other_mode_may_have_one(path):
    """A paper session cannot reach one."""
    engine = Engine(LIVE, [StrategyBinding(name="buyer", strategy=Buyer())], recording=True)
    settings = {"feed": HandFeed(), "clock": FakeClock(), "config": CONFIG, "version": "test"}
    with pytest.raises(InvalidValueError, match="outside"):
        Session(engine=engine, journal=JournalFolder(path).writer(0), **settings)
    paper = Engine(SPEC, [StrategyBinding(name="buyer", strategy=Buyer())], recording=True)
    link = VenueLink(ScriptedVenue(), lambda: "test", units_in("USD"))
    with pytest.raises(InvalidValueError, match="outside"):
        Session(engine=paper, journal=JournalFolder(path).writer(0), outside=link, **settings)


async def test_what_the_engine_cannot_take_is_kept_for_people_and_ends_nothing(path):
    """A trade without a good name halts new risk; an unknown reason does not keep an end from the books."""
    venue = ScriptedVenue()
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new", 2: "new"})
        first, second = venue.orders
        venue.orders[second] = ended = msgspec.structs.replace(
            venue.orders[second], state=VenueOrderState.CANCELED, open_lots=0, reason="moon phase"
        )
        venue.tell(ended)
        await live.until(lambda: live.states() == {1: "new"})
        assert live.is_reconciled()
        venue.is_silent = True
        venue.fill(first, 4)
        venue.is_silent = False
        venue.fills[0] = msgspec.structs.replace(venue.fills[0], trade_id="a\nb")
        venue.tell(venue.fills[0])
        await live.until(lambda: live.session.outside.status.differences)
        live.feed.trade()
        await live.until(lambda: live.strategy.refused == ["unreconciled"])
        assert live.session.outside.status.letters >= 2
        assert live.position == 0


async def test_a_slow_venue_gets_few_requests_at_once_and_cancels_go_first(path):
    """What waits for room waits here: it is not lost for the time that it waits, and none is sent twice."""
    venue = ScriptedVenue()
    gate, most = asyncio.Event(), []
    submit, cancel = venue.submit, venue.cancel
    under_way = dict.fromkeys(("submit", "cancel"), 0)

    async def held(name, answer, request):
        under_way[name] += 1
        most.append((under_way["submit"], under_way["cancel"]))
        try:
            if under_way["submit"] > 1:
                await gate.wait()
            return await answer(request)
        finally:
            under_way[name] -= 1

    venue.submit = lambda request: held("submit", submit, request)
    venue.cancel = lambda request: held("cancel", cancel, request)
    async with running(path, venue, answer_seconds_max=5.0) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        for _ in range(3 * UNDER_WAY_MAX):
            live.feed.trade()
        await live.until(lambda: under_way["submit"] == UNDER_WAY_MAX)
        await live.until(lambda: len(live.strategy.orders) == 3 * UNDER_WAY_MAX + 1)
        live.strategy.orders.append(1)
        live.feed.trade(2)
        await live.until(lambda: under_way["cancel"] == 1)
        assert max(most) == (UNDER_WAY_MAX, 1)
        gate.set()
        await live.until(lambda: len(venue.submitted) == 3 * UNDER_WAY_MAX + 1)
        await live.until(lambda: set(live.states().values()) == {"new"})

        assert len(set(venue.submitted)) == len(venue.submitted)
        assert 1 not in live.states()
        assert live.session.outside.status.unknown == 0


async def test_a_fill_that_the_stream_never_told_is_found_by_the_next_check(path):
    """Heartbeats are well and nobody misses a frame; new risk goes on until something differs."""
    venue = ScriptedVenue()
    async with running(path, venue, check_seconds=0.05) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.is_silent = True
        venue.fill(name, 6)
        venue.is_silent = False
        await live.until(lambda: live.position == 6)
        assert live.is_reconciled()
    assert live.kinds().count("reconciling") == 1


async def test_checks_that_find_nothing_write_nothing(path):
    """Whatever is asked meanwhile, the journal has no frame of it."""
    venue = ScriptedVenue()
    asked = []
    async with running(path, venue, check_seconds=0.02) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        before = path.stat().st_size
        query = venue.query

        async def counted(question):
            asked.append(question)
            return await query(question)

        venue.query = counted
        await live.until(lambda: len(asked) > 30)
        assert path.stat().st_size == before


async def test_a_second_start_writes_nothing_but_that_it_started(path):
    """All that happened while it was dead is booked by the first one."""
    venue = ScriptedVenue(["ok", "after", "before"])
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        for _ in range(3):
            live.feed.trade()
        await live.until(lambda: len(venue.submitted) == 3)
    first, *_ = venue.orders
    venue.fill(first, 4)
    hashes, kinds = [], []
    for _ in range(3):
        before = len(live.kinds())
        async with running(path, venue) as live:
            await live.until(
                lambda live=live: live.is_reconciled() and not live.session.outside.status.unknown
            )
            hashes.append(live.engine.kernel.position_total_lots(0))
            kinds.append([kind for kind in live.kinds()[before:] if kind != "clock"])
    assert "report" in kinds[0]
    assert kinds[1] == kinds[2] == ["session", "reconciling", "reconciled"]
    assert hashes == [4, 4, 4]


async def test_a_surprise_that_halts_new_risk_makes_them_compare_and_go_on(path):
    """More filled than there was: all of it is booked, and when the venue says the same, risk goes on."""
    venue = ScriptedVenue()
    async with running(path, venue, check_seconds=0.0) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.fill(name, 10)
        venue.fills.append(msgspec.structs.replace(venue.fills[0], trade_id="T2", lots=3))
        venue.tell(venue.fills[1])
        await live.until(lambda: live.position == 13)
        await live.until(live.is_reconciled)
    kinds = live.kinds()
    assert kinds.index("surprise") < len(kinds) - 1 - kinds[::-1].index("reconciled")


async def test_an_engine_that_was_away_for_longer_than_the_venue_shows_takes_no_new_risk(path):
    """An order was open meanwhile; what it traded may be forgotten. A setting takes that on."""
    away = msgspec.structs.replace(ScriptedVenue().capabilities, fills_kept_ns=3_600_000_000_000)
    venue = ScriptedVenue(capabilities=away)
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        venue.time_ns = live.engine.now_ns + 7_200_000_000_000
    async with running(path, venue) as live:
        await live.until(lambda: "shows fills of the last 1 h" in live.session.outside.status.trouble)
        live.feed.time_ns = live.engine.now_ns
        live.feed.trade()
        await live.until(lambda: live.strategy.refused == ["unreconciled"])
    async with running(path, venue, takes_short_lookback=True) as live:
        await live.until(live.is_reconciled)


async def test_a_question_without_an_answer_is_asked_again_and_never_beside_itself(path):
    """A venue that hangs gets one question of a kind at a time, and three tries."""
    venue = ScriptedVenue()
    under_way, most, tries = {}, [], []

    async def hang(question):
        under_way[question] = under_way.get(question, 0) + 1
        most.append(under_way[question])
        tries.append(question)
        try:
            await asyncio.sleep(3600)
        finally:
            under_way[question] -= 1

    query, venue.query = venue.query, hang
    data = RetryPolicy(tries_max=3, first_ns=1_000_000, most_ns=4_000_000)
    async with running(path, venue, query_seconds_max=0.02, retries=Retries(data=data)) as live:
        live.feed.queue.put_nowait(quote(live.feed))
        await live.until(lambda: len(tries) > 12)
        assert max(most) == 1
        assert "was not answered" in live.session.outside.status.trouble
        venue.query = query
        await live.until(live.is_reconciled)


async def test_an_order_that_acts_at_once_is_asked_about_when_nothing_is_told(path):
    """Its kind has a time of its own; one that rests may rest."""
    venue = ScriptedVenue(
        capabilities=msgspec.structs.replace(QUICK, times_in_force=frozenset({"gtc", "ioc"}))
    )
    times = ReportTimes(by_kind={"limit": 50_000_000})
    async with running(path, venue, check_seconds=0.0, report_times=times) as live:
        await ready(live)
        live.strategy.time_in_force = "ioc"
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.is_silent = True
        venue.fill(name, 4)
        venue.end(name)
        venue.is_silent = False
        await live.until(lambda: (live.states(), live.position) == ({}, 4))


async def test_a_kill_that_a_crash_cut_short_ends_what_the_next_start_finds_open(path):
    """The cancel never left; the venue has the order, and the engine is killed still."""
    venue = ScriptedVenue()
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        live.session.outside._requests.take = lambda records: None
        await live.session.command(Kill())
        assert live.states() == {1: "pending_cancel"}
    (order,) = venue.orders.values()
    assert order.state is VenueOrderState.OPEN
    async with running(path, venue) as live:
        await live.until(lambda: live.states() == {})
        await live.until(live.is_reconciled)
    (order,) = venue.orders.values()
    assert order.state is VenueOrderState.CANCELED
    assert len(venue.submitted) == 1


async def test_what_a_flatten_wants_ended_is_asked_for_again_after_a_restart(path):
    """The venue said no until the engine died; the next one does not take that for the last word."""
    venue = ScriptedVenue()
    cancel, asked = venue.cancel, []

    async def refuse(request):
        asked.append(request)
        return Declined(reason="unsupported", words="not now")

    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        venue.cancel = refuse
        await live.session.command(Flatten())
        await live.until(lambda: asked)
        assert live.states() == {1: "pending_cancel"}
    later = len(asked)
    async with running(path, venue) as live:
        await live.until(live.is_reconciled)
        await live.until(lambda: len(asked) > later)
        venue.cancel = cancel
        await live.until(lambda: live.states() == {})
    assert [order.state for order in venue.orders.values()] == [VenueOrderState.CANCELED]
    assert len(venue.submitted) == 1


class OpenBudget(RequestBudget):
    """A budget with room that fails where it is asked after its end, as a file that is closed does."""

    def __init__(self):
        super().__init__(BudgetRules(per_second=1e6, burst=1e6))
        self.is_open = True

    def take(self, now_ns, weight=1.0, *, is_cancel):
        """Be open."""
        assert self.is_open
        return super().take(now_ns, weight, is_cancel=is_cancel)

    def close(self):
        """End."""
        self.is_open = False


async def test_nothing_is_asked_any_more_while_the_line_is_being_closed(path):
    """A venue needs a moment to let go, and books and venue would be compared again meanwhile."""
    venue, budget = ScriptedVenue(), OpenBudget()
    close = venue.aclose

    async def slowly():
        await asyncio.sleep(0.05)
        await close()

    venue.aclose = slowly
    async with running(path, venue, budget=budget, check_seconds=0.01) as live:
        await ready(live)
    assert not budget.is_open
    assert live.kinds()[-1] == "session_end"


async def test_an_exit_that_the_venue_refuses_is_in_the_status_and_the_journal(path):
    """It is said until the position is closed, also after a restart."""
    venue = ScriptedVenue()
    async with running(path, venue, clock=FakeClock(7)) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.fill(name, 10)
        await live.until(lambda: live.position == 10)
        venue.script.append("refuse")
        live.feed.trade(4)
        await live.until(lambda: "WITHOUT ITS EXIT" in live.session.outside.status.trouble)
        assert live.is_reconciled(), "nothing is wrong with the books"
        assert live.session.outside.status.declined.startswith("order 2: ")
        assert live.session.outside.status.declined_ns == 7
    said = [fields for _, _, kind, fields in JournalFolder(path).reader() if kind == "surprise"]
    assert said == [{"order_id": 2, "surprise": "exit_refused", "halts": False}]
    async with running(path, venue) as live:
        await live.until(live.is_reconciled)
        assert "did not take order 2" in live.session.outside.status.trouble


async def test_a_venue_without_ids_of_clients_is_asked_by_its_own_names_after_a_restart(path):
    """The journal has them: what filled while the engine was dead is booked."""
    venue = ScriptedVenue(capabilities=msgspec.structs.replace(QUICK, duplicate_ids=DuplicateIds.NONE))
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
    (name,) = venue.orders
    venue.hides_names = True
    venue.fill(name, 4)
    async with running(path, venue) as live:
        await live.until(live.is_reconciled)
        assert (live.states(), live.position) == ({1: "partially_filled"}, 4)
        assert live.session.outside.status.foreign_orders == 0


async def test_an_account_is_not_carried_over_while_orders_may_be_open_at_the_venue(path):
    """The new journal would not know of their fills; once they have ended, the account goes on."""
    venue = ScriptedVenue()
    other = msgspec.structs.replace(CONFIG, strategies=({"class": "another"},))
    async with running(path, venue) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"order 1 of .*buy 0.001 .*in no books.*tradecore kill"):
        carry_over(JournalFolder(path), other, "test", ["a test"])
    assert path.read_bytes() == before

    async with running(path, venue) as live:
        await live.until(live.is_reconciled)
        assert live.states() == {1: "new"}
        await live.session.command(Kill())
        await live.until(lambda: live.states() == {})
    assert carry_over(JournalFolder(path), other, "test", ["a test"]).orders == ()


async def test_a_trade_that_was_told_anew_and_not_first_is_known_after_a_start(path):
    """Only its later telling was heard before a kill: the next start hears both, and nothing fills twice."""
    venue = ScriptedVenue()
    async with running(path, venue, is_killed=True) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        (name,) = venue.orders
        venue.fill(name, 6, is_told=False)
        venue.revise("T1", lots=5)
        await live.until(lambda: live.position == 5)
    async with running(path, venue) as live:
        await ready(live)
        assert live.position == 5
        assert [row["open_lots"] for row in live.engine.kernel.open_orders()] == [4]
        venue.end(name)
        await live.until(lambda: live.states() == {})


async def test_why_there_is_no_stream_is_told(tmp_path):
    """A key that the venue does not take looks like any silence otherwise."""
    venue = ScriptedVenue()
    async with running(tmp_path / "live.journal", venue) as live:
        await ready(live)
        assert "stream" not in live.session.outside.status.trouble
        venue.lose_stream(is_ready_again=False)
        await live.until(lambda: not live.session.outside.status.is_connected)
        assert live.session.outside.status.trouble == "the stream of reports: reset"
        venue.tell(StreamReady())
        await live.until(live.is_reconciled)
        assert live.session.outside.status.trouble == ""
