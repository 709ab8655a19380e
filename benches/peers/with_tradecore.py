"""Tradecore on every workload: what stands beside each peer."""

import sys
from operator import attrgetter

from indicator_data import columns, fed, summary
from measured import Answer, Once, Spent, Workload, clocked, main, seconds_of

from bench_book import in_batches
from bench_capture import without_quotes
from capture import LOT_SIZE, SYMBOL, TICK_SIZE
from engine_runs import (
    ExponentialCross,
    Maker,
    Replacer,
    SimpleCross,
    Taker,
    TimedTaker,
    Watcher,
    WatchingMaker,
    bar_batch,
    maker_spec,
    pair_spec,
    prepare,
    quote_batch,
    run,
    walk_spec,
)
from live_paced import paced
from maker import answer_of, first_step_ns
from tradecore.domain import Matching
from tradecore.domain.book import ExchangeBook, L2Book
from tradecore.strategy import indicators
from workloads import (
    SWEEP_FAST,
    SWEEP_SLOW,
    level_changes,
    order_flow,
    pair_bars,
    pair_quotes,
    walk_bars,
)

CANCEL = 2
# Changes that fill a book before its top is asked for.
FILLED = 20_000


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


def on_live(place: str | None) -> Workload:
    """B8: each order is written to a journal at a place before it leaves."""

    def make(count: int) -> Once:
        quotes = pair_quotes(count)

        def once() -> tuple[Spent, Answer]:
            wall, cpu, answer = paced(quotes, [], place)
            return Spent(wall, cpu), answer

        return once

    def delays(count: int) -> list[int]:
        found: list[int] = []
        paced(pair_quotes(count), found, place)
        return found

    return Workload(make, delays)


def delays(count: int) -> list[int]:
    """Time each order of B6."""
    prepared = prepare(pair_spec(Matching.QUOTES), TimedTaker(), quote_batch(pair_quotes(count)))
    return run(prepared).strategy.delays_ns


def one_by_one(changes) -> Answer:
    """Hand over one change at a time, through the mappings of both sides."""
    book = L2Book()
    sides = book.bids, book.asks
    for side, price, lots in changes:
        sides[side][price] = lots
    return best_of(book)


def one_by_one_with_best(changes) -> Answer:
    """As above, and ask for the best prices after each change."""
    book = L2Book()
    sides, best = (book.bids, book.asks), book.best
    for side, price, lots in changes:
        sides[side][price] = lots
        best()
    return best_of(book)


def best_of(book) -> Answer:
    """Name the best prices and their sizes."""
    return dict(zip(("bid", "bid_lots", "ask", "ask_lots"), book.best(), strict=True))


def match_one_by_one(rows) -> Answer:
    """Hand over one order or cancel a call; the fills are taken as columns at the end."""
    book = ExchangeBook()
    submit, cancel = book.submit, book.cancel
    traded = 0
    for operation, order_id, price, lots in rows:
        if operation == CANCEL:
            cancel(order_id)
        else:
            traded += submit(order_id, operation, price, lots)
    fills = book.take_fills()["lots"]
    if int(fills.sum()) != traded:
        raise SystemExit(f"{traded} lots were told, and fills of {fills.sum()}")
    return {"fills": len(fills), "volume": traded, "resting": len(book), **best_of(book)}


def on_rows(columns_of, handle) -> Workload:
    """Rows of Python numbers, one call each."""

    def rows(count: int) -> list[tuple[int, ...]]:
        return list(zip(*(column.tolist() for column in columns_of(count)), strict=True))

    def make(count: int) -> Once:
        made = rows(count)
        return lambda: seconds_of(lambda: handle(made))

    def delays(count: int) -> list[int]:
        delays_ns: list[int] = []
        handle(clocked(rows(count), delays_ns))
        return delays_ns

    return Workload(make, delays)


def on_level_batches(count: int) -> Once:
    """Order book, 256 changes a call."""
    changes = level_changes(count)
    names = ("bid", "bid_lots", "ask", "ask_lots")
    return lambda: seconds_of(lambda: dict(zip(names, in_batches(changes), strict=True)))


def on_top(count: int) -> Once:
    """Order book: the best ten levels of both sides into one array, again and again."""
    book = L2Book()
    book.apply(*level_changes(FILLED))
    refresh = book.top_view(10).refresh

    def work() -> Answer:
        for _ in range(count):
            out = refresh()
        return {"prices": int(out[:, :, 0].sum()), "lots": int(out[:, :, 1].sum())}

    return lambda: seconds_of(work)


def on_order_batch(count: int) -> Once:
    """Matching: the whole flow in one call; fills come back as columns."""
    flow = order_flow(count)

    def work() -> Answer:
        book = ExchangeBook()
        fills, refused = book.run(*flow)
        traded = {"fills": len(fills["lots"]), "volume": int(fills["lots"].sum()), "refused": len(refused)}
        return {**traded, "resting": len(book), **best_of(book)}

    return lambda: seconds_of(work)


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


def streamed(make, method: str) -> Workload:
    """One indicator, value by value, by the method that returns the new one or by the one that does not."""

    def values(indicator):
        return indicator.values if hasattr(indicator, "values") else indicator.value

    return fed(make, attrgetter(method), values, with_bars=isinstance(make(), indicators.Atr))


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


def on_capture(_count: int) -> Once:
    """B7: the book alone."""

    def once() -> tuple[Spent, Answer]:
        prepared = prepare(maker_spec(SYMBOL, TICK_SIZE, LOT_SIZE, "conservative"), None, without_quotes())

        def work() -> Answer:
            bid, ask = run(prepared).best_ticks
            return {"bid": bid, "ask": ask}

        return seconds_of(work)

    return once


def on_maker(strategy: type[Maker]):
    """B7: with the maker."""

    def make(_count: int) -> Once:
        first_ns = first_step_ns()

        def once() -> tuple[Spent, Answer]:
            maker = strategy(first_ns)
            spec = maker_spec(SYMBOL, TICK_SIZE, LOT_SIZE, "conservative")
            prepared = prepare(spec, maker, without_quotes())
            spent, _ = seconds_of(lambda: {"events": run(prepared).events})
            return spent, answer_of(maker.orders())

        return once

    return make


STREAMS = {
    "SMA20": lambda: indicators.Sma(20),
    "EMA20": lambda: indicators.Ema(20, seed="first"),
    "RSI14": lambda: indicators.Rsi(14),
    "ATR14": lambda: indicators.Atr(14),
    "BBANDS20": lambda: indicators.Bollinger(20, 2.0),
    "MACD": lambda: indicators.Macd(12, 26, 9),
}
WORKLOADS = {
    "B1": Workload(on_bars),
    "B2": Workload(on_walk),
    "B3": Workload(on_sweep),
    "B4": Workload(on_quotes(Watcher, lambda ran: {"events": ran.events})),
    "B5": Workload(on_quotes(Replacer, orders)),
    "B6": Workload(on_quotes(Taker, fills), delays),
    "B8": on_live(None),
    # As the peer: what it knows is gone with the machine.
    "B8 in memory": on_live("/dev/shm"),
    "B7 replay": Workload(on_capture),
    "B7 maker": Workload(on_maker(Maker)),
    "B7 maker watching": Workload(on_maker(WatchingMaker)),
    "book": on_rows(level_changes, one_by_one),
    "book best": on_rows(level_changes, one_by_one_with_best),
    "book batches": Workload(on_level_batches),
    "book top": Workload(on_top),
    "matching": on_rows(order_flow, match_one_by_one),
    "matching batch": Workload(on_order_batch),
    "SMA20": Workload(on_columns(lambda data, out: indicators.sma(data.close, 20, out=out))),
    "EMA20": Workload(on_columns(lambda data, out: indicators.ema(data.close, 20, out=out))),
    "RSI14": Workload(on_columns(lambda data, out: indicators.rsi(data.close, 14, out=out))),
    "ATR14": Workload(on_columns(lambda data, out: indicators.atr(*data, 14, out=out))),
    "BBANDS20": Workload(on_columns(lambda data, out: indicators.bollinger(data.close, 20, 2.0, out=out))),
    "MACD": Workload(on_columns(lambda data, out: indicators.macd(data.close, 12, 26, 9, out=out))),
    **{f"{name} stream": streamed(make, "update") for name, make in STREAMS.items()},
    **{f"{name} fed": streamed(make, "feed") for name, make in STREAMS.items()},
}

if __name__ == "__main__":
    sys.exit(main("tradecore", WORKLOADS))
