"""Turns exceptions into one clear line on stderr and an exit code."""

import sys
import traceback
from collections.abc import Callable

from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    InvalidValueError,
    StorageError,
    StrategyError,
    TradecoreError,
    VenueError,
)
from tradecore_api.exit_codes import ExitCode
from tradecore_api.instance_lock import AlreadyRunningError

_CODES: tuple[tuple[type[TradecoreError], ExitCode], ...] = (
    (AlreadyRunningError, ExitCode.ALREADY_RUNNING),
    (ConfigError, ExitCode.CONFIG),
    (InvalidValueError, ExitCode.CONFIG),
    (DataError, ExitCode.DATA),
    (StrategyError, ExitCode.STRATEGY),
    (VenueError, ExitCode.UNAVAILABLE),
    (StorageError, ExitCode.STORAGE),
    (BrokenInvariantError, ExitCode.BROKEN_INVARIANT),
)


def reported(command: Callable[[], int]) -> int:
    """Call a command; an error of ours becomes its line and its code, anything else a traceback and 70."""
    try:
        return command()
    except TradecoreError as error:
        report(error)
        return code_of(error)
    except OSError as error:
        if error.filename is None:
            raise
        print(f"tradecore: {error.filename}: {error.strerror}", file=sys.stderr)
        return ExitCode.STORAGE
    except Exception as error:  # noqa: BLE001 - the outermost caller: a bug must not look like a finding
        traceback.print_exc()
        what = f"{type(error).__name__}: {error}: this is a fault of tradecore; please report the lines above"
        print(f"tradecore: {what}", file=sys.stderr)
        return ExitCode.BROKEN_INVARIANT


def report(error: TradecoreError) -> None:
    """Print an error and its notes on stderr."""
    report_alone(error)
    for note in getattr(error, "__notes__", ()):
        print(f"tradecore: {note}", file=sys.stderr)


def report_alone(error: TradecoreError) -> None:
    """Print an error on stderr, and not what was found beside it."""
    print(f"tradecore: {error}", file=sys.stderr)


def code_of(error: TradecoreError) -> ExitCode:
    """Return the exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.CHECK_FAILED)
