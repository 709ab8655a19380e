"""The examples of accounts in several currencies, from their files to the balances that a script reads."""

import json
import os
import subprocess
import sys
from decimal import Decimal

from support.shared import ROOT


def backtest(tmp_path, name, *options):
    """Run an example and return what it prints as JSON."""
    example = str(ROOT / "examples" / f"backtest-{name}.toml")
    done = subprocess.run(
        [sys.executable, "-m", "tradecore_api", "backtest", example, "--json", *options],
        env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def amounts(result, what="balance"):
    """Return an amount of every currency."""
    return {name: Decimal(held[what]) for name, held in result["balances"].items()}


def test_spot_moves_two_balances_and_never_sells_what_is_not_there(tmp_path):
    """Dollars and coins are what was brought and what every trade moved, to the last digit."""
    result = backtest(tmp_path, "spot")
    held, fees = amounts(result), amounts(result, "fees")
    assert min(held.values()) >= 0
    size = Decimal(result["positions"].get("BTC-USD", 0))
    assert held["BTC"] == Decimal("0.25") + size
    assert held["BNB"] == 1
    open_cost = 5_000 + amounts(result, "realised")["USD"] - fees["USD"] - held["USD"]
    assert (open_cost > 0) == (size > 0), "what is not there was paid for what is held"
    assert Decimal(result["equity"]) == sum(amounts(result, "worth").values())


def test_a_token_pays_the_fees_while_there_is_enough_of_it(tmp_path):
    """Half a token at 300 dollars pays the first fees; the others are taken in dollars."""
    result = backtest(tmp_path, "fee-token")
    held, fees = amounts(result), amounts(result, "fees")
    assert held["BNB"] == Decimal("0.5") - fees["BNB"]
    assert 0 <= held["BNB"] < Decimal("0.5") < held["BNB"] + fees["BNB"] * 2
    assert fees["USDT"] > 0
    other = backtest(tmp_path, "fee-token", "--set", "account.cash.BNB=0")
    assert amounts(other, "fees")["BNB"] == 0


def test_a_contract_in_coin_earns_and_pays_coin(tmp_path):
    """The coins are what was brought, what was earned and what was paid; the account reports in dollars."""
    result = backtest(tmp_path, "coin-m")
    held, fees = amounts(result), amounts(result, "fees")
    assert held["USD"] == fees["USD"] == 0
    assert held["BTC"] == Decimal("0.5") + amounts(result, "realised")["BTC"] - fees["BTC"]
    assert held["BTC"] > Decimal("0.5")
