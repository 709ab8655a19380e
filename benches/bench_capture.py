"""How fast does the engine replay a real order book, alone and with a callback on every change?"""

import plain
from capture import LOT_SIZE, SYMBOL, TICK_SIZE, capture, depth, depth_and_trades
from engine_runs import BookWatcher, capture_spec, prepare, run
from tradecore.domain import EventBatch
from tradecore.domain.feeds import BinanceDecoder


def events() -> EventBatch:
    """Decode the whole capture."""
    return _decoded(capture())


def without_quotes() -> EventBatch:
    """Decode what changes the market: no best prices beside the book."""
    return _decoded(depth_and_trades())


def _decoded(lines: bytes) -> EventBatch:
    batch = EventBatch()
    decoder = BinanceDecoder("usdm", [(SYMBOL, 0, TICK_SIZE, LOT_SIZE)], SYMBOL)
    decoder.decode_capture(lines, True, 10**9, batch)
    return batch


def replay(compare, workload: str, strategy: object | None, goal: float) -> None:
    """Measure one replay: the last best prices are those of dictionaries, and no quote ever disagreed."""
    parsed = depth()

    ours, best = compare(
        workload,
        run,
        lambda: plain.keep_books(parsed.messages),
        prepare=lambda: prepare(capture_spec(SYMBOL, TICK_SIZE, LOT_SIZE), strategy, events()),
        amount=parsed.levels + parsed.trades,
        unit="events/s",
        plain="dict",
        goal=goal,
        rounds=compare.size(5, 1),
    )

    assert ours.best_ticks == best
    assert ours.summary.book.compared >= 500
    assert ours.summary.book.mismatches == 0


def bench_replay_of_a_real_book(compare):
    """B7: how many level changes and trades a second, without a strategy?"""
    replay(compare, "B7 real book, replay", None, 30e6)


def bench_replay_of_a_real_book_with_a_callback(compare):
    """B7: how many level changes and trades a second, with a Python callback on every change of the book?"""
    watcher = BookWatcher()

    replay(compare, "B7 real book, callback", watcher, 2e6)

    assert watcher.calls > 5_000
