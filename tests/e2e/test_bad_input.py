"""Wrong input gives one clear line - what, where, what to do - and loses nothing that is journalled."""

import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from support.command_line import BACKTEST, CAPTURE, PAPER, CommandLine, bars, capture_lines
from tradecore_api.exit_codes import ExitCode

LINES = 600
BAD_LINE = 301


@pytest.fixture
def shell(tmp_path):
    """A folder with good files, to be spoilt."""
    shell = CommandLine(tmp_path)
    shell.write("good.toml", BACKTEST)
    return shell


CONFIGS = [
    ("not toml [", ["file", "must be TOML", "line 1"]),
    (b"\xff\xfe\x00", ["file", "must be UTF-8"]),
    ("", ["strategy", "is missing"]),
    (BACKTEST.replace("10_000", '"ten"'), ["account.cash = 'ten'", "decimal number"]),
    (BACKTEST.replace("10_000", "-1"), ["account.cash = -1", "above 0"]),
    (BACKTEST.replace("10_000", "nan"), ["account.cash", "finite"]),
    (BACKTEST.replace("10_000", "1e40"), ["account.cash", "must fit 64 bits"]),
    (BACKTEST.replace("cash =", "csh ="), ["account.csh", "did you mean 'cash'?"]),
    (BACKTEST.replace("[account]", "[acount]"), ["acount", "did you mean 'account'?"]),
    (BACKTEST.replace('"past"', '"../past"'), ["account.name", "letters, digits"]),
    (BACKTEST.replace('"ABC"', '""'), ["instruments.0.symbol", "must not be empty"]),
    (BACKTEST.replace("= 0.01", "= 0"), ["instruments.0.tick_size = 0", "above 0"]),
    (BACKTEST.replace("= 0.01", "= 1e-30"), ["instruments.0.tick_size", "18 decimals"]),
    (BACKTEST.replace("[[instruments]]", "[instruments]"), ["instruments", "must be a list"]),
    (BACKTEST.replace('"backtest"', '"real"'), ["mode = 'real'", "backtest, shadow, paper, live"]),
    (BACKTEST.replace("bars.csv", "gone.csv"), ["data.path", "gone.csv", "no such file"]),
    (BACKTEST + "n = 10\n", ["strategy.n = 10", "<= 9"]),
    (BACKTEST + "m = 1\n", ["strategy.m", "no parameter of this name"]),
    (BACKTEST + 'bars = "5x"\n', ["strategy.bars = '5x'", "1s, 5m, 1h, 1d"]),
    (BACKTEST + 'bars = "99999999d"\n', ["strategy.bars", "64 bits"]),
    (BACKTEST + "history = 99999999999999\n", ["strategy.history", "at most 1000000"]),
    (BACKTEST.replace("hold.py", "gone.py"), ["strategy.class", "gone.py", "no such file"]),
    (BACKTEST.replace("Hold", "Missing"), ["strategy.class", "has no class Missing", "it has Hold"]),
    (BACKTEST.replace("hold.py:Hold", "no_such_module:Hold"), ["no module named no_such_module"]),
    (BACKTEST.replace("hold.py:Hold", ".:Hold"), ["strategy.class", "must be `file.py:Class`"]),
    (BACKTEST + "[risk]\nopen_orders_max = -1\n", ["risk.open_orders_max = -1", "at least 0"]),
    (
        BACKTEST + '[risk.instrument.TEN]\nquantity_max = "1"\n',
        ["risk.instrument.TEN", "not in [[instruments]]"],
    ),
    (BACKTEST + "[risk]\norder_rate_window_ns = 0\n", ["risk.order_rate_window_ns", "at least 1"]),
    (BACKTEST + "[venue]\norder_latency_ns = -1\n", ["venue.order_latency_ns", "at least 0"]),
    (BACKTEST + "[fees]\ntaker_bps = -20000\n", ["fees.taker_bps", "10000 basis points"]),
]


@pytest.mark.parametrize("case", range(len(CONFIGS)))
def test_a_wrong_configuration_is_refused_with_file_key_value_and_rule(shell, case):
    """One line names the file, the dotted key, what was given and the rule; the check says the same."""
    text, says = CONFIGS[case]
    shell.write("bad.toml", text)
    shell.refused("backtest", "bad.toml", code=ExitCode.CONFIG, says=["bad.toml", *says])
    if text:  # Without a strategy a file is not wrong, there is only nothing to run.
        shell.refused("config", "check", "bad.toml", code=ExitCode.CONFIG, says=["bad.toml", *says])


def test_a_configuration_that_is_no_file_is_refused(shell):
    """A missing file and a directory are named as such."""
    shell.refused("backtest", "gone.toml", code=ExitCode.CONFIG, says=["gone.toml", "does not exist"])
    shell.refused("run", ".", code=ExitCode.CONFIG, says=["cannot be read"])
    shell.refused("run", code=ExitCode.CONFIG, says=["CONFIG", "name a TOML file"])


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("account.cash", ["write --set section.key=value"]),
        ("=3", ["write --set section.key=value"]),
        ("account.cash.x=1", ["account.cash is a value, not a table"]),
        ("acount.cash=1", ["did you mean 'account'?"]),
        ("instruments.5.symbol=A", ["write a number from 0 to 1"]),
        ("data.timezone=Mars/Port", ["data.timezone = 'Mars/Port'", "IANA"]),
    ],
)
def test_an_override_that_makes_no_sense_is_refused_by_its_own_name(shell, option, says):
    """The line names `--set`, not the file that had nothing to do with it."""
    shell.refused("backtest", "good.toml", "--set", option, code=ExitCode.CONFIG, says=["--set", *says])


def test_a_wrong_environment_variable_is_named(shell):
    """A setting that nobody sees in the file is named by its variable."""
    name = "TRADECORE_ACCOUNT__CASH"
    shell.refused(
        *("backtest", "good.toml"),
        code=ExitCode.CONFIG,
        says=[name, "account.cash = 'much'"],
        environment={name: "much"},
    )


STRATEGIES = [
    ("def on_start(self, ctx):\n        raise ValueError('a')", "on_start", "ValueError: a (s.py line 3)"),
    ("def on_bar(self, ctx, bar):\n        return {}['b']", "on_bar", "KeyError: 'b' (s.py line 3)"),
    ("def on_bar(self, ctx, bar):\n        raise SystemExit(0)", "on_bar", "SystemExit: 0 (s.py line 3)"),
    ("def on_stop(self, ctx):\n        1 / 0", "on_stop", "division by zero (s.py line 3)"),
    ("def on_bar(self, ctx, bar):\n        ctx.buy(quantity='much')", "on_bar", "(s.py line 3)"),
]


@pytest.mark.parametrize("case", range(len(STRATEGIES)))
def test_a_strategy_that_fails_is_named_with_its_callback_and_line(shell, case):
    """Even one that calls exit(0) cannot end a backtest without a word."""
    body, callback, says = STRATEGIES[case]
    shell.write("s.py", f"class S:\n    {body}\n    def on_trade(self, ctx, trade): ...\n")
    options = ("--set", f"strategy.class={shell.folder / 's.py'}:S")
    words = ["strategy 'S' failed in", callback, says]
    shell.refused("backtest", "good.toml", *options, code=ExitCode.STRATEGY, says=words)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class S:\n    def f(:\n", "line 2"),
        ("import no_such_module\nclass S: ...\n", "line 1 cannot be imported: ModuleNotFoundError"),
        ("\nraise RuntimeError('early')\n", "line 2 cannot be imported: RuntimeError: early"),
        ("class S:\n    def __init__(self): raise OSError('no')\n", "cannot be made: OSError: no"),
    ],
)
def test_a_strategy_that_cannot_be_loaded_is_a_configuration_error(shell, source, says):
    """The line of the strategy's file is named, not the engine's."""
    shell.write("s.py", source)
    option = f"strategy.class={shell.folder / 's.py'}:S"
    words = ["strategy.class", says]
    shell.refused("backtest", "good.toml", "--set", option, code=ExitCode.CONFIG, says=words)


@pytest.mark.parametrize("symbol", ["ABC/USDT", "ABC-USDT", "abcusdt", "ABC/USDT:USDT"])
def test_a_pair_as_other_programs_write_it_is_not_sent_to_binance(shell, symbol):
    """A live feed would wait for it for ever; the check says how the venue writes it."""
    shell.write("live.toml", BACKTEST.replace('"ABC"', f'"{symbol}"').replace('"backtest"', '"paper"'))
    option = ("--set", 'feed={kind="binance"}')
    says = ["instruments.0.symbol", repr(symbol), "did you mean 'ABCUSDT'?"]
    for command in (("config", "check"), ("run",)):
        shell.refused(*command, "live.toml", *option, code=ExitCode.CONFIG, says=says)


def test_the_check_warns_of_a_strategy_of_another_program(shell):
    """It is no error, because it would run, but nothing would call it: both forms of the answer say so."""
    shell.write("s.py", "class S:\n    def populate_indicators(self, dataframe, metadata): ...\n")
    option = ("--set", f"strategy.class={shell.folder / 's.py'}:S")
    output, talk = shell.run("config", "check", "good.toml", *option, code=ExitCode.OK)
    plain, _ = shell.run("config", "check", "good.toml", *option, "--json", code=ExitCode.OK)

    assert output == "good.toml: ok\n"
    assert (
        "warning: strategy S: nothing calls populate_indicators (s.py line 2): did you mean on_start" in talk
    )
    assert [f"warning: {note}" for note in json.loads(plain)["notes"]] == talk.splitlines()


def test_each_problem_of_a_strategy_is_told_once_with_the_option_it_came_from(shell):
    """Other options of the same strategy are not blamed, and nothing is said twice."""
    shell.write("s.py", "class S:\n    one: int = 1\n    two: int = 2\n    def on_bar(self, ctx, bar): ...\n")
    good = ("--set", "strategy.history=10", "--set", f"strategy.class={shell.folder / 's.py'}:S")
    bad = ("--set", "strategy.one=x", "--set", "strategy.two=y")
    for command in (("config", "check"), ("backtest",)):
        _, talk = shell.run(*command, "good.toml", *good, *bad, code=ExitCode.CONFIG)
        assert [line.split(" = ")[0] for line in talk.splitlines()] == [
            "tradecore: --set strategy.one: strategy.one",
            "tradecore: --set strategy.two: strategy.two",
        ]


def test_a_failing_strategy_keeps_the_journal_and_a_mended_one_goes_on(shell):
    """What was committed before the failure stays, and the restart ends as if nothing had happened."""
    shell.write("capture", "\n".join(capture_lines(LINES)) + "\n")
    shell.write("paper.toml", CAPTURE)
    options = ("--set", "log.level=error", "--json")
    taker = (shell.folder / "taker.py").read_text()
    whole = json.loads(shell.run("run", "paper.toml", *options, "--set", "journal.path=whole")[0])

    shell.write("taker.py", taker.replace("self.seen += 1", "self.seen += 1 if self.seen < 100 else None"))
    options = (*options, "--set", "journal.path=kept")
    words = ["'Taker' failed in on_trade", "TypeError", "taker.py line"]
    shell.refused("run", "paper.toml", *options, code=ExitCode.STRATEGY, says=words)
    shell.run("journal", "verify", "kept")
    shell.write("taker.py", taker)
    mended = json.loads(shell.run("run", "paper.toml", *options)[0])

    assert mended["orders_digest"] == whole["orders_digest"]
    assert mended["state_hash"] == whole["state_hash"]


def spoilt(row, column, value):
    """Return good bars with one wrong cell; rows count from 1 as lines do."""
    lines = bars(40).splitlines()
    cells = lines[row - 1].split(",")
    cells[column] = value
    lines[row - 1] = ",".join(cells)
    return "\n".join(lines) + "\n"


ROWS = [
    (spoilt(11, 1, "nan"), ["line 11", "open", "nan"]),
    (spoilt(11, 2, "inf"), ["line 11", "high", "inf"]),
    (spoilt(11, 1, "-5"), ["line 11", "open", "-5", "negative"]),
    (spoilt(11, 1, ""), ["line 11", 'open ""']),
    (spoilt(11, 4, "100.123"), ["line 11", "close", "multiple of 0.01"]),
    (spoilt(11, 2, "9" * 30), ["line 11", "high", "64 bits"]),
    (spoilt(11, 2, "1"), ["line 11", "high", "must not be below low"]),
    (spoilt(11, 4, "500"), ["line 11", "close", "between low and high"]),
    (spoilt(11, 5, "-3"), ["line 11", "volume", "negative"]),
    (spoilt(11, 0, "2004-13-45"), ["line 11", "time", "2004-13-45"]),
    (spoilt(11, 0, "1000000000"), ["line 11", "time", "must be after the row before"]),
    (bars(40).replace("100,101,99,100.5,10", "100", 1), ["line 2", "none for high"]),
    (bars(40).replace("100.5,10", "100.5,1,0", 1), ["line 2", "has 7 fields, the first line has 6"]),
    (bars(40).replace("high", "open"), ["line 1", "'open' is there twice"]),
    ("a,b,c\n1,2,3\n", ["line 1", "column 'time' is missing", "'a', 'b', 'c'"]),
    (bars(0), ["has no rows"]),
    ("", ["the file is empty"]),
    (bytes(range(256)) * 8, ["binary"]),
    (bars(3).encode() + b"\0\0\0\n", ["line 5", "binary"]),
]


@pytest.mark.parametrize("case", range(len(ROWS)))
def test_a_bar_that_cannot_be_used_is_named_with_file_line_and_rule(shell, case):
    """The first wrong row ends the backtest before its first order."""
    content, says = ROWS[case]
    shell.write("bars.csv", content)
    shell.refused("backtest", "good.toml", code=ExitCode.DATA, says=["bars.csv", *says])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("b.csv.gz", gzip.compress(bars(40).encode())[:-30], "damaged or cut gzip"),
        ("b.csv.gz", b"\x1f\x8b" + b"garbage" * 9, "damaged or cut gzip"),
        ("b.csv.gz", bars(40).encode(), "neither gzip nor zip"),
        ("b.zip", b"PK\x03\x04garbage", "damaged or cut zip"),
        ("b.parquet", b"PAR1" + b"garbage" * 9 + b"PAR1", "damaged Parquet"),
    ],
)
def test_a_packed_file_that_cannot_be_unpacked_is_named(shell, name, content, says):
    """Backtest and inspection say the same, and what to do."""
    shell.write(name, content)
    option = f"data.path={shell.folder / name}"
    shell.refused("backtest", "good.toml", "--set", option, code=ExitCode.DATA, says=[name, says])


def test_a_parquet_row_that_cannot_be_used_is_named(shell):
    """A NaN in a float column is named by its row."""
    times = [1_700_000_000, 1_700_000_060, 1_700_000_120]
    columns = {"time": times, "open": [1.0, float("nan"), 1.0]}
    columns |= {name: [1.0, 1.0, 1.0] for name in ("high", "low", "close")}
    parquet.write_table(pa.table(columns), shell.folder / "b.parquet")
    option = f"data.path={shell.folder / 'b.parquet'}"
    shell.refused(
        "backtest", "good.toml", "--set", option, code=ExitCode.DATA, says=["b.parquet row 2", "open"]
    )


def damaged_captures():
    """Return (name, bytes, words of the error) of captures that are good up to the bad line."""
    lines = capture_lines(LINES)
    assert '"p":"100.01"' in lines[BAD_LINE + 2]
    stamp = lines[BAD_LINE + 2].split(" ")[0]

    def changed(old, new):
        return "\n".join(
            [*lines[: BAD_LINE + 2], lines[BAD_LINE + 2].replace(old, new), *lines[BAD_LINE + 3 :]]
        )

    place = f"line {BAD_LINE + 3}"
    yield "a half line", "\n".join(lines)[:-20].encode(), [f"line {LINES + 1}", "json"]
    yield "garbage", changed(lines[BAD_LINE + 2], f"{stamp} {{garbage").encode(), [place, "json"]
    yield "no time", changed(stamp, "noon").encode(), [place, "receive_ns", "noon"]
    yield "a time before", changed(stamp, "1523161253937085768").encode(), [place, "must not be before"]
    yield "a negative price", changed('"p":"', '"p":"-').encode(), [place, "-100.01", "negative"]
    yield "a price off the tick", changed('"p":"100.01', '"p":"100.015').encode(), [place, "multiple of 0.01"]
    yield "a price that is none", changed('"p":"100.01', '"p":"NaN').encode(), [place, "NaN"]
    yield "a cut gzip", gzip.compress("\n".join(lines).encode(), mtime=0)[:-900], ["after line", "gzip"]


@pytest.mark.parametrize("case", range(8))
def test_a_damaged_capture_is_named_and_what_came_before_is_journalled(shell, case):
    """The run ends with 65 at the line; the repaired file goes on to the end of an undisturbed run."""
    _, content, says = list(damaged_captures())[case]
    shell.write("paper.toml", CAPTURE)
    options = ("--set", "log.level=error", "--json")
    shell.write("capture", content)
    mended = ("--set", "journal.path=mended")
    shell.refused("run", "paper.toml", *options, *mended, code=ExitCode.DATA, says=["capture", *says])
    verdict = json.loads(shell.run("journal", "verify", "mended", "--json")[0])
    assert verdict["status"] == "intact"
    assert verdict["records"] > BAD_LINE

    shell.write("capture", "\n".join(capture_lines(LINES)) + "\n")
    after = json.loads(shell.run("run", "paper.toml", *options, *mended)[0])
    whole = json.loads(shell.run("run", "paper.toml", *options, "--set", "journal.path=whole")[0])
    assert after["state_hash"] == whole["state_hash"]
    assert after["orders_digest"] == whole["orders_digest"]
    assert after["events"] == whole["events"]


def test_a_capture_of_something_else_is_refused(shell):
    """A file without a single message with a symbol, and one of another symbol."""
    shell.write("paper.toml", CAPTURE)
    shell.write("capture", "x\n" * 50)
    shell.refused("run", "paper.toml", code=ExitCode.DATA, says=["capture", "is a Binance message"])
    shell.write("capture", "\n".join(capture_lines(30)).replace("BTCUSDT", "ETHUSDT"))
    shell.refused(
        "run", "paper.toml", code=ExitCode.CONFIG, says=["instruments.0.symbol", "which holds ETHUSDT"]
    )


def test_a_directory_that_cannot_be_written_stops_the_run_before_it_starts(shell):
    """State, journal and read model: the path is named, and what to set."""
    shell.write("paper.toml", PAPER)
    shell.write("file", "")
    quiet = ("--set", "log.level=error")
    for place in (shell.folder / "file", "/proc/none"):
        words = [str(place), "cannot be made", "TRADECORE_STATE_DIR"]
        environment = {"TRADECORE_STATE_DIR": str(place)}
        shell.refused("run", "paper.toml", code=ExitCode.STORAGE, says=words, environment=environment)
    words = ["journal.path", "leads through", "no directory"]
    shell.refused(
        "run", "paper.toml", "--set", "journal.path=file/j", *quiet, code=ExitCode.CONFIG, says=words
    )
    (shell.folder / "folder").mkdir()
    words = ["is a directory"]
    shell.refused(
        "run", "paper.toml", "--set", "journal.path=folder", *quiet, code=ExitCode.CONFIG, says=words
    )
    _, talk = shell.run("run", "paper.toml", "--set", "database.path=file/db", "--set", "log.level=warning")
    assert "read_model_failed" in talk
    assert "file/db" in talk


def test_inspect_says_what_is_wrong_with_any_file(shell):
    """Problems are data on stdout and code 1; what cannot be read at all is 65."""
    shell.write("bars.csv", spoilt(11, 1, "nan"))
    shell.write("capture", "\n".join(capture_lines(LINES)).replace('"p":"100.01"', '"p":"-1"'))
    for name, says in (
        ("bars.csv", "line 11"),
        ("capture", "p '-1'"),
        ("hold.py", "is missing"),
    ):
        found = json.loads(shell.run("data", "inspect", name, "--json", code=ExitCode.CHECK_FAILED)[0])
        assert says in found["problems"][0]
    shell.refused("data", "inspect", "gone", code=ExitCode.DATA, says=["gone", "no such file"])
    (shell.folder / "empty").mkdir()
    shell.refused("data", "inspect", "empty", code=ExitCode.DATA, says=["empty", "has no data file"])
