"""An operator at night: what runs, how to end it, and why it died, in words and from real processes."""

import csv
import io
import json
import re
import signal
import sqlite3
import sys
import time
from decimal import Decimal

import pytest

from support.desk import PATIENCE_SECONDS, Desk
from support.disks import small_disk
from support.shared import ROOT
from tradecore_api.exit_codes import ExitCode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

LIMITS = """
[risk]
position_max = 0.03
open_orders_max = 4
[risk.account]
daily_loss_max = 500
gross_max = 100_000
"""
FAULTY = """
import msgspec


class Faulty(msgspec.Struct):
    quantity: float = 1.0
    position_max: float = 1.0

    def on_book(self, ctx, book):
        {fault}
"""


@pytest.fixture
def desk(tmp_path):
    """A desk with limits, which leaves no process behind."""
    desk = Desk(tmp_path, LIMITS)
    yield desk
    desk.close()


def ended(desk, fault, *options):
    """Run a strategy with a fault to its end; return the process."""
    (desk.directory / "faulty.py").write_text(FAULTY.format(fault=fault))
    process = desk.start(
        "--set", f"strategy.class={desk.directory / 'faulty.py'}:Faulty", *options, until_running=False
    )
    process.communicate(timeout=PATIENCE_SECONDS)
    return process


def test_status_right_after_a_command_says_what_it_did(desk):
    """Paused is paused at once: with the engine's answer, and in the heartbeat that others read."""
    desk.start()
    for command, is_paused in (("pause", True), ("resume", False)) * 3:
        desk.call(command, "one", code=ExitCode.OK)
        shown = desk.call("status", "one", code=ExitCode.OK).stdout
        assert ("running, PAUSED" in shown) is is_paused, shown
        found = desk.status()
        assert found["engine"]["is_paused"] is is_paused
        assert found["heartbeat"]["is_paused"] is is_paused


def test_ending_what_never_was_is_said(desk):
    """A release or a resume changes nothing then and says so; it is no error."""
    desk.start()
    for command, said in (
        (("release", "account", "--by", "Ada"), "one: nothing was halted in account, so nothing changed\n"),
        (
            ("release", "strategy:Quoter", "--by", "Ada"),
            "one: nothing was halted in strategy:Quoter, so nothing changed\n",
        ),
        (("resume", "one"), "one: it was not paused, so nothing changed\n"),
        (("kill", "one", "--release"), "one: the kill switch was not engaged, so nothing changed\n"),
    ):
        assert desk.call(*command, code=ExitCode.OK).stdout == said
    desk.call("kill", "one", code=ExitCode.OK)
    said = desk.call("kill", "one", "--release", code=ExitCode.OK).stdout
    assert said == "one: the kill switch is released\n"


def test_status_shows_money_positions_limits_and_the_feed(desk):
    """What is worth how much, what is held at which price, how much of a limit is used, and the feed."""
    desk.start()
    desk.wait_until(lambda: desk.engine().get("position_rows"))
    shown = desk.call("status", "one", code=ExitCode.OK).stdout
    engine = desk.engine()

    for word in (
        "equity",
        "PnL today",
        "realised",
        "unrealised",
        "entry price",
        "Quoter",
        "gross_max",
        "last event",
    ):
        assert word in shown, (word, shown)
    assert Decimal(engine["equity"]) - Decimal(engine["cash"]) != 0
    assert Decimal(engine["pnl"]) == Decimal(engine["realised"]) + Decimal(engine["unrealised"])
    assert engine["pnl_session"] == engine["pnl"]
    (held,) = engine["position_rows"]
    assert (held["symbol"], held["strategy"]) == ("BTC-USD", "Quoter")
    assert abs(Decimal(held["entry_price"]) - 60_000) < 1000
    limits = {(row["scope"], row["limit"]): row for row in engine["limit_rows"]}
    assert limits["instrument:BTC-USD", "position_max"]["value"] == "0.03"
    assert 0 < Decimal(limits["account", "gross_max"]["used"]) <= 100_000
    assert engine["feed_age_seconds"] < 5
    assert engine["read_model_lag_records"] is None or engine["read_model_lag_records"] >= 0


def test_the_parts_of_the_profit_add_up_with_the_fees_among_them(desk):
    """An operator who adds the figures of the line gets the profit at its beginning."""
    desk.start("--set", "fees.maker_bps=15", "--set", "fees.taker_bps=15")
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    line = next(line for line in desk.call("status", "one").stdout.splitlines() if line.startswith("PnL "))
    said = re.fullmatch(
        r"PnL +(\S+) USD since the account began \(realised (\S+), unrealised (\S+), fees (\S+)\)", line
    )

    assert said is not None, line
    whole, *parts = map(Decimal, said.groups())
    assert abs(whole - sum(parts)) < Decimal("1e-7")  # each is rounded as it is shown
    assert parts[-1] < 0


def test_stop_ends_the_engine_cleanly_and_asking_again_is_no_error(desk):
    """It waits for the end, says what is left behind, and the codes are those of the other commands."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    began = time.monotonic()
    first = desk.call("stop", "one", code=ExitCode.OK)
    elapsed = time.monotonic() - began
    summary = json.loads(process.communicate(timeout=5)[0])

    assert process.returncode == ExitCode.OK
    assert (summary["journal_verified"], summary["is_interrupted"]) == (True, True)
    told = re.search(r"stopped cleanly after (\d+\.\d) s;", first.stdout)
    assert told, first.stdout
    assert 0 <= float(told[1]) <= elapsed + 0.05  # as it is rounded
    assert f"{summary['orders']:,} orders and {summary['fills']:,} fills" in first.stdout
    again = desk.call("stop", "one", "--json", code=ExitCode.OK)
    assert "nothing to stop" in json.loads(again.stdout)["message"]
    unknown = desk.call("stop", "typo", code=ExitCode.NOT_RUNNING)
    assert "CHECK THE NAME" in unknown.stderr
    status = json.loads(desk.call("status", "one", "--json", code=ExitCode.NOT_RUNNING).stdout)
    assert (status["why"], status["last_words"]["is_clean"]) == ("`tradecore stop` ended it", True)
    tail = desk.call("journal", "tail", str(desk.directory / "state/one/engine.journal"), "-n", "1").stdout
    assert "session ended: `tradecore stop` was called" in tail


def test_stop_of_an_engine_that_does_not_answer_says_how_to_end_it(desk):
    """A hang is no clean end: the code says so and the message names the way out."""
    process = desk.start()
    process.send_signal(signal.SIGSTOP)
    refused = desk.call("stop", "one", code=ExitCode.HUNG)
    assert "emergency-stop one" in refused.stderr


def test_a_dead_engine_says_why_with_file_and_line_and_what_to_do(desk):
    """The exception of a strategy, its place, the exit code, the end of the log: from `status` alone."""
    process = ended(desk, 'raise ValueError("no price for " + repr(book.is_valid))')
    assert process.returncode == ExitCode.STRATEGY
    shown = desk.call("status", "one", code=ExitCode.DEAD).stdout
    words = json.loads(desk.call("status", "one", "--json").stdout)["last_words"]

    assert "ValueError: no price for True (faulty.py line 10)" in shown
    assert "strategy 'Faulty' failed in on_book" in shown
    assert "mend the strategy, then start again" in shown
    assert "exit code 7" in shown
    assert "tradecore 0.1.0 starts: account one" in "\n".join(words["log"])
    assert "it had died: strategy 'Faulty' failed" in desk.call("stop", "one", code=ExitCode.DEAD).stderr
    asked = desk.call("flatten", "one", code=ExitCode.DEAD)
    assert "no engine runs; it had died, so nothing was done: `tradecore status one` says why" in asked.stderr
    assert (desk.directory / "state/one/last_words.json").stat().st_mode & 0o777 == 0o600


def test_an_interrupt_that_a_strategy_raises_is_its_own(desk):
    """Ctrl-C raises none in a run: code 7 keeps a supervisor from starting it again, as 130 would not."""
    process = ended(desk, "raise KeyboardInterrupt")
    assert process.returncode == ExitCode.STRATEGY
    words = json.loads(desk.call("status", "one", "--json").stdout)["last_words"]
    assert words["reason"].startswith("strategy 'Faulty' failed in on_book at ")
    assert words["reason"].endswith(": KeyboardInterrupt (faulty.py line 10)")


def test_last_words_stay_small_whatever_an_exception_says(desk):
    """A message of megabytes fills no disk."""
    ended(desk, 'raise ValueError("x" * 5_000_000)')
    assert (desk.directory / "state/one/last_words.json").stat().st_size < 30_000
    assert "failed in on_book" in desk.call("status", "one", code=ExitCode.DEAD).stdout


def test_an_engine_that_vanished_is_told_from_one_that_failed(desk):
    """`kill -9`, as the system does without memory, leaves no words, also where an end before left some."""
    ended(desk, "raise ValueError('old')", "--set", "journal.path=" + str(desk.directory / "other.journal"))
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    process.kill()
    process.wait()
    shown = desk.call("status", "one", code=ExitCode.DEAD).stdout

    assert "killed from outside (kill -9, or the system when memory ran out)" in shown
    assert "Out of memory" in shown
    assert "old" not in shown.replace("hold", "")
    assert re.search(r"left +[\d,]+ orders and [\d,]+ fills so far, equity 9\d,?\d{3}|equity 1\d", shown)


def test_a_full_disk_is_named_with_what_to_do(desk, tmp_path):
    """A journal that cannot be written ends the engine; the words are there when there is room for them."""
    with small_disk(tmp_path / "disk", 4) as disk:
        (disk / "ballast").write_bytes(bytes(4096))
        process = desk.start("--set", f"journal.path={disk / 'engine.journal'}", until_running=False)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitCode.STORAGE
    status = json.loads(desk.call("status", "one", "--json").stdout)
    assert status["failed_start"]["exit_code"] == ExitCode.STORAGE
    assert "engine.journal" in status["failed_start"]["reason"]
    assert "No space left" in status["failed_start"]["reason"]
    assert "make room" in status["failed_start"]["next_step"]


def test_a_start_that_failed_is_told_beside_the_end_before_it(desk):
    """The end before keeps its words; the next start that works takes both away."""
    desk.start()
    desk.call("stop", "one", code=ExitCode.OK)
    refused = desk.start("--set", "account.cash=5", until_running=False)
    assert refused.wait(PATIENCE_SECONDS) == ExitCode.CONFIG
    shown = desk.call("status", "one", code=ExitCode.NOT_RUNNING).stdout
    assert "`tradecore stop` ended it" in shown
    assert "failed start at" in shown
    assert "engine.account.cash was '100000', is '5'" in shown

    desk.start()
    assert "failed start" not in desk.call("status", "one", code=ExitCode.OK).stdout


def test_the_log_says_at_the_start_what_runs_and_from_where(desk):
    """Version, mode, account, instruments, strategy, limits, journal, money, and how to end it."""
    desk.start()
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    desk.call("stop", "one", code=ExitCode.OK)
    desk.start()
    desk.call("stop", "one", code=ExitCode.OK)
    first, second = [path.read_text() for path in sorted(desk.directory.glob("log-*"))]

    for words in (
        "tradecore 0.1.0 starts: account one, paper mode, pid ",
        "trades BTC-USD (tick 0.01, lot 0.0001); feed simulated (seed 7, seconds 600",
        "strategy Quoter (tradecore_api.demo_strategies:Quoter)",
        "parameters: quantity 0.01, position_max 0.05",
        "gross_max 100000 (account)",
        "engine.journal: new",
        "cash 100000.00 USD, equity 100000.00 USD",
        "end: `tradecore stop one` or Ctrl-C",
    ):
        assert words in first, words
    assert re.search(
        r"goes on after [\d,]+ records; [\d,]+ market events( since the snapshot at [\d,]+)? were replayed",
        second,
    )
    assert re.search(r"Quoter (bought|sold) 0\.01 BTC-USD at \d{5}\.\d\d as (maker|taker), fee", first)
    assert not re.search(r"ticks|_ns=|atto", first + second)
    for line in (first + second).splitlines():
        assert re.match(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) ", line), line


def test_orders_that_were_open_at_a_restart_are_told_by_name(desk):
    """A report after a restart names the order that an earlier session sent."""
    desk.config.write_text(desk.config.read_text().replace(LIMITS, ""))
    desk.start()
    desk.wait_until(lambda: desk.engine().get("order_rows"))
    desk.call("stop", "one", code=ExitCode.OK)
    desk.start("--set", "log.level=debug")
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    desk.call("kill", "one", code=ExitCode.OK)
    desk.call("stop", "one", code=ExitCode.OK)
    log = max(desk.directory.glob("log-*")).read_text()

    assert "KILL SWITCH engaged" in log
    told = [line for line in log.splitlines() if re.search(r" order \d+ ", line)]
    assert told
    assert not [line for line in told if " of Quoter" not in line and "for Quoter" not in line][:3]


def test_the_trades_of_an_account_its_journal_and_its_tables_are_one_file(desk):
    """Exact to the last digit, and together they are what the account has realised."""
    process = desk.start("--set", "fees.maker_bps=1.5")
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 8)
    desk.call("stop", "one", code=ExitCode.OK)
    summary = json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0])
    state = desk.directory / "state/one"
    files = {}
    for name, source in (
        ("account", ["one"]),
        ("journal", [str(state / "engine.journal")]),
        ("tables", ["--db", str(state / "readmodel.sqlite")]),
    ):
        path = desk.directory / f"{name}.csv"
        done = desk.call("trades", *source, "--csv", str(path), code=ExitCode.OK)
        assert "closed trade" in done.stderr
        assert done.stdout == ""
        files[name] = path.read_text()
    assert files["account"] == files["journal"] == files["tables"]
    rows = list(csv.DictReader(io.StringIO(files["account"])))
    assert rows
    assert desk.call("trades", "one", "--csv", "-").stdout == files["account"]

    with sqlite3.connect(state / "readmodel.sqlite") as tables:
        (fees,) = tables.execute("SELECT COALESCE(SUM(CAST(fee_atto AS INTEGER)), 0) FROM fills").fetchone()
    tables.close()
    paid = sum(Decimal(row["fees"]) for row in rows)
    assert 0 < paid <= Decimal(fees).scaleb(-18)
    if not summary["positions"]:
        assert sum(Decimal(row["pnl"]) for row in rows) == Decimal(str(summary["pnl"]))
    last = rows[-1]["exit_time_utc"].replace(" ", "T")[:26] + "Z"
    later = json.loads(desk.call("trades", "one", "--since", last, "--json", code=ExitCode.OK).stdout)
    assert 1 <= len(later) < len(rows)
    before = json.loads(desk.call("trades", "one", "--until", last, "--json", code=ExitCode.OK).stdout)
    assert len(later) + len(before) == len(rows)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere"], ExitCode.CONFIG, "no account of this name has a journal"),
        (["no/such.journal"], ExitCode.STORAGE, "no such journal file"),
        (["--db", "nowhere.sqlite"], ExitCode.STORAGE, "no such read model"),
        (["--since", "yesterday"], ExitCode.CONFIG, "must be a date or a time"),
        (["--csv", "no/such/folder/x.csv"], ExitCode.CONFIG, "its directory does not exist"),
        (["--csv", "trades.parquet"], ExitCode.CONFIG, "the file is CSV: let its name end in .csv"),
        ([], ExitCode.CONFIG, "name an account"),
    ],
)
def test_trades_that_cannot_be_found_say_what_to_name(desk, arguments, code, says):
    """One line, the code of who must act, nothing written."""
    done = desk.call("trades", *arguments, code=code)
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_terminal_that_is_closed_ends_the_run_cleanly(desk):
    """SIGHUP is a clean end; `status` says what it was."""
    # Under `nohup` the tests ignore it, and what they start would too.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        process = desk.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    assert json.loads(process.communicate(timeout=10)[0])["journal_verified"] is True
    assert process.returncode == ExitCode.OK
    assert "its terminal was closed" in desk.call("status", "one", code=ExitCode.NOT_RUNNING).stdout


def test_what_an_engine_leaves_behind_is_known_without_it(desk):
    """Equity, PnL and positions are in its last heartbeat."""
    process = desk.start()
    desk.wait_until(lambda: desk.engine().get("fills", 0) > 0)
    desk.call("stop", "one", code=ExitCode.OK)
    summary = json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0])
    beat = json.loads(desk.call("status", "one", "--json", code=ExitCode.NOT_RUNNING).stdout)["heartbeat"]

    assert Decimal(beat["equity"]) == Decimal(summary["equity"])
    assert Decimal(beat["pnl"]) == Decimal(summary["pnl"])
    sizes = {name: Decimal(size) for name, size in summary["positions"].items()}
    assert {name: Decimal(size) for name, size in beat["positions"].items()} == sizes
    assert beat["currency"] == "USD"


def test_a_backtest_writes_its_trades_to_the_same_kind_of_file(desk):
    """As many rows as trades, each with what the result says, exact instead of in floats."""
    path = desk.directory / "trades.csv"
    example = str(ROOT / "examples" / "backtest-btc.toml")
    done = desk.call("backtest", example, "--trades", str(path), "--json", code=ExitCode.OK)
    trades = json.loads(done.stdout)["trades"]
    rows = list(csv.DictReader(io.StringIO(path.read_text())))

    assert len(rows) == len(trades) > 10
    assert f"{len(rows)} closed trades written to {path}" in done.stderr
    for row, trade in zip(rows, trades, strict=True):
        assert row["side"] == trade["side"]
        assert float(row["pnl"]) == pytest.approx(float(trade["pnl"]))
        assert float(row["quantity"]) == pytest.approx(float(trade["quantity"]))
    for name, says in (
        ("no/such/folder/x.csv", "its directory does not exist"),
        ("x.xlsx", "the file is CSV"),
    ):
        refused = desk.call("backtest", example, "--trades", name, code=ExitCode.CONFIG)
        assert says in refused.stderr
        assert not (desk.directory / name).exists()
