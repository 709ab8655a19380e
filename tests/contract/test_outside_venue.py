"""A venue outside sees durable records and nothing else, and its answers come in as events."""

from decimal import Decimal
from unittest import mock

import msgspec
import pytest

from support.records import record
from support.tables import rows_of
from tradecore._core import Kernel
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    VenueSpec,
)
from tradecore.domain import questions as asked
from tradecore.domain.closed_trades import TradesOfFills
from tradecore.domain.journal import events_from_frames
from tradecore.domain.journal_folder import JournalFolder
from tradecore.domain.record import JournalPosition
from tradecore.engine import Engine
from tradecore.engine.holdings import trades_of
from tradecore.runtime.live.journal_books import JournalBooks
from tradecore.strategy import StrategyBinding
from tradecore_sqlite import SqliteReadModel

SECOND_NS = 1_000_000_000
SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
    account=AccountSpec(cash="1000000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)
CONFIG = msgspec.json.encode({"engine": SPEC, "strategies": [{"name": "buyer"}]}).decode()
WHOLE = 1 << 20


class BuysAtEachQuote:
    """Buys ten at 95 at every quote, and takes the second order back at the third."""

    def __init__(self) -> None:
        self.calls = 0
        self.fills = []

    def on_quote(self, ctx, quote) -> None:
        """Buy, or cancel."""
        self.calls += 1
        if self.calls == 3:
            ctx.cancel(2)
        else:
            ctx.buy(quantity_lots=10, limit_ticks=95)

    def on_fill(self, ctx, fill) -> None:
        """Note what filled."""
        self.fills.append((fill.order_id, fill.lots))


class HearsOfRevisions(BuysAtEachQuote):
    """Notes what it is told of trades that are told anew."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = []

    def on_revision(self, ctx, revision) -> None:
        """Note what it was and what it is."""
        told = (revision.order_id, revision.trade_id, revision.what, revision.was_lots)
        self.heard.append((*told, revision.lots, revision.price_ticks, revision.changed_lots))


class BuysOnceWithAStop:
    """Buys ten at 95 at the first quote, with a stop at 90."""

    is_done = False

    def on_quote(self, ctx, quote) -> None:
        """Buy once."""
        if not self.is_done:
            self.is_done = True
            ctx.buy(quantity_lots=10, limit_ticks=95, stop_loss_ticks=90)


def live_engine(strategy):
    """Return an engine whose requests go to a venue outside, which no setting can ask for yet."""

    def kernel_of(spec, *arguments, **settings):
        return Kernel(msgspec.structs.replace(spec, mode="live"), *arguments, **settings)

    with mock.patch("tradecore.engine.engine.Kernel", kernel_of):
        return Engine(SPEC, [StrategyBinding(name="buyer", strategy=strategy)], recording=True)


class FakeVenue:
    """Reads the journal's file as a dispatcher does, and keeps what it was asked."""

    def __init__(self, folder) -> None:
        self.reader = folder.reader()
        self.asked = []

    def look(self):
        """Take in what is durable by now, and return what was asked since the last look."""
        new = [
            (fields["request"], fields["order_id"]) for _, _, kind, fields in self.reader if kind == "sent"
        ]
        self.asked += new
        return new


class Runtime:
    """Takes, appends, commits and tells, in this order."""

    def __init__(self, folder, strategy) -> None:
        self.folder = folder
        self.writer = folder.writer(1)
        self.engine = live_engine(strategy)
        self.venue = FakeVenue(folder)
        self.now_ns = SECOND_NS

    def feed(self, fill_batch):
        """Feed events; return what the venue was asked before and after the commit."""
        self.now_ns += SECOND_NS
        batch = EventBatch()
        fill_batch(batch, self.now_ns)
        self.engine.feed(batch)
        self.engine.run()
        self.writer.append(self.engine.take_frames())
        before = self.venue.look()
        self.writer.commit(True)
        return before, self.venue.look()

    def quote(self):
        """Feed a quote of 99 to 101."""
        return self.feed(lambda batch, now_ns: batch.quote(now_ns, 0, 99, 50, 101, 50))

    def open_orders(self):
        """Return the states of the open orders."""
        return {order["order_id"]: order["state"] for order in self.engine.kernel.open_orders()}


@pytest.fixture
def runtime(tmp_path):
    """Return a runtime with a journal of its own."""
    made = Runtime(JournalFolder(tmp_path / "live.journal"), BuysAtEachQuote())
    yield made
    made.writer.close()


def fill(order_id, trade_id, lots):
    """Return what tells of a fill at 95."""
    return lambda batch, now_ns: batch.venue_report(
        now_ns, 0, order_id, "fill", trade_id=trade_id, venue_order_id="V1", price_ticks=95, lots=lots
    )


def replayed(folder, strategy):
    """Return an engine that was fed the events of a journal, and the frames of the journal."""
    frames = b"".join(folder.chunks())
    engine = live_engine(strategy)
    events = EventBatch()
    events_from_frames(frames, events)
    engine.feed(events)
    engine.run()
    return engine, frames


def test_a_request_is_seen_outside_when_it_is_durable_and_never_before(runtime):
    """What the engine decided is not yet asked; what is committed is, once."""
    assert runtime.quote() == ([], [("new", 1)])
    assert runtime.quote() == ([], [("new", 2)])
    assert runtime.quote() == ([], [("cancel", 2)])
    assert runtime.feed(lambda batch, now_ns: batch.clock(now_ns)) == ([], [])


async def test_answers_are_events_and_whoever_reads_the_journal_sees_what_was_booked(runtime, tmp_path):
    """A repeated fill counts once, a late one is booked and said, and tables and engine agree."""
    runtime.quote()
    runtime.quote()
    runtime.feed(fill(1, "t1", 4))
    runtime.feed(fill(1, "t1", 4))
    runtime.feed(lambda batch, now_ns: batch.outcome_lost(now_ns, 0, 2))
    assert runtime.open_orders() == {1: "partially_filled", 2: "unknown"}
    runtime.feed(
        lambda batch, now_ns: batch.venue_report(now_ns, 0, 1, "canceled", reason="requested", filled_lots=4)
    )
    runtime.feed(fill(1, "t2", 3))
    runtime.feed(lambda batch, now_ns: batch.venue_report(now_ns, 0, 1, "accepted"))

    engine = runtime.engine
    assert engine.summary().positions == {"GOLD": "7"}
    assert not engine.kernel.is_unreconciled
    kinds = [kind for _, _, kind, _ in runtime.folder.reader()]
    assert (kinds.count("venue_report"), kinds.count("surprise")) == (5, 1)

    records = [record(kind, seq, time_ns, **fields) for seq, time_ns, kind, fields in runtime.folder.reader()]
    read_model = await SqliteReadModel.open(str(tmp_path / "read.sqlite"))
    await read_model.apply(records, JournalPosition(), JournalPosition(len(records), "a"))
    await read_model.aclose()
    rows = rows_of(tmp_path / "read.sqlite")
    assert sorted(row["lots"] for row in rows["fills"]) == [3, 4]
    states = {row["order_id"]: (row["state"], row["filled_lots"]) for row in rows["orders"]}
    assert states == {1: ("canceled", 7), 2: ("unknown", 0)}


def revised(order_id, trade_id, revision, lots=0, price_ticks=95):
    """Return what tells a trade anew; without lots it never happened."""
    word = "fill" if lots else "busted"
    return lambda batch, now_ns: batch.venue_report(
        now_ns, 0, order_id, word, trade_id=trade_id, revision=revision, price_ticks=price_ticks, lots=lots
    )


async def test_trades_told_anew_are_in_engine_strategy_tables_and_all_that_reads_the_journal(tmp_path):
    """One is corrected, one is busted; whoever reads the records ends with the engine's position and cash."""
    strategy = HearsOfRevisions()
    made = Runtime(JournalFolder(tmp_path / "live.journal"), strategy)
    made.quote()
    made.quote()
    made.feed(fill(1, "t1", 4))
    made.feed(fill(1, "t2", 6))
    made.feed(fill(2, "t3", 10))
    made.feed(revised(1, "t2", 1, lots=5, price_ticks=94))
    made.feed(revised(2, "t3", 1))
    engine = made.engine
    assert engine.summary().positions == {"GOLD": "9"}
    assert Decimal(engine.summary().cash) == 1_000_000 - 4 * 95 - 5 * 94
    assert strategy.heard == [
        (1, "t2", "corrected", 6, 5, 94, -1),
        (2, "t3", "busted", 10, 0, None, -10),
    ]

    again, frames = replayed(made.folder, HearsOfRevisions())
    assert again.take_frames() == frames
    assert again.state_hash() == engine.state_hash()

    rows = list(made.folder.reader())
    records = [record(kind, seq, time_ns, **fields) for seq, time_ns, kind, fields in rows]
    books, trades = JournalBooks(), TradesOfFills(SPEC, ["buyer"])
    for each in records:
        books.take(each)
        trades.take(each)
    assert books.positions == {0: 9}
    assert trades.trades() == trades_of(engine) == []
    session = record("session", 0, 1, engine_version="1", config=CONFIG)
    later = [msgspec.structs.replace(each, seq=each.seq + 1) for each in records]
    read_model = await SqliteReadModel.open(str(tmp_path / "read.sqlite"))
    await read_model.apply([session, *later], JournalPosition(), JournalPosition(len(later) + 1, "a"))
    (position,) = (await read_model.ask(asked.Positions())).rows
    assert (position.quantity, position.fills) == (9, 2)
    corrected, busted = (await read_model.ask(asked.Revisions())).rows
    assert (corrected.revised, corrected.was_quantity, corrected.quantity) == ("corrected", 6, 5)
    assert (busted.revised, busted.was_price, busted.price, busted.quantity) == ("busted", 95, None, None)
    assert (await read_model.ask(asked.Trades())).rows == ()
    assert [order.filled for order in (await read_model.ask(asked.Orders())).rows] == [10, 10]
    await read_model.aclose()
    made.writer.close()


def test_what_is_no_revision_is_refused_with_field_value_and_rule():
    """A word that revises nothing, and a trade without a name; busted without a revision."""
    batch = EventBatch()
    with pytest.raises(InvalidValueError, match="report"):
        batch.venue_report(1, 0, 1, "canceled", revision=1)
    with pytest.raises(InvalidValueError, match="trade_id"):
        batch.venue_report(1, 0, 1, "busted", revision=1)
    with pytest.raises(InvalidValueError, match="revision"):
        batch.venue_report(1, 0, 1, "busted", trade_id="t1")
    with pytest.raises(InvalidValueError, match="lots"):
        batch.venue_report(1, 0, 1, "fill", trade_id="t1", revision=1, price_ticks=5)


def test_what_cannot_be_true_halts_new_orders_until_the_books_are_compared(runtime):
    """The refusal names the rule, and a cancel still goes out."""
    runtime.quote()
    runtime.quote()
    runtime.feed(fill(99, "t9", 1))
    assert runtime.engine.kernel.is_unreconciled
    assert runtime.quote() == ([], [("cancel", 2)])
    assert runtime.quote() == ([], [])
    refused = [fields["rule"] for _, _, kind, fields in runtime.folder.reader() if kind == "refused"]
    assert refused == ["unreconciled"]
    runtime.feed(lambda batch, now_ns: batch.agreement(now_ns, 0, True))
    assert [what for what, _ in runtime.quote()[1]] == ["new"]


def test_an_acknowledgement_that_comes_late_leaves_the_cancel_asked_for(runtime):
    """The order has been asked to end meanwhile, and that is still to be answered."""
    for _ in range(3):
        runtime.quote()
    assert runtime.open_orders()[2] == "pending_cancel"
    runtime.feed(lambda batch, now_ns: batch.venue_report(now_ns, 0, 2, "accepted", venue_order_id="V2"))
    assert runtime.open_orders()[2] == "pending_cancel"


def test_a_trade_of_more_than_was_asked_for_is_booked_whole_and_said(runtime):
    """The order was as large as it has filled; that it was is a surprise, and the journal has both."""
    runtime.quote()
    runtime.feed(fill(1, "t1", 14))
    assert runtime.open_orders() == {}
    assert runtime.engine.kernel.position_total_lots(0) == 14
    (said,) = [fields for _, _, kind, fields in runtime.folder.reader() if kind == "surprise"]
    assert (said["order_id"], said["surprise"]) == (1, "overfill")


def test_a_replay_sends_nothing(runtime):
    """It makes the same records from the same events; the file does not grow, so nobody is asked again."""
    for _ in range(3):
        runtime.quote()
    runtime.feed(fill(1, "t1", 4))
    runtime.feed(lambda batch, now_ns: batch.outcome_lost(now_ns, 0, 2))
    asked = list(runtime.venue.asked)

    strategy = BuysAtEachQuote()
    again, frames = replayed(runtime.folder, strategy)

    assert again.take_frames() == frames
    assert again.state_hash() == runtime.engine.state_hash()
    assert strategy.fills == [(1, 4)]
    assert (runtime.venue.look(), runtime.venue.asked) == ([], asked)


def test_a_late_fill_of_an_entry_gets_its_stop_and_a_replay_gives_it_the_same(tmp_path):
    """The entry was cancelled without a fill: what fills of it all the same is not left without a stop."""
    made = Runtime(JournalFolder(tmp_path / "live.journal"), BuysOnceWithAStop())
    assert made.quote() == ([], [("new", 1)])
    made.feed(lambda batch, now_ns: batch.venue_report(now_ns, 0, 1, "canceled", reason="requested"))
    assert made.feed(fill(1, "t1", 4)) == ([], [("new", 2)])
    assert made.feed(fill(1, "t2", 3)) == ([], [("replace", 2)])
    assert made.feed(fill(1, "t2", 3)) == ([], [])
    stop = made.engine.kernel.open_orders()
    assert [(order["order_id"], order["side"]) for order in stop] == [(2, "sell")]
    assert made.engine.summary().positions == {"GOLD": "7"}

    again, frames = replayed(made.folder, BuysOnceWithAStop())
    made.writer.close()
    assert again.take_frames() == frames
    assert again.state_hash() == made.engine.state_hash()


def test_a_batch_that_two_engines_share_may_be_filled_further(runtime):
    """What was fed is what each of them reads, whatever is added to the batch or cleared out of it later."""
    other = live_engine(BuysAtEachQuote())
    batch = EventBatch()
    batch.quote(SECOND_NS, 0, 99, 50, 101, 50)
    fill(1, "成交-1", 4)(batch, SECOND_NS)
    runtime.engine.feed(batch)
    other.feed(batch)
    fill(1, "t2", 4)(batch, SECOND_NS)
    runtime.engine.run()
    batch.clear()
    other.run()
    for engine in (runtime.engine, other):
        assert engine.summary().positions == {"GOLD": "4"}
    assert other.state_hash() == runtime.engine.state_hash()


def test_what_a_venue_cannot_say_is_refused_with_field_value_and_rule():
    """Wrong words, fills without a name or a size, and reports to an engine that simulates its venue."""
    batch = EventBatch()
    with pytest.raises(InvalidValueError, match="trade_id"):
        batch.venue_report(1, 0, 1, "fill", price_ticks=95, lots=1)
    with pytest.raises(InvalidValueError, match="lots"):
        batch.venue_report(1, 0, 1, "fill", trade_id="t", price_ticks=95, lots=0)
    with pytest.raises(InvalidValueError, match="price_ticks"):
        batch.venue_report(1, 0, 1, "fill", trade_id="t", lots=1)
    with pytest.raises(InvalidValueError, match="fee_atto"):
        batch.venue_report(1, 0, 1, "fill", trade_id="t", price_ticks=95, lots=1, fee_atto=0.5)
    with pytest.raises(InvalidValueError, match="trade_id"):
        batch.venue_report(1, 0, 1, "fill", trade_id=7, price_ticks=95, lots=1)
    with pytest.raises(InvalidValueError, match="report"):
        batch.venue_report(1, 0, 1, "vanished")
    with pytest.raises(InvalidValueError, match="reason"):
        batch.venue_report(1, 0, 1, "rejected", reason="mood")
    with pytest.raises(InvalidValueError, match="liquidity"):
        batch.venue_report(1, 0, 1, "fill", trade_id="t", price_ticks=95, lots=1, liquidity="both")
    assert len(batch) == 0
    batch.agreement(1, 0, True)
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),))
    simulated = Engine(spec, [StrategyBinding(name="buyer", strategy=BuysAtEachQuote())])
    with pytest.raises(InvalidValueError, match="venue outside"):
        simulated.feed(batch)


class AsksAgain:
    """Asks for the end of its order at the second quote, and again whenever that is refused."""

    def __init__(self) -> None:
        self.quotes, self.heard = 0, []

    def on_quote(self, ctx, quote) -> None:
        """Buy, then take it back."""
        self.quotes += 1
        if self.quotes == 1:
            self.order = ctx.buy(quantity_lots=10, limit_ticks=95)
        elif self.quotes == 2:
            ctx.cancel(self.order)

    def on_order(self, ctx, update) -> None:
        """Ask again."""
        self.heard.append(update.what)
        if update.what == "cancel_rejected":
            ctx.cancel(self.order)


def test_the_same_refusal_at_the_same_time_is_heard_each_time(tmp_path):
    """The market is quiet, so that time stands still: who asks again at once has an answer each time."""
    made = Runtime(JournalFolder(tmp_path / "live.journal"), AsksAgain())
    made.quote()
    made.feed(lambda batch, now_ns: batch.venue_report(now_ns, 0, 1, "accepted"))
    assert made.quote() == ([], [("cancel", 1)])
    for _ in range(3):
        made.now_ns -= SECOND_NS
        refused = made.feed(
            lambda batch, now_ns: batch.venue_report(now_ns, 0, 1, "cancel_rejected", reason="unknown_order")
        )
        assert refused == ([], [("cancel", 1)])
    assert made.engine.now_ns == made.now_ns
    again, frames = replayed(made.folder, AsksAgain())
    made.writer.close()
    assert again.take_frames() == frames
    assert again.state_hash() == made.engine.state_hash()
