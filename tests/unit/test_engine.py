"""The engine as Python sees it: its life, its errors, and that engines do not see each other."""

import gc
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

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
from tradecore.domain.commands import Flatten, command_of
from tradecore.domain.errors import StrategyError
from tradecore.engine import Engine
from tradecore.strategy import BarSource, StrategyBinding

QUOTES = VenueSpec(matching=Matching.QUOTES)


def spec_of(*symbols, venue=QUOTES):
    """Return a specification with these symbols, ticks and lots of 1."""
    instruments = tuple(InstrumentSpec(symbol=symbol, tick_size="1") for symbol in symbols)
    return EngineSpec(instruments=instruments, account=AccountSpec(cash="1000000"), venue=venue)


def quotes_of(times, instrument_id=0):
    """Return a batch of quotes of 99 to 101 at these times."""
    batch = EventBatch()
    for time_ns in times:
        batch.quote(time_ns, instrument_id, 99, 50, 101, 50)
    return batch


def bound(strategy, **changes):
    """Bind a strategy."""
    return StrategyBinding(**{"name": type(strategy).__name__, "strategy": strategy, **changes})


class BuysOne:
    """Buys one lot at every quote."""

    def on_quote(self, ctx, quote) -> None:
        """Buy."""
        ctx.buy(quantity_lots=1)


class Counts:
    """Counts its calls and raises at one of them."""

    def __init__(self, raises_at=None) -> None:
        self.times = []
        self.raises_at = raises_at
        self.error = ValueError("mine")

    def on_quote(self, ctx, quote) -> None:
        """Count."""
        self.times.append(ctx.now_ns)
        if ctx.now_ns == self.raises_at:
            raise self.error


def test_what_a_strategy_raises_comes_out_and_the_engine_can_go_on():
    """The call that raised is not repeated, and what was queued behind it is not lost."""
    strategy = Counts(raises_at=2)
    engine = Engine(spec_of("GOLD"), [bound(strategy)])
    engine.feed(quotes_of([1, 2, 3]))
    with pytest.raises(StrategyError) as caught:
        engine.run()
    assert caught.value.__cause__ is strategy.error
    engine.run()
    assert strategy.times == [1, 2, 3]
    assert engine.summary().events == 3


def test_one_strategy_that_raises_takes_no_call_from_another():
    """The other strategy's call for the same event comes with the next run."""
    bad, good = Counts(raises_at=1), Counts()
    engine = Engine(spec_of("GOLD"), [bound(bad, name="bad"), bound(good, name="good")])
    engine.feed(quotes_of([1]))
    with pytest.raises(StrategyError):
        engine.run()
    engine.run()
    assert (bad.times, good.times) == ([1], [1])


def test_two_engines_in_one_process_do_not_see_each_other():
    """Interleaved engines end as they would alone."""

    def digest_alone(count):
        engine = Engine(spec_of("GOLD"), [bound(BuysOne())])
        engine.feed(quotes_of(range(1, count + 1)))
        engine.run()
        return engine.orders_digest(), engine.state_hash()

    engines = [Engine(spec_of("GOLD"), [bound(BuysOne())]) for _ in range(2)]
    for time_ns in range(1, 21):
        engines[0].feed(quotes_of([time_ns]))
        engines[0].run()
        if time_ns % 2:
            engines[1].feed(quotes_of([time_ns // 2 + 1]))
            engines[1].run()
    assert (engines[0].orders_digest(), engines[0].state_hash()) == digest_alone(20)
    assert (engines[1].orders_digest(), engines[1].state_hash()) == digest_alone(10)


def test_engines_in_two_threads_do_not_disturb_each_other():
    """The engine has no state outside itself, so threads need no lock between engines."""
    results = {}

    def work(name):
        engine = Engine(spec_of("GOLD"), [bound(BuysOne())])
        engine.feed(quotes_of(range(1, 400)))
        engine.run()
        results[name] = engine.state_hash()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert len(set(results.values())) == 1


def test_a_batch_with_a_falling_time_is_one_error_and_queues_nothing():
    """The engine takes a whole batch or none of it."""
    strategy = Counts()
    engine = Engine(spec_of("GOLD"), [bound(strategy)])
    with pytest.raises(InvalidValueError) as caught:
        engine.feed(quotes_of([5, 4]))
    assert caught.value.field == "time_ns"
    assert engine.run() == 0
    engine.feed(quotes_of([1]))
    assert engine.run() == 1
    assert strategy.times == [1]


@pytest.mark.parametrize("instrument_id", [1, 2**32 - 1])
def test_an_instrument_outside_the_table_is_one_error(instrument_id):
    """Market data of an unknown instrument is the caller's mistake."""
    engine = Engine(spec_of("GOLD"), [])
    with pytest.raises(InvalidValueError):
        engine.feed(quotes_of([1], instrument_id))
    assert engine.run() == 0


def test_an_absurd_source_number_is_refused():
    """Room is made for every source below, so a mistake must not take all memory."""
    engine = Engine(spec_of("GOLD"), [])
    with pytest.raises(InvalidValueError):
        engine.feed(quotes_of([1]), source=2**40)


@pytest.mark.parametrize(
    ("instruments", "place"), [((), ""), ((1,), "[0]"), ((-1,), "[0]"), ((0, 7), "[1]"), ((0, 0), "[1]")]
)
def test_a_strategy_on_instruments_that_are_not_there_is_refused(instruments, place):
    """The error names the field; nothing is half built."""
    with pytest.raises(InvalidValueError) as caught:
        Engine(spec_of("GOLD"), [bound(Counts(), instruments=instruments)])
    assert caught.value.field == f"strategies[0].instruments{place}"


def test_a_command_that_does_not_exist_is_refused():
    """Commands are words from a short list."""
    engine = Engine(spec_of("GOLD"), [])
    with pytest.raises(InvalidValueError):
        engine.command("pause", 1)


@pytest.mark.parametrize("kind", ["kill", "pause"])
def test_kill_and_pause_stop_new_orders(kind):
    """A command acts between two events, in the order of their times."""
    engine = Engine(spec_of("GOLD"), [bound(BuysOne())])
    engine.feed(quotes_of([1]))
    engine.run()
    engine.command(command_of(kind), 2)
    engine.feed(quotes_of([3]))
    engine.run()
    summary = engine.summary()
    assert (summary.orders, summary.refusals, summary.fills) == (1, 1, 1)
    assert (summary.is_killed, summary.is_paused) == (kind == "kill", kind == "pause")


def test_flatten_closes_every_position():
    """Long and short, of every strategy and instrument."""

    class Trades(BuysOne):
        def on_quote(self, ctx, quote):
            if quote.time_ns == 1:
                (ctx.buy if quote.instrument_id == 0 else ctx.sell)(
                    quantity_lots=3, instrument_id=quote.instrument_id
                )

    engine = Engine(spec_of("GOLD", "TIN"), [bound(Trades(), instruments=(0, 1))])
    engine.feed(quotes_of([1]))
    engine.feed(quotes_of([1], 1), source=1)
    engine.run()
    assert engine.summary().positions == {"GOLD": "3", "TIN": "-3"}
    engine.command(Flatten(), 2)
    engine.run()
    assert engine.summary().positions == {}


def test_bars_reach_a_strategy_with_its_indicators():
    """Arrays in, one call a bar, indicator values of that bar."""

    class Averages:
        def on_start(self, ctx):
            self.sma = ctx.sma(2)
            self.seen = []

        def on_bar(self, ctx, bar):
            self.seen.append((bar.close, self.sma.value, ctx.history("close", 2).tolist()))

    strategy = Averages()
    engine = Engine(spec_of("GOLD", venue=VenueSpec()), [bound(strategy, history=2)])
    batch = EventBatch()
    times = np.arange(4, dtype=np.int64) * 10
    prices = np.array([10, 12, 14, 13], dtype=np.int64)
    batch.bars(0, times, times + 10, prices, prices, prices, prices, np.ones(4, dtype=np.int64))
    engine.feed(batch)
    assert engine.run() == 4
    assert [row[0] for row in strategy.seen] == [10.0, 12.0, 14.0, 13.0]
    assert np.isnan(strategy.seen[0][1])
    assert [row[1] for row in strategy.seen[1:]] == [11.0, 13.0, 13.5]
    assert strategy.seen[-1][2] == [14.0, 13.0]


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal to itself")
def test_an_interrupt_stops_a_long_run():
    """Ctrl-C is seen while the engine runs, also when no strategy is ever called."""
    engine = Engine(spec_of("GOLD"), [])
    count = 6_000_000
    times = np.arange(count, dtype=np.int64)
    ones = np.ones(count, dtype=np.int64)
    batch = EventBatch()
    batch.quotes(0, times, ones * 99, ones, ones * 101, ones)
    engine.feed(batch)
    begun = threading.Event()

    def interrupt():
        begun.wait()
        time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    def run():
        begun.set()
        engine.run()

    operator = threading.Thread(target=interrupt)
    # Tests that a script runs in the background ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    operator.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        operator.join()
        signal.signal(signal.SIGINT, before)
    assert engine.summary().events < count


def resident_kib():
    """Return the resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_a_thousand_engines_leave_nothing_behind():
    """Strategies that keep their context and indicators are freed with their engine."""

    class Keeps(BuysOne):
        def on_start(self, ctx):
            self.ctx = ctx
            self.sma = ctx.sma(3)

    def once():
        engine = Engine(spec_of("GOLD"), [bound(Keeps())], recording=True)
        engine.feed(quotes_of(range(1, 4)))
        engine.run()

    # Without the collector of cycles: an engine is large, and must go the moment it is let go.
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            once()
        before = resident_kib()
        for _ in range(1_000):
            once()
        assert resident_kib() - before < 24 * 1024
    finally:
        gc.enable()


class BookKeeper:
    """Keeps the books it is shown, and which instrument each call was about."""

    def __init__(self):
        self.books = []

    def on_book(self, ctx, book):
        """Keep one."""
        self.books.append((book, book.best_bid_ticks))


def test_every_instrument_shows_its_own_book_and_a_run_the_same_object():
    """The books of a run are made when first shown; others of the thousand cost nothing."""
    keeper = BookKeeper()
    symbols = tuple(f"S{number}" for number in range(1_000))
    spec = spec_of(*symbols, venue=VenueSpec(matching=Matching.BOOK))
    engine = Engine(spec, [StrategyBinding(name="books", strategy=keeper, instruments=(3, 998))])
    batch = EventBatch()
    for number, (instrument_id, bid) in enumerate([(998, 50), (3, 70), (998, 51), (7, 10)], 1):
        batch.book(number, instrument_id, True, number, number, 0, [(bid, 1)], [(99, 1)])

    engine.feed(batch)
    engine.run()

    (first, second, third) = (book for book, _ in keeper.books)
    assert [bid for _, bid in keeper.books] == [50, 70, 51]
    assert first is third
    assert first is not second


@pytest.mark.parametrize("history", [10**13, 2**60, 2**63, 10**400, -1, 1_000_001])
def test_a_history_that_no_memory_holds_is_refused_in_words(history):
    """The engine says so for settings, and the native kernel by itself, too."""
    with pytest.raises(InvalidValueError, match=r"history .*: must"):
        Engine(spec_of("GOLD"), [bound(object(), history=history)])
    kernel = Kernel(spec_of("GOLD"), ["one"])
    with pytest.raises((InvalidValueError, OverflowError)):
        kernel.add_series(0, BarSource(), "input", None, history)
    assert kernel.add_series(0, BarSource(), "input", None, 1_000_000) == 0


def test_one_strategy_object_is_not_bound_twice():
    """It would hear each event twice, and keep the state of two strategies in one object."""
    same = Counts()
    bindings = [bound(same), bound(Counts(), name="other"), bound(same, name="again")]
    with pytest.raises(InvalidValueError) as caught:
        Engine(spec_of("GOLD"), bindings)
    assert str(caught.value) == (
        "strategies[2].strategy 'Counts': is the object of strategies[0] again; make one for each: "
        "strategy=Counts(...)"
    )
