"""The example of a perpetual, from its file to the figures that a script reads."""

import json
import os
import subprocess
import sys

from support.shared import ROOT

EXAMPLE = str(ROOT / "examples" / "backtest-perpetual.toml")


def backtest(tmp_path, *options):
    """Run the example and return what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tradecore_api", "backtest", EXAMPLE, "--json", *options],
        env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_example_pays_funding_and_is_liquidated_at_the_hand_computed_price(tmp_path):
    """Bought at 2,007.1 with 200.71 set aside: 0.996 p <= 1,806.39 from 1,813.6 on; fee and loss take it all.

    Fundings are 1.0 times the last close times the rate; the commission is 5 bp of the entry.
    """
    result = backtest(tmp_path)
    trade = result["trades"][0]
    assert (trade["entry_price"], trade["exit_price"], trade["quantity"]) == ("2007.1", "1813.6", "1")
    assert [flow["kind"] for flow in result["cash_flows"]] == ["funding"] * 6 + ["liquidation_fee"]
    whose = {(row["symbol"], row["strategy"]) for row in [trade, *result["cash_flows"]]}
    assert whose == {("PERP", "LeveragedHolder")}
    funding = ["-0.20335", "-0.6201", "-0.4192", "0.20095", "0.7692", "0.3664"]
    assert [flow["amount"] for flow in result["cash_flows"][:6]] == funding
    assert result["costs"] == {
        "fees": "1.00355",
        "funding": "-0.0939",
        "borrow": "0",
        "liquidation_fee": "7.21",
        "insurance": "0",
    }
    assert result["equity"] == "4798.38035", "5,000 less 200.71, less the commission, plus 0.0939"
    assert result["positions"] == {}


def test_with_less_leverage_the_example_holds_to_the_end(tmp_path):
    """Three times leverage sets 669.03 aside, and the fall of 400 does not use it up."""
    result = backtest(tmp_path, "--set", "instruments.0.margin.leverage=3")
    assert result["trades"] == []
    assert result["positions"] == {"PERP": "1"}
    assert len(result["cash_flows"]) == 7
