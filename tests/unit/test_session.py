"""A session: feed, run, append, commit, and only then tell."""

import asyncio

import msgspec
import pytest

from support.sessions import CONFIG, SPEC, FakeClock, ListFeed, fresh_engine, open_session
from tradecore.domain import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    EventBatch,
    InvalidValueError,
    StorageError,
    VenueError,
)
from tradecore.domain.commands import Pause, Resume
from tradecore.domain.journal import (
    JournalFolder,
    decode_frames,
)
from tradecore.domain.record_bodies import values_of
from tradecore.engine import Engine
from tradecore.runtime import Session, SessionConfig, SessionSettings
from tradecore.runtime.engine_input import EngineInput
from tradecore.runtime.frames import scan
from tradecore.runtime.recovery import recover
from tradecore.runtime.session import Phase
from tradecore.sim.simulated_exchange import START_NS
from tradecore.strategy import StrategyBinding


def records(path):
    """Return (kind, fields) of every record of a journal."""
    return [(kind, fields) for _, _, kind, fields in JournalFolder(path).reader()]


def kinds(path, *wanted):
    """Return the kinds of the records that are among the wanted ones."""
    return [kind for kind, _ in records(path) if kind in wanted]


def test_every_kind_of_market_event_is_counted_and_only_a_lost_feed_is_told():
    """A restart leaves out as many as were recorded: marks, funding and checked books among them."""
    engine = fresh_engine()
    batch = EventBatch()
    batch.book(START_NS, 0, True, 1, 1, 0, [(9_999, 1)], [(10_001, 1)])
    batch.book(START_NS, 0, False, 2, 2, 1, [(9_998, 1)], [], checksum=7)
    batch.quote(START_NS, 0, 9_999, 1, 10_001, 1)
    batch.trade(START_NS, 0, 10_000, 1, True)
    batch.mark(START_NS, 0, 10_000)
    batch.funding(START_NS, 0, 100_000)
    batch.feed_lost(START_NS, 0)
    batch.clock(START_NS)
    engine.feed(batch)
    engine.run()

    scanned = scan(engine.take_frames())
    assert (scanned.frames, scanned.market_events, scanned.effect_offsets) == (8, 7, (6,))
    assert [kind for kind, _, _ in decode_frames(scanned.effects)] == ["feed"]


@pytest.mark.parametrize("offsets", [(), (0, 1)])
def test_effects_without_a_number_each_are_not_told(offsets):
    """A notice with the number of another record would be worse than none."""
    engine = fresh_engine()
    batch = EventBatch()
    batch.feed_lost(START_NS, 0)
    engine.feed(batch)
    engine.run()
    scanned = scan(engine.take_frames())

    assert [record.seq for record in scanned.records(7)] == [7]
    with pytest.raises(ValueError, match="zip"):
        list(msgspec.structs.replace(scanned, effect_offsets=offsets).records(7))


class Witness:
    """A notifier that remembers what it was told and how much was durable then."""

    def __init__(self, journal=None) -> None:
        self.journal = journal
        self.told = []
        self.is_early = False
        self.is_closed = False

    async def notify(self, told, /):
        """Remember, and look at the journal."""
        self.told += told
        if self.journal is not None:
            self.is_early |= told[-1].seq >= self.journal.durable_records

    async def aclose(self):
        """Note it."""
        self.is_closed = True


async def test_notices_come_after_the_commit_and_leave_market_events_out(tmp_path):
    """Nobody hears of a record that a power cut could take back."""
    journal = JournalFolder(tmp_path / "journal").writer(0)
    witness = Witness(journal)
    session = open_session(tmp_path / "journal", journal=journal, notifiers=[witness])
    await session.run()

    heard = [(record.kind, values_of(record.body)) for record in witness.told]
    written = [entry for entry in records(tmp_path / "journal") if entry[0] not in ("flow", "trade", "book")]
    assert heard == written[1:]
    assert not witness.is_early
    assert witness.is_closed
    assert any(kind == "report" for kind, _ in heard)


async def test_a_finished_session_ends_with_its_mark_and_is_not_run_again(tmp_path):
    """The data's end is journalled; a second start finds nothing to do and changes no byte."""
    first = open_session(tmp_path / "journal")
    await first.run()
    verdict = JournalFolder(tmp_path / "journal").verify()
    again = open_session(tmp_path / "journal")
    await again.run()

    assert records(tmp_path / "journal")[-1] == ("session_end", {"reason": "end_of_data"})
    assert JournalFolder(tmp_path / "journal").verify().head == verdict.head
    assert again.engine.state_hash() == first.engine.state_hash()
    assert again.status().phase is Phase.ENDED


def times(path, *wanted):
    """Return the times of the records of these kinds."""
    return [time_ns for _, time_ns, kind, _ in JournalFolder(path).reader() if kind in wanted]


@pytest.mark.parametrize("recorded", [b"\x00" * 8, b"\xff" * 8])
async def test_what_a_crash_cut_off_must_come_again_byte_for_byte(tmp_path, recorded):
    """Whether the bytes that are made again are smaller or larger than those that were recorded."""
    session = open_session(tmp_path / "journal")
    session._commit._recorded = recorded
    with pytest.raises(
        BrokenInvariantError,
        match=r"the replay parts from the journal at .*: the journal has nothing that can be read",
    ):
        await session.run()
    assert kinds(tmp_path / "journal", "report", "flow") == []


class Stopped:
    """Counts how often it was told that the data have ended."""

    stops = 0

    def on_stop(self, ctx):
        """Count."""
        type(self).stops += 1


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_only_the_end_of_the_data_ends_a_strategy(tmp_path, monkeypatch, is_stopped):
    """A run that somebody stops goes on at its next start."""
    monkeypatch.setattr(Stopped, "stops", 0)
    feed = ListFeed(slices=5)
    session = open_session(tmp_path / "journal", feed=feed, strategy=Stopped())
    if is_stopped:
        feed.pause = stop_after(3, session)
    await session.run()

    reason = records(tmp_path / "journal")[-1][1]["reason"]
    assert (reason == "end_of_data", Stopped.stops) == (not is_stopped, 0 if is_stopped else 1)


async def test_a_session_knows_whether_its_end_is_in_the_journal(tmp_path):
    """Whoever ends the process by force asks that: before, the end would be lost."""
    session = open_session(tmp_path / "journal")
    assert not session.is_end_journalled
    await session.run()
    assert session.is_end_journalled
    failing = open_session(tmp_path / "unused", journal=BrokenJournal())
    with pytest.raises(StorageError, match="no space left"):
        await failing.run()
    assert not failing.is_end_journalled


@pytest.mark.parametrize("slices", [1, 2, 20])
async def test_a_recovery_knows_the_time_of_the_last_record(tmp_path, slices):
    """A live feed does not bring a cut-off event again: the engine goes on from this time."""
    path = tmp_path / "journal"
    feed = ListFeed(slices=20)
    first = open_session(path, feed=feed)
    feed.pause = stop_after(slices, first)
    await first.run()

    recovered = recover(JournalFolder(path), fresh_engine(), CONFIG)
    *_, (_, last_ns, _, _) = JournalFolder(path).reader()
    assert recovered.last_time_ns == last_ns >= START_NS


async def test_a_recorded_session_starts_at_its_first_event_and_a_restart_where_the_last_one_was(tmp_path):
    """The mark has the market's time, so that two runs are equal byte for byte, and it is never 0."""
    path = tmp_path / "journal"
    feed = ListFeed(slices=20)
    first = open_session(path, feed=feed, clock=FakeClock(1))
    feed.pause = stop_after(5, first)
    await first.run()
    await open_session(path, clock=FakeClock(2)).run()

    flows = times(path, "flow")
    starts, ends = times(path, "session"), times(path, "session_end")
    assert starts == [flows[0], ends[0]]
    assert ends[1] == flows[-1]
    assert min(starts) >= START_NS


async def test_a_session_without_any_event_has_the_time_of_the_clock(tmp_path):
    """There is no other time, and none is 0."""
    error = DataError("line 1", "bad")
    session = open_session(tmp_path / "journal", feed=ListFeed(slices=0, error=error), clock=FakeClock(77))
    with pytest.raises(DataError):
        await session.run()

    assert times(tmp_path / "journal", "session", "session_end") == [77, 77]


async def test_a_session_that_is_stopped_before_its_first_event_ends(tmp_path):
    """It waits for the time of the first event no longer than for the operator."""

    async def for_ever(_number):
        await asyncio.Event().wait()

    session = open_session(tmp_path / "journal", feed=ListFeed(pause=for_ever))
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0.05)
    session.stop()
    async with asyncio.timeout(10):
        await running

    assert kinds(tmp_path / "journal", "session", "session_end") == ["session", "session_end"]


async def test_a_stopped_session_goes_on_to_the_same_end(tmp_path):
    """Stopping and starting changes no order: the journal continues where it ended."""
    whole = open_session(tmp_path / "whole")
    await whole.run()
    for _ in range(3):
        feed = ListFeed()
        part = open_session(tmp_path / "parts", feed=feed)
        feed.pause = stop_after(3, part)
        await part.run()
    last = open_session(tmp_path / "parts")
    await last.run()

    assert kinds(tmp_path / "parts", "session", "session_end") == ["session", "session_end"] * 4
    assert last.engine.state_hash() == whole.engine.state_hash()
    assert last.engine.orders_digest() == whole.engine.orders_digest()


def stop_after(count, session):
    """Return a pause that stops the session at the given batch of this run."""
    left = count

    async def pause(_number):
        nonlocal left
        await asyncio.sleep(0.001)
        left -= 1
        if left == 0:
            session.stop()

    return pause


async def test_a_failed_feed_ends_the_session_after_everything_it_gave(tmp_path):
    """What came before the damage is processed and journalled, then the error comes out."""
    session = open_session(tmp_path / "journal", feed=ListFeed(slices=5, error=DataError("line 6", "bad")))
    with pytest.raises(DataError, match="line 6"):
        await session.run()
    whole = open_session(tmp_path / "whole", feed=ListFeed(slices=5))
    await whole.run()

    assert records(tmp_path / "journal")[-1] == ("session_end", {"reason": "feed_failed"})
    assert session.engine.orders_digest() == whole.engine.orders_digest()


async def test_commands_are_answered_when_they_are_journalled(tmp_path):
    """The answer is the journal's length, the command durable and in effect."""
    wait = asyncio.Event()

    async def hold(number):
        if number == 4:
            await wait.wait()

    session = open_session(tmp_path / "journal", feed=ListFeed(slices=6, pause=hold))
    running = asyncio.create_task(session.run())
    seq = await session.command(Pause())
    assert session.engine.summary().is_paused
    assert kinds(tmp_path / "journal", "command") == ["command"]
    assert JournalFolder(tmp_path / "journal").verify().records == seq
    with pytest.raises(InvalidValueError, match="must be a command"):
        await session.command("stop")
    wait.set()
    await running
    with pytest.raises(VenueError, match="ending"):
        await session.command(Resume())


class BrokenJournal:
    """A journal whose disk fails at the second commit."""

    head, records = "", 0

    def __init__(self) -> None:
        self.commits = 0

    def append(self, frames, /):
        """Take them."""

    def commit(self, durable, /):
        """Fail from the second time on."""
        self.commits += 1
        if self.commits >= 2:
            raise StorageError("journal", "no space left")

    def close(self):
        """Fail too: it has failed before."""
        raise StorageError("journal", "no space left")


async def test_a_failing_disk_ends_the_session_and_acknowledges_nothing(tmp_path):
    """No notice and no answer for what is not on the disk; the feed is closed."""
    feed, witness = ListFeed(), Witness()
    session = open_session(tmp_path / "unused", feed=feed, journal=BrokenJournal(), notifiers=[witness])
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0)
    asked = asyncio.create_task(session.command(Pause()))
    with pytest.raises(StorageError, match="no space left"):
        await running
    assert feed.is_closed
    assert witness.is_closed
    assert witness.told == []
    with pytest.raises(VenueError, match="not journalled"):
        await asked


async def test_cancelling_a_session_closes_everything(tmp_path):
    """Cancellation is as good as a crash: journal and feed are let go, the restart goes on."""

    async def for_ever(number):
        if number == 3:
            await asyncio.Event().wait()

    feed = ListFeed(pause=for_ever)
    session = open_session(tmp_path / "journal", feed=feed)
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert feed.is_closed
    assert session.status().phase is Phase.ENDED

    again = open_session(tmp_path / "journal")
    await again.run()
    assert again.engine.summary().events == (await whole_run(tmp_path)).engine.summary().events


async def whole_run(tmp_path):
    """Run once without any fault."""
    session = open_session(tmp_path / "reference")
    await session.run()
    return session


async def test_a_notifier_that_hangs_delays_nobody(tmp_path):
    """It is left behind: the run ends, all of it journalled."""

    class Stuck(Witness):
        async def notify(self, told, /):
            await asyncio.Event().wait()

    session = open_session(tmp_path / "journal", notifiers=[Stuck()])
    async with asyncio.timeout(10):
        await session.run()
    assert JournalFolder(tmp_path / "journal").verify().status == "intact"


async def test_a_notifier_that_fails_ends_nothing(tmp_path):
    """Its notices are left out; the orders are those of a run that nobody listens to."""

    class Failing(Witness):
        async def notify(self, told, /):
            self.told += told
            raise VenueError("the chat is down")

    failing = Failing()
    session = open_session(tmp_path / "journal", notifiers=[failing])
    await session.run()

    assert failing.told
    assert failing.is_closed
    assert records(tmp_path / "journal")[-1] == ("session_end", {"reason": "end_of_data"})
    assert session.engine.orders_digest() == (await whole_run(tmp_path)).engine.orders_digest()


async def test_other_settings_or_other_code_are_refused(tmp_path):
    """Settings are compared key by key, behaviour byte by byte."""
    path = str(tmp_path / "journal")
    await open_session(tmp_path / "journal").run()
    other = SessionConfig(engine=CONFIG.engine, strategies=({"class": "other"},), feed={"kind": "test"})
    with pytest.raises(ConfigError, match=r"strategies.0.class was 'quoter', is 'other'"):
        recover(JournalFolder(path), fresh_engine(), other)

    class Silent:
        """Trades never."""

    with pytest.raises(BrokenInvariantError, match="parts from the journal"):
        recover(JournalFolder(path), fresh_engine(Silent()), CONFIG)


class Once:
    """Buys so much at the first trade."""

    def __init__(self, lots):
        self._lots = lots

    def on_trade(self, ctx, trade):
        """Buy, once."""
        lots, self._lots = self._lots, 0
        if lots:
            ctx.buy(quantity_lots=lots)


@pytest.mark.parametrize(("recorded", "made"), [(2, 3), (3, 2), (2, 2)])
async def test_a_start_is_refused_where_code_makes_larger_values_or_smaller_ones(tmp_path, recorded, made):
    """Any other byte is another behaviour, whichever of the two is the greater."""
    path = tmp_path / "journal"
    await open_session(path, strategy=Once(recorded)).run()

    if made == recorded:
        assert recover(JournalFolder(path), fresh_engine(Once(made)), CONFIG).pending == b""
        return
    with pytest.raises(BrokenInvariantError, match=f"quantity was .*{recorded}, is .*{made}"):
        recover(JournalFolder(path), fresh_engine(Once(made)), CONFIG)


def test_a_late_batch_may_come_in_the_same_turn_as_the_time_that_makes_it_late():
    """The engine has not run since it was fed the time: the loss of the feed is not before that."""
    engine = fresh_engine()
    late = EventBatch()
    late.clock(START_NS)
    fed = EngineInput(engine)
    fed.clock(START_NS + 5)
    for _ in range(2):
        fed.market(late)

    assert engine.run() == 3
    assert engine.now_ns == START_NS + 5


async def test_a_quiet_live_market_is_told_the_time_and_a_late_batch_counts_as_a_lost_feed(tmp_path):
    """Clock events lag behind the clock; what is older than they are cannot be trusted any more."""
    clock = FakeClock(START_NS - 1)

    async def quiet(number):
        if number == 3:
            clock.time_ns = START_NS + 3_600_000_000_000
            # However busy the machine is: what comes next is late once the engine was told the time.
            while session.engine.now_ns < clock.time_ns - 10**9:  # noqa: ASYNC110 - an engine tells nobody
                await asyncio.sleep(0.01)

    settings = SessionSettings(is_live=True, clock_interval_seconds=0.02)
    feed = ListFeed(slices=4, pause=quiet)
    session = open_session(tmp_path / "journal", feed=feed, clock=clock, settings=settings)
    await session.run()

    found = [kind for kind, _ in records(tmp_path / "journal") if kind in ("clock", "feed")]
    assert found.count("clock") >= 2
    assert "feed" in found[1:]
    recover(JournalFolder(tmp_path / "journal"), fresh_engine(), CONFIG)


async def test_a_late_batch_is_a_lost_feed_of_every_instrument(tmp_path):
    """What one instrument missed, the others missed, too: no book of the same line can be trusted."""
    both = msgspec.structs.replace(
        SPEC, instruments=(*SPEC.instruments, msgspec.structs.replace(SPEC.instruments[0], symbol="ETH-USD"))
    )
    config = msgspec.structs.replace(CONFIG, engine=both)
    journal = JournalFolder(tmp_path / "journal").writer(0)
    clock = FakeClock(START_NS - 1)

    async def quiet(number):
        if number == 3:
            clock.time_ns = START_NS + 3_600_000_000_000
            # However busy the machine is: what comes next is late once the engine was told the time.
            while session.engine.now_ns < clock.time_ns - 10**9:  # noqa: ASYNC110 - an engine tells nobody
                await asyncio.sleep(0.01)

    session = Session(
        engine=Engine(both, [StrategyBinding(name="silent", strategy=object())], recording=True),
        feed=ListFeed(slices=4, pause=quiet),
        journal=journal,
        clock=clock,
        config=config,
        version="test",
        settings=SessionSettings(is_live=True, clock_interval_seconds=0.02),
    )
    await session.run()

    lost = [fields["instrument"] for kind, fields in records(tmp_path / "journal") if kind == "feed"]
    assert lost
    assert lost[:2] == [0, 1]
    assert lost.count(0) == lost.count(1)


async def test_a_clock_that_is_set_back_stops_nothing(tmp_path):
    """Neither marks nor clock events go back; the journal replays."""
    clock = FakeClock(START_NS + 10**12)

    async def back(number):
        clock.time_ns -= 10**12 if number == 3 else 0
        await asyncio.sleep(0.05)

    settings = SessionSettings(is_live=True, clock_interval_seconds=0.01)
    feed = ListFeed(slices=6, pause=back)
    session = open_session(tmp_path / "journal", feed=feed, clock=clock, settings=settings)
    await session.run()

    times = [
        time_ns for _, time_ns, kind, _ in JournalFolder(tmp_path / "journal").reader() if kind == "clock"
    ]
    assert times == sorted(times)
    recover(JournalFolder(tmp_path / "journal"), fresh_engine(), CONFIG)


class BookFeed(ListFeed):
    """A feed whose only book message is one diff, which needs a snapshot."""

    async def batches(self, *, skip_events=0):
        """Yield empty-handed batches for a while."""
        for _ in range(5):
            batch = EventBatch()
            batch.clock(START_NS)
            yield batch
            await asyncio.sleep(0.01)


async def test_a_snapshot_is_asked_for_once_and_not_again_when_there_is_none(tmp_path, monkeypatch):
    """The feed is not flooded with questions."""
    feed = BookFeed()
    session = open_session(tmp_path / "journal", feed=feed)
    monkeypatch.setattr(session.engine, "snapshot_requests", lambda: [0])
    await session.run()
    assert feed.asked == [0]
