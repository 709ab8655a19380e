"""Results as numpy columns: on the engine's own memory, and never changed by what comes later."""

import gc
import weakref

import numpy as np
import pytest

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

INTEGERS = (
    "entry_time_ns",
    "exit_time_ns",
    "side",
    "lots",
    "entry_ticks",
    "exit_ticks",
    "entry_order",
    "exit_order",
    "strategy_id",
    "instrument_id",
)
FLOW_INTEGERS = ("time_ns", "strategy_id", "instrument_id", "kind")
FLOATS = ("quantity", "entry_price", "exit_price", "pnl", "commission")


class Turns:
    """Buys one lot and sells it again: at each quote, or at each bar."""

    def __init__(self) -> None:
        self.is_long = False

    def on_quote(self, ctx, quote) -> None:
        """Send one order."""
        self.is_long = not self.is_long
        (ctx.buy if self.is_long else ctx.sell)(quantity_lots=1)

    def on_bar(self, ctx, bar) -> None:
        """Send one order."""
        self.on_quote(ctx, bar)


def engine_of(matching=Matching.QUOTES, symbols=("GOLD",)):
    """Return an engine with instruments whose prices are a tenth of their ticks."""
    spec = EngineSpec(
        instruments=tuple(InstrumentSpec(symbol=symbol, tick_size="0.1") for symbol in symbols),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=matching),
    )
    binding = StrategyBinding(name="turns", strategy=Turns())
    return Engine(spec, [binding], equity_curve=matching is Matching.BARS)


def trade(engine, numbers) -> None:
    """Feed a quote at each of these times: every second one closes a trade."""
    batch = EventBatch()
    for number in numbers:
        batch.quote(number, 0, 1_000 + number, 50, 1_002 + number, 50)
    engine.feed(batch)
    engine.run()


def bars(engine, numbers, instrument_id=0) -> None:
    """Feed bars that open at these times."""
    times = np.array(numbers, dtype=np.int64)
    prices = 1_000 + times
    batch = EventBatch()
    batch.bars(instrument_id, times, times + 1, prices, prices + 5, prices - 5, prices, prices)
    engine.feed(batch)
    engine.run()


def copied(columns):
    """Return what columns hold now."""
    return {name: column.copy() for name, column in columns.items()}


def assert_same(columns, expected) -> None:
    """Compare columns: names, types and values."""
    assert list(columns) == list(expected)
    for name, column in columns.items():
        assert column.dtype == expected[name].dtype
        np.testing.assert_array_equal(column, expected[name])


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 200])
def test_the_columns_of_trades_are_what_was_traded(count):
    """Names, types and values, whether the engine holds the trades as rows or as columns yet."""
    engine = engine_of()
    trade(engine, range(1, 2 * count + 1))
    columns = engine.kernel.trades()
    entries = np.arange(1, 2 * count, 2)

    assert tuple(columns) == INTEGERS + FLOATS
    assert {columns[name].dtype for name in INTEGERS} == {np.dtype(np.int64)}
    assert {columns[name].dtype for name in FLOATS} == {np.dtype(np.float64)}
    for name, expected in {
        "entry_time_ns": entries,
        "exit_time_ns": entries + 1,
        "side": np.ones(count),
        "lots": np.ones(count),
        "entry_ticks": entries + 1_002,
        "exit_ticks": entries + 1_001,
        "entry_order": entries,
        "exit_order": entries + 1,
        "strategy_id": np.zeros(count),
        "instrument_id": np.zeros(count),
        "quantity": np.ones(count),
        "commission": np.zeros(count),
    }.items():
        np.testing.assert_array_equal(columns[name], expected)
    np.testing.assert_allclose(columns["entry_price"], (entries + 1_002) / 10, rtol=1e-15)
    np.testing.assert_allclose(columns["exit_price"], (entries + 1_001) / 10, rtol=1e-15)
    np.testing.assert_allclose(columns["pnl"], np.full(count, -0.1), rtol=1e-15)


def test_integer_columns_are_one_memory_however_often_they_are_asked_for():
    """They are views: nothing is copied, and the base is what keeps the memory."""
    engine = engine_of(Matching.BARS)
    bars(engine, range(50))
    trades = [engine.kernel.trades() for _ in range(2)]
    curves = [engine.kernel.equity_curve() for _ in range(2)]

    pairs = [(trades[0][name], trades[1][name]) for name in INTEGERS]
    pairs.append((curves[0]["time_ns"], curves[1]["time_ns"]))
    for first, second in pairs:
        assert len(first) > 0
        assert np.shares_memory(first, second)
        assert not first.flags.owndata
        assert type(first.base).__name__ == "LentColumns"
        assert first.flags.c_contiguous
        assert first.flags.aligned


def test_nobody_writes_into_the_memory_of_the_engine():
    """A view is read-only and stays so; what was converted for the caller is the caller's."""
    engine = engine_of()
    trade(engine, range(1, 11))
    columns = engine.kernel.trades()

    for name in INTEGERS:
        with pytest.raises(ValueError, match="read-only"):
            columns[name][0] = 7
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            columns[name].flags.writeable = True
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            columns[name][1:].view().setflags(write=True)
    for name in FLOATS:
        columns[name][0] = 7.0
    assert engine.kernel.trades()["pnl"][0] == pytest.approx(-0.1)


def test_a_result_stays_as_it_was_while_the_engine_goes_on():
    """Every result that is kept shows its own moment; the engine has them all."""
    engine, kept = engine_of(), []
    for start in range(1, 1_000, 37):
        trade(engine, range(start, start + 37))
        columns = engine.kernel.trades()
        kept.append((columns, copied(columns)))
    alone = engine_of()
    trade(alone, range(1, start + 37))

    for columns, then in kept:
        assert_same(columns, then)
    assert_same(engine.kernel.trades(), alone.kernel.trades())
    assert engine.state_hash() == alone.state_hash()


def test_a_curve_stays_as_it_was_when_its_last_bar_is_corrected():
    """The bar of another instrument corrects the last row: in a copy while somebody keeps the curve."""
    engine = engine_of(Matching.BARS, symbols=("GOLD", "IRON"))
    bars(engine, range(9))
    curve = engine.kernel.equity_curve()
    then = copied(curve)
    bars(engine, [8], instrument_id=1)
    later = engine.kernel.equity_curve()

    assert_same(curve, then)
    np.testing.assert_array_equal(later["time_ns"], range(9))
    assert not np.shares_memory(curve["time_ns"], later["time_ns"])


def test_a_result_outlives_its_engine():
    """The memory goes with the last array on it, not with the engine."""
    engine = engine_of()
    trade(engine, range(1, 401))
    columns = engine.kernel.trades()
    then, end = copied(columns), weakref.ref(engine)
    del engine
    gc.collect()
    others = [engine_of() for _ in range(4)]
    for other in others:
        trade(other, range(1, 401, 3))

    assert end() is None
    assert_same(columns, then)
    lots = columns.pop("lots")[::2]
    del columns
    gc.collect()
    np.testing.assert_array_equal(lots, then["lots"][::2])


def test_columns_that_nobody_keeps_are_not_copied():
    """The engine goes on in the same memory when a result was looked at and dropped."""
    engine = engine_of()
    trade(engine, range(1, 11))
    place = engine.kernel.trades()["lots"].ctypes.data
    gc.collect()
    trade(engine, range(11, 21))
    kept = engine.kernel.trades()
    assert kept["lots"].ctypes.data == place

    trade(engine, range(21, 31))
    moved = engine.kernel.trades()["lots"].ctypes.data
    assert moved != place
    trade(engine, range(31, 41))
    assert engine.kernel.trades()["lots"].ctypes.data == moved


def test_cash_flows_are_columns_that_stay_as_they_were_asked_for():
    """Integers are read-only views of the engine's memory, and later flows come into a copy."""
    engine = engine_of()
    empty = engine.kernel.cash_flows()
    assert [len(empty[name]) for name in FLOW_INTEGERS] == [0] * 4
    batch = EventBatch()
    batch.quote(1, 0, 1_001, 50, 1_003, 50)
    # Bought for 100.3; a tenth of a percent of 100 is paid at each funding.
    for time_ns in (2, 3):
        batch.funding(time_ns, 0, 1_000_000, 1_000)
    engine.feed(batch)
    engine.run()
    first, second = engine.kernel.cash_flows(), engine.kernel.cash_flows()
    later = EventBatch()
    later.funding(4, 0, 1_000_000, 1_000)
    engine.feed(later)
    engine.run()

    for name in FLOW_INTEGERS:
        assert np.shares_memory(first[name], second[name])
        with pytest.raises(ValueError, match="read-only"):
            first[name][0] = 7
    assert first["time_ns"].tolist() == [2, 3]
    assert [first["kinds"][kind] for kind in first["kind"]] == ["funding", "funding"]
    np.testing.assert_allclose(first["amount"], [-0.1, -0.1], rtol=1e-15)
    whole = engine.kernel.cash_flows()
    assert whole["time_ns"].tolist() == [2, 3, 4]
    assert (whole["strategy_id"].tolist(), whole["instrument_id"].tolist()) == ([0] * 3, [0] * 3)
