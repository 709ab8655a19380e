"""A result as frames, as text, as a table of a notebook and as a picture says what its arrays say."""

import html.parser
import sys
from decimal import Decimal

import msgspec
import numpy as np
import pandas as pd
import pytest

from tradecore.backtest import run
from tradecore.backtest.plot import thinned
from tradecore.domain import (
    AccountSpec,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    InvalidValueError,
    Mode,
)
from tradecore.strategy import StrategyBinding

DAY_NS = 86_400 * 10**9
LIBRARIES = ("pandas", "polars", "arrow")


class Turns:
    """Turns around at every third bar, in the instrument of the bar."""

    def __init__(self) -> None:
        self.bars = 0

    def on_bar(self, ctx, bar) -> None:
        """Turn around."""
        self.bars += 1
        if self.bars % 3 == 0:
            ctx.target(0.5 if ctx.position(bar.instrument_id) <= 0 else -0.5, bar.instrument_id)


def result_of(symbols=("ACME",), count=60, name="turns"):
    """Run over bars that swing, one instrument beside the other."""
    batches = []
    times = 1_704_067_200 * 10**9 + np.arange(count) * DAY_NS
    for at in range(len(symbols)):
        close = (5_000 + 700 * np.sin(np.arange(count) + at)).astype(np.int64)
        batch = EventBatch()
        batch.bars(at, times, times + DAY_NS, close, close + 50, close - 50, close, close)
        batches.append(batch)
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=tuple(
            InstrumentSpec(symbol=symbol, tick_size="0.01", lot_size="0.1") for symbol in symbols
        ),
        account=AccountSpec(cash="10000", leverage="5"),
        fees=FeesSpec(taker_bps="2", maker_bps="2"),
    )
    instruments = tuple(range(len(symbols)))
    return run(spec, [StrategyBinding(name=name, strategy=Turns(), instruments=instruments)], *batches)


def as_rows(frame) -> list[dict]:
    """Return the rows of a frame of any library."""
    if isinstance(frame, pd.DataFrame):
        return frame.to_dict("records")
    return frame.to_dicts() if hasattr(frame, "to_dicts") else frame.to_pylist()


@pytest.mark.parametrize("library", LIBRARIES)
def test_trades_have_symbols_words_and_times_in_place_of_numbers(library):
    """Row by row they are the trades of the structured array."""
    result = result_of(("ACME", "OTHER"))

    rows = as_rows(result.trades_frame(library))

    assert len(rows) == len(result.trades) > 20
    for row, trade in zip(rows, result.trades, strict=True):
        assert row["symbol"] == ("ACME", "OTHER")[trade["instrument_id"]]
        assert row["side"] == {1: "long", -1: "short"}[int(trade["side"])]
        assert row["strategy"] == "turns"
        for name in ("entry_time", "exit_time"):
            assert pd.Timestamp(row[name]) == pd.Timestamp(trade[f"{name}_ns"], tz="UTC")
        assert pd.Timedelta(row["duration"]).value == trade["exit_time_ns"] - trade["entry_time_ns"]
        for name in ("quantity", "entry_price", "exit_price", "pnl", "commission"):
            assert row[name] == trade[name]
        assert row["return_pct"] == pytest.approx(
            100 * trade["pnl"] / (trade["entry_price"] * trade["quantity"])
        )


@pytest.mark.parametrize("library", LIBRARIES)
def test_decimals_are_exact_and_have_the_places_of_their_tick_and_lot(library):
    """Prices are whole ticks and sizes whole lots; profits add up to the change of cash."""
    result = result_of()

    rows = as_rows(result.trades_frame(library, decimals=True))

    for row, trade in zip(rows, result.trades, strict=True):
        assert isinstance(row["entry_price"], Decimal)
        assert row["entry_price"] % Decimal("0.01") == row["quantity"] % Decimal("0.1") == 0
        assert row["entry_price"] == Decimal(repr(float(trade["entry_price"])))
        sign = 1 if row["side"] == "long" else -1
        exact = sign * (row["exit_price"] - row["entry_price"]) * row["quantity"] - row["commission"]
        assert row["pnl"] == pytest.approx(exact, abs=Decimal("1e-12"))
    pandas = result.trades_frame(decimals=True)
    assert str(pandas["entry_price"].iloc[0]) == f"{result.trades['entry_price'][0]:.2f}"
    assert str(pandas["quantity"].iloc[0]) == "0.5"


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_equity_stands_beside_its_drawdown_and_the_price(library):
    """Times are UTC; the drawdown is what a walk over the rows gives; the price is the close of the bar."""
    result = result_of()
    frame = result.equity_frame(library)

    rows = as_rows(frame.reset_index() if library == "pandas" else frame)

    peak = -np.inf
    closes = (5_000 + 700 * np.sin(np.arange(60))).astype(np.int64) / 100
    for row, time_ns, equity, close in zip(rows, result.times_ns, result.equity, closes, strict=True):
        peak = max(peak, equity)
        assert pd.Timestamp(row["time"]) == pd.Timestamp(time_ns, tz="UTC")
        assert row["equity"] == equity
        assert row["drawdown_pct"] == pytest.approx(100 * (equity / peak - 1), abs=1e-9)
        assert row["price"] == close
    assert min(row["drawdown_pct"] for row in rows) == pytest.approx(result.stats.max_drawdown_pct)


def test_in_pandas_the_equity_is_indexed_by_time():
    """A row is found by its day, and a month by its name."""
    frame = result_of().equity_frame()

    assert str(frame.index.tz) == "UTC"
    assert len(frame.loc["2024-02"]) == 29


def test_several_instruments_have_no_price_of_their_own():
    """One column cannot say two prices."""
    result = result_of(("ACME", "OTHER"))

    assert list(result.equity_frame().columns) == ["equity", "drawdown_pct"]
    assert len(result.prices) == 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_run_without_trades_has_frames_without_rows(library):
    """The columns are there all the same."""
    result = result_of(count=2)

    assert len(as_rows(result.trades_frame(library))) == 0
    assert len(as_rows(result.cash_flows_frame(library))) == 0
    assert list(result.trades_frame().columns)[:2] == ["symbol", "side"]


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("pandas", lambda result: result.trades_frame()),
        ("polars", lambda result: result.equity_frame("polars")),
        ("pyarrow", lambda result: result.trades_frame("arrow")),
        ("matplotlib", lambda result: result.plot()),
    ],
)
def test_a_library_that_is_missing_is_named_with_the_line_that_installs_it(monkeypatch, module, call):
    """The message can be pasted."""
    result = result_of()
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ImportError, match=rf"needs {module}, .*: pip install {module}$"):
        call(result)


def test_a_library_that_nobody_knows_is_refused():
    """The error lists the three."""
    with pytest.raises(InvalidValueError, match="library 'dask': must be pandas, polars or arrow"):
        result_of().trades_frame("dask")


class Cells(html.parser.HTMLParser):
    """Collects the text of cells, and the names of tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.texts = set(), []

    def handle_starttag(self, tag, attrs) -> None:
        """Note the tag."""
        self.tags.add(tag)

    def handle_data(self, data) -> None:
        """Note the text."""
        self.texts.append(data)


def test_a_notebook_shows_a_plain_table_in_which_every_text_is_escaped():
    """A name with tags in it stays text; the table has the figures and nothing that runs."""
    result = result_of(("<script>alert(1)</script>",), name="a&b <i>")
    cells = Cells()
    cells.feed(result._repr_html_())

    assert cells.tags == {"table", "caption", "tbody", "tr", "th", "td"}
    assert cells.texts[0] == "a&b <i> on <script>alert(1)</script>"
    assert cells.texts[1::2] == [
        name.removesuffix("_ns") for name in result.stats.__struct_fields__ if name != "reasons"
    ]
    assert "<script" not in result._repr_html_()


def test_a_result_prints_its_figures_line_by_line():
    """Each by the name of its attribute; one that is absent says why; statistics alone print alike.

    A result without trades also says why there are none.
    """
    result = result_of(count=2)
    figures_text, told, why = repr(result).partition("\nno trades:\n")
    lines = figures_text.splitlines()

    assert lines[0] == "turns on ACME"
    figures = dict(line.split(maxsplit=1) for line in lines[1:])
    assert figures["start"] == "2024-01-01"
    assert figures["duration"] == "1 days"
    assert figures["final_equity"] == "10,000.00"
    assert figures["win_rate_pct"] == "- (no trade was closed)"
    assert repr(result.stats).splitlines()[1:] == lines[1:]
    names = [name.removesuffix("_ns") for name in result.stats.__struct_fields__ if name != "reasons"]
    assert list(figures) == names
    assert told
    assert why.splitlines() == [f"- {reason}" for reason in result.activity.reasons()]


def test_thousands_of_trades_are_drawn_small():
    """In their usual size they cover the price wholly."""
    result = result_of(("ACME",))
    many = msgspec.structs.replace(result, trades=np.tile(result.trades, 1_000))

    few, crowd = ({line.get_label(): line for line in one.plot().axes[0].lines} for one in (result, many))
    for name in ("exit", "long entry", "short entry"):
        assert crowd[name].get_markersize() < few[name].get_markersize() / 1.9
        assert len(crowd[name].get_xdata()) == 1_000 * len(few[name].get_xdata())


@pytest.mark.parametrize(("symbols", "panels"), [(("ACME",), 3), (("ACME", "OTHER"), 2)])
def test_a_plot_shows_price_entries_equity_and_drawdown(symbols, panels):
    """What is drawn are the numbers of the result; a notebook gets a picture of it."""
    result = result_of(symbols)
    figure = result.plot()
    axes = figure.axes

    assert [one.get_ylabel() for one in axes] == ["price", "equity", "drawdown %"][-panels:]
    np.testing.assert_array_equal(axes[-2].lines[0].get_ydata(), result.equity)
    if panels == 3:
        lines = {line.get_label(): line for line in axes[0].lines}
        np.testing.assert_array_equal(lines["price"].get_ydata(), result.prices)
        is_long = result.trades["side"] > 0
        np.testing.assert_array_equal(lines["long entry"].get_ydata(), result.trades["entry_price"][is_long])
        np.testing.assert_array_equal(
            lines["short entry"].get_ydata(), result.trades["entry_price"][~is_long]
        )
        np.testing.assert_array_equal(lines["exit"].get_ydata(), result.trades["exit_price"])
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules


def test_a_long_line_is_drawn_with_fewer_points_and_its_extremes():
    """Of a million rows the first, the last, and every peak and trough that a pixel could show."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=1_000_003).cumsum()
    times = np.arange(len(values))
    kept_times, kept = thinned(times, values)

    assert len(kept) < 15_000
    assert (kept_times[0], kept_times[-1]) == (0, len(values) - 1)
    assert (np.diff(kept_times) > 0).all()
    np.testing.assert_array_equal(kept, values[kept_times])
    for start in range(0, len(values), 1_000):
        span = (kept_times >= start) & (kept_times < start + 1_000)
        assert kept[span].max() == values[start : start + 1_000].max()
    values[:700] = np.nan
    assert np.isnan(thinned(times, values)[1][0])
    short = thinned(times[:900], values[:900])
    np.testing.assert_array_equal(short[1], values[:900])
