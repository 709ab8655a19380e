"""An amendment at a venue that amends nothing ends the order there, and sends what is left of it anew."""

import asyncio
import itertools

import msgspec
import pytest

from support.live_session import LIVE, Buyer, quote, ready, running
from support.scripted_venue import QUICK, ScriptedVenue
from tradecore.domain.commands import Flatten, Kill, Pause
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import Units
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.domain.venue_requests import Declined, Lost
from tradecore.runtime.live.adoption import Owners
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.comparison import Comparer
from tradecore.runtime.live.journal_books import JournalFollower

CAN = msgspec.structs.replace(QUICK, replaces=False)
IDS = ClientIds(0, "test")
FIRST, SECOND, THIRD = (IDS.of(1, revision) for revision in range(3))


@pytest.fixture
def path(tmp_path):
    """Return the place of the journal."""
    return tmp_path / "live.journal"


def venue(script=(), **can):
    """Return a venue that amends nothing, and refuses loudly to do so."""
    made = ScriptedVenue(script, msgspec.structs.replace(CAN, **can))

    async def never(request):
        raise AssertionError(f"asked to amend: {request}")

    made.replace = never
    return made


def told(live):
    """Return what the strategy heard of its orders."""
    return [(what, reason) for _, what, reason in live.strategy.told]


def open_there(there):
    """Return the open orders of a venue by name, with price and open size."""
    return {
        name: (order.price_ticks, order.open_lots)
        for name, order in there.orders.items()
        if order.state is VenueOrderState.OPEN
    }


@pytest.fixture(autouse=True)
def hearing(monkeypatch):
    """Let the strategy keep what it is told."""

    def on_order(self, ctx, update):
        self.told = [*getattr(self, "told", []), (update.order_id, update.what, update.reason)]

    monkeypatch.setattr(Buyer, "on_order", on_order, raising=False)
    monkeypatch.setattr(Buyer, "told", [], raising=False)


async def opened(live, there):
    """Open the first order."""
    await ready(live)
    live.feed.trade()
    await live.until(lambda: live.states() == {1: "new"})
    assert open_there(there) == {FIRST: (95, 10)}


async def test_to_the_strategy_it_stays_one_order(path):
    """The venue has another order; the strategy hears that its own was replaced, and can go on with it."""
    there = venue()
    async with running(path, there) as live:
        await opened(live, there)
        there.fill(FIRST, 2)
        await live.until(lambda: live.position == 2)
        live.feed.trade(3)
        await live.until(lambda: live.states() == {1: "partially_filled"} and len(there.orders) == 2)
        assert open_there(there) == {SECOND: (96, 7)}
        assert told(live) == [("accepted", ""), ("replaced", "")]
        there.fill(SECOND, 3)
        await live.until(lambda: live.position == 5)
        live.feed.trade(2)
        await live.until(lambda: live.states() == {})
        assert open_there(there) == {}
        assert told(live)[2:] == [("canceled", "requested")]
        assert live.session.outside.status.foreign_orders == 0
    sent = [fields["request"] for _, _, kind, fields in JournalFolder(path).reader() if kind == "sent"]
    assert sent == ["new", "cancel", "replace", "cancel"]
    assert there.submitted == [FIRST, SECOND]


async def test_what_fills_while_it_is_ended_counts(path):
    """A fill that crosses the cancel makes what is sent anew smaller."""
    there = venue()
    ask = there.cancel

    async def crossed(request):
        there.fill(FIRST, 4)
        return await ask(request)

    there.cancel = crossed
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {SECOND: (96, 3)})
        await live.until(lambda: live.states() == {1: "partially_filled"})
        there.fill(SECOND, 3)
        await live.until(lambda: live.states() == {})
        assert live.position == there.position() == 7
        assert "surprise" not in live.kinds()


async def test_a_full_fill_is_too_fast_for_an_amendment(path):
    """Nothing is sent anew."""
    there = venue()

    async def crossed(_):
        there.fill(FIRST, 10)
        return Declined(reason="unknown_order", words="gone")

    there.cancel = crossed
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: live.states() == {})
        await asyncio.sleep(0.05)
        assert (live.position, there.submitted) == (10, [FIRST])


async def test_a_cancel_that_is_refused_leaves_the_order_as_it_is(path):
    """The amendment is rejected, and the order works on."""
    there = venue()

    async def refused(_):
        return Declined(reason="unknown_order", words="no")

    there.cancel = refused
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: ("replace_rejected", "unknown_order") in told(live))
        assert live.states() == {1: "new"}
        assert (open_there(there), there.submitted) == ({FIRST: (95, 10)}, [FIRST])
        # And it can be amended again.
        del there.cancel
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {SECOND: (96, 7)})


@pytest.mark.parametrize("what", ["before", "after"])
async def test_a_cancel_whose_outcome_is_lost_is_asked_about(path, what):
    """Nothing is sent anew before the venue has shown that the order ended."""
    there = venue(["ok", what])
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
        await live.until(lambda: live.states() == {1: "new"})
        assert there.submitted == [FIRST, SECOND]


@pytest.mark.parametrize("what", ["before", "after", "busy"])
async def test_what_is_sent_anew_is_sent_once(path, what):
    """A lost answer is asked about: found, or proved to be absent, and then the order is over."""
    there = venue(["ok", "ok", what])
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        if what == "before":
            await live.until(lambda: live.states() == {})
            assert told(live)[1:] == [("replace_rejected", "never_arrived"), ("canceled", "never_arrived")]
            assert open_there(there) == {}
        else:
            await live.until(lambda: live.states() == {1: "new"} and open_there(there))
            await live.until(lambda: ("replaced", "") in told(live))
            assert open_there(there) == {SECOND: (96, 7)}
        assert len(there.submitted) == 2 + (what == "busy")
        assert live.session.outside.status.unknown == 0


async def test_what_the_venue_does_not_take_anew_is_over(path):
    """The strategy hears why, and that its order has ended."""
    there = venue(["ok", "ok", "refuse"])
    async with running(path, there) as live:
        await opened(live, there)
        there.fill(FIRST, 2)
        await live.until(lambda: live.position == 2)
        live.feed.trade(3)
        await live.until(lambda: live.states() == {})
        assert told(live)[1:] == [
            ("replace_rejected", "insufficient_margin"),
            ("canceled", "not_taken_anew"),
        ]
        assert "surprise" not in live.kinds()


@pytest.mark.parametrize(
    ("script", "is_again"), [(["ok", "ok", "before"], True), (["ok", "ok", "refuse"], False)]
)
async def test_an_exit_that_is_not_there_anew_is_no_secret(path, script, is_again):
    """One that provably never got there is sent again, as every exit is; a refused one is said loudly."""
    there = venue(script)
    async with running(path, there) as live:
        await ready(live)
        live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        there.fill(FIRST, 10)
        await live.until(lambda: live.position == 10)
        there.script[:] = script
        live.feed.trade(4)
        await live.until(lambda: live.states() == {2: "new"})
        live.strategy.orders.append(2)
        live.feed.trade(3)
        if is_again:
            await live.until(lambda: 2 not in live.states())
            live.feed.time_ns += 2_000_000_000
            live.feed.queue.put_nowait(quote(live.feed))
            await live.until(lambda: IDS.of(3) in open_there(there))
            assert open_there(there)[IDS.of(3)] == (120, 10)
        else:
            await live.until(lambda: live.engine.kernel.outside()["refused_exits"] == [2])
            assert "OPEN WITHOUT ITS EXIT" in live.session.outside.status.trouble


async def test_of_several_amendments_the_newest_counts(path):
    """While the order is being ended another amendment costs no request; each is answered."""
    there, gate = venue(), asyncio.Event()
    ask = there.cancel

    async def held(request):
        await gate.wait()
        return await ask(request)

    there.cancel = held
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        live.feed.trade(3)
        await live.until(lambda: live.kinds().count("replace_request") == 2)
        gate.set()
        await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
        await live.until(lambda: told(live)[1:] == [("replaced", "")] * 2)
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {THIRD: (96, 7)})
        assert there.submitted == [FIRST, SECOND, THIRD]


async def test_a_late_fill_of_what_was_ended_is_booked_to_the_order(path):
    """What took its place stays as large as it is at the venue."""
    there = venue()
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: live.states() == {1: "new"} and SECOND in there.orders)
        old = there.orders[FIRST]
        there.orders[FIRST] = msgspec.structs.replace(old, open_lots=2)
        there.fill(FIRST, 2)
        await live.until(lambda: live.position == 2)
        (row,) = live.engine.kernel.open_orders()
        assert (row["open_lots"], row["filled_lots"]) == (7, 2)
        there.fill(SECOND, 7)
        await live.until(lambda: live.states() == {})
        assert live.position == there.position() == 9
        assert "surprise" not in live.kinds()


async def test_late_fills_of_one_size_leave_what_was_sent_anew_as_large_as_it_is(path):
    """Two trades cross the end, one after the other and alike: each makes the whole order larger."""
    there = venue()
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {SECOND: (96, 7)} and live.states() == {1: "new"})
        for filled in (2, 4):
            there.fill_late(FIRST, 2)
            await live.until(lambda filled=filled: live.position == filled)
        (order,) = live.engine.kernel.open_orders()
        assert (order["open_lots"], order["filled_lots"]) == (7, 4)
        there.fill(SECOND, 7)
        await live.until(lambda: live.position == 11 and live.states() == {})
        assert "surprise" not in live.kinds()


@pytest.mark.parametrize("command", [Kill(), Pause(), Flatten()], ids=["kill", "pause", "flatten"])
async def test_what_is_stopped_meanwhile_is_not_sent(path, command):
    """A kill, a pause or a flatten between the end and the new one: nothing new leaves."""
    there, gate = venue(), asyncio.Event()
    ask = there.cancel

    async def held(request):
        await gate.wait()
        return await ask(request)

    there.cancel = held
    async with running(path, there) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: live.states() == {1: "pending_replace"})
        await live.session.command(command)
        await live.until(lambda: "command" in live.kinds())
        gate.set()
        await live.until(lambda: live.states() == {})
        await asyncio.sleep(0.02)
        assert (there.submitted, open_there(there)) == ([FIRST], {})


@pytest.mark.parametrize("steps", range(5))
async def test_a_crash_at_any_step_sends_nothing_twice(path, steps):
    """The next start finds out which of them is there, and goes on."""
    there = venue()
    gates = [asyncio.Event() for _ in range(2)]
    ask, take = there.cancel, there.submit

    async def cancel(request):
        if steps == 0:
            return Lost(words="died")
        answer = await ask(request)
        if steps == 1:
            return Lost(words="died")
        return answer

    async def submit(request):
        if request.client_order_id == FIRST:
            return await take(request)
        if steps == 2:
            await gates[0].wait()
        answer = await take(request)
        if steps == 3:
            await gates[1].wait()
        return answer

    there.cancel, there.submit = cancel, submit
    async with running(path, there, is_killed=True) as live:
        await opened(live, there)
        there.is_silent = steps in {1, 3}
        live.feed.trade(3)
        await live.until(lambda: live.kinds().count("sent") >= (2 if steps < 2 else 3))
        if steps == 4:
            await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
    there.cancel, there.submit, there.is_silent = ask, take, False
    async with running(path, there) as live:
        await live.until(lambda: live.session.outside.status.unknown == 0 and live.is_reconciled())
        if steps == 2:
            # It was durable and may have been on its way: it is never sent again.
            await live.until(lambda: live.states() == {})
            assert open_there(there) == {}
        else:
            await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
            await live.until(lambda: set(live.states().values()) == {"new"})
        assert len(set(there.submitted)) == len(there.submitted)
        assert live.session.outside.status.foreign_orders == 0


def step_of(live):
    """Return how far the amendment of the one open order is."""
    (row,) = live.engine.kernel.open_orders()
    return row["renewal"]["step"]


@pytest.mark.parametrize("is_killed", [False, True])
async def test_one_that_was_ended_waits_until_books_and_venue_agree(path, is_killed):
    """While they are compared no new risk leaves: what is left of the order is held, also over a crash."""
    there, gate = venue(), asyncio.Event()
    ask = there.cancel

    async def held(request):
        await gate.wait()
        return await ask(request)

    there.cancel = held
    async with running(path, there, is_killed=is_killed) as live:
        await opened(live, there)
        live.feed.trade(3)
        await live.until(lambda: live.states() == {1: "pending_replace"})
        there.answers_questions = False
        there.lose_stream()
        await live.until(lambda: live.engine.kernel.is_unreconciled)
        gate.set()
        await live.until(lambda: step_of(live) == "waiting")
        await asyncio.sleep(0.02)
        assert there.submitted == [FIRST]
        if not is_killed:
            there.answers_questions = True
            await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
            await live.until(lambda: live.states() == {1: "new"})
    there.answers_questions = True
    async with running(path, there) as live:
        await live.until(lambda: live.is_reconciled() and live.states() == {1: "new"})
        assert open_there(there) == {SECOND: (96, 7)}
        assert there.submitted == [FIRST, SECOND]


async def test_a_kill_ends_what_waits(path):
    """The venue has nothing of it, so nothing is asked there."""
    there = venue()
    async with running(path, there) as live:
        await opened(live, there)
        gate, ask = asyncio.Event(), there.cancel

        async def held(request):
            await gate.wait()
            return await ask(request)

        there.cancel = held
        live.feed.trade(3)
        await live.until(lambda: live.states() == {1: "pending_replace"})
        there.answers_questions = False
        there.lose_stream()
        await live.until(lambda: live.engine.kernel.is_unreconciled)
        gate.set()
        await live.until(lambda: step_of(live) == "waiting")
        await live.session.command(Kill())
        await live.until(lambda: live.states() == {})
        assert told(live)[-1] == ("canceled", "killed")
        assert len(live.session.outside._table.orders) == 0
        there.answers_questions = True
        await live.until(lambda: live.session.outside.status.step == "agreed")
        assert there.submitted == [FIRST]


async def test_after_ninety_nine_an_amendment_is_refused(path):
    """Names have room for no more; the order stays as it is."""
    there = venue(requests_per_second=1e9)
    async with running(path, there) as live:
        await opened(live, there)
        for revision in range(1, 100):
            live.feed.trade(3)
            await live.until(lambda there_now=revision: IDS.of(1, there_now) in open_there(there))
            await live.until(lambda: live.states() == {1: "new"})
        refused = live.engine.kernel.counters()["refusals"]
        live.feed.trade(3)
        await live.until(lambda: live.engine.kernel.counters()["refusals"] == refused + 1)
        rules = [fields["rule"] for _, _, kind, fields in JournalFolder(path).reader() if kind == "refused"]
        assert rules == ["amendments_max"]
        assert open_there(there) == {IDS.of(1, 99): (96, 7)}


async def test_an_order_that_was_doubled_on_the_way_ends_whole_before_it_is_sent_anew(path):
    """Where a venue may have two orders under one name, all of them are asked for."""
    there = venue(duplicate_ids=DuplicateIds.ACCEPTED)
    async with running(path, there) as live:
        await opened(live, there)
        twin = msgspec.structs.replace(there.orders[FIRST], venue_order_id="V9")
        called = there._called

        def both(asked):
            found = called(asked)
            return [*found, twins[0]] if asked.client_order_id == FIRST and twins else found

        async def cancel(request):
            if request.venue_order_id == "V9":
                twins[0] = ended = msgspec.structs.replace(
                    twins[0], state=VenueOrderState.CANCELED, open_lots=0
                )
                there.tell(ended)
                return await there._done(lambda: None, lambda: ended)
            (order,) = called(request)
            if order.state is not VenueOrderState.OPEN:
                return Declined(reason="unknown_order", words="not open")
            there.end(FIRST)
            return await there._done(lambda: None, lambda: order)

        twins = [twin]
        there._called, there.cancel = both, cancel
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
        assert twins[0].state is VenueOrderState.CANCELED


async def test_a_comparison_knows_what_was_sent_anew(path):
    """Under its newest name, with what filled under all of them; one that the venue has ended differs."""
    there = venue()
    async with running(path, there, is_killed=True) as live:
        await opened(live, there)
        there.fill(FIRST, 2)
        await live.until(lambda: live.position == 2)
        live.feed.trade(3)
        await live.until(lambda: open_there(there) == {SECOND: (96, 7)})
        there.fill(SECOND, 1)
        await live.until(lambda: live.position == 3)

    async def compared():
        follower = JournalFollower(JournalFolder(path), renews_amended=True)
        units = Units(LIVE, ["buyer"])
        comparer = Comparer(
            there, follower.catch_up, follower.books, ids=IDS, units=units, pause_seconds=0.001
        )
        return await comparer.compared()

    found = await compared()
    assert (found.verdict, found.findings) == ("agree", ())
    there.end(SECOND)
    (finding,) = (await compared()).findings
    assert (finding.kind.value, finding.subject) == ("not_open_there", "1")
    assert "canceled" in finding.words


async def test_a_replay_sends_nothing_and_ends_in_the_same_bytes(path):
    """A start compares each byte that the replay makes with the journal."""
    there = venue()
    async with running(path, there) as live:
        await opened(live, there)
        for _ in range(2):
            live.feed.trade(3)
            await asyncio.sleep(0.05)
        await live.until(lambda: open_there(there) == {THIRD: (96, 7)})
    before = list(itertools.chain(there.submitted))
    async with running(path, there) as live:
        await live.until(live.is_reconciled)
        assert live.states() == {1: "new"}
    assert there.submitted == before


@pytest.mark.parametrize("is_of_others", [True, False], ids=["of others", "at a venue without names"])
async def test_a_start_knows_what_trades_late_under_the_name_of_before(path, is_of_others, monkeypatch):
    """The venue's own name alone says it where others named the order, or no names of ours are known."""
    there = venue(duplicate_ids=DuplicateIds.REFUSED if is_of_others else DuplicateIds.NONE)
    there.hides_names = not is_of_others
    if is_of_others:
        # The strategy amends what it did not send.
        monkeypatch.setattr(
            Buyer, "on_trade", lambda _, ctx, trade: ctx.replace(1, quantity_lots=7, price_ticks=96)
        )
    owners = {"owners": Owners(assigned={0: 0})} if is_of_others else {}
    async with running(path, there, is_killed=True, **owners) as live:
        await ready(live)
        first = there.by_hand(10) if is_of_others else FIRST
        if not is_of_others:
            live.feed.trade()
        await live.until(lambda: live.states() == {1: "new"})
        live.feed.trade(3)
        await live.until(lambda: there.orders.get(SECOND) is not None and live.states() == {1: "new"})
    async with running(path, there, **owners) as live:
        await live.until(live.is_reconciled)
        there.is_silent = not is_of_others
        there.fill_late(first, 2)
        there.is_silent = False
        there.lose_stream()
        await live.until(lambda: live.position == 2 and live.is_reconciled())
        assert live.session.outside._table.foreign_fills == 0
        assert live.states() == {1: "partially_filled"}
        assert open_there(there) == {SECOND: (96, 7)}
