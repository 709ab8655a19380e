"""A session whose account was taken over ends; one that takes over goes on with what is open."""

import asyncio

import pytest

from support.live_session import LIVE, Live, ready
from support.scripted_venue import ScriptedVenue
from support.sessions import FakeClock
from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import FencedError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.venue_findings import OrderSeen, VenueOrderState
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.fence import AccountHold, Fence
from tradecore.runtime.live.fenced_venue import FencedVenue
from tradecore.runtime.recovery import last_epochs

ACCOUNT = LIVE.account.name
OLD, NEW = ClientIds(0, "test"), ClientIds(1, "test")


class Machine:
    """Where the epoch of the account is kept."""

    def __init__(self) -> None:
        self.epoch = 0

    def raise_to(self, epoch):
        """Only a higher one changes it."""
        self.epoch = max(self.epoch, epoch)

    def line_to(self, venue, *, takes_over=False):
        """Return a venue behind a fence, as the wiring makes it."""
        hold = AccountHold(epoch=lambda: self.epoch, raise_to=self.raise_to, takes_over=takes_over)
        return FencedVenue(venue, Fence(ACCOUNT, lambda: "test", hold), FakeClock())


class Watched(ScriptedVenue):
    """A venue that knows what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = []

    async def submit(self, request):
        """Note it."""
        self.sent.append(request.client_order_id)
        return await super().submit(request)

    async def cancel(self, request):
        """Note it."""
        self.sent.append(getattr(request, "client_order_id", "timer"))
        return await super().cancel(request)


def of_another(name):
    """Return an order of another engine."""
    return OrderSeen(
        client_order_id=name,
        venue_order_id="V99",
        instrument=0,
        symbol="BTC-USD",
        side="buy",
        state=VenueOrderState.OPEN,
        price_ticks=90,
        open_lots=1,
        filled_lots=0,
        time_ns=1,
    )


def last_end(path):
    """Return why the last session ended."""
    ends = [fields["reason"] for _, _, kind, fields in JournalFolder(path).reader() if kind == "session_end"]
    return ends[-1] if ends else None


async def trading(path, venue, machine, **options):
    """Run a session until it has an order at the venue."""
    live = Live(path, machine.line_to(venue, **options))
    task = asyncio.create_task(live.session.run())
    await ready(live)
    before = len(venue.sent)
    live.feed.trade()
    await live.until(lambda: len(venue.sent) > before and "pending_new" not in live.states().values())
    return live, task


async def ended(task):
    """End as if killed."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("how", ["a report", "the machine"])
async def test_one_that_was_taken_over_ends_and_sends_nothing_more(tmp_path, how):
    """What rests at the venue stays; the journal says why it ended, and verifies."""
    venue, machine = Watched(), Machine()
    live, task = await trading(tmp_path / "j", venue, machine)
    sent = list(venue.sent)
    if how == "a report":
        venue.tell(of_another(NEW.of(1)))
    else:
        machine.epoch = 1
    live.feed.trade(2)
    live.feed.trade()
    with pytest.raises(FencedError, match=r"account .* is fenced"):
        await asyncio.wait_for(task, 5)
    assert venue.sent == sent == [OLD.of(1)]
    assert last_end(tmp_path / "j") == "fenced"
    assert JournalFolder(tmp_path / "j").verify().status == "intact"


async def test_an_order_that_only_looks_like_ours_stops_nobody(tmp_path):
    """It is one of another journal, and known as an order of others."""
    venue, machine = Watched(), Machine()
    live, task = await trading(tmp_path / "j", venue, machine)
    venue.tell(of_another(ClientIds(30_000, "another").of(999)))
    await live.until(lambda: live.session.outside.status.foreign_orders == 1)
    live.feed.trade(2)
    await live.until(lambda: venue.sent == [OLD.of(1), OLD.of(1)])
    live.session.stop()
    await asyncio.wait_for(task, 5)


async def test_who_takes_over_goes_on_with_what_is_open_under_its_old_name(tmp_path):
    """New orders have the new epoch, which is in the journal before any of them leaves."""
    path, venue, machine = tmp_path / "j", Watched(), Machine()
    _, task = await trading(path, venue, machine)
    await ended(task)
    machine.epoch = 1
    for _ in range(2):
        live = Live(path, machine.line_to(venue))
        before = list(JournalFolder(path).chunks())
        with pytest.raises(FencedError, match="it is an older copy, or its own take-over was broken off"):
            await live.session.run()
        assert list(JournalFolder(path).chunks()) == before
    assert venue.sent == [OLD.of(1)]

    live, task = await trading(path, venue, machine, takes_over=True)
    assert venue.sent == [OLD.of(1), NEW.of(2)]
    assert last_epochs(JournalFolder(path)) == {ACCOUNT: (Epoch(0, 1), Epoch(1, 2))}
    kinds = [kind for _, _, kind, _ in JournalFolder(path).reader()]
    assert kinds.count("session") == 2
    assert len(kinds) - kinds[::-1].index("session") < len(kinds) - kinds[::-1].index("sent")
    assert live.engine.kernel.outside()["last_order_id"] == 2
    await ended(task)

    live, task = await trading(path, venue, machine)
    assert venue.sent[-1] == NEW.of(3)
    assert set(live.states()) == {1, 2, 3}
    for number in (1, 2):
        venue.fill({1: OLD, 2: NEW}[number].of(number), 10)
    await live.until(lambda: live.position == 20)
    live.session.stop()
    await asyncio.wait_for(task, 5)
    assert live.session.outside.status.epoch == 1


async def test_an_older_copy_is_refused_by_what_the_venue_shows(tmp_path):
    """An order with a number that it has not come to is open there: nothing was written, nothing is sent."""
    path, venue, machine = tmp_path / "j", Watched(), Machine()
    _, task = await trading(path, venue, machine)
    await ended(task)
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    _, task = await trading(path, venue, machine)
    await ended(task)
    before = copy.read_bytes()
    live = Live(copy, Machine().line_to(venue))
    with pytest.raises(FencedError, match="shows order 2 of this journal, which has come to 1 only"):
        await live.session.run()
    assert copy.read_bytes() == before
    assert venue.sent == [OLD.of(1), OLD.of(2)]
    # The newer one is in nobody's way.
    live, task = await trading(path, venue, machine)
    await ended(task)
    live, task = await trading(copy, venue, Machine(), takes_over=True)
    assert venue.sent[-1] == NEW.of(2)
    assert live.session.outside.status.foreign_orders == 2
    await ended(task)


async def test_a_journal_of_before_there_were_epochs_goes_on(tmp_path):
    """Its session names none; the next one does."""
    path, venue = tmp_path / "j", Watched()
    live = Live(path, venue)
    task = asyncio.create_task(live.session.run())
    await ready(live)
    live.feed.trade()
    await live.until(lambda: list(live.states().values()) == ["new"])
    await ended(task)
    assert last_epochs(JournalFolder(path)) == {}
    live, task = await trading(path, venue, Machine())
    assert venue.sent == [OLD.of(1), OLD.of(2)]
    assert last_epochs(JournalFolder(path)) == {ACCOUNT: (Epoch(0, 1),)}
    await ended(task)
