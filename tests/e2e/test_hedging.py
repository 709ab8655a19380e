"""Positions that hedge, from the file of the example to paper sessions, their journals and their tables."""

import csv
import json
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal

import pytest

from support.command_line import CommandLine
from support.shared import ROOT
from tradecore_api.exit_codes import ExitCode

EXAMPLE = str(ROOT / "examples" / "backtest-hedging.toml")
PAPER = """
mode = "paper"
[account]
name = "hedged"
cash = 1_000_000
positions = "hedging"
[[instruments]]
symbol = "BTC-USD"
tick_size = 0.01
lot_size = 0.0001
[feed]
kind = "simulated"
seconds = 3
virtual = true
[strategy]
class = "straddler.py:Straddler"
[risk.account]
position_max = 0.05
[journal]
path = "hedged.journal"
"""
STRADDLER = '''
class Straddler:
    """Is long and short at once, and closes the oldest ticket of either side by its number."""

    seen: int = 0

    def on_book(self, ctx, book):
        """Open at every tenth book, close at every fifteenth."""
        self.seen += 1
        if self.seen % 10 == 0:
            ctx.buy(quantity=0.01, stop_loss_pct=0.2) if self.seen % 20 else ctx.sell(quantity=0.01)
        if self.seen % 15 == 0 and (tickets := ctx.tickets()):
            ctx.close(ticket=tickets[0].number)
'''


@pytest.fixture
def shell(tmp_path):
    """Return a command line in a folder with a paper configuration."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER)
    shell.write("straddler.py", STRADDLER)
    return shell


def test_the_long_one_is_held_while_short_ones_come_and_go(shell):
    """Each hedge is a trade of its own; the long one is closed once, as the data end."""
    result = json.loads(shell.run("backtest", EXAMPLE, "--json", "--trades", "trades.csv")[0])
    with (shell.folder / "trades.csv").open() as file:
        trades = list(csv.DictReader(file))
    longs = [trade for trade in trades if trade["side"] == "long"]
    shorts = [trade for trade in trades if trade["side"] == "short"]
    assert ([trade["quantity"] for trade in longs], len(shorts)) == (["0.1"], 15)
    assert {trade["quantity"] for trade in shorts} == {"0.05"}
    assert all(longs[0]["entry_time_utc"] < trade["entry_time_utc"] for trade in shorts)
    assert max(trade["exit_time_utc"] for trade in shorts) <= longs[0]["exit_time_utc"]
    made = sum(Decimal(trade["pnl"]) for trade in trades)
    assert Decimal(result["equity"]) == 10_000 + made


def test_a_paper_session_replays_and_goes_on_and_its_tables_have_both_sides(shell):
    """The journal makes itself again; tickets go on in the next one, and into no position that is netted."""
    shell.run("run", "paper.toml")
    first = json.loads(shell.run("journal", "replay", "hedged.journal", "--json")[0])
    again = json.loads(shell.run("run", "paper.toml", "--json")[0])
    assert again["state_hash"] == first["state_hash"]
    shell.refused(
        "run", "paper.toml", "--carry-over", "--set", "account.positions=netting",
        code=ExitCode.CONFIG, says=["account.positions", "was hedging", "tradecore flatten"],
    )  # fmt: skip
    shell.run("db", "rebuild", "--journal", "hedged.journal", "tables.sqlite")
    tables = json.loads(shell.run("db", "info", "tables.sqlite", "--json")[0])
    shell.run("run", "paper.toml", "--carry-over", "--set", "account.leverage=2")
    lines = shell.run("journal", "export", "hedged.journal")[0].splitlines()
    opening = next(json.loads(line) for line in lines if '"opening"' in line)
    sides = {lot["lots"] > 0 for lot in opening["lots"]}
    assert sides == {True, False}
    lots = Counter()
    for lot in opening["lots"]:
        lots[lot["entry_order"]] += lot["lots"]
    shown = {
        ticket["ticket"]: Decimal(ticket["quantity"]) / Decimal("0.0001") for ticket in tables["tickets"]
    }
    assert shown == lots
    with closing(sqlite3.connect(shell.folder / "tables.sqlite")) as connection:
        rows = connection.execute(
            "SELECT ticket, lots, side, opened_lots, closed_lots, closed_ns FROM tickets"
        )
        of_view = {number: rest for number, *rest in rows}
    assert {number: row[0] for number, row in of_view.items() if row[0]} == lots
    assert all((row[4] is None) == (row[0] != 0) for row in of_view.values())
    assert all(row[2] - row[3] == abs(row[0]) for row in of_view.values())
    assert {row[1] for row in of_view.values()} == {"long", "short"}
    (position,) = tables["positions"]
    assert Decimal(position["quantity"]) == sum(lots.values()) * Decimal("0.0001")
