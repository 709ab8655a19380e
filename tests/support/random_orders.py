"""A market that moves at random and a strategy that does everything with orders that can be done."""

import random
from collections.abc import Iterator

import numpy as np

from tradecore.domain import (
    AccountSpec,
    BarFill,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    MarginMode,
    MarginSpec,
    MarginTierSpec,
    Matching,
    RiskSpec,
    SlippageSpec,
    VenueSpec,
)
from tradecore.domain.spec import ScopeRiskSpec, StrategyRiskSpec

SECOND_NS = 1_000_000_000
# Shortly before midnight UTC: day orders expire and interest on shorts is booked.
START_NS = (1_700_006_400 - 40) * SECOND_NS
PRICE_TICKS = 1_000
STRATEGY = "everything"
MARGIN = MarginSpec(
    mode=MarginMode.ISOLATED,
    leverage="20",
    liquidation_fee_bps="50",
    tiers=(MarginTierSpec(maintenance_ppm=20_000, leverage_max=20),),
)


class Everything:
    """Sends, amends and cancels orders of every kind, by a dice that its seed decides."""

    seed: int = 1

    def on_start(self, ctx) -> None:
        """Begin with no order sent."""
        self.chance = random.Random(self.seed)
        self.sent = []

    def on_bar(self, ctx, bar) -> None:
        """Act at each bar."""
        self._act(ctx, bar.instrument_id, bar.close_ticks)

    def on_quote(self, ctx, quote) -> None:
        """Act at each quote."""
        self._act(ctx, quote.instrument_id, quote.bid_ticks)

    def on_trade(self, ctx, trade) -> None:
        """Act at each trade."""
        self._act(ctx, trade.instrument_id, trade.price_ticks)

    def _act(self, ctx, instrument_id, near_ticks) -> None:
        dice = self.chance.random()
        # Now and then one that has ended, to be told so.
        self.sent = [known for known in self.sent if ctx.is_open(known) or self.chance.random() < 0.5]
        if dice < 0.45:
            self._send(ctx, instrument_id, near_ticks)
        elif dice < 0.65 and self.sent:
            order_id = self.chance.choice(self.sent[-8:])
            price = None if dice < 0.5 else near_ticks + self.chance.randint(-6, 6)
            ctx.replace(order_id, quantity_lots=self.chance.randint(1, 9), price_ticks=price)
        elif dice < 0.8 and self.sent:
            ctx.cancel(self.chance.choice(self.sent[-8:]))
        elif dice < 0.83:
            ctx.close(instrument_id)
        elif dice < 0.88:
            ctx.adjust_margin(str(self.chance.randint(-9, 9)), instrument_id)
        elif dice < 0.9:
            ctx.trace("mood", limit=0.5, value=dice)
            ctx.hold("nothing to do", instrument_id)

    def _send(self, ctx, instrument_id, near_ticks) -> None:
        is_buy = self.chance.random() < 0.5
        order = {
            "instrument_id": instrument_id,
            "quantity_lots": self.chance.randint(1, 9),
            **self._kind(near_ticks, 1 if is_buy else -1),
            **self._life(ctx.now_ns),
            **self._links(near_ticks, 1 if is_buy else -1),
        }
        if self.chance.random() < 0.1:
            order = {key: order[key] for key in ("instrument_id",) if key in order}
            order["fraction"] = self.chance.choice([0.01, 0.2, 0.9])
        answer = (ctx.buy if is_buy else ctx.sell)(**order)
        if answer:
            self.sent.append(answer)

    def _kind(self, near_ticks, sign) -> dict[str, object]:
        """Choose a kind, with prices from far to marketable; `sign` is 1 for a buy."""
        away = sign * self.chance.randint(-2, 8)
        below, above = near_ticks - away, near_ticks + away
        return self.chance.choice(
            [
                {},
                {"limit_ticks": below},
                {"limit_ticks": below, "post_only": True},
                {"limit_ticks": below, "display_lots": 1},
                {"to_limit": True},
                {"stop_ticks": above},
                {"stop_ticks": above, "limit_ticks": above + sign},
                {"touch_ticks": below},
                {"touch_ticks": below, "limit_ticks": below + sign},
                {"trail_ticks": 4},
                {"trail_ticks": 4, "trail_limit_ticks": 2},
                {"trail_ticks": 3, "activation_ticks": below},
            ]
        )

    def _life(self, now_ns) -> dict[str, object]:
        return self.chance.choice(
            [
                {},
                {},
                {},
                {},
                {},
                {"time_in_force": "ioc"},
                {"time_in_force": "fok"},
                {"time_in_force": "day"},
                {"time_in_force": "gtd", "expire_ns": now_ns + self.chance.randint(1, 9) * SECOND_NS},
            ]
        )

    def _links(self, near_ticks, sign) -> dict[str, object]:
        links = [
            {},
            {},
            {"reduce_only": True},
            {"stop_loss_ticks": near_ticks - 9 * sign, "take_profit_ticks": near_ticks + 9 * sign},
        ]
        if self.sent:
            last = self.sent[-1]
            links += [{"after": last}, {"oco": last}, {"after": last, "oco": last}]
            links += [{"after": last, "reduce_only": True}, {"after": self.sent[0], "reduce_only": True}]
        return self.chance.choice(links)


def spec_of(matching: Matching, *, latency_ns: int = 0) -> EngineSpec:
    """Return two instruments, one of them with margin, at a venue where every kind of fill can happen."""
    return EngineSpec(
        instruments=(
            InstrumentSpec(symbol="GOLD", tick_size="1", borrow_ppm=50_000),
            InstrumentSpec(symbol="PERP", tick_size="0.1", margin=MARGIN),
        ),
        account=AccountSpec(cash="20000"),
        fees=FeesSpec(maker_bps="-1", taker_bps="5"),
        venue=VenueSpec(
            matching=matching,
            order_latency_ns=latency_ns,
            report_latency_ns=latency_ns,
            bar_fill=BarFill.NEXT_OPEN,
            slippage=SlippageSpec(ticks=1, volume_ppm=200_000),
        ),
        risk=RiskSpec(
            quantity_max="8",
            open_orders_max=12,
            account=ScopeRiskSpec(message_rate_max=40, cancel_reserve=20),
            strategy={STRATEGY: StrategyRiskSpec(daily_loss_max="150")},
        ),
    )


def events_of(matching: Matching, seed: int, count: int) -> Iterator[EventBatch]:
    """Yield so many steps of a random market, and of what operators do meanwhile, each a small batch."""
    chance = random.Random(seed)
    near = [PRICE_TICKS, PRICE_TICKS]
    for step in range(1, count + 1):
        instrument_id = chance.randrange(2)
        near[instrument_id] = max(50, near[instrument_id] + chance.choice([-3, -1, -1, 0, 0, 1, 1, 3]))
        if chance.random() < 0.01:
            near[instrument_id] = max(50, near[instrument_id] + chance.choice([-60, 60]))
        batch = EventBatch()
        time_ns = START_NS + step * SECOND_NS
        add_price(batch, matching, chance, time_ns, instrument_id, near[instrument_id], step)
        _beside(batch, chance, time_ns, near[1])
        yield batch


def add_price(batch, matching, chance, time_ns, instrument_id, near, step) -> None:
    """Add what the venue shows of the market."""
    lots = chance.randint(1, 12)
    if matching is Matching.BARS:
        low, high = near - chance.randint(0, 4), near + chance.randint(0, 4)
        opened = np.array([time_ns - SECOND_NS // 2])
        prices = (np.array([p]) for p in (chance.randint(low, high), high, low, near))
        batch.bars(instrument_id, opened, np.array([time_ns]), *prices, np.array([lots * 4]))
    elif matching is Matching.BOOK and (step <= 40 or chance.random() < 0.6):
        sides = [(near - i, lots + i) for i in range(1, 4)], [(near + i, lots + i) for i in range(1, 4)]
        # The second instrument states checksums, which its rules do not know how to compare.
        batch.book(time_ns, instrument_id, True, step, step, step - 1, *sides, 7 if instrument_id else None)
    elif matching is Matching.EXCHANGE:
        _flow(batch, chance, time_ns, instrument_id, near, step)
    elif chance.random() < 0.7 and matching is Matching.QUOTES:
        batch.quote(time_ns, instrument_id, near, lots, near + chance.randint(1, 2), lots)
    else:
        batch.trade(time_ns, instrument_id, near, lots, chance.random() < 0.5)


def _flow(batch, chance, time_ns, instrument_id, near, step) -> None:
    """Add orders of others."""
    for offset in (1, 2):
        batch.flow_limit(time_ns, instrument_id, 4 * step + offset, True, near - offset, chance.randint(1, 5))
        batch.flow_limit(
            time_ns, instrument_id, 4 * step + 2 + offset, False, near + offset, chance.randint(1, 5)
        )
    batch.flow_market(time_ns, instrument_id, chance.random() < 0.5, chance.randint(1, 9))
    batch.flow_cancel(time_ns, instrument_id, 4 * chance.randint(1, step) + 1)


def _beside(batch, chance, time_ns, near) -> None:
    """Add, now and then, marks, funding, a lost feed, the clock and commands of operators."""
    dice = chance.random()
    if dice < 0.06:
        batch.mark(time_ns, 1, near)
    elif dice < 0.09:
        batch.funding(time_ns, 1, chance.randint(-90_000, 90_000))
    elif dice < 0.1:
        batch.feed_lost(time_ns, 0)
    elif dice < 0.11:
        batch.clock(time_ns)
    elif dice < 0.12:
        batch.command(time_ns, "flatten")
    elif dice < 0.15:
        batch.command(time_ns, chance.choice(["pause", "resume", "resume", "resume"]))
    elif dice < 0.16:
        value = chance.choice(["30", None])
        batch.command(time_ns, "set_limit", scope="account", limit="position_max", value=value, person="Ada")
    elif dice < 0.18:
        name = "allow" if chance.random() < 0.8 else "forbid"
        batch.command(time_ns, name, scope="strategy", instrument_id=0, person="Ada")
    elif dice < 0.2:
        batch.command(time_ns, "release", scope="strategy", person="Ada")
    elif dice < 0.203:
        batch.command(time_ns, "kill")
    elif dice < 0.24:
        batch.command(time_ns, "release_kill")
