"""Exits and trails in percent, on every kind of venue, against a plain reckoning by fractions."""

import math
import random
from collections import defaultdict
from fractions import Fraction

import msgspec
import numpy as np
import pytest

from support.random_orders import events_of, spec_of
from tradecore import (
    BarOrder,
    Engine,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Matching,
    RiskSpec,
    SlippageSpec,
    StrategyBinding,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames

SECOND_NS = 1_000_000_000


class Brackets:
    """Enters at random with exits in percent, whenever it is flat."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.asked: dict[int, tuple[float, float]] = {}
        self.sent: dict[int, list[int]] = {0: [], 1: []}

    def on_bar(self, ctx, bar) -> None:
        """Enter."""
        self._enter(ctx, bar.instrument_id, bar.close_ticks)

    def on_quote(self, ctx, quote) -> None:
        """Enter."""
        self._enter(ctx, quote.instrument_id, quote.bid_ticks)

    def on_trade(self, ctx, trade) -> None:
        """Enter."""
        self._enter(ctx, trade.instrument_id, trade.price_ticks)

    def _enter(self, ctx, instrument_id: int, near_ticks: int) -> None:
        # One entry at a time: what closes another one's lots first pays for less than it fills.
        is_waiting = any(map(ctx.is_open, self.sent[instrument_id]))
        if is_waiting or ctx.position_lots(instrument_id) or self.chance.random() < 0.5:
            return
        loss, profit = (round(self.chance.uniform(0.01, 3), 4) for _ in range(2))
        send = self.chance.choice([ctx.buy, ctx.sell])
        sign = 1 if send is ctx.buy else -1
        kind = self.chance.choice([{}, {"limit_ticks": near_ticks}, {"stop_ticks": near_ticks + 2 * sign}])
        life = {} if not kind else {"time_in_force": "gtd", "expire_ns": ctx.now_ns + 5 * SECOND_NS}
        answer = send(
            quantity_lots=self.chance.randint(1, 8),
            stop_loss_pct=loss,
            take_profit_pct=profit,
            instrument_id=instrument_id,
            **kind,
            **life,
        )
        if answer:
            self.asked[answer] = (loss, profit)
            self.sent[instrument_id].append(answer)


def exits_of(side: str, paid: Fraction, loss: float, profit: float) -> tuple[int, int]:
    """Return stop-loss and take-profit in ticks: no more lost, no less won, and at least a tick away."""
    loss_part, profit_part = (Fraction(round(percent * 10_000), 1_000_000) for percent in (loss, profit))
    if side == "buy":
        stop = min(math.ceil(paid * (1 - loss_part)), math.ceil(paid) - 1)
        take = max(math.ceil(paid * (1 + profit_part)), math.floor(paid) + 1)
    else:
        stop = max(math.floor(paid * (1 + loss_part)), math.floor(paid) + 1)
        take = min(math.floor(paid * (1 - profit_part)), math.ceil(paid) - 1)
    return max(stop, 1), max(take, 1)


def run(spec: EngineSpec, matching: Matching, seed: int) -> tuple[Brackets, list]:
    """Return the strategy and the records of a run."""
    strategy = Brackets(seed)
    binding = StrategyBinding(name="brackets", strategy=strategy, instruments=(0, 1))
    engine = Engine(spec, [binding], recording=True)
    records = []
    for batch in events_of(matching, seed, 600):
        engine.feed(batch)
        engine.run()
        records += decode_frames(engine.take_frames())
    return strategy, records


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("order", ["time", "queue"])
@pytest.mark.parametrize("matching", list(Matching))
def test_exits_in_percent_are_where_the_entry_filled(matching, order, seed):
    """Of each exit that is armed: the percentage of what its entry had paid on average when it was sent.

    Against bars every fill arms exits of its own, so what counts is the price of that fill.
    """
    spec = spec_of(matching)
    # Without margin: a liquidation between two fills of an entry takes the older ones out of the average.
    spec = msgspec.structs.replace(
        spec,
        instruments=tuple(msgspec.structs.replace(known, margin=None) for known in spec.instruments),
        risk=RiskSpec(),
        venue=msgspec.structs.replace(spec.venue, bar_order=BarOrder(order)),
    )
    strategy, records = run(spec, matching, seed)
    orders, fills, left, checked = {}, defaultdict(list), defaultdict(int), set()
    for what, _, fields in records:
        if what == "order":
            orders[fields["order_id"]] = fields
            entry = fields.get("closes")
            kind = fields["order_kind"]
            if entry not in strategy.asked or kind not in ("stop", "limit") or (entry, kind) in checked:
                continue
            paid = fills[entry] if matching is not Matching.BARS else fills[entry][-1:]
            lots = sum(size for _, size in paid)
            average = Fraction(sum(price * size for price, size in paid), lots)
            stop, take = exits_of(orders[entry]["side"], average, *strategy.asked[entry])
            found = fields["trigger_ticks"] if kind == "stop" else fields["price_ticks"]
            assert found == (stop if kind == "stop" else take)
            checked.add((entry, kind))
        elif what == "report" and fields["report"] == "fill":
            fills[fields["order_id"]].append((fields["price_ticks"], fields["lots"]))
            left[fields["order_id"]] += fields["lots"]
    assert len(checked) > 10


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_trail_in_percent_follows_the_best_price(side, seed):
    """The trigger is so many percent of the best price, a tick at least, and never turns back."""
    chance = random.Random(seed)
    percent = round(chance.uniform(0.05, 4), 4)
    sign = 1 if side == "sell" else -1

    class Trails:
        def __init__(self) -> None:
            self.filled_at = None

        def on_quote(self, ctx, quote) -> None:
            if quote.time_ns == 1:
                getattr(ctx, "buy" if side == "sell" else "sell")(quantity_lots=1)
                getattr(ctx, side)(quantity_lots=1, trail_pct=percent)

        def on_fill(self, ctx, fill) -> None:
            if fill.side == side:
                self.filled_at = fill.time_ns

    strategy = Trails()
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),), venue=VenueSpec(matching=Matching.QUOTES)
    )
    engine = Engine(spec, [StrategyBinding(name="trails", strategy=strategy)])
    batch = EventBatch()
    price, seen, expected = 1000, [], None
    for time_ns in range(1, 400):
        price = max(10, price + chance.randint(-6, 6))
        batch.quote(time_ns, 0, price, 9, price + 2, 9)
        watched = price if side == "sell" else price + 2
        if seen and expected is None:
            best = max(seen) if side == "sell" else min(seen)
            part = Fraction(round(percent * 10_000), 1_000_000)
            trigger = best - sign * max(1, math.floor(best * part))
            if sign * (watched - trigger) <= 0:
                expected = time_ns
        seen.append(watched)
    engine.feed(batch)
    engine.run()
    assert strategy.filled_at == expected
    assert expected is not None


def test_two_percent_are_of_the_fill_and_not_of_the_price_before():
    """A market order on bars fills at the next open, wherever that is, slippage included."""

    class Enters:
        def __init__(self) -> None:
            self.closed_at = None

        def on_bar(self, ctx, bar) -> None:
            if bar.open_time_ns == 0:
                ctx.buy(quantity_lots=1, stop_loss_pct=2)

        def on_fill(self, ctx, fill) -> None:
            if fill.side == "sell":
                self.closed_at = fill.price_ticks

    strategy = Enters()
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        venue=VenueSpec(slippage=SlippageSpec(ticks=10)),
    )
    engine = Engine(spec, [StrategyBinding(name="enters", strategy=strategy)])
    batch = EventBatch()
    rows = [(100, 100, 100, 100), (1000, 1010, 995, 1000), (1000, 1000, 900, 900)]
    opens = np.arange(3) * SECOND_NS
    prices = [np.array(column) for column in zip(*rows, strict=True)]
    batch.bars(0, opens, opens + SECOND_NS, *prices, np.full(3, 10))
    engine.feed(batch)
    engine.run()
    # Filled at 1010; 2% of that are 20.2, so no more than 20 are risked: 990, less 10 of slippage.
    assert strategy.closed_at == 980
