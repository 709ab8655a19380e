"""The simulated exchange inside the engine, beside a slow plain exchange."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plain_exchange import PlainExchange
from tradecore.domain import AccountSpec, EngineSpec, EventBatch, FeesSpec, Matching, VenueSpec
from tradecore.engine import Engine
from tradecore.sim.agents import AgentCrowd
from tradecore.sim.simulated_exchange import DEMO_INSTRUMENTS, DEMO_MARKETS, START_NS
from tradecore.strategy import StrategyBinding

MARKET = DEMO_MARKETS[0]
SLICE_NS = 50_000_000
# Numbers of our orders in the plain exchange start here, far beyond those of agents.
OURS = 10**9


class Watcher:
    """Remembers what the engine tells it."""

    def on_start(self, ctx) -> None:
        """Keep the context, to act between batches."""
        self.ctx, self.book, self.trades, self.fills = ctx, None, [], []

    def on_book(self, ctx, book) -> None:
        """Keep the last book, as lists."""
        self.book = (book.bids(10), book.asks(10))

    def on_trade(self, ctx, trade) -> None:
        """Keep every trade."""
        self.trades.append((trade.price_ticks, trade.lots))

    def on_fill(self, ctx, fill) -> None:
        """Keep every fill of ours."""
        self.fills.append((fill.order_id, fill.price_ticks, fill.lots, fill.is_maker))


class Both:
    """A sink that hands the flow to the engine's batch and to the plain exchange."""

    def __init__(self, plain: PlainExchange) -> None:
        self.batch, self.plain = EventBatch(), plain

    def flow_limit(self, *what) -> None:
        """Pass a limit order on."""
        self.batch.flow_limit(*what)
        self.plain.flow_limit(*what)

    def flow_market(self, *what) -> None:
        """Pass a market order on."""
        self.batch.flow_market(*what)
        self.plain.flow_market(*what)

    def flow_cancel(self, *what) -> None:
        """Pass a cancel on."""
        self.batch.flow_cancel(*what)
        self.plain.flow_cancel(*what)


def started() -> tuple[Engine, Watcher]:
    """Make an engine on the exchange, with more cash than needed and no limits."""
    watcher = Watcher()
    spec = EngineSpec(
        instruments=DEMO_INSTRUMENTS[:1],
        account=AccountSpec(cash="1000000000"),
        fees=FeesSpec(maker_bps="-0.5", taker_bps="2"),
        venue=VenueSpec(matching=Matching.EXCHANGE),
    )
    engine = Engine(spec, [StrategyBinding(name="watcher", strategy=watcher)])
    engine.run()
    return engine, watcher


def fills_of(plain: PlainExchange, ours: dict[int, int]) -> list[tuple]:
    """List our fills as the plain exchange saw them."""
    found = []
    for price, lots, maker_id, taker_id in plain.trades:
        if maker_id >= OURS:
            found.append((ours[maker_id], price, lots, True))
        if taker_id >= OURS:
            found.append((ours[taker_id], price, lots, False))
    return found


def act(watcher: Watcher, plain: PlainExchange, draw: Random, ours: dict[int, int]) -> None:
    """Send one order of ours, or take one back, to both."""
    best_bid, best_ask = plain.best_levels(True, 1)[0][0], plain.best_levels(False, 1)[0][0]
    waiting = [flow_id for flow_id in plain.places if flow_id >= OURS]
    lots = draw.randint(1, 3_000)
    if waiting and draw.random() < 0.3:
        flow_id = draw.choice(waiting)
        watcher.ctx.cancel(ours[flow_id])
        plain.flow_cancel(0, 0, flow_id)
        return
    # Buys alone: our own orders never meet, and the plain exchange knows no owners.
    limit_ticks = draw.randint(best_bid - 50, best_ask + 50)
    flow_id = OURS + len(ours)
    order_id = watcher.ctx.buy(quantity_lots=lots, limit_ticks=limit_ticks)
    assert isinstance(order_id, int)
    ours[flow_id] = order_id
    plain.flow_limit(0, 0, flow_id, True, limit_ticks, lots)


@pytest.mark.timeout(120)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_the_exchange_in_the_engine_trades_like_a_slow_plain_one(seed):
    """Agents and orders of ours in one book: same trades, same ten best levels, same fills of ours."""
    engine, watcher = started()
    plain, draw, ours = PlainExchange(), Random(seed), {}
    crowd, sink = AgentCrowd((MARKET,), seed=seed, start_ns=START_NS), Both(plain)
    for number in range(1, 101):
        crowd.run_until(START_NS + number * SLICE_NS, sink)
        engine.feed(sink.batch)
        engine.run()
        sink.batch.clear()
        assert watcher.book == (plain.best_levels(True, 10), plain.best_levels(False, 10))
        # As in a callback: nobody else is asked for orders here.
        engine.kernel.begin_calls()
        act(watcher, plain, draw, ours)
        engine.kernel.end_calls()

    fed = len(watcher.trades)
    assert watcher.trades == [(price, lots) for price, lots, _, _ in plain.trades[:fed]]
    assert watcher.fills == fills_of(plain, ours)[: len(watcher.fills)]
    assert len(watcher.fills) > 10
