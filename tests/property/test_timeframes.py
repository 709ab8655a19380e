"""Several lengths of bars for one strategy, against a slow plain resampler."""

from bisect import bisect_right
from datetime import date, time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plain_bars import (
    DAY_NS,
    LENGTHS,
    MINUTE_NS,
    Bar,
    new_york,
    resampled,
    round_the_clock,
    table_of,
)
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    StrategyError,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import BarSource, FirstBar, StrategyBinding

# The clocks of New York change on 8 March 2026, a Sunday.
FIRST = date(2026, 2, 20)
DAYS = 40
KEPT = 4


class Watcher:
    """Notes each bar, and at each call the last closes that it can see of every length."""

    def __init__(self, *shown):
        self.shown = shown
        self.calls = []

    def on_start(self, ctx):
        """Follow the last close of each length by an indicator too."""
        self.last = {length: ctx.sma(1, bars=length) for length in self.shown}

    def on_bar(self, ctx, bar):
        """Note one."""
        seen = {length: list(ctx.history("close", KEPT, bars=length)) for length in self.shown}
        values = {length: self.last[length].value for length in self.shown}
        row = Bar(
            bar.open_time_ns,
            bar.time_ns,
            bar.open_ticks,
            bar.high_ticks,
            bar.low_ticks,
            bar.close_ticks,
            bar.volume_lots,
        )
        self.calls.append((ctx.now_ns, bar.timeframe, row, seen, values))


@st.composite
def markets(draw):
    """Draw sessions, whether they are round the clock, and the specification of an instrument in them."""
    kind = draw(st.sampled_from(["24/7", "evening", "fx", "exchange"]))
    if kind in ("24/7", "evening"):
        day_end_ns = 0 if kind == "24/7" else 22 * 60 * MINUTE_NS
        sessions, calendar, calendars = round_the_clock(FIRST, DAYS, day_end_ns), "24/7", {}
    else:
        hours = (time(17), time(17)) if kind == "fx" else (time(9, 30), time(16))
        early = draw(st.lists(st.integers(0, DAYS), max_size=5))
        sessions = new_york(FIRST, DAYS, *hours, early)
        day_end_ns, calendar, calendars = 0, "own", {"own": table_of(sessions)}
    return sessions, EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1", calendar=calendar),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.BARS, day_end_ns=day_end_ns),
        calendars=calendars,
    )


def parts_of(sessions, seed, keep, length_ns):
    """Return random short bars within the sessions; single ones and whole hours are missing."""
    rng = np.random.default_rng(seed)
    inside = [each for each in sessions if 0 <= (each.day - FIRST).days < DAYS]
    parts = []
    for session in inside[int(rng.integers(0, 5)) :]:
        for start_ns in range(session.start_ns, session.end_ns, length_ns):
            if rng.random() > keep or int(start_ns // (97 * MINUTE_NS)) % 7 == 3:
                continue
            open_, close, wick = (int(number) for number in rng.integers(50, 99, 3))
            high, low = max(open_, close) + wick % 5, min(open_, close) - wick % 3
            parts.append(
                Bar(start_ns, start_ns + length_ns, open_, high, low, close, int(rng.integers(0, 9)))
            )
    return parts


def played(spec, bars, batches, first_bar=None):
    """Run a watcher over batches of events; return it and the hash of the state."""
    watcher = Watcher(*bars)
    binding = StrategyBinding(name="watcher", strategy=watcher, bars=bars, history=KEPT, first_bar=first_bar)
    engine = Engine(spec, [binding])
    for batch in batches:
        engine.feed(batch)
        engine.run()
    engine.finish()
    return watcher, engine.state_hash()


def fed(parts, pieces):
    """Return the parts as bars in batches of some lengths."""
    at, batches = 0, []
    for piece in [*pieces, len(parts)]:
        batch = EventBatch()
        for part in parts[at : at + piece]:
            columns = [
                np.array([value], dtype=np.int64)
                for value in (
                    part.open_time_ns,
                    part.end_ns,
                    part.open,
                    part.high,
                    part.low,
                    part.close,
                    part.volume,
                )
            ]
            batch.bars(0, *columns)
        batches.append(batch)
        at += piece
    return batches


def check(watcher, lengths, expected, ended_ns):
    """Hold what a watcher saw against the bars of each length; `ended_ns` says what has ended."""
    for length in lengths:
        shown = [row for _, name, row, _, _ in watcher.calls if name == length]
        assert shown == [bar for bar in expected[length] if ended_ns(bar)], length
    ends = {length: [bar.end_ns for bar in expected[length]] for length in lengths}
    for now_ns, _, row, seen, values in watcher.calls:
        assert row.end_ns <= now_ns
        for length in lengths:
            # Neither early nor late: what can be seen is what has ended by now.
            ended = bisect_right(ends[length], now_ns)
            closes = [bar.close for bar in expected[length][max(0, ended - KEPT) : ended]]
            assert seen[length] == closes, (length, now_ns)
            assert values[length] == closes[-1] if closes else np.isnan(values[length])
    place = [LENGTHS.index(name.partition(":")[0]) for _, name, _, _, _ in watcher.calls]
    moments = [(call[0], -at) for call, at in zip(watcher.calls, place, strict=True)]
    assert moments == sorted(moments), "the longest of one moment comes first"


@settings(max_examples=12)
@given(
    market=markets(),
    seed=st.integers(0, 2**32 - 1),
    keep=st.sampled_from([1.0, 0.4, 0.05]),
    longer=st.lists(st.sampled_from(LENGTHS[1:]), min_size=1, max_size=4, unique=True),
    first_bar=st.sampled_from([None, *FirstBar]),
    pieces=st.lists(st.integers(0, 400), max_size=6),
)
def test_longer_bars_are_those_of_a_plain_resampler_and_never_seen_early(
    market, seed, keep, longer, first_bar, pieces
):
    """Sessions, holidays, early closes, changes of the clock and gaps; however the bars are fed."""
    sessions, spec = market
    parts = parts_of(sessions, seed, keep, 30 * MINUTE_NS)
    is_always_open = not spec.calendars
    lengths = ("30m", *longer)
    watcher, state = played(spec, lengths, fed(parts, []), first_bar)

    expected = {}
    for length in lengths:
        bars = resampled(length, parts, sessions, is_always_open=is_always_open)
        if bars and first_bar is not FirstBar.ANY and bars[0].open_time_ns < parts[0].open_time_ns:
            bars = bars[1:]
        expected[length] = bars
    last_ns = parts[-1].end_ns if parts else 0

    check(watcher, lengths, expected, lambda bar: bar.end_ns <= last_ns)
    again, state_again = played(spec, lengths, fed(parts, pieces), first_bar)
    # As text, for nothing is equal to NaN.
    assert str(watcher.calls) == str(again.calls)
    assert state == state_again


@settings(max_examples=12)
@given(
    market=markets(),
    seed=st.integers(0, 2**32 - 1),
    prices=st.sampled_from(["trades", "quotes"]),
    lengths=st.lists(st.sampled_from(LENGTHS), min_size=2, max_size=4, unique=True),
)
def test_bars_of_several_lengths_are_built_from_trades_and_quotes_too(market, seed, prices, lengths):
    """A longer bar is closed and known when the last shorter one in it wakes the strategy."""
    sessions, spec = market
    parts = parts_of(sessions, seed, 0.2, 30 * MINUTE_NS)
    batch, prints = EventBatch(), []
    for number, part in enumerate(parts):
        # Every third is at the very beginning of its half hour.
        at_ns = part.open_time_ns + (seed * 7919 + number) % (30 * MINUTE_NS) * (number % 3 > 0)
        if prices == "trades":
            batch.trade(at_ns, 0, part.open, part.volume + 1, True)
        else:
            batch.quote(at_ns, 0, part.open - 1, 5, part.open + 1, 5)
        lots = part.volume + 1 if prices == "trades" else 0
        prints.append(Bar(at_ns, at_ns, part.open, part.open, part.open, part.open, lots))
    names = tuple(f"{length}:{prices}" for length in lengths)
    watcher, _ = played(spec, names, [batch])

    expected = {
        name: resampled(length, prints, sessions, is_always_open=not spec.calendars)
        for name, length in zip(names, lengths, strict=True)
    }
    last_ns = prints[-1].open_time_ns if prints else 0
    check(watcher, names, expected, lambda bar: bar.end_ns <= last_ns)


@pytest.mark.parametrize("length", ["1d", "1w"])
def test_a_day_is_the_session_whatever_hours_the_bars_of_a_file_have(length):
    """Bars from midnight to midnight are those of the sessions in them; the week ends with its last one."""
    sessions = new_york(FIRST, DAYS, time(9, 30), time(16), early=(7,))
    inside = [each for each in sessions if 0 <= (each.day - FIRST).days < DAYS]
    whole = [each.start_ns // DAY_NS * DAY_NS for each in inside]
    parts = [
        Bar(start, start + DAY_NS, 10 + at, 12 + at, 9 + at, 11 + at, at) for at, start in enumerate(whole)
    ]
    within = [part._replace(open_time_ns=each.start_ns) for part, each in zip(parts, inside, strict=True)]
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="ACME", tick_size="1", calendar="own"),),
        calendars={"own": table_of(sessions)},
    )
    watcher, _ = played(spec, (length,), fed(parts, []), FirstBar.ANY)

    expected = resampled(length, within, sessions, is_always_open=False)
    shown = [row for _, _, row, _, _ in watcher.calls]
    assert shown == [bar for bar in expected if bar.end_ns <= parts[-1].end_ns]
    assert len(shown) > 5


@pytest.mark.parametrize(
    ("bars", "minutes", "says"),
    [("7m", 5, "two bars of 7m"), ("1h", 120, "two bars of 1h"), (("5m", "1d"), 7, "two bars of 5m")],
)
def test_a_length_that_is_no_multiple_of_the_input_is_refused_in_words(bars, minutes, says):
    """The error names the instrument, the bar and what to choose."""
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),))
    length_ns = minutes * MINUTE_NS
    starts = range(DAY_NS, 2 * DAY_NS, length_ns)
    parts = [Bar(start_ns, start_ns + length_ns, 10, 11, 9, 10, 1) for start_ns in starts]
    engine = Engine(spec, [StrategyBinding(name="none", strategy=object(), bars=bars)])
    engine.feed(fed(parts, [])[0])
    with pytest.raises(InvalidValueError, match=rf"^bars .*cannot be built for GOLD.*1970-01-02.*{says}"):
        engine.run()


class Asks:
    """Asks for an indicator of bars that it may not have."""

    def __init__(self, bars):
        self.bars = bars

    def on_start(self, ctx):
        """Ask."""
        self.timeframes = ctx.timeframes
        self.value = ctx.sma(2, bars=self.bars)


def test_bars_are_asked_for_as_they_are_written():
    """In any spelling; one that the strategy does not have is refused, and so are none and the same twice."""
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),))

    def started(asked, bars):
        binding = StrategyBinding(name="asks", strategy=Asks(asked), bars=bars)
        Engine(spec, [binding]).run()
        return binding.strategy.timeframes

    assert started("60m", ("5m", "60m")) == ("5m", "60m")
    assert started("1h", BarSource(3_600_000_000_000)) == ("1h",)
    assert started(None, ("1mo", BarSource())) == ("1mo", "input")
    with pytest.raises(StrategyError, match="which are 5m, 1h; add it to `bars`"):
        started("1d", ("5m", "1h"))
    with pytest.raises(InvalidValueError, match="listed twice"):
        started(None, ("1h", "60m"))
    with pytest.raises(InvalidValueError, match="at least one"):
        started(None, ())
    with pytest.raises(InvalidValueError, match="first_bar"):
        Engine(spec, [StrategyBinding(name="a", strategy=Asks(None), first_bar="half")])


def test_what_is_outside_of_the_sessions_is_counted():
    """Bars of the evening are in no bar of the session, and the engine says how many there were."""
    sessions = new_york(FIRST, DAYS, time(9, 30), time(16))
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="ACME", tick_size="1", calendar="own"),),
        calendars={"own": table_of(sessions)},
    )
    end_ns = sessions[70].end_ns
    times = [end_ns + at * 30 * MINUTE_NS for at in range(-2, 4)]
    parts = [Bar(start_ns, start_ns + 30 * MINUTE_NS, 10, 11, 9, 10, 1) for start_ns in times]
    watcher = Watcher("1h")
    binding = StrategyBinding(name="w", strategy=watcher, bars="1h", history=KEPT, first_bar=FirstBar.ANY)
    engine = Engine(spec, [binding])
    engine.feed(fed(parts, [])[0])
    engine.run()

    assert engine.bars_left_out() == {"ACME 1h": 4}
    assert [row.volume for _, _, row, _, _ in watcher.calls] == [1, 1]
