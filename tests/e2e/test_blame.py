"""What fails is blamed: a file, a strategy, the system, or standard output, and never tradecore for them."""

import asyncio
import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from support.command_line import BACKTEST, PAPER, CommandLine
from tradecore.domain.quoted import TEXT_MAX, VALUE_MAX, cut, error_text, notes_of, printable, quoted
from tradecore_api.exit_codes import ExitCode
from tradecore_api.failures import reported

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: ulimit, /dev/full, names of bytes")


@pytest.fixture
def shell(tmp_path):
    """A folder with good files, to be spoilt."""
    shell = CommandLine(tmp_path)
    shell.write("good.toml", BACKTEST)
    return shell


DEEP = f"x = {'[' * 5000}{']' * 5000}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BACKTEST.replace("10_000", "1" * 5000), ["file", "thousands of digits"]),
        (BACKTEST + DEEP, ["file", "deeper than 32"]),
        (BACKTEST + ".".join("x" * 3000) + " = 1\n", ["file", "deeper than 32"]),
        (BACKTEST.replace("10_000", "0." + "1" * 6000), ["account.cash", "…", "18 decimals"]),
    ],
    ids=["digits", "lists", "tables", "decimals"],
)
def test_a_file_that_is_too_much_is_a_wrong_file(shell, text, says):
    """It is for whoever wrote it to mend (78), and no fault of tradecore (70)."""
    shell.write("bad.toml", text)
    for command in ("backtest", "config check"):
        line = shell.run(*command.split(), "bad.toml", code=ExitCode.CONFIG)[1]
        assert all(word in line for word in says), line
        assert len(line) < 2 * VALUE_MAX


def test_settings_beside_the_file_nest_no_deeper(shell):
    """The same rule for `--set` and for variables; what is no TOML value is text, however deep it looks."""
    long = ".".join("x" * 3000)
    shell.refused(
        "config", "check", "good.toml", "--set", f"{long}=1", code=ExitCode.CONFIG, says=["deeper than 32"]
    )
    deep = f"strategy.n={'[' * 5000}"
    shell.refused(
        "config", "check", "good.toml", "--set", deep, code=ExitCode.CONFIG, says=["strategy.n", "…"]
    )


ODD = """
class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")

class NoText(Exception):
    def __str__(self):
        return 5

class Ends(Exception):
    def __str__(self):
        raise SystemExit(3)

class Half(Exception):
    def __str__(self):
        return "half \\ud800\\x1b[2J\\nsecond"

class Notes(Exception):
    __notes__ = 7

class Strategy:
    kind: str = "Odd"

    def on_bar(self, ctx, bar) -> None:
        raise globals().get(self.kind, Odd)()

class Made:
    def __init__(self) -> None:
        raise Odd()
"""


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("Odd", "Odd (its text cannot be made: RuntimeError)"),
        ("NoText", "NoText (its text cannot be made: TypeError)"),
        ("Ends", "Ends (its text cannot be made: SystemExit)"),
        ("Half", r"Half: half \ud800\x1b[2J second"),
        ("Notes", "Notes"),
    ],
)
def test_an_exception_whose_text_cannot_be_made_is_the_strategys(shell, kind, says):
    """Strategy, callback and line are named, as for any other exception (7)."""
    shell.write("odd.py", ODD)
    options = ("--set", "strategy.class=odd.py:Strategy", "--set", f"strategy.kind={kind}")
    _, talk = shell.run("backtest", "good.toml", *options, code=ExitCode.STRATEGY)

    line = talk.splitlines()[-1]
    assert line.startswith("tradecore: strategy 'Strategy' failed in on_bar at 2")
    assert f": {says} (odd.py line " in line


def test_a_strategy_that_cannot_be_made_or_imported_is_a_wrong_setting(shell):
    """Whatever its exceptions do when they are shown."""
    shell.write("odd.py", ODD)
    shell.write("never.py", ODD + "\nraise Odd()\n")
    # A script that is run as a program, and one whose class ends the program.
    shell.write("script.py", "import sys\n\nsys.exit(0)\n")
    shell.write("ends.py", "class Made:\n    def __init__(self) -> None:\n        raise SystemExit(0)\n")
    for name, says in {
        "odd.py:Made": "its text cannot be made",
        "never.py:Made": "its text cannot be made",
        "script.py:Made": "SystemExit: 0",
        "script:Made": "SystemExit: 0",
        "ends.py:Made": "SystemExit: 0",
    }.items():
        options = ("--set", f"strategy.class={name}")
        shell.refused(
            "backtest",
            "good.toml",
            *options,
            code=ExitCode.CONFIG,
            says=[says],
            environment={"PYTHONPATH": str(shell.folder)},
        )


@LINUX
def test_names_with_odd_bytes_are_said_and_not_stumbled_over(shell):
    """A configuration must have a name that its journal can hold; data can have any."""
    for name in (b"o\xff.toml", b"d\xff/good.toml"):
        path = shell.folder / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(BACKTEST, encoding="utf-8")
        says = ["must be UTF-8", r"\udcff"]
        shell.refused("backtest", path, code=ExitCode.CONFIG, says=says)
    data = shell.folder / os.fsdecode(b"o\xff.csv")
    data.write_bytes((shell.folder / "bars.csv").read_bytes())
    assert r"o\udcff.csv" in shell.run("data", "inspect", str(data))[0]
    assert r"o\\udcff.csv" in shell.run("data", "inspect", "--json", str(data))[0]


@LINUX
@pytest.mark.parametrize("files", [10, 14, 20, 30])
@pytest.mark.parametrize("command", ["run", "demo"])
@pytest.mark.without(
    "descriptors",
    works="with too few files to open a start says which limit to raise (71), before anything began",
)
def test_too_few_descriptors_are_a_matter_of_the_system(shell, command, files):
    """Before anything began, with the limit to raise (71)."""
    arguments = ("run", "good.toml") if command == "run" else ("demo", "--virtual", "--seconds", "1")

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    _, talk = shell.run(*arguments, code=ExitCode.NO_RESOURCES, preexec_fn=limit)
    said = "Too many open files; this process may open no more files: raise its limit (`ulimit -n`)"
    assert talk == f"tradecore: {said}, then start again\n"


@LINUX
@pytest.mark.parametrize(
    "command", [("config", "schema"), ("status", "--json"), ("--version",), ("demo", "--help")]
)
def test_standard_output_is_blamed_for_itself_alone(shell, command):
    """A full disk behind it is said with its name, also by commands that the parser answers itself."""
    argv = [sys.executable, "-m", "tradecore_api", *command]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            argv, cwd=shell.folder, env=shell.environment, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == ExitCode.STORAGE
    assert done.stderr == b"tradecore: standard output: cannot be written: No space left on device\n"


def test_an_error_of_the_system_without_a_file_is_not_standard_output(capsys):
    """It was called so, whatever had failed."""

    def refuse(error):
        raise error

    assert reported(lambda: refuse(OSError(28, "No space left on device"))) == ExitCode.STORAGE
    assert reported(lambda: refuse(OSError(24, "Too many open files"))) == ExitCode.NO_RESOURCES
    assert reported(lambda: refuse(MemoryError())) == ExitCode.NO_RESOURCES
    assert reported(lambda: refuse(TimeoutError())) == ExitCode.BROKEN_INVARIANT
    said = capsys.readouterr().err
    assert said.startswith("tradecore: No space left on device\ntradecore: Too many open files; ")
    assert "standard output" not in said


class UnshowableError(Exception):
    """An exception that cannot be shown: neither its text nor its notes can be had."""

    @property
    def __notes__(self):
        """Raise."""
        raise RuntimeError

    def __str__(self) -> str:
        """Raise."""
        raise RuntimeError


def test_a_fault_that_cannot_be_shown_is_a_fault_all_the_same(capsys):
    """Its traceback is code of its class, too: what fails there must not hide what to report (70)."""

    def fail():
        raise UnshowableError

    assert reported(fail) == ExitCode.BROKEN_INVARIANT
    assert notes_of(UnshowableError()) == []
    said = capsys.readouterr().err.splitlines()
    assert said[-2] == "(its traceback cannot be shown: RuntimeError)"
    assert said[-1].startswith(
        "tradecore: UnshowableError (its text cannot be made: RuntimeError): this is a fault"
    )


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, GeneratorExit])
def test_what_python_takes_for_an_end_is_a_fault_here(kind, capsys):
    """A cancelled task would end the process with 1, as a finding does, and an exit with whatever it says."""

    def fail():
        raise kind(0)

    assert reported(fail) == ExitCode.BROKEN_INVARIANT
    assert f"tradecore: {kind.__name__}: 0: this is a fault of tradecore" in capsys.readouterr().err


WRONG_PATHS = {
    "empty": ("", "must not be empty"),
    "directory": (".", "is a directory"),
    "nul": ("a\\u0000b", "NUL"),
    "long": ("x" * 5000, "at most 4095 bytes"),
    "long name": ("x" * 256, "at most 255 bytes"),
    "no room for its lock": ("x" * 201, "at most 200 bytes"),
    "device": ("/dev/null", "pipe, socket or device"),
}


@pytest.mark.parametrize(("path", "says"), WRONG_PATHS.values(), ids=WRONG_PATHS)
@pytest.mark.parametrize("key", ["journal.path", "database.path"])
def test_config_check_finds_paths_that_no_run_takes(shell, key, path, says):
    """Before the engine starts, and with the same words as its start."""
    section, _, name = key.partition(".")
    shell.write("bad.toml", BACKTEST.replace('"backtest"', '"paper"') + f'\n[{section}]\n{name} = "{path}"\n')
    for command in (("config", "check"), ("run",)):
        shell.refused(*command, "bad.toml", code=ExitCode.CONFIG, says=[key, says])


def test_a_journal_needs_a_place_and_tables_can_wait_for_theirs(shell):
    """What the disk says against the read model is no reason not to trade."""
    shell.write("good.toml", PAPER)
    for command in (("config", "check"), ("run",)):
        options = ("--set", "journal.path=bars.csv/engine.journal")
        says = ["journal.path", "leads through", "no directory"]
        shell.refused(*command, "good.toml", *options, code=ExitCode.CONFIG, says=says)
    shell.run("config", "check", "good.toml", "--set", "database.path=bars.csv/tables.sqlite")


def test_a_pipe_is_no_journal(shell):
    """Opening one would wait for a reader that never comes."""
    os.mkfifo(shell.folder / "pipe")
    shell.write("bad.toml", BACKTEST.replace('"backtest"', '"paper"') + '\n[journal]\npath = "pipe"\n')
    shell.refused("run", "bad.toml", code=ExitCode.CONFIG, says=["journal.path", "pipe, socket or device"])


class Unshowable:
    """Fails when it is shown."""

    def __repr__(self) -> str:
        """Raise."""
        raise ValueError


def test_values_and_exceptions_are_quoted_whatever_they_are():
    """No message about a fault becomes a second fault, and none is endless."""
    assert quoted("x") == "'x'"
    assert quoted(Unshowable()) == "<a Unshowable that cannot be shown: ValueError>"
    assert quoted(10**5000) == "<a int that cannot be shown: ValueError>"
    assert len(quoted("y" * 10**6)) == VALUE_MAX
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert quoted(deep) == "<a list that cannot be shown: RecursionError>"
    with contextlib.suppress(IndexError):
        while True:
            deep = deep.pop()
    assert error_text(ValueError("a\n  b")) == "ValueError: a b"
    assert error_text(MemoryError()) == "MemoryError"
    assert len(error_text(ValueError("z" * 10**6))) == len("ValueError: ") + TEXT_MAX
    assert printable("a\x1b\nb\udcff") == "a\\x1b\nb\\udcff"
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    error = ValueError()
    assert notes_of(error) == []
    error.__notes__ = ["one\x07", 5]
    assert notes_of(error) == ["one\\x07"]
    error.__notes__ = 5
    assert notes_of(error) == []


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("kill", ""), "account"),
        (("kill", "demo", ""), "scope"),
        (("cancel", "3", "--account", ""), "account"),
        (("flatten", "", "--within-bps", "5"), "account"),
        (("approvals", ""), "account"),
        (("orders", "", "--all"), "source"),
        (("run", ""), "config"),
    ],
)
def test_an_empty_word_is_no_word_for_all_there_is(shell, words, name):
    """A variable of a script that is not set stops nothing of the only account, and shows nothing of it."""
    line = shell.run(*words, code=2)[1]
    assert f"error: {name}: is empty" in line
    assert not (shell.folder / "state").exists()
