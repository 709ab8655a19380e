"""The dead man's timer of a venue is armed while the engine lives, and taken back when it ends on purpose."""

import asyncio

import msgspec
import pytest

from support.clocks import JumpingClock
from support.local_venue import CALM, QUERY_KEY, serving, terms
from support.scripted_venue import QUICK
from tradecore.domain.venue_findings import OpenOrders
from tradecore.domain.venue_requests import CancelAllAfter, Declined, Lost, Submit, Taken
from tradecore.runtime import SystemClock
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.dead_man import DeadMan
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.records import NewOrder

SECOND_NS = 1_000_000_000
WITH_TIMER = msgspec.structs.replace(CALM, dead_man_ms_max=60_000)


class Timed:
    """A venue that has a timer and answers as a script says."""

    def __init__(self, *answers, longest_ns=60 * SECOND_NS):
        self.capabilities = msgspec.structs.replace(QUICK, dead_man_ns_max=longest_ns)
        self.answers, self.asked, self.is_over = [*answers], [], asyncio.Event()

    async def cancel(self, request):
        """Note what was asked; at the end of the script nothing comes any more."""
        self.asked.append(request)
        if not self.answers:
            self.is_over.set()
            await asyncio.Event().wait()
        return self.answers.pop(0)


def dead_man(venue, span_ns=30 * SECOND_NS):
    """Return one on a clock that jumps."""
    budget = RequestBudget(BudgetRules.of(venue.capabilities))
    return DeadMan(venue, budget, JumpingClock(), span_ns)


async def kept(made, venue):
    """Keep it until the script of the venue has ended; return how often it told something."""
    tells = []
    task = asyncio.create_task(made.keep(lambda: tells.append(made.words)))
    await venue.is_over.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return tells


async def test_it_is_asked_for_again_long_before_its_time_is_over():
    """Each time for the whole time, three times within it."""
    venue = Timed(*[Taken()] * 4)
    made = dead_man(venue)
    assert await kept(made, venue) == []
    assert venue.asked == [CancelAllAfter(span_ns=30 * SECOND_NS)] * 5
    assert made.words == "armed, 30 s"
    assert made._clock.waits_ns[:3] == pytest.approx([10 * SECOND_NS] * 3, abs=1_000_000)


async def test_a_venue_that_does_not_arm_it_is_told_once_and_asked_sooner():
    """`status` says it as long as it is so."""
    venue = Timed(Taken(), Lost(words="no answer"), Lost(words="no answer"), Taken())
    made = dead_man(venue)
    assert await kept(made, venue) == ["NOT ARMED: no answer", "armed, 30 s"]
    assert made._clock.waits_ns[1] == pytest.approx(5 * SECOND_NS, abs=1_000_000)


@pytest.mark.parametrize(("span_ns", "longest_ns"), [(0, 60 * SECOND_NS), (30 * SECOND_NS, 0)])
async def test_without_a_setting_or_a_timer_nothing_is_asked(span_ns, longest_ns):
    """And nothing is taken back."""
    venue = Timed(longest_ns=longest_ns)
    made = dead_man(venue, span_ns)
    await made.keep(lambda: None)
    await made.take_back()
    assert (venue.asked, made.words) == ([], "")


async def test_what_is_under_way_comes_before_it_is_taken_back():
    """One that arms it after a clean end would end all that was to rest; one that hangs is left behind."""
    for is_answered in (True, False):
        venue, answer = Timed(Taken()), asyncio.Event()
        effects = []

        async def cancel(request, *, answer=answer, effects=effects):
            if request.span_ns:
                await answer.wait()
            effects.append(request.span_ns)
            return Taken()

        venue.cancel = cancel
        made = dead_man(venue)
        keeping = asyncio.create_task(made.keep(lambda: None))
        await asyncio.sleep(0.01)
        ending = asyncio.create_task(made.take_back())
        await asyncio.sleep(0.01)
        assert effects == []
        if is_answered:
            answer.set()
        async with asyncio.timeout(5):
            await ending
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        assert effects == ([30 * SECOND_NS, 0] if is_answered else [0])


async def test_what_waits_for_room_does_not_arm_it_once_it_is_taken_back():
    """The budget was used up when the engine ended; then there is room again."""
    venue = Timed(Taken(), Taken())
    made = DeadMan(venue, NoRoom(), SystemClock(), 30 * SECOND_NS)
    keeping = asyncio.create_task(made.keep(lambda: None))
    await asyncio.sleep(0.01)
    await made.take_back()
    made._budget.has_room = True
    await asyncio.sleep(0.2)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert venue.asked == [CancelAllAfter(span_ns=0)]


class NoRoom:
    """A budget without room until there is some."""

    has_room, is_usable = False, True

    def take(self, now_ns, weight, *, is_cancel):
        """Give what there is."""
        return self.has_room


async def test_what_the_venue_cannot_is_as_much_as_it_can():
    """A timer of ten seconds is armed for ten."""
    venue = Timed(Taken(), longest_ns=10 * SECOND_NS)
    made = dead_man(venue)
    await kept(made, venue)
    assert venue.asked[0] == CancelAllAfter(span_ns=10 * SECOND_NS)


def test_the_local_venue_ends_all_orders_of_the_account_when_the_time_is_over():
    """Not before, not those of another account, not where it was asked for again or taken back."""
    settings = msgspec.structs.replace(
        WITH_TIMER, accounts=(*WITH_TIMER.accounts, msgspec.structs.replace(WITH_TIMER.accounts[0], name="b"))
    )
    venue = LocalExchange(settings, start_ns=SECOND_NS)

    def rest(account, at_ns):
        wish = NewOrder(
            symbol="BTC-USD",
            is_buy=True,
            kind="limit",
            lots=10,
            price_ticks=4_000_000,
            client_order_id=f"{account}{at_ns}",
        )
        assert not hasattr(venue.submit(account, wish, at_ns), "code")

    def left():
        return [len(venue.accounts[name].open_orders) for name in ("demo", "b")]

    for name in ("demo", "b"):
        rest(name, 2 * SECOND_NS)
    assert venue.cancel_all_after("demo", 3 * SECOND_NS, 5 * SECOND_NS) is None
    assert venue.cancel_all_after("demo", 7 * SECOND_NS, 5 * SECOND_NS) is None
    venue.advance(12 * SECOND_NS - 1)
    assert left() == [1, 1]
    venue.advance(12 * SECOND_NS)
    assert left() == [0, 1]
    rest("demo", 13 * SECOND_NS)
    venue.advance(99 * SECOND_NS)
    assert left() == [1, 1], "it runs out once"
    assert venue.cancel_all_after("demo", 100 * SECOND_NS, SECOND_NS) is None
    assert venue.cancel_all_after("demo", 100 * SECOND_NS, 0) is None
    venue.advance(200 * SECOND_NS)
    assert left() == [1, 1]
    for span_ns in (-1, 61 * SECOND_NS):
        assert venue.cancel_all_after("demo", 201 * SECOND_NS, span_ns).code == "unsupported"


async def test_it_is_asked_for_over_the_wire_and_not_by_who_may_only_ask():
    """The client says what became of it; a venue without one declines."""
    async with serving(WITH_TIMER) as ground:
        trader, auditor = await ground.client(), await ground.client(QUERY_KEY)
        assert trader.capabilities.dead_man_ns_max == 60 * SECOND_NS
        order = Submit(client_order_id="a", order=terms(), lots=10)
        assert isinstance(await trader.submit(order), Taken)
        assert isinstance(await auditor.cancel(CancelAllAfter(span_ns=SECOND_NS)), Declined)
        assert isinstance(await trader.cancel(CancelAllAfter(span_ns=50_000_000)), Taken)
        await asyncio.sleep(0.2)
        assert (await trader.query(OpenOrders())).seen == ()
        assert isinstance(await trader.cancel(CancelAllAfter(span_ns=999 * SECOND_NS)), Declined)
        for client in (trader, auditor):
            await client.aclose()
    async with serving(CALM) as ground:
        trader = await ground.client()
        assert trader.capabilities.dead_man_ns_max == 0
        assert isinstance(await trader.cancel(CancelAllAfter(span_ns=SECOND_NS)), Declined)
        await trader.aclose()


async def test_it_takes_out_of_the_budget_by_the_time_that_all_others_go_by():
    """By the clock on the wall it would be far in the future, and the budget full at the next request."""
    venue = Timed(*[Taken()] * 4)
    budget = RequestBudget(BudgetRules(per_second=1e-6, burst=3.0, reserve=0.0))
    now_ns = int(asyncio.get_running_loop().time() * 1e9)
    assert [budget.take(now_ns, is_cancel=True) for _ in range(4)] == [True, True, True, False]
    made = DeadMan(venue, budget, JumpingClock(), 30 * SECOND_NS)
    task = asyncio.create_task(made.keep(lambda: None))
    for _ in range(200):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert venue.asked == []
