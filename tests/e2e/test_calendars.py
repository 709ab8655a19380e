"""`calendar` of an instrument from the configuration to expiries, messages, journals and restarts."""

import json

import msgspec
import pytest

from support.command_line import PAPER, CommandLine
from tradecore.domain.journal import JournalFolder
from tradecore.sim.simulated_exchange import START_NS
from tradecore_api.exit_codes import ExitCode

HOUR_NS = 3_600_000_000_000
# The simulated exchange begins on New Year's Day: New York's next session is of Friday, until 16:00 there.
NEXT_SESSION_ENDS_NS = START_NS + 45 * HOUR_NS

DAY_ORDERS = '''
class EachTime:
    """Sends a buy for the day, far from the market, at every trade or bar, and writes down what expires."""

    def on_trade(self, ctx, trade):
        """Send one at some of the trades."""
        if trade.trade_id % 50 == 0:
            ctx.buy(quantity_lots=1, limit_ticks=10, time_in_force="day")

    def on_bar(self, ctx, bar):
        """Send one."""
        ctx.buy(quantity_lots=1, limit_ticks=10, time_in_force="day")

    def on_order(self, ctx, update):
        """Write down when an order expired."""
        if update.what == "expired":
            with open("told.txt", "a") as file:
                print(update.order_id, ctx.now_ns, file=file)
'''
DAILY = """
mode = "backtest"
account = { name = "daily", cash = 100_000 }
instruments = [{ symbol = "SPY", tick_size = 0.01, calendar = "XNYS" }]
data = { path = "daily.csv" }
strategy = { class = "orders.py:EachTime" }
"""
RUN = ("run", "paper.toml", "--set", "journal.path=journal", "--set", "log.level=error", "--json")
CALENDAR = ("--set", "instruments.0.calendar=XNYS", "--set", "strategy.class=orders.py:EachTime")


@pytest.fixture
def shell(tmp_path):
    """A folder with a paper session on a simulated exchange and a backtest on daily bars."""
    shell = CommandLine(tmp_path)
    shell.write("orders.py", DAY_ORDERS)
    shell.write("paper.toml", PAPER.replace("quantity = 0.01\nposition_max = 0.05\n", ""))
    shell.write("daily.toml", DAILY)
    return shell


def without_library(folder, missing='raise ModuleNotFoundError("No module", name="exchange_calendars")\n'):
    """Return an environment in which the library of exchanges is not installed, or is something else."""
    folder.mkdir()
    (folder / "exchange_calendars.py").write_text(missing)
    return {"PYTHONPATH": str(folder)}


def records(path, kind):
    """Return the fields of all records of a kind."""
    return [fields for _, _, found, fields in JournalFolder(path).reader() if found == kind]


def test_daily_bars_end_day_orders_with_the_sessions_of_the_exchange(shell):
    """Around the half day and the holiday of July 2024; the data are longer than the table is at least."""
    days = ["2021-01-04", "2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08", "2024-07-09"]
    rows = "".join(f"{day},100,101,99,100,1000\n" for day in days)
    shell.write("daily.csv", "time,open,high,low,close,volume\n" + rows)
    shell.run("backtest", "daily.toml", "--set", "data.interval_ns=86400000000000", "--json")
    told = [line.split() for line in (shell.folder / "told.txt").read_text().splitlines()]
    # Each is sent at midnight after its bar, so it lives on the next session: until its end, or until the bar
    # of that day closes, which is how long the order takes part in it.
    ends_ns = [
        1_609_880_400_000_000_000,  # 2021-01-05 16:00 in New York
        1_720_026_000_000_000_000,  # 2024-07-03 13:00
        1_720_209_600_000_000_000,  # 2024-07-05 16:00: the 4th is a holiday
        1_720_468_800_000_000_000,  # 2024-07-08 16:00: Friday's bar closes before the weekend
        1_720_555_200_000_000_000,  # 2024-07-09 16:00
    ]
    day_ns = 24 * HOUR_NS
    assert len(told) == len(ends_ns)
    for (_, time_ns), end_ns in zip(told, ends_ns, strict=True):
        assert end_ns <= int(time_ns) <= (end_ns // day_ns + 1) * day_ns


@pytest.mark.parametrize(
    ("calendar", "rule"),
    [
        ("XNYX", "must be 24/7, fx, or an exchange that exchange_calendars knows; did you mean 'XNYS'?"),
        ("XNYS", "needs the package exchange_calendars, which is not installed: pip install"),
    ],
)
def test_a_calendar_that_cannot_be_made_is_named_with_its_key(shell, tmp_path, calendar, rule):
    """By the check, by a run and by a backtest alike; nothing is written."""
    environment = without_library(tmp_path / "none") if calendar == "XNYS" else None
    given = ("--set", f"instruments.0.calendar={calendar}")
    for command in (("config", "check", "paper.toml"), RUN, ("backtest", "paper.toml")):
        says = ["instruments.0.calendar", calendar, rule]
        shell.refused(*command, *given, code=ExitCode.CONFIG, says=says, environment=environment)
    assert not (shell.folder / "journal").exists()


def test_a_library_that_lacks_what_it_needs_is_not_our_fault(shell, tmp_path):
    """The message names what cannot be imported, and nobody is asked to report it."""
    environment = without_library(tmp_path / "half", "import a_part_that_is_gone\n")
    says = ["instruments.0.calendar", "cannot be imported here", "a_part_that_is_gone", "pip install"]
    shell.refused(*RUN, *CALENDAR, code=ExitCode.CONFIG, says=says, environment=environment)


def test_a_restart_takes_the_table_of_its_journal_and_asks_no_library(shell, tmp_path):
    """What was recorded decides, however much later or elsewhere the start is."""
    shell.run(*RUN, *CALENDAR)
    journal = shell.folder / "journal"
    orders = records(journal, "order")
    assert len(orders) > 3
    assert {order["expire_ns"] for order in orders} == {NEXT_SESSION_ENDS_NS}
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) // 2])

    environment = without_library(tmp_path / "none")
    shell.run(*RUN, *CALENDAR, environment=environment)
    assert records(journal, "order") == orders
    replayed = json.loads(shell.run("journal", "replay", "journal", "--json", environment=environment)[0])
    assert replayed["orders"] == len(orders)


def test_a_recording_has_the_same_table_whenever_it_is_played(shell):
    """The table begins with the first event, not with today."""
    shell.run(*RUN, *CALENDAR)
    config = msgspec.json.decode(records(shell.folder / "journal", "session")[0]["config"])
    table = config["engine"]["calendars"]["XNYS"]
    assert table["first_ns"] == START_NS + 38 * HOUR_NS + HOUR_NS // 2
    assert 2 * 250 < len(table["spans"]) / 2 < 2 * 255


def test_a_restart_with_another_calendar_is_refused_by_its_name(shell):
    """One line that says what it was and what it is."""
    shell.run(*RUN, *CALENDAR)
    says = ["engine.instruments.0.calendar was 'XNYS', is 'fx'", "--new-journal"]
    changed = ("--set", "instruments.0.calendar=fx", *CALENDAR[2:])
    shell.refused(*RUN, *changed, code=ExitCode.CONFIG, says=says)
