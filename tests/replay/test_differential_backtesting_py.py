"""tradecore beside backtesting.py on real bars: every trade and every statistic, over many configurations."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from support.backtesting_py import NAMES, assert_statistics_equal
from support.engine_backtest import run_engine
from support.peer_backtest import TRADE, Case, run_peer
from support.shared import ROOT, shared_data

RELATIVE = 1e-8
LESS_THAN_A_DAY = "less than a day lies between start and end"
CASES = [
    Case("BTC-USD", 10, 30),
    Case("BTC-USD", 5, 20),
    Case("BTC-USD", 20, 50),
    Case("BTC-USD", 2, 3),
    Case("BTC-USD", 50, 200),
    Case("BTC-USD", 10, 30, commission_bps=10),
    Case("BTC-USD", 10, 30, commission_bps=20),
    Case("BTC-USD", 10, 30, trade_on_close=True),
    Case("BTC-USD", 5, 20, trade_on_close=True, commission_bps=10),
    Case("BTC-USD", 10, 30, stop_loss=0.05),
    Case("BTC-USD", 10, 30, take_profit=0.08),
    Case("BTC-USD", 10, 30, stop_loss=0.03, take_profit=0.06),
    Case("BTC-USD", 5, 15, stop_loss=0.01, take_profit=0.01, commission_bps=10),
    Case("BTC-USD", 10, 30, stop_loss=0.04, take_profit=0.1, trade_on_close=True),
    Case("BTC-USD", 7, 23),
    Case("BTC-USD", 7, 23, fraction=0.9999),
    Case("BTC-USD", 10, 30, commission_bps=10, fraction=0.9999),
    Case("BTC-USD", 20, 100, cash=100_000_000),
    Case("BTC-USD", 10, 30, fraction=0.5),
    Case("BTC-USD", 10, 30, leverage=2, fraction=0.6),
    Case("BTC-USD", 20, 60, leverage=2, stop_loss=0.05, commission_bps=10),
    Case("BTC-USD", 10, 30, cash=100_000_000, commission_bps=20),
    Case("BTC-1M", 10, 30),
    Case("BTC-1M", 5, 20),
    Case("BTC-1M", 20, 60, commission_bps=1),
    Case("BTC-1M", 10, 30, trade_on_close=True),
    Case("BTC-1M", 10, 30, stop_loss=0.002, take_profit=0.003),
    Case("BTC-1M", 8, 24, stop_loss=0.001, trade_on_close=True, commission_bps=1),
    Case("BTC-1M", 10, 30, leverage=2),
    Case("BTC-1M", 15, 45, leverage=5, stop_loss=0.003),
    Case("BTC-1M", 10, 30, leverage=5, take_profit=0.004, fraction=0.5),
    Case(
        "BTC-1M", 30, 90, cash=100_000_000, leverage=2, commission_bps=1, stop_loss=0.004, take_profit=0.008
    ),
]
# The same configurations on the bars that backtesting.py brings along.
WHOLE = [
    case._replace(symbol={"BTC-USD": "GOOG", "BTC-1M": "EURUSD"}[case.symbol], cash=case.cash // 100)
    for case in CASES
]


def test_the_peer_run_is_the_published_one():
    """Our way of calling backtesting.py gives its own published result: 66 trades, 51,422.98999999996."""
    published = json.loads(
        shared_data("public/reference_results/backtesting_py_goog_sma10_30.json").read_text()
    )

    peer = run_peer(WHOLE[0])

    assert len(peer.trades) == 66
    for name, value in published["stats"].items():
        if name in NAMES.values():
            assert peer.statistics[name] == pytest.approx(value, rel=RELATIVE), name


def test_the_cases_cover_at_least_twenty_distinct_configurations():
    """Both data sets, commissions, closes, exits and leverage all occur, and exits do close trades."""
    assert len(set(CASES)) == len(CASES) >= 20
    assert {case.symbol for case in CASES} == {"BTC-USD", "BTC-1M"}
    for field in ("commission_bps", "trade_on_close", "stop_loss", "take_profit"):
        assert len({bool(getattr(case, field)) for case in CASES}) == 2, field
    assert {case.leverage for case in CASES} >= {1, 2, 5}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_trade_and_every_statistic_equals_the_peers(case):
    """Times and sizes are equal, prices, profit, commission, equity and statistics to 1e-8."""
    assert_equal_to_the_peer(case)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_trade_and_every_statistic_equals_the_peers_on_its_own_bars():
    """The same on 2,148 days and 5,000 hours."""
    for case in WHOLE:
        print(case)
        assert_equal_to_the_peer(case)


def assert_equal_to_the_peer(case):
    """Run both engines and compare all that they say."""
    peer, ours = run_peer(case), run_engine(case)

    assert len(peer.trades) >= 5
    assert peer.equity.min() > 0
    assert len(ours.trades) == len(peer.trades)
    for name in TRADE.names:
        exact = name in {"entry_time_ns", "exit_time_ns", "side", "quantity"}
        tolerance = 0 if exact else RELATIVE
        np.testing.assert_allclose(
            ours.trades[name], peer.trades[name], tolerance, 1e-9 * (not exact), err_msg=name
        )
    np.testing.assert_allclose(ours.equity, peer.equity, RELATIVE)
    # The bars of one minute last a minute less than a day, of which the peer computes annual figures.
    short = {name for name, why in ours.statistics["reasons"].items() if why == LESS_THAN_A_DAY}
    assert bool(short) == (case.symbol == "BTC-1M")
    assert_statistics_equal(ours.statistics, peer.statistics, but=short)


@pytest.mark.parametrize(("fast", "slow", "cash", "bps"), [(7, 23, 1_000_000, 0), (20, 100, 5_000_000, 10)])
def test_the_example_trades_as_the_peer_does_by_default(tmp_path, fast, slow, cash, bps):
    """`examples/backtest-btc.toml` is the peer's own example, its default order size included."""
    peer = run_peer(Case("BTC-USD", fast, slow, cash=cash, commission_bps=bps))
    settings = {
        # The peer trades whole units.
        "instruments.0.lot_size": 1,
        "strategy.fast": fast,
        "strategy.slow": slow,
        "account.cash": cash,
        "fees.taker_bps": bps,
    }

    done = subprocess.run(
        [
            *(sys.executable, "-m", "tradecore_api", "backtest", ROOT / "examples" / "backtest-btc.toml"),
            *(part for key, value in settings.items() for part in ("--set", f"{key}={value}")),
            "--json",
        ],
        env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert done.returncode == 0, done.stderr
    ours = json.loads(done.stdout)
    assert [float(trade["quantity"]) for trade in ours["trades"]] == peer.trades["quantity"].tolist()
    for name in ("entry_price", "exit_price", "pnl", "commission"):
        values = [float(trade[name]) for trade in ours["trades"]]
        np.testing.assert_allclose(values, peer.trades[name], RELATIVE, 1e-9, err_msg=name)
    final = float(ours["stats"]["final_equity"])
    assert final == pytest.approx(peer.statistics["Equity Final [$]"], rel=RELATIVE)
