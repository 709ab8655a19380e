"""The engine's side of the benches, strategies and runs: the only place that knows its interface."""

import math
import time
from typing import NamedTuple

import msgspec
import numpy as np

from maker import (
    CANCELLED,
    FILLED,
    LOTS,
    MEASURED,
    ORDER_LATENCY_NS,
    POSITION_ORDERS_MAX,
    QUEUE_POWER,
    REPORT_LATENCY_NS,
    STEP_NS,
    Orders,
)
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    Matching,
    Mode,
    QueueModel,
    SequenceRule,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding
from workloads import PAIR_TICK_SIZE, WALK_CASH, WALK_TICK_SIZE, Bars, Quotes

MINUTE_NS = 60_000_000_000
PAIR_LOTS = 100_000
FAR_TICKS = 1_000


class Ran(NamedTuple):
    """What a run came to."""

    events: int
    summary: object
    strategy: object
    best_ticks: tuple[int | None, int | None]
    trades: int


class ExponentialCross:
    """B1: holds one size to the side of the cross of two exponential averages, called on every bar."""

    def on_start(self, ctx) -> None:
        """Ask for the averages."""
        self.fast, self.slow, self.side, self.orders = ctx.ema(10), ctx.ema(20), 0, 0

    def on_bar(self, ctx, bar) -> None:
        """Send one market order for each change of side."""
        slow = self.slow.value
        if math.isnan(slow):
            return
        side = 1 if self.fast.value >= slow else -1
        if side != self.side:
            if self.side:
                self.orders += 1
                (ctx.buy if side > 0 else ctx.sell)(quantity_lots=PAIR_LOTS)
            self.side = side


class SimpleCross:
    """B2: one unit long between a cross above and the next cross below, called on every bar."""

    def __init__(self, fast: int, slow: int) -> None:
        self.lengths = fast, slow

    def on_start(self, ctx) -> None:
        """Ask for the averages."""
        self.fast, self.slow = (ctx.sma(length) for length in self.lengths)

    def on_bar(self, ctx, bar) -> None:
        """Buy one unit on a cross above, close on a cross below."""
        if self.fast.crossed_above(self.slow):
            if not ctx.position_lots():
                ctx.buy(quantity_lots=1)
        elif self.slow.crossed_above(self.fast):
            ctx.close()


class Watcher:
    """B4: is called on every quote and does nothing."""

    def on_quote(self, ctx, quote) -> None:
        """Do nothing."""


class BookWatcher:
    """B7: is called on every change of the book and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def on_book(self, ctx, book) -> None:
        """Count."""
        self.calls += 1


class Maker:
    """B7: the rule of `maker.py`, called at every step of the clock."""

    def __init__(self, first_ns: int, lots: int = LOTS) -> None:
        self.next_ns = first_ns
        self.lots = lots
        # Number and price of the order of each side.
        self.open = {1: (0, 0), -1: (0, 0)}
        # Rows of `maker.Orders` by the number of the order.
        self.rows = {}

    def on_start(self, ctx) -> None:
        """Wait for the first step."""
        ctx.set_timer(self.next_ns)

    def on_timer(self, ctx, timer_id) -> None:
        """Look at both sides."""
        position, best = ctx.position_lots(), ctx.best_ticks()
        for side, price, send in ((1, best[0], ctx.buy), (-1, best[1], ctx.sell)):
            order, order_price = self.open[side]
            is_wanted = side * position < self.lots * POSITION_ORDERS_MAX
            if ctx.is_open(order):
                if order_price != price or not is_wanted:
                    self.rows[order][CANCELLED] = ctx.now_ns
                    ctx.cancel(order)
            elif is_wanted and (order := send(quantity_lots=self.lots, limit_ticks=price, post_only=True)):
                self.open[side] = order, price
                self.rows[order] = [ctx.now_ns, side, price, 0, 0]
        self.next_ns += STEP_NS
        ctx.set_timer(self.next_ns)

    def on_fill(self, ctx, fill) -> None:
        """Note when the venue filled it."""
        self.rows[fill.order_id][FILLED] = fill.time_ns - REPORT_LATENCY_NS

    def orders(self) -> Orders:
        """Give all orders."""
        return np.array(list(self.rows.values()), dtype=np.int64).reshape(-1, 5)


class WatchingMaker(Maker):
    """B7: the same, called on every change of the book and on every trade beside."""

    def on_book(self, ctx, book) -> None:
        """Do nothing."""

    def on_trade(self, ctx, trade) -> None:
        """Do nothing."""


class Replacer:
    """B5: every hundred quotes sends a limit order far away and cancels the one before."""

    def on_start(self, ctx) -> None:
        """Begin without an order."""
        self.quotes, self.sent, self.cancelled, self.order = 0, 0, 0, None

    def on_quote(self, ctx, quote) -> None:
        """Count to a hundred."""
        self.quotes += 1
        if self.quotes % 100:
            return
        older, self.order = (
            self.order,
            ctx.buy(quantity_lots=PAIR_LOTS, limit_ticks=quote.bid_ticks - FAR_TICKS),
        )
        self.sent += 1
        if older is not None:
            ctx.cancel(older)
            self.cancelled += 1


class Taker:
    """B6: sends a market order on every quote, bought and sold in turn."""

    def on_start(self, ctx) -> None:
        """Begin with a purchase."""
        self.quotes, self.fills = 0, 0

    def on_quote(self, ctx, quote) -> None:
        """Send one order."""
        self.quotes += 1
        (ctx.buy if self.quotes & 1 else ctx.sell)(quantity_lots=PAIR_LOTS)

    def on_fill(self, ctx, fill) -> None:
        """Count."""
        self.fills += 1


class TimedTaker(Taker):
    """B6 with the time from each order to its fill, in nanoseconds."""

    def on_start(self, ctx) -> None:
        """Begin with a purchase."""
        super().on_start(ctx)
        self.sent_ns, self.delays_ns = 0, []

    def on_quote(self, ctx, quote) -> None:
        """Send one order and remember when."""
        self.quotes += 1
        send = ctx.buy if self.quotes & 1 else ctx.sell
        self.sent_ns = time.perf_counter_ns()
        send(quantity_lots=PAIR_LOTS)

    def on_fill(self, ctx, fill) -> None:
        """Note how long it took."""
        self.fills += 1
        self.delays_ns.append(time.perf_counter_ns() - self.sent_ns)


def pair_spec(matching: Matching) -> EngineSpec:
    """State the account of B1 and B4 to B6: 10 million, ten-fold leverage, 0.2 bp."""
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="AUDUSD", tick_size=PAIR_TICK_SIZE),),
        account=AccountSpec(cash="10000000", leverage="10"),
        fees=FeesSpec(maker_bps="0.2", taker_bps="0.2"),
        venue=VenueSpec(matching=matching),
    )


def walk_spec() -> EngineSpec:
    """State the account of B2 and B3: a million, 5 bp, the next open."""
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="WALK", tick_size=WALK_TICK_SIZE),),
        account=AccountSpec(cash=str(WALK_CASH)),
        fees=FeesSpec(maker_bps="5", taker_bps="5"),
    )


def capture_spec(symbol: str, tick_size: str, lot_size: str) -> EngineSpec:
    """State the account of B7: a replayed futures book."""
    instrument = InstrumentSpec(
        symbol=symbol, tick_size=tick_size, lot_size=lot_size, sequence=SequenceRule.BINANCE_FUTURES
    )
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(instrument,),
        account=AccountSpec(cash="1000000"),
        fees=FeesSpec(maker_bps="0", taker_bps="5"),
        venue=VenueSpec(matching=Matching.BOOK),
    )


def maker_spec(symbol: str, tick_size: str, lot_size: str, queue: str) -> EngineSpec:
    """State the account of the maker of B7: no fees, the queue model and the latencies of `maker.py`."""
    spec = capture_spec(symbol, tick_size, lot_size)
    venue = VenueSpec(matching=Matching.BOOK, queue_power=QUEUE_POWER)
    if queue != MEASURED:
        venue = msgspec.structs.replace(
            venue,
            order_latency_ns=ORDER_LATENCY_NS,
            report_latency_ns=REPORT_LATENCY_NS,
            queue=QueueModel(queue),
        )
    return msgspec.structs.replace(spec, fees=FeesSpec(), venue=venue)


def bar_batch(bars: Bars) -> EventBatch:
    """Make the events of bars."""
    batch = EventBatch()
    ends = bars.open_time_ns + MINUTE_NS
    batch.bars(0, bars.open_time_ns, ends, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return batch


def quote_batch(quotes: Quotes) -> EventBatch:
    """Make the events of quotes."""
    batch = EventBatch()
    batch.quotes(0, quotes.time_ns, quotes.bid, quotes.bid_lots, quotes.ask, quotes.ask_lots)
    return batch


class Prepared(NamedTuple):
    """An engine with everything fed, ready to run."""

    engine: Engine
    strategy: object


def prepare(spec: EngineSpec, strategy: object | None, batch: EventBatch) -> Prepared:
    """Build an engine and queue all events."""
    bindings = [] if strategy is None else [StrategyBinding(name="bench", strategy=strategy)]
    engine = Engine(spec, bindings, digest=False)
    engine.feed(batch)
    return Prepared(engine, strategy)


def run(prepared: Prepared) -> Ran:
    """Consume all events."""
    events = prepared.engine.run()
    prepared.engine.finish()
    kernel = prepared.engine.kernel
    trades = len(kernel.trades()["side"])
    return Ran(events, prepared.engine.summary(), prepared.strategy, kernel.best_ticks(0), trades)
