"""A batch can be fed to many engines, copied and filled anew, and takes columns of trades."""

import copy
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler
from threading import Barrier

import numpy as np
import pytest

from tradecore.backtest import run
from tradecore.domain import DataError, EngineSpec, EventBatch, InstrumentSpec, InvalidValueError, Mode
from tradecore.domain.feeds import read_events
from tradecore.domain.journal import events_from_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

SPEC = EngineSpec(mode=Mode.BACKTEST, instruments=(InstrumentSpec(symbol="ACME", tick_size="1"),))


class Buys:
    """Buys one lot at every bar."""

    def on_bar(self, ctx, bar) -> None:
        """Buy."""
        ctx.buy(quantity_lots=1)


def batch_of_bars(count=5) -> EventBatch:
    """Return a batch with some bars."""
    times, price = np.arange(count), np.full(count, 100)
    batch = EventBatch()
    batch.bars(0, times, times + 1, price, price + 1, price - 1, price, price)
    return batch


def bindings() -> list[StrategyBinding]:
    """Return a fresh strategy, bound."""
    return [StrategyBinding(name="buys", strategy=Buys())]


@pytest.mark.parametrize("copied", [EventBatch.copy, copy.copy, copy.deepcopy])
def test_a_copy_has_the_events_and_goes_its_own_way(copied):
    """Books with their levels too; what is added to one is not in the other."""
    batch = batch_of_bars()
    batch.book(9, 0, True, 1, 1, 0, [(99, 1), (98, 2)], [(101, 3)])
    twin = copied(batch)
    batch.clock(10)

    assert read_events(twin) == read_events(batch)[:-1]
    twin.clear()
    assert (len(twin), len(batch)) == (0, 7)


def test_a_batch_is_run_any_number_of_times():
    """The same events give the same orders, and the batch keeps them."""
    batch = batch_of_bars()
    events = read_events(batch)

    first, second, third = (run(SPEC, bindings(), each) for each in (batch, batch, batch.copy()))

    assert first.orders_digest == second.orders_digest == third.orders_digest
    assert first.state_hash == second.state_hash == third.state_hash
    assert first.summary.fills > 0
    assert read_events(batch) == events


def test_one_batch_is_run_in_eight_threads_at_once():
    """Engines read it side by side, and each ends as it does alone."""
    batch = batch_of_bars(20_000)
    alone = run(SPEC, [], batch.copy()).state_hash
    together = Barrier(8)

    def work(_: int) -> str:
        together.wait()
        return run(SPEC, [], batch).state_hash

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(8))) == {alone}
    assert len(batch) == 20_000


CHANGES = {
    "adds": lambda batch: batch.clock(10),
    "adds a column": lambda batch: batch.trades(0, *(np.array([value]) for value in (10, 7, 1, 1))),
    "adds a book message": lambda batch: batch.book(10, 0, True, 1, 1, 0, [(7, 1)], [(8, 1)]),
    "adds what a journal has": lambda batch: events_from_frames(batch_of_bars().__reduce__()[2], batch),
    "leaves out": lambda batch: batch.skip(3),
    "clears": EventBatch.clear,
    "clears and fills": lambda batch: (batch.clear(), batch.trade(10, 0, 7, 1, True)),
    "puts others in": lambda batch: batch.__setstate__(b""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_a_batch_is_not_seen_by_an_engine_that_was_fed_before(change):
    """Neither by one that has not run yet, nor by a copy."""
    batch, whole = batch_of_bars(), read_events(batch_of_bars())
    engine, twin = Engine(SPEC, bindings()), batch.copy()
    engine.feed(batch)

    CHANGES[change](batch)

    assert read_events(batch) != whole
    assert read_events(twin) == whole
    assert engine.run() == 5
    assert engine.orders_digest() == run(SPEC, bindings(), twin).orders_digest


def test_a_batch_that_is_refused_keeps_its_events():
    """What is wrong with it can be looked at."""
    batch = batch_of_bars()
    batch.clock(1)
    with pytest.raises(InvalidValueError, match="times must not fall"):
        Engine(SPEC, []).feed(batch)
    assert len(batch) == 6


def test_a_batch_that_was_fed_is_cleared_before_it_is_filled_anew():
    """Else its events come again, and the error says what to do."""
    engine, batch = Engine(SPEC, []), EventBatch()
    for number in (1, 2, 3):
        batch.clear()
        batch.clock(number)
        batch.clock(number + 1)
        engine.feed(batch)
        assert engine.run() == 2
    with pytest.raises(InvalidValueError, match=r"1 ns later; that one was fed before: clear\(\) a batch"):
        engine.feed(batch)


@pytest.mark.parametrize("option", [{"sample_ns": "1h"}, {"sample_ns": 1.5}, {"progress": True}])
def test_an_option_of_a_run_that_is_something_else_is_named(option):
    """In words rather than those of a conversion, and before the batch is taken."""
    batch = batch_of_bars()

    with pytest.raises(InvalidValueError) as caught:
        run(SPEC, bindings(), batch, **option)
    assert caught.value.field == next(iter(option))
    assert len(batch) == 5


def test_a_batch_from_before_1970_is_refused():
    """The clock of an engine begins there: orders on earlier bars would stay open until it passes 1970."""
    batch, prices = EventBatch(), np.full(1, 100)
    batch.bars(0, np.array([-20]), np.array([-10]), prices, prices, prices, prices, prices)

    with pytest.raises(DataError, match=r"sources\[0\]: begins at 1969-12-31T.*begins at 1970: leave out"):
        run(SPEC, bindings(), batch)


def test_an_empty_batch_beside_a_full_one_is_no_mistake():
    """A source may have had nothing to say."""
    assert run(SPEC, bindings(), batch_of_bars(), EventBatch()).summary.events == 5
    with pytest.raises(DataError, match="has no events: nothing to test on"):
        run(SPEC, bindings(), EventBatch())


def test_trades_as_columns_are_the_trades_one_by_one():
    """Numbers of trades are 0 where there are none."""
    columns = np.array([5, 6]), np.array([100, 101]), np.array([1, 2]), np.array([1, 0])
    batch, plain = EventBatch(), EventBatch()
    batch.trades(0, *columns)
    batch.trades(1, *columns, np.array([7, 8]))
    for instrument_id, ids in ((0, (0, 0)), (1, (7, 8))):
        for row, trade_id in enumerate(ids):
            time_ns, price, lots, is_buy = (int(column[row]) for column in columns)
            plain.trade(time_ns, instrument_id, price, lots, bool(is_buy), trade_id)

    assert read_events(batch) == read_events(plain)
    with pytest.raises(InvalidValueError, match="trade_id '-1': must not be negative"):
        batch.trades(0, *columns, np.array([1, -1]))
    assert len(batch) == 4


@pytest.mark.parametrize(
    "wrong", [[1, 2], np.array([1.0, 2.0]), np.array([1, 2], dtype=np.int32), np.arange(4)[::2]]
)
@pytest.mark.parametrize("at", range(7))
def test_a_column_of_another_type_is_named(wrong, at):
    """Lists, floats, other integers and arrays with gaps: the column, what it is, and what it must be."""
    names = ("open_time_ns", "close_time_ns", "open", "high", "low", "close", "volume")
    columns = [np.array([1, 2])] * 7
    columns[at] = wrong

    with pytest.raises(InvalidValueError, match="must be a contiguous one-dimensional int64 array") as caught:
        EventBatch().bars(0, *columns)
    assert caught.value.field == names[at]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Buys(), bindings(), batch_of_bars()), "spec 'Buys': must be an EngineSpec"),
        ((SPEC, bindings()[0], batch_of_bars()), "strategies 'StrategyBinding': must be a list"),
        ((SPEC, [Buys()], batch_of_bars()), r"strategies\[0\] 'Buys': must be bound"),
        ((SPEC, [Buys], batch_of_bars()), r"strategies\[0\] 'class Buys': must be bound"),
        ((SPEC, bindings(), [batch_of_bars()]), r"sources\[0\] 'list': .*\*batches"),
        ((SPEC, bindings(), np.zeros(3)), r"sources\[0\] 'ndarray': must be an EventBatch; .*from_frame"),
    ],
)
def test_a_wrong_argument_of_a_run_is_named_in_one_line(arguments, message):
    """What was given and what to write instead."""
    with pytest.raises(InvalidValueError, match=message) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)


def test_a_class_in_the_place_of_a_strategy_is_refused_when_it_is_bound():
    """A class has no state to trade with."""
    with pytest.raises(InvalidValueError, match=r"strategy 'class Buys': must be an object: write Buys\(\)"):
        StrategyBinding(name="buys", strategy=Buys)


def batch_of_everything() -> EventBatch:
    """Return a batch with an event of every kind."""
    batch, ends = batch_of_bars(), (-(2**63), 2**63 - 1)
    batch.quote(6, 0, *ends, *ends, 2**64 - 1)
    batch.trade(6, 2**32 - 1, *ends, False, 2**64 - 1)
    batch.book(7, 0, True, 1, 2, 0, [(99, 1), (98, 2)], [(101, 3)], 2**32 - 1)
    batch.book(7, 0, False, 2, 3, 1, [], [(101, 0)])
    batch.flow_limit(8, 0, 5, True, 99, 1)
    batch.flow_market(8, 0, False, 1)
    batch.flow_cancel(8, 0, 5)
    batch.feed_lost(8, 0)
    for word in ("pause", "resume", "flatten", "kill", "release_kill"):
        batch.command(8, word)
    batch.mark(8, 0, 100)
    batch.funding(8, 0, -5, 100)
    batch.command(8, "set_limit", scope="account", limit="quantity_max", value="1.5", person="Ada")
    batch.command(8, "set_limit", scope="instrument", limit="quantity_max", value=None, person="Ada")
    batch.command(8, "release", scope="strategy", person="Ada")
    batch.command(8, "forbid", scope="strategy", instrument_id=0, person="Ada")
    batch.clock(9)
    return batch


def test_a_batch_comes_whole_out_of_another_process():
    """A search over parameters hands the same history to a pool; the one that is sent keeps its events."""
    batch = batch_of_everything()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        twin = pool.submit(copy.copy, batch).result()
    assert read_events(twin) == read_events(batch)
    assert len(twin) == len(batch) == 25
    twin.clock(10)
    assert len(batch) == 25


def test_a_batch_that_was_sent_gives_the_same_orders():
    """However often it was run before it was sent."""
    batch = batch_of_bars()
    twin = ForkingPickler.loads(ForkingPickler.dumps(batch))
    assert run(SPEC, bindings(), twin).state_hash == run(SPEC, bindings(), batch).state_hash
    assert read_events(ForkingPickler.loads(ForkingPickler.dumps(batch))) == read_events(twin)


def test_a_damaged_batch_is_refused_and_changes_nothing():
    """Events are whole or none: half a frame, or what is no frame, is an error."""
    _, _, frames = batch_of_bars().__reduce__()
    other = batch_of_bars(2)
    for damaged in (frames[:-1], frames + frames[:9], b"none"):
        with pytest.raises(DataError, match="batch"):
            other.__setstate__(damaged)
    assert len(other) == 2
