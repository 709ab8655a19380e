"""How fast does the whole engine go, from event to strategy to order to fill?"""

import numpy as np
import pytest

import plain
from engine_runs import (
    ExponentialCross,
    Replacer,
    SimpleCross,
    Taker,
    TimedTaker,
    Watcher,
    bar_batch,
    pair_spec,
    prepare,
    quote_batch,
    run,
    walk_spec,
)
from tradecore.domain import Matching
from workloads import (
    SMA_PNL,
    SMA_TRADES,
    SWEEP_BEST,
    SWEEP_FAST,
    SWEEP_SLOW,
    WALK_FEE,
    WALK_TICKS,
    long_only_result,
    pair_bars,
    pair_quotes,
    simple_average,
    walk_bars,
)


def bench_bars_with_a_callback_each(compare):
    """B1: how many bars a second, with a Python callback on every one?"""
    bars = pair_bars(compare.size(500_000, 5_000))
    closes = bars.close.tolist()

    ours, orders = compare(
        "B1 bars, EMA cross, callback",
        run,
        lambda: plain.exponential_cross(closes),
        prepare=lambda: prepare(pair_spec(Matching.BARS), ExponentialCross(), bar_batch(bars)),
        amount=len(closes),
        unit="bars/s",
        plain="Python loop",
        goal=2.5e6,
        first_line=500e3,
    )

    assert ours.events == len(closes)
    assert ours.strategy.orders == orders


def bench_bars_with_trades(compare):
    """B2: how many bars a second, with every trade of a moving-average cross accounted for?"""
    bars = walk_bars(compare.size(500_000, 5_000))
    opened, close = bars.open / WALK_TICKS, bars.close / WALK_TICKS
    lists = opened.tolist(), close.tolist()

    ours, (trades, pnl) = compare(
        "B2 bars, SMA cross, callback",
        run,
        lambda: plain.simple_cross(*lists, 10, 20, WALK_FEE),
        prepare=lambda: prepare(walk_spec(), SimpleCross(10, 20), bar_batch(bars)),
        amount=len(close),
        unit="bars/s",
        plain="Python loop",
        goal=1.5e6,
    )

    expected = long_only_result(bars, simple_average(close, 10), simple_average(close, 20))
    assert (trades, round(pnl, 4)) == (expected.trades, round(expected.pnl, 4))
    assert ours.trades == trades
    assert float(ours.summary.pnl) == pytest.approx(expected.pnl + expected.open_pnl, abs=1e-4)
    if compare.full:
        assert (ours.trades, round(float(ours.summary.pnl) - expected.open_pnl, 4)) == (SMA_TRADES, SMA_PNL)


def bench_sweep(compare):
    """B3: how long do 100 parameter points take, one backtest each?"""
    bars = walk_bars(compare.size(500_000, 5_000))
    batch, close = bar_batch(bars), bars.close / WALK_TICKS
    points = [(fast, slow) for fast in SWEEP_FAST for slow in SWEEP_SLOW]
    # Four of the hundred are run; the table shows points a second.
    chosen = [*points[::40], SWEEP_BEST] if compare.full else points[:1]

    def plainly(fast, slow):
        found = long_only_result(bars, simple_average(close, fast), simple_average(close, slow))
        return found.pnl + found.open_pnl

    def by_engine(fast, slow):
        return float(run(prepare(walk_spec(), SimpleCross(fast, slow), batch)).summary.pnl)

    ours, expected = compare(
        "B3 sweep, callback",
        lambda: [by_engine(*point) for point in chosen],
        lambda: [plainly(*point) for point in chosen],
        amount=len(chosen),
        unit="points/s",
        plain="numpy",
        goal=200,
        rounds=1,
    )

    assert ours == pytest.approx(expected, abs=1e-4)


def bench_quotes_with_an_empty_callback(compare):
    """B4: how many quotes a second, with an empty Python callback on every one?"""
    quotes = pair_quotes(compare.size(1_000_000, 5_000))

    ours, count = compare(
        "B4 quotes, empty callback",
        run,
        lambda: plain.watch(quotes, lambda quote: None),
        prepare=lambda: prepare(pair_spec(Matching.QUOTES), Watcher(), quote_batch(quotes)),
        amount=len(quotes.bid),
        unit="quotes/s",
        plain="Python loop",
        goal=6e6,
    )

    assert ours.events == count


def bench_quotes_with_orders_replaced(compare):
    """B5: how many quotes a second, when every hundredth replaces a resting order?"""
    quotes = pair_quotes(compare.size(1_000_000, 5_000))

    ours, (sent, cancelled) = compare(
        "B5 quotes, order replaced each 100",
        run,
        lambda: plain.replace_orders(quotes),
        prepare=lambda: prepare(pair_spec(Matching.QUOTES), Replacer(), quote_batch(quotes)),
        amount=len(quotes.bid),
        unit="quotes/s",
        plain="Python loop",
        goal=4e6,
    )

    assert (ours.strategy.sent, ours.strategy.cancelled) == (sent, cancelled)
    assert ours.summary.orders == sent
    assert ours.summary.fills == 0


def bench_an_order_for_each_quote(compare):
    """B6: how many market orders a second, through risk, venue, fill and ledger, and how long takes one?"""
    quotes = pair_quotes(compare.size(100_000, 2_000))

    ours, (fills, _) = compare(
        "B6 market orders",
        run,
        lambda: plain.take(quotes),
        prepare=lambda: prepare(pair_spec(Matching.QUOTES), Taker(), quote_batch(quotes)),
        amount=len(quotes.bid),
        unit="orders/s",
        plain="Python loop",
        goal=1.5e6,
        first_line=100e3,
    )
    timed = run(prepare(pair_spec(Matching.QUOTES), TimedTaker(), quote_batch(quotes)))
    delays = timed.strategy.delays_ns
    p50, p99, p999 = (f"{np.percentile(delays, percent) / 1000:.2f} us" for percent in (50, 99, 99.9))
    compare.note(also_p50=p50, also_p99=p99, also_p99_9=p999)

    assert ours.strategy.fills == fills == len(quotes.bid)
    assert len(delays) == fills
    assert ours.summary.refusals == 0
