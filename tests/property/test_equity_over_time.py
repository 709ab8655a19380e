"""Equity over time on quotes, order flow and bars of several instruments, against a plain walk."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.diary import CASH, Diary, diary_of, equity_at
from tradecore.backtest import run
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentKind,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    Mode,
    VenueSpec,
)
from tradecore.sim.agents import AgentCrowd
from tradecore.sim.simulated_exchange import DEMO_INSTRUMENTS, DEMO_MARKETS, START_NS
from tradecore.strategy import StrategyBinding

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS


def spec_of(matching, *symbols, **venue):
    """Return a backtest on instruments whose prices are a tenth of their ticks."""
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="0.1") for symbol in symbols),
        account=AccountSpec(cash=str(CASH)),
        fees=FeesSpec(maker_bps="1", taker_bps="3"),
        venue=VenueSpec(matching=matching, **venue),
    )


def binding_of(strategy, instruments=(0,)):
    """Return a strategy on these instruments."""
    return StrategyBinding(name="diary", strategy=strategy, instruments=instruments)


def assert_figures(result, equity, times_ns) -> None:
    """Compare what the curve alone decides with plain arithmetic."""
    stats = result.stats
    assert (stats.start_ns, stats.end_ns) == (times_ns[0], times_ns[-1])
    assert stats.duration_ns == times_ns[-1] - times_ns[0]
    assert stats.final_equity == pytest.approx(float(result.summary.equity), rel=1e-12)
    assert stats.return_pct == pytest.approx(float((equity[-1] / equity[0] - 1) * 100), rel=1e-9, abs=1e-9)
    assert stats.return_pct == pytest.approx(float(result.summary.pnl) / CASH * 100, rel=1e-9, abs=1e-9)
    fall = max(1 - value / max(equity[: place + 1]) for place, value in enumerate(equity))
    assert stats.max_drawdown_pct == pytest.approx(float(-100 * fall), rel=1e-9, abs=1e-9)


@settings(max_examples=60)
@given(
    gaps=st.lists(st.integers(0, 200), min_size=1, max_size=60),
    mids=st.lists(st.integers(-30, 30), min_size=60, max_size=60),
    start=st.integers(0, 5_000),
    span=st.sampled_from([1, 7, 60, 3_600]),
)
def test_equity_on_quotes_is_that_of_a_plain_walk_at_every_multiple_of_the_span(gaps, mids, start, span):
    """A row before the first quote, at each multiple until which one came, and at the end."""
    times = [int(second) * SECOND_NS for second in np.cumsum([start, *gaps])]
    batch = EventBatch()
    for time_ns, shift in zip(times, mids, strict=False):
        batch.quote(time_ns, 0, 10_000 + shift, 50, 10_003 + shift, 50)
    times = times[: len(mids)]
    diary = diary_of(lots=3, every=2)

    result = run(spec_of(Matching.QUOTES, "GOLD"), [binding_of(diary)], batch, sample_ns=span * SECOND_NS)

    span_ns = span * SECOND_NS
    # The first row is the account as it was opened: what came with it is in the next one.
    multiples = {-(-max(time_ns, times[0] + 1) // span_ns) * span_ns for time_ns in times}
    between = {time_ns for time_ns in multiples if times[0] < time_ns < times[-1]}
    rows = sorted(between | {times[0], times[-1]})
    walked = [equity_at(diary.notes, time_ns, Fraction(1, 10), 1) for time_ns in rows]
    if len(rows) > 1:
        walked[0] = Fraction(CASH)
    assert result.times_ns.tolist() == rows
    np.testing.assert_allclose(result.equity, [float(value) for value in walked], rtol=1e-12)
    assert len(diary.notes) >= len(times)
    if len(rows) > 1:
        assert_figures(result, walked, rows)


@pytest.mark.parametrize("span_ns", [SECOND_NS // 2, SECOND_NS, 7 * SECOND_NS])
def test_equity_on_order_flow_is_that_of_a_plain_walk(span_ns):
    """The simulated exchange, with latencies both ways: every sample is what fills and prices say."""
    batch = EventBatch()
    AgentCrowd(DEMO_MARKETS[:1], seed=7, start_ns=START_NS).run_until(START_NS + 20 * SECOND_NS, batch)
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=DEMO_INSTRUMENTS[:1],
        account=AccountSpec(cash=str(CASH)),
        fees=FeesSpec(taker_bps="1"),
        venue=VenueSpec(matching=Matching.EXCHANGE, order_latency_ns=2_000_000, report_latency_ns=3_000_000),
    )
    diary = diary_of(Diary, lots=300, every=400)

    result = run(spec, [binding_of(diary)], batch, sample_ns=span_ns)

    rows = result.times_ns.tolist()
    assert result.stats.trades > 3
    assert rows[1:-1] == list(range(rows[0] // span_ns * span_ns + span_ns, rows[-1], span_ns))
    walked = [Fraction(CASH)]
    walked += [equity_at(diary.notes, time_ns, Fraction(1, 100), Fraction(1, 10_000)) for time_ns in rows[1:]]
    np.testing.assert_allclose(result.equity, [float(value) for value in walked], rtol=1e-12)
    assert_figures(result, walked, rows)
    held_ns = result.trades["exit_time_ns"] - result.trades["entry_time_ns"]
    assert result.stats.max_trade_duration_ns == held_ns.max()
    assert 0 < result.stats.exposure_pct <= 100
    assert result.stats.reasons["sharpe"] == "less than a day lies between start and end"


def quotes(times, mids, instrument_id=0):
    """Return a batch of quotes."""
    batch = EventBatch()
    for time_ns, mid in zip(times, mids, strict=True):
        batch.quote(int(time_ns), instrument_id, int(mid) - 1, 500, int(mid) + 1, 500)
    return batch


def test_quotes_of_days_have_annual_figures_like_bars():
    """A year of quotes, sampled each hour: Sharpe and the rest are those of the days."""
    rng = np.random.default_rng(3)
    times = START_NS + np.arange(365 * 24) * HOUR_NS + 1
    mids = 10_000 + rng.integers(-9, 10, len(times)).cumsum()
    diary = diary_of(lots=9, every=31)

    stats = run(
        spec_of(Matching.QUOTES, "GOLD"), [binding_of(diary)], quotes(times, mids), sample_ns=HOUR_NS
    ).stats

    days = [
        equity_at(diary.notes, START_NS + (day + 1) * DAY_NS - 1, Fraction(1, 10), 1) for day in range(365)
    ]
    returns = np.array([float(after / before - 1) for before, after in pairwise(days)])
    growth = float(np.exp(np.log1p(returns).mean()))
    assert stats.return_ann_pct == pytest.approx((growth**365 - 1) * 100, rel=1e-3)
    spread = (returns.var(ddof=1) + growth**2) ** 365 - growth**730
    assert stats.sharpe == pytest.approx((growth**365 - 1) / spread**0.5, rel=1e-2)
    assert stats.buy_and_hold_return_pct == pytest.approx((mids[-1] / mids[0] - 1) * 100)
    assert not {"sharpe", "sortino", "calmar", "beta"} & set(stats.reasons)


def test_without_samples_the_return_is_right_and_the_way_is_absent():
    """`sample_ns=None`: start and end alone, and figures of what lies between say why they are not there."""
    times = START_NS + np.arange(60) * MINUTE_NS
    result = run(
        spec_of(Matching.QUOTES, "GOLD"),
        [binding_of(diary_of(lots=9, every=5))],
        quotes(times, 10_000 - np.arange(60) ** 2 // 40),
        sample_ns=None,
    )

    assert result.times_ns.tolist() == [times[0], times[-1]]
    assert result.stats.return_pct == pytest.approx(float(result.summary.pnl) / CASH * 100)
    assert result.stats.max_drawdown_pct is None
    assert "statistics.sample is off" in result.stats.reasons["max_drawdown_pct"]
    assert result.stats.win_rate_pct is not None


@pytest.mark.parametrize("sample_ns", [0, -1])
def test_a_span_must_be_above_zero(sample_ns):
    """A span that makes no clock is refused by its name."""
    with pytest.raises(InvalidValueError, match="sample_ns"):
        run(
            spec_of(Matching.QUOTES, "GOLD"),
            [binding_of(diary_of(lots=1, every=1))],
            quotes([1], [100]),
            sample_ns=sample_ns,
        )


def test_a_long_silence_makes_no_rows():
    """Two hours of quotes with ten years between them: 4 rows of hours, whatever lies between."""
    times = [1, HOUR_NS + 1, 3_650 * DAY_NS + 1, 3_650 * DAY_NS + HOUR_NS + 1]

    result = run(
        spec_of(Matching.QUOTES, "GOLD"),
        [binding_of(diary_of(lots=1, every=9))],
        quotes(times, [100] * 4),
        sample_ns=HOUR_NS,
    )

    assert result.times_ns.tolist() == [1, HOUR_NS, 2 * HOUR_NS, 3_650 * DAY_NS + HOUR_NS, times[-1]]


@pytest.mark.parametrize("matching", [Matching.QUOTES, Matching.BARS])
def test_nothing_but_its_start_has_no_figure_that_is_invented(matching):
    """One event: what cannot be said of one row is absent, what can is there."""
    batch = EventBatch()
    batch.clock(5 * SECOND_NS)

    stats = run(spec_of(matching, "GOLD"), [binding_of(diary_of(lots=1, every=1))], batch).stats

    assert (stats.start_ns, stats.end_ns, stats.return_pct) == (5 * SECOND_NS, 5 * SECOND_NS, 0)
    assert {"sharpe", "cagr_pct", "win_rate_pct", "buy_and_hold_return_pct"} <= set(stats.reasons)
    assert "no price above 0 is known" in stats.reasons["buy_and_hold_return_pct"]


class Buyer:
    """Buys a lot of each instrument at its first bar."""

    def on_start(self, ctx) -> None:
        """Nothing is held yet."""
        self.held = set()

    def on_bar(self, ctx, bar) -> None:
        """Buy once."""
        if bar.instrument_id not in self.held:
            self.held.add(bar.instrument_id)
            ctx.buy(quantity_lots=1, instrument_id=bar.instrument_id)


def bars(instrument_id, start_ns, step_ns, closes):
    """Return a batch of bars without a range."""
    closes = np.asarray(closes, dtype=np.int64)
    times = start_ns + np.arange(len(closes), dtype=np.int64) * step_ns
    batch = EventBatch()
    batch.bars(
        instrument_id, times, times + step_ns, closes, closes, closes, closes, np.full(len(closes), 99)
    )
    return batch


@pytest.mark.parametrize("is_daily_first", [False, True])
def test_bars_of_different_spacing_make_rows_of_the_shorter_ones(is_daily_first):
    """Hours of one instrument and days of another: a row for each hour, and a day counts where it ends."""
    rng = np.random.default_rng(4)
    hourly = 1_000 + rng.integers(-5, 6, 72).cumsum()
    daily = 5_000 + rng.integers(-90, 91, 3).cumsum()
    numbers = (1, 0) if is_daily_first else (0, 1)
    sources = [bars(numbers[0], START_NS, HOUR_NS, hourly), bars(numbers[1], START_NS, DAY_NS, daily)]
    sources = sources[::-1] if is_daily_first else sources

    result = run(spec_of(Matching.BARS, "ONE", "TWO"), [binding_of(Buyer(), (0, 1))], *sources)

    assert result.times_ns.tolist() == (START_NS + np.arange(72) * HOUR_NS).tolist()
    # Bought at the second open of each. That of a day is at the end of the 24th hour: the hour closes first,
    # whichever is the first source.
    worth = np.full(72, float(CASH))
    paid = hourly[1] / 10
    worth[1:] += hourly[1:] / 10 - paid - paid * 0.0003
    bought = daily[1] / 10
    worth[24:] -= bought * 0.0003
    worth[71:] += daily[2] / 10 - bought
    np.testing.assert_allclose(result.equity, worth, rtol=1e-12)
    days, hours = daily[2] / daily[0], hourly[71] / hourly[0]
    assert result.stats.buy_and_hold_return_pct == pytest.approx(((days + hours) / 2 - 1) * 100)


def test_buy_and_hold_is_equal_money_in_each_instrument_at_its_first_price():
    """Three instruments, one of which starts late, and one that never has a price and does not count."""
    rng = np.random.default_rng(5)
    closes = [1_000 * (place + 1) + rng.integers(-20, 21, 40).cumsum() for place in range(3)]
    closes[2] = closes[2][:25]
    starts = [START_NS, START_NS, START_NS + 15 * DAY_NS]
    sources = [bars(place, starts[place], DAY_NS, closes[place]) for place in range(3)]

    result = run(spec_of(Matching.BARS, "A", "B", "C", "NEVER"), [binding_of(Buyer(), (0, 1, 2))], *sources)

    held = np.ones((3, 40))
    held[0], held[1] = closes[0] / closes[0][0], closes[1] / closes[1][0]
    held[2, 15:] = closes[2] / closes[2][0]
    value = held.mean(axis=0)
    ours, market = np.diff(np.log(result.equity)), np.diff(np.log(value))
    covariance = np.cov(ours, market)
    assert result.stats.buy_and_hold_return_pct == pytest.approx((value[-1] - 1) * 100)
    assert result.stats.beta == pytest.approx(covariance[0, 1] / covariance[1, 1])
    assert result.stats.alpha_pct == pytest.approx(
        result.stats.return_pct - result.stats.beta * result.stats.buy_and_hold_return_pct
    )


def test_samples_hold_several_instruments_at_their_own_first_prices():
    """Quotes: the first price counts, also when it comes between two samples."""
    times = START_NS + np.arange(5) * MINUTE_NS
    sources = [
        quotes(times, [100, 110, 120, 130, 150]),
        quotes(times[1:3] + 7, [1_000, 500], instrument_id=1),
    ]

    stats = run(
        spec_of(Matching.QUOTES, "A", "B"), [binding_of(diary_of(lots=1, every=99), (0, 1))], *sources
    ).stats

    assert stats.buy_and_hold_return_pct == pytest.approx(((150 / 100 + 500 / 1_000) / 2 - 1) * 100)


@pytest.mark.parametrize("kind", [InstrumentKind.LINEAR, InstrumentKind.INVERSE])
def test_returns_of_trades_are_profit_over_what_they_were_worth(kind):
    """With a multiplier, and for contracts that pay in coin: profit after fees over the value at entry."""
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="FUT", tick_size="0.1", kind=kind, multiplier="50"),),
        account=AccountSpec(cash="1000000"),
        fees=FeesSpec(taker_bps="10"),
        venue=VenueSpec(matching=Matching.QUOTES),
    )
    times = START_NS + np.arange(40) * MINUTE_NS

    result = run(spec, [binding_of(diary_of(lots=2, every=3))], quotes(times, 1_000 + np.arange(40)))

    price = result.trades["entry_price"]
    per_unit = price if kind is InstrumentKind.LINEAR else 1 / price
    returns = result.trades["pnl"] / (result.trades["quantity"] * 50 * per_unit)
    assert len(returns) > 3
    assert result.stats.best_trade_pct == pytest.approx(returns.max() * 100)
    assert result.stats.worst_trade_pct == pytest.approx(returns.min() * 100)
    assert result.stats.expectancy_pct == pytest.approx(returns.mean() * 100)
