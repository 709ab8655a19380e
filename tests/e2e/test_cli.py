"""The command line as scripts see it: data on stdout, talk on stderr, exit codes that mean something."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from support.shared import EXAMPLE_DATA, ROOT
from tradecore_api.exit_codes import ExitCode

CAPTURE = EXAMPLE_DATA / "binance-spot.gz"
BARS = EXAMPLE_DATA / "btc-daily.csv"
PAPER = str(ROOT / "examples" / "paper-binance-capture.toml")
BACKTEST = str(ROOT / "examples" / "backtest-btc.toml")
RUN_KEYS = {
    "events",
    "orders",
    "fills",
    "refusals",
    "pnl",
    "positions",
    "journal_head",
    "journal_verified",
    "book",
    "orders_digest",
    "state_hash",
}


@pytest.fixture
def tradecore(tmp_path):
    """Run a command with a state directory of its own; `code` is what it must end with."""

    def run(*arguments, code=ExitCode.OK, cwd=None, **environment):
        done = subprocess.run(
            [sys.executable, "-m", "tradecore_api", *arguments],
            env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path / "state"), **environment},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=50,
        )
        assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        assert "Traceback" not in done.stderr
        return done

    return run


def test_the_virtual_demo_prints_one_journal_head_for_one_seed(tradecore):
    """Same seed, same bytes, whatever PYTHONHASHSEED; another seed, other bytes."""
    arguments = ("demo", "--virtual", "--seconds", "5", "--json")
    first = json.loads(tradecore(*arguments, PYTHONHASHSEED="1").stdout)
    second = json.loads(tradecore(*arguments, PYTHONHASHSEED="2").stdout)
    other = json.loads(tradecore(*arguments, "--seed", "8").stdout)

    assert first.keys() >= RUN_KEYS
    assert first["book"].keys() >= {"compared", "mismatches", "gaps", "resyncs"}
    assert first == second
    assert first["journal_verified"] is True
    assert first["fills"] > 0
    assert other["journal_head"] != first["journal_head"]


def test_the_demo_keeps_its_journal_when_asked_and_never_overwrites_one(tradecore, tmp_path):
    """The kept journal verifies and replays to the printed hashes."""
    path = str(tmp_path / "demo.journal")
    demo = json.loads(tradecore("demo", "--virtual", "--seconds", "2", "--json", "--journal", path).stdout)
    verdict = json.loads(tradecore("journal", "verify", path, "--json").stdout)
    replayed = json.loads(tradecore("journal", "replay", path, "--json").stdout)

    assert verdict["status"] == "intact"
    assert verdict["head"] == demo["journal_head"]
    assert replayed["state_hash"] == demo["state_hash"]
    assert replayed["orders_digest"] == demo["orders_digest"]
    refused = tradecore("demo", "--virtual", "--journal", path, code=ExitCode.CONFIG)
    assert "exists already" in refused.stderr


def test_a_demo_that_nobody_watches_prints_plain_lines(tradecore):
    """No terminal, no drawing: a line now and then on stderr, the summary on stdout."""
    done = tradecore("demo", "--seconds", "1")
    assert "journal_verified  yes" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_the_demo_early_with_its_summary(tmp_path):
    """What ran so far is summed up and verified; the exit code says that all is well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tradecore_api", "demo", "--seconds", "600", "--json"],
        env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The first plain line says that it runs.
    assert "events" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    summary = json.loads(output)
    assert process.returncode == ExitCode.OK
    assert summary["is_interrupted"] is True
    assert summary["journal_verified"] is True


def test_the_paper_run_its_replay_and_its_backtest_give_the_same_orders(tradecore, tmp_path):
    """One engine: the capture run in paper, replayed from its journal, and backtested from its events."""
    capture = CAPTURE
    setting = ("--set", f"feed.path={capture}", "--set", "log.level=error")
    run = json.loads(tradecore("run", PAPER, *setting, "--json").stdout)
    journal = run["journal"]
    replayed = json.loads(tradecore("journal", "replay", journal, "--json").stdout)
    tested = json.loads(
        tradecore("backtest", PAPER, *setting, "--set", f"data.path={journal}", "--json").stdout
    )

    assert run.keys() >= RUN_KEYS
    assert run["book"]["compared"] == 110
    assert run["book"]["mismatches"] == 0
    assert run["fills"] > 0
    assert replayed["state_hash"] == run["state_hash"]
    assert tested["orders_digest"] == run["orders_digest"]
    again = json.loads(tradecore("run", PAPER, *setting, "--json").stdout)
    assert again["journal_head"] == run["journal_head"]


def test_the_backtest_prints_trades_and_statistics(tradecore):
    """The keys scripts rely on, and the figures of the peer in whole units."""
    setting = ("--set", "instruments.0.lot_size=1", "--set", "account.cash=1_000_000")
    result = json.loads(tradecore("backtest", BACKTEST, *setting, "--json").stdout)
    trade = result["trades"][0]

    assert result["stats"]["trades"] == len(result["trades"]) == 39
    assert float(result["stats"]["final_equity"]) == pytest.approx(41_711_850.34, abs=1e-8)
    assert trade.keys() >= {
        "entry_time",
        "exit_time",
        "side",
        "quantity",
        "entry_price",
        "exit_price",
        "pnl",
        "commission",
    }
    assert (trade["symbol"], trade["strategy"]) == ("BTC-USD", "SmaCross")
    assert result["stats"].keys() >= {
        "return_pct",
        "max_drawdown_pct",
        "sharpe",
        "win_rate_pct",
        "profit_factor",
        "exposure_pct",
    }
    dearer = json.loads(
        tradecore("backtest", BACKTEST, *setting, "--set", "fees.taker_bps=10", "--json").stdout
    )
    assert float(dearer["stats"]["final_equity"]) < float(result["stats"]["final_equity"])


def test_the_backtest_prints_money_as_money(tradecore):
    """To the cent, and never as 4.17119e+07; below a thousand, perhaps of coins, with more digits."""
    setting = ("--set", "instruments.0.lot_size=1", "--set", "account.cash=1_000_000")
    lines = dict(
        line.split(None, 1) for line in tradecore("backtest", BACKTEST, *setting).stdout.splitlines()
    )
    assert lines["final_equity"] == "41,711,850.34"
    assert lines["commissions"] == "0"
    assert not [value for value in lines.values() if re.fullmatch(r"[-\d.,]+e\+\d+", value)]


def test_a_damaged_journal_is_named_with_its_place(tradecore, tmp_path):
    """One flipped byte fails the check; a journal that is none is one clear error."""
    path = tmp_path / "demo.journal"
    tradecore("demo", "--virtual", "--seconds", "1", "--journal", str(path))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    verdict = json.loads(
        tradecore("journal", "verify", str(path), "--json", code=ExitCode.CHECK_FAILED).stdout
    )
    assert verdict["status"] == "damaged"

    path.write_bytes(b"no journal at all, but long enough to have had a header of its own")
    assert str(path) in tradecore("journal", "verify", str(path), code=ExitCode.STORAGE).stderr
    assert "no such journal" in tradecore("journal", "tail", "gone", code=ExitCode.STORAGE).stderr


def test_a_truncated_capture_is_one_error_and_loses_nothing_before_it(tradecore, tmp_path):
    """What the capture gave is journalled; the error names the place; the journal verifies."""
    whole = CAPTURE.read_bytes()
    broken = tmp_path / "broken.gz"
    broken.write_bytes(whole[: len(whole) // 2])
    setting = ("--set", f"feed.path={broken}", "--set", "log.level=error")
    done = tradecore("run", PAPER, *setting, code=ExitCode.DATA)
    journal = str(tmp_path / "state" / "binance-capture" / "engine.journal")

    assert "broken.gz" in done.stderr
    verdict = json.loads(tradecore("journal", "verify", journal, "--json").stdout)
    assert verdict["status"] == "intact"
    assert verdict["records"] > 1000


def test_bad_rows_and_files_are_one_line_each(tradecore, tmp_path):
    """A price that is none, a missing file, a file that is no gzip: what, where, and exit code 65 or 78."""
    rows = tmp_path / "rows.csv"
    rows.write_text("time,open,high,low,close,volume\n2020-01-01,1,1,1,1,1\n2020-01-02,1,nan,1,1,1\n")
    done = tradecore("backtest", BACKTEST, "--set", f"data.path={rows}", code=ExitCode.DATA)
    assert "rows.csv" in done.stderr
    assert len(done.stderr.splitlines()) == 1

    missing = tradecore("backtest", BACKTEST, "--set", "data.path=gone.csv", code=ExitCode.CONFIG)
    assert "data.path" in missing.stderr
    fake = tmp_path / "fake.csv.gz"
    fake.write_bytes(b"not gzip")
    assert "fake.csv.gz" in tradecore("data", "inspect", str(fake), code=ExitCode.DATA).stderr


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs file modes, which root does not feel"
)
def test_an_unwritable_directory_is_one_error(tradecore, tmp_path):
    """Path, cause and what to do."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = tradecore("status", TRADECORE_STATE_DIR=str(closed / "state"), code=ExitCode.STORAGE)
    assert "closed" in done.stderr


def test_a_journal_that_cannot_be_made_is_one_error(tradecore, tmp_path):
    """A directory in the way, or a file where a directory must be."""
    (tmp_path / "file").write_text("")
    capture = CAPTURE
    for path in (tmp_path, tmp_path / "file" / "deep" / "journal"):
        setting = ("--set", f"feed.path={capture}", "--set", f"journal.path={path}")
        done = tradecore("run", PAPER, *setting, code=ExitCode.CONFIG)
        assert str(tmp_path) in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="ulimit of POSIX")
def test_a_full_disk_stops_the_run_and_loses_nothing(tradecore, tmp_path):
    """One error that names the journal; with room again the run goes on to the same end."""
    setting = f"--set feed.path={CAPTURE} --set log.level=error --set database.enabled=false --json"
    command = f"{sys.executable} -m tradecore_api run {PAPER} {setting}"
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 256; exec {command}"],
        env={**os.environ, "TRADECORE_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == ExitCode.STORAGE, done.stderr
    assert "engine.journal" in done.stderr
    assert "Traceback" not in done.stderr

    resumed = json.loads(tradecore("run", PAPER, *setting.split()).stdout)
    other = ("--set", f"journal.path={tmp_path / 'other'}", "--set", "account.name=other")
    whole = json.loads(tradecore("run", PAPER, *setting.split(), *other).stdout)
    assert resumed["orders_digest"] == whole["orders_digest"]
    assert resumed["journal_verified"] is True


def test_config_check_lists_every_problem(tradecore, tmp_path):
    """Unknown keys, strategy parameters and engine settings, each with key, value and rule."""
    setting = ("--set", f"data.path={BARS}")
    assert "ok" in tradecore("config", "check", BACKTEST, *setting).stdout
    bad = ("--set", "accont.cash=1", "--set", "mode=x")
    report = json.loads(
        tradecore("config", "check", BACKTEST, *setting, *bad, "--json", code=ExitCode.CONFIG).stdout
    )
    assert [problem["key"] for problem in report["problems"]] == ["mode", "accont"]
    strategy = tradecore(
        "config", "check", BACKTEST, *setting, "--set", "strategy.fats=3", code=ExitCode.CONFIG
    )
    assert "did you mean fast" in strategy.stderr
    engine = ("--set", "account.cash=1e40")
    assert "cash" in tradecore("config", "check", BACKTEST, *setting, *engine, code=ExitCode.CONFIG).stderr
    for arguments in (("config", "schema"), ("config", "schema", "--json")):
        assert json.loads(tradecore(*arguments).stdout)["title"] == "tradecore configuration"


def test_data_inspect_describes_captures_and_bars(tradecore):
    """Format, rows and times."""
    capture = json.loads(tradecore("data", "inspect", str(CAPTURE), "--json").stdout)
    bars = json.loads(tradecore("data", "inspect", str(BARS), "--json").stdout)
    assert (capture["format"], capture["rows"]) == ("binance_capture", 7_341)
    assert (bars["kind"], bars["rows"]) == ("bars", 1_246)


def test_export_is_one_json_document_a_line_and_survives_a_closed_pipe(tradecore, tmp_path):
    """`tradecore journal export | head` ends quietly."""
    path = tmp_path / "demo.journal"
    tradecore("demo", "--virtual", "--seconds", "3", "--journal", str(path))
    lines = tradecore("journal", "export", str(path)).stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(len(lines)))
    verdict = json.loads(tradecore("journal", "verify", str(path), "--json").stdout)
    assert len(lines) == verdict["records"]
    assert tradecore("journal", "export", str(path), "--json").stdout.splitlines() == lines

    command = f"{sys.executable} -m tradecore_api journal export {path} | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["kind"] == "session"


def test_usage_errors_and_help_have_their_codes(tradecore):
    """Unknown commands end with 2; help lists every exit code."""
    assert "invalid choice" in tradecore("explode", code=ExitCode.USAGE).stderr
    tradecore(code=ExitCode.USAGE)
    text = tradecore("--help").stdout
    assert all(str(code.value) in text for code in ExitCode)
    assert "name a TOML file" in tradecore("run", code=ExitCode.CONFIG).stderr


def test_a_command_that_does_nothing_starts_quickly(tradecore):
    """At most 150 ms, of the processor so that a busy machine is no failure; no heavy module is imported."""
    seconds = []
    for _ in range(5):
        before = os.times()
        tradecore("--version")
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        seconds.append(used)
    assert min(seconds) <= 0.15
    code = "import sys, tradecore_api.cli as c; c.build_parser(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert done.stdout == "False\n"


def test_a_capture_may_be_plain_text(tradecore, tmp_path):
    """Unpacked or packed, the same orders."""
    packed = CAPTURE
    lines = gzip.decompress(packed.read_bytes()).splitlines(keepends=True)[:5000]
    plain, small = tmp_path / "part.txt", tmp_path / "part.gz"
    plain.write_bytes(b"".join(lines))
    small.write_bytes(gzip.compress(b"".join(lines)))
    digests = {
        json.loads(tradecore("backtest", PAPER, "--set", f"feed.path={path}", "--json").stdout)[
            "orders_digest"
        ]
        for path in (plain, small)
    }
    assert len(digests) == 1
