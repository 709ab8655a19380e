"""`run_frame` runs what `run` runs on the same numbers, and names what it cannot run."""

from decimal import Decimal
from typing import Annotated

import numpy as np
import pandas as pd
import pytest

from tradecore import Bounds
from tradecore.backtest import run, run_frame
from tradecore.domain import (
    AccountSpec,
    DataError,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    Mode,
    StrategyWarning,
    VenueSpec,
)
from tradecore.strategy import StrategyBinding


class Cross:
    """Long above the average, flat below."""

    period: Annotated[int, Bounds(ge=2)] = 5
    cash: float = 0.5
    looks_back: int = 0

    def on_start(self, ctx) -> None:
        """Ask for the average."""
        self.average = ctx.sma(self.period)
        self.seen = []

    def on_bar(self, ctx, bar) -> None:
        """Buy or close."""
        self.seen.append(len(ctx.history("close", self.looks_back)))
        if self.average.is_warm:
            ctx.target(1 if bar.close > self.average.value else 0)


class Untyped:
    """Has an attribute that is no parameter."""

    length = 5


class Takes:
    """Buys at the first quote."""

    def on_quote(self, ctx, quote) -> None:
        """Buy once."""
        if not ctx.position_lots():
            ctx.buy(quantity=1)


def frame_of(count=80, seed=1) -> pd.DataFrame:
    """Return bars of days on a walk in cents."""
    close = (10_000 + np.random.default_rng(seed).integers(-90, 95, count).cumsum()) / 100
    columns = {
        "Open": close,
        "High": close + 0.5,
        "Low": close - 0.5,
        "Close": close,
        "Volume": np.full(count, 7),
    }
    return pd.DataFrame(columns, index=pd.date_range("2024-01-01", periods=count, name="Date"))


def test_a_run_on_a_frame_is_the_run_on_its_batch():
    """Orders, trades and figures are the same, to the byte where there are bytes."""
    frame = frame_of()
    instrument = InstrumentSpec(symbol="ACME", tick_size="0.01")
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(instrument,),
        account=AccountSpec(cash="5000", leverage="2"),
        fees=FeesSpec(maker_bps="10", taker_bps="10"),
    )
    binding = StrategyBinding(name="Cross", strategy=Cross())

    long_way = run(spec, [binding], EventBatch.from_frame(frame, instrument))
    short_way = run_frame(frame, Cross, instrument="ACME", cash=5_000, commission=0.001, leverage=2)

    assert short_way.orders_digest == long_way.orders_digest
    assert short_way.state_hash == long_way.state_hash
    assert repr(short_way) == repr(long_way)
    assert len(short_way.trades) > 3


def test_a_frame_is_run_again_and_again_with_other_parameters():
    """Neither the frame nor the class keeps anything of a run."""
    frame = frame_of()
    before = frame.copy()
    runs = [run_frame(frame, Cross, period=period) for period in (3, 9, 3)]

    assert runs[0].orders_digest == runs[2].orders_digest != runs[1].orders_digest
    pd.testing.assert_frame_equal(frame, before)
    assert Cross.period == 5


def test_an_object_is_run_as_it_is_and_keeps_what_it_saw():
    """A strategy that is made by hand is there after the run; `history` says what it can look back on."""
    strategy = Cross()
    strategy.looks_back = 3
    run_frame(frame_of(10), strategy, history=3)

    assert strategy.seen == [1, 2, *[3] * 8]


def test_a_parameter_with_the_name_of_an_argument_goes_into_parameters():
    """`cash` of the strategy and `cash` of the account are two things."""
    strategy_cash = []

    class Notes(Cross):
        def on_stop(self, ctx) -> None:
            strategy_cash.append((self.cash, self.period))

    run_frame(frame_of(5), Notes, cash=123, period=3, parameters={"cash": 0.25})

    assert strategy_cash == [(0.25, 3)]


def test_several_frames_are_several_instruments_of_one_strategy():
    """By symbol; what is not stated of an instrument is found in its frame."""
    frames = {"ACME": frame_of(), "OTHER": frame_of(seed=2)}
    stated = InstrumentSpec(symbol="OTHER", tick_size="0.01", lot_size="0.001")

    result = run_frame(frames, Cross, instrument=[stated])

    assert [(i.symbol, i.lot_size) for i in result.instruments] == [("ACME", 1), ("OTHER", Decimal("0.001"))]
    assert len(result.times_ns) == 80
    assert result.summary.events == 160


def test_a_frame_of_several_instruments_is_run_as_its_error_says():
    """The advice of the error, taken word for word, is the run on each of them."""
    frame = pd.concat([frame_of(30).assign(pair=pair) for pair in ("A", "B")])
    with pytest.raises(DataError, match="'pair' names several instruments") as caught:
        run_frame(frame, Cross)
    assert "hand run_frame all of them: dict(list(frame.groupby('pair')))" in str(caught.value)
    frames = dict(list(frame.groupby("pair")))
    both = run_frame(dict.fromkeys("AB", frame_of(30)), Cross)
    assert run_frame(frames, Cross).orders_digest == both.orders_digest


def test_a_symbol_beside_a_mapping_is_refused():
    """The keys are the symbols already; another one would be passed over."""
    with pytest.raises(InvalidValueError, match=r"instrument 'C': .* in a mapping each frame has its symbol"):
        run_frame({"A": frame_of(5)}, Cross, instrument="C")


def test_a_warning_points_to_the_line_of_the_caller():
    """A notebook shows the line of the cell, and not one of the library."""

    class Slip:
        def on_barr(self, ctx, bar):
            """Be never called."""

    instrument = InstrumentSpec(symbol="A", tick_size="0.01")
    batch = EventBatch.from_frame(frame_of(5), instrument)
    spec, binding = EngineSpec(instruments=(instrument,)), StrategyBinding(name="slip", strategy=Slip())
    with pytest.warns(StrategyWarning) as by_frame:
        run_frame(frame_of(5), Slip)
    with pytest.warns(StrategyWarning) as by_batch:
        run(spec, [binding], batch)
    assert {warning.filename for warning in (*by_frame, *by_batch)} == {__file__}


def test_quotes_are_matched_as_quotes():
    """The venue follows what the frame holds."""
    times = pd.date_range("2024-01-01", periods=9, freq="s")
    frame = pd.DataFrame({"bid": 10.0, "ask": 10.5}, index=times)

    result = run_frame(frame, Takes)

    assert result.summary.positions == {"ASSET": "1"}
    assert result.summary.cash == "9989.5"


def test_an_instrument_of_the_specification_is_that_of_its_frame():
    """Margin, interest and tick of it count, named or not; one that has no frame is refused."""
    fine = InstrumentSpec(symbol="A", tick_size="0.001", lot_size="0.5")
    spec = EngineSpec(instruments=(fine,))
    stated = run_frame(frame_of(40), Cross, instrument=fine, spec=EngineSpec(instruments=()))
    for instrument in (None, "A", fine):
        result = run_frame(frame_of(40), Cross, instrument=instrument, spec=spec)
        assert result.instruments[0].tick_size == Decimal("0.001")
        assert result.orders_digest == stated.orders_digest
    both = run_frame({"A": frame_of(40), "B": frame_of(40)}, Cross, spec=spec)
    assert [one.tick_size for one in both.instruments] == [Decimal("0.001"), Decimal("0.01")]
    with pytest.raises(InvalidValueError, match=r"spec.instruments 'A': must be the symbol of a frame: B"):
        run_frame(frame_of(5), Cross, instrument="B", spec=spec)
    coarse = InstrumentSpec(symbol="A", tick_size="0.01")
    with pytest.raises(InvalidValueError, match=r"instrument 'A': is another one in spec.instruments"):
        run_frame(frame_of(5), Cross, instrument=coarse, spec=spec)
    with pytest.raises(
        InvalidValueError, match=r"spec.mode 'real': must be one of backtest, shadow, paper, live"
    ):
        run_frame(frame_of(5), Cross, spec=EngineSpec(mode="real", instruments=()))


def test_a_specification_in_full_takes_the_place_of_the_short_ones():
    """Its instruments are those of the frames, and it must match orders as the frame needs."""
    spec = EngineSpec(instruments=(), account=AccountSpec(cash="77"))

    assert run_frame(frame_of(5), Cross, spec=spec).equity[0] == 77
    quotes = EngineSpec(instruments=(), venue=VenueSpec(matching=Matching.QUOTES))
    with pytest.raises(
        InvalidValueError, match=r"spec.venue.matching 'quotes': must be 'bars' for a frame of bars"
    ):
        run_frame(frame_of(5), Cross, spec=quotes)


TRADES = pd.DataFrame({"time": [1_704_067_200], "price": [1.0], "size": [1.0], "side": ["buy"]})
WRONG = {
    "an unknown parameter": (
        Cross,
        {"perod": 3},
        "perod 3: is no argument of run_frame and no parameter of Cross; did you mean period",
    ),
    "an argument with a letter missing": (
        Cross,
        {"comission": 0.1},
        "comission 0.1: .*did you mean commission",
    ),
    "a parameter without a type": (
        Untyped,
        {"length": 9},
        "length 9: .*write `length: int = 5` in the class",
    ),
    "a parameter out of bounds": (Cross, {"period": 1}, "period 1: Expected `int` >= 2"),
    "a parameter of an object": (Cross(), {"period": 3}, "period 3: .*pass Cross itself"),
    "a binding": (
        StrategyBinding(name="x", strategy=Cross()),
        {},
        "strategy 'StrategyBinding': must be a strategy",
    ),
    "a list": ([Cross], {}, "strategy 'list': must be a strategy"),
    "percent for a share": (
        Cross,
        {"commission": 20},
        "commission 20: is a share of the value: 0.002 for 0.2 %",
    ),
    "cash in words": (Cross, {"cash": "much"}, "cash 'much': must be a number"),
    "cash below 0": (Cross, {"cash": -1}, "cash -1: must be a finite number of 0 or more"),
    "a specification as a class": (
        Cross,
        {"spec": EngineSpec},
        "spec 'class EngineSpec': must be an EngineSpec",
    ),
    "a specification as a table": (
        Cross,
        {"spec": {"mode": "backtest"}},
        "spec 'dict': must be an EngineSpec",
    ),
    "cash beside a specification": (
        Cross,
        {"spec": EngineSpec(instruments=()), "cash": 10_000},
        "cash 10000: would not count beside spec: set account.cash",
    ),
    "parameters in a list": (Cross, {"parameters": [5]}, r"parameters \[5\]: must map names to values"),
    "a parameter given twice": (
        Cross,
        {"parameters": {"period": 5}, "period": 6},
        "period 6: is given twice",
    ),
    "an instrument with a wrong tick": (
        Cross,
        {"instrument": InstrumentSpec(symbol="A", tick_size="abc")},
        "instrument.tick_size 'abc': must be a decimal number",
    ),
    "bars in words": (Cross, {"bars": "hourly"}, "bars 'hourly': must be"),
    "a wrong instrument": (Cross, {"instrument": 0.01}, "instrument 0.01: must be one InstrumentSpec"),
}


@pytest.mark.parametrize(("strategy", "arguments", "message"), WRONG.values(), ids=WRONG)
def test_an_argument_that_cannot_be_used_is_named_in_one_line(strategy, arguments, message):
    """The name of the argument, the value and the rule."""
    with pytest.raises(InvalidValueError, match=message) as caught:
        run_frame(frame_of(5), strategy, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (TRADES, "holds trades, and nothing there says at which price an order would fill"),
        ({}, "must have a frame for one symbol at least"),
        ({1: frame_of(3)}, "must have symbols as its keys"),
        (
            {"A": frame_of(3), "B": TRADES.assign(bid=1.0, ask=1.0).drop(columns="price")},
            "bars for all symbols",
        ),
    ],
)
def test_frames_that_cannot_be_traded_on_are_refused_in_words(frame, message):
    """Trades alone have no price to fill at; bars and quotes are not mixed."""
    with pytest.raises(InvalidValueError, match=message):
        run_frame(frame, Cross)


@pytest.mark.parametrize(
    ("leverage", "commission", "held"),
    [(1, 0, [50, 75, 87]), (2, 0, [100, 150, 175]), (1, 0.01, [49, 74, 86])],
)
def test_a_fraction_is_a_share_of_what_can_still_be_bought(leverage, commission, held):
    """As docs/orders.md counts it by hand: 10,000 at 100, halves of what is left, the fee in it."""
    seen = []

    class Halves:
        def on_bar(self, ctx, bar):
            """Buy half of what can be bought."""
            seen.append(ctx.position())
            ctx.buy(fraction=0.5)

    frame = frame_of(4).assign(Open=100.0, High=100.0, Low=100.0, Close=100.0)
    run_frame(frame, Halves, cash=10_000, leverage=leverage, commission=commission)

    assert seen == [0, *held]


def test_prices_on_no_tick_ask_for_rounding_and_are_rounded_then():
    """Adjusted prices are the usual case of providers that adjust for splits and dividends."""
    frame = frame_of() * 1.0123456789

    with pytest.raises(DataError, match='rounding="nearest"'):
        run_frame(frame, Cross)
    assert run_frame(frame, Cross, rounding="nearest").stats.trades > 0
