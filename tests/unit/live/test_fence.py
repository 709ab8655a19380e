"""Who may still send: an engine that another one with a higher epoch has replaced sends nothing."""

import asyncio
import time

import pytest

from support.live_desk import CAPABILITIES, TERMS
from support.sessions import FakeClock
from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import FencedError, VenueError
from tradecore.domain.venue_findings import (
    FillSeen,
    FillsSince,
    Findings,
    OpenOrders,
    OrderSeen,
    StreamReady,
    VenueOrderState,
)
from tradecore.domain.venue_requests import Cancel, NotDone, Submit, Taken
from tradecore.runtime.live import fenced_venue
from tradecore.runtime.live.client_ids import EPOCH_MAX, ClientIds
from tradecore.runtime.live.fence import AccountHold, Fence
from tradecore.runtime.live.fenced_venue import STILL_NS, FencedVenue, SigningClock

JOURNAL = "journal"
WINDOW_NS = CAPABILITIES.validity_window_ns


class Kept:
    """The epoch of an account on this machine."""

    def __init__(self, epoch=0, *, takes_over=False):
        self.now = epoch
        self.asked = 0
        self.hold = AccountHold(
            epoch=self.read, raise_to=self.raise_to, takes_over=takes_over, path="account.engine"
        )

    def read(self):
        """Return it."""
        self.asked += 1
        return self.now

    def raise_to(self, epoch):
        """Only a higher one changes it."""
        self.now = max(self.now, epoch)


def order(name, state=VenueOrderState.OPEN):
    """Return an order that a venue shows."""
    return OrderSeen(
        instrument=0,
        symbol="BTC-USD",
        client_order_id=name,
        venue_order_id="V1",
        side="buy",
        state=state,
        price_ticks=100,
        open_lots=1,
        filled_lots=0,
        time_ns=1,
    )


def fill(name):
    """Return a trade that a venue shows."""
    return FillSeen(
        instrument=0,
        symbol="BTC-USD",
        trade_id="T1",
        client_order_id=name,
        venue_order_id="V1",
        side="buy",
        price_ticks=100,
        lots=1,
        liquidity="maker",
        fee="0",
        fee_currency="USD",
        time_ns=1,
    )


def name(epoch, number, journal=JOURNAL):
    """Return the name of an order of an epoch, whoever gave it."""
    return ClientIds(epoch, journal).of(number)


def fence(kept=None, *names, epoch_min=0):
    """Return a fence of an account whose venue shows these names."""
    made = Fence("main", lambda: JOURNAL, (kept or Kept()).hold, epoch_min=epoch_min)

    async def names_since(_):
        return names

    made.names_since = names_since
    return made


async def settled(made, recorded=(), last_order_id=10):
    """Settle as a start does."""
    return await made.settle(recorded, last_order_id=last_order_id, since_ns=0)


@pytest.mark.parametrize("claimed", [0, 7])
async def test_a_new_journal_has_the_epoch_of_its_account(claimed):
    """Its names are of nobody else; one of before is not lower than what the account had."""
    made = fence(Kept(claimed))
    assert await settled(made, None, 0) == (Epoch(claimed, 1),)
    assert await settled(fence(Kept(claimed), epoch_min=9), None, 0) == (Epoch(9, 1),)


async def test_an_old_journal_goes_on_by_the_epoch_of_its_configuration():
    """It knows no epochs: its orders were named by what the configuration says."""
    kept = Kept()
    assert await settled(fence(kept, epoch_min=3)) == (Epoch(3, 1),)
    assert kept.now == 3


@pytest.mark.parametrize("claimed", [0, 1, 2])
async def test_a_journal_goes_on_by_its_own_epoch_and_makes_it_that_of_the_account(claimed):
    """Also on a machine that has not heard of that epoch yet."""
    kept = Kept(claimed)
    recorded = (Epoch(0, 1), Epoch(2, 5))
    assert await settled(fence(kept), recorded) == recorded
    assert kept.now == 2


@pytest.mark.parametrize("recorded", [(), (Epoch(0, 1),), (Epoch(0, 1), Epoch(1, 4))])
async def test_a_start_with_a_lower_epoch_is_refused_and_changes_nothing(recorded):
    """It is an older copy of a journal that another engine on this machine has gone on with."""
    kept = Kept(2)
    with pytest.raises(FencedError, match=r"an engine with epoch 2 has taken it over on this machine"):
        await settled(fence(kept), recorded)
    assert kept.now == 2


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (name(1, 3), "shows order 3 of this journal with epoch 1, and this engine has epoch 0"),
        (name(1, 11), "shows order 11 of this journal with epoch 1"),
        (name(EPOCH_MAX, 11), f"with epoch {EPOCH_MAX}"),
        (name(0, 11), "order 11 of this journal, which has come to 10 only: this is an older copy"),
    ],
)
async def test_a_start_is_refused_where_the_venue_shows_that_another_has_gone_on(shown, words):
    """Before anything is written or sent."""
    kept = Kept()
    with pytest.raises(FencedError, match=words):
        await settled(fence(kept, None, "web", shown))
    assert kept.now == 0


@pytest.mark.parametrize(
    "shown", [None, "", "web", name(0, 10), name(0, 1), name(5, 99, "another"), name(1, 11)[:-1], "t" * 18]
)
async def test_what_only_looks_like_ours_refuses_nobody(shown):
    """A name of another journal, of others, without a name, or of an order that was sent from here."""
    assert await settled(fence(Kept(), shown)) == (Epoch(0, 1),)
    made = fence()
    await settled(made)
    made.start(lambda: 10, lambda: pytest.fail("nobody was fenced"))
    made.hear(order(shown), fill(shown))
    assert made.may_send()


@pytest.mark.parametrize(
    ("claimed", "recorded", "shown", "epoch"),
    [
        (1, (), (), 1),
        (3, (), (), 3),
        (1, (Epoch(4, 1),), (), 5),
        (1, (), (name(0, 11),), 1),
        (1, (), (name(1, 11),), 2),
        (1, (Epoch(1, 1),), (name(6, 3), name(2, 99)), 7),
    ],
)
async def test_who_takes_over_has_a_higher_epoch_than_all_that_is_known(claimed, recorded, shown, epoch):
    """On this machine, in the journal, and at the venue; orders have it from the next number on."""
    kept = Kept(claimed, takes_over=True)
    epochs = await settled(fence(kept, *shown), recorded)
    assert epochs == (*(recorded or (Epoch(0, 1),)), Epoch(epoch, 11))
    assert kept.now == epoch


async def test_an_epoch_in_which_no_order_was_made_leaves_no_trace():
    """Whoever takes over again and again without an order has two epochs, not a hundred."""
    recorded = (Epoch(0, 1),)
    for _ in range(100):
        recorded = await settled(fence(Kept(takes_over=True)), recorded)
    assert recorded == (Epoch(0, 1), Epoch(100, 11))
    assert await settled(fence(Kept(takes_over=True)), (Epoch(4, 1),), 0) == (Epoch(5, 1),)


async def test_after_the_last_epoch_only_a_new_journal_goes_on():
    """The message says so; a new journal does, by that very epoch."""
    with pytest.raises(FencedError, match=r"no epoch is higher than 32767.*`--new-journal`, after no engine"):
        await settled(fence(Kept(EPOCH_MAX + 1, takes_over=True)), (Epoch(EPOCH_MAX, 1),))
    assert await settled(fence(Kept(EPOCH_MAX)), None, 0) == (Epoch(EPOCH_MAX, 1),)


FIRST = (Epoch(0, 1),)


async def started(kept=None, epochs=FIRST, last=10):
    """Return a fence that looks, and a list that has something in it once it is fenced."""
    woken = []
    made = fence(kept)
    await settled(made, epochs, last)
    made.start(lambda: last, lambda: woken.append(True))
    return made, woken


@pytest.mark.parametrize("show", [order, fill])
@pytest.mark.parametrize("shown", [name(1, 1), name(1, 99), name(0, 11)])
async def test_one_report_of_another_engine_fences_for_good(show, shown):
    """An order or a trade, by stream or by answer; the first one that says so is named."""
    made, woken = await started()
    made.hear(StreamReady(), show(name(0, 10)))
    assert made.may_send()
    made.hear(show(shown))
    assert (made.may_send(), woken) == (False, [True])
    first = str(made.fenced)
    made.hear(show(name(9, 9)))
    assert str(made.fenced) == first
    assert "`tradecore run --take-over`" in first


async def test_the_epoch_of_the_machine_fences_at_the_next_request():
    """It is asked for each time; an epoch that is equal or lower is nobody else's."""
    kept = Kept()
    made, woken = await started(kept, (Epoch(2, 1),))
    assert (kept.now, made.may_send(), woken) == (2, True, [])
    kept.now = 3
    assert (made.may_send(), woken) == (False, [True])
    kept.now = 0
    assert not made.may_send()
    assert "an engine with epoch 3 has taken it over on this machine, and this one has 2" in str(made.fenced)


async def test_orders_keep_the_names_of_the_epoch_in_which_they_were_numbered():
    """One that was taken over is found under its name; a number of somebody else's epoch is not ours."""
    made, _ = await started(epochs=(Epoch(0, 1), Epoch(2, 5)))
    ids = ClientIds(made.epochs, JOURNAL)
    assert [ids.of(number) for number in (1, 4, 5, 10)] == [name(0, 1), name(0, 4), name(2, 5), name(2, 10)]
    assert [ids.order_id(name(epoch, 4)) for epoch in (0, 1, 2)] == [4, None, None]
    assert [ids.order_id(name(epoch, 5)) for epoch in (0, 1, 2)] == [None, None, 5]
    # What the engine before has sent since is its own, and fences nobody.
    made.hear(order(name(0, 7)), order(name(1, 3)))
    assert made.may_send()


async def nothing_before():
    """Answer at once."""


class Silent:
    """A venue that takes what it is sent, and answers with what it was given."""

    capabilities = CAPABILITIES

    def __init__(self, clock=None):
        self.clock = clock
        self.sent = []
        self.answers = []
        self.asked = []
        self.before_answer = nothing_before
        self.messages = [StreamReady()]

    async def submit(self, request):
        """Sign and take it."""
        if self.clock is not None:
            self.clock.now_ns()
        self.sent.append(request)
        return Taken()

    replace = cancel = submit

    async def query(self, question):
        """Answer with the next one, or fail with it."""
        self.asked.append(question)
        await self.before_answer()
        answer = self.answers.pop(0) if self.answers else Findings(seen=(), is_complete=True, time_ns=1)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def reports(self):
        """Tell all."""
        for message in self.messages:
            yield message

    async def aclose(self):
        """Nothing is open."""


def new(name):
    """Make a request for an order of that name."""
    return Submit(client_order_id=name, order=TERMS, lots=1)


async def behind(made):
    """Return a venue behind a fence, which is being listened to, and our clock."""
    clock = FakeClock()
    signing = SigningClock(clock)
    venue = Silent(signing)
    fenced = FencedVenue(venue, made, clock, signing)
    async for _ in fenced.reports():
        pass
    return fenced, venue, clock


CANCEL = Cancel(client_order_id="a", instrument=0)


async def test_nothing_reaches_the_venue_from_behind_a_closed_fence():
    """Neither a new order nor an amendment or a cancel; and it is known that nothing did."""
    kept = Kept()
    made, _ = await started(kept)
    fenced, venue, _ = await behind(made)
    assert await fenced.submit(new("new")) == Taken()
    kept.now = 1
    for send in (fenced.submit, fenced.replace, fenced.cancel):
        answer = await send(new("later"))
        assert isinstance(answer, NotDone)
        assert "fenced" in answer.words
    assert venue.sent == [new("new")]
    await fenced.aclose()


@pytest.mark.parametrize("send", ["submit", "replace"])
async def test_what_is_taken_back_while_it_waits_for_the_proof_does_not_leave(send):
    """A kill asks for the end of all orders: none of them leaves after it."""
    made, _ = await started(Kept())
    fenced, venue, _ = await behind(made)
    fenced.is_taken_back = {"a"}.__contains__
    answer = await getattr(fenced, send)(new("a"))
    assert isinstance(answer, NotDone)
    assert "before it left" in answer.words
    assert await getattr(fenced, send)(new("b")) == Taken()
    assert venue.sent == [new("b")]
    await fenced.aclose()


async def test_a_request_that_is_stopped_before_it_is_signed_does_not_leave():
    """The fence is asked for once more after the time of the signature was read."""
    kept = Kept()
    made, _ = await started(kept)
    fenced, venue, _ = await behind(made)
    plain = made.may_send

    def taken_meanwhile():
        kept.now, kept.asked = 1, kept.asked + 1
        made.may_send = plain
        return True

    made.may_send = taken_meanwhile
    answer = await fenced.submit(new("new"))
    assert (isinstance(answer, NotDone), venue.sent) == (True, [])
    await fenced.aclose()


@pytest.mark.parametrize("shown", [(), (order(name(0, 3)),)])
async def test_after_a_pause_new_orders_wait_for_the_word_of_the_venue(shown):
    """It is asked who has traded; where nobody has, all goes on."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns += STILL_NS + 1
    venue.answers = [Findings(seen=shown, is_complete=True, time_ns=1)] * 2
    assert await fenced.submit(new("new")) == Taken()
    assert venue.answers == []
    assert await fenced.submit(new("next")) == Taken()
    await fenced.aclose()


@pytest.mark.parametrize("send", ["submit", "replace", "cancel"])
async def test_after_a_pause_one_that_was_taken_over_sends_nothing(send):
    """The order of the other one is among what the venue shows."""
    made, woken = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns += 10 * STILL_NS
    venue.answers = [Findings(seen=(order(name(1, 11)),), is_complete=True, time_ns=1)]
    assert isinstance(await getattr(fenced, send)(new("new")), NotDone)
    assert (venue.sent, woken) == ([], [True])
    await fenced.aclose()


@pytest.mark.parametrize(
    "answer", [VenueError("503"), OSError(), TimeoutError(), Findings(seen=(), is_complete=False, time_ns=1)]
)
async def test_a_venue_that_does_not_say_holds_what_makes_more_and_no_cancel(answer):
    """It is asked again with the next request."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns += STILL_NS + 1
    venue.answers = [answer] * 4
    assert "stood still" in (await fenced.submit(new("new"))).words
    assert await fenced.cancel(CANCEL) == Taken()
    assert venue.sent == [CANCEL]
    assert await fenced.submit(new("again")) == Taken()
    await fenced.aclose()


async def test_after_a_pause_the_venue_is_asked_for_what_has_happened_since():
    """Since the last sign of life, less what clocks may be apart: in a minute more much may have traded."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns = 100 * WINDOW_NS
    assert await fenced.submit(new("new")) == Taken()
    seen_ns = clock.time_ns
    clock.time_ns += STILL_NS + 1
    venue.asked.clear()
    assert await fenced.submit(new("next")) == Taken()
    assert venue.asked == [OpenOrders(), FillsSince(time_ns=seen_ns - WINDOW_NS)]
    await fenced.aclose()


async def test_a_clock_that_is_set_back_in_a_pause_hides_nothing_of_it():
    """How long it was the clock that never jumps says; the one on the wall was ahead until then."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns = 100 * WINDOW_NS
    assert await fenced.submit(new("new")) == Taken()
    before_ns = asyncio.get_running_loop().time()
    time.sleep(1.2 * STILL_NS / 1e9)  # noqa: ASYNC251
    clock.time_ns -= 10 * WINDOW_NS
    venue.asked.clear()
    assert await fenced.submit(new("next")) == Taken()
    passed_ns = int((asyncio.get_running_loop().time() - before_ns) * 1e9)
    (_, asked) = venue.asked
    assert 0 <= asked.time_ns - (clock.time_ns - passed_ns - WINDOW_NS) < STILL_NS
    await fenced.aclose()


async def test_an_answer_may_take_longer_than_a_pause_that_counts():
    """The process goes on meanwhile, and that is seen."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns += STILL_NS + 1
    venue.before_answer = lambda: asyncio.sleep(1.5 * STILL_NS / 1e9)
    assert await fenced.submit(new("new")) == Taken()
    await fenced.aclose()


async def test_an_answer_from_before_another_pause_proves_nothing():
    """Somebody may have taken over in that one."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    clock.time_ns += STILL_NS + 1

    async def pause_again():
        clock.time_ns += STILL_NS + 1

    venue.before_answer = pause_again
    assert "stood still" in (await fenced.submit(new("new"))).words
    venue.before_answer = nothing_before
    assert await fenced.submit(new("again")) == Taken()
    assert venue.sent == [new("again")]
    await fenced.aclose()


async def test_a_short_pause_asks_nobody():
    """A step of the clock back does not, either."""
    made, _ = await started()
    fenced, venue, clock = await behind(made)
    venue.answers = [VenueError("nobody asks")]
    clock.time_ns += STILL_NS - 1
    assert await fenced.submit(new("new")) == Taken()
    assert len(venue.answers) == 1
    await fenced.aclose()


async def test_a_start_asks_for_names_and_goes_on_without_an_answer():
    """Open orders, and what has traded since the journal ends, less a minute."""
    fenced, venue, _ = await behind((await started())[0])
    venue.answers = [
        Findings(seen=(order("a"), order(None)), is_complete=True, time_ns=1),
        Findings(seen=(fill("b"),), is_complete=False, time_ns=1),
    ]
    assert await fenced.names_since(5) == ["a", None, "b"]
    venue.answers = [VenueError("503"), OSError()]
    assert await fenced.names_since(10**18) == []
    await fenced.aclose()


async def test_what_is_asked_waits_for_room_as_any_other_question(monkeypatch):
    """And is counted with its outcome; one for which there is no room in time is not asked."""
    monkeypatch.setattr(fenced_venue, "PROOF_SECONDS_MAX", 0.12)
    fenced, venue, _ = await behind((await started())[0])

    class Room:
        def __init__(self, *says):
            self.says, self.told = list(says), []

        def ask(self, about, *_):
            return self.says.pop(0) if self.says else fenced_venue.Leave.WAIT

        def asked(self, question, _, *, has_answer):
            self.told.append((type(question), has_answer))

    wait, go = fenced_venue.Leave.WAIT, fenced_venue.Leave.GO
    fenced.allowance = room = Room(wait, go, go)
    assert await fenced.names_since(0) == []
    assert sorted(has for _, has in room.told) == [True, True]
    fenced.allowance = room = Room(go)
    venue.answers = [VenueError("503")]
    await fenced.names_since(0)
    assert room.told == [(OpenOrders, False)]
    await fenced.aclose()


@pytest.mark.parametrize(
    ("claimed", "recorded"), [(0, ()), (2, (Epoch(0, 1), Epoch(2, 5))), (1, (Epoch(2, 5),))]
)
async def test_a_journal_that_is_carried_over_keeps_the_epoch(claimed, recorded):
    """All orders of the new one have it; it is not begun anew, because another journal gives other names."""
    (epoch,) = fence(Kept(claimed)).carried(recorded)
    assert epoch == Epoch(recorded[-1].number if recorded else 0, 1)


async def test_an_older_copy_is_not_carried_over():
    """Unless somebody has decided that it is the one to go on with."""
    with pytest.raises(FencedError, match="an engine with epoch 2 has taken it over"):
        fence(Kept(2)).carried((Epoch(1, 1),))
    assert fence(Kept(2, takes_over=True)).carried((Epoch(1, 1),)) == (Epoch(2, 1),)
