"""Two random runs side by side: the differences add up, and each sum is that of a plain walk."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.random_orders import STRATEGY, Everything, events_of, spec_of
from tradecore.backtest.compared_run import RunReader
from tradecore.backtest.side_by_side import compare
from tradecore.domain import FeesSpec, Matching, Mode
from tradecore.engine import Engine
from tradecore.runtime import frames
from tradecore.strategy import StrategyBinding

ATTO = 10**18
NAMES = ("live", "backtest")


def run_of(matching, seed, count, *, latency_ns=0, taker_bps="5", dice=None):
    """Run a strategy that does everything with orders; return the run as it is compared, and its summary."""
    # Bars say nothing about the time within.
    latency_ns = 0 if matching is Matching.BARS else latency_ns
    spec = msgspec.structs.replace(spec_of(matching, latency_ns=latency_ns), mode=Mode.BACKTEST)
    spec = msgspec.structs.replace(spec, fees=FeesSpec(maker_bps="-1", taker_bps=taker_bps))
    strategy = Everything()
    strategy.seed = dice if dice is not None else seed
    engine = Engine(
        spec, [StrategyBinding(name=STRATEGY, strategy=strategy, instruments=(0, 1))], recording=True
    )
    reader, seq, made = RunReader(engine.spec, [STRATEGY]), 0, []
    for batch in events_of(matching, seed, count):
        engine.feed(batch)
        engine.run()
        made.append(engine.take_frames())
    engine.finish()
    made.append(engine.take_frames())
    for data in made:
        scanned = frames.scan(data)
        reader.take(data, scanned.records(seq), scanned.frames)
        seq += scanned.frames
    return reader.run(), engine.summary()


def walked(run):
    """Return what a run made by instrument, worked out anew: money paid and received, and what is held."""
    made = {}
    units = run.units
    for order in run.orders:
        at = units.symbols.index(order.symbol)
        for fill in order.fills:
            cash, held = made.get(order.symbol, (0, 0))
            paid = units.price(at, fill.price_ticks) * units.quantity(at, fill.lots) * units.multiplier(at)
            made[order.symbol] = (cash - int(paid * ATTO) - fill.fee, held + fill.lots)
    total = {}
    for symbol, (cash, held) in made.items():
        at = units.symbols.index(symbol)
        worth = units.quantity(at, held) * units.price(at, run.marks.get(symbol, 0)) * units.multiplier(at)
        total[symbol] = cash + int(worth * ATTO)
    return total


@pytest.mark.parametrize("matching", [Matching.BARS, Matching.QUOTES, Matching.BOOK])
@given(
    seed=st.integers(0, 10_000),
    dice=st.integers(0, 10_000) | st.none(),
    latency_s=st.integers(0, 3),
    taker_bps=st.sampled_from(["5", "7"]),
)
@settings(max_examples=15)
def test_the_differences_add_up_to_that_of_the_profits(matching, seed, dice, latency_s, taker_bps):
    """By order, by strategy, by instrument, by account and by reason: the same sum to the last unit."""
    first, summary = run_of(matching, seed, 150)
    second, beside = run_of(
        matching, seed, 150, latency_ns=latency_s * 10**9 // 2, taker_bps=taker_bps, dice=dice
    )
    told = compare(first, second, NAMES)

    for run, there in ((first, summary), (second, beside)):
        assert Decimal(run.profit) / ATTO == Decimal(there.pnl)
        made = sum(walked(run).values()) + sum(run.flows.values())
        assert made == run.profit
    assert told.profit == (first.profit, second.profit)
    orders = sum(pair.difference for pair in told.pairs)
    for totals in (told.strategies, told.instruments, told.accounts, told.reasons):
        assert sum(each.difference for each in totals) == orders
        assert sum(each.orders[0] for each in totals) == len(first.orders)
        assert sum(each.fills[1] for each in totals) == sum(len(order.fills) for order in second.orders)
    assert told.rest == 0
    assert orders + sum(told.flows.values()) == told.difference == first.profit - second.profit
    walks = walked(first), walked(second)
    for each in told.instruments:
        assert each.difference == walks[0].get(each.name, 0) - walks[1].get(each.name, 0)
    for pair in told.pairs:
        assert pair.why or not pair.difference, pair.order.words


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_a_run_beside_itself_differs_in_nothing(seed):
    """Every order is found again, no decision parts, and nobody is given a reason."""
    first, _ = run_of(Matching.BOOK, seed, 150)
    second, _ = run_of(Matching.BOOK, seed, 150)
    told = compare(first, second)
    assert told.parting is None
    assert told.difference == told.rest == 0
    assert not told.flows
    for pair in told.pairs:
        assert (pair.first.number, pair.why, pair.difference) == (pair.second.number, (), 0)


@given(seed=st.integers(0, 10_000), dice=st.integers(0, 10_000))
@settings(max_examples=15)
def test_no_order_is_lost_or_told_twice_and_the_other_way_round_is_the_opposite(seed, dice):
    """Each order stands in one pair; with the runs exchanged every difference has the other sign."""
    first, _ = run_of(Matching.QUOTES, seed, 120)
    second, _ = run_of(Matching.QUOTES, seed, 120, dice=dice)
    told, back = compare(first, second), compare(second, first)
    for side, run in ((0, first), (1, second)):
        named = [(pair.first, pair.second)[side] for pair in told.pairs]
        seen = [order.seq for order in named if order is not None]
        assert sorted(seen) == [order.seq for order in run.orders]
    assert back.difference == -told.difference
    parted = None if told.parting is None else (told.parting.alike, told.parting.first, told.parting.second)
    again = None if back.parting is None else (back.parting.alike, back.parting.second, back.parting.first)
    assert parted == again
