"""Money, prices and sizes have one form in every JSON output: decimal text."""

import json
import re

import pytest

from support.command_line import PAPER, CommandLine
from support.desk import Desk
from tradecore_api.exit_codes import ExitCode

DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Names, or what they end with, of values that are money, prices or sizes.
DECIMALS = re.compile(
    r"(^|_)(pnl|equity|cash|fee|fees|funding|borrow|insurance|commissions?|amount|price|quantity|maintenance"
    r"|price_min|price_max|tick_size|lot_size|equity_peak|gross|net|notional)$"
)
# Ratios and lengths in seconds: floats, and no money.
FLOATS = re.compile(
    r"_pct$|_seconds$|^(sharpe|sortino|calmar|beta|profit_factor|sqn|kelly|limit|value|max_|avg_)"
)

PERPETUAL = """
mode = "backtest"
account = { name = "past", cash = 10_000 }
instruments = [{ symbol = "ABC", tick_size = 0.01, lot_size = 0.001, borrow_ppm = 90_000 }]
data = { path = "waves.csv" }
fees = { taker_bps = 3 }
venue = { finalize = "close" }
strategy = { class = "turns.py:Turns" }
"""
TURNS = '''
class Turns:
    """Turns its position at every third bar."""

    def on_start(self, ctx):
        """Begin with none."""
        self.seen = 0

    def on_bar(self, ctx, bar):
        """Turn."""
        self.seen += 1
        if self.seen % 3 == 0:
            ctx.target(0.007 if self.seen % 2 else -0.013)
'''


@pytest.fixture
def shell(tmp_path):
    """Return a command line with a market that moves."""
    shell = CommandLine(tmp_path)
    rows = [f"{1_700_006_400 + 86_400 * i},{p},{p + 2},{p - 2},{p + 1},9" for i, p in waves()]
    shell.write("waves.csv", "\n".join(["time,open,high,low,close,volume", *rows]) + "\n")
    shell.write("turns.py", TURNS)
    shell.write("past.toml", PERPETUAL)
    shell.write("paper.toml", PAPER)
    return shell


def waves():
    """Yield days with prices that go up and down."""
    return ((day, 100 + (day * 7) % 23) for day in range(60))


def check(value, name=""):
    """Walk a document; return how many decimals it has."""
    if isinstance(value, dict):
        return sum(check(item, key) for key, item in value.items())
    if isinstance(value, list):
        return sum(check(item, name) for item in value)
    if isinstance(value, float):
        assert FLOATS.search(name), (name, value)
    if not DECIMALS.search(name) or value is None:
        return 0
    assert isinstance(value, str), (name, value)
    assert DECIMAL.fullmatch(value), (name, value)
    return 1


RUN = ("run", "paper.toml", "--json", "--set", "journal.path=journal", "--set", "log.level=error")


def test_a_backtest_writes_decimals_as_text(shell):
    """Trades, cash flows, costs, figures that are money, and the summary; so does what looks at its data."""
    past = json.loads(shell.run("backtest", "past.toml", "--json")[0])
    assert len(past["trades"]) > 10
    assert past["cash_flows"]
    assert check(past) > 50
    assert past["positions"] == {}
    check(json.loads(shell.run("data", "inspect", "waves.csv", "--json")[0]))
    check(json.loads(shell.run("config", "check", "past.toml", "--json")[0]))


def test_a_run_and_its_replay_write_decimals_as_text(shell):
    """The summaries are of one form."""
    run = json.loads(shell.run(*RUN)[0])
    assert run["fills"] > 0
    assert check(run) >= 2
    assert all(DECIMAL.fullmatch(size) for size in run["positions"].values())
    assert check(json.loads(shell.run("journal", "replay", "journal", "--json")[0])) >= 2


def test_the_demo_writes_decimals_as_text(shell):
    """As a run does."""
    assert check(json.loads(shell.run("demo", "--virtual", "--seconds", "2", "--json")[0])) >= 2


@pytest.mark.parametrize("command", [("export", "journal"), ("tail", "journal", "--json", "-n", "100000")])
def test_the_records_of_a_journal_have_money_as_text(shell, command):
    """Every fill has a fee."""
    fills = json.loads(shell.run(*RUN)[0])["fills"]
    records = [json.loads(line) for line in shell.run("journal", *command)[0].splitlines()]
    assert sum(check(record) for record in records) >= fills > 0


def test_what_looks_at_a_journal_has_no_money_as_number(shell):
    """`journal verify` and `data inspect`."""
    shell.run(*RUN)
    check(json.loads(shell.run("data", "inspect", "journal", "--json")[0]))
    check(json.loads(shell.run("journal", "verify", "journal", "--json")[0]))


def test_what_a_running_engine_says_has_the_same_form(tmp_path):
    """`status` of an engine that trades."""
    desk = Desk(tmp_path)
    process = desk.start()
    try:
        desk.wait_until(lambda: desk.status()["engine"].get("fills"), process)
        status = desk.status()
        assert check(status) >= 8
        assert all(DECIMAL.fullmatch(size) for size in status["engine"]["positions"].values())
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.OK
    assert check(json.loads(output)) >= 2
