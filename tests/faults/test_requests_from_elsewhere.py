"""Strategies ask from a callback alone: not in other threads, between callbacks or in a child process."""

import asyncio
import multiprocessing
import os
import sys
import threading

import pytest

from support.command_line import PAPER, CommandLine
from tradecore import _core
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Matching,
    StorageError,
    StrategyError,
    VenueSpec,
)
from tradecore.domain.journal import (
    JournalFolder,
    decode_frames,
    encode_session_end,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding
from tradecore_api.exit_codes import ExitCode

REQUESTS = {
    "buy": lambda ctx: ctx.buy(quantity_lots=1),
    "a buy off the grid": lambda ctx: ctx.buy(quantity_lots=1, limit=0.123),
    "sell": lambda ctx: ctx.sell(quantity_lots=1, limit_ticks=300),
    "a bracket": lambda ctx: ctx.buy(quantity_lots=1, stop_loss_ticks=100),
    "cancel": lambda ctx: ctx.cancel(1),
    "replace": lambda ctx: ctx.replace(1, quantity_lots=2),
    "close": lambda ctx: ctx.close(),
    "target": lambda ctx: ctx.target(5.0),
    "target off the grid": lambda ctx: ctx.target(0.123),
    "adjust_margin": lambda ctx: ctx.adjust_margin("1"),
    "set_timer": lambda ctx: ctx.set_timer(10**15),
    "trace": lambda ctx: ctx.trace("rule", limit=1.0, value=2.0),
    "hold": lambda ctx: ctx.hold("waits"),
}
CANNOT_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


class Keeper:
    """Keeps its context; runs a function at every quote."""

    def __init__(self, ask=None):
        self.ask = ask
        self.ctx = None
        self.answers = []

    def on_start(self, ctx):
        """Keep the context."""
        self.ctx = ctx

    def on_quote(self, ctx, quote):
        """Ask."""
        if self.ask is not None:
            self.answers.append(self.ask(ctx))


def engine_of(strategy):
    """Return an engine in which a strategy of the name `keeper` sees quotes of 99 to 101."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),),
        account=AccountSpec(cash="100000"),
        venue=VenueSpec(matching=Matching.QUOTES),
    )
    return Engine(spec, [StrategyBinding(name="keeper", strategy=strategy)], recording=True)


def quote(engine, time_ns=1_000):
    """Give an engine a quote and run it."""
    batch = EventBatch()
    batch.quote(time_ns, 0, 198, 50, 202, 50)
    engine.feed(batch)
    engine.run()


def refused(ask, ctx):
    """Return what the error says that a request must raise."""
    with pytest.raises(RuntimeError) as raised:
        ask(ctx)
    words = str(raised.value)
    assert "keeper" in words
    assert repr(threading.current_thread().name).strip("'") in words
    assert "\n" not in words
    return words


def in_thread(work, name="a worker"):
    """Run something in a thread and return what it returns, or raise what it raises."""
    found = []

    def call():
        try:
            found.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            found.append((None, error))

    thread = threading.Thread(target=call, name=name)
    thread.start()
    thread.join()
    value, error = found[0]
    if error is not None:
        raise error
    return value


@pytest.mark.parametrize("ask", REQUESTS.values(), ids=REQUESTS)
def test_another_thread_is_refused(ask):
    """While the strategy is being called, and nothing of it reaches the journal."""
    keeper = Keeper(lambda ctx: in_thread(lambda: refused(ask, ctx)))
    engine = engine_of(keeper)

    quote(engine)

    assert "next callback" in keeper.answers[0]
    assert {kind for kind, _, _ in decode_frames(engine.take_frames())} == {"quote"}


@pytest.mark.parametrize("ask", REQUESTS.values(), ids=REQUESTS)
def test_after_and_before_a_run_nothing_is_asked(ask):
    """A context that was kept asks for nothing between two runs, which is where tasks and workers come in."""
    keeper = Keeper()
    engine = engine_of(keeper)
    quote(engine)

    assert "into a callback" in refused(ask, keeper.ctx)


@pytest.mark.parametrize("ask", REQUESTS.values(), ids=REQUESTS)
def test_a_signal_handler_is_refused(ask):
    """It interrupts a callback anywhere; the callback itself goes on asking."""

    def handler(ctx):
        return refused(ask, ctx)

    keeper = Keeper(lambda ctx: (_core.call_apart(handler, ctx), ctx.buy(quantity_lots=1)))
    quote(engine_of(keeper))

    words, order = keeper.answers[0]
    assert "signal handler" in words
    assert order == 1


def test_a_signal_handler_runs_no_engine():
    """One of its own would call its strategies in the middle of a callback of another."""
    keeper = Keeper(lambda ctx: _core.call_apart(quote, engine_of(Keeper())))
    with pytest.raises(StrategyError, match="a signal handler runs no engine"):
        quote(engine_of(keeper))


def test_the_context_of_another_engine_asks_for_nothing():
    """Not even within a callback: the other engine would trade at a moment that its journal does not know."""
    other = Keeper()
    other_engine = engine_of(other)
    quote(other_engine)
    keeper = Keeper(lambda ctx: refused(REQUESTS["buy"], other.ctx))

    quote(engine_of(keeper))

    assert "into a callback" in keeper.answers[0]


def test_an_engine_within_a_callback_runs():
    """Two engines do not see each other: one may be made and run in a callback of the other."""

    def ask(ctx):
        inner = Keeper(lambda ctx: ctx.buy(quantity_lots=1))
        quote(engine_of(inner))
        return inner.answers[0], ctx.buy(quantity_lots=1)

    keeper = Keeper(ask)
    quote(engine_of(keeper))
    assert keeper.answers == [(1, 1)]


def test_a_generator_asks_where_it_is_resumed():
    """In the next callback it may; after the run it may not."""

    def steps(ctx):
        while True:
            yield ctx.buy(quantity_lots=1)

    keeper = Keeper()
    keeper.ask = lambda ctx: next(keeper.steps) if hasattr(keeper, "steps") else None
    engine = engine_of(keeper)
    quote(engine)
    keeper.steps = steps(keeper.ctx)
    quote(engine, 2_000)
    assert keeper.answers == [None, 1]

    with pytest.raises(RuntimeError, match="into a callback"):
        next(keeper.steps)


def test_a_task_between_callbacks_is_refused():
    """A task that a strategy started runs between the callbacks: what it found waits for the next one."""
    refusals = []

    async def later(ctx):
        refusals.append(refused(REQUESTS["buy"], ctx))

    async def main():
        keeper = Keeper(lambda ctx: asyncio.create_task(later(ctx)))
        engine = engine_of(keeper)
        quote(engine)
        await asyncio.gather(*keeper.answers)

    asyncio.run(main())
    assert len(refusals) == 1


def test_start_and_end_are_callbacks():
    """`on_start` and `on_stop` ask as every other callback does."""

    class Both(Keeper):
        def on_start(self, ctx):
            ctx.set_timer(10**15)
            self.average = ctx.sma(3)

        def on_stop(self, ctx):
            self.answers.append(ctx.hold("the end"))

    strategy = Both()
    engine = engine_of(strategy)
    quote(engine)
    engine.finish()
    assert strategy.answers == [None]


def test_a_failed_callback_ends_the_calls():
    """After a strategy failed in `on_start` nothing is asked any more."""

    class Fails(Keeper):
        def on_start(self, ctx):
            self.ctx = ctx
            raise ValueError("no")

    strategy = Fails()
    engine = engine_of(strategy)
    with pytest.raises(Exception, match="no"):
        quote(engine)
    refused(REQUESTS["buy"], strategy.ctx)


def test_another_thread_may_look():
    """Reads answer with the state of the moment; no replay depends on them."""
    keeper = Keeper(
        lambda ctx: (ctx.buy(quantity_lots=7), in_thread(lambda: (ctx.now_ns, ctx.position_lots())))
    )
    engine = engine_of(keeper)
    quote(engine)
    quote(engine, 2_000)

    assert [seen for _, seen in keeper.answers] == [(1_000, 0), (2_000, 7)]
    assert in_thread(lambda: (keeper.ctx.cash, keeper.ctx.equity)) == (keeper.ctx.cash, keeper.ctx.equity)


def child_of_fork(work):
    """Do something in a child of this process; return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@CANNOT_FORK
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("ask", REQUESTS.values(), ids=REQUESTS)
def test_the_child_of_a_fork_is_refused(ask):
    """A child that a strategy forks in its callback would trade for an engine that another process has."""

    def fork(ctx):
        return child_of_fork(lambda: 0 if "make an engine of its own" in refused(ask, ctx) else 1)

    keeper = Keeper(fork)
    quote(engine_of(keeper))
    assert keeper.answers == [0]


def _look(pipe, engine):
    try:
        quote(engine, 2_000)
    except RuntimeError as error:
        pipe.send(str(error))
    else:
        pipe.send("ran")


@CANNOT_FORK
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_of_multiprocessing_runs_no_engine_of_its_parent():
    """With the start method `fork` it has a copy of every engine; its own it may make and run."""
    engine = engine_of(Keeper())
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_look, args=(theirs, engine))
    process.start()
    assert "make an engine of its own in each process" in ours.recv()
    process.join()
    quote(engine, 2_000)


@CANNOT_FORK
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_touch_the_journal(tmp_path):
    """It writes nothing, closes nothing of its parent, and what waited in memory is written once."""
    path = tmp_path / "a.journal"
    writer = JournalFolder(path).writer(1)
    writer.append(encode_session_end(5, "one"))

    def meddle():
        for call in (
            lambda: writer.append(encode_session_end(6, "two")),
            lambda: writer.commit(True),
            writer.close,
        ):
            with pytest.raises(StorageError, match="a child of that"):
                call()
        return 0

    assert child_of_fork(meddle) == 0
    # A child that ends as every process does, with what Python does at its end.
    assert child_of_fork(lambda: sys.exit(0)) in {0, 99}
    context = multiprocessing.get_context("fork")
    process = context.Process(target=writer.append, args=(encode_session_end(6, "two"),))
    process.start()
    process.join()
    assert process.exitcode == 1

    writer.append(encode_session_end(7, "three"))
    writer.close()
    verdict = JournalFolder(path).verify()
    assert (verdict.status, verdict.records) == ("intact", 2)


@CANNOT_FORK
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_lives_on_does_not_keep_the_journal(tmp_path):
    """The lock is that of the process: a child that outlives the writer keeps nobody from the journal."""
    path = tmp_path / "a.journal"
    writer = JournalFolder(path).writer(1)
    (waits, ends), (hears, lives) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(lives, b"x")
        os.read(waits, 1)
        os._exit(0)
    os.read(hears, 1)
    writer.close()
    try:
        JournalFolder(path).writer(1).close()
    finally:
        os.write(ends, b"x")
        os.waitpid(pid, 0)


WORKER = '''
import threading


class Worker:
    """A thread of it buys as soon as it sees a trade; what it is told becomes the trace of a decision."""

    def on_trade(self, ctx, trade):
        """Let a thread buy, wait for it, and buy in the callback."""
        said = []

        def buy():
            try:
                said.append(ctx.buy(quantity=0.01))
            except RuntimeError as error:
                said.append(error)

        thread = threading.Thread(target=buy, name="signals")
        thread.start()
        thread.join()
        with open("said.txt", "a") as file:
            file.write(f"{said[0]}\\n")
        ctx.buy(quantity=0.01)
'''


@pytest.mark.without(
    "Python",
    works="orders from threads and child processes are refused, and the journal replays",
)
def test_the_journal_of_a_strategy_whose_worker_buys_replays(tmp_path):
    """The order of the thread is refused; those of the callbacks are in the journal, which runs again."""
    shell = CommandLine(tmp_path)
    shell.write("worker.py", WORKER)
    strategy = PAPER.index("[strategy]")
    shell.write("paper.toml", PAPER[:strategy] + '[strategy]\nclass = "worker.py:Worker"\n')

    shell.run("run", "paper.toml")

    journal = tmp_path / "state" / "one" / "engine.journal"
    said = (tmp_path / "said.txt").read_text().splitlines()
    assert said
    assert all("Worker" in line and "signals" in line and "next callback" in line for line in said)
    shell.run("journal", "verify", journal)
    shell.run("journal", "replay", journal)


FORKER = '''
import os
import subprocess
import sys


class Forker:
    """Forks and starts processes in its callbacks; the children try to trade, and end as they like."""

    seen: int = 0

    def on_trade(self, ctx, trade):
        """Fork now and then."""
        self.seen += 1
        if self.seen % 20 == 1:
            pid = os.fork()
            if pid == 0:
                try:
                    ctx.buy(quantity=0.01)
                finally:
                    os._exit(3)
            os.waitpid(pid, 0)
            subprocess.run([sys.executable, "-c", "pass"], check=True)
        ctx.buy(quantity=0.01)
'''


@CANNOT_FORK
def test_a_strategy_that_forks_keeps_its_journal(tmp_path):
    """Forks and other programs in a callback: the journal is whole, and runs again the same."""
    shell = CommandLine(tmp_path)
    # A replay forks again, which changes nothing.
    shell.write("forker.py", FORKER)
    strategy = PAPER.index("[strategy]")
    shell.write("paper.toml", PAPER[:strategy] + '[strategy]\nclass = "forker.py:Forker"\n')
    shell.run("run", "paper.toml", "--set", "feed.seconds=2")
    journal = tmp_path / "state" / "one" / "engine.journal"
    shell.run("journal", "verify", journal)
    shell.run("journal", "replay", journal, code=ExitCode.OK)
