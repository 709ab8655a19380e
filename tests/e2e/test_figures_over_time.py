"""Figures over time of backtests without bars: on real captures of books, and as the command prints them."""

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from support.command_line import CommandLine
from support.diary import CASH, equity_at
from support.shared import EXAMPLE_DATA, ROOT
from tradecore_api.config import read
from tradecore_api.exit_codes import ExitCode
from tradecore_api.wiring import backtests

MARKETS = {
    "binance_capture": ("binance-spot.gz", "0.01", "0.00001", ""),
    "book_capture": ("kraken-book.json.gz", "0.1", "0.00000001", 'venue = "kraken"'),
}
SYMBOLS = {"binance_capture": "BTCUSDT", "book_capture": "BTC/USD"}
CONFIG = """
account = {{ name = "books", cash = {cash} }}
feed = {{ kind = "{kind}", path = "{path}" {venue} }}
instruments = [{{ symbol = "{symbol}", tick_size = {tick}, lot_size = {lot} }}]
strategy = {{ class = "{diary}:Diary", lots = {lots}, every = {every}, path = "{notes}" }}
fees = {{ taker_bps = 3 }}
venue = {{ order_latency_ns = 5_000_000, report_latency_ns = 5_000_000 }}
statistics = {{ sample = "{sample}" }}
"""


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("sample", ["1s", "1m"])
def test_equity_on_a_real_book_is_that_of_a_plain_walk(tmp_path, kind, sample):
    """A capture of Binance and one of Kraken: every sample is what fills and the book until then say."""
    path, tick, lot, venue = MARKETS[kind]
    notes = tmp_path / "notes.json"
    config = tmp_path / "books.toml"
    config.write_text(
        CONFIG.format(
            cash=CASH,
            kind=kind,
            path=EXAMPLE_DATA / path,
            venue=f", {venue}" if venue else "",
            symbol=SYMBOLS[kind],
            tick=tick,
            lot=lot,
            diary=ROOT / "tests" / "support" / "diary.py",
            lots=int(Fraction("0.01") / Fraction(lot)),
            every=5,
            notes=notes,
            sample=sample,
        )
    )

    result = backtests.backtest(read.load(config, environment={}))

    rows = result.times_ns.tolist()
    written = json.loads(notes.read_text())
    walked = [Fraction(CASH)]
    walked += [equity_at(written, time_ns, Fraction(tick), Fraction(lot)) for time_ns in rows[1:]]
    np.testing.assert_allclose(result.equity, [float(value) for value in walked], rtol=1e-12)
    span_ns = {"1s": 1, "1m": 60}[sample] * 10**9
    assert all(time_ns % span_ns == 0 for time_ns in rows[1:-1])
    assert all(before < after for before, after in pairwise(rows))
    stats = result.stats
    assert stats.trades > 0
    assert stats.start_ns < stats.end_ns
    assert stats.return_pct == pytest.approx(float(result.summary.pnl) / CASH * 100, rel=1e-9)
    fall = max(1 - value / max(walked[: place + 1]) for place, value in enumerate(walked))
    assert stats.max_drawdown_pct == pytest.approx(float(-100 * fall), rel=1e-9)
    assert stats.reasons["sharpe"] == "less than a day lies between start and end"


SIMULATED = """
account = { name = "flow", cash = 100_000 }
instruments = [{ symbol = "BTC-USD", tick_size = 0.01, lot_size = 0.0001 }]
feed = { kind = "simulated", seed = 7, seconds = 10 }
strategy = { class = "tradecore_api.demo_strategies:Quoter", quantity = 0.01, position_max = 0.05 }
"""


@pytest.fixture
def command_line(tmp_path):
    """Run commands in a folder of their own."""
    return CommandLine(tmp_path)


@pytest.mark.parametrize(("sample", "has_way"), [("1s", True), ("off", False)])
def test_the_command_prints_figures_or_their_reasons_and_never_nan(command_line, sample, has_way):
    """As a table and as JSON: a number, or a dash and why."""
    command_line.write("flow.toml", SIMULATED)
    setting = ("--set", f"statistics.sample={sample}")

    table, _ = command_line.run("backtest", "flow.toml", *setting)
    document, _ = command_line.run("backtest", "flow.toml", *setting, "--json")

    stats = json.loads(document)["stats"]
    shown = dict(line.split(None, 1) for line in table.splitlines())
    assert "nan" not in table
    assert "nan" not in document.lower()
    assert shown["start"] != shown["end"]
    assert stats["return_pct"] == pytest.approx(float(json.loads(document)["pnl"]) / 100_000 * 100)
    assert shown["sharpe"] == f"-  ({stats['reasons']['sharpe']})"
    assert ("max_drawdown_pct" not in stats["reasons"]) == has_way
    assert set(stats["reasons"]) == {name for name, value in stats.items() if value is None}


@pytest.mark.parametrize("sample", ["0s", "1x", "never", "", "200000d", "-1s"])
def test_a_span_that_is_none_is_refused_by_its_key(command_line, sample):
    """The check of a configuration names the key, the value and what it must be."""
    command_line.write("flow.toml", SIMULATED)

    _, talk = command_line.run(
        "config", "check", "flow.toml", "--set", f"statistics.sample='{sample}'", code=ExitCode.CONFIG
    )

    assert "statistics.sample" in talk
    assert "must " in talk
