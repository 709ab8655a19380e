"""A snapshot at any moment: an engine that goes on from it makes the same bytes as the one that was shown."""

import asyncio
import contextlib
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.every_order import plain_market, plain_spec
from support.kept_orders import KeptEveryOrder, KeptEverything
from support.random_orders import SECOND_NS, STRATEGY, events_of, spec_of
from support.sessions import ListFeed, open_session
from tradecore import Engine, EventBatch, StrategyBinding
from tradecore.decision import MaxSpread
from tradecore.domain import (
    AccountSpec,
    DataError,
    EngineSpec,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    Positions,
    snapshot_files,
)
from tradecore.domain.errors import StorageError, StrategyError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.snapshot import Progress, Snapshot, SnapshotHead

MARKETS = list(Matching)


def engine_of(matching, seed):
    """Return a recording engine with the strategy that does everything; without a seed the plain one."""
    latency_ns = 0 if matching is Matching.BARS else 2 * SECOND_NS
    if seed is None:
        strategy, spec = KeptEveryOrder(), plain_spec(matching, latency_ns=latency_ns)
    else:
        strategy, spec = KeptEverything(), spec_of(matching, latency_ns=latency_ns)
        strategy.seed = seed
    gates = () if matching is Matching.BARS or seed is None else (MaxSpread(ticks=3),)
    binding = StrategyBinding(name=STRATEGY, strategy=strategy, instruments=(0, 1))
    return Engine(spec, [binding], recording=True, gates=gates)


def step(engine, batch):
    """Feed a batch, run it, and return the frames."""
    engine.feed(batch)
    engine.run()
    return engine.take_frames()


def gone_on(engine, fresh):
    """Return a fresh engine that goes on where one is."""
    kept = engine.keep()
    fresh.go_on(kept.body, kept.states)
    assert fresh.state_hash() == kept.state_hash == engine.state_hash()
    return fresh


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    matching=st.sampled_from(MARKETS),
    seed=st.one_of(st.none(), st.integers(0, 10_000)),
    cuts=st.sets(st.integers(1, 59), min_size=1, max_size=4),
)
def test_an_engine_that_goes_on_from_a_snapshot_makes_the_same_bytes(matching, seed, cuts):
    """Random orders of every kind, halts, margin, gates, commands: later frames and states are the same."""
    market = plain_market if seed is None else events_of
    whole = again = engine_of(matching, seed)
    for number, batch in enumerate(market(matching, seed, 60)):
        frames = step(whole, batch)
        if again is not whole:
            assert step(again, batch) == frames
        assert again.state_hash() == whole.state_hash()
        if number in cuts:
            again = gone_on(again, engine_of(matching, seed))
    assert again is not whole
    assert again.summary() == whole.summary()
    assert again.kernel.open_orders() == whole.kernel.open_orders()


class Averages:
    """Trades the crosses of two averages and keeps nothing itself."""

    def on_start(self, ctx):
        """Ask for every indicator there is use for."""
        self.fast, self.slow = ctx.ema(3), ctx.sma(7)
        self.others = [ctx.rsi(5), ctx.atr(4), ctx.bollinger(6), ctx.macd(), ctx.keltner(5)]
        self.seen = []

    def on_bar(self, ctx, bar):
        """Move to the side of the cross, and say what all indicators say."""
        self.seen.append([each.value if hasattr(each, "value") else None for each in [self.fast, self.slow]])
        if self.fast.crossed_above(self.slow):
            ctx.target(2)
        elif self.slow.crossed_above(self.fast):
            ctx.target(-2)

    def save_state(self, ctx):
        """Keep nothing."""
        return

    def load_state(self, ctx, state):
        """Ask for the indicators again."""
        self.on_start(ctx)


SPEC = EngineSpec(
    instruments=(InstrumentSpec(symbol="GOLD", tick_size="1", lot_size="1"),),
    account=AccountSpec(cash="100000"),
)


def averaging(strategy=None):
    """Return an engine whose strategy has bars of several lengths with a history."""
    binding = StrategyBinding(
        name="averages",
        strategy=strategy or Averages(),
        bars=("2m", "1m"),
        history=9,
    )
    return Engine(SPEC, [binding], recording=True)


def bars(first, last):
    """Return bars of a minute, up and down."""
    batch = EventBatch()
    if first == last:
        return batch
    numbers = np.arange(first, last)
    opened = 1_700_000_040_000_000_000 + numbers * 60_000_000_000
    closes = 1_000 + abs(numbers % 14 - 7) * 5
    prices = (closes, closes + 2, closes - 2, closes)
    batch.bars(0, opened, opened + 60_000_000_000, *prices, np.full(len(numbers), 10))
    return batch


@pytest.mark.parametrize("cut", [1, 2, 13, 40, 61])
def test_indicators_and_bars_go_on_where_they_were(cut):
    """Values, history and half-built bars are those of the engine that was shown."""
    whole = averaging()
    step(whole, bars(0, cut))
    again = gone_on(whole, averaging())
    for number in range(cut, 80):
        assert step(again, bars(number, number + 1)) == step(whole, bars(number, number + 1))
        assert again.state_hash() == whole.state_hash()
    assert whole.summary().orders > 2
    seen = [engine.strategies[0].strategy.seen for engine in (whole, again)]
    assert seen[0][cut // 2 :][-20:] == seen[1][-20:]


TWO_METALS = [InstrumentSpec(symbol=symbol, tick_size="1", lot_size="0.01") for symbol in ("GOLD", "TIN")]
EXAMPLES = {
    "cash_and_carry": "CashAndCarry",
    "ema_cross": "EmaCross",
    "hedged_holder": "HedgedHolder",
    "keltner_breakout": "KeltnerBreakout",
    "leveraged_holder": "LeveragedHolder",
    "quoter": "Quoter",
    "rsi_reversion": "RsiReversion",
    "sma_cross": "SmaCross",
}


def test_every_strategy_of_the_examples_is_known_here():
    """One that is new is to be tried, too."""
    folder = Path(__file__).parents[2] / "examples" / "strategies"
    assert {path.stem for path in folder.glob("*.py")} == set(EXAMPLES)


@pytest.mark.parametrize("cut", [1, 30, 77])
@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"quoter"}))
def test_the_strategies_of_the_examples_go_on_from_a_snapshot(name, cut):
    """Whoever copies one has a start that does not read the whole journal again."""

    def fresh():
        path = Path(__file__).parents[2] / "examples" / "strategies" / f"{name}.py"
        strategy = runpy.run_path(str(path))[EXAMPLES[name]]()
        for setting, value in {"fast": 2, "slow": 5, "period": 5, "atr_period": 3, "multiple": 0.5}.items():
            if hasattr(strategy, setting):
                setattr(strategy, setting, value)
        positions = Positions.HEDGING if name == "hedged_holder" else Positions.NETTING
        account = AccountSpec(cash="1000000", positions=positions)
        spec = EngineSpec(instruments=tuple(TWO_METALS), account=account)
        return Engine(spec, [StrategyBinding(name=name, strategy=strategy, bars="1m")], recording=True)

    whole = fresh()
    for number in range(cut):
        step(whole, bars(number, number + 1))
    again = gone_on(whole, fresh())
    for number in range(cut, 120):
        assert step(again, bars(number, number + 1)) == step(whole, bars(number, number + 1))
    assert again.state_hash() == whole.state_hash()
    assert again.keep().states == whole.keep().states
    assert whole.summary().orders > 0


def test_an_engine_is_kept_between_groups_alone():
    """What was fed and did not run, and frames that nobody took, are in no snapshot."""
    engine = averaging()
    engine.feed(bars(0, 3))
    with pytest.raises(RuntimeError, match="nobody has taken"):
        engine.keep()
    engine.run()
    with pytest.raises(RuntimeError, match="nobody has taken"):
        engine.keep()
    engine.take_frames()
    assert engine.keep().body


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (lambda: engine_of(Matching.BARS, 1), "instruments"),
        (
            lambda: Engine(SPEC, [StrategyBinding(name="a", strategy=Averages(), bars="1m")], recording=True),
            "instruments|bars",
        ),
    ],
)
def test_an_engine_of_other_settings_does_not_go_on_from_it(other, what):
    """It says what is different."""
    engine = averaging()
    step(engine, bars(0, 9))
    kept = engine.keep()
    with pytest.raises(DataError, match=f"other ({what})"):
        other().go_on(kept.body, kept.states)


def test_a_body_that_is_no_body_is_refused():
    """Each shorter one, and one with a changed byte here and there, is an error and no crash."""
    engine = averaging()
    step(engine, bars(0, 9))
    kept = engine.keep()
    for length in [0, 1, 7, 100, len(kept.body) // 2, len(kept.body) - 1]:
        with pytest.raises(DataError):
            averaging().go_on(kept.body[:length], kept.states)


@settings(max_examples=80)
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_changed_byte_of_a_body_is_an_error_or_the_same_state(place, bit):
    """The file has a hash of all its bytes; also without it nothing crashes, and no other state is taken.

    What a strategy then does not find in it, such as an indicator of its own, is an error of `load_state`.
    """
    engine = averaging()
    step(engine, bars(0, 30))
    kept = engine.keep()
    body = bytearray(kept.body)
    body[place % len(body)] ^= 1 << bit
    fresh = averaging()
    try:
        fresh.go_on(bytes(body), kept.states)
    except (DataError, StrategyError):
        return
    assert fresh.state_hash() == kept.state_hash


class Acting(Averages):
    """Does in `load_state` what may not be done there."""

    def load_state(self, ctx, state):
        """Buy."""
        self.on_start(ctx)
        ctx.buy(quantity_lots=1)


class Other(Averages):
    """Asks for an indicator that it did not have."""

    def on_start(self, ctx):
        """Ask for one more."""
        super().on_start(ctx)
        self.more = ctx.sma(8)


@pytest.mark.parametrize(("strategy", "says"), [(Acting, "placed an order"), (Other, "no such indicator")])
def test_load_state_changes_nothing_of_the_engine(strategy, says):
    """It is no second start: orders, timers and further indicators are refused."""
    engine = averaging()
    step(engine, bars(0, 30))
    kept = engine.keep()
    with pytest.raises((StrategyError, InvalidValueError), match=says):
        averaging(strategy()).go_on(kept.body, kept.states)


class Trading(Averages):
    """Does in `save_state` what no replay would find again."""

    def __init__(self, ask):
        """Remember what it asks for."""
        self.ask = ask

    def save_state(self, ctx):
        """Ask for it, and say nothing of a refusal."""
        with contextlib.suppress(RuntimeError):
            self.ask(ctx)
        return super().save_state(ctx)


@pytest.mark.parametrize(
    "ask",
    [
        lambda ctx: ctx.buy(quantity_lots=1),
        lambda ctx: ctx.cancel(1),
        lambda ctx: ctx.close(),
        lambda ctx: ctx.set_timer(10**18),
        lambda ctx: ctx.trace("seen", limit=1, value=2),
        lambda ctx: ctx.hold("nothing"),
    ],
    ids=["buy", "cancel", "close", "timer", "trace", "hold"],
)
def test_save_state_changes_nothing_of_the_engine(ask):
    """A replay calls it at other moments or not at all, so an order of it would come from nowhere."""
    engine, other = averaging(Trading(ask)), averaging()
    for each in (engine, other):
        step(each, bars(0, 30))
    kept = engine.keep()
    assert kept.state_hash == engine.state_hash() == other.state_hash()
    assert engine.take_frames() == other.take_frames() == b""


class Silent:
    """Has no pair of methods."""

    def on_bar(self, ctx, bar):
        """Do nothing."""


class Strange(Averages):
    """Keeps what is no plain value."""

    def save_state(self, ctx):
        """Return itself."""
        return self


@pytest.mark.parametrize(("strategy", "says"), [(Silent, "save_state"), (Strange, "plain values")])
def test_a_strategy_that_cannot_be_kept_is_named(strategy, says):
    """The message says what it has to do."""
    engine = averaging(strategy())
    step(engine, bars(0, 3))
    with pytest.raises(InvalidValueError, match=says):
        engine.keep()


def snapshot(body=b"body", **changes):
    """Return a snapshot that stands somewhere."""
    values = {
        "journal": "ab",
        "seq": 3,
        "head": "cd",
        "behaviour": 4,
        "version": "1",
        "state_hash": "ef",
        "time_ns": 5,
        "progress": Progress(),
    }
    return Snapshot(SnapshotHead(**(values | changes)), body)


def test_every_changed_or_missing_byte_of_a_snapshot_is_found():
    """The file ends with a hash of all before."""
    data = snapshot().encoded()
    assert Snapshot.decoded(data, "x") == snapshot()
    for place in range(len(data)):
        for wrong in (data[:place], data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]):
            with pytest.raises(DataError):
                Snapshot.decoded(wrong, "x")


def test_a_newer_container_is_refused():
    """It says which one it has."""
    with pytest.raises(DataError, match="format 2"):
        Snapshot.decoded(snapshot(container=2).encoded(), "x")


def test_snapshots_that_an_older_copy_of_a_journal_finds_do_not_take_the_place_of_its_own(tmp_path):
    """They are further than it: none of them can be gone on from, and what it writes itself has to stay."""
    snapshots = JournalFolder(tmp_path / "main.journal").snapshots
    for seq in (5_000, 6_000):
        snapshots.write(snapshot(seq=seq))
    for seq in (1_000, 2_000, 3_000):
        snapshots.write(snapshot(seq=seq))
    kept = [snapshots.read(each).head.seq for each in snapshots.paths()]
    assert kept == [6_000, 5_000, 3_000, 2_000]
    for seq in (7_000, 8_000):
        snapshots.write(snapshot(seq=seq))
    assert [snapshots.read(each).head.seq for each in snapshots.paths()] == [8_000, 7_000]


def test_the_newest_two_are_kept_and_go_with_their_journal(tmp_path):
    """Set aside, the journal takes them along; the new one has none."""
    path = tmp_path / "main.journal"
    asyncio.run(open_session(path, feed=ListFeed(slices=3)).run())
    folder = JournalFolder(path)
    for seq in (1, 2, 3):
        folder.snapshots.write(snapshot(seq=seq))
    assert [each.name for each in folder.snapshots.paths()] == [
        f"main.journal.snapshot.{seq:015}" for seq in (3, 2)
    ]
    assert folder.older() == []
    if sys.platform != "win32":
        # What the journal keeps from others, a snapshot does too.
        assert {each.stat().st_mode & 0o777 for each in folder.snapshots.paths()} == {0o600}
    copy = folder.backup(tmp_path / "copy")
    assert [copy.snapshots.read(each).head.seq for each in copy.snapshots.paths()] == [3, 2]
    kept = folder.set_aside()
    assert [kept.snapshots.read(each).head.seq for each in kept.snapshots.paths()] == [3, 2]
    assert folder.snapshots.paths() == []


def test_a_backup_whose_snapshots_cannot_be_written_is_no_journal_and_can_be_made_again(
    tmp_path, monkeypatch
):
    """One without them may be of no use: where old market events were dropped nothing goes on without one."""
    path = tmp_path / "main.journal"
    asyncio.run(open_session(path, feed=ListFeed(slices=3)).run())
    folder = JournalFolder(path)
    folder.snapshots.write(snapshot(seq=2))
    left = tmp_path / "copy" / "main.journal.snapshot.000000000000001"
    left.parent.mkdir()
    left.write_bytes(b"of a copy that was cut short")
    with monkeypatch.context() as broken:
        broken.setattr(snapshot_files, "sync_directory", _refuse)
        with pytest.raises(StorageError, match="no space left"):
            folder.backup(tmp_path / "copy")
    assert not (tmp_path / "copy" / "main.journal").exists()
    copy = folder.backup(tmp_path / "copy")
    assert [each.name for each in copy.snapshots.paths()] == ["main.journal.snapshot.000000000000002"]
    assert copy.verify().records == folder.verify().records
    # What is a journal already is left as it is, its snapshots, too.
    folder.snapshots.write(snapshot(seq=3))
    with pytest.raises(StorageError, match="already"):
        folder.backup(tmp_path / "copy")
    assert [copy.snapshots.read(each).head.seq for each in copy.snapshots.paths()] == [2]


def _refuse(path):
    raise OSError(28, "no space left on device")
