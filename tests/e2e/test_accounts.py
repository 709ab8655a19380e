"""Two venue accounts in one engine: from the file of the example to what scripts and journals have."""

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal

from support.shared import ROOT

EXAMPLE = str(ROOT / "examples" / "backtest-two-venues.toml")


def tradecore(tmp_path, *arguments):
    """Run a command and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tradecore_api", *arguments],
        env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path / "state")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def backtest(tmp_path, *options):
    """Run the example and return what it prints as JSON."""
    return json.loads(tradecore(tmp_path, "backtest", EXAMPLE, "--json", *options))


def test_a_coin_is_bought_at_one_venue_and_its_perpetual_sold_at_the_other(tmp_path):
    """Each account pays for its own leg: what is worked out by hand from the two first bars.

    The coin costs 2,005.0 and ten basis points, the perpetual is sold at 2,007.0 for five. Funding goes to
    its account alone.
    """
    result = backtest(tmp_path)
    held = {name: Decimal(of["balance"]) for name, of in result["balances"].items()}
    funding = sum(Decimal(flow["amount"]) for flow in result["cash_flows"])
    assert result["positions"] == {"ETH-USDT": "1", "ETH-PERP": "-1"}
    assert held["USDT"] == 10_000 - Decimal("2005.0") * Decimal("1.001")
    assert held["perps:USDT"] == 2_000 - Decimal("2007.0") * Decimal("0.0005") + funding
    assert Decimal(result["accounts"]["spot"]) == held["USDT"] + Decimal("1700.0")
    assert Decimal(result["accounts"]["perps"]) == held["perps:USDT"] + Decimal("2007.0") - Decimal("1700.0")
    assert Decimal(result["equity"]) == sum(map(Decimal, result["accounts"].values()))


def test_the_cash_of_one_account_does_not_help_the_other(tmp_path):
    """Ten thousand dollars at one venue carry nothing at the other."""
    result = backtest(tmp_path, "--set", "accounts.0.cash=100")
    assert result["positions"] == {"ETH-USDT": "1"}
    assert Decimal(result["accounts"]["perps"]) == 100


def test_trades_name_their_account(tmp_path):
    """The last column of the file; of an engine with one account there is none."""
    tradecore(tmp_path, "backtest", EXAMPLE, "--trades", "trades.csv", "--set", "venue.finalize=close")
    with (tmp_path / "trades.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["symbol"], row["account"]) for row in rows} == {("ETH-USDT", "spot"), ("ETH-PERP", "perps")}
    one = str(ROOT / "examples" / "backtest-btc.toml")
    tradecore(tmp_path, "backtest", one, "--trades", "one.csv")
    assert "account" not in (tmp_path / "one.csv").read_text().splitlines()[0]


PAPER = """
mode = "paper"
[account]
name = "here"
cash = 100_000
[[accounts]]
name = "there"
cash = 50_000
fees = { taker_bps = 3 }
[accounts.risk]
open_orders_max = 20
[[instruments]]
symbol = "ONE"
tick_size = 0.01
lot_size = 0.001
[[instruments]]
symbol = "TWO"
account = "there"
tick_size = 0.01
lot_size = 0.001
[feed]
kind = "simulated"
seconds = 2
virtual = true
[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
name = "first"
instruments = ["ONE"]
[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
name = "second"
instruments = ["TWO"]
[journal]
path = "two.journal"
"""


def test_a_paper_run_of_two_accounts_replays_and_is_carried_over(tmp_path):
    """The journal makes itself again, goes on as it ended, and hands each balance to its account."""
    (tmp_path / "paper.toml").write_text(PAPER)
    tradecore(tmp_path, "run", "paper.toml")
    first = json.loads(tradecore(tmp_path, "journal", "replay", "two.journal", "--json"))
    assert first["state_hash"]
    again = json.loads(tradecore(tmp_path, "run", "paper.toml", "--json"))
    assert again["state_hash"] == first["state_hash"], "a restart at the end of the data ends as it did"
    tradecore(tmp_path, "run", "paper.toml", "--carry-over", "--set", "accounts.0.leverage=2")
    records = tradecore(tmp_path, "journal", "export", "two.journal").splitlines()
    opening = next(json.loads(line) for line in records if '"opening"' in line)
    assert set(opening["cash"]) == {"USD", "there:USD"}
