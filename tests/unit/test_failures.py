"""What an exception makes of a command: its line on stderr and its exit code."""

import asyncio
import errno

import pytest

from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    DivergenceError,
    InvalidValueError,
    StorageError,
    StrategyError,
    TradecoreError,
    VenueError,
)
from tradecore_api import failures
from tradecore_api.exit_codes import ExitCode
from tradecore_api.instance_lock import AlreadyRunningError
from tradecore_api.stdout import STDOUT

CODES = [
    (AlreadyRunningError("one", 7), ExitCode.ALREADY_RUNNING),
    (ConfigError("a.toml", "account.cash", -1, "must be positive"), ExitCode.CONFIG),
    (InvalidValueError("cash", -1, "must be positive"), ExitCode.CONFIG),
    (DataError("a.csv:2", "no price"), ExitCode.DATA),
    (StrategyError("one", "on_bar", 0, "x"), ExitCode.STRATEGY),
    (VenueError("it is gone"), ExitCode.UNAVAILABLE),
    (StorageError("a.db", "is full"), ExitCode.STORAGE),
    (BrokenInvariantError("books differ"), ExitCode.BROKEN_INVARIANT),
    (DivergenceError("record 3", "see there"), ExitCode.BROKEN_INVARIANT),
    (TradecoreError("something"), ExitCode.CHECK_FAILED),
    (MemoryError(), ExitCode.NO_RESOURCES),
    (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    (OSError(errno.EMFILE, "too many"), ExitCode.NO_RESOURCES),
    (OSError(errno.ENFILE, "too many"), ExitCode.NO_RESOURCES),
    (OSError(errno.ENOMEM, "no memory"), ExitCode.NO_RESOURCES),
    (OSError(errno.EAGAIN, "no thread"), ExitCode.NO_RESOURCES),
    (OSError(errno.ENOSPC, "full"), ExitCode.STORAGE),
    (OSError("no number"), ExitCode.BROKEN_INVARIANT),
    (ZeroDivisionError(), ExitCode.BROKEN_INVARIANT),
]


def raiser(error):
    """Return a command that fails."""

    def command():
        raise error

    return command


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__)
def test_each_exception_has_its_exit_code(error, code):
    """The kind that is named first holds: a value that is invalid is one of a configuration."""
    assert failures.code_of(error) is code


@pytest.mark.parametrize(
    ("error", "code"), [pair for pair in CODES if isinstance(pair[0], TradecoreError)], ids=repr
)
def test_an_error_of_ours_is_one_line_and_its_notes(error, code, capsys):
    """Without a traceback: it says itself what to do."""
    error.add_note("look there")
    try:
        assert failures.reported(raiser(error)) == code
    finally:
        del error.__notes__

    assert capsys.readouterr() == ("", f"tradecore: {error}\ntradecore: look there\n")


def test_an_error_may_be_told_without_its_notes(capsys):
    """Where they would say twice what is said already."""
    error = StorageError("a.db", "is full")
    error.add_note("look there")
    failures.report_alone(error)

    assert capsys.readouterr().err == f"tradecore: {error}\n"


def test_what_a_command_returns_is_its_code(capsys):
    """Nothing is said where nothing went wrong."""
    assert failures.reported(lambda: 3) == 3
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left", "a\nb\x1b"), "a\nb\\x1b: No space left"),
        (OSError(errno.ENOSPC, "No space left", b"caf\xe9"), "caf\\udce9: No space left"),
        (OSError(errno.EIO, "Broken", 7), "Broken"),
        (OSError(errno.EIO, None), "the system gave no reason"),
        (OSError(errno.EMFILE, "Too many"), f"Too many; {failures._STEPS[errno.EMFILE]}"),
        (OSError(errno.EAGAIN, "Not now", "a"), f"a: Not now; {failures._STEPS[errno.EAGAIN]}"),
    ],
)
def test_what_the_system_refused_is_told_with_file_and_way_out(error, said, capsys):
    """A file is named where there is one, and a step where one is known."""
    assert failures.system_text(error) == said
    assert failures.reported(raiser(error)) == failures.code_of(error)
    assert capsys.readouterr().err == f"tradecore: {said}\n"


def test_memory_that_is_gone_is_told(capsys):
    """It is no fault of ours."""
    assert failures.reported(raiser(MemoryError())) == ExitCode.NO_RESOURCES
    assert capsys.readouterr().err == f"tradecore: {failures.NO_MEMORY}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EPIPE, "gone", STDOUT)], ids=repr)
def test_some_are_left_to_the_caller(error, capsys):
    """Ctrl-C, and a reader of standard output that has gone."""
    with pytest.raises(type(error)):
        failures.reported(raiser(error))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("by zero"), OSError("odd"), SystemExit(0), asyncio.CancelledError()], ids=repr
)
def test_anything_else_is_our_fault_and_shows_where(error, capsys):
    """An end that Python takes for a good one is none."""
    assert failures.reported(raiser(error)) == ExitCode.BROKEN_INVARIANT

    *trace, last = capsys.readouterr().err.splitlines()
    assert trace[0].startswith("Traceback")
    assert last.startswith(f"tradecore: {type(error).__name__}")
    assert last.endswith("this is a fault of tradecore; please report the lines above")


def test_an_exception_without_a_text_is_told_too(capsys, monkeypatch):
    """Its text is code of its class, and so may be what shows a traceback."""
    monkeypatch.setattr("traceback.print_exc", raiser(SystemExit()))

    assert failures.reported(raiser(ZeroDivisionError())) == ExitCode.BROKEN_INVARIANT
    assert capsys.readouterr().err.startswith("(its traceback cannot be shown: SystemExit)\ntradecore: Zero")
