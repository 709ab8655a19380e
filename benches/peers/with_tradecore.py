"""Tradecore on every workload: what stands beside each peer."""

import sys

from indicator_data import columns, summary
from measured import Answer, Once, Workload, main, seconds_of

from bench_book import in_batches, one_by_one
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
from tradecore.strategy import indicators
from workloads import SWEEP_FAST, SWEEP_SLOW, level_changes, pair_bars, pair_quotes, walk_bars


def on_bars(count: int) -> Once:
    """B1."""
    bars = pair_bars(count)

    def once() -> tuple[float, Answer]:
        prepared = prepare(pair_spec(Matching.BARS), ExponentialCross(), bar_batch(bars))
        seconds, _ = seconds_of(lambda: {"events": run(prepared).events})
        return seconds, {"orders": prepared.strategy.orders}

    return once


def on_walk(count: int) -> Once:
    """B2."""
    bars = walk_bars(count)

    def once() -> tuple[float, Answer]:
        prepared = prepare(walk_spec(), SimpleCross(10, 20), bar_batch(bars))

        def work() -> Answer:
            ran = run(prepared)
            return {"trades": ran.trades, "pnl": float(ran.summary.pnl)}

        return seconds_of(work)

    return once


def on_sweep(count: int) -> Once:
    """B3."""
    bars = walk_bars(count)

    def work() -> Answer:
        results = [
            (
                float(run(prepare(walk_spec(), SimpleCross(fast, slow), bar_batch(bars))).summary.pnl),
                fast,
                slow,
            )
            for fast in SWEEP_FAST
            for slow in SWEEP_SLOW
        ]
        pnl, fast, slow = max(results)
        return {"fast": fast, "slow": slow, "pnl": pnl}

    return lambda: seconds_of(work)


def on_quotes(strategy: type, answer):
    """B4 to B6."""

    def make(count: int) -> Once:
        quotes = pair_quotes(count)

        def once() -> tuple[float, Answer]:
            prepared = prepare(pair_spec(Matching.QUOTES), strategy(), quote_batch(quotes))
            return seconds_of(lambda: answer(run(prepared)))

        return once

    return make


def delays(count: int) -> list[int]:
    """Time each order of B6."""
    prepared = prepare(pair_spec(Matching.QUOTES), TimedTaker(), quote_batch(pair_quotes(count)))
    return run(prepared).strategy.delays_ns


def on_levels(apply):
    """Order book."""

    def make(count: int) -> Once:
        changes = level_changes(count)

        def work() -> Answer:
            return dict(zip(("bid", "bid_lots", "ask", "ask_lots"), apply(changes), strict=True))

        return lambda: seconds_of(work)

    return make


def on_columns(compute):
    """One indicator over whole columns, into arrays that are used again (`out`)."""

    def make(count: int) -> Once:
        data = columns(count)
        outputs = compute(data, None)

        def work() -> Answer:
            compute(data, outputs)
            return {}

        def once() -> tuple[float, Answer]:
            seconds, _ = seconds_of(work)
            return seconds, summary(outputs if isinstance(outputs, tuple) else (outputs,))

        return once

    return make


def orders(ran) -> Answer:
    """Say what B5 came to."""
    found = ran.strategy
    return {
        "events": ran.events,
        "orders": found.sent,
        "cancelled": found.cancelled,
        "fills": ran.summary.fills,
    }


def fills(ran) -> Answer:
    """Say what B6 came to."""
    return {
        "events": ran.events,
        "orders": ran.summary.orders,
        "fills": ran.strategy.fills,
        "pnl": float(ran.summary.pnl),
    }


WORKLOADS = {
    "B1": Workload(on_bars),
    "B2": Workload(on_walk),
    "B3": Workload(on_sweep),
    "B4": Workload(on_quotes(Watcher, lambda ran: {"events": ran.events})),
    "B5": Workload(on_quotes(Replacer, orders)),
    "B6": Workload(on_quotes(Taker, fills), delays),
    "book": Workload(on_levels(one_by_one)),
    "book batches": Workload(on_levels(in_batches)),
    "SMA20": Workload(on_columns(lambda data, out: indicators.sma(data.close, 20, out=out))),
    "EMA20": Workload(on_columns(lambda data, out: indicators.ema(data.close, 20, out=out))),
    "RSI14": Workload(on_columns(lambda data, out: indicators.rsi(data.close, 14, out=out))),
    "ATR14": Workload(on_columns(lambda data, out: indicators.atr(*data, 14, out=out))),
    "BBANDS20": Workload(on_columns(lambda data, out: indicators.bollinger(data.close, 20, 2.0, out=out))),
    "MACD": Workload(on_columns(lambda data, out: indicators.macd(data.close, 12, 26, 9, out=out))),
}

if __name__ == "__main__":
    sys.exit(main("tradecore", WORKLOADS))
