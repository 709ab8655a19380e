"""A run without trades says why, at the shell and to scripts; mistakes are found before the run."""

import json

import pytest

from support.command_line import BACKTEST, PAPER, CommandLine
from tradecore_api.exit_codes import ExitCode

TIMID = '''
from beside import SIZE


class Timid:
    """Asks for more than it may, and has a slip of the pen."""

    def on_start(self, ctx):
        """Ask for an average that never comes."""
        self.slow = ctx.sma(500)

    def on_bar(self, ctx, bar):
        """Ask for too much."""
        ctx.buy(quantity=SIZE)

    def on_fils(self, ctx, fill):
        """Be never called."""
'''


@pytest.fixture
def shell(tmp_path):
    """Return a command line with a strategy that never trades."""
    shell = CommandLine(tmp_path)
    shell.write("timid.py", TIMID)
    shell.write("beside.py", "SIZE = 9\n")
    shell.write("timid.toml", BACKTEST.replace("hold.py:Hold", "timid.py:Timid") + RISK)
    return shell


DEAF = '''
class Deaf:
    """Hears nothing, for its callback has no such name."""

    def on_quot(self, ctx, quote):
        """Be never called."""

    def on_trade(self, ctx, trade):
        """Look on."""
'''
QUOTER = "tradecore_api.demo_strategies:Quoter"

RISK = """
[risk]
quantity_max = 5
"""


def test_a_backtest_without_trades_says_why(shell):
    """In words below the figures, as a warning before the run, and as values with `--json`."""
    output, talk = shell.run("backtest", "timid.toml")
    assert (
        "tradecore: strategy Timid: nothing calls on_fils (timid.py line 16): did you mean on_fill?" in talk
    )
    _, _, told = output.partition("\nno trades:\n")
    assert told.splitlines() == [
        "- strategy Timid: nothing calls on_fils (timid.py line 16): did you mean on_fill?",
        "- strategy Timid: sma(500) of ABC never got warm: it saw 80 of the 500 bars that it needs",
        (
            "- strategy Timid: quantity_max refused 80 orders; the first at 2024-08-09T23:54:13Z: "
            "the size is 9 ABC, allowed are 5 ABC"
        ),
    ]
    assert "not done                 80 orders refused: quantity_max 80" in output

    (mine,) = json.loads(shell.run("backtest", "timid.toml", "--json")[0])["activity"]["strategies"]
    assert mine["callbacks"] == {"on_start": 1, "on_bar": 80}
    assert mine["orders"]["sent"] == 0
    assert [(rule["rule"], rule["count"]) for rule in mine["refused"]] == [("quantity_max", 80)]
    assert mine["cold"][0]["bars_needed"] == 500


def test_a_run_without_a_fill_says_why(shell):
    """A paper run at its end, and a replay of its journal, which says the same."""
    shell.write("paper.toml", PAPER + "[risk]\nquantity_max = 0.001\n")
    options = ("--set", "journal.path=journal", "--set", "log.level=error")
    output, _ = shell.run("run", "paper.toml", *options)
    told = output.partition("\nno trades:\n")[2]
    assert "strategy Quoter: quantity_max refused" in told
    assert shell.run("journal", "replay", "journal")[0].partition("\nno trades:\n")[2] == told


def test_a_run_logs_once_what_nothing_calls(shell):
    """The slip of the pen is told at the start, with the name that was meant."""
    shell.write("deaf.py", DEAF)
    lines = PAPER.replace("seconds = 5", "seconds = 20")
    shell.write("paper.toml", lines.partition("quantity")[0].replace(QUOTER, "deaf.py:Deaf"))
    _, talk = shell.run("run", "paper.toml", "--set", "journal.path=journal")
    assert talk.count("nothing calls on_quot ") == 1
    assert "did you mean on_quote?" in talk


@pytest.mark.parametrize(
    ("callback", "says"),
    [
        (
            "def on_bar(self, bar): ...",
            ["on_bar takes other arguments", "def on_bar(self, ctx, bar)", "line 3"],
        ),
        ("async def on_bar(self, ctx, bar): ...", ["on_bar must not be async", "mine.py line 3"]),
    ],
)
def test_a_wrong_callback_is_found_before_the_run(shell, callback, says):
    """By `config check` as by the run: with file, line and the signature it should have."""
    shell.write("mine.py", f"\nclass Mine:\n    {callback}\n")
    shell.write("mine.toml", BACKTEST.replace("hold.py:Hold", "mine.py:Mine"))
    shell.refused("backtest", "mine.toml", code=ExitCode.CONFIG, says=["strategy.class", *says])
    assert says[0] in shell.run("config", "check", "mine.toml", code=ExitCode.CONFIG)[1]


def test_a_backtest_that_is_asked_for_a_journal_refuses(shell):
    """It writes none; the journal of a paper run's configuration is that of the run."""
    option = ("--set", "journal.path=journal")
    shell.refused(
        "backtest", "timid.toml", *option, code=ExitCode.CONFIG, says=["--set", "writes no journal"]
    )
    shell.write("past.toml", BACKTEST + '[journal]\npath = "journal"\n')
    for command in (("backtest",), ("config", "check")):
        shell.refused(*command, "past.toml", code=ExitCode.CONFIG, says=["past.toml", "writes no journal"])
    shell.write("paper.toml", PAPER + '[journal]\npath = "journal"\n')
    shell.run("backtest", "paper.toml")
    assert not (shell.folder / "journal").exists()


def test_a_price_between_two_ticks_names_the_setting(shell):
    """Adjusted prices fit no tick, and one setting rounds them."""
    shell.write("bars.csv", "time,open,high,low,close\n1700006400,1.005,2,1,1\n1700092800,1,2,1,1\n")
    says = ["bars.csv line 2", "must be a multiple of 0.01", 'rounding = "nearest"']
    shell.refused("backtest", "timid.toml", code=ExitCode.DATA, says=["open", *says])
    shell.run("backtest", "timid.toml", "--set", "data.rounding=nearest")
