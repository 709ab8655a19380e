"""A plain strategy that sends every kind of order in a fixed order, and a calm market to do so in."""

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from support.random_orders import PRICE_TICKS, SECOND_NS, START_NS, add_price
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    Matching,
    RiskSpec,
    VenueSpec,
)

LOTS = {"quantity_lots": 4}
# Each is one wish: what it is, and the arguments of `ctx.buy` or `ctx.sell` that depend on the price.
KINDS: dict[str, Callable[[int, int], dict[str, Any]]] = {
    "market": lambda near, sign: {},
    "limit": lambda near, sign: {"limit_ticks": near - 2 * sign},
    "limit_that_trades": lambda near, sign: {"limit_ticks": near + 3 * sign},
    "post_only": lambda near, sign: {"limit_ticks": near - 2 * sign, "post_only": True},
    "post_only_that_would_trade": lambda near, sign: {"limit_ticks": near + 5 * sign, "post_only": True},
    "iceberg": lambda near, sign: {"limit_ticks": near - sign, "display_lots": 1},
    "market_to_limit": lambda near, sign: {"to_limit": True},
    "stop": lambda near, sign: {"stop_ticks": near + 2 * sign},
    "stop_limit": lambda near, sign: {"stop_ticks": near + 2 * sign, "limit_ticks": near + 3 * sign},
    "touch": lambda near, sign: {"touch_ticks": near - 2 * sign},
    "touch_limit": lambda near, sign: {"touch_ticks": near - 2 * sign, "limit_ticks": near - sign},
    "trail": lambda near, sign: {"trail_ticks": 3},
    "trail_limit": lambda near, sign: {"trail_ticks": 3, "trail_limit_ticks": 2},
    "trail_activated": lambda near, sign: {"trail_ticks": 3, "activation_ticks": near - 2 * sign},
    "trail_percent": lambda near, sign: {"trail_pct": Decimal("0.3")},
    "trail_percent_activated": lambda near, sign: {
        "trail_pct": Decimal("0.3"),
        "activation_ticks": near - sign,
    },
    "ioc": lambda near, sign: {"limit_ticks": near + 2 * sign, "time_in_force": "ioc"},
    "fok": lambda near, sign: {"limit_ticks": near + 2 * sign, "time_in_force": "fok"},
    "day": lambda near, sign: {"limit_ticks": near - 5 * sign, "time_in_force": "day"},
    "gtd": lambda near, sign: {
        "limit_ticks": near - 8 * sign,
        "time_in_force": "gtd",
        "expire_ns": START_NS + 50 * SECOND_NS,
    },
    "bracket": lambda near, sign: {
        "stop_loss_ticks": near - 4 * sign,
        "take_profit_ticks": near + 4 * sign,
    },
    "bracket_in_percent": lambda near, sign: {
        "stop_loss_pct": Decimal("0.4"),
        "take_profit_pct": Decimal("0.4"),
    },
    "limit_with_bracket": lambda near, sign: {
        "limit_ticks": near - sign,
        "stop_loss_ticks": near - 6 * sign,
        "take_profit_pct": Decimal("0.3"),
    },
    "fraction": lambda near, sign: {"quantity_lots": None, "fraction": 0.02},
}
# What risk or the grid refuses, with the rule that does.
REFUSED: dict[str, dict[str, Any]] = {
    "off_tick": {"limit": Decimal("100.05")},
    "off_lot": {"quantity_lots": None, "quantity": Decimal("1.5")},
    "not_a_number": {"quantity_lots": None, "quantity": float("nan")},
    "trail_of_no_percent": {"trail_pct": 0},
    "too_many": {"quantity_lots": 500},
    "bracket_in_percent_of_too_many": {"quantity_lots": 500, "stop_loss_pct": 1, "take_profit_pct": 1},
    "trail_in_percent_of_too_many": {"quantity_lots": 500, "trail_pct": 1},
    "exits_on_the_wrong_side": {"stop_loss_ticks": 9_000, "take_profit_ticks": 10},
    "late_gtd": {"limit_ticks": 900, "time_in_force": "gtd", "expire_ns": START_NS},
}


class EveryOrder:
    """Does the next thing on a fixed list at each sight of the price."""

    def on_start(self, ctx) -> None:
        """Begin at the start of the list."""
        self.entry = self.exit = self.other = 0
        self.to_do = [*self._orders(), *self._refusals(), *self._links(), *self._requests()]
        self.seen = self.acted_ns = 0

    def on_bar(self, ctx, bar) -> None:
        """Act at each bar."""
        self._act(ctx, bar.instrument_id, bar.close_ticks)

    def on_quote(self, ctx, quote) -> None:
        """Act at each quote."""
        self._act(ctx, quote.instrument_id, quote.bid_ticks)

    def on_book(self, ctx, book) -> None:
        """Act at each book."""
        if book.best_bid_ticks is not None:
            self._act(ctx, book.instrument_id, book.best_bid_ticks)

    def _act(self, ctx, instrument_id, near_ticks) -> None:
        if instrument_id == 0 and self.seen < len(self.to_do) and ctx.now_ns > self.acted_ns:
            self.acted_ns = ctx.now_ns
            self.to_do[self.seen](ctx, near_ticks)
            self.seen += 1

    def _orders(self) -> Iterator[Callable[[Any, int], object]]:
        """Send every kind, buys and sells in turn."""
        for number, kind in enumerate(KINDS.values()):
            yield (
                lambda ctx, near, kind=kind, number=number: (
                    ctx.sell(**{**LOTS, **kind(near, -1)})
                    if number % 2
                    else ctx.buy(**{**LOTS, **kind(near, 1)})
                )
            )
        yield lambda ctx, near: ctx.close()

    def _refusals(self) -> Iterator[Callable[[Any, int], object]]:
        for wish in REFUSED.values():
            yield lambda ctx, near, wish=wish: ctx.buy(**{**LOTS, **wish})

    def _links(self) -> Iterator[Callable[[Any, int], object]]:
        """An entry with two exits that cancel each other, and a further entry that waits for it."""

        def enter(ctx, near):
            self.entry = ctx.buy(**LOTS, limit_ticks=near + 1)
            self.exit = ctx.sell(**LOTS, after=self.entry, reduce_only=True, limit_ticks=near + 5)
            self.other = ctx.sell(
                **LOTS, after=self.entry, oco=self.exit, reduce_only=True, stop_ticks=near - 6
            )
            ctx.buy(**LOTS, after=self.entry, limit_ticks=near - 7)

        def pair(ctx, near):
            first = ctx.buy(**LOTS, limit_ticks=near - 3)
            ctx.sell(**LOTS, oco=first, limit_ticks=near + 3)

        def dropped(ctx, near):
            self.entry = ctx.buy(**LOTS, limit_ticks=near - 9)
            self.exit = ctx.sell(**LOTS, after=self.entry, reduce_only=True, stop_ticks=near - 12)
            ctx.cancel(self.exit)

        yield enter
        yield pair
        yield dropped
        yield lambda ctx, near: ctx.cancel(self.entry)
        yield lambda ctx, near: ctx.buy(**LOTS, after=1, limit_ticks=near)

    def _requests(self) -> Iterator[Callable[[Any, int], object]]:
        """Amend and cancel orders that live, that wait and that have ended."""

        def rest(ctx, near):
            self.entry = ctx.buy(**LOTS, limit_ticks=near - 8)
            self.exit = ctx.sell(**LOTS, trail_ticks=9)

        yield rest
        yield lambda ctx, near: ctx.replace(self.entry, quantity_lots=3)
        yield lambda ctx, near: ctx.replace(self.entry, quantity_lots=5, price_ticks=near - 7)
        yield lambda ctx, near: ctx.replace(self.exit, quantity_lots=2)
        yield lambda ctx, near: ctx.replace(self.entry, quantity_lots=500)
        yield lambda ctx, near: [ctx.cancel(self.entry), ctx.cancel(self.entry)]
        yield lambda ctx, near: ctx.replace(self.entry, quantity_lots=1)
        yield lambda ctx, near: ctx.sell(**LOTS, reduce_only=True)
        yield lambda ctx, near: ctx.buy(**LOTS)
        yield lambda ctx, near: ctx.sell(quantity_lots=2, reduce_only=True, limit_ticks=near + 2)
        yield lambda ctx, near: ctx.close()


def plain_spec(matching: Matching, *, latency_ns: int = 0) -> EngineSpec:
    """Return two instruments, of which the first is traded, with room for everything that is asked for."""
    return EngineSpec(
        instruments=(
            InstrumentSpec(symbol="GOLD", tick_size="0.1"),
            InstrumentSpec(symbol="SILVER", tick_size="0.1"),
        ),
        account=AccountSpec(cash="20000"),
        fees=FeesSpec(maker_bps="-1", taker_bps="5"),
        venue=VenueSpec(matching=matching, order_latency_ns=latency_ns, report_latency_ns=latency_ns),
        risk=RiskSpec(quantity_max="50", position_max="60"),
    )


def plain_market(matching: Matching, _seed: int, count: int) -> Iterator[EventBatch]:
    """Yield so many steps of a price that goes up and down by a tick; an operator flattens at the end."""
    chance = random.Random(1)
    for step in range(1, count + 1):
        batch = EventBatch()
        time_ns = START_NS + step * SECOND_NS
        near = PRICE_TICKS + abs(step % 20 - 10)
        for instrument_id in range(2):
            add_price(batch, matching, chance, time_ns, instrument_id, near, step)
        if step == count - 5:
            batch.command(time_ns, "flatten")
        yield batch
