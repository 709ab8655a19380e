"""What does an event cost when the engine holds 10, 100 or 1,000 instruments and the event concerns one?

The baseline is the same work in an engine of one instrument: at a ratio of 1 the others cost nothing.
"""

import numpy as np
import pytest

from engine_runs import Prepared, Ran, Watcher, run
from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, Mode, VenueSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

MANY = pytest.mark.parametrize("instruments", [10, 100, 1_000])
PRICE, LOTS, STEP_NS = 10_000, 10, 1_000


class Turner:
    """Sells two and buys two lots in turn at every bar, three at first: a position is always held."""

    def on_start(self, ctx) -> None:
        """Begin with a purchase."""
        self.bars = 0

    def on_bar(self, ctx, bar) -> None:
        """Send one order."""
        self.bars += 1
        if self.bars & 1:
            ctx.buy(quantity_lots=3 if self.bars == 1 else 2)
        else:
            ctx.sell(quantity_lots=2)


def prepare(
    instruments: int, strategy: object, matching: Matching, batch: EventBatch | None = None
) -> Prepared:
    """Build and start an engine whose strategy follows all instruments, the last first, and feed it."""
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(InstrumentSpec(symbol=f"S{i}", tick_size="0.01") for i in range(instruments)),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=matching),
    )
    order = tuple(reversed(range(instruments)))
    binding = StrategyBinding(name="bench", strategy=strategy, instruments=order)
    engine = Engine(spec, [binding], digest=False, equity_curve=matching is Matching.BARS)
    engine.run()
    if batch is not None:
        engine.feed(batch)
    return Prepared(engine, strategy)


def quotes(count: int, instrument_id: int) -> EventBatch:
    """Make quotes that stand still."""
    times, ones = np.arange(1, count + 1, dtype=np.int64) * STEP_NS, np.ones(count, dtype=np.int64)
    batch = EventBatch()
    batch.quotes(instrument_id, times, ones * PRICE, ones * LOTS, ones * (PRICE + 2), ones * LOTS)
    return batch


def bars(count: int, instrument_id: int) -> EventBatch:
    """Make bars of ten ticks that stand still."""
    times, prices = np.arange(count, dtype=np.int64) * STEP_NS, np.full(count, PRICE, dtype=np.int64)
    batch = EventBatch()
    batch.bars(instrument_id, times, times + STEP_NS, prices, prices + 5, prices - 5, prices, prices)
    return batch


def measure(compare, what: str, instruments: int, make, work=run, *, amount: int, goal: float) -> None:
    """Measure engines of many and of one in turn; both come to the same money."""
    rounds = compare.size(5, 1)
    alone = [make(1) for _ in range(rounds)]

    ours, one = compare(
        f"B-many {instruments:>5,}, {what}",
        work,
        lambda: work(alone.pop()),
        prepare=lambda: make(instruments),
        amount=amount,
        unit="events/s",
        plain="alone",
        goal=goal,
        rounds=rounds,
    )

    assert ours.events == one.events == amount
    for fact in ("events", "orders", "fills", "refusals", "cash", "equity"):
        assert getattr(ours.summary, fact) == getattr(one.summary, fact)


@MANY
def bench_quotes_of_one_instrument_among_many(compare, instruments):
    """B-many: how many quotes a second, with an empty Python callback?"""
    count = compare.size(200_000, 500)

    def make(number: int) -> Prepared:
        return prepare(number, Watcher(), Matching.QUOTES, quotes(count, number - 1))

    measure(compare, "quotes", instruments, make, amount=count, goal=5e6)


@MANY
def bench_orders_in_one_instrument_among_many(compare, instruments):
    """B-many: how many bars a second, with an order at each, a position held and the equity kept?"""
    count = compare.size(20_000, 200)

    def make(number: int) -> Prepared:
        return prepare(number, Turner(), Matching.BARS, bars(count, number - 1))

    measure(compare, "orders on bars", instruments, make, amount=count, goal=0.5e6)


@MANY
def bench_quotes_one_at_a_time_among_many(compare, instruments):
    """B-many: how many quotes a second when each is fed and run by itself, as live?"""
    count = compare.size(20_000, 50)

    def one_by_one(prepared: Prepared) -> Ran:
        engine, batch, events = prepared.engine, EventBatch(), 0
        instrument_id = len(engine.instruments) - 1
        for number in range(1, count + 1):
            batch.clear()
            batch.quote(number * STEP_NS, instrument_id, PRICE, LOTS, PRICE + 2, LOTS)
            engine.feed(batch)
            events += engine.run()
        return Ran(events, engine.summary(), None, (None, None), 0)

    def make(number: int) -> Prepared:
        return prepare(number, Watcher(), Matching.QUOTES)

    measure(compare, "one at a time", instruments, make, one_by_one, amount=count, goal=1e6)


@MANY
def bench_a_source_for_every_instrument(compare, instruments):
    """B-many: how many quotes a second when every instrument has some, from a source of its own?"""
    count = compare.size(200_000, 2_000)

    def make(number: int) -> Prepared:
        ready = prepare(number, Watcher(), Matching.QUOTES)
        for instrument_id in range(number):
            ready.engine.feed(quotes(count // number, instrument_id), instrument_id)
        return ready

    measure(compare, "a source each", instruments, make, amount=count, goal=5e6)
