"""Margin and liquidation of perpetuals against plain fractions, after every event."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plain_money import ATTO, PlainMargin, atto
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    InvalidValueError,
    MarginMode,
    MarginSpec,
    MarginTierSpec,
    Matching,
    Mode,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames, events_from_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

# Rates and caps are far apart, so that small random positions cross the brackets.
TIERS = [(20_000 * ATTO, 10_000, 20), (60_000 * ATTO, 25_000, 10), (None, 100_000, 4)]
PLAIN = PlainMargin("10", TIERS, "50")
UNIT = ATTO // 10


def margin_of(mode, tiers=TIERS, leverage="10", fee="50"):
    """Return rules of a mode with these brackets."""
    read = tuple(
        MarginTierSpec(
            notional_max=None if cap is None else str(cap // ATTO),
            maintenance_ppm=ppm,
            leverage_max=largest,
        )
        for cap, ppm, largest in tiers
    )
    return MarginSpec(mode=mode, leverage=leverage, liquidation_fee_bps=fee, tiers=read)


def spec_of(*modes, cash="2000", venue=None, fees=None):
    """Return perpetuals with a tick of 0.1, one for each mode."""
    instruments = tuple(
        InstrumentSpec(symbol=f"PERP{index}", tick_size="0.1", margin=margin_of(mode))
        for index, mode in enumerate(modes)
    )
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=instruments,
        account=AccountSpec(cash=cash),
        fees=fees or FeesSpec(),
        venue=venue or VenueSpec(matching=Matching.QUOTES),
    )


class Follows:
    """Sends at each quote what a list says, and keeps what it is told."""

    def __init__(self, wishes) -> None:
        self.wishes = iter(wishes)
        self.told = []
        self.answers = []

    def on_quote(self, ctx, quote) -> None:
        """Send the next wish: lots, and whether as a limit far below or above the market."""
        lots, rests, adjust = next(self.wishes)
        if adjust:
            self.answers.append(ctx.adjust_margin(str(adjust), quote.instrument_id))
        if lots:
            send = ctx.buy if lots > 0 else ctx.sell
            limit = max(1, quote.bid_ticks - 200 if lots > 0 else quote.ask_ticks + 200)
            limit_ticks = limit if rests else None
            instrument_id = quote.instrument_id
            self.answers.append(
                send(quantity_lots=abs(lots), limit_ticks=limit_ticks, instrument_id=instrument_id)
            )

    def on_fill(self, ctx, fill) -> None:
        """Keep it."""
        self.told.append(("fill", fill.instrument_id, fill.signed_lots, fill.price_ticks, fill.order_id))

    def on_order(self, ctx, update) -> None:
        """Keep why it ended."""
        if update.what == "canceled":
            self.told.append(("canceled", update.instrument_id, update.reason))

    def on_cash_flow(self, ctx, flow) -> None:
        """Keep it."""
        self.told.append((flow.kind, flow.instrument_id, flow.amount_atto))

    def on_liquidation(self, ctx, liquidation) -> None:
        """Keep it."""
        kept = (liquidation.position_lots, liquidation.price_ticks, liquidation.order_id)
        self.told.append(("liquidation", liquidation.instrument_id, *kept))


def engine_of(spec, wishes):
    """Return an engine with one strategy that follows the wishes."""
    strategy = Follows(wishes)
    instruments = tuple(range(len(spec.instruments)))
    binding = StrategyBinding(name="follows", strategy=strategy, instruments=instruments)
    return Engine(spec, [binding], recording=True), strategy


def fed(engine, kind, time_ns, instrument, ticks):
    """Feed one price and run."""
    batch = EventBatch()
    if kind == "mark":
        batch.mark(time_ns, instrument, ticks)
    else:
        batch.quote(time_ns, instrument, ticks, 10**6, ticks + 2, 10**6)
    engine.feed(batch)
    engine.run()


class Watcher:
    """Positions from fills, with what is set aside for them, as the rules say."""

    def __init__(self, modes, cash) -> None:
        self.modes = modes
        self.cash = cash
        self.lots = [0] * len(modes)
        self.cost = [0] * len(modes)
        self.aside = [0] * len(modes)

    def fill(self, instrument, signed, ticks) -> None:
        """Book a fill at cost, first in first out being the same for the sum of one entry price."""
        before, after = self.lots[instrument], self.lots[instrument] + signed
        value = signed * ticks * UNIT
        self.cash -= value
        kept = 0 if before * after < 0 else min(abs(before), abs(after))
        if self.modes[instrument] is MarginMode.ISOLATED:
            aside = self.aside[instrument]
            numerator, denominator = aside * kept, abs(before) or 1
            quotient, rest = divmod(numerator, denominator)
            aside = quotient + (2 * rest >= denominator) if before else 0
            opened = abs(after) - kept
            self.aside[instrument] = aside + (PLAIN.initial(opened * ticks * UNIT) if opened else 0)
        self.lots[instrument] = after


prices = st.integers(5_000, 15_000)
wish = st.tuples(st.integers(-30, 30), st.booleans(), st.sampled_from([0, 0, 0, 50, -50]))
script_of = st.lists(
    st.tuples(st.sampled_from(["quote", "quote", "mark"]), st.integers(0, 1), prices, wish),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150)
@given(
    script=script_of,
    modes=st.tuples(st.sampled_from(MarginMode), st.sampled_from(MarginMode)),
    cash=st.integers(500, 20_000),
)
def test_no_position_ever_stands_on_less_than_its_maintenance_margin(script, modes, cash):
    """After every event each position has its margin, the books balance, and no liquidation left a debt.

    Equity is recomputed from the fills and cash flows that the strategy was told; the maintenance margin
    bracket by bracket.
    """
    wishes = [step[3] for step in script if step[0] == "quote"]
    engine, strategy = engine_of(spec_of(*modes, cash=str(cash)), wishes)
    watcher = Watcher(modes, cash * ATTO)
    marks, marked, seen = {}, set(), 0
    # Own trades may be worse than the mark price that margin is judged by: only they can lose more.
    forced, beyond = set(), 0
    for time_ns, (kind, instrument, ticks, _) in enumerate(script):
        fed(engine, kind, time_ns, instrument, ticks)
        if kind == "mark":
            marks[instrument] = ticks
            marked.add(instrument)
        elif instrument not in marked:
            marks[instrument] = ticks + 1
        for told in strategy.told[seen:]:
            if told[0] == "liquidation":
                forced.add(told[4])
            elif told[0] == "fill":
                watcher.fill(*told[1:4])
                if told[4] not in forced:
                    beyond += abs(told[2] * (told[3] - marks[told[1]])) * UNIT
            elif told[0] in ("liquidation_fee", "insurance"):
                watcher.cash += told[2]
        seen = len(strategy.told)
        engine.kernel.check()

        values = [lots * marks.get(index, 0) * UNIT for index, lots in enumerate(watcher.lots)]
        equity = watcher.cash + sum(values)
        assert engine.kernel.money()["equity"] == equity
        assert equity >= -beyond, "a liquidation never leaves a debt"
        cross_due = sum(
            PLAIN.maintenance(abs(value))
            for value, mode in zip(values, modes, strict=True)
            if mode is MarginMode.CROSS
        )
        isolated = [index for index, mode in enumerate(modes) if mode is MarginMode.ISOLATED]
        if cross_due and not any(watcher.lots[index] for index in isolated):
            assert equity > cross_due
        for index in isolated:
            assert engine.kernel.set_aside(index) >= 0
            assert (engine.kernel.set_aside(index) == 0) or watcher.lots[index]


@settings(max_examples=60)
@given(script=script_of, modes=st.tuples(st.sampled_from(MarginMode), st.sampled_from(MarginMode)))
def test_a_replay_gives_the_same_bytes(script, modes):
    """Liquidations, fees and moved margin are the same frames and the same state when they are replayed."""
    wishes = [step[3] for step in script if step[0] == "quote"]
    engine, _ = engine_of(spec_of(*modes), wishes)
    for time_ns, (kind, instrument, ticks, _) in enumerate(script):
        fed(engine, kind, time_ns, instrument, ticks)
    frames = engine.take_frames()
    again, _ = engine_of(spec_of(*modes), wishes)
    batch = EventBatch()
    events_from_frames(frames, batch)
    again.feed(batch)
    again.run()
    assert again.take_frames() == frames
    assert again.state_hash() == engine.state_hash()


def test_an_isolated_position_loses_its_margin_and_nothing_else():
    """10 lots at 1,000.2 with 10x set 1,000.2 aside; at 890 they are 1,102 down: insurance bears 101.8."""
    engine, strategy = engine_of(spec_of(MarginMode.ISOLATED, cash="5000"), [(10, False, 0), (0, False, 0)])
    fed(engine, "quote", 1, 0, 10_000)
    assert engine.kernel.set_aside(0) == atto("1000.2")
    fed(engine, "mark", 2, 0, 8_900)

    assert [told[0] for told in strategy.told] == ["fill", "liquidation", "fill", "insurance"]
    assert strategy.told[1][2:4] == (10, 8_900)
    assert strategy.told[3][2] == atto("101.8")
    assert engine.kernel.money()["equity"] == atto("5000") - atto("1000.2")
    kinds = [kind for kind, _, _ in decode_frames(engine.take_frames())]
    assert (
        kinds[-6:] == ["mark", "order", "liquidation", "report", "cash_flow"][-6:] or "liquidation" in kinds
    )


def test_a_liquidation_in_time_pays_its_fee_out_of_the_margin():
    """At 905 the position is 952 down, 48.2 are left and 90.5 are needed: the fee takes 45.25 of them."""
    engine, strategy = engine_of(spec_of(MarginMode.ISOLATED, cash="5000"), [(10, False, 0)])
    fed(engine, "quote", 1, 0, 10_000)
    fed(engine, "mark", 2, 0, 9_093)
    assert engine.kernel.position_lots(0, 0) == 10, "91.2 are left and 90.93 are needed"
    fed(engine, "mark", 3, 0, 9_050)
    assert engine.kernel.position_lots(0, 0) == 0
    assert strategy.told[-1] == ("liquidation_fee", 0, -atto("45.25"))
    assert engine.kernel.money()["equity"] == atto("5000") - atto("952") - atto("45.25")


def test_cross_positions_go_by_the_largest_loss_and_orders_first():
    """Of a winner and a loser the loser goes and the winner stays; resting orders go first."""
    spec = spec_of(MarginMode.CROSS, MarginMode.CROSS, cash="3000")
    engine, strategy = engine_of(spec, [(10, False, 0), (-5, False, 0), (1, True, 0)])
    fed(engine, "quote", 1, 0, 10_000)
    fed(engine, "quote", 2, 1, 10_000)
    fed(engine, "quote", 3, 1, 10_000)
    fed(engine, "mark", 4, 1, 9_900)
    fed(engine, "mark", 5, 0, 7_060)

    assert [told[:2] for told in strategy.told[2:]] == [
        ("liquidation", 0),
        ("fill", 0),
        ("liquidation_fee", 0),
        ("canceled", 1),
    ]
    assert strategy.told[-1][2] == "liquidation"
    assert (engine.kernel.position_lots(0, 0), engine.kernel.position_lots(0, 1)) == (0, -5)


def test_margin_that_is_free_decides_what_may_be_opened():
    """2,000 at 10x carry 20,000 of notional: 19 lots pass, a resting order counts, closing always passes."""
    engine, strategy = engine_of(
        spec_of(MarginMode.CROSS),
        [(20, False, 0), (15, False, 0), (4, True, 0), (2, False, 0), (-15, False, 0)],
    )
    for time_ns in range(5):
        fed(engine, "quote", time_ns, 0, 10_000)
    refused = strategy.answers[0]
    assert (refused.rule, refused.limit) == ("buying_power", atto("2000"))
    assert strategy.answers[1] == 2
    assert strategy.answers[2] == 3
    assert strategy.answers[3].rule == "buying_power"
    assert strategy.answers[4] == 5


def test_margin_can_be_added_and_taken_back_down_to_the_initial_margin():
    """Adding moves the liquidation away; more than is free, or below the initial margin, is refused."""
    wishes = [(10, False, 0), (0, False, 500), (0, False, 10_000), (0, False, -400), (0, False, -400)]
    engine, strategy = engine_of(spec_of(MarginMode.ISOLATED, cash="5000"), wishes)
    for time_ns in range(4):
        fed(engine, "quote", time_ns, 0, 10_000)
    assert strategy.answers[1] is None
    assert strategy.answers[2].rule == "buying_power"
    assert strategy.answers[3] is None
    fed(engine, "quote", 4, 0, 10_000)
    assert strategy.answers[4].rule == "buying_power"
    assert engine.kernel.set_aside(0) == atto("1100.2")


class BuysOnce:
    """Buys ten lots at the first bar."""

    def __init__(self) -> None:
        self.told = []

    def on_bar(self, ctx, bar) -> None:
        """Buy."""
        if bar.open_time_ns == 0:
            ctx.buy(quantity_lots=10)

    def on_liquidation(self, ctx, liquidation) -> None:
        """Keep the price."""
        self.told.append(liquidation.price_ticks)


def test_the_range_of_a_bar_liquidates_at_the_first_price_that_does():
    """Bought at 1,000 with 10x and 1% maintenance: 909.0 still does, 909.0 less a tick does not."""
    strategy = BuysOnce()
    spec = spec_of(MarginMode.ISOLATED, cash="5000", venue=VenueSpec())
    engine = Engine(spec, [StrategyBinding(name="buys", strategy=strategy)])
    batch = EventBatch()
    opens = np.arange(4, dtype=np.int64) * 60
    flat = np.full(4, 10_000, dtype=np.int64)
    low = np.array([10_000, 10_000, 8_000, 10_000], dtype=np.int64)
    batch.bars(0, opens, opens + 60, flat, flat, low, flat, flat)
    engine.feed(batch)
    engine.run()
    # 1,000 set aside; at p: 10 (p - 1,000) + 1,000 <= 0.1 p, so p <= 909.09.
    assert strategy.told == [9_090]
    assert engine.kernel.position_lots(0, 0) == 0


@pytest.mark.parametrize(
    ("changes", "value"),
    [({"leverage": "0.5"}, "0.5"), ({"tiers": ()}, "0"), ({"liquidation_fee_bps": "10001"}, "10001")],
)
def test_rules_that_make_no_sense_are_refused_with_the_value_given(changes, value):
    """A leverage below 1, no bracket at all, a fee beyond the whole notional."""
    margin = msgspec.structs.replace(margin_of(MarginMode.CROSS), **changes)
    spec = spec_of(MarginMode.CROSS)
    instrument = msgspec.structs.replace(spec.instruments[0], margin=margin)
    with pytest.raises(InvalidValueError, match=value):
        Engine(msgspec.structs.replace(spec, instruments=(instrument,)), [])
