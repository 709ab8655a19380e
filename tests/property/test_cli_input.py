"""Whatever a file holds, a command accepts it or ends with one line and a documented code; nothing else."""

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.command_line import BACKTEST, CAPTURE, CommandLine, bars, capture_lines
from support.logs import logging_put_back
from tradecore.domain.journal import JournalFolder
from tradecore_api.cli import main
from tradecore_api.exit_codes import ExitCode

REFUSALS = {
    ExitCode.DATA,
    ExitCode.CONFIG,
    ExitCode.STORAGE,
}
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEWER = settings(FEW, max_examples=20)

BARS = bars(12).encode()
CAPTURED = "\n".join(capture_lines(60)).encode()
CELLS = [
    "nan",
    "inf",
    "-1",
    "0",
    "",
    '"',
    "1e9",
    "9" * 25,
    "0.001",
    "2004-02-30",
    "1e-400",
    "\ufeff1",
    "٣",
    "--1",
]
VALUES = ["nan", "-1", "0", '""', "[]", "{}", "true", "1e400", '"x"', "9" * 25, "[[1]]", "1979-05-27", "-0.0"]


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A folder to work in, with a state directory of its own."""
    shell = CommandLine(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    shell.write("past.toml", BACKTEST)
    shell.write("paper.toml", CAPTURE)
    return shell


def called(*arguments):
    """Call a command in this process; return its code, what it printed and what it said."""
    output, talk = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(talk), logging_put_back():
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, output.getvalue(), talk.getvalue()


def assert_accepted_or_refused(code, output, talk, name):
    """The one promise: a result and 0, or lines that name the file and a code that says who must act."""
    assert "Traceback" not in talk
    if code == ExitCode.OK:
        assert output
        return
    assert code in REFUSALS, (code, talk)
    first, *notes = talk.splitlines()
    assert first.startswith("tradecore: ")
    assert name in first
    # What else is wrong has a line of its own.
    assert all(note.startswith("tradecore: ") and name in note for note in notes)
    assert output == ""


@st.composite
def changed(draw, content):
    """Change a few bytes of a file: flip, cut out, put in, double, or cut the end off."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        length = draw(st.integers(1, 20))
        match draw(st.sampled_from(["flip", "remove", "insert", "double", "cut"])):
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "remove":
                del data[at : at + length]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "double":
                data[at:at] = data[at : at + length]
            case _:
                del data[at:]
    return bytes(data)


@st.composite
def bars_with_wrong_cells(draw):
    """Put values that are no prices, sizes or times into rows that are well formed."""
    rows = [line.split(",") for line in BARS.decode().splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        rows[row][draw(st.integers(0, 5))] = draw(st.sampled_from(CELLS))
    return "\n".join(",".join(row) for row in rows).encode() + b"\n"


@FEW
@given(content=st.one_of(changed(BARS), bars_with_wrong_cells(), st.binary(max_size=200)))
def test_any_bars_are_tested_on_or_refused_by_name(shell, content):
    """A backtest of any bytes gives statistics or one line with the file."""
    shell.write("bars.csv", content)
    assert_accepted_or_refused(*called("backtest", "past.toml", "--json"), "bars.csv")


@FEW
@given(content=st.one_of(changed(BARS), changed(CAPTURED), st.binary(max_size=200)))
def test_any_file_can_be_inspected(shell, content):
    """Its problems are data; only what cannot be read at all is an error."""
    shell.write("file", content)
    code, output, talk = called("data", "inspect", "file", "--json")
    if code == ExitCode.CHECK_FAILED:
        assert '"problems"' in output
        assert talk == ""
    else:
        assert_accepted_or_refused(code, output, talk, "file")


@FEWER
@given(content=changed(CAPTURED))
def test_any_capture_is_run_or_refused_and_its_journal_is_intact(shell, content):
    """Whatever the line, what came before it is journalled and whole."""
    shell.write("capture", content)
    journal = Path("journal")
    for path in Path().glob("journal*"):
        path.unlink()
    options = ("--set", "journal.path=journal", "--set", "log.level=error", "--json")
    code, output, talk = called("run", "paper.toml", *options, "--set", "database.enabled=false")
    # A changed symbol is refused under the name of the setting that asks for another one.
    name = "instruments.0.symbol" if "instruments.0.symbol" in talk else "capture"
    assert_accepted_or_refused(code, output, talk, name)
    if journal.exists() and journal.stat().st_size:
        assert JournalFolder("journal").verify().status == "intact"


@FEW
@given(content=st.one_of(changed(BACKTEST.encode()), st.text(max_size=80).map(str.encode)))
def test_any_configuration_is_used_or_refused_by_name(shell, content):
    """The line names the configuration or the data file it led to."""
    shell.write("bars.csv", BARS)
    shell.write("any.toml", content)
    code, output, talk = called("backtest", "any.toml", "--json")
    name = "bars.csv" if "any.toml" not in talk else "any.toml"
    assert_accepted_or_refused(code, output, talk, name)


@FEW
@given(
    key=st.sampled_from(
        [
            "mode",
            "account.cash",
            "account.name",
            "account.leverage",
            "instruments.0.tick_size",
            "instruments.0.multiplier",
            "instruments.0.kind",
            "data.interval_ns",
            "data.columns",
            "strategy.n",
            "strategy.bars",
            "strategy.history",
            "fees.taker_bps",
            "venue.bar_fill",
            "risk.open_orders_max",
            "risk.quantity_max",
            "journal.commit_interval_ms",
            "a.b",
        ]
    ),
    value=st.one_of(st.sampled_from(VALUES), st.text(max_size=12)),
)
def test_any_override_is_used_or_refused_by_name(shell, key, value):
    """No value of a setting can do more than be refused."""
    shell.write("bars.csv", BARS)
    code, output, talk = called("backtest", "past.toml", "--json", "--set", f"{key}={value}")
    name = "bars.csv" if "--set" not in talk else "--set"
    assert_accepted_or_refused(code, output, talk, name)


@FEW
@given(
    words=st.lists(
        st.sampled_from(
            [
                "journal",
                "verify",
                "run",
                "db",
                "info",
                "status",
                "--json",
                "-n",
                "-1",
                "past.toml",
                "config",
                "check",
                "data",
                "inspect",
                "bars.csv",
                "--set",
                "x",
                "",
            ]
        ),
        max_size=4,
    )
)
def test_any_words_end_with_a_documented_code(shell, words):
    """The command line is understood, or answered with usage; never with a traceback."""
    code, _, talk = called(*words)
    assert "Traceback" not in talk
    assert code in set(ExitCode) - {ExitCode.BROKEN_INVARIANT}
