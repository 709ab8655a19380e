"""Turns exceptions into one clear line on stderr and an exit code."""

import errno
import os
import sys
import traceback
from collections.abc import Callable

from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    FencedError,
    InvalidValueError,
    StorageError,
    StrategyError,
    TradecoreError,
    VenueError,
)
from tradecore.domain.quoted import error_text, notes_of, printable
from tradecore_api.exit_codes import ExitCode
from tradecore_api.instance_lock import AlreadyRunningError
from tradecore_api.stdout import STDOUT
from tradecore_api.watchdog.presence import WatchdogRunsError

NO_MEMORY = "not enough memory: give the machine more, or run less at a time, then start again"

_CODES: tuple[tuple[type[TradecoreError], ExitCode], ...] = (
    (FencedError, ExitCode.FENCED),
    (AlreadyRunningError, ExitCode.ALREADY_RUNNING),
    (WatchdogRunsError, ExitCode.ALREADY_RUNNING),
    (ConfigError, ExitCode.CONFIG),
    (InvalidValueError, ExitCode.CONFIG),
    (DataError, ExitCode.DATA),
    (StrategyError, ExitCode.STRATEGY),
    (VenueError, ExitCode.UNAVAILABLE),
    (StorageError, ExitCode.STORAGE),
    (BrokenInvariantError, ExitCode.BROKEN_INVARIANT),
)

_STEPS = {
    errno.EMFILE: "this process may open no more files: raise its limit (`ulimit -n`), then start again",
    errno.ENFILE: "this machine may open no more files: end other programs, or raise its limit (fs.file-max)",
    errno.ENOMEM: NO_MEMORY,
    errno.EAGAIN: "the system gave no thread or process: raise the limit (`ulimit -u`), then start again",
}


def reported(command: Callable[[], int]) -> int:
    """Call a command; an error of ours becomes its line and its code, anything else a traceback and 70."""
    try:
        return command()
    except TradecoreError as error:
        report(error)
        return code_of(error)
    except OSError as error:
        if error.filename == STDOUT:
            raise
        if (code := code_of(error)) == ExitCode.BROKEN_INVARIANT:
            return _fault(error)
        print(f"tradecore: {system_text(error)}", file=sys.stderr)
        return code
    except MemoryError as error:
        print(f"tradecore: {NO_MEMORY}", file=sys.stderr)
        return code_of(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the outermost caller: a bug must not look like a finding
        # What Python takes for an end too, such as a task that was cancelled: its 0 or 1 says nothing.
        return _fault(error)


def _fault(error: BaseException) -> int:
    """Print where an exception came from that nobody foresaw."""
    try:
        traceback.print_exc()
    except BaseException as failure:  # noqa: BLE001 - the text of an exception is code of its class
        print(f"(its traceback cannot be shown: {type(failure).__name__})", file=sys.stderr)
    what = f"{error_text(error)}: this is a fault of tradecore; please report the lines above"
    print(f"tradecore: {what}", file=sys.stderr)
    return ExitCode.BROKEN_INVARIANT


def system_text(error: OSError) -> str:
    """Return what the system refused, the file where it names one, and what to do where that is known."""
    named = f"{printable(os.fsdecode(error.filename))}: " if isinstance(error.filename, str | bytes) else ""
    step = _STEPS.get(error.errno or 0)
    said = error.strerror or "the system gave no reason"
    return f"{named}{said}{f'; {step}' if step else ''}"


def report(error: TradecoreError) -> None:
    """Print an error and its notes on stderr."""
    report_alone(error)
    for note in notes_of(error):
        print(f"tradecore: {note}", file=sys.stderr)


def report_alone(error: TradecoreError) -> None:
    """Print an error on stderr, and not what was found beside it."""
    print(f"tradecore: {error}", file=sys.stderr)


def code_of(error: BaseException) -> ExitCode:
    """Return the exit code of the process that an exception ends."""
    match error:
        case TradecoreError():
            return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.CHECK_FAILED)
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case MemoryError():
            return ExitCode.NO_RESOURCES
        # A number says that the system refused; exceptions of this class without one are made by programs.
        case OSError() if error.errno is not None:
            return ExitCode.NO_RESOURCES if error.errno in _STEPS else ExitCode.STORAGE
        case _:
            return ExitCode.BROKEN_INVARIANT
