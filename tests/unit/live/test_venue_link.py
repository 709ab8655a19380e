"""The line to a venue: how often it asks, what it takes for a failure, and how much is under way at once."""

from types import SimpleNamespace

import pytest

from support.live_desk import CAPABILITIES, TERMS
from support.records import record
from support.sessions import FakeClock
from support.units import units_in
from tradecore.domain.errors import VenueError
from tradecore.domain.venue_findings import Findings, OpenOrders
from tradecore.domain.venue_requests import Cancel, Submit
from tradecore.runtime.live import fenced_venue, venue_link
from tradecore.runtime.live.allowance import Leave
from tradecore.runtime.live.breaker import FAILURES_MAX, FIRST_NS, Breaker
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.requests import Send
from tradecore.runtime.live.retries import Retries, RetryPolicy
from tradecore.runtime.live.venue_link import UNDER_WAY_CANCELS, UNDER_WAY_MAX, VenueLink
from tradecore.runtime.live.words import OutcomeLost, Reconciling
from tradecore.runtime.session import SessionSettings
from tradecore_api.config.journal_table import JournalTable
from tradecore_api.config.process_tables import DaemonTable

FREE = BudgetRules(per_second=float("inf"), burst=1.0)


class Asked:
    """A venue that answers each question with the next of these: findings, or an error."""

    capabilities = CAPABILITIES

    def __init__(self, *answers):
        self.answers = list(answers)
        self.count = 0

    async def query(self, question):
        """Answer, or fail."""
        self.count += 1
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


FOUND = Findings(is_complete=True, time_ns=7_000)


def link_to(venue, *, tries_max=3, clock=None):
    """Return a line that waits for a millisecond between tries."""
    data = RetryPolicy(tries_max=tries_max, first_ns=1_000_000, most_ns=1_000_000)
    settings = LinkSettings(retries=Retries(data=data))
    return VenueLink(
        venue, lambda: "journal", units_in("USD"), settings, budget=RequestBudget(FREE), clock=clock
    )


@pytest.mark.parametrize("tries_max", [1, 2, 3])
async def test_a_question_is_asked_so_often_and_no_more(tries_max):
    """That nothing came is no evidence; it is said what the last one failed of."""
    venue = Asked(*[VenueError("503")] * 9)
    link = link_to(venue, tries_max=tries_max)
    assert await link._answered(OpenOrders()) is None
    assert venue.count == tries_max
    assert link._reconciliation.trouble == "a question was not answered: 503"


@pytest.mark.parametrize("error", [TimeoutError(), VenueError("x"), OSError("y"), VenueError("z", 0)])
async def test_what_gives_no_answer_is_a_failure_of_the_endpoint(error):
    """After five of them it is asked no more; the message names the kind where there are no words."""
    link = link_to(Asked(*[error] * 9), tries_max=9)
    assert await link._answered(OpenOrders()) is None
    assert link._venue.count == 5
    assert "open orders: no answer for a while" in link._allowance.trouble(0)
    assert link._reconciliation.trouble.endswith(str(error) or type(error).__name__)


async def test_a_venue_that_says_when_to_come_back_is_left_alone_until_then():
    """That is an answer, and everything waits."""
    venue = Asked(*[VenueError("429", 10**12)] * 5)
    link = link_to(venue, tries_max=1)
    assert await link._answered(OpenOrders()) is None
    assert venue.count == 1
    assert link._allowance.trouble(0) == "the venue asks to be left alone for 16.67 min, by cancels, too"
    now_ns = venue_link._now_ns()
    assert link._allowance.ask(OpenOrders, now_ns, 0) is Leave.FULL
    assert link._allowance.wait_ns(now_ns) > 9 * 10**11


async def test_an_answer_tells_when_it_was_asked_and_what_was_known_by_then():
    """And how far the venue's clock is from ours, where there is one of ours."""
    venue = Asked(VenueError("once"), FOUND)
    clock = FakeClock()
    link = link_to(venue, clock=clock)
    link._news = 5
    before_ns = venue_link._now_ns()
    answered = await link._answered(OpenOrders())
    assert answered is not None
    assert before_ns <= answered.asked_ns <= venue_link._now_ns()
    assert (answered.news, answered.findings, venue.count) == (5, FOUND, 2)
    assert link._allowance.clock.estimate(0) is not None
    without = link_to(Asked(FOUND))
    await without._answered(OpenOrders())
    assert without._allowance.clock.estimate(0) is None


async def test_so_many_requests_are_under_way_and_a_few_cancels_more():
    """A slow venue is not flooded, and what ends an order goes before what opens one."""
    link = link_to(Asked())
    assert [link._may_send(Submit, 0, 0) for _ in range(UNDER_WAY_MAX)] == [Leave.GO] * UNDER_WAY_MAX
    assert link._may_send(Submit, 0, 0) is Leave.FULL
    more = [link._may_send(Cancel, 0, 0) for _ in range(UNDER_WAY_CANCELS)]
    assert more == [Leave.GO] * UNDER_WAY_CANCELS
    assert link._may_send(Cancel, 0, 0) is Leave.FULL
    link._under_way -= 1
    assert link._may_send(Submit, 0, 0) is Leave.FULL
    assert link._may_send(Cancel, 0, 0) is Leave.GO
    assert link._under_way == UNDER_WAY_MAX + UNDER_WAY_CANCELS


def test_a_session_without_a_word_waits_as_the_settings_do():
    """The defaults stand in the settings and in the runtime, and say the same."""
    session = SessionSettings()
    assert session.commit_interval_seconds == JournalTable().commit_interval_ms / 1e3
    assert session.clock_interval_seconds == DaemonTable().clock_interval_ms / 1e3


def engine_of(*strategies, rows=(), is_killed=False):
    """Return an engine whose strategies may trade these instruments, with open orders."""
    return SimpleNamespace(
        strategies=[SimpleNamespace(instruments=instruments) for instruments in strategies],
        now_ns=77,
        kernel=SimpleNamespace(
            open_orders=lambda: list(rows),
            venue_names=lambda account: [],
            outside=lambda account=0: {
                "refused_exits": [],
                "has_agreed": False,
                "to_end": 0,
                "ordered_to_end": [],
            },
            is_killed=is_killed,
        ),
    )


def row(order_id, state="new", *, is_sent=True):
    """Return an open order as an engine shows it."""
    return {
        "order_id": order_id,
        "instrument_id": 0,
        "intent": TERMS | {"order_id": order_id, "decided_ns": 1},
        "state": state,
        "is_sent": is_sent,
        "open_lots": 10,
        "filled_lots": 0,
        "price_ticks": 95,
        "trades": [],
        "revised": [],
        "renewal": None,
    }


@pytest.mark.parametrize(
    ("strategies", "is_sent"), [([(0,)], True), ([(0,), (1,)], True), ([(0,), (0, 1)], False)]
)
async def test_reduce_only_is_the_venues_where_one_strategy_trades_an_instrument(strategies, is_sent):
    """From the start on, before any of them has sent an order: the venue knows the sum of positions alone."""
    link = link_to(Asked())
    link.start(engine_of(*strategies), lambda: None)
    link._requests.take(
        [
            record("order", 1, 1, order_id=1, **(TERMS | {"reduce_only": True})),
            record("sent", 2, 1, order_id=1, request="new", lots=10),
        ]
    )
    (send,), _ = link._requests.due(venue_link._now_ns(), lambda about: Leave.GO)
    assert send.request.order.reduce_only is is_sent


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_start_takes_over_open_orders_and_begins_to_compare(is_killed):
    """What was not answered is in doubt; after a kill each one is to end, whatever the venue says."""
    link = link_to(Asked())
    rows = [row(1), row(2, "unknown"), row(3, "pending_new"), row(4, is_sent=False)]
    link.start(engine_of((0,), rows=rows, is_killed=is_killed), lambda: None)
    assert [type(word) for word in link.take()] == [Reconciling, OutcomeLost]
    assert link.take() == []
    assert {order.order_id for order in link._table.orders.values()} == {1, 2, 3}
    assert {order.is_insisted for order in link._table.orders.values()} == {is_killed}
    assert link._table.unknown == 2
    assert link._reconciliation.watermark_ns == 77
    assert link.name_of(1) == ClientIds(0, "journal").of(1)


async def test_what_was_held_back_here_says_nothing_of_the_venue():
    """Orders that the fence did not let out, one after the other, leave its endpoint as it was."""

    class Held:
        capabilities = CAPABILITIES

        async def submit(self, request):
            return fenced_venue._TAKEN_BACK

    link = link_to(Held())
    request = Submit(client_order_id="a", order=TERMS, lots=1)
    for _ in range(FAILURES_MAX + 1):
        assert link._may_send(Submit, venue_link._now_ns(), 0) is Leave.GO
        await link._send(Send(1, request, False))
    assert link._allowance.trouble(0) == ""


def test_a_probe_that_did_not_leave_leaves_room_for_the_next_one():
    """An endpoint that is tried one request at a time is not left alone for ever."""
    breaker = Breaker()
    for _ in range(FAILURES_MAX):
        breaker.note_failure(0)
    assert not breaker.is_open(FIRST_NS)
    breaker.note_sent()
    assert breaker.is_open(FIRST_NS)
    breaker.note_unsent()
    assert (breaker.is_open(FIRST_NS), breaker.is_tripped) == (False, True)
